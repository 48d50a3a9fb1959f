//! Tests with real indexes: every kind of change, temporary indexes, merges.

use super::*;
use crate::git::testing::TestRepo;

fn staging(merging: Vec<Oid>) -> Staging {
    Staging {
        index: None,
        merging,
        time_limit: Duration::from_secs(60),
    }
}

fn staged(test: &TestRepo) -> Vec<String> {
    let paths = test.open().staged_paths(&staging(Vec::new())).unwrap();
    let text = |path: &Vec<u8>| String::from_utf8_lossy(path).into_owned();
    paths.iter().map(text).collect()
}

fn write(test: &TestRepo, path: &str, text: &str) {
    let path = test.path.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn before_the_first_commit_everything_is_new() {
    for test in TestRepo::of_every_format() {
        write(&test, "a b/\"c\"\nd", "1");
        write(&test, "é", "2");
        write(&test, "only meant", "3");
        test.git(&["add", "a b", "é"]);
        test.git(&["add", "-N", "only meant"]);
        assert_eq!(staged(&test), ["a b/\"c\"\nd", "é"]);
    }
}

#[test]
fn every_kind_of_change_is_named() {
    let test = TestRepo::with_commit();
    // The user's configuration must hide nothing.
    for (key, value) in [
        ("diff.renames", "copies"),
        ("diff.ignoreSubmodules", "all"),
        ("diff.relative", "true"),
    ] {
        test.git(&["config", key, value]);
    }
    for file in ["edited", "moved", "deleted", "mode", "type", "same"] {
        write(
            &test,
            file,
            "some text that is long enough to be found again",
        );
    }
    test.git(&["add", "."]);
    test.commit("files");
    write(&test, "edited", "x");
    test.git(&["mv", "moved", "there"]);
    test.git(&["rm", "-q", "deleted"]);
    test.git(&["update-index", "--chmod=+x", "mode"]);
    std::fs::remove_file(test.path.join("type")).unwrap();
    std::os::unix::fs::symlink("same", test.path.join("type")).unwrap();
    test.git(&["add", "edited", "type"]);
    let head = test.git(&["rev-parse", "HEAD"]);
    let link = format!("160000,{head},module");
    test.git(&["update-index", "--add", "--cacheinfo", &link]);
    write(&test, "untracked", "x");
    write(&test, "same", "edited, but not staged");
    assert_eq!(
        staged(&test),
        [
            "deleted", "edited", "mode", "module", "moved", "there", "type"
        ]
    );
    let sub = test.path.join("dir");
    std::fs::create_dir(&sub).unwrap();
    let seen = test.open_at(&sub).staged_paths(&staging(Vec::new()));
    assert_eq!(seen.unwrap().len(), 7);
}

#[test]
fn the_index_of_the_hook_counts() {
    let test = TestRepo::with_commit();
    write(&test, "a", "1");
    test.git(&["add", "a"]);
    let other = test.path.join(".git/next-index");
    std::fs::copy(test.path.join(".git/index"), &other).unwrap();
    test.git(&["rm", "-q", "--cached", "a"]);
    let staging = Staging {
        index: Some(other),
        ..staging(Vec::new())
    };
    assert_eq!(test.open().staged_paths(&staging).unwrap(), [b"a"]);
    assert!(staged(&test).is_empty());
}

/// Makes `main` and `side`, which both change `both` (at different lines) and a file each.
fn two_sides() -> TestRepo {
    let test = TestRepo::with_commit();
    let lines = |first: &str, last: &str| format!("{first}\n2\n3\n4\n5\n6\n7\n8\n{last}\n");
    write(&test, "both", &lines("1", "9"));
    test.git(&["add", "."]);
    test.commit("base");
    test.git(&["checkout", "-q", "-b", "side"]);
    write(&test, "both", &lines("1", "nine"));
    write(&test, "theirs", "x");
    test.git(&["add", "."]);
    test.commit("side");
    test.git(&["checkout", "-q", "main"]);
    write(&test, "both", &lines("one", "9"));
    write(&test, "ours", "x");
    test.git(&["add", "."]);
    test.commit("main");
    test
}

#[test]
fn a_merge_changes_what_differs_from_both_sides() {
    let test = two_sides();
    test.git(&["merge", "-q", "--no-commit", "side"]);
    let repo = test.open();
    let merging = repo.merge_heads();
    assert_eq!(merging.len(), 1);
    let staging = staging(merging);
    let paths = repo.staged_paths(&staging).unwrap();
    assert_eq!(paths, [b"both"]);
    // Git alone has put the two together.
    assert!(repo.staged_by_hand(&staging, paths).unwrap().is_empty());

    write(&test, "both", "by hand");
    write(&test, "theirs", "by hand");
    test.git(&["add", "."]);
    let paths = repo.staged_paths(&staging).unwrap();
    assert_eq!(paths, [&b"both"[..], b"theirs"]);
    let by_hand = repo.staged_by_hand(&staging, paths.clone()).unwrap();
    assert_eq!(by_hand, paths);
}
