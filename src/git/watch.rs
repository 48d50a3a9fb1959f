//! Waiting until a ref moves.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::{Cancel, GitError, Oid, RefFormat, RefName, Repo};

/// How often to look where the system cannot tell of changes, as when its watches are used up.
const POLL: Duration = Duration::from_millis(500);
/// How often to look where it does: file systems of a network tell nothing of other machines.
const SAFETY_POLL: Duration = Duration::from_secs(5);

/// How often to look whether a wait was cancelled.
const CANCEL_POLL: Duration = Duration::from_millis(100);

/// Watches some refs of a repository, whichever process moves them.
///
/// Make the watcher first, and read the refs after that: then no change falls between the reading
/// and the waiting. A change in between wakes the first wait at once.
pub struct RefWatcher {
    repo: Repo,
    names: Vec<RefName>,
    values: Vec<Option<Oid>>,
    watcher: Option<RecommendedWatcher>,
    /// What was removed, if anything; every event counts as a reason to look.
    events: Receiver<Vec<PathBuf>>,
    watched: BTreeSet<PathBuf>,
    cancel: Cancel,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// At least one of the refs holds another value than before.
    Changed,
    TimedOut,
}

impl RefWatcher {
    /// Begins to watch the refs; they need not exist yet.
    pub fn new(repo: &Repo, names: &[RefName]) -> Result<Self, GitError> {
        let (sender, events) = mpsc::channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading is an event, too, and our own must not wake us.
            let reading = |event: &notify::Event| matches!(event.kind, EventKind::Access(_));
            let matters = !event.as_ref().is_ok_and(reading);
            if matters {
                let gone = match event {
                    Ok(event) if event.kind.is_remove() => event.paths,
                    _ => Vec::new(),
                };
                // Fails only when the watcher is being dropped.
                sender.send(gone).ok();
            }
        });
        let mut watcher = Self {
            repo: repo.reopen()?,
            names: names.to_vec(),
            values: Vec::new(),
            watcher: watcher.ok(),
            events,
            watched: BTreeSet::new(),
            cancel: Cancel::default(),
        };
        watcher.watch_directories();
        watcher.values = watcher.read()?;
        Ok(watcher)
    }

    /// Lets a wait be ended from another thread, as if its time were over.
    pub fn cancelled_by(self, cancel: Cancel) -> RefWatcher {
        RefWatcher { cancel, ..self }
    }

    /// Blocks until one of the refs holds another value than at the last return, or the deadline.
    pub fn wait(&mut self, deadline: Option<Instant>) -> Result<Woken, GitError> {
        loop {
            if self.has_changed()? {
                return Ok(Woken::Changed);
            }
            let interval = match self.watcher {
                Some(_) => SAFETY_POLL,
                None => POLL,
            };
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) || self.cancel.is_cancelled() {
                return Ok(Woken::TimedOut);
            }
            let pause = left.map_or(interval, |left| left.min(interval));
            match self.next_event(pause) {
                // One update is a burst of events.
                Ok(gone) => {
                    self.forget(&gone);
                    while let Ok(gone) = self.events.try_recv() {
                        self.forget(&gone);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(pause),
            }
        }
    }

    /// Waits for an event of the watched directories, and not for long after a cancellation.
    fn next_event(&self, limit: Duration) -> Result<Vec<PathBuf>, RecvTimeoutError> {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left.min(CANCEL_POLL));
            let is_over = left <= CANCEL_POLL || self.cancel.is_cancelled();
            if event != Err(RecvTimeoutError::Timeout) || is_over {
                return event;
            }
        }
    }

    /// A directory that was removed takes its watch along, and may be back by the time we look:
    /// git removes empty directories of refs, and makes them again for the next ref.
    fn forget(&mut self, gone: &[PathBuf]) {
        for path in gone {
            if self.watched.remove(path)
                && let Some(watcher) = &mut self.watcher
            {
                watcher.unwatch(path).ok();
            }
        }
    }

    fn has_changed(&mut self) -> Result<bool, GitError> {
        // Directories of refs come and go. One that came must be watched before it is read.
        self.watch_directories();
        let values = self.read()?;
        let changed = values != self.values;
        self.values = values;
        Ok(changed)
    }

    fn read(&self) -> Result<Vec<Option<Oid>>, GitError> {
        let names = self.names.iter();
        names.map(|name| self.repo.read_ref(name)).collect()
    }

    /// Watches every directory whose entries change when one of the refs moves.
    fn watch_directories(&mut self) {
        let common = self.repo.common_dir();
        // For `packed-refs`.
        let mut wanted = BTreeSet::from([common.to_owned()]);
        if self.repo.ref_format() == RefFormat::Reftable {
            wanted.insert(common.join("reftable"));
        } else {
            for name in &self.names {
                wanted.insert(existing_parent(common, name));
            }
        }
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        // One that was removed and made again needs a new watch; the old one went with it.
        for gone in self.watched.difference(&wanted) {
            watcher.unwatch(gone).ok();
        }
        self.watched.retain(|dir| wanted.contains(dir));
        for dir in wanted {
            if self.watched.contains(&dir) {
                continue;
            }
            match watcher.watch(&dir, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(dir);
                }
                // Gone again: the next look finds its parent.
                Err(_) if !dir.is_dir() => {}
                Err(_) => {
                    self.watcher = None;
                    self.watched.clear();
                    return;
                }
            }
        }
    }
}

/// Returns the nearest directory above a loose ref that exists.
fn existing_parent(common: &Path, name: &RefName) -> PathBuf {
    let path = common.join(name.as_str());
    path.ancestors()
        .skip(1)
        .find(|dir| dir.is_dir())
        .unwrap_or(common)
        .to_owned()
}

#[cfg(test)]
mod tests;
