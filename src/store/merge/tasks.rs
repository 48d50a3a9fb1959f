//! Tasks: known by their id, merged event by event, placed by their merged state.

use std::collections::{BTreeMap, BTreeSet};

use crate::format;
use crate::git::Oid;
use crate::model::merge::merge_tasks;
use crate::model::task::TaskLog;

use super::{Merge, Side, file_name};
use crate::store::fanout::Spread;
use crate::store::{StoreError, layout, shelf};

type Files = BTreeMap<String, Oid>;

/// The versions of one id, or of one file that has none.
#[derive(Default)]
struct Versions {
    /// What the events of all versions make, by the event that began them.
    logs: BTreeMap<Option<crate::model::id::Stamp>, TaskLog>,
    /// The blobs that each log was read from.
    blobs: BTreeMap<Option<crate::model::id::Stamp>, BTreeSet<Oid>>,
    bad: Vec<Bad>,
}

/// A file that cannot be used as it is.
struct Bad {
    path: String,
    blob: Oid,
    /// What was last good of it, on the side that has it.
    good: Option<TaskLog>,
}

impl Merge<'_> {
    /// Merges the tasks of which a file differs.
    pub(super) fn tasks(&mut self, differing: &[String]) -> Result<(), StoreError> {
        let left = self.task_files(self.left)?;
        let right = self.task_files(self.right)?;
        let keys: BTreeSet<String> = differing.iter().map(|path| key(path)).collect();
        // Everything else is the same on both sides, and stays.
        let mut directories: BTreeMap<String, Files> = BTreeMap::new();
        let mut versions: BTreeMap<String, BTreeSet<(bool, String, Oid)>> = BTreeMap::new();
        for (is_left, files) in [(true, &left), (false, &right)] {
            for (path, blob) in files {
                let key = key(path);
                if keys.contains(&key) {
                    let entry = versions.entry(key).or_default();
                    entry.insert((is_left, path.clone(), *blob));
                } else if is_left {
                    let files = directories.entry(root(path)).or_default();
                    files.insert(file_name(path).to_owned(), *blob);
                }
            }
        }
        for files in versions.into_values() {
            self.settle(files, &mut directories)?;
        }
        // Directories that only the left side has lose what moved away.
        for path in left.keys() {
            directories.entry(root(path)).or_default();
        }
        for (directory, files) in directories {
            let here: Files = left
                .iter()
                .filter(|(path, _)| root(path) == directory)
                .map(|(path, blob)| (path.clone(), *blob))
                .collect();
            self.arrange(&directory, Spread::Front, &here, &files);
        }
        Ok(())
    }

    fn task_files(&self, side: Side) -> Result<Files, StoreError> {
        let mut files = self.list(side, layout::TASKS)?;
        files.extend(self.list(side, layout::ARCHIVE)?);
        Ok(files)
    }

    /// Merges all versions of one task and places the result.
    fn settle(
        &mut self,
        files: BTreeSet<(bool, String, Oid)>,
        directories: &mut BTreeMap<String, Files>,
    ) -> Result<(), StoreError> {
        let mut found = Versions::default();
        for (is_left, path, blob) in &files {
            self.read(*is_left, path, *blob, &mut found)?;
        }
        // A file that was damaged on one side, while nothing else happened, stays as it is: its
        // last good version is in force, and whoever damaged it can mend it in its place.
        let mut kept: BTreeSet<String> = BTreeSet::new();
        let bad = std::mem::take(&mut found.bad);
        let mut left_in_place: Vec<(String, Oid)> = Vec::new();
        for bad in bad {
            let news = match &bad.good {
                Some(good) => found
                    .logs
                    .get(&good.origin())
                    .is_some_and(|log| log != good),
                None => false,
            };
            let mended = self.base_blob(&bad.path)? == Some(bad.blob)
                && files
                    .iter()
                    .any(|(_, path, blob)| *path == bad.path && *blob != bad.blob);
            if mended {
                continue;
            }
            if news {
                self.aside(&bad.path, bad.blob);
            } else {
                if let Some(good) = &bad.good {
                    kept.insert(format!("{:?}", good.origin()));
                }
                left_in_place.push((bad.path, bad.blob));
            }
        }
        left_in_place.sort();
        for pair in left_in_place.windows(2) {
            if pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1 {
                self.aside(&pair[0].0, pair[0].1);
            }
        }
        for (path, blob) in left_in_place {
            let files = directories.entry(root(&path)).or_default();
            files.insert(file_name(&path).to_owned(), blob);
        }
        for (origin, log) in found.logs {
            if kept.contains(&format!("{origin:?}")) {
                continue;
            }
            let blobs = found.blobs.remove(&origin).unwrap_or_default();
            self.put(&log, &blobs, directories)?;
        }
        Ok(())
    }

    fn read(
        &self,
        is_left: bool,
        path: &str,
        blob: Oid,
        found: &mut Versions,
    ) -> Result<(), StoreError> {
        let tip = if is_left {
            self.left.tip
        } else {
            self.right.tip
        };
        let good = shelf::read_task(self.repo(), path, blob)?
            .ok()
            .filter(|log| log.fold().is_some());
        let log = match good {
            Some(log) => {
                let blobs = found.blobs.entry(log.origin()).or_default();
                blobs.insert(blob);
                Some(log)
            }
            None => {
                let good = match self.store.last_good(tip, path)? {
                    Some(good) => shelf::read_task(self.repo(), path, good)?.ok(),
                    None => None,
                };
                found.bad.push(Bad {
                    path: path.to_owned(),
                    blob,
                    good: good.clone(),
                });
                good
            }
        };
        if let Some(log) = log {
            // Six random characters can collide, and then neither task may swallow the other.
            let origin = log.origin();
            let merged = match found.logs.remove(&origin) {
                Some(other) => merge_tasks(other, log),
                None => log,
            };
            found.logs.insert(origin, merged);
        }
        Ok(())
    }

    /// Places a merged task by its state.
    fn put(
        &mut self,
        log: &TaskLog,
        blobs: &BTreeSet<Oid>,
        directories: &mut BTreeMap<String, Files>,
    ) -> Result<(), StoreError> {
        let Some(folded) = log.fold() else {
            return Ok(());
        };
        let (directory, file) = layout::task_place(&folded.task);
        let mut blobs = blobs.iter();
        let blob = match (blobs.next(), blobs.next()) {
            // The bytes stay as they are, edits by hand included.
            (Some(only), None) => *only,
            _ => {
                let text = format::print_task(log);
                self.repo().write_blob(text.as_bytes())?
            }
        };
        let files = directories.entry(directory.clone()).or_default();
        match files.get(&file) {
            // Two tasks drew the same id and have the same title.
            Some(taken) if *taken != blob => {
                let (keep, other) = ((*taken).max(blob), (*taken).min(blob));
                files.insert(file.clone(), keep);
                self.aside(&format!("{directory}/{file}"), other);
            }
            _ => {
                files.insert(file, blob);
            }
        }
        Ok(())
    }
}

/// Returns what tells a task's file from others: its id, or its path where the name has none.
fn key(path: &str) -> String {
    match layout::id_in_file_name(path) {
        Some(id) => id.to_string(),
        None => path.to_owned(),
    }
}

/// Returns the directory that fans out, of a file below `tasks` or `archive/<month>`.
fn root(path: &str) -> String {
    let levels = if path.starts_with(layout::ARCHIVE) {
        2
    } else {
        1
    };
    let parts: Vec<&str> = path.split('/').collect();
    let levels = levels.min(parts.len().saturating_sub(1));
    parts[..levels].join("/")
}
