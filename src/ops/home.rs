//! The clone that an agent's name belongs to: its seat is there.
//!
//! Two agents of one name in two clones would take each other's work for their own. So joining
//! notes the clone, and who acts under that name in another one is told, as long as there are
//! signs of life from the first. A seat that has gone silent goes to whoever acts next.

use crate::model::agent::{Agent, AgentEvent, AgentKind, Home};
use crate::model::claim::CloneId;
use crate::model::name::AgentName;
use crate::model::time::Timestamp;
use crate::store::{Here, Link, Snapshot, agent_key};

use super::tx::Tx;
use super::{Context, OpsError};

/// An agent's name whose seat is in another clone, where somebody lives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is at work in another clone")]
pub struct Elsewhere {
    pub name: AgentName,
    /// Since when its seat is there, if that was noted, and its last sign of life, both by the
    /// clock of that clone.
    pub since: Option<Timestamp>,
    pub seen: Timestamp,
    /// The nearest name that nobody on the team has.
    pub free: AgentName,
}

/// Returns who has the seat of this name, if it lives in another clone.
///
/// Where no seat was noted, because an older version let it join, that is any other clone with a
/// sign of life.
pub fn elsewhere(
    ctx: &Context,
    snapshot: &Snapshot,
    agent: &Agent,
) -> Result<Option<Elsewhere>, OpsError> {
    let Some((link, here)) = abroad(ctx, agent)? else {
        return Ok(None);
    };
    let mut seen = None;
    match &agent.home {
        Some(home) => seen = last_sign(ctx, snapshot, &link, agent, &home.clone)?,
        None => {
            for clone in ctx.store().signs_of_others(&link, &here.id)?.into_keys() {
                seen = seen.max(last_sign(ctx, snapshot, &link, agent, &clone)?);
            }
        }
    }
    let Some(seen) = seen else { return Ok(None) };
    Ok(Some(Elsewhere {
        name: agent.name.clone(),
        since: agent.home.as_ref().map(|home| home.since),
        seen,
        free: free_name(snapshot, &agent.name)?,
    }))
}

/// Tells an agent whose seat is elsewhere that it is, beside the answer to what it asked.
pub fn remind(ctx: &Context, snapshot: &Snapshot, agent: &Agent) {
    // Nobody is kept from working by what cannot be read.
    if agent.home.is_some()
        && let Ok(Some(Elsewhere { name, free, .. })) = elsewhere(ctx, snapshot, agent)
    {
        ctx.note_warnings([format!(
            "`{name}` is at work in another clone, and what it holds there is not yours: `reflectt join {free}` gives you a name of your own, `reflectt join {name} --here` brings `{name}` here"
        )]);
    }
}

/// Returns the nearest name that nobody on the team has.
pub fn free_name(snapshot: &Snapshot, name: &AgentName) -> Result<AgentName, OpsError> {
    let agents = snapshot.agents()?;
    let free = name.nearest().find(|name| !agents.contains_key(name));
    Ok(free.expect("a team has fewer agents than there are numbers"))
}

/// Returns the remote and this clone, if the seat of an agent is not here.
///
/// Without a remote there is no other clone. People may sit in several.
fn abroad(ctx: &Context, agent: &Agent) -> Result<Option<(Link, Here)>, OpsError> {
    let Some(link) = ctx.store().link() else {
        return Ok(None);
    };
    if agent.kind == AgentKind::Human {
        return Ok(None);
    }
    let here = ctx.here()?;
    let is_here = |home: &Home| here.made(&home.clone);
    Ok(match &agent.home {
        Some(home) if is_here(home) => None,
        _ => Some((link, here)),
    })
}

/// Returns when there was last a sign of an agent in another clone; `None` if it is silent there.
///
/// Silent by our observation, or by that clone's clock: a sign that is seen for the first time may
/// be old. If that clock is wrong, the seat moves too soon, and who had it is told.
fn last_sign(
    ctx: &Context,
    snapshot: &Snapshot,
    link: &Link,
    agent: &Agent,
    clone: &CloneId,
) -> Result<Option<Timestamp>, OpsError> {
    let limit = snapshot.settings()?.expire_after;
    let home = agent.home.as_ref().filter(|home| home.clone == *clone);
    let joined = home.map(|home| home.since);
    let sign = ctx.store().sign_of(link, clone, &agent.name)?;
    let said = sign.as_ref().map(|sign| sign.at);
    let left = sign.is_some_and(|sign| sign.signed_off) && said >= joined;
    let observed = ctx.store().observed();
    let silent = observed.age(&agent_key(&agent.name, clone)) >= Some(limit);
    if left || silent {
        return Ok(None);
    }
    let recent = |at: &Timestamp| ctx.now().since(*at) < limit;
    Ok(said.max(joined).filter(recent))
}

impl Tx<'_, '_> {
    /// Moves the seat of whoever acts to this clone, if it is silent where it was.
    pub fn sit_down(&mut self) -> Result<(), OpsError> {
        let agent = self.snapshot.agents()?.get(&self.me);
        let Some(agent) = agent.filter(|agent| agent.home.is_some()) else {
            return Ok(());
        };
        // Who leaves the team takes no seat.
        if (self.changes().agents.iter()).any(|log| log.name == agent.name) {
            return Ok(());
        }
        let Some((_, here)) = abroad(self.ctx, agent)? else {
            return Ok(());
        };
        if elsewhere(self.ctx, self.snapshot, agent)?.is_some() {
            return Ok(());
        }
        if let Some(mut log) = self.snapshot.agent_log(&self.me)? {
            let (moment, author) = (self.moment(), self.author());
            let event = AgentEvent::Joined(agent.profile_in(here.id));
            (self.ctx).random(|rng| (log.log).append(moment, rng, author, event));
            self.changes().agents.push(log);
        }
        Ok(())
    }
}
