//! Giving a task up, and opening it again.

use crate::model::agent::AgentKind;
use crate::model::decide::Request;
use crate::model::id::{IdPrefix, TaskId};
use crate::model::message::Notice;
use crate::model::task::{Task, TaskEvent};
use crate::model::text;
use crate::store::Entry;

use super::release::ASKED;
use super::requests::Act;
use super::tx::{Tx, transact};
use super::{Context, OpsError, find};

#[derive(Debug)]
pub struct Cancelled {
    pub task: Task,
    /// Open tasks that wait for it, and would for ever.
    pub waiting: Vec<TaskId>,
}

/// Cancels an open task and frees what was claimed with it.
pub fn cancel(ctx: &Context, id: &IdPrefix, reason: &str) -> Result<Cancelled, OpsError> {
    let reason = text::note("reason", reason)?;
    transact(ctx, |tx| give_up(tx, id, &reason))
}

/// The same, in a turn of an operation.
pub fn give_up(tx: &mut Tx, id: &IdPrefix, reason: &str) -> Result<Cancelled, OpsError> {
    tx.deciding();
    let id = find::task_id(tx.snapshot, id)?;
    tx.doing(|| Act::Cancel {
        id: id.to_string(),
        reason: reason.to_owned(),
    });
    let before = tx.task(id)?;
    let human = find::agent(tx.snapshot, &tx.me)?.kind == AgentKind::Human;
    before.may_be_cancelled_by(&tx.author(), human)?;
    let task = tx.event(
        id,
        TaskEvent::Cancelled {
            reason: reason.to_owned(),
        },
    )?;
    tx.ask(&Request::Close { id })?;
    tx.settle_mail(id, &ASKED)?;
    tx.settle_mail(id, &[Notice::ReviewAsked, Notice::Approved, Notice::Ready])?;
    let waiting = tx
        .snapshot
        .open()?
        .iter()
        .filter(|other| !other.glance().plain)
        .map(Entry::task)
        .filter(|other| other.blocked_by.contains(&id));
    let (waiting, assignees): (Vec<TaskId>, Vec<_>) = waiting
        .map(|other| (other.id, other.assignee.clone()))
        .unzip();
    let told = before
        .assignee
        .iter()
        .chain(&before.reviewer)
        .cloned()
        .chain(assignees.into_iter().flatten());
    let body = format!(
        "`{id}` ({}) was cancelled by {}: {reason}",
        task.title, tx.me
    );
    tx.notify(told.collect::<Vec<_>>(), Notice::Cancelled, Some(id), body);
    tx.subject(format!("cancel {id}: {reason}"));
    Ok(Cancelled { task, waiting })
}

/// Opens a closed task again; it goes back to the queue, free for anyone.
pub fn reopen(ctx: &Context, id: &IdPrefix, reason: &str) -> Result<Task, OpsError> {
    let reason = text::note("reason", reason)?;
    transact(ctx, |tx| open_again(tx, id, &reason))
}

/// The same, in a turn of an operation.
pub fn open_again(tx: &mut Tx, id: &IdPrefix, reason: &str) -> Result<Task, OpsError> {
    tx.deciding();
    let id = find::task_id(tx.snapshot, id)?;
    let reason = reason.to_owned();
    tx.doing(|| Act::Reopen {
        id: id.to_string(),
        reason: reason.clone(),
    });
    tx.subject(format!("reopen {id}: {reason}"));
    tx.event(id, TaskEvent::Reopened { reason })
}
