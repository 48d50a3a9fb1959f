//! Saying that a task cannot go on, and that it can again.

use crate::model::agent::AgentKind;
use crate::model::claim::Phase;
use crate::model::decide::Request;
use crate::model::id::IdPrefix;
use crate::model::message::Notice;
use crate::model::name::AgentName;
use crate::model::queue::Dependency;
use crate::model::rule::Refusal;
use crate::model::task::{Task, TaskEvent};
use crate::model::text;
use crate::store::Snapshot;

use super::requests::Act;
use super::tx::{Tx, transact};
use super::{Context, OpsError, find, task_edit};

#[derive(Debug, Clone)]
pub struct Blocking {
    pub reason: String,
    /// The task it waits on.
    pub on: Option<IdPrefix>,
    pub needs_human: bool,
}

/// Marks a task as blocked. Its holder keeps it, and may take another.
pub fn block(ctx: &Context, id: &IdPrefix, blocking: &Blocking) -> Result<Task, OpsError> {
    let blocking = Blocking {
        reason: text::note("reason", &blocking.reason)?,
        ..blocking.clone()
    };
    transact(ctx, |tx| mark(tx, id, &blocking))
}

/// The same, in a turn of an operation.
pub fn mark(tx: &mut Tx, id: &IdPrefix, blocking: &Blocking) -> Result<Task, OpsError> {
    tx.deciding();
    let id = find::task_id(tx.snapshot, id)?;
    let reason = &blocking.reason;
    let on = match &blocking.on {
        Some(on) => Some(find::task_id(tx.snapshot, on)?),
        None => None,
    };
    task_edit::check_cycle(tx, id, on)?;
    if let Some(on) = on
        && tx.dependency(on) == Dependency::Done
    {
        return Err(Refusal::NothingToAwait { task: on }.into());
    }
    tx.doing(|| Act::Block {
        id: id.to_string(),
        reason: reason.clone(),
        on: on.map(|on| on.to_string()),
        needs_human: blocking.needs_human,
    });
    tx.ask(&Request::Phase {
        id,
        agent: tx.me.clone(),
        to: Phase::Blocked,
    })?;
    let task = tx.event(
        id,
        TaskEvent::Blocked {
            reason: reason.clone(),
            on,
            needs_human: blocking.needs_human,
        },
    )?;
    if blocking.needs_human {
        let humans = humans(tx.snapshot)?;
        let body = format!("`{id}` ({}) needs a person: {reason}", task.title);
        tx.notify(humans, Notice::NeedsHuman, Some(id), body);
    }
    tx.subject(format!("block {id}: {reason}"));
    Ok(task)
}

/// Takes a blocked task up again, if its holder has a free slot.
pub fn unblock(ctx: &Context, id: &IdPrefix) -> Result<Task, OpsError> {
    transact(ctx, |tx| unmark(tx, id))
}

/// The same, in a turn of an operation.
pub fn unmark(tx: &mut Tx, id: &IdPrefix) -> Result<Task, OpsError> {
    tx.deciding();
    let id = find::task_id(tx.snapshot, id)?;
    tx.doing(|| Act::Unblock { id: id.to_string() });
    tx.ask(&Request::Phase {
        id,
        agent: tx.me.clone(),
        to: Phase::Working,
    })?;
    let task = tx.event(id, TaskEvent::Unblocked)?;
    tx.subject(format!("unblock {id}: {}", task.title));
    Ok(task)
}

/// Returns who is asked when a person is needed: those named in the settings, else all people.
pub fn humans(snapshot: &Snapshot) -> Result<Vec<AgentName>, OpsError> {
    let agents = snapshot.agents()?;
    let named = &snapshot.settings()?.humans;
    if !named.is_empty() {
        return Ok(named
            .iter()
            .filter(|name| agents.contains_key(name))
            .cloned()
            .collect());
    }
    let people = agents
        .values()
        .filter(|agent| agent.kind == AgentKind::Human);
    Ok(people.map(|agent| agent.name.clone()).collect())
}
