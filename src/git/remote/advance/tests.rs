//! Branches of real remotes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::git::testing::{TestRepo, name};

const LIMIT: Duration = Duration::from_secs(20);

/// A clone with a bare remote that has its `main`, and a commit to land there.
fn ready(test: &TestRepo) -> (PathBuf, Advance) {
    let from = test.commit_files("from", &[("a", "1\n")]);
    let bare = test.dir.path().canonicalize().unwrap().join("bare.git");
    let url = bare.to_str().unwrap();
    test.git(&["clone", "-q", "--bare", test.path.to_str().unwrap(), url]);
    test.git(&["remote", "add", "origin", url]);
    test.git(&["fetch", "-q", "origin"]);
    test.git(&["checkout", "-q", "--detach"]);
    let to = test.commit_files("to", &[("a", "2\n")]);
    test.git(&["checkout", "-q", "main"]);
    let branch = name("refs/heads/main");
    (bare, Advance { branch, from, to })
}

fn hook(bare: &Path, hook: &str, script: &str) {
    let path = bare.join("hooks").join(hook);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).unwrap();
}

fn at(test: &TestRepo, bare: &Path) -> String {
    test.git_in(bare, &["rev-parse", "main"])
}

#[test]
fn the_remote_moves_and_the_local_branch_does_not() {
    for test in TestRepo::of_every_format() {
        let (bare, advance) = ready(&test);
        let repo = test.open();
        let remote = repo.remote("origin", LIMIT);
        assert_eq!(remote.advance(&advance).unwrap(), Advanced::Moved);
        assert_eq!(at(&test, &bare), advance.to.to_string());
        assert_eq!(
            test.git(&["rev-parse", "origin/main"]),
            advance.to.to_string()
        );
        assert_eq!(test.git(&["rev-parse", "main"]), advance.from.to_string());
        assert_eq!(test.git(&["status", "--porcelain"]), "");
        assert_eq!(
            remote.advance(&advance).unwrap(),
            Advanced::Moved,
            "as it is already"
        );
        let back = Advance {
            from: advance.to,
            to: advance.from,
            ..advance.clone()
        };
        assert_eq!(remote.advance(&back).unwrap(), Advanced::NotForward);
        let other = test.commit("other");
        let stale = Advance {
            to: other,
            ..advance.clone()
        };
        assert_eq!(
            remote.advance(&stale).unwrap(),
            Advanced::Elsewhere(Some(advance.to))
        );
        assert_eq!(at(&test, &bare), advance.to.to_string());
    }
}

#[test]
fn a_protected_branch_says_so_and_takes_another_one() {
    let test = TestRepo::init(&[]);
    let (bare, advance) = ready(&test);
    hook(
        &bare,
        "update",
        "case $1 in refs/heads/main) echo 'GH006: Protected branch update failed.' >&2; echo >&2; \
         echo 'Create a request: https://forge.example/new?a=b' >&2; exit 1;; esac",
    );
    let repo = test.open();
    let remote = repo.remote("origin", LIMIT);
    let said = [
        "hook declined",
        "GH006: Protected branch update failed.",
        "Create a request: https://forge.example/new?a=b",
    ];
    let Advanced::Protected { said: found } = remote.advance(&advance).unwrap() else {
        panic!("it is protected")
    };
    assert_eq!(found[..3], said);
    assert_eq!(at(&test, &bare), advance.from.to_string());
    let other = name("refs/heads/for-people/k3f9x2");
    // Again and again, also with something else than before.
    for commit in [advance.to, advance.to, advance.from] {
        assert_eq!(remote.put(&other, commit).unwrap(), Advanced::Moved);
        assert_eq!(
            test.git_in(&bare, &["rev-parse", other.as_str()]),
            commit.to_string()
        );
    }
}

#[test]
fn what_others_put_on_top_meanwhile_does_not_undo_it() {
    let test = TestRepo::init(&[]);
    let (bare, advance) = ready(&test);
    // Somebody is faster than our look at what the remote has.
    hook(
        &bare,
        "post-update",
        "[ -e went-on ] && exit; touch went-on; \
         export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x; \
         git update-ref refs/heads/main $(git commit-tree -p main -m more main^{tree})",
    );
    let repo = test.open();
    let remote = repo.remote("origin", LIMIT);
    assert_eq!(remote.advance(&advance).unwrap(), Advanced::Moved);
    assert_ne!(at(&test, &bare), advance.to.to_string());
    assert_eq!(at(&test, &bare), test.git(&["rev-parse", "origin/main"]));
}

#[test]
fn what_is_taken_back_at_once_did_not_move() {
    let test = TestRepo::init(&[]);
    let (bare, advance) = ready(&test);
    let script = format!("git update-ref refs/heads/main {}", advance.from);
    hook(&bare, "post-update", &script);
    let repo = test.open();
    let done = repo.remote("origin", LIMIT).advance(&advance).unwrap();
    assert_eq!(done, Advanced::Elsewhere(Some(advance.from)));
}

#[test]
fn a_remote_that_is_not_there_is_unreachable() {
    let test = TestRepo::init(&[]);
    let (bare, advance) = ready(&test);
    std::fs::rename(&bare, bare.with_extension("away")).unwrap();
    let repo = test.open();
    let remote = repo.remote("origin", LIMIT);
    let done = remote.advance(&advance).unwrap();
    assert!(matches!(done, Advanced::Unreachable { .. }), "{done:?}");
    let done = remote.put(&advance.branch, advance.to).unwrap();
    assert!(matches!(done, Advanced::Unreachable { .. }), "{done:?}");
}
