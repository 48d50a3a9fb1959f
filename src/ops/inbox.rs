//! Reading one's messages. Showing a message does not mark it as read.

use std::time::{Duration, Instant};

use crate::git::{RefWatcher, Woken};
use crate::model::message::Message;

use super::{Context, OpsError, sync};

/// Returns the unread messages of whoever asks, oldest first.
pub fn inbox(ctx: &Context) -> Result<Vec<Message>, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    let me = ctx.my_seat(&snapshot)?.name.clone();
    ctx.beat(&snapshot)?;
    Ok(snapshot
        .unread(&me)?
        .into_iter()
        .map(|mail| mail.message)
        .collect())
}

/// How often whoever waits is shown to be alive.
const BEAT: Duration = Duration::from_secs(60);

/// Waits until there is an unread message, and returns all there are; none when the time is over.
///
/// The watcher is made before the first look, so that a message which arrives between the two is
/// not slept through.
pub fn wait_for_mail(ctx: &Context, limit: Duration) -> Result<Vec<Message>, OpsError> {
    let deadline = Instant::now().checked_add(limit);
    let mut watcher = RefWatcher::new(ctx.repo(), &[ctx.store().record_ref().clone()])?;
    loop {
        let found = inbox(ctx)?;
        if !found.is_empty() {
            return Ok(found);
        }
        let beat = Instant::now() + sync::listen(ctx).unwrap_or(BEAT).min(BEAT);
        let until = deadline.map_or(beat, |deadline| deadline.min(beat));
        if watcher.wait(Some(until))? == Woken::TimedOut
            && deadline.is_some_and(|deadline| Instant::now() >= deadline)
        {
            return Ok(found);
        }
    }
}
