//! Where the daemon of a clone is found: its lock, its state and its log.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::git::{Acquired, AdvisoryLock};

use super::local::{write_whole, written_ago};
use super::{Store, StoreError};

/// The place of a clone's daemon. There is at most one.
pub struct DaemonPlace {
    dir: PathBuf,
}

impl Store {
    pub fn daemon(&self) -> DaemonPlace {
        DaemonPlace {
            dir: self.dir.clone(),
        }
    }
}

impl DaemonPlace {
    pub fn log(&self) -> PathBuf {
        self.dir.join("daemon.log")
    }

    /// Takes the place; `None` if it is taken. The kernel frees it when the process ends,
    /// however it ends.
    pub fn take(&self) -> Result<Option<AdvisoryLock>, StoreError> {
        // Whoever asks whether it is taken is in the way for a moment.
        let patience = Duration::from_millis(500);
        Ok(
            match AdvisoryLock::acquire(&self.dir.join("daemon.lock"), patience)? {
                Acquired::Held(lock) => Some(lock),
                Acquired::TimedOut => None,
            },
        )
    }

    /// Tells whether a daemon is at work.
    pub fn is_taken(&self) -> bool {
        // Without the file nobody ever took the place, and asking must not make one.
        let lock = self.dir.join("daemon.lock");
        lock.exists() && AdvisoryLock::is_held(&lock).unwrap_or(false)
    }

    /// Writes what the daemon says of itself.
    pub fn write_state(&self, text: &str) -> Result<(), StoreError> {
        write_whole(&self.dir.join("daemon.json"), text)
    }

    /// Notes that somebody waits for news now.
    pub fn note_awaited(&self) {
        // Forgotten, the news comes at the usual time.
        write_whole(&self.dir.join("awaited"), "").ok();
    }

    /// Returns how long ago somebody last waited for news; `None` if nobody ever did.
    pub fn awaited_ago(&self) -> Option<Duration> {
        written_ago(&self.dir.join("awaited"))
    }

    /// Reads what the last daemon said of itself.
    pub fn read_state(&self) -> Option<String> {
        fs::read_to_string(self.dir.join("daemon.json")).ok()
    }
}
