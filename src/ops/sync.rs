//! Exchanging record, table and presence with the remote.
//!
//! [`plan`] decides, from how the tips stand to each other; [`run`] acts: it computes what both
//! sides shall have, pushes that with leases, and only then moves the refs here. Whatever fails in
//! between leaves both sides as they were, and the next run starts from what it finds.

mod adopt;
mod compose;
mod find;
mod ground;
mod plan;
mod run;
mod standstill;
mod works;

pub use adopt::{adopt_here, take_in};
pub use find::{Team, take_part, team_on_remote};
pub use ground::{Ground, OnTop, follow, ground};
pub use run::{ask, sync};
pub use standstill::Standstill;

use std::time::Duration;

use crate::store::Link;

use super::requests::NotGranted;
use super::{Context, OpsError};

/// Whether to ask the remote for news first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    Always,
    /// Only if a push is refused, which one exchange less pays for.
    IfRefused,
}

/// Whether to bring the board up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoardToo {
    Yes,
    No,
}

/// Whether to tell other clones who is alive here, if it is time to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceToo {
    Yes,
    No,
}

/// Whether a clone without a record takes the remote's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopt {
    Yes,
    No,
}

#[derive(Debug, Clone, Copy)]
pub struct SyncOptions {
    pub fetch: Fetch,
    pub board: BoardToo,
    pub adopt: Adopt,
    pub presence: PresenceToo,
}

impl SyncOptions {
    /// Everything, as `reflectt sync` does it.
    pub const FULL: SyncOptions = SyncOptions {
        fetch: Fetch::Always,
        board: BoardToo::Yes,
        adopt: Adopt::No,
        presence: PresenceToo::Yes,
    };
}

/// What a sync did.
#[derive(Debug, Default)]
pub struct SyncReport {
    /// How many commits came.
    pub pulled: usize,
    /// How many commits went.
    pub pushed: usize,
    /// How many files were merged because both sides had changed something.
    pub merged: usize,
    /// What was asked for without the remote, and was not granted.
    pub lost: Vec<NotGranted>,
    pub warnings: Vec<String>,
    /// Why the remote would not take the record, if it would not; it is kept here.
    pub refused: Option<String>,
}

impl SyncReport {
    /// Returns what somebody should know of it, a sentence each.
    pub fn remarks(&self) -> impl Iterator<Item = String> {
        let lost = self.lost.iter().map(ToString::to_string);
        self.warnings.iter().cloned().chain(lost)
    }
}

/// How long a call to the remote may take where no settings are known.
const LIMIT: Duration = Duration::from_secs(30);

/// Returns how long a call to the remote may take.
pub fn time_limit(ctx: &Context) -> Duration {
    match ctx.store().snapshot() {
        Ok(snapshot) => match snapshot.settings() {
            Ok(settings) => settings.sync_time_limit.into(),
            Err(_) => LIMIT,
        },
        Err(_) => LIMIT,
    }
}

/// Exchanges with the remote what a command has done, unless somebody else takes care of it.
///
/// Returns `None` if there is nothing to do: no remote, or a daemon is at work.
pub fn sync_after(ctx: &Context) -> Result<Option<SyncReport>, OpsError> {
    let store = ctx.store();
    if store.link().is_none() || ctx.is_offline() || !ctx.has_worked() || store.daemon().is_taken()
    {
        return Ok(None);
    }
    let interval: Duration = match store.snapshot() {
        Ok(snapshot) => snapshot.settings()?.sync_interval.into(),
        Err(_) => return Ok(None),
    };
    let fresh = store.fetched_ago().is_some_and(|ago| ago < interval);
    let options = SyncOptions {
        fetch: if fresh {
            Fetch::IfRefused
        } else {
            Fetch::Always
        },
        board: BoardToo::No,
        ..SyncOptions::FULL
    };
    sync(ctx, options).map(Some)
}

/// How long a daemon believes that somebody waits for news.
const AWAITED: Duration = Duration::from_secs(8);

/// Tells whether somebody waits for news in this clone.
pub fn is_awaited(ctx: &Context) -> bool {
    let ago = ctx.store().daemon().awaited_ago();
    ago.is_some_and(|ago| ago < AWAITED)
}

/// Asks the remote for news on behalf of somebody who waits for them, if nobody else does.
///
/// Returns when to do so again; `None` if there is no remote. A daemon is told that it may ask
/// more often as long as somebody waits.
pub fn listen(ctx: &Context) -> Option<Duration> {
    let store = ctx.store();
    if store.link().is_none() || ctx.is_offline() {
        return None;
    }
    if store.daemon().is_taken() {
        store.daemon().note_awaited();
        return Some(AWAITED / 2);
    }
    let snapshot = store.snapshot().ok()?;
    let interval = Duration::from(snapshot.settings().ok()?.sync_interval);
    match store.fetched_ago() {
        Some(ago) if ago < interval => Some(interval.saturating_sub(ago)),
        _ => {
            let options = SyncOptions {
                board: BoardToo::No,
                ..SyncOptions::FULL
            };
            // Unreachable now, it is asked again; whoever waits sees what comes from here.
            match sync(ctx, options) {
                Ok(report) => {
                    ctx.note_warnings(report.remarks());
                    let news = report.pulled > 0;
                    Some(if news { Duration::ZERO } else { interval })
                }
                Err(_) => Some(interval),
            }
        }
    }
}

/// Returns how many commits of this clone the remote does not have, as far as is known here, and
/// how many requests wait for it.
pub fn waiting(ctx: &Context) -> Result<usize, OpsError> {
    let store = ctx.store();
    let Some(link) = store.link() else {
        return Ok(0);
    };
    let (local, known) = (store.local_tips()?, store.tracking_tips(&link)?);
    let mut count = store.requests()?.len();
    for (here, there) in [(local.record, known.record), (local.table, known.table)] {
        if let Some(here) = here.filter(|here| Some(*here) != there) {
            count += store.repo().commits_beyond(there, here)?.len();
        }
    }
    Ok(count)
}

/// Returns the remote of this clone's team.
///
/// # Errors
///
/// [`OpsError::NoRemote`] if it has none.
pub fn link(ctx: &Context) -> Result<Link, OpsError> {
    ctx.store().link().ok_or(OpsError::NoRemote)
}
