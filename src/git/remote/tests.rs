//! Fetching and pushing between real repositories.

mod slow;

use std::path::PathBuf;

use super::*;
use crate::git::testing::{TestRepo, name, swap, write_commit};

const LIMIT: Duration = Duration::from_secs(20);

/// A repository and a bare one that it calls `origin`.
fn pair() -> (TestRepo, PathBuf) {
    let test = TestRepo::with_commit();
    let bare = test.dir.path().canonicalize().unwrap().join("bare.git");
    test.git(&["init", "-q", "--bare", bare.to_str().unwrap()]);
    test.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
    (test, bare)
}

fn push(name: &RefName, expected: Option<Oid>, new: Option<Oid>) -> RefUpdate {
    RefUpdate {
        name: name.clone(),
        from: expected,
        to: new,
    }
}

fn hook(bare: &Path, hook: &str, script: &str) {
    let path = bare.join("hooks").join(hook);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).unwrap();
}

#[test]
fn a_lease_decides_between_two_pushes() {
    let (test, _bare) = pair();
    let repo = test.open();
    let remote = repo.remote("origin", LIMIT);
    let claims = name("refs/reflectt/claims");
    let one = write_commit(&repo, &[], "one", 1);
    let two = write_commit(&repo, &[one], "two", 2);
    let other = write_commit(&repo, &[one], "other", 2);
    let go = |expected, new| {
        let pushes = [push(&claims, expected, new)];
        remote.push(&pushes, Together::Each).unwrap().remove(0)
    };
    assert_eq!(go(Some(two), Some(one)), Pushed::Stale);
    assert_eq!(go(None, Some(one)), Pushed::Moved);
    assert_eq!(go(None, Some(two)), Pushed::Stale);
    assert_eq!(go(Some(one), Some(two)), Pushed::Moved);
    assert_eq!(go(Some(one), Some(other)), Pushed::Stale);
    // Ours already: an answer that was lost on its way.
    assert_eq!(go(Some(one), Some(two)), Pushed::Moved);
    assert_eq!(go(Some(two), None), Pushed::Moved);
    assert_eq!(remote.list(&["refs/reflectt/*"]).unwrap(), []);
}

#[test]
fn refs_that_move_together_move_all_or_none() {
    let (test, _bare) = pair();
    let repo = test.open();
    let remote = repo.remote("origin", LIMIT);
    let (a, b) = (name("refs/reflectt/claims"), name("refs/heads/reflectt"));
    let one = write_commit(&repo, &[], "one", 1);
    let two = write_commit(&repo, &[one], "two", 2);
    let both = [push(&a, None, Some(one)), push(&b, Some(two), Some(one))];
    let refused = remote.push(&both, Together::AllOrNone).unwrap();
    assert_eq!(refused, [Pushed::Together, Pushed::Stale]);
    assert_eq!(remote.list(&["refs/*"]).unwrap(), []);
    let each = remote.push(&both, Together::Each).unwrap();
    assert_eq!(each, [Pushed::Moved, Pushed::Stale]);
}

fn spec() -> FetchSpec {
    FetchSpec {
        from: "refs/reflectt/claims*".to_owned(),
        to: Some("refs/reflectt/remotes/origin/claims*".to_owned()),
    }
}

/// Left by a fetch that was killed, it would make every later one fail, as if the remote were gone.
#[test]
fn an_abandoned_lock_on_a_copy_is_cleared_and_reported() {
    let (test, _bare) = pair();
    let repo = test.open();
    let remote = repo.remote("origin", LIMIT);
    let claims = name("refs/reflectt/claims");
    let one = write_commit(&repo, &[], "one", 1);
    let two = write_commit(&repo, &[one], "two", 2);
    remote
        .push(&[push(&claims, None, Some(one))], Together::Each)
        .unwrap();
    remote.fetch(&[spec()]).unwrap();
    remote
        .push(&[push(&claims, Some(one), Some(two))], Together::Each)
        .unwrap();
    let copy = name("refs/reflectt/remotes/origin/claims");
    let lock = repo.common_dir().join(format!("{copy}.lock"));
    let file = std::fs::File::create_new(&lock).unwrap();
    let old = std::time::SystemTime::now() - Duration::from_secs(60);
    file.set_modified(old).unwrap();
    remote.fetch(&[spec()]).unwrap();
    assert_eq!(repo.read_ref(&copy).unwrap(), Some(two));
    let removed: Vec<PathBuf> = repo
        .take_removed_locks()
        .into_iter()
        .map(|lock| lock.path)
        .collect();
    assert_eq!(removed, [lock]);
}

