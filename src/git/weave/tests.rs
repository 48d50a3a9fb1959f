//! Work brought onto a tip in each way.

use super::*;
use crate::git::testing::TestRepo;
use crate::git::{Landing, Soundness};

const TRAILERS: [(&str, &str); 2] = [("Reflectt-Task", "k3f9x2"), ("Reviewed-by", "Link")];
const ALL: [WeaveAs; 3] = [WeaveAs::Merge, WeaveAs::Squash, WeaveAs::Rebase];

/// Commits these files as somebody else than the one who lands.
fn by(test: &TestRepo, author: &str, message: &str, files: &[(&str, &str)]) -> Oid {
    test.commit_files(message, files);
    let author = format!("{author} <{}@example.com>", author.to_lowercase());
    let date = "@1700000000 +0200";
    test.git(&[
        "commit",
        "-q",
        "--amend",
        "--no-edit",
        "--author",
        &author,
        "--date",
        date,
    ]);
    head(test)
}

fn head(test: &TestRepo) -> Oid {
    test.open().resolve("HEAD").unwrap().unwrap()
}

fn branch(test: &TestRepo, name: &str, at: Oid) {
    test.git(&["checkout", "-q", "-b", name, &at.to_string()]);
}

fn weaving<'w>(strategy: WeaveAs, tip: Oid, own: &'w [Oid]) -> Weaving<'w> {
    Weaving {
        tip,
        head: *own.last().unwrap(),
        own,
        message: "Merge k3f9x2: Fix it",
        trailers: &TRAILERS,
        author: None,
        strategy,
    }
}

/// Weaves, and checks what holds of all that is made.
fn weave(repo: &Repo, weaving: &Weaving) -> Woven {
    let woven = repo.weave(weaving).unwrap();
    if let Woven::Made(commits) = &woven {
        let first = repo.read_commit(commits[0]).unwrap();
        assert_eq!(first.parents[0], weaving.tip);
        let landing = Landing {
            tip: weaving.tip,
            new: *commits.last().unwrap(),
            pieces: &[(weaving.head, weaving.own)],
        };
        assert_eq!(repo.soundness(&landing).unwrap(), Soundness::Sound);
        for commit in commits {
            let message = repo.read_commit(*commit).unwrap().message;
            assert!(
                message.ends_with("Reflectt-Task: k3f9x2\nReviewed-by: Link\n"),
                "{message}"
            );
        }
    }
    woven
}

fn made(repo: &Repo, weaving: &Weaving) -> Vec<Oid> {
    match weave(repo, weaving) {
        Woven::Made(commits) => commits,
        other => panic!("{other:?}"),
    }
}

fn show(test: &TestRepo, commit: Oid, path: &str) -> String {
    test.git(&["show", &format!("{commit}:{path}")])
}

