//! Suspending and resuming claims for the whole team.

use crate::model::claim::Pause;
use crate::model::decide::Request;
use crate::model::text;
use crate::model::time::Span;

use super::tx::{Granted, transact};
use super::{Context, OpsError};

/// Suspends claiming for everyone, for a time or until it is resumed.
pub fn pause(ctx: &Context, reason: &str, length: Option<Span>) -> Result<Pause, OpsError> {
    let reason = text::note("reason", reason)?;
    transact(ctx, |tx| {
        let until = length.map(|length| tx.now.plus(length));
        let pause = Pause {
            by: tx.me.clone(),
            reason: reason.clone(),
            since: tx.now,
            until,
        };
        tx.ask(&Request::Pause(pause.clone()))?;
        tx.subject(format!("pause: {reason}"));
        Ok(tx.table()?.pause.clone().unwrap_or(pause))
    })
}

/// Lets the team claim again. Tells whether it was paused.
pub fn resume(ctx: &Context) -> Result<bool, OpsError> {
    transact(ctx, |tx| {
        tx.subject("resume");
        Ok(matches!(tx.ask(&Request::Resume)?, Granted::Changed { .. }))
    })
}
