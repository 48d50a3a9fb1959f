//! Pushes: the last look before commits leave a clone.

use super::*;

/// The team with a bare remote, to which `main` has been pushed.
fn with_remote() -> (Repo, Repo, String) {
    let (repo, id) = claimed();
    let remote = repo.env().bare("remote.git");
    repo.git(["remote", "add", "origin", remote.path().to_str().unwrap()]);
    repo.git(["push", "-q", "origin", "main"]);
    (repo, remote, id)
}

/// Commits an edit of a claimed file past the hooks.
fn sneak(repo: &Repo, agent: &str) {
    repo.write("src/auth/login.rs", format!("{agent} {}", head(repo)));
    git_as(
        repo,
        Some(agent),
        &["commit", "-qa", "--no-verify", "-m", "sneaky"],
    )
    .ok();
}

#[test]
fn what_went_past_the_hooks_is_not_pushed() {
    let (repo, remote, id) = with_remote();
    let before = remote.git(["rev-parse", "main"]);
    sneak(&repo, "kai");
    git_as(&repo, Some("kai"), &["push", "-q", "origin", "main"])
        .code(1)
        .snapshot(
            "
        exit 1
        --- stderr
        error: `src/auth/login.rs` is claimed by others
          [OID] sneaky (Ann)
            src/auth/login.rs
              claimed [AGO] by link (active, last seen [AGO]) for `[ID1]` (Keep the return path)
        hint: reflectt send link 'when will you be done?' --task [ID1] (asks the holder)
        hint: reflectt next --claim --branch (takes other work; or wait)
        error: failed to push some refs to '[DIR]/remote.git'
        ",
        );
    assert_eq!(remote.git(["rev-parse", "main"]), before);
    // Under another name, as a tag, or to an address, it is the same commit.
    git_as(&repo, Some("kai"), &["push", "-q", "origin", "HEAD:new"]).code(1);
    repo.git(["tag", "-a", "-m", "v1", "v1"]);
    git_as(&repo, Some("kai"), &["push", "-q", "origin", "v1"]).code(1);
    let address = remote.path().to_str().unwrap();
    git_as(&repo, None, &["push", "-q", address, "main"]).code(1);
    // With a reason it goes, and the reason is on the record.
    let with_reason = [("REFLECTT_OVERRIDE", "release night")];
    git_with(
        &repo,
        Some("kai"),
        &with_reason,
        &["push", "-q", "origin", "main"],
    )
    .ok();
    let shown = repo.reflectt(["task", "show", &id]).ok().stdout;
    assert!(shown.contains("release night"), "{shown}");
}

#[test]
fn the_holder_pushes_and_so_does_whoever_has_its_commits() {
    let (repo, _, _) = with_remote();
    repo.git(["checkout", "-q", "-b", "links"]);
    repo.write("src/auth/login.rs", "by link");
    git_as(&repo, Some("link"), &["commit", "-qam", "work"]).ok();
    git_as(&repo, Some("link"), &["push", "-q", "origin", "links"]).ok();
    git_as(&repo, None, &["push", "-q", "origin", "links:others"]).ok();
    repo.git(["checkout", "-q", "main"]);
    git_as(&repo, Some("kai"), &["cherry-pick", "links"]).ok();
    git_as(&repo, Some("kai"), &["push", "-q", "origin", "main"]).ok();
    git_as(&repo, Some("kai"), &["push", "-q", "origin", ":others"]).ok();
}

#[test]
fn what_rebase_cherry_pick_and_am_bring_is_found() {
    let (repo, _, _) = with_remote();
    repo.git(["checkout", "-q", "-b", "side"]);
    sneak(&repo, "kai");
    let patch = repo.git(["format-patch", "-1", "--stdout"]) + "\n";
    repo.write("docs/guide.md", "more");
    git_as(&repo, Some("kai"), &["commit", "-qam", "more"]).ok();
    git_as(
        &repo,
        Some("kai"),
        &["rebase", "-q", "--onto", "main", "HEAD~2"],
    )
    .ok();
    git_as(&repo, Some("kai"), &["push", "-q", "origin", "side"]).code(1);

    repo.git(["checkout", "-q", "-b", "picked", "main"]);
    git_as(&repo, Some("kai"), &["cherry-pick", "side~1"]).ok();
    git_as(&repo, Some("kai"), &["push", "-q", "origin", "picked"]).code(1);

    repo.git(["checkout", "-q", "-b", "applied", "main"]);
    std::fs::write(repo.env().dir().join("patch"), patch).unwrap();
    git_as(&repo, Some("kai"), &["am", "-q", "../patch"]).ok();
    git_as(&repo, Some("kai"), &["push", "-q", "origin", "applied"]).code(1);
}