#[test]
fn two_commits_in_each_way() {
    for test in TestRepo::of_every_format() {
        let base = test.commit_files("base", &[("a", "1\n2\n3\n")]);
        branch(&test, "work", base);
        let one = by(&test, "Kai", "fix: one\n\nWhy.", &[("a", "1\n2\n3\n4\n")]);
        let two = by(&test, "Sage", "fix: two", &[("b", "b\n")]);
        test.git(&["checkout", "-q", "main"]);
        let tip = test.commit_files("others", &[("a", "0\n1\n2\n3\n")]);
        let repo = test.open();
        let own = [one, two];
        for strategy in ALL {
            let commits = made(&repo, &weaving(strategy, tip, &own));
            let new = *commits.last().unwrap();
            assert_eq!(show(&test, new, "a"), "0\n1\n2\n3\n4");
            assert_eq!(show(&test, new, "b"), "b");
            let told: Vec<String> = commits
                .iter()
                .map(|it| {
                    test.git(&[
                        "log",
                        "-1",
                        "--format=%s|%an|%ad|%cn",
                        "--date=raw",
                        &it.to_string(),
                    ])
                })
                .collect();
            let last = repo.read_commit(new).unwrap();
            match strategy {
                WeaveAs::Merge => {
                    assert_eq!(last.parents, [tip, two]);
                    assert!(told[0].starts_with("Merge k3f9x2: Fix it|Ann|"), "{told:?}");
                }
                WeaveAs::Squash => {
                    assert_eq!(told, ["Merge k3f9x2: Fix it|Sage|1700000000 +0200|Ann"]);
                    assert!(
                        last.message
                            .contains("\nCo-authored-by: Kai <kai@example.com>\n")
                    );
                }
                WeaveAs::Rebase => {
                    assert_eq!(
                        told,
                        [
                            "fix: one|Kai|1700000000 +0200|Ann",
                            "fix: two|Sage|1700000000 +0200|Ann"
                        ]
                    );
                    let first = repo.read_commit(commits[0]).unwrap().message;
                    assert!(
                        first.starts_with("fix: one\n\nWhy.\n\nReflectt-Task"),
                        "{first}"
                    );
                }
            }
            // Also where it is there under other names.
            let again = weave(&repo, &weaving(strategy, new, &own));
            assert_eq!(again, Woven::Contained);
        }
        // Nothing was moved or checked out.
        assert_eq!(test.git(&["rev-parse", "main"]), tip.to_string());
        assert_eq!(test.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn the_author_of_a_merge_is_whoever_it_is_said_to_be() {
    let test = TestRepo::with_commit();
    let tip = head(&test);
    branch(&test, "work", tip);
    let work = by(&test, "Kai", "work", &[("a", "1\n")]);
    let own = [work];
    let author = Some(Person {
        name: "Sage".into(),
        email: "sage@example.com".into(),
    });
    let repo = test.open();
    let commits = made(
        &repo,
        &Weaving {
            author,
            ..weaving(WeaveAs::Merge, tip, &own)
        },
    );
    let commit = repo.read_commit(commits[0]).unwrap();
    assert_eq!(
        (commit.author.name.as_str(), commit.committer.name.as_str()),
        ("Sage", "Ann")
    );
}

#[test]
fn conflicts_name_their_paths() {
    let test = TestRepo::init(&[]);
    let base = test.commit_files("base", &[("a", "1\n"), ("dir/b c", "1\n")]);
    branch(&test, "work", base);
    let work = test.commit_files("work", &[("a", "2\n"), ("dir/b c", "2\n"), ("new", "2\n")]);
    test.git(&["checkout", "-q", "main"]);
    let tip = test.commit_files("others", &[("a", "3\n"), ("dir/b c", "3\n")]);
    let repo = test.open();
    for strategy in ALL {
        let paths = vec![b"a".to_vec(), b"dir/b c".to_vec()];
        let woven = weave(&repo, &weaving(strategy, tip, &[work]));
        assert_eq!(woven, Woven::Conflict { paths });
        assert_eq!(woven.tip(tip), None);
    }
    test.git(&["checkout", "-q", "--orphan", "other"]);
    let other = test.commit("other");
    for strategy in ALL {
        let woven = weave(&repo, &weaving(strategy, tip, &[other]));
        assert_eq!(woven, Woven::Unrelated);
    }
}

/// What lay beneath was squashed onto the branch, and changed there since: merged from the stale
/// base, the upper piece would conflict with it, or bring it back.
#[test]
fn the_upper_of_a_stack_brings_only_its_own() {
    for test in TestRepo::of_every_format() {
        let base = test.commit_files("base", &[("a", "1\n"), ("b", "1\n2\n3\n4\n")]);
        branch(&test, "work", base);
        test.commit_files("low", &[("a", "low\n"), ("b", "1\n2\n3\n4\nlow\n")]);
        let high = test.commit_files("high", &[("b", "1\n2\n3\n4\nlow\nhigh\n")]);
        test.git(&["checkout", "-q", "main"]);
        test.commit_files(
            "low, squashed",
            &[("a", "low\n"), ("b", "1\n2\n3\n4\nlow\n")],
        );
        // Part of it is reverted.
        let tip = test.commit_files("others", &[("a", "1\n"), ("b", "0\n1\n2\n3\n4\nlow\n")]);
        let repo = test.open();
        for strategy in ALL {
            let commits = made(&repo, &weaving(strategy, tip, &[high]));
            let new = *commits.last().unwrap();
            assert_eq!(
                show(&test, new, "a"),
                "1",
                "{strategy:?} brings back what was reverted"
            );
            assert_eq!(show(&test, new, "b"), "0\n1\n2\n3\n4\nlow\nhigh");
        }
        assert!(matches!(
            repo.merge_in_memory(tip, high).unwrap(),
            Merged::Conflict { .. }
        ));
        // The same where the branch was merged into the stack meanwhile.
        branch(&test, "later", high);
        test.git(&[
            "merge",
            "-q",
            "--no-edit",
            "-s",
            "ours",
            &format!("{tip}~1"),
        ]);
        let merge = head(&test);
        let last = test.commit_files("last", &[("c", "c\n")]);
        for strategy in ALL {
            let own = [high, merge, last];
            let commits = made(&repo, &weaving(strategy, tip, &own));
            let new = *commits.last().unwrap();
            assert_eq!(show(&test, new, "a"), "1", "{strategy:?}");
            assert_eq!(show(&test, new, "b"), "0\n1\n2\n3\n4\nlow\nhigh");
            assert_eq!(show(&test, new, "c"), "c");
        }
    }
}

#[test]
fn merges_of_the_branch_into_the_work_are_left_out_of_a_rebase() {
    let test = TestRepo::init(&[]);
    let base = test.commit_files("base", &[("a", "1\n"), ("b", "1\n")]);
    branch(&test, "work", base);
    let one = by(&test, "Kai", "one", &[("a", "2\n")]);
    test.git(&["checkout", "-q", "main"]);
    test.commit_files("others", &[("b", "2\n")]);
    test.git(&["checkout", "-q", "work"]);
    test.git(&["merge", "-q", "--no-edit", "main"]);
    let merge = head(&test);
    let two = by(&test, "Kai", "two", &[("c", "c\n")]);
    test.git(&["checkout", "-q", "main"]);
    // The same line again: a replay of what the merge brought would conflict with it.
    let tip = test.commit_files("more", &[("b", "3\n")]);
    let repo = test.open();
    let own = [one, merge, two];
    for (strategy, count) in [
        (WeaveAs::Merge, 1),
        (WeaveAs::Squash, 1),
        (WeaveAs::Rebase, 2),
    ] {
        let commits = made(&repo, &weaving(strategy, tip, &own));
        assert_eq!(commits.len(), count);
        let new = *commits.last().unwrap();
        assert_eq!([show(&test, new, "a"), show(&test, new, "b")], ["2", "3"]);
    }
}

#[test]
fn work_with_merges_of_its_own_becomes_one_commit() {
    let test = TestRepo::init(&[]);
    let base = test.commit_files("base", &[("a", "1\n")]);
    branch(&test, "side", base);
    let side = by(&test, "Sage", "side", &[("a", "side\n")]);
    branch(&test, "work", base);
    let one = by(&test, "Kai", "one", &[("a", "one\n")]);
    let git = test.open().git(["merge", "-q", "--no-edit", "side"]);
    assert_ne!(git.run().unwrap().code, Some(0));
    let merge = by(&test, "Kai", "both", &[("a", "both\n")]);
    assert_eq!(test.git(&["rev-list", "--count", "--merges", "HEAD"]), "1");
    test.git(&["checkout", "-q", "main"]);
    let tip = test.commit_files("others", &[("b", "1\n")]);
    let repo = test.open();
    let commits = made(&repo, &weaving(WeaveAs::Rebase, tip, &[side, one, merge]));
    let commit = repo.read_commit(commits[0]).unwrap();
    assert_eq!((commits.len(), commit.author.name.as_str()), (1, "Kai"));
    assert!(
        commit
            .message
            .contains("Co-authored-by: Sage <sage@example.com>")
    );
    assert_eq!(show(&test, commits[0], "a"), "both");
}

#[test]
fn what_a_rebase_makes_empty_is_left_out() {
    let test = TestRepo::init(&[]);
    let base = test.commit_files("base", &[("a", "1\n")]);
    branch(&test, "work", base);
    let one = test.commit_files("one", &[("a", "2\n")]);
    let two = test.commit_files("two", &[("b", "1\n")]);
    test.git(&["checkout", "-q", "main"]);
    let tip = test.commit_files("picked", &[("a", "2\n")]);
    let repo = test.open();
    let commits = made(&repo, &weaving(WeaveAs::Rebase, tip, &[one, two]));
    assert_eq!(commits.len(), 1);
    let all = weave(&repo, &weaving(WeaveAs::Rebase, tip, &[one]));
    assert_eq!((all.clone(), all.tip(tip)), (Woven::Contained, Some(tip)));
    assert_eq!(
        weave(&repo, &weaving(WeaveAs::Squash, tip, &[one])),
        Woven::Contained
    );
}

#[test]
fn new_commits_are_signed_where_the_users_git_signs() {
    let test = TestRepo::with_commit();
    let tip = head(&test);
    branch(&test, "work", tip);
    let work = test.commit_files("work", &[("a", "1\n")]);
    let key = test.dir.path().join("key");
    let made_key = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    for (name, value) in [
        ("gpg.format", "ssh"),
        ("commit.gpgSign", "true"),
        ("user.signingKey", key.to_str().unwrap()),
    ] {
        test.git(&["config", name, value]);
    }
    let repo = test.open();
    for strategy in ALL {
        let own = [work];
        let weaving = weaving(strategy, tip, &own);
        if made_key
            .as_ref()
            .is_ok_and(std::process::ExitStatus::success)
        {
            let commits = made(&repo, &weaving);
            let raw = test.git(&["cat-file", "commit", &commits[0].to_string()]);
            assert!(raw.contains("\ngpgsig "), "{raw}");
        } else {
            // Without a key nothing unsigned is made.
            repo.weave(&weaving).unwrap_err();
        }
    }
}

#[test]
fn odd_messages_and_authors_are_kept() {
    let test = TestRepo::with_commit();
    let tip = head(&test);
    branch(&test, "work", tip);
    let message = "fix\n\n---\n# not a comment\nCo-authored-by: Bo <bo@example.com>";
    std::fs::write(test.path.join("a"), "1").unwrap();
    test.git(&["add", "-A"]);
    test.git(&["commit", "-q", "--cleanup=verbatim", "-m", message]);
    let work = head(&test);
    test.git(&["checkout", "-q", "main"]);
    let tip = test.commit_files("others", &[("b", "1\n")]);
    let repo = test.open();
    let commits = made(&repo, &weaving(WeaveAs::Rebase, tip, &[work]));
    let kept = repo.read_commit(commits[0]).unwrap().message;
    assert!(kept.starts_with("fix\n\n---\n# not a comment\n"), "{kept}");
    let commits = made(&repo, &weaving(WeaveAs::Squash, tip, &[work]));
    let squash = repo.read_commit(commits[0]).unwrap().message;
    assert!(
        squash.contains("Co-authored-by: Bo <bo@example.com>"),
        "{squash}"
    );
    // A message that has the trailers gets none twice.
    let twice = repo.with_trailers(&kept, &TRAILERS).unwrap();
    assert_eq!(twice, kept);
}
