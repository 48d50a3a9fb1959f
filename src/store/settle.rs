//! What is in force where files are damaged, doubled, or of two tasks with one id.

use std::collections::{BTreeMap, HashSet};

use crate::format::{self, FormatError};
use crate::model::id::{Stamp, TaskId};
use crate::model::merge::merge_tasks;
use crate::model::task::TaskLog;

use super::entry::Entry;
use super::shelf::{self, Quarantined, Shelf};
use super::{Snapshot, StoreError, layout};

impl Snapshot<'_> {
    /// Makes the ids of a shelf unique, and puts the last good version in the place of bad ones.
    pub(super) fn settle(&self, mut shelf: Shelf) -> Result<Shelf, StoreError> {
        let repo = self.store().repo();
        let whole = shelf.bad.is_empty();
        let mut put = Vec::new();
        for bad in &shelf.bad {
            if let Some(good) = bad.last_good
                && let Ok(log) = shelf::read_task(repo, &bad.path, good)?
                && shelf.get(log.id).is_none()
                && let Some(entry) = shelf::entry(&bad.path, good, &log)
            {
                put.push(entry);
            }
        }
        if !whole {
            shelf.entries.extend(put);
            shelf.sort();
        }
        let twice = shelf
            .entries
            .windows(2)
            .any(|pair| pair[0].id() == pair[1].id());
        if twice {
            self.separate(&mut shelf)?;
        }
        Ok(shelf)
    }

    /// Several files with one id are of one task at several places, or of tasks that drew the
    /// same id. The event that made a task tells.
    fn separate(&self, shelf: &mut Shelf) -> Result<(), StoreError> {
        let mut by_id: BTreeMap<TaskId, Vec<Entry>> = BTreeMap::new();
        for entry in std::mem::take(&mut shelf.entries) {
            by_id.entry(entry.id()).or_default().push(entry);
        }
        for (_, files) in by_id {
            if files.len() == 1 {
                shelf.entries.extend(files);
                continue;
            }
            let mut by_origin: BTreeMap<Option<Stamp>, Vec<(Entry, TaskLog)>> = BTreeMap::new();
            for entry in files {
                let log = self.log_in(&entry)?;
                by_origin
                    .entry(log.origin())
                    .or_default()
                    .push((entry, log));
            }
            // The oldest keeps the id.
            let mut tasks = by_origin.into_values();
            if let Some(files) = tasks.next() {
                let (main, twins) = unite(files);
                shelf.entries.extend(main);
                shelf.twins.extend(twins);
            }
            shelf.rivals.extend(tasks.flatten().map(|(entry, _)| entry));
        }
        Ok(())
    }

    /// Returns whether a newer version of reflectt wrote a damaged file.
    pub fn is_newer(&self, bad: &Quarantined) -> Result<bool, StoreError> {
        let bytes = shelf::read_bytes(self.store().repo(), bad.blob);
        // The number is read first, whatever the file is about.
        Ok(matches!(
            bytes
                .ok()
                .and_then(Result::ok)
                .map(|bytes| format::parse_task(&bytes)),
            Some(Err(FormatError::Future { .. }))
        ))
    }

    /// Returns the task with this very id among those that are done or cancelled.
    pub fn archived_entry(&self, id: TaskId) -> Result<Option<&Entry>, StoreError> {
        Ok(self.archive_shelf()?.get(id))
    }

    /// Reads the history of a task from one file.
    pub fn log_in(&self, entry: &Entry) -> Result<TaskLog, StoreError> {
        shelf::read_task(self.store().repo(), entry.path(), entry.blob())?.map_err(|source| {
            StoreError::File {
                path: entry.path().to_owned(),
                source,
            }
        })
    }

    /// Reads the whole history of a task, from all of its files.
    pub fn log_of(&self, entry: &Entry) -> Result<TaskLog, StoreError> {
        let mut log = self.log_in(entry)?;
        for twin in self.twins(entry)? {
            log = merge_tasks(log, self.log_in(twin)?);
        }
        Ok(log)
    }

    fn shelf_of(&self, path: &str) -> Result<&Shelf, StoreError> {
        if path.starts_with(layout::ARCHIVE) {
            self.archive_shelf()
        } else {
            self.open_shelf()
        }
    }

    /// Returns the further files of an entry's task in the same directory.
    pub fn twins<'s>(
        &'s self,
        entry: &Entry,
    ) -> Result<impl Iterator<Item = &'s Entry> + use<'s>, StoreError> {
        let id = entry.id();
        let twins = self.shelf_of(entry.path())?.twins.iter();
        Ok(twins.filter(move |twin| twin.id() == id))
    }

    /// Returns tasks whose id an older task has.
    pub fn rivals(&self) -> Result<impl Iterator<Item = &Entry>, StoreError> {
        let archived = &self.archive_shelf()?.rivals;
        Ok(self.open_shelf()?.rivals.iter().chain(archived))
    }

    /// Returns every file that is damaged.
    pub fn damaged(&self) -> Result<Vec<&Quarantined>, StoreError> {
        let open = self.open_shelf()?.bad.iter();
        Ok(open
            .chain(&self.archive_shelf()?.bad)
            .chain(self.bad_agents()?)
            .chain(self.bad_settings()?)
            .collect())
    }

    /// Returns every file that could not be used: damaged ones, and tasks with another's id.
    pub fn quarantined(&self) -> Result<Vec<Quarantined>, StoreError> {
        let mut all: Vec<Quarantined> = self.damaged()?.into_iter().cloned().collect();
        for rival in self.rivals()? {
            let id = rival.id();
            let shelf = self.shelf_of(rival.path())?;
            let keeper = shelf.get(id).map_or("", Entry::path);
            all.push(Quarantined {
                path: rival.path().to_owned(),
                blob: rival.blob(),
                reason: format!("task `{id}` is another one, at `{keeper}`; two drew the same id"),
                last_good: None,
            });
        }
        Ok(all)
    }

    /// Returns the tasks of which a damaged file keeps the place.
    pub(super) fn bad_ids(&self) -> Result<HashSet<TaskId>, StoreError> {
        let bad = self.open_shelf()?.bad.iter();
        let bad = bad.chain(&self.archive_shelf()?.bad);
        let kept = bad.filter(|bad| bad.last_good.is_some());
        Ok(kept
            .filter_map(|bad| layout::id_in_file_name(&bad.path))
            .collect())
    }

    /// Returns the damaged files that keep a task's place.
    pub fn bad_files_of(&self, id: TaskId) -> Result<Vec<&Quarantined>, StoreError> {
        let ours = |bad: &&Quarantined| {
            bad.last_good.is_some() && layout::id_in_file_name(&bad.path) == Some(id)
        };
        let mut found: Vec<&Quarantined> = self.open_shelf()?.bad.iter().filter(ours).collect();
        if found.is_empty() && self.open_shelf()?.get(id).is_none() {
            found.extend(self.archive_shelf()?.bad.iter().filter(ours));
        }
        Ok(found)
    }

    /// Returns the damaged file at a path that something else is about to take.
    pub(super) fn damage_at(&self, path: &str) -> Result<Option<&Quarantined>, StoreError> {
        Ok(if path == layout::CONFIG {
            self.bad_settings()?
        } else {
            self.bad_agents()?.iter().find(|bad| bad.path == path)
        })
    }

    /// Tells whether a task's file is damaged.
    ///
    /// Such a file must not move: its last good version is found by its path.
    pub(super) fn is_damaged(&self, path: &str) -> Result<bool, StoreError> {
        let at = |bad: &Quarantined| bad.path == path;
        if path.starts_with(layout::TASKS) || path.starts_with(layout::ARCHIVE) {
            Ok(self.shelf_of(path)?.bad.iter().any(at))
        } else {
            Ok(false)
        }
    }
}

/// Makes one entry of the files of one task: the latest file, with the union of the events.
fn unite(mut files: Vec<(Entry, TaskLog)>) -> (Option<Entry>, Vec<Entry>) {
    files.sort_by(|(a, _), (b, _)| (a.task().updated, a.path()).cmp(&(b.task().updated, b.path())));
    let union = files.iter().map(|(_, log)| log.clone()).reduce(merge_tasks);
    let mut entries: Vec<Entry> = files.into_iter().map(|(entry, _)| entry).collect();
    let Some(latest) = entries.pop() else {
        return (None, entries);
    };
    let main = union
        .and_then(|log| shelf::entry(latest.path(), latest.blob(), &log))
        .unwrap_or(latest);
    (Some(main), entries)
}
