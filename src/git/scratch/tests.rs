//! Worktrees of our own, with real git.

use super::*;
use crate::git::testing::TestRepo;

/// A repository of two commits: the first with `a` and an ignored `out`, the second with `b`.
fn two_commits(test: &TestRepo) -> [Oid; 2] {
    fs::write(test.path.join(".gitignore"), "out\n").unwrap();
    fs::write(test.path.join("a"), "a\n").unwrap();
    test.git(&["add", "-A"]);
    let first = test.commit("first");
    fs::write(test.path.join("b"), "b\n").unwrap();
    fs::remove_file(test.path.join("a")).unwrap();
    test.git(&["add", "-A"]);
    [first, test.commit("second")]
}

fn place(repo: &Repo) -> PathBuf {
    let dir = repo.common_dir().join("reflectt/checks");
    fs::create_dir_all(&dir).unwrap();
    dir.join("reflectt-check-1")
}

fn scratch_of(repo: &Repo) -> Scratch<'_> {
    let tree = place(repo);
    let lock = AdvisoryLock::try_acquire(&tree.with_extension("lock")).unwrap();
    repo.scratch(&tree, lock.expect("nobody else has it"))
}

/// Returns the names in a directory, `.git` left out.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".git")
        .collect();
    names.sort();
    names
}

