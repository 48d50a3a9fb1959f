//! The trailers of `commit-msg`.

use super::*;

fn body(repo: &Repo) -> String {
    repo.git(["log", "-1", "--format=%B"])
}

fn count(repo: &Repo, key: &str) -> usize {
    let key = format!("{key}:");
    body(repo)
        .lines()
        .filter(|line| line.starts_with(&key))
        .count()
}

/// Commits as `link`, with what an editor would have left in the message.
fn commit_edited(repo: &Repo, message: &str, args: &[&str]) -> Output {
    let editor = repo.env().dir().join("editor");
    let file = repo.env().dir().join("typed");
    std::fs::write(&file, message).unwrap();
    let text = format!(
        "#!/bin/sh\ncat '{}' \"$1\" >\"$1.new\"\nmv \"$1.new\" \"$1\"\n",
        file.display()
    );
    script(&editor, &text);
    let all: Vec<&str> = ["commit", "-q"].iter().chain(args).copied().collect();
    git_with(
        repo,
        Some("link"),
        &[("GIT_EDITOR", editor.to_str().unwrap())],
        &all,
    )
}

#[test]
fn a_commit_under_a_claim_says_so_once() {
    let (repo, id) = claimed();
    repo.write("src/auth/login.rs", "1");
    git_as(&repo, Some("link"), &["commit", "-qam", "fix login"]).ok();
    assert_eq!(
        body(&repo),
        format!("fix login\n\nReflectt-Task: {id}\nReflectt-Fence: 1")
    );
    repo.write("src/auth/login.rs", "2");
    git_as(
        &repo,
        Some("link"),
        &["commit", "-qa", "--amend", "--no-edit"],
    )
    .ok();
    git_as(
        &repo,
        Some("link"),
        &["commit", "-q", "--amend", "--no-edit", "--allow-empty"],
    )
    .ok();
    assert_eq!(
        (
            count(&repo, "Reflectt-Task"),
            count(&repo, "Reflectt-Fence")
        ),
        (1, 1)
    );

    // Given back and taken again: the amended commit is made under the new claim.
    repo.as_agent("link", ["release", &id]).ok();
    repo.as_agent("link", ["claim", &id]).ok();
    repo.write("src/auth/login.rs", "3");
    git_as(
        &repo,
        Some("link"),
        &["commit", "-qa", "--amend", "--no-edit"],
    )
    .ok();
    assert!(
        body(&repo).ends_with(&format!("Reflectt-Task: {id}\nReflectt-Fence: 2")),
        "{}",
        body(&repo)
    );
    assert_eq!(count(&repo, "Reflectt-Fence"), 1);
}

#[test]
fn other_commits_have_none() {
    let (repo, _) = claimed();
    repo.write("src/lib.rs", "1");
    for who in [None, Some("kai"), Some("link")] {
        git_as(&repo, who, &["commit", "-qam", "x", "--allow-empty"]).ok();
        assert_eq!(body(&repo), "x");
    }
    repo.write("src/auth/login.rs", "1");
    repo.git(["add", "-A"]);
    for kind in ["--fixup=HEAD", "--squash=HEAD"] {
        git_as(
            &repo,
            Some("link"),
            &["commit", "-q", "--no-edit", "--allow-empty", kind],
        )
        .ok();
        assert_eq!(count(&repo, "Reflectt-Task"), 0, "{}", body(&repo));
    }
}

#[test]
fn the_users_message_is_respected() {
    let (repo, id) = claimed();
    let edit = |text: &str| {
        repo.write("src/auth/login.rs", text);
        repo.git(["add", "-A"]);
    };
    edit("1");
    commit_edited(
        &repo,
        "subject\n\nbody --- with\n---\nlines\n\nSigned-off-by: Ann <a@b>\n",
        &["-v"],
    )
    .ok();
    let expected = format!(
        "subject\n\nbody --- with\n---\nlines\n\nSigned-off-by: Ann <a@b>\nReflectt-Task: {id}\nReflectt-Fence: 1"
    );
    assert_eq!(body(&repo), expected);
    edit("2");
    repo.git(["config", "core.commentChar", ";"]);
    repo.git(["config", "trailer.separators", "="]);
    commit_edited(&repo, "# kept\n", &[]).ok();
    assert_eq!(
        body(&repo),
        format!("# kept\n\nReflectt-Task: {id}\nReflectt-Fence: 1")
    );
}

#[test]
fn a_commit_that_was_given_up_is_not_made() {
    let (repo, _) = claimed();
    let before = head(&repo);
    repo.write("src/auth/login.rs", "1");
    repo.git(["add", "-A"]);
    commit_edited(&repo, "", &[]).code(1);
    commit_edited(&repo, "", &["-v", "-s"]).code(1);
    repo.write("template", "why:\n");
    repo.git(["config", "commit.template", "template"]);
    commit_edited(&repo, "", &[]).code(1);
    assert_eq!(head(&repo), before);
}

#[test]
fn several_claims_are_named_and_none_of_their_tasks() {
    let (repo, _) = claimed();
    repo.as_agent("link", ["claim", "--path", "docs", "-m", "why"])
        .ok();
    repo.write("src/auth/login.rs", "1");
    repo.write("docs/guide.md", "1");
    for args in [
        &["commit", "-qam", "x"][..],
        &["commit", "-q", "--amend", "--no-edit"],
    ] {
        git_as(&repo, Some("link"), args).ok();
        repo.write("docs/guide.md", "2");
        repo.write("src/auth/login.rs", "2");
        repo.git(["add", "-A"]);
    }
    let body = body(&repo);
    // Nobody can tell which of the two it is for.
    assert!(!body.contains("Reflectt-Task:"), "{body}");
    for line in ["Reflectt-Fence: 1", "Reflectt-Fence: 2"] {
        assert_eq!(
            body.lines().filter(|l| *l == line).count(),
            1,
            "{line}\n{body}"
        );
    }
}