#[test]
fn reflectts_own_refs_are_not_looked_at() {
    let (repo, remote, _) = with_remote();
    let refs = [
        "refs/heads/reflectt",
        "refs/reflectt/claims:refs/reflectt/claims",
    ];
    let pushed = git_as(
        &repo,
        Some("kai"),
        &["push", "-q", "origin", refs[0], refs[1]],
    )
    .ok();
    assert_eq!(pushed.stderr, "");
    assert!(
        remote
            .git(["for-each-ref"])
            .contains("refs/reflectt/claims")
    );
}

#[test]
fn a_claim_that_lands_while_a_commit_is_under_way() {
    let (repo, _, _) = with_remote();
    repo.set("link", "wip.agent", "5");
    let id = repo.task("link", "Rework the guide", &["--path", "docs"]);
    let claims = format!(
        "'{}' --as link claim {id} >/dev/null",
        crate::support::process::BINARY
    );
    // While the message is written: seen by `commit-msg`.
    let editor = repo.env().dir().join("editor");
    script(
        &editor,
        &format!("#!/bin/sh\necho words >\"$1\"\n{claims}\n"),
    );
    repo.write("docs/guide.md", "by kai");
    let commit = ["commit", "-qa"];
    let editor = [("GIT_EDITOR", editor.to_str().unwrap())];
    let late = git_with(&repo, Some("kai"), &editor, &commit).code(1);
    assert!(late.stderr.contains("claimed just now by link"), "{late}");

    // After the last look: the commit is made, and found afterwards.
    repo.as_agent("link", ["release", &id]).ok();
    let hook = repo.common_dir().join("hooks/commit-msg");
    let text = std::fs::read_to_string(&hook).unwrap();
    std::fs::write(&hook, format!("{text}{claims}\n")).unwrap();
    git_as(&repo, Some("kai"), &["commit", "-qam", "just before"]).ok();
    git_as(&repo, Some("kai"), &["push", "-q", "origin", "main"]).code(1);
    let found = repo
        .as_agent("kai", ["--json", "check", "origin/main..HEAD"])
        .code(3)
        .json();
    assert_eq!(found["findings"][0]["id"], id.as_str());
}

#[test]
fn what_the_holder_started_from_is_free() {
    let repo = team();
    repo.write("docs/guide.md", "before");
    git_as(&repo, Some("kai"), &["commit", "-qam", "known to link"]).ok();
    repo.git(["branch", "aside"]);
    claim(&repo, "link", "Rework the guide", "docs");
    let remote = repo.env().bare("remote.git");
    repo.git(["remote", "add", "origin", remote.path().to_str().unwrap()]);
    git_as(&repo, Some("kai"), &["push", "-q", "origin", "main"]).ok();

    // Older by its date, and yet nothing that link has seen.
    repo.git(["checkout", "-q", "aside"]);
    repo.write("docs/guide.md", "aside");
    let old = [("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z")];
    git_with(
        &repo,
        Some("kai"),
        &old,
        &["commit", "-qan", "-m", "unknown to link"],
    )
    .ok();
    git_as(&repo, Some("kai"), &["push", "-q", "origin", "aside"]).code(1);
}

#[test]
fn the_tool_pre_commit_tells_in_variables() {
    let (repo, _, _) = with_remote();
    sneak(&repo, "kai");
    let base = repo.git(["rev-parse", "origin/main"]);
    let run = |from: &str, to: &str| {
        repo.command(["hook", "pre-push"])
            .agent("kai")
            .env("PRE_COMMIT_REMOTE_NAME", "origin")
            .env("PRE_COMMIT_FROM_REF", from)
            .env("PRE_COMMIT_TO_REF", to)
            .env("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main")
            .env("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/main")
            .run()
    };
    run(&base, &head(&repo)).code(3);
    run(&base, &base).ok();
    // Of a history that the remote has nothing of, it tells the branch alone.
    let whole = repo.command(["hook", "pre-push"]).agent("kai");
    let whole = whole.env("PRE_COMMIT_REMOTE_NAME", "origin");
    whole
        .env("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main")
        .env("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/main")
        .run()
        .code(3);
}
