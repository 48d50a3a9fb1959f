//! Why nothing was set up.

use std::path::PathBuf;

use crate::git::GitError;

use super::json::Position;

/// Nothing was changed when one of these is returned, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("`{path}`, line {}, column {}: {reason}", at.line, at.column)]
    Misfit {
        /// As it is shown to people.
        path: String,
        at: Position,
        reason: String,
    },
    #[error("`{path}` is no UTF-8 text")]
    NotText { path: String },
    #[error("`{path}` is there already, and `reflectt setup` did not write it")]
    NotOurs { path: String },
    #[error("`{path}` is a link that leads out of the repository, to `{}`", target.display())]
    LeadsOut { path: String, target: PathBuf },
    #[error("`{path}` leads into another working tree, to `{}`", target.display())]
    OtherWorktree { path: String, target: PathBuf },
    #[error("`{path}` is a link to what is not there, `{}`", link.display())]
    Dangling { path: String, link: PathBuf },
    #[error("`{path}` is read-only")]
    ReadOnly { path: String },
    #[error("`{path}` was changed by somebody else meanwhile")]
    Changed { path: String },
    #[error("cannot read `{path}`")]
    Read {
        path: String,
        source: std::io::Error,
    },
    #[error("cannot write `{path}`")]
    Write {
        path: String,
        source: std::io::Error,
    },
    #[error("cannot compare the versions of a file")]
    Compare(#[source] std::io::Error),
    #[error(transparent)]
    Git(#[from] GitError),
}
