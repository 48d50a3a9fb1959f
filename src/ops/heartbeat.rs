//! Showing that one is alive. Costs no object and no commit.

use std::time::Duration;

use crate::model::text;

use super::tx::check_fenced;
use super::who::{Seat, seat};
use super::{Context, OpsError, home};

/// The longest time between two heartbeats of a running process.
const BEAT_MAX: Duration = Duration::from_secs(60);

/// Notes that whoever asks is alive, and what it is doing. Returns how it is seen now.
///
/// # Errors
///
/// [`OpsError::Fenced`] if a claim was lost and the message about it is unread.
pub fn heartbeat(ctx: &Context, note: Option<&str>) -> Result<Seat, OpsError> {
    let note = note.map(|note| text::note("note", note)).transpose()?;
    let snapshot = ctx.store().snapshot()?;
    let me = ctx.my_seat(&snapshot)?;
    ctx.presence().beat(&me.name, ctx.now(), note.as_deref())?;
    ctx.note_place(&me.name);
    home::remind(ctx, &snapshot, me);
    check_fenced(&snapshot, &me.name)?;
    seat(ctx, &snapshot, me)
}

/// Notes that a process of whoever asks is running, and returns when to do so again.
///
/// What was lost is said by the next command of that process.
pub fn keep_alive(ctx: &Context) -> Result<Duration, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    ctx.my_seat(&snapshot)?;
    ctx.beat(&snapshot)?;
    let idle_after = Duration::from(snapshot.settings()?.idle_after);
    Ok((idle_after / 3).min(BEAT_MAX))
}
