//! What happens to people and agents, from beginning to end. Read these first.

use super::*;

/// Two agents in worktrees of one clone; one wants to change what the other works on.
#[test]
fn an_agent_runs_into_a_claim_and_does_something_else() {
    let repo = team();
    let kai = repo.worktree("kai");
    kai.reflectt(["join", "kai"]).ok();
    let link = repo.worktree("link");
    link.reflectt(["join", "link"]).ok();

    // link takes a task, and the files that come with it.
    let id = repo.task("link", "Keep the return path", &["--path", "src/auth"]);
    link.reflectt(["claim", &id]).ok();

    // kai fixes a typo that happens to be there, beside its own work.
    kai.write("src/auth/login.rs", "typo fixed");
    kai.write("docs/guide.md", "my own work");
    kai.git(["add", "-A"]);
    git_as(&kai, None, &["commit", "-qm", "fix typos"]).snapshot(
        "
        exit 1
        --- stderr
        error: `src/auth/login.rs` is staged and claimed by others
          src/auth/login.rs
            claimed [AGO] by link (active, last seen [AGO]) for `[ID1]` (Keep the return path)
        hint: reflectt send link 'when will you be done?' --task [ID1] (asks the holder)
        hint: reflectt next --claim --branch (takes other work; or wait)
        hint: git restore --staged -- src/auth/login.rs (leaves them out of this commit; your edits stay)
        ",
    );

    // It does as it was told: leaves the file out, commits the rest, and asks.
    kai.git(["restore", "--staged", "--", "src/auth/login.rs"]);
    git_as(&kai, None, &["commit", "-qm", "fix typos"]).ok();
    kai.reflectt(["send", "link", "when will you be done?", "--task", &id])
        .ok();

    // link finishes, gives the files back, and kai's edit is still there to be committed.
    link.write("src/auth/login.rs", "the return path is kept");
    git_as(&link, None, &["commit", "-qam", "keep the return path"]).ok();
    assert!(
        link.git(["log", "-1", "--format=%B"])
            .contains(&format!("Reflectt-Task: {id}"))
    );
    link.reflectt(["release", &id]).ok();
    git_as(&kai, None, &["commit", "-qam", "fix another typo"]).ok();
}

/// An agent is gone for too long, is replaced, comes back and finds out before it does harm.
#[test]
fn an_agent_comes_back_from_the_dead() {
    let (repo, id) = claimed();
    let link = repo.worktree("link");
    link.reflectt(["join", "link"]).ok();
    link.write("src/auth/login.rs", "half done");

    // Its machine was asleep. kai took the task up in the meantime.
    repo.fall_silent("link", 3);
    repo.as_agent("kai", ["claim", &id]).ok();

    // link wakes up and goes on as if nothing had happened.
    git_as(&link, None, &["commit", "-qam", "done at last"]).snapshot(
        "
        exit 1
        --- stderr
        error: you have lost a claim: stop work on it
          your claim on task `[ID1]` expired after 3h without a sign of life. Stop work on it.
          `kai` holds it now
          src/auth/login.rs
            claimed [AGO] by kai (active, last seen [AGO]) for `[ID1]` (Keep the return path)
        hint: reflectt inbox (says what happened)
        hint: reflectt ack --all (says that you know; then go on)
        ",
    );
    link.reflectt(["ack", "--all"]).ok();
    let stopped = git_as(&link, None, &["commit", "-qam", "done at last"]).code(1);
    assert!(stopped.stderr.contains("by kai"), "{stopped}");
    link.reflectt(["next", "--claim"]).code(5);
}

/// A person has to change a claimed file at once.
#[test]
fn a_person_cannot_wait() {
    let (repo, id) = claimed();
    repo.write("src/auth/login.rs", "hot fix");
    repo.git(["add", "-A"]);
    let stopped = git_as(&repo, None, &["commit", "-qm", "hot fix"]).code(1);
    assert!(
        stopped.stderr.contains("hint: REFLECTT_OVERRIDE='REASON'"),
        "{stopped}"
    );
    repo.git(["config", "user.name", "Ann"]);
    let reason = [("REFLECTT_OVERRIDE", "customers cannot log in")];
    git_with(&repo, None, &reason, &["commit", "-qm", "hot fix"]).ok();

    // link is told, and everybody can see it on the task.
    let inbox = repo.as_agent("link", ["inbox"]).ok().stdout;
    assert!(
        inbox.contains("`Ann` changed `src/auth/login.rs`"),
        "{inbox}"
    );
    let task = repo.reflectt(["task", "show", &id]).ok().stdout;
    assert!(task.contains("customers cannot log in"), "{task}");

    // The commit may be pushed and built, because the reason is on the record.
    let remote = repo.env().bare("remote.git");
    repo.git(["remote", "add", "origin", remote.path().to_str().unwrap()]);
    git_as(&repo, None, &["push", "-q", "origin", "main"]).ok();
    repo.reflectt(["check", "HEAD"]).ok();
}

/// Somebody turns the hooks off; the next layers find it.
#[test]
fn going_around_the_hooks_is_found_later() {
    let (repo, _) = claimed();
    let remote = repo.env().bare("remote.git");
    repo.git(["remote", "add", "origin", remote.path().to_str().unwrap()]);
    repo.git(["push", "-q", "origin", "main"]);
    repo.write("src/auth/login.rs", "I know better");
    git_as(&repo, Some("kai"), &["commit", "-qan", "-m", "quick fix"]).ok();
    git_as(&repo, Some("kai"), &["push", "-q", "origin", "main"]).code(1);
    git_as(
        &repo,
        Some("kai"),
        &["push", "-q", "--no-verify", "origin", "main"],
    )
    .ok();
    // Nobody can turn the build off.
    let found = repo
        .reflectt(["check", "--format", "github", "HEAD"])
        .code(3);
    assert!(
        found.stdout.starts_with("::error file=src/auth/login.rs,"),
        "{found}"
    );
}
