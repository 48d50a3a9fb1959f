//! What lives where: the record's branch, the claims table, heartbeats and caches.
//!
//! Only this layer knows the names of refs and of paths on the branch. It reads snapshots and
//! publishes changes as compare-and-swap; what may change is decided above and below.

mod agent_session;
mod bench;
mod cache;
mod change;
mod clone;
mod daemon;
mod entry;
mod error;
mod fanout;
mod good;
mod hand;
mod haunts;
mod history;
mod inbox;
mod landing;
pub mod layout;
mod link;
mod local;
mod merge;
mod passed;
mod patience;
mod presence;
mod publish;
mod radar;
mod requests;
mod restore;
mod settle;
mod shelf;
mod shown;
mod signs;
mod snapshot;
mod staged;
mod table;
mod team;
mod tracked;
mod web_token;
mod work;

use std::cell::RefCell;
use std::path::{Path, PathBuf};

pub use agent_session::{AgentSession, AgentSessions, Crowded};
pub use bench::{BENCHES, Bench};
pub use cache::CacheState;
pub use change::{Changes, Origin};
pub use clone::Here;
pub use daemon::DaemonPlace;
pub use entry::Entry;
pub use error::StoreError;
pub use hand::{ByHand, HandMade, Removed};
pub use history::{HistoryEvent, Subject};
pub use inbox::Mail;
pub use link::{Link, PLACES_KEY, Places, PushedTips, REMOTE_KEY, Tips};
pub use merge::MergedRecord;
pub use passed::{Passed, PassedChecks};
pub use patience::Patience;
pub use presence::Presence;
pub use publish::{Published, Turn, advisory};
pub use radar::{KnownPair, KnownPairs};
pub use requests::Queued;
pub use restore::Readable;
pub use shelf::{BadFile, Quarantined, RecordFile};
pub use signs::{agent_key, claim_key, says_goodbye, uptime};
pub use snapshot::{Found, Snapshot};
pub use staged::{Fate, Led, Staged, Ticket};

use crate::git::{RefName, RemovedLock, Repo};

/// The state of one clone: its repository and the directory of local files beside it.
pub struct Store {
    repo: Repo,
    dir: PathBuf,
    record: RefName,
    claims: RefName,
    removed_locks: RefCell<Vec<RemovedLock>>,
    link: RefCell<Option<Link>>,
    /// Why the remote does not take the work of submissions, if it said so to this process.
    works_refused: RefCell<Option<String>>,
}

impl Store {
    /// Returns the store of `repo`. Nothing is read yet, and nothing written but the modes of what
    /// a group shares.
    pub fn new(repo: Repo) -> Store {
        let dir = repo.common_dir().join("reflectt");
        repo.sharing().apply_to_all(&dir);
        let link = Store::configured_link(&repo);
        Store {
            link: RefCell::new(link),
            repo,
            dir,
            record: layout::record_ref(),
            claims: layout::claims_ref(),
            removed_locks: RefCell::default(),
            works_refused: RefCell::default(),
        }
    }

    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// Returns the directory of local, rebuildable files that all worktrees share.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn record_ref(&self) -> &RefName {
        &self.record
    }

    pub fn claims_ref(&self) -> &RefName {
        &self.claims
    }

    /// Tells what the caches are worth, before anything reads and mends them.
    pub fn caches(&self) -> [(PathBuf, CacheState); 2] {
        [layout::TASKS, layout::ARCHIVE].map(|name| {
            let cache = cache::Cache::new(&self.repo, &self.dir, name);
            (cache.path().to_owned(), cache.state())
        })
    }

    /// Returns the lock files of killed processes that were cleared away, to be reported.
    pub fn take_removed_locks(&self) -> Vec<RemovedLock> {
        let mut removed = self.removed_locks.take();
        removed.extend(self.repo.take_removed_locks());
        removed
    }
}

#[cfg(test)]
mod tests;
