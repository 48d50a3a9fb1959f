//! Lock files that killed git processes left.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{age, locks, team};
use crate::support::check::sound;
use crate::support::{Output, Repo, TestEnv};

fn leave(repo: &Repo, name: &str, old: Duration) -> PathBuf {
    let path = repo.common_dir().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create_new(&path).unwrap();
    age(&path, old);
    path
}

#[track_caller]
fn reported(output: &Output, name: &str) {
    let told = |line: &str| line.starts_with("warning: ") && line.contains(name);
    assert!(
        output.stderr.lines().any(told),
        "{name} is not named\n{output}"
    );
}

#[test]
fn an_old_lock_on_a_ref_is_cleared_and_reported() {
    for (format, name) in [
        ("files", "refs/heads/reflectt.lock"),
        ("files", "refs/reflectt/claims.lock"),
        ("reftable", "reftable/tables.list.lock"),
    ] {
        let env = TestEnv::new();
        let (repo, id) = team(&env, format);
        leave(&repo, name, Duration::from_secs(120));
        let claimed = repo.as_agent("kai", ["claim", &id]).ok();
        reported(&claimed, name);
        assert_eq!(locks(&repo), Vec::<PathBuf>::new());
        sound(&repo);
    }
}

/// Nobody has to wait longer than this command does, or to do anything.
#[test]
fn a_fresh_lock_on_a_ref_is_waited_for_until_it_is_old() {
    for (format, name, old) in [
        ("files", "refs/heads/reflectt.lock", 0),
        ("files", "refs/reflectt/claims.lock", 0),
        ("reftable", "reftable/tables.list.lock", 8),
    ] {
        let env = TestEnv::new();
        let (repo, id) = team(&env, format);
        leave(&repo, name, Duration::from_secs(old));
        let begun = Instant::now();
        let claimed = repo.as_agent("kai", ["claim", &id]).ok();
        assert!(
            begun.elapsed() > Duration::from_secs(1),
            "it may have been in use"
        );
        reported(&claimed, name);
        sound(&repo);
    }
}

/// Git names a lock by another path there; it must be known as one of ours all the same.
#[test]
fn a_lock_is_cleared_from_a_worktree_and_a_bare_repository_too() {
    let env = TestEnv::new();
    let (repo, id) = team(&env, "files");
    let tree = repo.worktree("kai").sub("src");
    let bare = env.bare("bare");
    bare.found(&["kai", "sage"]);
    let other = bare.task("sage", "Keep the return path", &[]);
    for (at, id) in [(&tree, &id), (&bare, &other)] {
        // Old enough only if it is known that reflectt alone moves this ref.
        leave(at, "refs/heads/reflectt.lock", Duration::from_secs(4));
        let begun = Instant::now();
        let claimed = at.as_agent("kai", ["claim", id]).ok();
        assert!(
            begun.elapsed() < Duration::from_secs(6),
            "{:?}",
            begun.elapsed()
        );
        reported(&claimed, "refs/heads/reflectt.lock");
        sound(at);
    }
}

/// Nothing reflectt does needs `packed-refs`, so its lock is in nobody's way. It is in the way of
/// the user's own `git`, so `doctor` takes care of it.
#[test]
fn an_old_lock_on_packed_refs_hinders_nobody_and_is_cleared_by_doctor() {
    let env = TestEnv::new();
    let (repo, id) = team(&env, "files");
    repo.git(["pack-refs", "--all"]);
    let lock = leave(&repo, "packed-refs.lock", Duration::from_secs(120));
    repo.as_agent("kai", ["claim", &id]).ok();
    repo.as_agent("kai", ["release", &id]).ok();
    let found = repo.as_agent("kai", ["doctor"]);
    assert!(found.to_string().contains("packed-refs.lock"), "{found}");
    repo.as_agent("kai", ["doctor", "--fix"]).ok();
    assert!(!lock.exists());
    repo.git(["pack-refs", "--all"]);
    sound(&repo);
}
