//! Processes that are killed at the worst moment, and what the next command finds.
//!
//! After every kill the next command must work, with nothing cleaned up by hand; table and record
//! must agree; and what a command acknowledged before it was killed must be there.

mod locks;
mod mending;
mod steps;
mod storm;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::support::{Repo, TestEnv};

/// Makes a team of three in a repository of either ref format, and a task for them.
fn team(env: &TestEnv, format: &str) -> (Repo, String) {
    let repo = env.empty_repo("repo", &[&format!("--ref-format={format}")]);
    repo.git(["commit", "-q", "--allow-empty", "-m", "first"]);
    repo.found(&["kai", "link", "sage"]);
    let id = repo.task("sage", "Keep the return path", &["--path", "src/auth"]);
    (repo, id)
}

/// Returns the lock files on refs.
fn locks(repo: &Repo) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let common = repo.common_dir();
    collect(&common.join("refs"), &mut found);
    collect(&common.join("reftable"), &mut found);
    for name in ["packed-refs.lock", "config.lock", "config.worktree.lock"] {
        found.extend(Some(common.join(name)).filter(|path| path.exists()));
    }
    found
}

fn collect(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|end| end == "lock") {
            into.push(path);
        }
    }
}

/// Makes a file look as if it had been there for so long.
fn age(path: &Path, by: Duration) {
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - by).unwrap();
}

/// Makes the locks that dead processes left look old, so that nobody has to wait until they are.
fn age_locks(repo: &Repo) -> usize {
    let locks = locks(repo);
    for lock in &locks {
        age(lock, Duration::from_secs(120));
    }
    locks.len()
}
