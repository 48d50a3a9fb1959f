//! What happened, and what happens.

use std::time::{Duration, Instant};

use crate::git::{Oid, RefWatcher};
pub use crate::store::HistoryEvent;
pub use crate::store::Subject as HistorySubject;

use super::{Context, OpsError, sync};

/// Returns the last `limit` events, oldest first.
pub fn events(ctx: &Context, limit: usize) -> Result<Vec<HistoryEvent>, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    ctx.beat(&snapshot)?;
    Ok(ctx.store().events(snapshot.tip, None, limit)?)
}

/// Follows the record from where it stands.
pub struct Follow<'c> {
    ctx: &'c Context,
    watcher: RefWatcher,
    tip: Oid,
}

/// Starts to follow: the last `limit` events, and the rest as it comes.
pub fn follow(ctx: &Context, limit: usize) -> Result<(Vec<HistoryEvent>, Follow<'_>), OpsError> {
    let watcher = RefWatcher::new(ctx.repo(), &[ctx.store().record_ref().clone()])?;
    let snapshot = ctx.store().snapshot()?;
    let events = ctx.store().events(snapshot.tip, None, limit)?;
    let tip = snapshot.tip;
    Ok((events, Follow { ctx, watcher, tip }))
}

/// How often a follower is shown to be alive.
const BEAT: Duration = Duration::from_secs(60);

impl Follow<'_> {
    /// Waits for the next events. Empty when there was none for a while.
    pub fn wait(&mut self) -> Result<Vec<HistoryEvent>, OpsError> {
        let until = sync::listen(self.ctx).unwrap_or(BEAT).min(BEAT);
        self.watcher.wait(Some(Instant::now() + until))?;
        let snapshot = self.ctx.store().snapshot()?;
        self.ctx.beat(&snapshot)?;
        let events = self
            .ctx
            .store()
            .events(snapshot.tip, Some(self.tip), usize::MAX)?;
        self.tip = snapshot.tip;
        Ok(events)
    }
}
