//! Which checks have passed on which trees, as far as this clone has run them.
//!
//! What passed need not run again on the same files; what failed runs again, for it may have been
//! bad luck. The file can be deleted at any time.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::git::{AdvisoryLock, Oid};

use super::Store;
use super::bench::CHECKS;
use super::local::{load, save};

/// The shape of the file.
const SHAPE: u32 = 1;

/// How many are remembered.
const PASSED_MAX: usize = 400;

/// How long to wait for another process that notes what has passed. Without its turn one of both
/// is forgotten, and runs again.
const PATIENCE: Duration = Duration::from_secs(1);

/// The checks that have passed, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedChecks(Vec<Passed>);

/// A command that has succeeded on a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    tree: Oid,
    command: String,
    /// When it ran, and for how long, both in milliseconds.
    pub at: i64,
    pub took: u64,
}

impl PassedChecks {
    /// Returns the run of this command on this tree that passed, if there was one.
    pub fn get(&self, tree: Oid, command: &str) -> Option<&Passed> {
        (self.0.iter().rev()).find(|it| it.tree == tree && it.command == command)
    }

    fn note(&mut self, passed: Passed) {
        let same = |it: &Passed| it.tree == passed.tree && it.command == passed.command;
        self.0.retain(|it| !same(it));
        self.0.push(passed);
        let surplus = self.0.len().saturating_sub(PASSED_MAX);
        self.0.drain(..surplus);
    }
}

impl Passed {
    pub fn new(tree: Oid, command: &str, at: i64, took: u64) -> Passed {
        Passed {
            tree,
            command: command.to_owned(),
            at,
            took,
        }
    }
}

impl Store {
    /// Returns what has passed here.
    pub fn passed_checks(&self) -> PassedChecks {
        load(&self.passed_file(), SHAPE)
    }

    /// Notes what has passed. On a disk that nobody can write to, it runs again.
    pub fn note_passed(&self, passed: Passed) {
        let lock = self.dir.join(CHECKS).join("passed.lock");
        let _turn = AdvisoryLock::acquire(&lock, PATIENCE);
        let mut all = self.passed_checks();
        all.note(passed);
        save(&self.passed_file(), SHAPE, &all).ok();
    }

    fn passed_file(&self) -> PathBuf {
        self.dir.join(CHECKS).join("passed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::TestRepo;

    fn store() -> (TestRepo, Store, Oid) {
        let test = TestRepo::with_commit();
        let store = Store::new(test.open());
        let tree = store.repo().empty_tree();
        (test, store, tree)
    }

    #[test]
    fn what_passed_is_known_by_its_tree_and_command() {
        let (_test, store, tree) = store();
        assert_eq!(store.passed_checks().get(tree, "true"), None);
        store.note_passed(Passed::new(tree, "true", 5, 7));
        store.note_passed(Passed::new(tree, "true", 6, 8));
        let all = store.passed_checks();
        assert_eq!(all.get(tree, "true").unwrap().at, 6);
        assert_eq!(all.0.len(), 1);
        assert_eq!(all.get(tree, "true "), None);
        let other = store.repo().write_blob(b"x").unwrap();
        assert_eq!(all.get(other, "true"), None);
    }

    #[test]
    fn the_file_is_bounded_and_may_be_damaged() {
        let (_test, store, tree) = store();
        let mut all = PassedChecks::default();
        for number in 0..PASSED_MAX + 5 {
            all.note(Passed::new(tree, &format!("{number}"), 0, 0));
        }
        assert_eq!(all.0.len(), PASSED_MAX);
        assert_eq!(all.get(tree, "4"), None);
        assert!(all.get(tree, "5").is_some());
        save(&store.passed_file(), SHAPE, &all).unwrap();
        assert_eq!(store.passed_checks(), all);
        let text = std::fs::read_to_string(store.passed_file()).unwrap();
        let half = &text[..text.len() / 2];
        for damage in ["", "nonsense", half, &text.replacen("1", "2", 1)] {
            std::fs::write(store.passed_file(), damage).unwrap();
            assert_eq!(
                store.passed_checks(),
                PassedChecks::default(),
                "{damage:.20}"
            );
        }
        store.note_passed(Passed::new(tree, "true", 5, 7));
        assert_eq!(store.passed_checks().0.len(), 1);
    }

    #[test]
    fn the_worktree_used_last_is_taken_first_and_there_are_three() {
        let (_test, store, _) = store();
        let name = |bench: &super::super::Bench| {
            let name = bench.scratch.path().file_name().unwrap();
            name.to_str().unwrap().to_owned()
        };
        let first = store.take_bench().unwrap().unwrap();
        let second = store.take_bench().unwrap().unwrap();
        let third = store.take_bench().unwrap().unwrap();
        assert!(store.take_bench().unwrap().is_none());
        assert_eq!(
            [&first, &second, &third].map(name),
            ["reflectt-check-1", "reflectt-check-2", "reflectt-check-3"]
        );
        drop(first);
        let age = |number: u32, seconds: u64| {
            let path = store
                .dir()
                .join(CHECKS)
                .join(format!("reflectt-check-{number}.used"));
            let file = std::fs::File::options().append(true).open(path).unwrap();
            let then = std::time::SystemTime::now() - Duration::from_secs(seconds);
            file.set_modified(then).unwrap();
        };
        drop((second, third));
        age(1, 60);
        age(2, 30);
        age(3, 90);
        let again = store.take_bench().unwrap().unwrap();
        assert_eq!(name(&again), "reflectt-check-2");
        assert_eq!(
            name(&store.take_bench().unwrap().unwrap()),
            "reflectt-check-1"
        );
    }
}