#[test]
fn a_commit_is_checked_out_in_every_format() {
    for test in TestRepo::of_every_format() {
        let [first, second] = two_commits(&test);
        let repo = test.open();
        let scratch = scratch_of(&repo);
        scratch.check_out(first).unwrap();
        assert_eq!(names(scratch.path()), [".gitignore", "a"]);
        // What git ignores stays, with the time it was written.
        let out = scratch.path().join("out");
        fs::write(&out, "built").unwrap();
        let written = fs::metadata(&out).unwrap().modified().unwrap();
        scratch.check_out(second).unwrap();
        assert_eq!(names(scratch.path()), [".gitignore", "b", "out"]);
        assert_eq!(fs::metadata(&out).unwrap().modified().unwrap(), written);
        let head = test.git_in(scratch.path(), &["rev-parse", "HEAD"]);
        assert_eq!(head, second.to_string());
        // It is nobody's, whatever git lists.
        assert_eq!(repo.worktrees().unwrap().len(), 1);
        let list = test.git(&["worktree", "list"]);
        assert_eq!(list.lines().count(), 2, "{list}");
        assert_eq!(test.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn whatever_was_done_in_it_is_put_back_and_hurts_nobody() {
    let test = TestRepo::init(&[]);
    let [first, second] = two_commits(&test);
    let repo = test.open();
    let scratch = scratch_of(&repo);
    scratch.check_out(first).unwrap();
    let tree = scratch.path().to_owned();
    let git = |args: &[&str]| test.git_in(&tree, args);
    test.git(&["branch", "theirs"]);
    let damages: [(&str, &dyn Fn()); 10] = [
        ("changed files", &|| {
            fs::write(tree.join("a"), "other").unwrap();
            git(&["add", "-A"]);
        }),
        ("new files, and another repository", &|| {
            fs::create_dir(tree.join("new")).unwrap();
            fs::write(tree.join("new/file"), "x").unwrap();
            git(&["init", "-q", "inner"]);
        }),
        ("somebody's branch", &|| {
            git(&["checkout", "-q", "-f", "theirs"]);
            fs::write(tree.join("b"), "other").unwrap();
        }),
        ("a merge with conflicts", &|| {
            git(&["checkout", "-q", "-f", "--detach", &first.to_string()]);
            fs::write(tree.join("a"), "other").unwrap();
            git(&["commit", "-q", "-am", "other"]);
            let merge = ["merge", "-q", "main"].to_vec();
            let runner = repo.runner().command(merge).current_dir(&tree);
            assert_eq!(runner.run().unwrap().code, Some(1));
        }),
        ("locks of killed processes", &|| {
            let git_dir = git(&["rev-parse", "--absolute-git-dir"]);
            fs::write(Path::new(&git_dir).join("index.lock"), "").unwrap();
            fs::write(Path::new(&git_dir).join("HEAD.lock"), "").unwrap();
        }),
        ("no index", &|| {
            let git_dir = git(&["rev-parse", "--absolute-git-dir"]);
            fs::write(Path::new(&git_dir).join("index"), "nonsense").unwrap();
        }),
        ("no `.git`", &|| {
            fs::remove_file(tree.join(".git")).unwrap();
        }),
        ("half of what `git worktree add` makes", &|| {
            fs::remove_dir_all(&tree).unwrap();
            let git_dir = repo.common_dir().join("worktrees/reflectt-check-1");
            fs::remove_dir_all(&git_dir).unwrap();
            fs::create_dir(&git_dir).unwrap();
            fs::write(git_dir.join("locked"), "initializing").unwrap();
        }),
        ("nothing", &|| fs::remove_dir_all(&tree).unwrap()),
        ("it was removed with git", &|| {
            test.git(&["worktree", "remove", "--force", tree.to_str().unwrap()]);
        }),
    ];
    let theirs = test.git(&["rev-parse", "theirs"]);
    for (what, damage) in damages {
        damage();
        scratch.check_out(first).unwrap();
        assert_eq!(names(&tree), [".gitignore", "a"], "{what}");
        assert_eq!(fs::read_to_string(tree.join("a")).unwrap(), "a\n", "{what}");
        assert_eq!(test.git_in(&tree, &["status", "--porcelain"]), "", "{what}");
        assert_eq!(test.git(&["rev-parse", "theirs"]), theirs, "{what}");
        assert_eq!(test.git(&["rev-parse", "HEAD"]), second.to_string());
        assert_eq!(test.git(&["status", "--porcelain"]), "", "{what}");
        let registered = fs::read_dir(repo.common_dir().join("worktrees")).unwrap();
        assert_eq!(registered.count(), 1, "{what}");
    }
}

#[test]
fn prune_and_gc_keep_what_is_checked_out() {
    let test = TestRepo::init(&[]);
    let [first, _] = two_commits(&test);
    let repo = test.open();
    let scratch = scratch_of(&repo);
    let orphan = test.git(&["commit-tree", "-m", "of no branch", "HEAD^{tree}"]);
    let orphan = Oid::parse(&orphan).unwrap();
    scratch.check_out(orphan).unwrap();
    test.git(&["worktree", "prune", "--expire=now"]);
    test.git(&["-c", "gc.reflogExpire=now", "gc", "-q", "--prune=now"]);
    assert_eq!(test.git_in(scratch.path(), &["status", "--porcelain"]), "");
    assert!(test.open().exists(orphan));
    scratch.check_out(first).unwrap();
    assert_eq!(names(scratch.path()), [".gitignore", "a"]);
}

#[test]
fn hooks_do_not_run_in_it_and_a_sparse_checkout_is_none_of_its_business() {
    let test = TestRepo::init(&[]);
    let [first, second] = two_commits(&test);
    let hooks = test.open().common_dir().join("hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in ["post-checkout", "pre-commit", "reference-transaction"] {
        let path = hooks.join(hook);
        fs::write(&path, "#!/bin/sh\necho ran >> \"$HOME/ran\"\nexit 1\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let quiet = ["-c", "core.hooksPath=/dev/null"];
    test.git(
        &[
            &quiet[..],
            &["sparse-checkout", "set", "--no-cone", "nothing"],
        ]
        .concat(),
    );
    let repo = test.open();
    let scratch = scratch_of(&repo);
    let ran = test.dir.path().join("ran");
    let before = fs::read_to_string(&ran).unwrap_or_default();
    for commit in [first, second] {
        scratch.check_out(commit).unwrap();
    }
    assert_eq!(names(scratch.path()), [".gitignore", "b"]);
    // Nor for those who work in it.
    test.git_in(
        scratch.path(),
        &["commit", "-q", "--allow-empty", "-m", "x"],
    );
    assert_eq!(fs::read_to_string(&ran).unwrap_or_default(), before);
}

#[test]
fn of_a_repository_that_was_copied_or_moved_it_is_made_anew() {
    let test = TestRepo::init(&[]);
    let [first, second] = two_commits(&test);
    let repo = test.open();
    let tree = place(&repo);
    scratch_of(&repo).check_out(first).unwrap();
    let copy = test.dir.path().join("copy");
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([&test.path, &copy])
        .status();
    assert!(copied.unwrap().success());
    let other = test.open_at(&copy);
    let theirs = place(&other);
    scratch_of(&other).check_out(second).unwrap();
    assert_eq!(names(&theirs), [".gitignore", "b"]);
    // That of the original is as it was.
    assert_eq!(names(&tree), [".gitignore", "a"]);
    assert_eq!(
        test.git_in(&tree, &["rev-parse", "HEAD"]),
        first.to_string()
    );
    assert_eq!(test.git_in(&tree, &["status", "--porcelain"]), "");

    let moved = test.dir.path().join("moved");
    fs::rename(&test.path, &moved).unwrap();
    let repo = test.open_at(&moved);
    let tree = place(&repo);
    scratch_of(&repo).check_out(second).unwrap();
    assert_eq!(names(&tree), [".gitignore", "b"]);
    assert_eq!(test.git_in(&tree, &["status", "--porcelain"]), "");
}

#[test]
fn there_may_be_no_other_checkout() {
    let test = TestRepo::init(&[]);
    let [first, _] = two_commits(&test);
    let hub = test.dir.path().join("hub.git");
    test.git(&["clone", "-q", "--bare", ".", hub.to_str().unwrap()]);
    let repo = test.open_at(&hub);
    let scratch = scratch_of(&repo);
    for _ in 0..2 {
        scratch.check_out(first).unwrap();
        assert_eq!(names(scratch.path()), [".gitignore", "a"]);
    }
    assert!(test.open_at(&hub).is_bare());
    assert_eq!(
        test.git_in(&hub, &["rev-parse", "--is-bare-repository"]),
        "true"
    );
}

/// A submodule's repository says where its files are, for all its worktrees.
#[test]
fn where_the_main_worktree_is_elsewhere_this_one_is_where_it_is() {
    let test = TestRepo::init(&[]);
    let [first, second] = two_commits(&test);
    let top = test.path.to_str().unwrap();
    test.git(&["config", "core.worktree", top]);
    let repo = test.open();
    let scratch = scratch_of(&repo);
    for commit in [first, second] {
        scratch.check_out(commit).unwrap();
        let found = test.git_in(scratch.path(), &["rev-parse", "--show-toplevel"]);
        assert_eq!(Path::new(&found), scratch.path());
        assert_eq!(test.git_in(scratch.path(), &["status", "--porcelain"]), "");
        assert_eq!(test.git(&["rev-parse", "--show-toplevel"]), top);
        assert_eq!(test.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn what_nobody_may_write_to_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("a/b");
    fs::create_dir_all(&inner).unwrap();
    fs::write(inner.join("file"), "").unwrap();
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o500)).unwrap();
    remove_all(&dir.path().join("a")).unwrap();
    remove_all(&dir.path().join("a")).unwrap();
    assert!(!dir.path().join("a").exists());
}

#[test]
fn what_was_left_in_it_can_be_swept_out() {
    let test = TestRepo::init(&[]);
    let [first, _] = two_commits(&test);
    let repo = test.open();
    let scratch = scratch_of(&repo);
    scratch.sweep();
    scratch.check_out(first).unwrap();
    for name in ["out", "left", "a"] {
        fs::write(scratch.path().join(name), "x").unwrap();
    }
    scratch.sweep();
    assert_eq!(names(scratch.path()), [".gitignore", "a", "out"]);
}

#[test]
fn a_git_that_outlives_us_keeps_others_out() {
    let test = TestRepo::with_commit();
    let repo = test.open();
    let path = place(&repo).with_extension("lock");
    let free = || AdvisoryLock::try_acquire(&path).unwrap();
    let lock = free().unwrap();
    let (reader, writer) = io::pipe().unwrap();
    // As a git whose parent was killed: it holds the lock until it has read to the end.
    let mut command = std::process::Command::new("cat");
    command.stdin(reader).stdout(std::process::Stdio::null());
    lock.share_with(&mut command);
    let mut child = command.spawn().unwrap();
    drop((lock, command));
    assert!(free().is_none());
    drop(writer);
    child.wait().unwrap();
    assert!(free().is_some());
}
