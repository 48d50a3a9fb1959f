//! The only door to git: objects, refs, processes, locks and watching of one repository.
//!
//! Reading, and writing objects, happens in this process with `gix`. Moving refs happens in a
//! `git update-ref` process, which is the one writer that compares while it holds every lock it
//! needs; `gix` compares too early when `git pack-refs` runs beside it, and then tells two writers
//! that both have won. Nothing above this layer sees a `gix` type.

mod advance;
mod advisory_lock;
mod cancel;
mod changed;
mod checkout;
mod commit_log;
mod config;
mod detached;
mod error;
mod identity;
mod landed;
mod merge;
mod objects;
mod oid;
mod pager;
mod process;
mod progress;
mod refs;
mod relation;
mod remote;
mod repo;
mod scratch;
mod sharing;
mod sound;
mod space;
mod staged;
mod stale_locks;
mod switch;
mod tree_diff;
mod tree_edit;
mod unlanded;
mod update;
mod version;
mod walk;
mod watch;
mod weave;
mod worktrees;

#[cfg(test)]
pub(crate) mod testing;

pub use advance::{Advance, Advanced};
pub use advisory_lock::{Acquired, AdvisoryLock};
pub use cancel::{Cancel, LateCancel};
pub use checkout::Difference;
pub use commit_log::{CommitRange, LoggedCommit, trailer_value};
pub use detached::{Detached, start_detached};
pub use error::{BoxError, CommandFailure, GitError};
pub use identity::{Fate, Process, boot_id, user};
pub use landed::{Found, How, Looked, Sought};
pub use merge::Merged;
pub use objects::{Commit, Mode, NewCommit, ObjectKind, Signature, TreeEntry};
pub use oid::Oid;
pub use pager::Paged;
pub use process::{
    Git, GitCommand, GitOutput, Shell, ShellEnd, ShellOutput, ShellSign, inherited_variables,
};
pub use progress::{Progress, Transfer, Way};
pub use refs::RefName;
pub use relation::Relation;
pub use remote::{FetchSpec, Pushed, Remote, Together};
pub use repo::{ConfigScope, Head, ObjectFormat, OpenOptions, RefFormat, Repo};
pub use scratch::Scratch;
pub use sharing::{Sharing, new_file_in, open_kept, write_whole};
pub use sound::{Landing, Soundness};
pub use staged::{StagedPaths, Staging};
pub use stale_locks::{LockFile, RemovedLock};
pub use tree_diff::Change;
pub use unlanded::Graph;
pub use update::{Advisory, GitRefStore, RefOutcome, RefStore, RefUpdate, Step};
pub use version::{GIT_OLDEST, GitVersion};
pub use walk::History;
pub use watch::{RefWatcher, Woken};
pub use weave::{Person, WeaveAs, Weaving, Woven};
pub use worktrees::WorktreeInfo;
