//! What happened.

pub use crate::store::HistoryEvent;
pub use crate::store::Subject as HistorySubject;

use super::{Context, OpsError};

/// Returns the last `limit` events, oldest first.
pub fn events(ctx: &Context, limit: usize) -> Result<Vec<HistoryEvent>, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    ctx.beat(&snapshot)?;
    Ok(ctx.store().events(snapshot.tip, None, limit)?)
}
