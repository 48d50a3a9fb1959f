//! What can go wrong between reflectt and git.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{GitVersion, ObjectKind, Oid};

/// An error of `gix` or of the system, kept as the source of ours.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// An attempt that failed, named after what was tried.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("`{}` is not in a git repository", dir.display())]
    NotARepository { dir: PathBuf },
    #[error(
        "the repository at `{}` belongs to another user, and `safe.directory` does not list it",
        dir.display()
    )]
    UnsafeOwnership { dir: PathBuf },
    #[error("cannot open the repository at `{}`", dir.display())]
    Open {
        dir: PathBuf,
        #[source]
        source: BoxError,
    },
    #[error("cannot find `git` on the search path")]
    Missing,
    #[error("cannot run `{command}`")]
    Run {
        command: String,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Failed(#[from] CommandFailure),
    #[error("`{command}` did not finish within {} s", limit.as_secs_f32())]
    TimedOut { command: String, limit: Duration },
    /// This process was told to end, and did not wait for that one.
    #[error("`{command}` was ended before it was done")]
    Cancelled { command: String },
    #[error("cannot {task} with git {found}: it takes git {needed} or later; update git here")]
    TooOld {
        task: &'static str,
        found: GitVersion,
        needed: GitVersion,
    },
    #[error("`{command}` printed something unexpected: `{output}`")]
    Output { command: String, output: String },
    #[error("cannot reach the remote `{remote}`: {reason}")]
    Unreachable { remote: String, reason: String },
    #[error("there is no remote `{name}`")]
    NoRemote { name: String },
    #[error("`{text}` is not the full name of an object")]
    InvalidOid { text: String },
    #[error("`{name}` is not a valid ref name")]
    InvalidRefName { name: String },
    #[error("the name of the directory `{}` is not UTF-8, which no pattern can be", dir.display())]
    NotText { dir: PathBuf },
    #[error("`{path}` cannot be a path in a tree")]
    InvalidPath { path: String },
    #[error("object `{oid}` is missing")]
    MissingObject { oid: Oid },
    #[error("object `{oid}` is a {found}, not a {expected}")]
    WrongKind {
        oid: Oid,
        expected: ObjectKind,
        found: ObjectKind,
    },
    #[error("object `{oid}` has {size} bytes, more than the {limit} allowed")]
    TooLarge { oid: Oid, size: u64, limit: u64 },
    #[error("object `{oid}` is corrupt")]
    CorruptObject {
        oid: Oid,
        #[source]
        source: BoxError,
    },
    #[error("cannot read object `{oid}`")]
    ReadObject {
        oid: Oid,
        #[source]
        source: BoxError,
    },
    #[error("cannot write a {kind} to `{}`", dir.display())]
    WriteObject {
        kind: ObjectKind,
        dir: PathBuf,
        #[source]
        source: BoxError,
    },
    #[error("cannot write to `{}`: read-only or no permission", path.display())]
    ReadOnly {
        path: PathBuf,
        #[source]
        source: BoxError,
    },
    #[error("cannot write to `{}`: no space left", path.display())]
    NoSpace {
        path: PathBuf,
        #[source]
        source: BoxError,
    },
    #[error("cannot read ref `{name}`")]
    ReadRef {
        name: String,
        #[source]
        source: BoxError,
    },
    #[error("cannot list the refs below `{prefix}`")]
    ListRefs {
        prefix: String,
        #[source]
        source: BoxError,
    },
    #[error("cannot move `{}`", names.join("`, `"))]
    UpdateRefs {
        names: Vec<String>,
        #[source]
        source: BoxError,
    },
    #[error("cannot move `{name}`: another process holds `{}`", lock.display())]
    RefLocked { name: String, lock: PathBuf },
    #[error("cannot create `{name}`: `{existing}` is in the way")]
    RefNameTaken { name: String, existing: String },
    #[error("cannot change the configuration `{key}`")]
    SetConfig {
        key: String,
        #[source]
        source: BoxError,
    },
    #[error("cannot read the configuration in `{}`", path.display())]
    ReadConfig {
        path: PathBuf,
        #[source]
        source: BoxError,
    },
    #[error("cannot use the lock file `{}`", path.display())]
    Lock {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot make a clean worktree at `{}`", path.display())]
    Scratch {
        path: PathBuf,
        #[source]
        source: BoxError,
    },
    #[error("cannot list the worktrees in `{}`", path.display())]
    ListWorktrees {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// A git process that ended with a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandFailure {
    /// The command line, with credentials in URLs masked.
    pub command: String,
    /// The exit code; `None` when a signal ended the process.
    pub code: Option<i32>,
    /// What it printed to its standard error, trimmed and masked.
    pub stderr: String,
}

impl fmt::Display for CommandFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` failed ", self.command)?;
        match self.code {
            Some(code) => write!(f, "with exit code {code}")?,
            None => write!(f, "because a signal ended it")?,
        }
        if !self.stderr.is_empty() {
            write!(f, ": {}", self.stderr)?;
        }
        Ok(())
    }
}

impl Error for CommandFailure {}

impl GitError {
    /// Returns the precise error for a write to `path` that failed, if the cause is one that the
    /// user can act on: no space, or no right to write.
    pub(super) fn of_write(
        path: &Path,
        source: BoxError,
        otherwise: impl FnOnce(BoxError) -> Self,
    ) -> Self {
        let path = path.to_owned();
        match write_fault(source.as_ref()) {
            Some(WriteFault::NoSpace) => Self::NoSpace { path, source },
            Some(WriteFault::ReadOnly) => Self::ReadOnly { path, source },
            None => otherwise(source),
        }
    }
}

enum WriteFault {
    NoSpace,
    ReadOnly,
}

fn write_fault(error: &(dyn Error + 'static)) -> Option<WriteFault> {
    // An error of `gix` is a tree, whose branches its `source()` does not all show.
    if let Some(gix) = error.downcast_ref::<gix::Error>() {
        return gix.iter_errors().find_map(fault_of_one);
    }
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(fault) = fault_of_one(error) {
            return Some(fault);
        }
        next = error.source();
    }
    None
}

fn fault_of_one(error: &(dyn Error + 'static)) -> Option<WriteFault> {
    if let Some(failure) = error.downcast_ref::<CommandFailure>() {
        return kind_in_text(&failure.stderr).and_then(fault_of_kind);
    }
    let io = error.downcast_ref::<io::Error>()?;
    fault_of_kind(io.kind()).or_else(|| {
        // The error inside of an `io::Error` is not among its sources.
        io.get_ref().and_then(|inner| write_fault(inner))
    })
}

fn fault_of_kind(kind: io::ErrorKind) -> Option<WriteFault> {
    match kind {
        // A file may be too large for a limit on this process, too.
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Some(WriteFault::NoSpace)
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            Some(WriteFault::ReadOnly)
        }
        _ => None,
    }
}

/// Finds the system's error in what git printed; it ran in the C locale.
fn kind_in_text(stderr: &str) -> Option<io::ErrorKind> {
    [
        ("No space left on device", io::ErrorKind::StorageFull),
        ("Disk quota exceeded", io::ErrorKind::QuotaExceeded),
        ("File too large", io::ErrorKind::FileTooLarge),
        ("Read-only file system", io::ErrorKind::ReadOnlyFilesystem),
        ("Permission denied", io::ErrorKind::PermissionDenied),
    ]
    .into_iter()
    .find(|(text, _)| stderr.contains(text))
    .map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: BoxError) -> GitError {
        GitError::of_write(Path::new("/x"), source, |_| panic!("the cause is known"))
    }

    #[test]
    fn finds_the_cause_of_a_failed_write_behind_other_errors() {
        use gix::error::{ResultExt as _, message};
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let wrapped = io::Error::other(full());
        assert!(matches!(of(wrapped.into()), GitError::NoSpace { .. }));
        let raised: gix::Result<()> = Err::<(), _>(full()).or_raise(|| message("no"));
        let raised = raised.unwrap_err().into();
        assert!(matches!(of(raised), GitError::NoSpace { .. }));
        let printed = CommandFailure {
            command: "git update-ref".into(),
            code: Some(128),
            stderr: "fatal: Unable to create 'x.lock': Read-only file system".into(),
        };
        assert!(matches!(of(printed.into()), GitError::ReadOnly { .. }));
    }
}
