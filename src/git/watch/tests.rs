//! A watcher wakes when another process moves a ref.

use super::*;
use crate::git::testing::{TestRepo, name};

fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(4))
}

#[test]
fn wakes_when_another_process_moves_a_ref() {
    for test in TestRepo::of_every_format() {
        let first = test.commit("first").to_string();
        let second = test.commit("second").to_string();
        let repo = test.open();
        let at = name("refs/reflectt/remotes/origin/claims");
        let mut watcher = RefWatcher::new(&repo, std::slice::from_ref(&at)).unwrap();
        let expect_change = |watcher: &mut RefWatcher, args: &[&str]| {
            std::thread::scope(|scope| {
                let waiter = scope.spawn(|| test.git(args));
                assert_eq!(watcher_wait(watcher), Woken::Changed, "{args:?}");
                waiter.join().unwrap();
            });
        };
        // The directories do not exist yet.
        expect_change(&mut watcher, &["update-ref", at.as_str(), &first]);
        expect_change(&mut watcher, &["update-ref", at.as_str(), &second]);
        test.git(&["pack-refs", "--all", "--prune"]);
        expect_change(&mut watcher, &["update-ref", at.as_str(), &first]);
        test.git(&["pack-refs", "--all", "--prune"]);
        // Only `packed-refs` changes now.
        expect_change(&mut watcher, &["update-ref", "-d", at.as_str()]);
        expect_change(&mut watcher, &["update-ref", at.as_str(), &first]);
    }
}

fn watcher_wait(watcher: &mut RefWatcher) -> Woken {
    watcher.wait(soon()).unwrap()
}

#[test]
fn a_directory_made_anew_between_two_looks_is_watched_again() {
    let test = TestRepo::with_commit();
    let repo = test.open();
    let at = name("refs/reflectt/claims");
    test.git(&["update-ref", at.as_str(), "HEAD"]);
    let mut watcher = RefWatcher::new(&repo, std::slice::from_ref(&at)).unwrap();
    test.git(&["update-ref", "-d", at.as_str()]);
    std::fs::remove_dir(repo.common_dir().join("refs/reflectt")).ok();
    test.git(&["update-ref", at.as_str(), "HEAD"]);
    let soon = Instant::now() + Duration::from_millis(200);
    assert_eq!(watcher.wait(Some(soon)).unwrap(), Woken::TimedOut);
    let second = test.commit("second").to_string();
    std::thread::scope(|scope| {
        scope.spawn(|| test.git(&["update-ref", at.as_str(), &second]));
        assert_eq!(watcher_wait(&mut watcher), Woken::Changed);
    });
}

#[test]
fn a_change_between_making_and_waiting_is_not_missed() {
    let test = TestRepo::with_commit();
    let repo = test.open();
    let mut watcher = RefWatcher::new(&repo, &[name("refs/heads/main")]).unwrap();
    test.commit("second");
    assert_eq!(watcher.wait(Some(Instant::now())).unwrap(), Woken::Changed);
    assert_eq!(watcher.wait(Some(Instant::now())).unwrap(), Woken::TimedOut);
}

#[test]
fn other_refs_do_not_wake() {
    let test = TestRepo::with_commit();
    let repo = test.open();
    let mut watcher = RefWatcher::new(&repo, &[name("refs/heads/reflectt")]).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..10 {
                test.git(&["branch", &format!("b{n}")]);
            }
            test.git(&["pack-refs", "--all"]);
        });
        let deadline = Instant::now() + Duration::from_millis(300);
        assert_eq!(watcher.wait(Some(deadline)).unwrap(), Woken::TimedOut);
    });
}

#[test]
fn looks_by_itself_where_the_system_tells_nothing() {
    let test = TestRepo::with_commit();
    let repo = test.open();
    let mut watcher = RefWatcher::new(&repo, &[name("refs/heads/main")]).unwrap();
    watcher.watcher = None;
    std::thread::scope(|scope| {
        scope.spawn(|| test.commit("second"));
        assert_eq!(watcher.wait(soon()).unwrap(), Woken::Changed);
    });
}