#[test]
fn fetching_brings_and_prunes_only_its_own_refs() {
    let (test, bare) = pair();
    let repo = test.open();
    let remote = repo.remote("origin", LIMIT);
    let one = write_commit(&repo, &[], "one", 1);
    for it in [
        "refs/heads/reflectt",
        "refs/heads/main",
        "refs/reflectt/presence/a",
    ] {
        let pushes = [push(&name(it), None, Some(one))];
        remote.push(&pushes, Together::Each).unwrap();
    }
    let specs = [
        ("refs/heads/reflectt*", "heads/reflectt*"),
        ("refs/reflectt/presence/*", "presence/*"),
    ]
    .map(|(from, to)| FetchSpec {
        from: from.to_owned(),
        to: Some(format!("refs/reflectt/remotes/origin/{to}")),
    });
    remote.fetch(&specs).unwrap();
    let names = || -> Vec<String> {
        let found = repo.list_refs("refs/").unwrap();
        found
            .into_iter()
            .map(|(name, _)| name.to_string())
            .collect()
    };
    // A push also moves the tracking refs that the user's own configuration asks for.
    let all = [
        "refs/heads/main",
        "refs/reflectt/remotes/origin/heads/reflectt",
        "refs/reflectt/remotes/origin/presence/a",
        "refs/remotes/origin/main",
        "refs/remotes/origin/reflectt",
    ];
    assert_eq!(names(), all);
    assert!(!repo.git_dir().join("FETCH_HEAD").exists());
    test.git(&[
        "--git-dir",
        bare.to_str().unwrap(),
        "update-ref",
        "-d",
        "refs/heads/reflectt",
    ]);
    remote.fetch(&specs).unwrap();
    assert_eq!(names().len(), all.len() - 1);
}

