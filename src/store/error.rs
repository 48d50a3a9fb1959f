//! What can go wrong while reading or publishing.

use std::path::PathBuf;

use crate::format::FormatError;
use crate::git::GitError;
use crate::model::id::Fence;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no record here.
    #[error("{}", not_initialised(remote.as_deref(), unseen.as_deref()))]
    NotInitialised {
        /// The remote that has one, as far as the last fetch tells.
        remote: Option<String>,
        /// A remote that may have one which was not fetched: of a clone of one branch, or made
        /// before the team.
        unseen: Option<String>,
    },
    #[error("the branch `reflectt` of this repository is not reflectt's record: {reason}")]
    Foreign { reason: String },
    /// Somebody put another branch in the place of the record that the team shares.
    #[error("the branch `{name}` on `{remote}` is not reflectt's record: {reason}")]
    ForeignOn {
        remote: String,
        name: String,
        /// What it is at.
        tip: String,
        reason: String,
    },
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("the claims table is damaged: `{path}` at commit {commit}")]
    Table {
        path: String,
        commit: String,
        #[source]
        source: super::BadFile,
    },
    #[error("commit {commit} of the claims table has no `table.toml`")]
    NoTable { commit: String },
    /// The record knows of claims, and there is no table.
    #[error(
        "the claims table is gone: the record knows of claims up to {fence}, and nothing says who holds what"
    )]
    TableLost { fence: Fence },
    #[error("the file `{path}` on the branch `reflectt` is damaged")]
    File {
        path: String,
        #[source]
        source: super::BadFile,
    },
    #[error("a newer version of reflectt wrote `{path}`, and this one would lose what it added")]
    Newer { path: String },
    #[error("`{path}` would grow to {bytes} bytes; {max} is the most", max = super::layout::FILE_MAX)]
    TooLarge { path: String, bytes: usize },
    /// What was to be published would not have said to others what it says here.
    #[error("`{path}` could not be read again as it was to be written: {reason}")]
    ReadBack { path: String, reason: String },
    /// The remote does not want one of our refs moved.
    #[error("the remote `{remote}` refuses `{name}`: {reason}")]
    RemoteRefuses {
        remote: String,
        name: String,
        reason: String,
    },
    #[error("others kept changing the record; gave up after {tries} tries")]
    Busy { tries: u32 },
    #[error("cannot {doing} `{}`", path.display())]
    Local {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

impl StoreError {
    /// Tells whether a table cannot be read because a later version of reflectt wrote it. It is
    /// whole, and nobody may put anything in its place.
    pub fn is_newer_table(&self) -> bool {
        let newer = |source: &super::BadFile| {
            matches!(source, super::BadFile::Format(FormatError::Future { .. }))
        };
        matches!(self, StoreError::Table { source, .. } if newer(source))
    }

    /// Tells whether a table cannot be read because of what it is, and not for want of a disk.
    ///
    /// The record does not depend on it, so only what needs to know who holds what stops.
    pub fn is_table(&self) -> bool {
        matches!(
            self,
            StoreError::Table { .. }
                | StoreError::NoTable { .. }
                | StoreError::TableLost { .. }
                | StoreError::Git(
                    GitError::MissingObject { .. }
                        | GitError::CorruptObject { .. }
                        | GitError::WrongKind { .. }
                )
        )
    }
}

fn not_initialised(remote: Option<&str>, unseen: Option<&str>) -> String {
    match (remote, unseen) {
        (Some(remote), _) => format!("this clone does not take part in the team on `{remote}` yet"),
        (None, Some(remote)) => format!(
            "this clone has no `reflectt` branch yet; whether `{remote}` has a team was not asked"
        ),
        (None, None) => "this repository has no `reflectt` branch yet".to_owned(),
    }
}
