//! Values of one worktree, and what else must keep working.

use super::*;
use crate::git::testing::TestRepo;

const KEY: &str = "reflectt.agent";

fn agent(test: &TestRepo, dir: &Path) -> Option<String> {
    test.open_at(dir).worktree_config(KEY).unwrap()
}

fn add_worktree(test: &TestRepo, from: &Path, name: &str) -> PathBuf {
    let path = test.path.with_file_name(name);
    test.git_in(from, &["worktree", "add", "-q", path.to_str().unwrap()]);
    test.git_in(&path, &["status", "--porcelain"]);
    path
}

#[test]
fn a_name_stays_in_its_worktree() {
    let test = TestRepo::with_commit();
    let main = test.path.clone();
    // One worktree and no extension: git alone would write the common file.
    test.open().set_worktree_config(KEY, Some("link")).unwrap();
    assert_eq!(agent(&test, &main).as_deref(), Some("link"));
    let one = add_worktree(&test, &main, "one");
    let two = add_worktree(&test, &main, "two");
    assert_eq!(agent(&test, &one), None);
    test.open_at(&one)
        .set_worktree_config(KEY, Some("kai"))
        .unwrap();
    assert_eq!(agent(&test, &main).as_deref(), Some("link"));
    assert_eq!(agent(&test, &one).as_deref(), Some("kai"));
    assert_eq!(agent(&test, &two), None);
    test.open_at(&one).set_worktree_config(KEY, None).unwrap();
    test.open_at(&two).set_worktree_config(KEY, None).unwrap();
    assert_eq!(agent(&test, &one), None);
    assert_eq!(agent(&test, &main).as_deref(), Some("link"));
    for dir in [&main, &one, &two] {
        test.git_in(dir, &["status", "--porcelain"]);
    }
    // One set by hand counts, even where git copied another's before.
    let three = add_worktree(&test, &main, "three");
    assert_eq!(test.git_in(&three, &["config", KEY]), "link");
    assert_eq!(agent(&test, &three), None);
    test.git_in(&three, &["config", "--worktree", KEY, "sage"]);
    assert_eq!(agent(&test, &three).as_deref(), Some("sage"));
    assert_eq!(test.open_at(&three).config(KEY).as_deref(), Some("sage"));
    // A value that all share is not this worktree's own.
    test.open().set_config(KEY, Some("shared")).unwrap();
    assert_eq!(test.open_at(&two).worktree_config(KEY).unwrap(), None);
    assert_eq!(test.open_at(&two).config(KEY).as_deref(), Some("shared"));
}

#[test]
fn a_bare_repository_stays_bare_and_its_worktrees_do_not() {
    let test = TestRepo::with_commit();
    let bare = test.path.with_file_name("bare.git");
    test.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let one = add_worktree(&test, &bare, "one");
    test.open_at(&one)
        .set_worktree_config(KEY, Some("kai"))
        .unwrap();
    assert_eq!(agent(&test, &one).as_deref(), Some("kai"));
    assert_eq!(agent(&test, &bare), None);
    let two = add_worktree(&test, &bare, "two");
    assert_eq!(agent(&test, &two), None);
    let is_bare = |dir| test.git_in(dir, &["rev-parse", "--is-bare-repository"]);
    assert_eq!(is_bare(&bare), "true");
    assert_eq!(is_bare(&one), "false");
    assert!(test.open_at(&bare).is_bare());
    assert!(!test.open_at(&two).is_bare());
    let common = read_value(&bare.join("config"), "core.bare").unwrap();
    assert_eq!(common, None);
    test.git_in(&two, &["status", "--porcelain"]);
}

#[test]
fn a_separate_work_tree_stays_the_main_ones() {
    let test = TestRepo::with_commit();
    let elsewhere = test.path.with_file_name("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    test.git(&["config", "core.worktree", elsewhere.to_str().unwrap()]);
    let git_dir = test.path.join(".git");
    test.open().set_worktree_config(KEY, Some("link")).unwrap();
    let linked = add_worktree(&test, &test.path, "linked");
    assert_eq!(agent(&test, &linked), None);
    let top = |dir: &Path| test.git_in(dir, &["rev-parse", "--show-toplevel"]);
    assert_eq!(top(&linked), linked.to_str().unwrap());
    assert_eq!(top(&git_dir), elsewhere.to_str().unwrap());
    assert_eq!(test.open_at(&linked).work_dir(), Some(linked.as_path()));
}

#[test]
fn many_can_set_at_once() {
    let test = TestRepo::with_commit();
    let dirs: Vec<_> = (0..6)
        .map(|n| add_worktree(&test, &test.path, &format!("w{n}")))
        .collect();
    std::thread::scope(|scope| {
        for dir in &dirs {
            let test = &test;
            scope.spawn(move || {
                let name = dir.file_name().unwrap().to_str().unwrap();
                let repo = test.open_at(dir);
                repo.set_worktree_config(KEY, Some(name)).unwrap();
            });
        }
    });
    for dir in &dirs {
        let name = dir.file_name().unwrap().to_str();
        assert_eq!(agent(&test, dir).as_deref(), name);
    }
}
