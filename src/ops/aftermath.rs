//! What comes with every answer, at every door: the exchange at the end, and what somebody should
//! know beside it.

use std::path::PathBuf;

use super::{Context, OpsError, inspect, sync};

/// Whether what was done is exchanged with the remote at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    Now,
    /// By the daemon, or by whoever exchanges next.
    Later,
}

/// What is to be said beside an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Aftermath {
    /// A sentence each.
    pub warnings: Vec<String>,
    /// Lock files of killed processes that were cleared away.
    pub removed_locks: Vec<PathBuf>,
}

/// Ends what a door has done with a context. What fails here is only delayed.
pub fn finish(ctx: &Context, exchange: Exchange) -> Aftermath {
    let mut warnings = Vec::new();
    if exchange == Exchange::Now {
        match sync::sync_after(ctx) {
            Ok(Some(report)) => ctx.note_warnings(report.remarks()),
            Ok(None) => {}
            Err(error @ OpsError::Unreachable { .. }) => {
                warnings.push(format!("{error}; what you did is kept and goes out later"));
            }
            Err(error) => warnings.push(format!("not synchronised: {error}")),
        }
    }
    let locks = ctx.store().take_removed_locks();
    // Last: it may be where whoever asks stands, and then nothing works here any more.
    inspect::clear_checkouts(ctx);
    warnings.extend(ctx.take_warnings());
    Aftermath {
        warnings,
        removed_locks: locks.into_iter().map(|lock| lock.path).collect(),
    }
}
