//! Suspending and resuming claims for the whole team.

use crate::model::claim::Pause;
use crate::model::decide::Request;
use crate::model::name::AgentName;
use crate::model::rule::Refusal;
use crate::model::text;
use crate::model::time::{Span, Timestamp};

use super::requests::Act;
use super::tx::{Granted, Tx, transact};
use super::{Context, OpsError};

/// Suspends claiming for everyone, for a time or until it is resumed.
pub fn pause(ctx: &Context, reason: &str, length: Option<Span>) -> Result<Pause, OpsError> {
    let reason = text::note("reason", reason)?;
    transact(ctx, |tx| {
        let until = length.map(|length| tx.now.plus(length));
        stop(tx, &reason, until)
    })
}

/// The same, in a turn of an operation.
pub fn stop(tx: &mut Tx, reason: &str, until: Option<Timestamp>) -> Result<Pause, OpsError> {
    let pause = Pause {
        by: tx.me.clone(),
        reason: reason.to_owned(),
        since: tx.now,
        until,
    };
    tx.doing(|| Act::Pause {
        reason: reason.to_owned(),
        until: until.map(|until| until.0),
    });
    tx.ask(&Request::Pause(pause.clone()))?;
    tx.subject(format!("pause: {reason}"));
    Ok(tx.table()?.pause.clone().unwrap_or(pause))
}

/// Lets the team claim again. Tells whether it was paused.
pub fn resume(ctx: &Context) -> Result<bool, OpsError> {
    transact(ctx, |tx| go_on(tx, None))
}

/// The same, in a turn of an operation. If it is about the pause `seen`, no other is ended.
pub fn go_on(tx: &mut Tx, seen: Option<(&AgentName, Timestamp)>) -> Result<bool, OpsError> {
    if let Some(pause) = tx.table()?.pause.clone() {
        if seen.is_some_and(|seen| seen != (&pause.by, pause.since)) {
            let Pause { by, reason, .. } = pause;
            return Err(Refusal::PausedAgain { by, reason }.into());
        }
        tx.doing(|| Act::Resume {
            by: pause.by.to_string(),
            since: pause.since.0,
        });
    }
    tx.subject("resume");
    Ok(matches!(tx.ask(&Request::Resume)?, Granted::Changed { .. }))
}
