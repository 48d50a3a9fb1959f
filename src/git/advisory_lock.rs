//! A lock that turns contention on one machine into a queue.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{GitError, open_kept};

/// A held advisory lock, released when dropped, and by the kernel when the process is killed.
///
/// It saves work and carries no correctness: whoever cannot get it goes on without, and the
/// compare-and-swap of the refs decides.
#[derive(Debug)]
pub struct AdvisoryLock {
    file: File,
}

/// How the wait for a lock ended.
#[derive(Debug)]
pub enum Acquired {
    Held(AdvisoryLock),
    TimedOut,
}

impl AdvisoryLock {
    /// Waits at most `limit` for the lock on the file at `path`, which is made if it is missing.
    ///
    /// The system's own queue has no time limit, so this looks again and again: soon at first, as
    /// most holders need a few milliseconds, and with jitter, so that waiters do not march in step.
    pub fn acquire(path: &Path, limit: Duration) -> Result<Acquired, GitError> {
        let error = |source| GitError::Lock {
            path: path.to_owned(),
            source,
        };
        let file = open(path).map_err(error)?;
        let deadline = Instant::now().checked_add(limit);
        let mut pause = Duration::from_micros(200);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Acquired::Held(Self { file })),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(error(source)),
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(Acquired::TimedOut);
            }
            let jittered = pause.mul_f32(0.5 + fastrand::f32());
            std::thread::sleep(jittered.min(left.unwrap_or(jittered)));
            pause = (pause * 2).min(Duration::from_millis(3));
        }
    }

    /// Takes the lock if nobody holds it. For locks that are held for long, like the daemon's.
    pub fn try_acquire(path: &Path) -> Result<Option<Self>, GitError> {
        match Self::acquire(path, Duration::ZERO)? {
            Acquired::Held(lock) => Ok(Some(lock)),
            Acquired::TimedOut => Ok(None),
        }
    }

    /// Lets a process that is about to be started hold the lock, too: until both have ended, it is
    /// not free. It must be started before the lock is dropped.
    pub(super) fn share_with(&self, command: &mut Command) {
        let number = self.file.as_raw_fd();
        let keep_open = move || {
            // SAFETY: the child has what its parent had open, under the same number.
            let file = unsafe { BorrowedFd::borrow_raw(number) };
            rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty())?;
            Ok(())
        };
        // SAFETY: `keep_open` only makes a system call that is safe after `fork`, and allocates
        // nothing. The standard library has no safe way to hand on an open file.
        unsafe { command.pre_exec(keep_open) };
    }

    /// Tells whether somebody holds the lock, without taking it from anyone who wants it.
    pub fn is_held(path: &Path) -> Result<bool, GitError> {
        let error = |source| GitError::Lock {
            path: path.to_owned(),
            source,
        };
        match open(path).map_err(error)?.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(error(source)),
        }
    }
}

impl Acquired {
    /// Tells whether the lock is held.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    open_kept(path, OpenOptions::new().read(true).write(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_exclusive_and_free_again_when_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/lock");
        let held = AdvisoryLock::acquire(&path, Duration::ZERO).unwrap();
        assert!(held.is_held());
        let begun = Instant::now();
        let limit = Duration::from_millis(30);
        assert!(!AdvisoryLock::acquire(&path, limit).unwrap().is_held());
        assert!(begun.elapsed() >= limit);
        drop(held);
        // A process that another test is just starting has the file open until it is its program.
        let again = AdvisoryLock::acquire(&path, Duration::from_secs(10));
        assert!(again.unwrap().is_held());
    }

    #[test]
    fn sixteen_contenders_all_get_their_turn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let count = std::sync::Mutex::new((0, Duration::ZERO));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let begun = Instant::now();
                        let lock = AdvisoryLock::acquire(&path, Duration::from_secs(60)).unwrap();
                        assert!(lock.is_held());
                        // Nobody else may be counting: the lock guards it.
                        let mut count = count.try_lock().unwrap();
                        count.0 += 1;
                        count.1 = count.1.max(begun.elapsed());
                        std::thread::sleep(Duration::from_millis(1));
                        drop(count);
                        drop(lock);
                    }
                });
            }
        });
        let (turns, longest) = *count.lock().unwrap();
        println!("80 turns of 1 ms, longest wait {longest:?}");
        assert_eq!(turns, 80);
    }
}
