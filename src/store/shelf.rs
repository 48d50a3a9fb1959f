//! A shelf: the tasks below one directory of the record, as one tree has them.
//!
//! Reading ten thousand files for every command would take a second, so a shelf is kept in a
//! cache and brought up to date by what differs between the cached tree and the wanted one.

use std::collections::{BTreeSet, HashSet};

use crate::format::{self, FormatError};
use crate::git::{Change, GitError, Mode, Oid, Repo};
use crate::model::id::{IdPrefix, TaskId};
use crate::model::task::TaskLog;

use super::entry::Entry;
use super::layout;

/// A file that cannot be used, and what is in force in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    pub path: String,
    pub blob: Oid,
    pub reason: String,
    /// The last version of the file that could be read.
    pub last_good: Option<Oid>,
}

impl Quarantined {
    /// Returns whether nothing is wrong with the file but that a person wrote it.
    pub fn is_by_hand(&self) -> bool {
        self.reason == BadFile::ByHand.to_string()
    }
}

/// What is wrong with a file of the record.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error("it is not a file")]
    NotAFile,
    #[error("it is none of reflectt's files; a newer version may know it")]
    Stranger,
    #[error("the file is named after task `{named}` and says it is `{id}`")]
    OtherId { named: TaskId, id: TaskId },
    #[error("the file says that it is of `{named}` and lies elsewhere")]
    OtherName { named: String },
    #[error("none of its events made it: it was written by hand")]
    ByHand,
}

/// A file of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFile {
    pub path: String,
    pub mode: Mode,
    pub blob: Oid,
}

/// The tasks and the damaged files below one directory, tasks in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shelf {
    pub entries: Vec<Entry>,
    pub bad: Vec<Quarantined>,
    /// Further files of tasks that are among the entries, which have the union of their events.
    pub twins: Vec<Entry>,
    /// Other tasks that drew an id which an older one among the entries has.
    pub rivals: Vec<Entry>,
}

/// What a path holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    Task(Entry),
    Bad(Quarantined),
    Empty,
}

impl Shelf {
    pub fn get(&self, id: TaskId) -> Option<&Entry> {
        let index = self
            .entries
            .binary_search_by(|entry| entry.id().cmp(&id))
            .ok()?;
        self.entries.get(index)
    }

    /// Returns the entries whose id starts with `prefix`.
    pub fn matching(&self, prefix: &IdPrefix) -> Vec<&Entry> {
        let start = self
            .entries
            .partition_point(|e| e.id().as_str() < prefix.as_str());
        self.entries[start..]
            .iter()
            .take_while(|entry| prefix.matches(entry.id()))
            .collect()
    }

    /// Replaces what the changed paths held.
    pub fn apply(&mut self, changes: Vec<(String, Slot)>) {
        if changes.is_empty() {
            return;
        }
        let paths: HashSet<&str> = changes.iter().map(|(path, _)| path.as_str()).collect();
        // A file named after an id has the task of that id, so that few paths need be looked at.
        let ids = paths.iter().map(|path| layout::id_in_file_name(path));
        let ids: BTreeSet<Option<TaskId>> = ids.collect();
        let unnamed = ids.contains(&None);
        let mut ids = ids.into_iter().flatten().peekable();
        // Both are in the order of the ids.
        self.entries.retain(|entry| {
            while ids.next_if(|id| *id < entry.id()).is_some() {}
            let may_be = unnamed || ids.peek() == Some(&entry.id());
            !(may_be && paths.contains(entry.path()))
        });
        self.bad.retain(|bad| !paths.contains(bad.path.as_str()));
        for (_, slot) in changes {
            match slot {
                Slot::Task(entry) => self.entries.push(entry),
                Slot::Bad(bad) => self.bad.push(bad),
                Slot::Empty => {}
            }
        }
        // Nearly sorted: the standard sort finds the long run and merges the few new ones.
        self.sort();
    }

    /// Puts everything in its order, so that how a shelf came about cannot be seen.
    pub fn sort(&mut self) {
        self.entries
            .sort_by(|a, b| a.id().cmp(&b.id()).then_with(|| a.path().cmp(b.path())));
        self.bad.sort_by(|a, b| a.path.cmp(&b.path));
    }
}

