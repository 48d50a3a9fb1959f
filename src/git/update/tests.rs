//! Compare-and-swap against real repositories, with other writers beside it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::git::testing::{TestRepo, name, swap, write_commit};

fn step(at: &RefName, from: Option<Oid>, to: Option<Oid>) -> RefUpdate {
    RefUpdate {
        name: at.clone(),
        from,
        to,
    }
}

#[test]
fn moves_only_what_holds_the_expected_value() {
    for test in TestRepo::of_every_format() {
        let repo = test.open();
        let at = name("refs/reflectt/claims");
        let (a, b) = (
            write_commit(&repo, &[], "a", 1),
            write_commit(&repo, &[], "b", 2),
        );
        let lost = |found| RefOutcome::Lost {
            name: at.clone(),
            found,
        };
        assert_eq!(swap(&repo, &at, Some(a), Some(b)), lost(None));
        assert_eq!(swap(&repo, &at, None, Some(a)), RefOutcome::Moved);
        assert_eq!(swap(&repo, &at, None, Some(b)), lost(Some(a)));
        assert_eq!(swap(&repo, &at, Some(a), Some(b)), RefOutcome::Moved);
        // It holds our value already, so it is ours.
        assert_eq!(swap(&repo, &at, Some(a), Some(b)), RefOutcome::Moved);
        test.git(&["pack-refs", "--all"]);
        assert_eq!(swap(&repo, &at, Some(a), None), lost(Some(b)));
        assert_eq!(swap(&repo, &at, Some(b), None), RefOutcome::Moved);
        assert_eq!(repo.read_ref(&at).unwrap(), None);
        assert_eq!(swap(&repo, &at, None, None), RefOutcome::Moved);
    }
}

#[test]
fn two_refs_move_together_or_not_at_all() {
    for test in TestRepo::of_every_format() {
        let repo = test.open();
        let (x, y) = (name("refs/heads/reflectt"), name("refs/reflectt/claims"));
        let (a, b) = (
            write_commit(&repo, &[], "a", 1),
            write_commit(&repo, &[], "b", 2),
        );
        let store = repo.ref_store(Advisory::NotHeld);
        let both = |from, to| [step(&x, from, Some(to)), step(&y, from, Some(to))];
        assert_eq!(
            store.update(&both(None, a), "m").unwrap(),
            RefOutcome::Moved
        );
        swap(&repo, &y, Some(a), Some(b));
        let outcome = store.update(&both(Some(a), b), "m").unwrap();
        // `y` is ours already by chance, and `x` still is to be moved.
        assert_eq!(outcome, RefOutcome::Moved);
        swap(&repo, &y, Some(b), Some(a));
        let outcome = store.update(&both(Some(b), b), "m").unwrap();
        assert!(matches!(outcome, RefOutcome::Lost { name, .. } if name == y));
        let c = write_commit(&repo, &[], "c", 3);
        let outcome = store.update(&both(Some(b), c), "m").unwrap();
        assert!(matches!(outcome, RefOutcome::Lost { found, .. } if found == Some(a)));
        assert_eq!(repo.read_ref(&x).unwrap(), Some(b));
    }
}

#[test]
fn what_is_not_a_lost_race_is_a_precise_error() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let a = write_commit(&repo, &[], "a", 1);
    swap(&repo, &name("refs/reflectt/claims"), None, Some(a));
    let store = repo.ref_store(Advisory::NotHeld);
    let below = step(&name("refs/reflectt/claims/x"), None, Some(a));
    let error = store.update(&[below], "m").unwrap_err();
    assert!(
        matches!(&error, GitError::RefNameTaken { name, existing }
            if name == "refs/reflectt/claims/x" && existing == "refs/reflectt/claims"),
        "{error:?}"
    );
    let missing = Oid::parse(&"12".repeat(20)).unwrap();
    let update = step(&name("refs/heads/x"), None, Some(missing));
    let error = store.update(&[update], "m").unwrap_err();
    assert!(matches!(error, GitError::UpdateRefs { .. }), "{error:?}");
}

/// Eight writers count up a ref, each commit the child of the one it read, while another process
/// packs refs all the time. Two winners of one race would make the line shorter than the count.
#[test]
fn eight_writers_beside_pack_refs_lose_no_update() {
    const EACH: usize = 6;
    for format in ["files", "reftable"] {
        let test = TestRepo::init(&[&format!("--ref-format={format}")]);
        test.commit("first");
        let at = name("refs/reflectt/claims");
        let (done, wins) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let packer = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let command = test.open().git(["pack-refs", "--all"]);
                    command.run().unwrap();
                }
            });
            let writers: Vec<_> = (0..8)
                .map(|writer| {
                    let (test, at, wins) = (&test, &at, &wins);
                    scope.spawn(move || {
                        let repo = test.open();
                        let mut left = EACH;
                        while left > 0 {
                            let old = repo.read_ref(at).unwrap();
                            let message = format!("{writer} {left}");
                            let new = write_commit(&repo, old.as_slice(), &message, 1);
                            if swap(&repo, at, old, Some(new)) == RefOutcome::Moved {
                                wins.fetch_add(1, Ordering::Relaxed);
                                left -= 1;
                            }
                        }
                    })
                })
                .collect();
            let results: Vec<_> = writers
                .into_iter()
                .map(std::thread::ScopedJoinHandle::join)
                .collect();
            done.store(true, Ordering::Relaxed);
            packer.join().unwrap();
            assert!(results.iter().all(Result::is_ok));
        });
        let repo = test.open();
        let tip = repo.read_ref(&at).unwrap().unwrap();
        assert_eq!(wins.load(Ordering::Relaxed), 8 * EACH);
        assert_eq!(repo.first_parents(tip).unwrap().count(), 8 * EACH);
    }
}

#[test]
fn the_cost_of_an_update() {
    let test = TestRepo::init(&[]);
    let at = name("refs/reflectt/claims");
    let begun = Instant::now();
    const ROUNDS: u32 = 20;
    for _ in 0..ROUNDS {
        test.open();
    }
    println!("opening: {:?}", begun.elapsed() / ROUNDS);
    let repo = test.open();
    let mut old = None;
    let mut moves = Duration::ZERO;
    for n in 0..ROUNDS {
        let new = write_commit(&repo, old.as_slice(), "m", n.into());
        let begun = Instant::now();
        assert_eq!(swap(&repo, &at, old, Some(new)), RefOutcome::Moved);
        moves += begun.elapsed();
        old = Some(new);
    }
    println!("one update: {:?}", moves / ROUNDS);
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        let mut command = std::process::Command::new("git");
        command.arg("--git-dir").arg(repo.git_dir());
        command
            .args(["update-ref", at.as_str()])
            .arg(old.unwrap().to_string());
        command.status().unwrap();
    }
    println!("bare `git update-ref`: {:?}", begun.elapsed() / ROUNDS);
}
