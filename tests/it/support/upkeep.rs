//! What users and cron jobs do to a repository while others work in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::Repo;

/// `git pack-refs` and `git gc` in a loop, until it is stopped.
pub struct Upkeep {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u32>>,
}

impl Upkeep {
    pub fn start(repo: &Repo) -> Upkeep {
        let stop = Arc::new(AtomicBool::new(false));
        let repo = repo.clone();
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut rounds = 0;
            while !stopped.load(Ordering::Relaxed) {
                // Either may find a lock taken, and gives up then: that is theirs to report.
                repo.try_git(["pack-refs", "--all"]);
                if rounds % 8 == 0 {
                    repo.try_git(["gc", "--quiet"]);
                }
                rounds += 1;
            }
            rounds
        });
        Upkeep {
            stop,
            thread: Some(thread),
        }
    }

    /// Stops it and returns how many rounds there were.
    pub fn stop(mut self) -> u32 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .take()
            .map_or(0, |thread| thread.join().unwrap())
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
