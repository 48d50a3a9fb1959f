//! Giving a task to another agent.

use crate::model::decide::Request;
use crate::model::id::IdPrefix;
use crate::model::message::Notice;
use crate::model::name::AgentName;
use crate::model::rule::Refusal;
use crate::model::task::{Task, TaskEvent};
use crate::model::text;

use super::release::ASKED;
use super::requests::Act;
use super::tx::{Granted, Tx, transact};
use super::{Context, OpsError, find};

#[derive(Debug)]
pub struct HandedOff {
    pub task: Task,
    /// Whether the receiver holds it now; else it was busy, and the task waits for it.
    pub holds: bool,
}

/// Hands a task over: with its claim if the receiver has a free slot, else reserved for it.
pub fn handoff(
    ctx: &Context,
    id: &IdPrefix,
    to: &AgentName,
    note: &str,
) -> Result<HandedOff, OpsError> {
    let note = text::note("note", note)?;
    transact(ctx, |tx| pass(tx, id, to, &note))
}

/// The same, in a turn of an operation.
pub fn pass(tx: &mut Tx, id: &IdPrefix, to: &AgentName, note: &str) -> Result<HandedOff, OpsError> {
    tx.deciding();
    let id = find::task_id(tx.snapshot, id)?;
    let receiver = find::agent(tx.snapshot, to)?;
    if *to == tx.me {
        let refusal = Refusal::ToItself {
            task: id,
            agent: to.clone(),
        };
        return Err(refusal.into());
    }
    tx.doing(|| Act::HandOff {
        id: id.to_string(),
        to: to.to_string(),
        note: note.to_owned(),
    });
    let granted = tx.ask(&Request::HandOff {
        id,
        agent: tx.me.clone(),
        to: to.clone(),
        clone: match &receiver.home {
            Some(home) => home.clone.clone(),
            None => tx.ctx.clone_id()?,
        },
        nonce: tx.nonce,
    })?;
    let fence = match granted {
        Granted::Changed {
            claim: Some(claim), ..
        } => Some(claim.fence),
        _ => None,
    };
    let task = tx.event(
        id,
        TaskEvent::HandedOff {
            to: to.clone(),
            note: note.to_owned(),
            fence,
        },
    )?;
    tx.resolve(id, &ASKED)?;
    let how = match fence {
        Some(_) => "it is yours now",
        None => "it is reserved for you; claim it when you are free",
    };
    let body = format!("{} hands you `{id}` ({}), {how}: {note}", tx.me, task.title);
    tx.notify([to.clone()], Notice::HandedOff, Some(id), body);
    tx.subject(format!("hand off {id} to {to}: {}", task.title));
    Ok(HandedOff {
        task,
        holds: fence.is_some(),
    })
}
