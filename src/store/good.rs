//! The last good version of a file that cannot be read: found once, it is not searched for again.
//!
//! The search goes back through the history for as long as it takes, or a team that had lived for
//! long enough with a damaged file would lose what that said: `enforce.mode` went back to its
//! default. The cache of tasks has the answers for their files; for all else they are kept in a
//! file of this clone, with the commit at which they were found, so that only what was committed
//! since is looked at. It can be deleted at any time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::git::{Commit, GitError, Mode, Oid};

use super::local::{load, save};
use super::shelf::{self, Quarantined, RecordFile};
use super::{Store, StoreError};

/// The shape of the file.
const SHAPE: u32 = 1;

/// What was found out about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Found {
    /// Up to which commit.
    at: Oid,
    good: Option<Oid>,
}

impl Store {
    /// Returns the last version of a task's file before `tip` that can be read.
    pub(super) fn last_good(&self, tip: Oid, path: &str) -> Result<Option<Oid>, GitError> {
        let readable =
            |bytes: &[u8]| shelf::task_in(path, bytes).is_ok_and(|log| log.fold().is_some());
        self.last_version(tip, path, &readable)
    }

    /// Finds the last good versions, before `tip`, of damaged files of tasks below a directory.
    ///
    /// Searched for one by one, thousands of files would each read all of history.
    pub(super) fn find_good(
        &self,
        tip: Oid,
        directory: &str,
        mut bad: HashMap<&str, &mut Quarantined>,
    ) -> Result<(), StoreError> {
        if bad.is_empty() {
            return Ok(());
        }
        let mut before = None;
        for step in self.repo().history([tip], [])? {
            let (_, commit) = step?;
            let found = self.repo().find_path(commit.tree, directory)?;
            let tree = found.filter(|entry| entry.mode == Mode::Tree);
            let Some(tree) = tree.map(|entry| entry.oid) else {
                continue;
            };
            // What differs from the version after it is what it has that was not tried.
            for change in self.repo().diff_named(before, tree)? {
                let path = format!("{directory}/{}", change.path_text());
                let Some(blob) = change.new_file().filter(|_| bad.contains_key(&*path)) else {
                    continue;
                };
                let log = shelf::read_task(self.repo(), &path, blob)?;
                if log.is_ok_and(|log| log.fold().is_some())
                    && let Some(found) = bad.remove(&*path)
                {
                    found.last_good = Some(blob);
                }
            }
            if bad.is_empty() {
                break;
            }
            before = Some(tree);
        }
        Ok(())
    }

    /// Returns the last version of a file before `tip` that `accept`s.
    pub(super) fn last_version(
        &self,
        tip: Oid,
        path: &str,
        accept: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Option<Oid>, GitError> {
        let commits = self.repo().history([tip], [])?;
        self.first_good(commits.map(|step| Ok(step?.1)), path, accept)
    }

    /// Does the same, and remembers the answer.
    pub(super) fn known_version(
        &self,
        tip: Oid,
        path: &str,
        accept: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Option<Oid>, GitError> {
        let mut all: BTreeMap<String, Found> = load(&self.memory(), SHAPE);
        let there = |oid: Oid| self.repo().exists(oid);
        let known = (all.get(path).copied())
            .filter(|found| there(found.at) && found.good.is_none_or(there));
        let good = match known {
            Some(found) if found.at == tip => return Ok(found.good),
            Some(found) => {
                let newer = self.repo().commits_beyond(Some(found.at), tip)?;
                let newer = newer.into_iter().map(|oid| self.repo().read_commit(oid));
                let mut newer = newer.collect::<Result<Vec<Commit>, _>>()?;
                newer.sort_by_key(|commit| std::cmp::Reverse(commit.committer.time));
                let newer = self.first_good(newer.into_iter().map(Ok), path, accept)?;
                newer.or(found.good)
            }
            None => self.last_version(tip, path, accept)?,
        };
        all.insert(path.to_owned(), Found { at: tip, good });
        // Where it cannot be written, the search is made again.
        save(&self.memory(), SHAPE, &all).ok();
        Ok(good)
    }

    fn memory(&self) -> PathBuf {
        self.dir.join("cache").join("good")
    }

    /// Returns the first version of a file, in the order of `commits`, that `accept`s.
    fn first_good(
        &self,
        commits: impl Iterator<Item = Result<Commit, GitError>>,
        path: &str,
        accept: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Option<Oid>, GitError> {
        let mut tried = BTreeSet::new();
        for commit in commits {
            let Some(entry) = self.repo().find_path(commit?.tree, path)? else {
                continue;
            };
            let file = RecordFile {
                path: path.to_owned(),
                mode: entry.mode,
                blob: entry.oid,
            };
            if tried.insert(entry.oid)
                && let Ok(bytes) = file.read(self.repo())?
                && accept(&bytes)
            {
                return Ok(Some(entry.oid));
            }
        }
        Ok(None)
    }
}
