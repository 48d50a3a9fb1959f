//! Moving refs by compare-and-swap, several in one transaction.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{BoxError, GitError, ObjectFormat, Oid, RefFormat, RefName, RemovedLock, Repo};

/// How long to try while locks of other processes are in the way.
///
/// Longer than the age at which an abandoned lock may be removed, so that the first command after a
/// crash already succeeds; on a reftable repository one lock is in the way of every ref.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// A ref to be moved, here or on a remote, if it holds what is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefUpdate {
    pub name: RefName,
    /// What it must hold for that; `None`: there must be none of that name.
    pub from: Option<Oid>,
    /// The new value; `None` deletes the ref.
    pub to: Option<Oid>,
}

/// The same of a ref that is known from where it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub from: Option<Oid>,
    pub to: Oid,
}

impl Step {
    /// Returns the step that leads to `to`, if there is one to take.
    pub fn between(from: Option<Oid>, to: Option<Oid>) -> Option<Step> {
        let to = to.filter(|to| from != Some(*to))?;
        Some(Step { from, to })
    }

    pub fn of(self, name: RefName) -> RefUpdate {
        RefUpdate {
            name,
            from: self.from,
            to: Some(self.to),
        }
    }
}

/// How an update ended. Losing is an answer and not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefOutcome {
    /// Every ref holds its new value.
    Moved,
    /// No ref was moved, because `name` holds `found` and not what was expected.
    Lost { name: RefName, found: Option<Oid> },
}

/// A place where refs are moved.
pub trait RefStore {
    /// Moves all the refs, or none if one of them does not hold what is expected.
    fn update(&self, updates: &[RefUpdate], message: &str) -> Result<RefOutcome, GitError>;
}

/// Whether the caller holds the clone's advisory lock while it moves refs.
///
/// If so, a lock file on one of our own refs cannot be another reflectt's at work, and is taken to
/// be abandoned sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advisory {
    Held,
    NotHeld,
}

/// The refs of a repository, moved by `git update-ref`.
pub struct GitRefStore<'r> {
    repo: &'r Repo,
    advisory: Advisory,
    pub(super) patience: Duration,
    removed: RefCell<Vec<RemovedLock>>,
}

impl Repo {
    /// Returns the store that moves this repository's refs.
    pub fn ref_store(&self, advisory: Advisory) -> GitRefStore<'_> {
        GitRefStore {
            repo: self,
            advisory,
            patience: PATIENCE,
            removed: RefCell::default(),
        }
    }
}

impl GitRefStore<'_> {
    /// Returns the abandoned lock files that updates removed since the last call, to be reported.
    pub fn take_removed_locks(&self) -> Vec<RemovedLock> {
        self.removed.take()
    }

    /// Runs one transaction in one process; `Some` tells why it was refused.
    fn attempt(&self, steps: &[RefUpdate], message: &str) -> Result<Option<BoxError>, GitError> {
        // To warn of refs named like an object, git would read `packed-refs` before it holds the
        // lock, and keep it if the file looks the same later: same size, second and inode, as it
        // does when refs are packed twice in a row. Two writers have both won that way.
        let quick = ["-c", "core.warnAmbiguousRefs=false"];
        let mut command = self.repo.git(quick).args(["update-ref", "--no-deref"]);
        if !message.is_empty() {
            command = command.arg("-m").arg(message);
        }
        let script = script(steps, self.repo.object_format());
        match command.args(["--stdin", "-z"]).stdin(script).run() {
            Ok(output) if output.code == Some(0) => Ok(None),
            Ok(output) => Ok(Some(output.into_failure().into())),
            // Killed, it may have moved everything, or some of it.
            Err(error @ GitError::TimedOut { .. }) => Ok(Some(error.into())),
            Err(error) => Err(error),
        }
    }

    /// Reads every ref again and says how things stand after a refusal.
    fn judge(&self, updates: &[RefUpdate]) -> Result<Standing, GitError> {
        let mut steps = Vec::with_capacity(updates.len());
        let mut all_ours = true;
        for update in updates {
            let found = self.repo.read_ref(&update.name)?;
            if found == update.to {
                // Ours already. It must still be so when the others move.
                steps.push(RefUpdate {
                    from: found,
                    ..update.clone()
                });
            } else if found == update.from {
                all_ours = false;
                steps.push(update.clone());
            } else {
                let name = update.name.clone();
                return Ok(Standing::Decided(RefOutcome::Lost { name, found }));
            }
        }
        Ok(if all_ours {
            Standing::Decided(RefOutcome::Moved)
        } else {
            Standing::Open(steps)
        })
    }
}

enum Standing {
    Decided(RefOutcome),
    /// Every ref holds what was expected, or is ours already: something else was in the way.
    Open(Vec<RefUpdate>),
}

