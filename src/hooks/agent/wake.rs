//! Waking an agent whose turn has ended, when there is something new for it.
//!
//! The harness starts this as its turn ends, beside the event that may ask the agent to go on, and
//! lets it run on. What was there when it began was known then: only what comes later wakes.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use crate::git::{Cancel, Fate};
use crate::model::harness::Harness;
use crate::ops::{AgentStatus, OpsError, status, wait_for_news};

use super::facts::Fact;
use super::respond::{Moment, Part, Reply, note_nudge, was_nudged};

/// How long a session is waited for: a little less than the harness lets it. Who comes back later
/// starts with a prompt.
const WAIT_MAX: Duration = Duration::from_secs(4 * 3600 - 60);
/// How often it is looked whether anybody is left to be woken.
const LOOK: Duration = Duration::from_secs(1);

/// In git's configuration: `attended` (the default), `always` or `never`.
const WAKE_KEY: &str = "reflectt.wake";

/// Waits until there is something new for the agent, as long as its session is idle.
pub(super) fn wake(moment: &Moment) -> Result<Reply, OpsError> {
    // What waits has no time limit.
    moment.asking.limit.lift();
    let input = moment.asking.input;
    let waits = match moment.ctx.repo().config(WAKE_KEY).as_deref() {
        Some("always") => true,
        Some("never") => false,
        // A session of one turn would never end.
        _ => !moment.asking.is_unattended,
    };
    if !waits || input.ended_badly || moment.asking.is_guest {
        return Ok(Reply::Nothing);
    }
    // Cursor runs Claude Code's hooks as well, and waits for them.
    if moment.asking.harness == Harness::Claude && input.is_of_cursor() {
        return Ok(Reply::Nothing);
    }
    let harness = moment.process();
    let first = match status(moment.ctx) {
        Ok(status) => status,
        Err(OpsError::NotFound { .. }) => return Ok(Reply::Nothing),
        Err(error) => return Err(error),
    };
    let mut news = News::after(&first);
    drop(first);
    // One for each session: whoever comes later takes the place, and a new turn clears it.
    let mine = moment.ctx.random(|rng| rng.u64(..));
    moment.change(|session| {
        session.waiter = Some(mine);
        Ok(())
    })?;
    let cancel = Cancel::default();
    let (sessions, id) = (moment.ctx.store().agent_sessions(), moment.id.clone());
    let ended = cancel.clone();
    thread::spawn(move || {
        let is_mine = || sessions.get(&id).is_some_and(|it| it.waiter == Some(mine));
        while is_mine() && harness.fate() != Fate::Ended {
            thread::sleep(LOOK);
        }
        ended.cancel();
    });
    let mut found = Vec::new();
    wait_for_news(moment.ctx, WAIT_MAX, &cancel, |status| {
        let session = moment.sessions.get(&moment.id).unwrap_or_default();
        found = news.of(status);
        found.retain(|fact| !was_nudged(&session, fact));
        !found.is_empty()
    })?;
    if found.is_empty() || cancel.is_cancelled() {
        return Ok(Reply::Nothing);
    }
    moment.change(|session| {
        // A turn has begun while this was found: it has it told by other ways.
        if session.waiter != Some(mine) {
            return Ok(Reply::Nothing);
        }
        session.waiter = None;
        found.iter().for_each(|fact| note_nudge(session, fact));
        Ok(Reply::Rouse(vec![Part::News(found)]))
    })
}

/// Tells what is new from what was there.
struct News {
    known: BTreeSet<String>,
    could_take: bool,
}

impl News {
    fn after(status: &AgentStatus) -> News {
        News {
            known: Fact::all(status).iter().map(Fact::key).collect(),
            could_take: status.next.is_some(),
        }
    }

    /// Returns what is new since this was last asked. That another task is the best one to take is
    /// nothing new to somebody who could have taken one.
    fn of(&mut self, status: &AgentStatus) -> Vec<Fact> {
        let could_take = std::mem::replace(&mut self.could_take, status.next.is_some());
        let known = &mut self.known;
        let facts = Fact::all(status).into_iter();
        let new = facts.filter(|fact| known.insert(fact.key()));
        new.filter(|fact| fact.wakes() && !(could_take && matches!(fact, Fact::Take(_))))
            .collect()
    }
}