impl RecordFile {
    /// Returns the file that a change of the tree below `directory` left; `None` if it removed one.
    pub fn after(directory: &str, change: &Change) -> Option<RecordFile> {
        Some(RecordFile {
            path: format!("{directory}/{}", change.path_text()),
            mode: change.mode?,
            blob: change.new?,
        })
    }

    /// Reads the bytes; the inner error is the file's fault.
    pub fn read(&self, repo: &Repo) -> Result<Result<Vec<u8>, BadFile>, GitError> {
        match self.mode {
            // A submodule names a commit of another repository, which this one does not have; a
            // link leads out of the record.
            Mode::Submodule | Mode::Tree | Mode::Symlink => Ok(Err(BadFile::NotAFile)),
            Mode::Blob | Mode::Executable => read_bytes(repo, self.blob),
        }
    }
}

/// Reads a task's file. What was last good of a bad one is still to be found.
pub fn read_slot(repo: &Repo, file: &RecordFile) -> Result<Slot, GitError> {
    let path = file.path.as_str();
    let reason = match file.read(repo)?.and_then(|bytes| task_in(path, &bytes)) {
        Ok(log) => match entry(path, file.blob, &log) {
            Some(entry) => return Ok(Slot::Task(entry)),
            None => BadFile::ByHand,
        },
        Err(reason) => reason,
    };
    Ok(Slot::Bad(Quarantined {
        path: path.to_owned(),
        blob: file.blob,
        reason: reason.to_string(),
        last_good: None,
    }))
}

/// Reads and checks the log of the task at `path`; the inner error is the file's fault.
pub fn read_task(repo: &Repo, path: &str, blob: Oid) -> Result<Result<TaskLog, BadFile>, GitError> {
    Ok(read_bytes(repo, blob)?.and_then(|bytes| task_in(path, &bytes)))
}

/// Reads a blob of a size that a file of the record may have.
pub fn read_bytes(repo: &Repo, blob: Oid) -> Result<Result<Vec<u8>, BadFile>, GitError> {
    match repo.read_blob_limited(blob, layout::FILE_MAX) {
        Ok(bytes) => Ok(Ok(bytes)),
        Err(GitError::TooLarge { size, .. }) => {
            let bytes = usize::try_from(size).unwrap_or(usize::MAX);
            Ok(Err(FormatError::TooLarge { bytes }.into()))
        }
        Err(GitError::WrongKind { .. }) => Ok(Err(BadFile::NotAFile)),
        Err(error) => Err(error),
    }
}

/// Reads the log of the task in the bytes of the file at `path`.
pub fn task_in(path: &str, bytes: &[u8]) -> Result<TaskLog, BadFile> {
    let parsed = format::parse_task(bytes)?;
    let named = layout::id_in_file_name(path);
    match (parsed.id.or(named), named) {
        (Some(id), Some(named)) if id != named => Err(BadFile::OtherId { named, id }),
        (Some(id), _) => Ok(TaskLog {
            id,
            log: parsed.log,
        }),
        // Only a file that a person wrote is read without an id.
        (None, _) => Err(BadFile::ByHand),
    }
}

/// Returns the entry of a log, or `None` if it has no task.
pub fn entry(path: &str, blob: Oid, log: &TaskLog) -> Option<Entry> {
    let mut task = log.fold()?.task;
    task.body = String::new();
    Some(Entry::new(path, blob, task))
}

/// Lists every path below `tree` that is not a directory. What no path can name is left out.
pub fn list(repo: &Repo, prefix: &str, tree: Oid) -> Result<Vec<RecordFile>, GitError> {
    let mut found = Vec::new();
    let mut waiting = vec![(prefix.to_owned(), tree)];
    while let Some((directory, tree)) = waiting.pop() {
        for item in repo.read_tree(tree)? {
            if !item.is_named() {
                continue;
            }
            let path = format!("{directory}/{}", String::from_utf8_lossy(&item.name));
            match item.mode {
                Mode::Tree => waiting.push((path, item.oid)),
                mode => found.push(RecordFile {
                    path,
                    mode,
                    blob: item.oid,
                }),
            }
        }
    }
    Ok(found)
}
