//! Waiting until there is something to do.

use std::time::{Duration, Instant};

use crate::git::{Cancel, RefWatcher, Woken};
use crate::model::message::Message;

use super::inbox::inbox;
use super::next::{NextUp, next};
use super::overdue::see_to_reviews_on_the_way;
use super::status::{Action, AgentStatus, status};
use super::work_branch::Branch;
use super::{Context, OpsError, sync};

/// How often whoever waits is shown to be alive, and looks whether time alone has changed anything.
const BEAT: Duration = Duration::from_secs(60);

/// Looks until there is something to see, whenever record or claims table have moved; `None` when
/// the time is over, or the wait is cancelled.
///
/// The watcher is made before the first look, so that what comes between the two is not slept
/// through. The daemon, if there is one, asks the remote more often meanwhile.
fn wait_until<T>(
    ctx: &Context,
    limit: Duration,
    look: impl FnMut() -> Result<Option<T>, OpsError>,
) -> Result<Option<T>, OpsError> {
    wait_unless(ctx, limit, &ctx.repo().runner().cancel(), look)
}

/// The same, until it is cancelled.
fn wait_unless<T>(
    ctx: &Context,
    limit: Duration,
    cancel: &Cancel,
    mut look: impl FnMut() -> Result<Option<T>, OpsError>,
) -> Result<Option<T>, OpsError> {
    let deadline = Instant::now().checked_add(limit);
    let store = ctx.store();
    let names = [store.record_ref().clone(), store.claims_ref().clone()];
    let mut watcher = RefWatcher::new(ctx.repo(), &names)?.cancelled_by(cancel.clone());
    loop {
        if cancel.is_cancelled() {
            return Ok(None);
        }
        see_to_reviews_on_the_way(ctx);
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        let beat = Instant::now() + sync::listen(ctx).unwrap_or(BEAT).min(BEAT);
        let until = deadline.map_or(beat, |deadline| deadline.min(beat));
        if watcher.wait(Some(until))? == Woken::Changed {
            continue;
        }
        if cancel.is_cancelled() || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Ok(None);
        }
    }
}

/// Waits until there is an unread message, and returns all there are; none when the time is over.
pub fn wait_for_mail(ctx: &Context, limit: Duration) -> Result<Vec<Message>, OpsError> {
    let found = wait_until(ctx, limit, || {
        Ok(Some(inbox(ctx)?).filter(|found| !found.is_empty()))
    })?;
    Ok(found.unwrap_or_default())
}

/// Waits until there is something to do other than wait, and returns where whoever asks stands
/// then, or when the time is over.
pub fn wait_for_work(ctx: &Context, limit: Duration) -> Result<AgentStatus, OpsError> {
    let found = wait_until(ctx, limit, || {
        Ok(Some(status(ctx)?).filter(AgentStatus::has_work))
    })?;
    match found {
        Some(found) => Ok(found),
        None => status(ctx),
    }
}

/// Waits until `is_news` says of where whoever asks stands that there is something new in it;
/// `None` when the time is over, or the wait was cancelled.
pub fn wait_for_news(
    ctx: &Context,
    limit: Duration,
    cancel: &Cancel,
    mut is_news: impl FnMut(&AgentStatus) -> bool,
) -> Result<Option<AgentStatus>, OpsError> {
    wait_unless(ctx, limit, cancel, || {
        Ok(Some(status(ctx)?).filter(|status| is_news(status)))
    })
}

/// Waits until there is a task to take, or something else to do, and returns what is next then, or
/// when the time is over.
pub fn wait_for_task(
    ctx: &Context,
    claim: Option<&Branch>,
    limit: Duration,
) -> Result<NextUp, OpsError> {
    let mut last = None;
    let found = wait_until(ctx, limit, || {
        let up = next(ctx, claim)?;
        if up.task.is_some() || status(ctx)?.has_work() {
            return Ok(Some(up));
        }
        last = Some(up);
        Ok(None)
    })?;
    match (found, last) {
        (Some(up), _) | (None, Some(up)) => Ok(up),
        (None, None) => next(ctx, claim),
    }
}

impl AgentStatus {
    /// Tells whether there is anything to do but wait.
    pub fn has_work(&self) -> bool {
        !matches!(self.action(), Action::Wait(_))
    }
}
