//! Making the claims table and the record agree, where a process died between the two.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::event::Decided;
use crate::model::extra::Extra;
use crate::model::id::{Stamp, TaskId};
use crate::model::mend::{self, Repairs};
use crate::model::message::{Message, Notice};
use crate::model::name::{AgentName, Author};
use crate::model::queue::Dependency;
use crate::model::task::TaskLog;
use crate::model::time::Timestamp;
use crate::store::{Changes, Snapshot};

use super::{Context, OpsError};

/// Returns in what table and record disagree: in nothing, where the table cannot be read.
pub fn disagreement(snapshot: &Snapshot) -> Result<Repairs, OpsError> {
    let Some(table) = snapshot.known_table()? else {
        return Ok(Repairs::default());
    };
    let closed = |id| {
        let state = snapshot.dependency(id).unwrap_or(Dependency::Unknown);
        matches!(state, Dependency::Done | Dependency::Cancelled)
    };
    Ok(mend::compare(table, snapshot.open()?.iter(), closed))
}

/// Returns what this clone has to write to make them agree; `None` if there is nothing.
///
/// With a remote, nobody judges by an old table: a record that came another way may be newer. That
/// others may have mended the same is settled by the push, which names both as they were.
pub fn changes(
    ctx: &Context,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<Option<Changes>, OpsError> {
    let repairs = disagreement(snapshot)?;
    if repairs.is_empty() {
        return Ok(None);
    }
    let ids: BTreeSet<&TaskId> = (repairs.events.iter().map(|(id, _, _)| id))
        .chain(&repairs.drop)
        .chain(repairs.phases.iter().map(|(id, _)| id))
        .chain(repairs.fences.iter().map(|(id, _)| id))
        .chain(&repairs.forged)
        .collect();
    let ids: Vec<&str> = ids.into_iter().map(TaskId::as_str).collect();
    let subject = match &ids[..] {
        [] => "mend the fence: the table was set back".to_owned(),
        ids => format!("mend {}: table and record disagreed", ids.join(", ")),
    };
    let mut table = repairs.mend(snapshot.table()?);
    let mut tasks: BTreeMap<TaskId, TaskLog> = BTreeMap::new();
    let mut messages = Vec::new();
    let moment = snapshot.moment(now);
    for id in repairs.forged {
        let Some(entry) = snapshot.entry(id)? else {
            continue;
        };
        let mut log = snapshot.log_of(entry)?;
        let reach = snapshot.table()?.reach();
        ctx.random(|rng| log.take_back_beyond(reach, moment, rng));
        tasks.insert(id, log);
    }
    for (id, by, event) in repairs.events {
        let mut log = match (tasks.remove(&id), snapshot.entry(id)?) {
            (Some(log), _) => log,
            (None, Some(entry)) => snapshot.log_of(entry)?,
            (None, None) => continue,
        };
        let holder = |log: &TaskLog| log.fold()?.task.holder().cloned();
        if let Some(folded) = log.fold() {
            folded.task.allows(&by, &event)?;
        }
        let before = holder(&log);
        table.epoch = table.epoch.max(log.log.last_epoch() + 1);
        let decided = Decided {
            epoch: table.epoch,
            under: None,
        };
        ctx.random(|rng| {
            log.log
                .append_decided(moment, rng, by, event, Some(decided))
        });
        let after = holder(&log);
        let told = before.filter(|agent| after.as_ref() != Some(agent));
        if let Some(agent) = told {
            let stamp = ctx.random(|rng| Stamp::new(now, rng, None));
            messages.push(loss(stamp, id, agent, after.as_ref()));
        }
        tasks.insert(id, log);
    }
    Ok(Some(Changes {
        subject,
        tasks,
        table: Some(table),
        messages,
        ..Changes::default()
    }))
}

/// Tells an agent that the record had as holder and the table has not. Whoever took the task from
/// it died before this could be said.
fn loss(stamp: Stamp, id: TaskId, to: AgentName, holder: Option<&AgentName>) -> Message {
    let how = match holder {
        Some(holder) => format!("`{holder}` has it now"),
        None => "the claims table does not have it".to_owned(),
    };
    let body = format!("your claim on task `{id}` is over: {how}. Stop work on it.");
    Message {
        id: stamp,
        from: Author::reflectt(),
        to: vec![to],
        channel: None,
        task: Some(id),
        reply_to: None,
        urgent: true,
        notice: Some(Notice::ClaimLost),
        body,
        extra: Extra::default(),
    }
}
