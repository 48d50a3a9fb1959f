//! Many processes at once, of which one must win, or all must get through.
//!
//! `git pack-refs` and `git gc` run beside most of them, because both move what is being read.

mod claiming;
mod draining;
mod messages;
mod publishing;

use crate::support::{Repo, TestEnv};

/// Returns the names of `count` agents.
fn names(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("agent-{n}")).collect()
}

/// Makes a team of `count` agents in a repository of either ref format.
fn team(env: &TestEnv, count: usize, format: &str) -> (Repo, Vec<String>) {
    let repo = env.empty_repo("repo", &[&format!("--ref-format={format}")]);
    repo.git(["commit", "-q", "--allow-empty", "-m", "first"]);
    let names = names(count);
    repo.found(&names.iter().map(String::as_str).collect::<Vec<_>>());
    (repo, names)
}

/// Makes the lock that writers queue for one that nobody can have, as on some network file systems.
/// What is left is the compare-and-swap of the refs, which must be enough.
fn without_lock(repo: &Repo) {
    let lock = repo.common_dir().join("reflectt/lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
}