#[test]
fn a_remote_that_is_gone_or_silent_is_unreachable() {
    let (test, bare) = pair();
    let repo = test.open();
    std::fs::rename(&bare, bare.with_extension("away")).unwrap();
    let remote = repo.remote("origin", LIMIT);
    let gone = remote.list(&[]).unwrap_err();
    assert!(matches!(gone, GitError::Unreachable { .. }), "{gone}");
    let spec = FetchSpec {
        from: "refs/heads/*".to_owned(),
        to: Some("refs/x/*".to_owned()),
    };
    let gone = remote.fetch(&[spec]).unwrap_err();
    assert!(matches!(gone, GitError::Unreachable { .. }), "{gone}");
    let none = repo.remote("upstream", LIMIT).list(&[]).unwrap_err();
    assert!(matches!(none, GitError::NoRemote { .. }), "{none}");

    // A transport that hangs, with a child of its own, is ended with its child.
    let mark = test.dir.path().join("child");
    let script = format!("sleep 300 & echo $! > {}; wait", mark.display());
    test.git(&["remote", "set-url", "origin", "host:repo.git"]);
    test.git(&["config", "core.sshCommand", &format!("sh -c '{script}' --")]);
    let repo = test.open();
    let begun = Instant::now();
    let remote = repo.remote("origin", Duration::from_millis(500));
    let silent = remote.list(&[]).unwrap_err();
    assert!(silent.to_string().contains("no answer within"), "{silent}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    let child: i32 = std::fs::read_to_string(mark)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    let process = rustix::process::Pid::from_raw(child).unwrap();
    while rustix::process::test_kill_process(process).is_ok() {
        let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        if state.contains(") Z ") || Instant::now() > deadline {
            assert!(state.contains(") Z "), "the child lives on: {state}");
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_remote_that_refuses_says_why() {
    let (test, bare) = pair();
    let repo = test.open();
    let only_heads = "while read old new ref; do case $ref in refs/heads/*) ;; *) echo 'only branches here' >&2; exit 1;; esac; done";
    hook(&bare, "pre-receive", only_heads);
    let remote = repo.remote("origin", LIMIT);
    let one = write_commit(&repo, &[], "one", 1);
    let go = |it: &str| {
        let pushes = [push(&name(it), None, Some(one))];
        remote.push(&pushes, Together::Each).unwrap().remove(0)
    };
    match go("refs/reflectt/claims") {
        Pushed::Refused { reason } => assert!(reason.contains("only branches here"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(go("refs/heads/reflectt"), Pushed::Moved);
}

#[test]
fn the_hooks_of_the_user_do_not_run() {
    let (test, _bare) = pair();
    for it in ["pre-push", "reference-transaction"] {
        hook(&test.path.join(".git"), it, "exit 1");
    }
    let repo = test.open();
    let one = write_commit(&repo, &[], "one", 1);
    let remote = repo.remote("origin", LIMIT);
    let pushes = [push(&name("refs/heads/reflectt"), None, Some(one))];
    assert_eq!(
        remote.push(&pushes, Together::Each).unwrap(),
        [Pushed::Moved]
    );
}

#[test]
fn eight_pushers_and_one_winner() {
    let (test, _bare) = pair();
    let repo = test.open();
    let claims = name("refs/reflectt/claims");
    let mut base = None;
    for round in 0..5 {
        let wins: usize = std::thread::scope(|scope| {
            let pushers: Vec<_> = (0..8)
                .map(|n| {
                    let options = test.options(&test.path);
                    let claims = &claims;
                    scope.spawn(move || {
                        let repo = Repo::open(options).unwrap();
                        let text = format!("{round} {n}");
                        let new = write_commit(&repo, base.as_slice(), &text, round);
                        let pushes = [push(claims, base, Some(new))];
                        let remote = repo.remote("origin", LIMIT);
                        let answer = remote.push(&pushes, Together::Each).unwrap().remove(0);
                        assert!(
                            matches!(answer, Pushed::Moved | Pushed::Stale),
                            "{answer:?}"
                        );
                        usize::from(answer == Pushed::Moved)
                    })
                })
                .collect();
            pushers.into_iter().map(|it| it.join().unwrap()).sum()
        });
        assert_eq!(wins, 1);
        let found = repo
            .remote("origin", LIMIT)
            .list(&[claims.as_str()])
            .unwrap();
        base = Some(found[0].1);
    }
    // The winner's objects are here, so the ref can be taken over as it is.
    swap(&repo, &claims, None, base);
}

#[test]
fn reports_are_read_by_their_words() {
    let report = "To /x\n \ta:refs/heads/a\t1..2\n!\tb:refs/heads/b\t[rejected] (stale info)\n\
                  !\tc:refs/heads/c\t[remote rejected] (protected branch hook declined)\n\
                  !\td:refs/heads/d\t[remote failure] (remote failed to report status)\nDone\n";
    let lines = parse_report(report.as_bytes(), "remote: GH006: no\n");
    let refused = Pushed::Refused {
        reason: "protected branch hook declined: GH006: no".to_owned(),
    };
    let expected = [
        ("refs/heads/a", Line::Done(Pushed::Moved)),
        ("refs/heads/b", Line::Done(Pushed::Stale)),
        ("refs/heads/c", Line::Done(refused)),
        (
            "refs/heads/d",
            Line::Unknown("remote failed to report status".to_owned()),
        ),
    ];
    assert_eq!(lines.len(), 4);
    for ((name, line), (expected_name, expected)) in lines.into_iter().zip(expected) {
        assert_eq!((name.as_str(), line), (expected_name, expected));
    }
}

#[test]
fn fetches_of_one_clone_do_not_get_in_each_others_way() {
    let (test, _bare) = pair();
    let repo = test.open();
    let claims = name("refs/reflectt/claims");
    let specs = [FetchSpec {
        from: claims.to_string(),
        to: Some("refs/reflectt/remotes/origin/claims".to_owned()),
    }];
    let mut last = None;
    for round in 0..8 {
        let parents: Vec<Oid> = last.into_iter().collect();
        let next = write_commit(&repo, &parents, &round.to_string(), round);
        let pushes = [push(&claims, last, Some(next))];
        let remote = repo.remote("origin", LIMIT);
        let pushed = remote.push(&pushes, Together::Each).unwrap();
        assert_eq!(pushed, [Pushed::Moved]);
        last = Some(next);
        let gate = std::sync::Barrier::new(6);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let repo = test.open();
                    gate.wait();
                    repo.remote("origin", LIMIT).fetch(&specs).unwrap();
                });
            }
        });
    }
}

#[test]
fn a_ref_without_room_is_no_race() {
    let (test, _bare) = pair();
    let repo = test.open();
    test.git(&["push", "-q", "origin", "HEAD:refs/heads/reflectt/foo"]);
    let commit = Some(Oid::parse(test.git(&["rev-parse", "HEAD"]).trim()).unwrap());
    let pushes = [
        push(&name("refs/reflectt/claims"), None, commit),
        push(&name("refs/heads/reflectt"), None, commit),
    ];
    let remote = repo.remote("origin", LIMIT);
    let done = remote.push(&pushes, Together::AllOrNone).unwrap();
    assert_eq!(done[0], Pushed::Together);
    let reason = "its `refs/heads/reflectt/foo` leaves no room for it; rename that on the remote";
    let reason = reason.to_owned();
    assert_eq!(done[1], Pushed::Refused { reason });
}
