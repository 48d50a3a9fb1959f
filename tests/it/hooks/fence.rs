//! Agents that lost a claim, and work made under claims that are over.

use super::*;

/// `link` commits once under its claim, and then `kai` takes the task over.
fn taken_over() -> (Repo, String) {
    let (repo, id) = claimed();
    repo.git(["checkout", "-q", "-b", "links"]);
    repo.write("src/auth/login.rs", "by link");
    git_as(&repo, Some("link"), &["commit", "-qam", "by link"]).ok();
    let take = ["claim", &id, "--take-over", "--reason", "link is away"];
    repo.as_agent("kai", take).ok();
    (repo, id)
}

#[test]
fn whoever_was_taken_over_is_stopped_at_the_next_commit() {
    let (repo, _) = taken_over();
    repo.write("docs/guide.md", "anything");
    repo.git(["add", "-A"]);
    repo.as_agent("link", ["hook", "pre-commit"]).code(7).snapshot(
        "
        exit 7
        --- stderr
        error: you have lost a claim: stop work on it
          `kai` took over `[ID1]` (Keep the return path) from you: link is away. Stop work on it; what you have not committed is yours to hand over by message.
          `kai` holds it now
        hint: reflectt inbox (says what happened)
        hint: reflectt ack --all (says that you know; then go on)
        ",
    );
    let json = repo
        .as_agent("link", ["--json", "hook", "pre-commit"])
        .code(7)
        .json();
    assert_eq!(json["error"]["kind"], "fenced");
    assert_eq!(json["error"]["holder"], "kai");
    git_as(&repo, Some("link"), &["commit", "-qm", "x"]).code(1);
    // No reason gets around taking notice.
    git_with(
        &repo,
        Some("link"),
        &[("REFLECTT_OVERRIDE", "so what")],
        &["commit", "-qm", "x"],
    )
    .code(1);

    repo.as_agent("link", ["ack", "--all"]).ok();
    git_as(&repo, Some("link"), &["commit", "-qm", "x"]).ok();
    repo.write("src/auth/login.rs", "late work");
    repo.git(["add", "-A"]);
    repo.as_agent("link", ["hook", "pre-commit"]).code(3);
}

#[test]
fn whoever_went_silent_is_stopped_at_the_next_commit() {
    let (repo, id) = claimed();
    repo.fall_silent("link", 3);
    // A claim of the silent stands in nobody's way.
    repo.write("src/auth/token.rs", "by kai");
    git_as(&repo, Some("kai"), &["commit", "-qam", "x"]).ok();
    repo.as_agent("kai", ["claim", &id]).ok();
    repo.write("src/auth/login.rs", "late work");
    repo.git(["add", "-A"]);
    let stopped = repo.as_agent("link", ["hook", "pre-commit"]).code(7);
    assert!(stopped.stderr.contains("`kai` holds it now"), "{stopped}");
    git_as(&repo, Some("link"), &["commit", "-qm", "x"]).code(1);
    let edit = r#"{"tool_input":{"file_path":"docs/guide.md"}}"#;
    let denied = repo
        .command(["hook", "agent-edit"])
        .agent("link")
        .stdin(edit)
        .run()
        .ok();
    assert!(denied.stdout.contains("you have lost a claim"), "{denied}");
}

#[test]
fn work_under_an_older_fence_is_found() {
    let (repo, id) = taken_over();
    repo.as_agent("link", ["ack", "--all"]).ok();
    // Whoever asks, the one who holds the task now as well.
    for who in [None, Some("link"), Some("kai")] {
        let mut check = repo.command(["--json", "check", "main..links"]);
        if let Some(agent) = who {
            check = check.agent(agent);
        }
        let found = check.run().code(7).json();
        let finding = &found["findings"][0];
        assert_eq!(finding["kind"], "outdated");
        assert_eq!(finding["made_under"], serde_json::json!([1]));
        assert_eq!(
            (&finding["fence"], &finding["holder"]),
            (&2.into(), &"kai".into())
        );
    }
    // A commit of the new holder on top vouches for what it was built upon.
    repo.write("src/auth/login.rs", "kai goes on");
    git_as(&repo, Some("kai"), &["commit", "-qam", "go on"]).ok();
    repo.reflectt(["check", "main..links"]).ok();

    // The task is done, but what the old holder kept is still late.
    repo.as_agent("kai", ["release", &id]).ok();
    repo.reflectt(["check", "links~1"]).code(7);
    repo.reflectt(["check", "main..links"]).ok();
}

#[test]
fn a_holders_own_earlier_work_is_its_own() {
    let (repo, id) = claimed();
    repo.write("src/auth/login.rs", "1");
    git_as(&repo, Some("link"), &["commit", "-qam", "by link"]).ok();
    repo.as_agent("link", ["release", &id]).ok();
    repo.reflectt(["check", "HEAD"]).ok();
    repo.as_agent("link", ["claim", &id]).ok();
    repo.reflectt(["check", "HEAD"]).ok();
    repo.as_agent("link", ["release", &id]).ok();
    // Another task of the same agent on the same files.
    claim(&repo, "link", "Rework the tokens", "src/auth");
    repo.reflectt(["check", "HEAD"]).ok();
}

#[test]
fn a_fixup_is_what_it_mends() {
    let (repo, _) = claimed();
    repo.write("src/auth/login.rs", "1");
    git_as(&repo, Some("link"), &["commit", "-qam", "by link"]).ok();
    repo.write("src/auth/login.rs", "2");
    git_as(&repo, Some("link"), &["commit", "-qa", "--fixup=HEAD"]).ok();
    repo.reflectt(["check", "HEAD~2..HEAD"]).ok();
    repo.reflectt(["check", "HEAD"]).code(3);
    let squash = &["rebase", "-q", "-i", "--autosquash", "HEAD~2"];
    git_with(&repo, Some("link"), &[("GIT_SEQUENCE_EDITOR", ":")], squash).ok();
    let body = repo.git(["log", "-1", "--format=%B"]);
    assert_eq!(body.matches("Reflectt-Fence").count(), 1, "{body}");
    repo.reflectt(["check", "HEAD"]).ok();
}
