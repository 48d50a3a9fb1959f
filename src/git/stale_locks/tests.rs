//! Abandoned locks are removed, live ones are not.

use super::*;
use crate::git::testing::{TestRepo, name, swap, write_commit};
use crate::git::{RefOutcome, RefStore, RefUpdate};

fn leave_lock(path: &Path, age: Duration) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = std::fs::File::create(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

fn lock_of_our_ref(repo: &Repo) -> PathBuf {
    match repo.ref_format() {
        crate::git::RefFormat::Files => repo.common_dir().join("refs/reflectt/claims.lock"),
        crate::git::RefFormat::Reftable => repo.common_dir().join("reftable/tables.list.lock"),
    }
}

#[test]
fn an_update_removes_the_lock_of_a_killed_git_and_says_so() {
    for test in TestRepo::of_every_format() {
        let repo = test.open();
        let new = write_commit(&repo, &[], "m", 1);
        let lock = lock_of_our_ref(&repo);
        leave_lock(&lock, Duration::from_secs(30));
        let found = &repo.find_locks().unwrap()[0];
        assert!(found.path == lock && found.stale);
        let store = repo.ref_store(Advisory::Held);
        let update = RefUpdate {
            name: name("refs/reflectt/claims"),
            from: None,
            to: Some(new),
        };
        assert_eq!(store.update(&[update], "m").unwrap(), RefOutcome::Moved);
        let removed = store.take_removed_locks();
        assert_eq!(removed.len(), 1);
        assert_eq!(removed[0].path, lock);
        assert!(removed[0].age >= Duration::from_secs(29));
        assert!(!lock.exists());
        assert_eq!(repo.find_locks().unwrap(), []);
    }
}

#[test]
fn a_packed_refs_lock_is_removed_on_the_way_to_a_deletion() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let oid = write_commit(&repo, &[], "m", 1);
    let at = name("refs/reflectt/claims");
    swap(&repo, &at, None, Some(oid));
    test.git(&["pack-refs", "--all"]);
    leave_lock(
        &repo.common_dir().join("packed-refs.lock"),
        Duration::from_secs(120),
    );
    assert_eq!(swap(&repo, &at, Some(oid), None), RefOutcome::Moved);
}

#[test]
fn a_live_lock_is_waited_for() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let oid = write_commit(&repo, &[], "m", 1);
    let lock = lock_of_our_ref(&repo);
    leave_lock(&lock, Duration::ZERO);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            std::fs::remove_file(&lock).unwrap();
        });
        let outcome = swap(&repo, &name("refs/reflectt/claims"), None, Some(oid));
        assert_eq!(outcome, RefOutcome::Moved);
    });
}

/// The machine slept: the lock is hours old, and its git goes on in a moment.
#[test]
fn an_old_lock_whose_git_wakes_up_is_left_alone() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let lock = lock_of_our_ref(&repo);
    leave_lock(&lock, Duration::from_secs(3600));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            std::fs::remove_file(&lock).unwrap();
            leave_lock(&lock, Duration::ZERO);
        });
        let removed = repo.remove_stale_lock(&lock, Advisory::Held).unwrap();
        assert_eq!(removed, None);
    });
    assert!(lock.exists());
}

#[test]
fn a_lock_that_stays_live_is_an_error_that_names_it() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let oid = write_commit(&repo, &[], "m", 1);
    let lock = repo.common_dir().join("refs/heads/other.lock");
    leave_lock(&lock, Duration::ZERO);
    let update = RefUpdate {
        name: name("refs/heads/other"),
        from: None,
        to: Some(oid),
    };
    let mut store = repo.ref_store(Advisory::Held);
    store.patience = Duration::from_secs(1);
    let error = store.update(&[update], "m").unwrap_err();
    assert!(matches!(&error, GitError::RefLocked { lock: found, .. } if *found == lock));
    assert!(lock.exists());
    assert_eq!(store.take_removed_locks(), []);
}

#[test]
fn age_needed_depends_on_whose_lock_it_is() {
    let test = TestRepo::init(&[]);
    let repo = test.open();
    let seconds = |path: &str, advisory| {
        let path = repo.common_dir().join(path);
        repo.stale_after(&path, advisory).as_secs()
    };
    for own in [
        "refs/reflectt/claims.lock",
        "refs/heads/reflectt.lock",
        "refs/heads/reflectt-claims.lock",
    ] {
        assert_eq!(seconds(own, Advisory::Held), 2);
        assert_eq!(seconds(own, Advisory::NotHeld), 10);
    }
    assert_eq!(seconds("HEAD.lock", Advisory::Held), 10);
    assert_eq!(seconds("packed-refs.lock", Advisory::Held), 60);
}

#[test]
fn of_many_rescuers_one_removes_the_lock() {
    let test = TestRepo::init(&[]);
    let lock = test.open().common_dir().join("refs/heads/main.lock");
    leave_lock(&lock, Duration::from_secs(100));
    let removed: usize = std::thread::scope(|scope| {
        let rescuers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let repo = test.open();
                    let removed = repo.remove_stale_lock(&lock, Advisory::NotHeld).unwrap();
                    usize::from(removed.is_some())
                })
            })
            .collect();
        rescuers.into_iter().map(|r| r.join().unwrap()).sum()
    });
    assert_eq!(removed, 1);
}
