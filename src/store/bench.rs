//! Where checks run: a few clean worktrees beside the repository, each for one run at a time.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::git::{AdvisoryLock, Process, Scratch, user};

use super::local::{write_whole, written_ago};
use super::{Store, StoreError};

/// How many there are at most: each has files of its own, and build outputs.
pub const BENCHES: usize = 3;

/// The directory of all that checks keep, below that of local files.
pub(super) const CHECKS: &str = "checks";

/// A worktree for checks that nobody else uses now.
pub struct Bench<'s> {
    pub scratch: Scratch<'s>,
    place: Place,
}

/// What there is of one worktree, whoever uses it.
struct Place {
    tree: PathBuf,
    /// Which process runs in it.
    running: PathBuf,
    /// Written when it is given up.
    used: PathBuf,
    lock: PathBuf,
}

impl Store {
    /// Takes a worktree for checks; `None` while others use all of them.
    ///
    /// The one that was used last has the build outputs that are most like what is wanted now. So
    /// another one is only taken, or made, while others use those before it.
    pub fn take_bench(&self) -> Result<Option<Bench<'_>>, StoreError> {
        let mut places: Vec<Place> = (1..=BENCHES).map(|number| self.place_of(number)).collect();
        places.sort_by_key(|place| written_ago(&place.used).unwrap_or(Duration::MAX));
        for place in places.into_iter().filter(Place::is_ours) {
            // The system gives the lock back when its holders die, however they do.
            if let Some(lock) = AdvisoryLock::try_acquire(&place.lock)? {
                place.end_orphan();
                return Ok(Some(Bench {
                    scratch: self.repo().scratch(&place.tree, lock),
                    place,
                }));
            }
        }
        Ok(None)
    }

    fn place_of(&self, number: usize) -> Place {
        let dir = self.dir.join(CHECKS);
        let named = |end: &str| dir.join(format!("reflectt-check-{number}{end}"));
        Place {
            tree: named(""),
            running: named(".running"),
            used: named(".used"),
            lock: named(".lock"),
        }
    }
}

impl Bench<'_> {
    /// Notes which process runs in it, for whoever comes after this one was killed.
    pub fn note_running(&self, process: &Process) {
        // Without a note, an orphan would go on beside the next run: bad luck upon bad luck.
        drop(write_whole(&self.place.running, &process.to_string()));
    }
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        fs::remove_file(&self.place.running).ok();
        // Without it, another one is taken the next time.
        drop(write_whole(&self.place.used, ""));
    }
}

impl Place {
    /// Tells whether it is this user's, or nobody's yet: in a clone that several users share, git
    /// does not work in the directory of another.
    fn is_ours(&self) -> bool {
        let me = user();
        fs::symlink_metadata(&self.tree).map_or(true, |meta| meta.uid() == me)
    }

    /// Ends what was left running here by a process that was killed.
    fn end_orphan(&self) {
        if let Ok(text) = fs::read_to_string(&self.running)
            && let Ok(process) = text.parse::<Process>()
        {
            process.kill_group();
            // Within a moment, as the system does.
            for _ in 0..100 {
                if !process.runs() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            fs::remove_file(&self.running).ok();
        }
    }
}
