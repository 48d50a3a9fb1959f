//! Judging another's work.

use crate::model::decide::Request;
use crate::model::id::{IdPrefix, Stamp};
use crate::model::message::Notice;
use crate::model::rule::{Refusal, Rule};
use crate::model::task::{Task, TaskEvent};
use crate::model::text;
use crate::store::Entry;

use super::requests::Act;
use super::tx::{Tx, transact};
use super::{Context, OpsError, find};

#[derive(Debug, Clone)]
pub enum Verdict {
    Approve { note: Option<String> },
    RequestChanges { note: String },
}

/// Reviews the latest submission of a task.
pub fn review(ctx: &Context, id: &IdPrefix, verdict: &Verdict) -> Result<Task, OpsError> {
    let verdict = match verdict {
        Verdict::Approve { note } => {
            let note = note.as_deref().map(|note| text::note("note", note));
            Verdict::Approve {
                note: note.transpose()?,
            }
        }
        Verdict::RequestChanges { note } => Verdict::RequestChanges {
            note: text::note("note", note)?,
        },
    };
    transact(ctx, |tx| judge(tx, id, &verdict, None))
}

/// The same, in a turn of an operation. If it is about the submission `seen`, no other is judged.
pub fn judge(
    tx: &mut Tx,
    id: &IdPrefix,
    verdict: &Verdict,
    seen: Option<Stamp>,
) -> Result<Task, OpsError> {
    let (approve, note) = match verdict {
        Verdict::Approve { note } => (true, note.clone()),
        Verdict::RequestChanges { note } => (false, Some(note.clone())),
    };
    let id = find::task_id(tx.snapshot, id)?;
    let before = tx.task(id)?;
    let Some((submission, bundle)) = before.submission.clone() else {
        let message = format!("task `{id}` is `{}`; nothing was submitted", before.status);
        return Err(Refusal::new(Rule::Status, message).into());
    };
    let submission = seen.unwrap_or(submission);
    tx.doing(|| Act::Review {
        id: id.to_string(),
        submission: submission.to_string(),
        approve,
        note: note.clone(),
    });
    if approve {
        let event = TaskEvent::Approved {
            submission,
            commit: bundle.commit,
            note: note.clone(),
        };
        let task = tx.event(id, event)?;
        tx.ask(&Request::Close { id })?;
        let said = note
            .as_ref()
            .map(|note| format!(": {note}"))
            .unwrap_or_default();
        finished_with(tx, &task, &format!("{} approved `{id}`{said}.", tx.me))?;
        tx.subject(format!("approve {id}: {}", task.title));
        return Ok(task);
    }
    let note = note.clone().expect("a request for changes has a note");
    let task = tx.event(
        id,
        TaskEvent::ChangesRequested {
            submission,
            note: note.clone(),
        },
    )?;
    tx.ask(&Request::SendBack { id })?;
    let body = format!(
        "{} asks for changes to `{id}` ({}): {note}",
        tx.me, task.title
    );
    tx.notify(task.assignee.clone(), Notice::Reviewed, Some(id), body);
    tx.subject(format!("request changes {id}: {}", task.title));
    Ok(task)
}

/// Tells those who waited for a task that it is done.
pub fn finished(tx: &mut Tx, task: &Task) -> Result<(), OpsError> {
    finished_with(tx, task, &format!("`{}` is done.", task.id))
}

fn finished_with(tx: &mut Tx, task: &Task, verdict: &str) -> Result<(), OpsError> {
    let id = task.id;
    let waits = |other: &&Task| {
        other.blocked_by.contains(&id)
            || other
                .block
                .as_ref()
                .is_some_and(|block| block.on == Some(id))
    };
    let waiting: Vec<_> = tx
        .snapshot
        .open()?
        .iter()
        .filter(|other| !other.glance().plain)
        .map(Entry::task)
        .filter(waits)
        .filter_map(|other| Some((other.assignee.clone()?, other.id)))
        .collect();
    for (agent, other) in waiting {
        let body = format!("`{id}` ({}) is done; `{other}` waited for it", task.title);
        tx.notify([agent], Notice::Ready, Some(other), body);
    }
    let body = format!(
        "{verdict} What did you learn? `reflectt reflect --task {id} --worked TEXT --pain TEXT --change TEXT`"
    );
    tx.notify(task.assignee.clone(), Notice::Finished, Some(id), body);
    Ok(())
}
