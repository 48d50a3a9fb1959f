//! Merges: what comes from the other side was judged when it was committed there.

use super::*;

const LINES: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

/// `link` has worked on its claim on a branch of its own, and `main` has gone on.
fn two_branches() -> Repo {
    let repo = team();
    repo.write("src/auth/login.rs", LINES);
    repo.commit("lines");
    claim(&repo, "link", "Keep the return path", "src/auth");
    repo.git(["checkout", "-q", "-b", "work"]);
    let edited = LINES.replace('9', "nine").replace('4', "four");
    repo.write("src/auth/login.rs", edited);
    repo.write("src/auth/new.rs", "new");
    repo.git(["add", "-A"]);
    git_as(&repo, Some("link"), &["commit", "-qm", "work"]).ok();
    repo.git(["checkout", "-q", "main"]);
    repo.write("src/lib.rs", "main goes on");
    git_as(&repo, Some("kai"), &["commit", "-qam", "main"]).ok();
    repo
}

#[test]
fn merging_the_holders_work_is_free() {
    let repo = two_branches();
    let merged = git_as(&repo, Some("kai"), &["merge", "-q", "--no-edit", "work"]).ok();
    assert_eq!(merged.stderr, "");
    assert_eq!(repo.git(["log", "-1", "--format=%P"]).split(' ').count(), 2);
    repo.as_agent("kai", ["check", "HEAD^1..HEAD"]).ok();
}

#[test]
fn what_git_puts_together_is_nobodys_edit() {
    let repo = two_branches();
    // From before the claim, on main; git merges both into one file.
    let edited = LINES.replace('1', "one");
    repo.write("src/auth/login.rs", edited);
    git_as(
        &repo,
        None,
        &["commit", "-qa", "--no-verify", "-m", "older work"],
    )
    .ok();
    git_as(&repo, Some("kai"), &["merge", "-q", "--no-edit", "work"]).ok();
    let both = std::fs::read_to_string(repo.path().join("src/auth/login.rs")).unwrap();
    assert!(both.contains("one") && both.contains("nine"));
    repo.as_agent("kai", ["check", "HEAD"]).ok();
}

#[test]
fn an_edit_in_a_merge_is_stopped() {
    let repo = two_branches();
    git_as(&repo, Some("kai"), &["merge", "-q", "--no-commit", "work"]).ok();
    repo.write("src/auth/new.rs", "changed on the way");
    repo.git(["add", "-A"]);
    let stopped = git_as(&repo, Some("kai"), &["commit", "-q", "--no-edit"]).code(1);
    assert!(stopped.stderr.contains("  src/auth/new.rs\n"), "{stopped}");
    assert!(!stopped.stderr.contains("login.rs"), "{stopped}");
    assert!(!stopped.stderr.contains("git restore"), "{stopped}");
    git_as(
        &repo,
        Some("kai"),
        &["commit", "-q", "--no-edit", "--no-verify"],
    )
    .ok();
    let found = repo
        .as_agent("kai", ["--json", "check", "HEAD"])
        .code(3)
        .json();
    assert_eq!(
        found["findings"][0]["paths"],
        serde_json::json!(["src/auth/new.rs"])
    );
}

#[test]
fn resolving_a_conflict_in_claimed_files_is_for_the_holder() {
    let repo = two_branches();
    repo.write("src/auth/login.rs", LINES.replace('9', "neuf"));
    git_as(
        &repo,
        None,
        &["commit", "-qa", "--no-verify", "-m", "older work"],
    )
    .ok();
    git_as(&repo, Some("kai"), &["merge", "-q", "work"]).code(1);
    repo.write("src/auth/login.rs", LINES.replace('9', "nine and neuf"));
    repo.git(["add", "-A"]);
    git_as(&repo, Some("kai"), &["commit", "-q", "--no-edit"]).code(1);
    git_as(&repo, Some("link"), &["commit", "-q", "--no-edit"]).ok();
    assert!(
        repo.git(["log", "-1", "--format=%B"])
            .contains("Reflectt-Fence: 1")
    );
    repo.as_agent("kai", ["check", "HEAD"]).ok();
}

#[test]
fn pre_merge_commit_stops_what_git_would_not_have_made_by_itself() {
    let repo = two_branches();
    repo.write(
        "src/auth/login.rs",
        LINES.replace('9', "neuf").replace('1', "un"),
    );
    git_as(
        &repo,
        None,
        &["commit", "-qa", "--no-verify", "-m", "older work"],
    )
    .ok();
    let merge = &["merge", "-q", "--no-edit", "-X", "ours", "work"];
    let stopped = git_as(&repo, Some("kai"), merge).code(1);
    assert!(
        stopped.stderr.contains("  src/auth/login.rs\n"),
        "{stopped}"
    );
    repo.git(["merge", "--abort"]);
    git_as(&repo, Some("link"), merge).ok();
}
