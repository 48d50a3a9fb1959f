//! The last good version of a file that cannot be read: found once, it is not searched for again.
//!
//! The search goes back through the history for as long as it takes, or a team that had lived for
//! long enough with a damaged file would lose what that said: `enforce.mode` went back to its
//! default. The cache of tasks has the answers for their files; for all else they are kept in a
//! file of this clone, with the commit at which they were found, so that only what was committed
//! since is looked at. It can be deleted at any time.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::git::{Commit, GitError, Oid};

use super::Store;
use super::shelf::{self, RecordFile};

/// The first line of the file. What one version cannot read, another may.
const HEAD: &str = concat!("reflectt ", env!("CARGO_PKG_VERSION"));

/// What stands where no version is good.
const NONE: &str = "-";

/// What was found out about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        let mut all = load(&self.memory());
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
        save(&self.memory(), &all).ok();
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
        let mut tried = std::collections::BTreeSet::new();
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

/// Reads what was found out. What is not understood is found out again.
fn load(path: &Path) -> BTreeMap<String, Found> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return BTreeMap::new();
    }
    lines.filter_map(read).collect()
}

fn read(line: &str) -> Option<(String, Found)> {
    let (at, rest) = line.split_once(' ')?;
    let (good, path) = rest.split_once(' ')?;
    let good = match good {
        NONE => None,
        oid => Some(Oid::parse(oid).ok()?),
    };
    let at = Oid::parse(at).ok()?;
    Some((path.to_owned(), Found { at, good }))
}

fn save(path: &Path, all: &BTreeMap<String, Found>) -> std::io::Result<()> {
    let mut text = format!("{HEAD}\n");
    for (path, found) in all.iter().filter(|(path, _)| !path.contains('\n')) {
        let good = found.good.map_or(NONE.to_owned(), |oid| oid.to_string());
        text.push_str(&format!("{} {good} {path}\n", found.at));
    }
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
