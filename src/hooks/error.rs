//! What can go wrong with hook files.

use std::path::PathBuf;

use crate::git::GitError;

use super::Manager;

#[derive(Debug, thiserror::Error)]
pub enum HookError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("cannot {doing} `{}`", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the part of reflectt in `{}` has no end, so it cannot be told from the rest", path.display())]
    Damaged { path: PathBuf },
    #[error("`{}` was changed since reflectt wrapped `{}`", path.display(), original.display())]
    Changed { path: PathBuf, original: PathBuf },
    #[error("`{}` is gone, which `{}` was kept in", original.display(), path.display())]
    OriginalGone { path: PathBuf, original: PathBuf },
    #[error("`{}` is not configured in `{}`", manager.as_str(), dir.display())]
    NotConfigured { manager: Manager, dir: PathBuf },
    #[error("`{}` is of a shape that is not understood, and was left as it is", path.display())]
    NotUnderstood { manager: Manager, path: PathBuf },
    #[error("cannot read the message in `{}`", path.display())]
    Message {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}
