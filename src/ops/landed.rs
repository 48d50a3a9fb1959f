//! Noticing that approved work has come onto the landing branch, whoever brought it there.

use std::collections::BTreeSet;

use crate::git::Oid;
use crate::model::decide::Request;
use crate::model::id::TaskId;
use crate::model::message::Notice;
use crate::model::task::{Task, TaskEvent};
use crate::store::Entry;

use super::tx::{Tx, transact_itself};
use super::{Context, OpsError, chain, landing, review};

/// Records what has landed since this clone last looked. Costs nothing while the branch stays
/// where it is, and nothing more is approved.
///
/// Without the remote's word nothing is decided; whoever asks it next does this again.
pub fn notice(ctx: &Context) -> Result<Vec<TaskId>, OpsError> {
    let store = ctx.store();
    // Where there is no team, whoever wants something of it is told.
    let Ok(snapshot) = store.snapshot() else {
        return Ok(Vec::new());
    };
    // What a lander that was killed has left in a worktree is put right by whoever comes next.
    ctx.repo().settle_advance()?;
    let mut approved = waiting(snapshot.open()?).peekable();
    if ctx.is_offline() || approved.peek().is_none() {
        return Ok(Vec::new());
    }
    let Some(landing) = landing::of(ctx, &snapshot)? else {
        return Ok(Vec::new());
    };
    let Some(tip) = landing.tip else {
        return Ok(Vec::new());
    };
    let tasks: Vec<&Task> = approved.map(Entry::task).collect();
    let heads = heads(ctx, &tasks)?;
    if store.landing_seen(tip, &heads) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let have = landing.have(ctx, &snapshot, &tasks)?;
    for (task, commit) in tasks.iter().zip(have) {
        found.extend(commit.map(|_| task.id));
    }
    if !found.is_empty() {
        match record(ctx, &found) {
            Err(OpsError::Unreachable { .. }) => return Ok(Vec::new()),
            done => done?,
        }
    }
    // Forgotten, it is only looked at again.
    store.note_landing_seen(tip, &heads).ok();
    Ok(found)
}

/// Returns the commits that can be looked for here.
fn heads(ctx: &Context, tasks: &[&Task]) -> Result<BTreeSet<String>, OpsError> {
    let mut heads = BTreeSet::new();
    for task in tasks {
        let submission = task.submission.as_ref();
        if let Some(commit) = submission.and_then(|it| it.1.commit.as_ref())
            && ctx.repo().exists(Oid::parse(commit)?)
        {
            heads.insert(commit.clone());
        }
    }
    Ok(heads)
}

/// Does so for whoever wants something else, and would not be stopped by what comes of it.
pub fn notice_in_passing(ctx: &Context) {
    if let Err(error) = notice(ctx) {
        let reason = chain(&error);
        ctx.note_warnings([format!("what has landed could not be recorded: {reason}")]);
    }
}

/// Returns the tasks that are approved and wait to land.
pub fn waiting(open: &[Entry]) -> impl Iterator<Item = &Entry> {
    let submitted =
        |entry: &&Entry| entry.glance().status == crate::model::task::Status::Validating;
    (open.iter().filter(submitted)).filter(|entry| entry.task().waits_to_land())
}

fn record(ctx: &Context, found: &[TaskId]) -> Result<(), OpsError> {
    transact_itself(ctx, |tx| {
        tx.deciding();
        let Some(landing) = landing::of(ctx, tx.snapshot)? else {
            return Ok(());
        };
        let mut ids = Vec::new();
        for id in found {
            let task = tx.task(*id)?;
            if task.waits_to_land()
                && let Some(commit) = landing.has(ctx, tx.snapshot, &task)?
            {
                land(tx, &task, commit)?;
                ids.push(id.to_string());
            }
        }
        tx.subject(format!("landed: {}", ids.join(", ")));
        Ok(())
    })
}

/// Records that a task has landed, as `commit`, in a turn of an operation.
pub fn land(tx: &mut Tx, task: &Task, commit: String) -> Result<(), OpsError> {
    let Some((submission, _)) = task.submission else {
        return Ok(());
    };
    let id = task.id;
    let short = crate::model::text::short_commit(&commit).to_owned();
    let done = tx.event(id, TaskEvent::Landed { submission, commit })?;
    tx.ask(&Request::Close { id })?;
    tx.settle_mail(id, &[Notice::Approved])?;
    review::finished_with(tx, &done, &format!("`{id}` has landed as {short}."))
}
