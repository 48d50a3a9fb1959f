//! Tests with real histories.

use super::*;
use crate::git::testing::TestRepo;

const LIMIT: Duration = Duration::from_secs(60);

fn write(test: &TestRepo, path: &str, text: &str) {
    std::fs::write(test.path.join(path), text).unwrap();
    test.git(&["add", "-A"]);
}

fn log(test: &TestRepo, range: &str) -> Vec<LoggedCommit> {
    let repo = test.open();
    let range = repo.parse_range(range).unwrap().unwrap();
    repo.log_paths(&range, &["Task", "Fence"], LIMIT).unwrap()
}

fn paths(commit: &LoggedCommit) -> Vec<String> {
    let text = |path: &Vec<u8>| String::from_utf8_lossy(path).into_owned();
    commit.paths.iter().map(text).collect()
}

#[test]
fn commits_have_their_paths_and_trailers() {
    let test = TestRepo::init(&[]);
    write(&test, "a", "1");
    let root = test.commit("root");
    write(&test, "\u{1}b\nc", "1");
    write(&test, "d e", "1");
    test.commit("/two\u{1f}\n\nbody\n\nTask: k3f9x2\nTask: a7d20c\nFence: 5");
    test.commit("empty");
    let all = log(&test, "HEAD");
    assert_eq!(all.len(), 1, "one commit is only that");
    test.git(&["tag", "end"]);
    let range = format!("{root}..end");
    let [empty, two] = &log(&test, &range)[..] else {
        panic!("two commits")
    };
    assert_eq!((empty.subject.as_str(), empty.paths.len()), ("empty", 0));
    assert_eq!(paths(two), ["\u{1}b\nc", "d e"]);
    assert_eq!(two.trailers[0], ["k3f9x2", "a7d20c"]);
    assert_eq!(two.trailers[1], ["5"]);
    assert_eq!(two.parents, [root]);
    assert_eq!(
        (two.author.as_str(), two.email.as_str()),
        ("Ann", "ann@example.com")
    );
    test.git(&["config", "log.showRoot", "false"]);
    let root = log(&test, &root.to_string());
    assert_eq!(paths(&root[0]), ["a"]);
}

#[test]
fn a_merge_has_what_differs_from_all_its_parents() {
    let test = TestRepo::with_commit();
    write(&test, "both", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    test.commit("base");
    test.git(&["checkout", "-q", "-b", "side"]);
    write(&test, "both", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n");
    test.commit("side");
    test.git(&["checkout", "-q", "main"]);
    write(&test, "both", "one\n2\n3\n4\n5\n6\n7\n8\n9\n");
    test.commit("main");
    test.git(&["merge", "-q", "--no-edit", "side"]);
    let repo = test.open();
    let by_hand = |commit: &LoggedCommit| {
        let paths = commit.paths.clone();
        repo.merged_by_hand(commit, paths, LIMIT).unwrap()
    };
    let merge = &log(&test, "HEAD")[0];
    assert_eq!(paths(merge), ["both"]);
    assert!(by_hand(merge).is_empty());
    write(&test, "both", "by hand");
    write(&test, "smuggled", "by hand");
    test.git(&["commit", "-q", "--amend", "--no-edit"]);
    let merge = &log(&test, "HEAD")[0];
    assert_eq!(paths(merge), ["both", "smuggled"]);
    assert_eq!(by_hand(merge), merge.paths);
}

#[test]
fn what_the_remote_has_is_left_out() {
    let test = TestRepo::with_commit();
    let first = test.git(&["rev-parse", "HEAD"]);
    test.git(&["update-ref", "refs/remotes/origin/main", &first]);
    let second = test.commit("second");
    let repo = test.open();
    let range = |remote: Option<&str>| CommitRange {
        include: vec![second],
        exclude: Vec::new(),
        not_on_remote: remote.map(str::to_owned),
    };
    let count = |remote| repo.log_paths(&range(remote), &[], LIMIT).unwrap().len();
    assert_eq!(count(Some("origin")), 1);
    assert_eq!(count(None), 2);
    assert_eq!(count(Some("/some/where.git")), 2);
    assert_eq!(repo.parse_range("main..nowhere").unwrap(), None);
    assert_eq!(repo.parse_range("--all").unwrap(), None);
}

#[test]
fn trailers_count_wherever_a_squash_has_put_them() {
    let test = TestRepo::with_commit();
    write(&test, "a", "2");
    test.commit(
        "Both (#12)\n\n* one\n\nTask: k3f9x2\ntask:  k3f9x2 \nFence: 5\n\n* two\n\n    Task: a7d20c\n\
         > Task: quoted\nTasks: none\nFence:\n\n---------\n\nCo-authored-by: Ann <ann@example.com>",
    );
    let [squash] = &log(&test, "HEAD")[..] else {
        panic!("one commit")
    };
    assert_eq!(squash.trailers[0], ["k3f9x2", "k3f9x2", "a7d20c"]);
    assert_eq!(squash.trailers[1], ["5"]);
}

#[test]
fn where_a_shallow_history_ends_nothing_is_known() {
    let test = TestRepo::with_commit();
    write(&test, "a", "2");
    let base = test.commit("two");
    write(&test, "b", "2");
    let tip = test.commit("three");
    std::fs::write(test.path.join(".git/shallow"), format!("{tip}\n")).unwrap();
    let [cut] = &log(&test, &tip.to_string())[..] else {
        panic!("one commit")
    };
    assert!(cut.cut_off && cut.paths.is_empty());
    let missing = base.to_string().replace(['0', '1', '2', '3'], "f");
    let repo = test.open();
    assert_eq!(repo.parse_range(&format!("{missing}..HEAD")).unwrap(), None);
}
