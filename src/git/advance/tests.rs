//! Branches that move, with and without worktrees.

use super::*;
use crate::git::testing::{TestRepo, name};

fn main() -> RefName {
    name("refs/heads/main")
}

/// A repository with a file that changes from one commit to the next, and two that do not; the
/// branch is at the first.
fn ready(test: &TestRepo) -> Advance {
    let files = [
        ("a", "1\n"),
        ("notes", "1\n"),
        ("dir/gone", "1\n"),
        (".gitignore", "*.log\n"),
    ];
    let from = test.commit_files("from", &files);
    test.git(&["checkout", "-q", "--detach"]);
    test.git(&["rm", "-q", "dir/gone"]);
    let to = test.commit_files("to", &[("a", "2\n"), ("new", "new\n")]);
    Advance {
        branch: main(),
        from,
        to,
    }
}

fn status(test: &TestRepo, dir: &Path) -> String {
    test.git_in(dir, &["status", "--porcelain"])
}

fn read(dir: &Path, path: &str) -> Option<String> {
    std::fs::read_to_string(dir.join(path)).ok()
}

/// Hooks that fail, so that whatever runs one is found out.
fn add_hooks(test: &TestRepo) {
    let hooks = test.git(&["rev-parse", "--git-common-dir"]);
    let hooks = test.path.join(hooks).join("hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for hook in [
        "pre-commit",
        "pre-merge-commit",
        "commit-msg",
        "post-merge",
        "post-checkout",
        "post-index-change",
        "pre-push",
    ] {
        let path = hooks.join(hook);
        let ran = test.dir.path().join("hook-ran");
        std::fs::write(
            &path,
            format!("#!/bin/sh\necho {hook} >> {}\nexit 1\n", ran.display()),
        )
        .unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
    }
}

#[test]
fn a_branch_that_is_nowhere_checked_out_just_moves() {
    for test in TestRepo::of_every_format() {
        let advance = ready(&test);
        let repo = test.open();
        assert_eq!(repo.advance(&advance).unwrap(), Advanced::Moved);
        assert_eq!(repo.read_ref(&main()).unwrap(), Some(advance.to));
        assert_eq!(
            repo.advance(&advance).unwrap(),
            Advanced::Moved,
            "as it is already"
        );
        let back = Advance {
            from: advance.to,
            to: advance.from,
            ..advance.clone()
        };
        assert_eq!(repo.advance(&back).unwrap(), Advanced::NotForward);
        let stale = Advance {
            to: test.commit("more"),
            ..advance.clone()
        };
        assert_eq!(
            repo.advance(&stale).unwrap(),
            Advanced::Elsewhere(Some(advance.to))
        );
        let none = Advance {
            branch: name("refs/heads/none"),
            ..advance
        };
        assert_eq!(repo.advance(&none).unwrap(), Advanced::Elsewhere(None));
    }
}

#[test]
fn worktrees_come_along_with_what_is_changed_in_them() {
    for test in TestRepo::of_every_format() {
        let advance = ready(&test);
        test.git(&["checkout", "-q", "main"]);
        let linked = test.dir.path().canonicalize().unwrap().join("linked");
        test.git(&[
            "worktree",
            "add",
            "-q",
            "-f",
            linked.to_str().unwrap(),
            "main",
        ]);
        std::fs::write(test.path.join("notes"), "mine\n").unwrap();
        std::fs::write(test.path.join("untracked"), "mine\n").unwrap();
        // As a backup restores files: other times, the same contents.
        std::fs::write(linked.join("a"), "1\n").unwrap();
        let elsewhere = test.dir.path().join("elsewhere");
        test.git(&[
            "worktree",
            "add",
            "-q",
            "--detach",
            elsewhere.to_str().unwrap(),
            "main",
        ]);
        add_hooks(&test);
        // Asked from a worktree that has something else checked out.
        let repo = test.open_at(&elsewhere);
        assert_eq!(repo.advance(&advance).unwrap(), Advanced::Moved);
        for dir in [&test.path, &linked] {
            assert_eq!(read(dir, "a").unwrap(), "2\n");
            assert_eq!(read(dir, "new").unwrap(), "new\n");
            assert_eq!(read(dir, "dir/gone"), None);
        }
        assert_eq!(status(&test, &test.path), " M notes\n?? untracked");
        assert_eq!(read(&test.path, "notes").unwrap(), "mine\n");
        assert_eq!(status(&test, &linked), "");
        assert_eq!(read(&elsewhere, "a").unwrap(), "1\n");
        assert_eq!(read(test.dir.path(), "hook-ran"), None);
    }
}

