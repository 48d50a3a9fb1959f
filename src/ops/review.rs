//! Judging another's work.

use serde::{Deserialize, Serialize};

use crate::model::decide::Request;
use crate::model::id::{IdPrefix, Stamp, TaskId};
use crate::model::message::Notice;
use crate::model::rule::Refusal;
use crate::model::task::{Submission, Task, TaskEvent};
use crate::model::text;
use crate::store::Entry;

use super::requests::Act;
use super::stack::Beneath;
use super::tx::{Tx, transact};
use super::{Context, OpsError, find, landing, requests, stack};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approve {
        note: Option<String>,
        /// The submission that is meant: the one the reviewer was shown, or named.
        #[serde(default)]
        submission: Option<String>,
    },
    RequestChanges {
        note: String,
    },
    /// Says better what the last verdict said, which stands.
    Correct {
        note: String,
    },
}

/// Reviews the latest submission of a task.
pub fn review(ctx: &Context, id: &IdPrefix, verdict: &Verdict) -> Result<Task, OpsError> {
    let verdict = match verdict {
        Verdict::Approve { note, submission } => Verdict::Approve {
            note: (note.as_deref().map(|note| text::note("note", note))).transpose()?,
            submission: submission.clone(),
        },
        Verdict::RequestChanges { note } => Verdict::RequestChanges {
            note: text::note("note", note)?,
        },
        Verdict::Correct { note } => Verdict::Correct {
            note: text::note("note", note)?,
        },
    };
    let task = transact(ctx, |tx| judge(tx, id, &verdict))?;
    if !matches!(verdict, Verdict::Correct { .. }) {
        ctx.note_judged(task.id);
    }
    Ok(task)
}

/// Approves what whoever asks was shown last of a task, or the submission of `commit`, a revision.
pub fn approve(
    ctx: &Context,
    id: &IdPrefix,
    note: Option<String>,
    commit: Option<&str>,
) -> Result<Task, OpsError> {
    let look = requests::look(ctx)?;
    let entry = find::task(&look, id)?;
    let latest = entry.task().submission.as_ref();
    let meant = match (commit, latest) {
        (Some(commit), Some((stamp, submission))) => {
            let named = ctx.repo().resolve(commit)?.map(|oid| oid.to_string());
            if named.is_none() || named != submission.commit {
                let latest = submission.commit.as_deref();
                return Err(Refusal::OtherCommit {
                    task: entry.id(),
                    commit: commit.to_owned(),
                    latest: latest.map_or("no commit", text::short_commit).to_owned(),
                }
                .into());
            }
            Some(*stamp)
        }
        _ => ctx.store().submission_shown(ctx.me()?, entry.id()),
    };
    let submission = meant.map(|stamp| stamp.to_string());
    let unseen = submission.is_none();
    let task = review(ctx, id, &Verdict::Approve { note, submission })?;
    if unseen {
        ctx.note_warnings([format!(
            "you were not shown what was submitted of `{}` before you approved it",
            task.id
        )]);
    }
    Ok(task)
}

/// The same, in a turn of an operation.
pub fn judge(tx: &mut Tx, id: &IdPrefix, verdict: &Verdict) -> Result<Task, OpsError> {
    tx.deciding();
    let id = find::task_id(tx.snapshot, id)?;
    let before = tx.task(id)?;
    let Some((submission, bundle)) = before.submission.clone() else {
        let status = before.status;
        return Err(Refusal::NothingSubmitted { task: id, status }.into());
    };
    tx.doing(|| Act::Review {
        id: id.to_string(),
        verdict: verdict.clone(),
    });
    match verdict.clone() {
        Verdict::Approve {
            note,
            submission: meant,
        } => {
            if meant.is_some_and(|meant| meant != submission.to_string()) {
                return Err(Refusal::NewerSubmission { task: id }.into());
            }
            accept(tx, id, submission, bundle, note)
        }
        Verdict::RequestChanges { note } => send_back(tx, id, submission, note),
        Verdict::Correct { note } => correct(tx, id, submission, note),
    }
}

fn accept(
    tx: &mut Tx,
    id: TaskId,
    submission: Stamp,
    bundle: Submission,
    note: Option<String>,
) -> Result<Task, OpsError> {
    let (commit, beneath) = (bundle.commit, bundle.beneath);
    let verdict = match &note {
        Some(note) => format!("{} approved `{id}`: {note}", tx.me),
        None => format!("{} approved `{id}`", tx.me),
    };
    stack::say_what_is_beneath(tx, &beneath, Beneath::Unapproved)?;
    let landing = landing::of(tx.ctx, tx.snapshot)?;
    let event = TaskEvent::Approved {
        submission,
        lands: commit.is_some() && landing.is_some(),
        commit,
        note,
    };
    let mut task = tx.event(id, event)?;
    tx.settle_mail(id, &[Notice::ReviewAsked])?;
    tx.subject(format!("approve {id}: {}", task.title));
    if let Some(landing) = landing.filter(|_| task.waits_to_land()) {
        match landing.has(tx.ctx, tx.snapshot, &task)? {
            Some(commit) => {
                task = tx.event(id, TaskEvent::Landed { submission, commit })?;
            }
            None => {
                tx.ask(&Request::Approve { id })?;
                let verdict = text::sentence(&verdict);
                let body = format!("{verdict} It is done when it is on `{}`.", landing.branch);
                tx.notify(task.assignee.clone(), Notice::Approved, Some(id), body);
                return Ok(task);
            }
        }
    }
    tx.ask(&Request::Close { id })?;
    finished_with(tx, &task, &text::sentence(&verdict))?;
    Ok(task)
}

fn send_back(tx: &mut Tx, id: TaskId, submission: Stamp, note: String) -> Result<Task, OpsError> {
    let asked = format!("{} asks for changes to `{id}`", tx.me);
    let said = note.clone();
    let task = tx.event(id, TaskEvent::ChangesRequested { submission, note })?;
    tx.settle_mail(id, &[Notice::ReviewAsked])?;
    tx.ask(&Request::SendBack { id })?;
    let body = format!("{asked} ({}): {said}", task.title);
    tx.notify(task.assignee.clone(), Notice::Reviewed, Some(id), body);
    tx.subject(format!("request changes {id}: {}", task.title));
    Ok(task)
}

fn correct(tx: &mut Tx, id: TaskId, submission: Stamp, note: String) -> Result<Task, OpsError> {
    let body = format!("{} corrects the review of `{id}`: {note}", tx.me);
    let task = tx.event(id, TaskEvent::Corrected { submission, note })?;
    tx.notify(task.assignee.clone(), Notice::Reviewed, Some(id), body);
    tx.subject(format!("correct review {id}: {}", task.title));
    Ok(task)
}

/// Tells those who waited for a task that it is done.
pub fn finished(tx: &mut Tx, task: &Task) -> Result<(), OpsError> {
    finished_with(tx, task, &format!("`{}` is done.", task.id))
}

pub fn finished_with(tx: &mut Tx, task: &Task, verdict: &str) -> Result<(), OpsError> {
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
    let body = format!("{verdict} What did you learn?");
    tx.notify(task.assignee.clone(), Notice::Finished, Some(id), body);
    Ok(())
}
