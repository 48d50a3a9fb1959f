//! Merges of real commits.

use super::*;
use crate::git::testing::TestRepo;
use crate::git::{Git, OpenOptions};

/// A base, and three branches: two that change the same line, one that adds a file.
fn branches(test: &TestRepo) -> [Oid; 4] {
    let base = test.commit_files("base", &[("a", "1\n2\n3\n"), ("sub/b é", "1\n")]);
    let branch = |name: &str, path: &str, text: &str| {
        test.git(&["checkout", "-q", "-b", name, &base.to_string()]);
        test.commit_files(name, &[(path, text)])
    };
    let one = branch("one", "sub/b é", "one\n");
    let two = branch("two", "sub/b é", "two\n");
    let new = branch("new", "new", "new\n");
    [base, one, two, new]
}

fn conflict(path: &str) -> Merged {
    Merged::Conflict {
        paths: vec![path.as_bytes().to_vec()],
    }
}

#[test]
fn clean_conflicting_and_unrelated() {
    for test in TestRepo::of_every_format() {
        let [_, one, two, new] = branches(&test);
        let repo = test.open();
        let Merged::Clean(tree) = repo.merge_in_memory(one, new).unwrap() else {
            panic!("a clean merge")
        };
        let names = test.git(&["ls-tree", "-r", "--name-only", "-z", &tree.to_string()]);
        assert_eq!(names, "a\0new\0sub/b é\0");
        assert_eq!(repo.merge_in_memory(one, two).unwrap(), conflict("sub/b é"));
        test.git(&["checkout", "-q", "--orphan", "other"]);
        let other = test.commit("other");
        assert_eq!(repo.merge_in_memory(one, other).unwrap(), Merged::Unrelated);
        let pairs = [(one, two), (one, new), (two, new)];
        let merged = repo.merge_pairs(&pairs).unwrap();
        assert_eq!(merged[..2], [conflict("sub/b é"), Merged::Clean(tree)]);
        assert!(matches!(merged[2], Merged::Clean(_)));
        let merged = repo.merge_pairs(&[(one, other), (one, two)]).unwrap();
        assert_eq!(merged, [Merged::Unrelated, conflict("sub/b é")]);
        assert_eq!(repo.merge_pairs(&[]).unwrap(), []);
    }
}

#[test]
fn from_a_base_of_ones_own_choice() {
    for test in TestRepo::of_every_format() {
        let base = test.commit_files("base", &[("a", "1\n")]);
        let low = test.commit_files("low", &[("a", "1\nlow\n")]);
        let high = test.commit_files("high", &[("a", "1\nlow\nhigh\n"), ("b", "b\n")]);
        // What lay below has landed as another commit, and was changed since.
        test.git(&["checkout", "-q", "-b", "tip", &base.to_string()]);
        test.commit_files("squashed", &[("a", "1\nlow\n")]);
        let tip = test.commit_files("more", &[("a", "0\n1\nlow\n")]);
        let repo = test.open();
        let picked = repo.merge_from(low, tip, high).unwrap();
        let Merged::Clean(tree) = &picked else {
            panic!("a clean merge")
        };
        let text = test.git(&["cat-file", "-p", &format!("{tree}:a")]);
        assert_eq!(text, "0\n1\nlow\nhigh");
        assert_eq!(repo.merge_from_by_history(low, tip, high).unwrap(), picked);
    }
}

#[test]
fn git_that_is_too_old_is_said_to_be() {
    let test = TestRepo::init(&[]);
    let [_, one, two, _] = branches(&test);
    let script = test.dir.path().join("git");
    let old = "#!/bin/sh\nfor a; do [ \"$a\" = version ] && echo git version 2.35.1 && exit; done\nexit 129\n";
    std::fs::write(&script, old).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).unwrap();
    assert_eq!(Git::new().program(&script).version().unwrap().minor, 35);
    let path = format!(
        "{}:{}",
        test.dir.path().display(),
        std::env::var("PATH").unwrap()
    );
    let options = test.options(&test.path);
    let env = options
        .env
        .into_iter()
        .chain([("PATH".into(), path.into())]);
    let repo = Repo::open(OpenOptions {
        env: env.collect(),
        ..test.options(&test.path)
    });
    let error = repo.unwrap().merge_in_memory(one, two).unwrap_err();
    assert!(matches!(error, GitError::TooOld { .. }), "{error}");
    assert!(error.to_string().contains("2.38.0 or later"), "{error}");
}