#[test]
fn what_would_be_overwritten_keeps_the_branch_where_it_is() {
    for (path, text, stage) in [
        ("a", "mine\n", false),
        ("a", "mine\n", true),
        ("new", "mine\n", false),
        ("dir/gone", "mine\n", false),
        ("new/below", "mine\n", false),
    ] {
        let test = TestRepo::init(&[]);
        let advance = ready(&test);
        // The first worktree could come along, and must go back.
        let linked = test.dir.path().canonicalize().unwrap().join("linked");
        test.git(&["worktree", "add", "-q", linked.to_str().unwrap(), "main"]);
        test.git(&["checkout", "-q", "--ignore-other-worktrees", "main"]);
        let file = linked.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        if stage {
            test.git_in(&linked, &["add", "-A"]);
        }
        let before = status(&test, &linked);
        let refused = Advanced::Dirty {
            worktree: linked.clone(),
            paths: vec![path.as_bytes().to_vec()],
        };
        assert_eq!(test.open().advance(&advance).unwrap(), refused, "{path}");
        assert_eq!(test.git(&["rev-parse", "main"]), advance.from.to_string());
        assert_eq!(status(&test, &linked), before);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        assert_eq!(status(&test, &test.path), "");
        assert_eq!(read(&test.path, "a").unwrap(), "1\n");
    }
}

#[test]
fn files_that_git_ignores_are_not_overwritten() {
    let test = TestRepo::init(&[]);
    let advance = ready(&test);
    for path in ["x.log", "y.log/below"] {
        let path = test.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "theirs\n").unwrap();
    }
    test.git(&["add", "-f", "x.log", "y.log"]);
    let to = test.commit("log");
    test.git(&["checkout", "-q", "main"]);
    for path in ["x.log", "y.log"] {
        std::fs::write(test.path.join(path), "mine\n").unwrap();
    }
    let done = test.open().advance(&Advance { to, ..advance }).unwrap();
    let paths = vec![b"x.log".to_vec(), b"y.log".to_vec()];
    assert_eq!(
        done,
        Advanced::Dirty {
            worktree: test.path.clone(),
            paths
        }
    );
    assert_eq!(read(&test.path, "x.log").unwrap(), "mine\n");
}

#[test]
fn a_merge_that_is_not_finished_is_not_disturbed() {
    let test = TestRepo::init(&[]);
    let advance = ready(&test);
    test.git(&["checkout", "-q", "-b", "other", &advance.from.to_string()]);
    test.commit_files("other", &[("other", "1\n")]);
    test.git(&["checkout", "-q", "main"]);
    test.git(&["merge", "-q", "--no-commit", "--no-ff", "other"]);
    let busy = Advanced::Busy {
        worktree: test.path.clone(),
    };
    assert_eq!(test.open().advance(&advance).unwrap(), busy);
    test.git(&["commit", "-q", "--no-edit"]);
    assert_eq!(
        test.git(&["log", "-1", "--format=%P"]).split(' ').count(),
        2
    );
}

#[test]
fn what_a_killed_process_left_is_finished_by_the_next_call() {
    let test = TestRepo::init(&[]);
    let advance = ready(&test);
    test.git(&["checkout", "-q", "main"]);
    let (from, to) = (advance.from.to_string(), advance.to.to_string());
    test.git(&["read-tree", "-m", "-u", &from, &to]);
    assert_ne!(status(&test, &test.path), "");
    assert_eq!(test.open().advance(&advance).unwrap(), Advanced::Moved);
    assert_eq!(status(&test, &test.path), "");
}

#[test]
fn linked_worktrees_of_a_bare_repository_come_along() {
    let test = TestRepo::init(&[]);
    let advance = ready(&test);
    test.git(&["branch", "-f", "main", &advance.from.to_string()]);
    let bare = test.dir.path().canonicalize().unwrap().join("hub.git");
    test.git(&[
        "clone",
        "-q",
        "--bare",
        test.path.to_str().unwrap(),
        bare.to_str().unwrap(),
    ]);
    test.git_in(
        &bare,
        &[
            "fetch",
            "-q",
            test.path.to_str().unwrap(),
            &advance.to.to_string(),
        ],
    );
    let linked = test.dir.path().canonicalize().unwrap().join("linked");
    test.git_in(
        &bare,
        &["worktree", "add", "-q", linked.to_str().unwrap(), "main"],
    );
    let repo = test.open_at(&bare);
    assert_eq!(repo.advance(&advance).unwrap(), Advanced::Moved);
    assert_eq!(read(&linked, "a").unwrap(), "2\n");
    assert_eq!(status(&test, &linked), "");
    // One whose directory is gone is in nobody's way.
    std::fs::remove_dir_all(&linked).unwrap();
    let more = test.commit("more");
    test.git_in(
        &bare,
        &[
            "fetch",
            "-q",
            test.path.to_str().unwrap(),
            &more.to_string(),
        ],
    );
    let on = Advance {
        from: advance.to,
        to: more,
        ..advance
    };
    assert_eq!(repo.advance(&on).unwrap(), Advanced::Moved);
}