impl RefStore for GitRefStore<'_> {
    /// Moves the refs in one `git update-ref` process.
    ///
    /// When git refuses, its words are not trusted for the outcome: the refs are read again, and
    /// may hold our values already (an attempt that was cut short after it worked) or another's.
    /// If they hold what was expected, a lock was in the way: of a process at work, which is waited
    /// for, or of one that was killed, which is removed once it is old enough.
    fn update(&self, updates: &[RefUpdate], message: &str) -> Result<RefOutcome, GitError> {
        let begun = Instant::now();
        let mut steps = updates.to_vec();
        let mut tries = 0_u32;
        loop {
            if steps.is_empty() {
                return Ok(RefOutcome::Moved);
            }
            let Some(refusal) = self.attempt(&steps, message)? else {
                return Ok(RefOutcome::Moved);
            };
            steps = match self.judge(updates)? {
                Standing::Decided(outcome) => return Ok(outcome),
                Standing::Open(steps) => steps,
            };
            tries += 1;
            let obstacle = Obstacle::of(&refusal.to_string(), self.repo);
            if let Obstacle::Lock(lock) = &obstacle
                && let Some(removed) = self.remove_if_stale(lock, &steps)?
            {
                self.removed.borrow_mut().push(removed);
                continue;
            }
            let told_to_end = self.repo.runner().cancel().is_cancelled();
            if obstacle.may_pass(tries) && begun.elapsed() < self.patience && !told_to_end {
                let pause = Duration::from_millis(u64::from(tries.min(10)) * 5);
                std::thread::sleep(pause.mul_f32(0.5 + fastrand::f32()));
                continue;
            }
            return Err(self.error(&steps, obstacle, refusal));
        }
    }
}

impl GitRefStore<'_> {
    fn remove_if_stale(
        &self,
        lock: &Path,
        steps: &[RefUpdate],
    ) -> Result<Option<RemovedLock>, GitError> {
        let of = |step: &RefUpdate| self.repo.common_dir().join(format!("{}.lock", step.name));
        let advisory = match steps.iter().any(|step| of(step) == lock) {
            true => self.advisory,
            false => Advisory::NotHeld,
        };
        self.repo.remove_stale_lock(lock, advisory)
    }

    fn error(&self, steps: &[RefUpdate], obstacle: Obstacle, refusal: BoxError) -> GitError {
        let names: Vec<_> = steps.iter().map(|step| step.name.to_string()).collect();
        match obstacle {
            Obstacle::Lock(lock) => GitError::RefLocked {
                name: names.join("`, `"),
                lock,
            },
            Obstacle::Name { name, existing } => GitError::RefNameTaken { name, existing },
            Obstacle::Value | Obstacle::Other => {
                GitError::of_write(self.repo.common_dir(), refusal, |source| {
                    GitError::UpdateRefs { names, source }
                })
            }
        }
    }
}

/// What git says was in the way.
pub(super) enum Obstacle {
    /// This lock file exists.
    Lock(PathBuf),
    /// Another ref is a directory of this one, or the reverse.
    Name {
        name: String,
        existing: String,
    },
    /// A ref had another value at that moment, and has the expected one again.
    Value,
    Other,
}

impl Obstacle {
    pub(super) fn of(text: &str, repo: &Repo) -> Self {
        if let Some((_, rest)) = text.split_once("Unable to create '")
            && let Some((path, _)) = rest.split_once("': File exists")
        {
            return Self::Lock(repo.git_dir().join(path));
        }
        if repo.ref_format() == RefFormat::Reftable
            && (text.contains("data is locked") || text.contains("lock"))
        {
            let lock = repo.common_dir().join("reftable").join("tables.list.lock");
            if lock.exists() {
                return Self::Lock(lock);
            }
            return Self::Value;
        }
        if let Some((before, after)) = text.split_once("' exists; cannot create '") {
            let existing = before.rsplit('\'').next().unwrap_or_default();
            let name = after.split('\'').next().unwrap_or_default();
            return Self::Name {
                name: name.to_owned(),
                existing: existing.to_owned(),
            };
        }
        if text.contains("but expected") || text.contains("reference already exists") {
            return Self::Value;
        }
        Self::Other
    }

    /// Tells whether trying again can help. What is unknown gets a second chance: directories come
    /// and go while refs are packed.
    fn may_pass(&self, tries: u32) -> bool {
        match self {
            Self::Lock(_) | Self::Value => true,
            Self::Name { .. } => false,
            Self::Other => tries < 3,
        }
    }
}

/// Writes the transaction in the form of `git update-ref --stdin -z`.
fn script(steps: &[RefUpdate], format: ObjectFormat) -> Vec<u8> {
    let null = "0".repeat(match format {
        ObjectFormat::Sha1 => 40,
        ObjectFormat::Sha256 => 64,
    });
    let hex = |oid: Option<Oid>| oid.map_or_else(|| null.clone(), |oid| oid.to_string());
    let mut text = String::from("start\0");
    for RefUpdate { name, from, to } in steps {
        let old = hex(*from);
        let line = match to {
            _ if to == from => write!(text, "verify {name}\0{old}\0"),
            Some(new) => write!(text, "update {name}\0{new}\0{old}\0"),
            None => write!(text, "delete {name}\0{old}\0"),
        };
        line.expect("writing to a string does not fail");
    }
    text.push_str("prepare\0commit\0");
    text.into_bytes()
}

#[cfg(test)]
mod tests;
