//! Lock files that killed git processes left behind.
//!
//! Git locks a file by creating `<file>.lock`. A process that is killed leaves it, and every later
//! update of that file fails until someone removes it. Ref transactions take milliseconds, so age
//! tells an abandoned lock from a live one.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Acquired, Advisory, AdvisoryLock, GitError, Repo};

/// Age from which a lock on a single ref, or on a reftable stack, is abandoned.
const STALE_AFTER: Duration = Duration::from_secs(10);
/// The same for a ref that reflectt alone moves, while we hold the advisory lock.
const OWN_STALE_AFTER: Duration = Duration::from_secs(2);
/// The same for `packed-refs`, which takes long to rewrite in a repository of many refs.
const PACKED_STALE_AFTER: Duration = Duration::from_secs(60);

/// How long to watch a lock that looks abandoned.
///
/// Age alone misleads when the machine was asleep: on waking, a lock is hours old and its git is
/// about to go on. Were the lock taken away, that git would believe to have moved the ref.
const WATCH: Duration = Duration::from_millis(250);

/// A lock file that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedLock {
    pub path: PathBuf,
    pub age: Duration,
}

/// A lock file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFile {
    pub path: PathBuf,
    pub age: Duration,
    /// Whether nobody seems to hold it any more.
    pub stale: bool,
}

impl Repo {
    /// Returns the lock files on refs and configuration, and which are old enough to be abandoned.
    pub fn find_locks(&self) -> Result<Vec<LockFile>, GitError> {
        let common = self.common_dir();
        let mut paths = Vec::new();
        for name in ["packed-refs.lock", "config.lock", "HEAD.lock"] {
            paths.push(common.join(name));
        }
        for name in ["HEAD.lock", "config.worktree.lock"] {
            paths.push(self.git_dir().join(name));
        }
        collect_locks(&common.join("refs"), &mut paths);
        collect_locks(&common.join("reftable"), &mut paths);
        paths.sort();
        paths.dedup();
        let mut found = Vec::new();
        let mut now = None;
        for path in paths {
            let Ok(seen) = path.symlink_metadata() else {
                continue;
            };
            let now = match now {
                Some(now) => now,
                None => *now.insert(self.file_system_time()?),
            };
            let age = age(&seen, now);
            let stale = age >= self.stale_after(&path, Advisory::NotHeld);
            found.push(LockFile { path, age, stale });
        }
        Ok(found)
    }

    /// Removes a lock file if it is abandoned, and says so; `None` if it may be held.
    ///
    /// Two rescuers must not meet: one would take away the lock that a live git created after the
    /// other had removed the dead one. So they queue, and each moves the file aside first and looks
    /// whether it got the one it had judged. If not, the file goes back.
    ///
    /// `Advisory::Held` is for locks on refs that reflectt alone moves.
    pub fn remove_stale_lock(
        &self,
        path: &Path,
        advisory: Advisory,
    ) -> Result<Option<RemovedLock>, GitError> {
        let error = |source: io::Error| {
            GitError::of_write(path, Box::new(source), |source| GitError::UpdateRefs {
                names: vec![path.display().to_string()],
                source,
            })
        };
        let Some((seen, age)) = self.judge_lock(path, advisory)? else {
            return Ok(None);
        };
        std::thread::sleep(WATCH);
        let queue = self.common_dir().join("reflectt/stale-locks");
        let _turn = match AdvisoryLock::acquire(&queue, Duration::from_secs(1))? {
            Acquired::Held(turn) => turn,
            Acquired::TimedOut => return Ok(None),
        };
        match self.judge_lock(path, advisory)? {
            Some((again, _)) if is_same(&seen, &again) => {}
            _ => return Ok(None),
        }
        let aside = aside(path);
        match std::fs::rename(path, &aside) {
            Ok(()) => {}
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(other) => return Err(error(other)),
        }
        let moved = aside.symlink_metadata().map_err(error)?;
        if is_same(&seen, &moved) {
            std::fs::remove_file(&aside).map_err(error)?;
            let path = path.to_owned();
            return Ok(Some(RemovedLock { path, age }));
        }
        // Unlike a rename, a link replaces nothing.
        let back = std::fs::hard_link(&aside, path);
        std::fs::remove_file(&aside).map_err(error)?;
        match back {
            Ok(()) => Ok(None),
            Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(other) => Err(error(other)),
        }
    }

    /// Returns what the lock file is and how old, if it is old enough.
    fn judge_lock(
        &self,
        path: &Path,
        advisory: Advisory,
    ) -> Result<Option<(Metadata, Duration)>, GitError> {
        let Ok(seen) = path.symlink_metadata() else {
            return Ok(None);
        };
        let age = age(&seen, self.file_system_time()?);
        if !seen.is_file() || age < self.stale_after(path, advisory) {
            return Ok(None);
        }
        // The new contents are written beside the lock, which itself stays as it was made.
        if path
            .file_name()
            .is_some_and(|name| name == "packed-refs.lock")
            && let Ok(new) = path.with_file_name("packed-refs.new").symlink_metadata()
            && self::age(&new, self.file_system_time()?) < PACKED_STALE_AFTER
        {
            return Ok(None);
        }
        Ok(Some((seen, age)))
    }

    fn stale_after(&self, path: &Path, advisory: Advisory) -> Duration {
        let Ok(below) = path.strip_prefix(self.common_dir()) else {
            return STALE_AFTER;
        };
        if below == Path::new("packed-refs.lock") {
            PACKED_STALE_AFTER
        } else if advisory == Advisory::Held && below.starts_with("refs") {
            OWN_STALE_AFTER
        } else {
            STALE_AFTER
        }
    }

    /// Returns the time by the clock that stamps the files, which may be another machine's.
    fn file_system_time(&self) -> Result<SystemTime, GitError> {
        let dir = self.common_dir();
        tempfile::Builder::new()
            .prefix(".reflectt-clock-")
            .tempfile_in(dir)
            .and_then(|file| file.as_file().metadata()?.modified())
            .map_err(|source| {
                GitError::of_write(dir, Box::new(source), |source| GitError::Open {
                    dir: dir.to_owned(),
                    source,
                })
            })
    }
}

fn age(file: &Metadata, now: SystemTime) -> Duration {
    // One from the future has no age: better to wait than to take away a live lock.
    file.modified()
        .ok()
        .and_then(|made| now.duration_since(made).ok())
        .unwrap_or_default()
}

fn is_same(a: &Metadata, b: &Metadata) -> bool {
    let key = |m: &Metadata| (m.dev(), m.ino(), m.mtime(), m.mtime_nsec(), m.len());
    key(a) == key(b)
}

/// A name in the same directory that git takes for no ref.
fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.reflectt-{:016x}.lock", fastrand::u64(..)))
}

fn collect_locks(dir: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect_locks(&path, into);
        } else if path.extension().is_some_and(|end| end == "lock") {
            into.push(path);
        }
    }
}

#[cfg(test)]
mod tests;