#[test]
fn what_a_killed_process_left_is_taken_back_where_something_else_lands() {
    let test = TestRepo::init(&[]);
    let advance = ready(&test);
    test.git(&["checkout", "-q", "--detach", &advance.from.to_string()]);
    let other = test.commit_files("other", &[("other", "1\n")]);
    test.git(&["checkout", "-q", "main"]);
    let (from, to) = (advance.from.to_string(), advance.to.to_string());
    let repo = test.open();
    repo.write_note(&advance).unwrap();
    test.git(&["read-tree", "-m", "-u", &from, &to]);
    std::fs::write(test.path.join("notes"), "mine\n").unwrap();
    let other = Advance {
        to: other,
        ..advance.clone()
    };
    // What was changed by hand in the files that were left is nobody's to throw away.
    std::fs::write(test.path.join("a"), "mine\n").unwrap();
    let paths = vec![b"a".to_vec()];
    let worktree = test.path.clone();
    assert_eq!(
        repo.advance(&other).unwrap(),
        Advanced::Dirty { worktree, paths }
    );
    assert!(repo.settle_advance().unwrap().is_some());
    test.git(&["checkout", "a"]);
    assert_eq!(repo.advance(&other).unwrap(), Advanced::Moved);
    assert_eq!(status(&test, &test.path), " M notes");
    assert_eq!(read(&test.path, "a").unwrap(), "1\n");
    assert_eq!(repo.read_note(), None);
}

#[test]
fn what_a_killed_process_left_is_taken_back_where_nothing_lands() {
    let test = TestRepo::init(&[]);
    let advance = ready(&test);
    test.git(&["checkout", "-q", "main"]);
    let (from, to) = (advance.from.to_string(), advance.to.to_string());
    let repo = test.open();
    assert_eq!(repo.settle_advance().unwrap(), None);
    repo.write_note(&advance).unwrap();
    test.git(&["read-tree", "-m", "-u", &from, &to]);
    assert_eq!(repo.settle_advance().unwrap(), None);
    assert_eq!(
        (status(&test, &test.path), repo.read_note()),
        (String::new(), None)
    );
    // It had moved: nothing is left over, and nothing is taken back.
    assert_eq!(repo.advance(&advance).unwrap(), Advanced::Moved);
    repo.write_note(&advance).unwrap();
    assert_eq!(repo.settle_advance().unwrap(), None);
    assert_eq!(
        (status(&test, &test.path), repo.read_note()),
        (String::new(), None)
    );
}

#[test]
fn another_git_process_is_waited_for() {
    let test = TestRepo::init(&[]);
    let advance = ready(&test);
    test.git(&["checkout", "-q", "main"]);
    let lock = test.path.join(".git/index.lock");
    std::fs::write(&lock, "").unwrap();
    let repo = test.open();
    let busy = Advanced::Busy {
        worktree: test.path.clone(),
    };
    assert_eq!(repo.advance(&advance).unwrap(), busy);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            std::fs::remove_file(&lock).unwrap();
        });
        assert_eq!(repo.advance(&advance).unwrap(), Advanced::Moved);
    });
    assert_eq!(status(&test, &test.path), "");
}

#[test]
fn of_many_that_move_it_at_once_one_wins() {
    for checked_out in [false, true] {
        let test = TestRepo::init(&[]);
        let advance = ready(&test);
        let others: Vec<Oid> = (0..4)
            .map(|n| {
                test.git(&["checkout", "-q", "--detach", &advance.from.to_string()]);
                let own = format!("new{n}");
                // All make one and the same change as well.
                let files = [
                    ("a", n.to_string()),
                    ("same", "1".into()),
                    (&own, String::new()),
                ];
                let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
                test.commit_files(&own, &files)
            })
            .collect();
        if checked_out {
            test.git(&["checkout", "-q", "main"]);
        }
        let done: Vec<Advanced> = std::thread::scope(|scope| {
            let go = |to: Oid| {
                let (test, branch, from) = (&test, advance.branch.clone(), advance.from);
                scope.spawn(move || test.open().advance(&Advance { branch, from, to }).unwrap())
            };
            let threads: Vec<_> = others.iter().map(|to| go(*to)).collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        });
        let won = done.iter().filter(|it| **it == Advanced::Moved).count();
        assert_eq!(won, 1, "{done:?}");
        let tip = test.open().read_ref(&main()).unwrap();
        let fits = |it: &Advanced| *it == Advanced::Moved || *it == Advanced::Elsewhere(tip);
        assert!(done.iter().all(fits), "{done:?}");
        assert_eq!(status(&test, &test.path), "");
    }
}
