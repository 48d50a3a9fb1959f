//! Reviews that nobody answers: reminding reviewers, and asking somebody else.
//!
//! Whoever comes by does it: the daemon on its rounds, an agent that looks for work or waits. What
//! is done is decided like a claim, so it is done once, whoever notices it first.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::agent::AgentKind;
use crate::model::deadline::{self, Overdue, Reviewer, Why};
use crate::model::id::TaskId;
use crate::model::message::Notice;
use crate::model::name::AgentName;
use crate::model::presence::Liveness;
use crate::model::review::Candidate;
use crate::model::task::{Edit, Status, Task, TaskEvent};
use crate::model::text;
use crate::store::{Entry, Snapshot};

use super::block::humans;
use super::tx::{Tx, coarse, transact_itself};
use super::{Context, OpsError, look_after_processes};

/// What was done about a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenTo {
    pub task: TaskId,
    pub reviewer: AgentName,
    pub done: Done,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The reviewer was reminded.
    Reminded,
    /// Somebody else was asked.
    Gave { to: AgentName },
    /// There is nobody else to ask, and the author was told.
    Alone,
}

/// What is to be done about a review.
struct Step {
    task: TaskId,
    author: Option<AgentName>,
    reviewer: AgentName,
    what: What,
}

enum What {
    Remind(String),
    Give { to: AgentName, why: Why },
    Alone(Why),
}

/// Reminds reviewers that have not answered in time, and gives to others what waits in vain.
///
/// Nothing is written, and the remote is not asked, if nothing is overdue by what is known here.
pub fn see_to_reviews(ctx: &Context) -> Result<Vec<SeenTo>, OpsError> {
    // What cannot be read of processes says nothing about anybody; the deadline holds all the same.
    drop(look_after_processes(ctx));
    if steps(ctx, &ctx.store().snapshot()?)?.is_empty() {
        return Ok(Vec::new());
    }
    transact_itself(ctx, |tx| {
        tx.deciding();
        let mut done = Vec::new();
        for step in steps(tx.ctx, tx.snapshot)? {
            match take(tx, &step) {
                Ok(seen_to) => done.push(seen_to),
                // Something is odd about this one task; the others need not wait for it.
                Err(OpsError::Refused(_) | OpsError::Void { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let ids: Vec<String> = done.iter().map(|it| it.task.to_string()).collect();
        tx.subject(format!("see to the review of {}", ids.join(", ")));
        Ok(done)
    })
}

/// The same for whoever comes by for something else, which must not fail for that.
pub fn see_to_reviews_on_the_way(ctx: &Context) -> Vec<SeenTo> {
    match see_to_reviews(ctx) {
        Ok(seen_to) => return seen_to,
        // Whoever can ask the remote will see to it.
        Err(OpsError::Unreachable { .. }) => {}
        Err(error) => ctx.note_warnings([format!(
            "cannot see to reviews that are overdue: {}",
            super::chain(&error)
        )]),
    }
    Vec::new()
}

/// Tells whether anything is to be done about a review.
pub fn is_review_overdue(tx: &Tx) -> Result<bool, OpsError> {
    Ok(!tx.is_provisional() && !steps(tx.ctx, tx.snapshot)?.is_empty())
}

/// Returns how many reviews each agent has to do.
pub fn loads<'t>(open: impl Iterator<Item = &'t Entry>) -> BTreeMap<AgentName, usize> {
    let mut loads = BTreeMap::new();
    for entry in open.filter(|entry| entry.glance().status == Status::Validating) {
        if let Some(reviewer) = &entry.task().reviewer {
            *loads.entry(reviewer.clone()).or_default() += 1;
        }
    }
    loads
}

fn steps(ctx: &Context, snapshot: &Snapshot) -> Result<Vec<Step>, OpsError> {
    let in_review = |entry: &&Entry| entry.glance().status == Status::Validating;
    let in_review: Vec<&Entry> = snapshot.open()?.iter().filter(in_review).collect();
    let mut steps = Vec::new();
    if in_review.is_empty() {
        return Ok(steps);
    }
    let settings = snapshot.settings()?;
    let agents = snapshot.agents()?;
    let mut loads = loads(in_review.iter().copied());
    let mut known: BTreeMap<&AgentName, Option<Liveness>> = BTreeMap::new();
    for entry in in_review {
        let task = entry.task();
        let Some(name) = &task.reviewer else { continue };
        let liveness = match known.get(name) {
            Some(liveness) => *liveness,
            None => ctx.liveness(name, settings)?.map(|(liveness, _)| liveness),
        };
        known.insert(name, liveness);
        let reviewer = Reviewer {
            agent: agents.get(name),
            liveness,
        };
        let what = match deadline::overdue(task, reviewer, ctx.now(), settings) {
            Some(Overdue::Reminder(age)) => What::Remind(coarse(age)),
            Some(Overdue::Change(why)) => match instead(ctx, snapshot, entry, why, &loads)? {
                Some(to) => What::Give { to, why },
                None if task.asked.is_some_and(|asked| asked.alone) => continue,
                None => What::Alone(why),
            },
            None => continue,
        };
        if let What::Give { to, .. } = &what {
            *loads.entry(to.clone()).or_default() += 1;
        }
        steps.push(Step {
            task: task.id,
            author: task.assignee.clone(),
            reviewer: name.clone(),
            what,
        });
    }
    Ok(steps)
}

fn instead(
    ctx: &Context,
    snapshot: &Snapshot,
    entry: &Entry,
    why: Why,
    loads: &BTreeMap<AgentName, usize>,
) -> Result<Option<AgentName>, OpsError> {
    let task = entry.task();
    let settings = snapshot.settings()?;
    let people = humans(snapshot)?;
    let mut candidates = Vec::new();
    for agent in snapshot.agents()?.values() {
        let name = &agent.name;
        let concerned = [&task.assignee, &task.reviewer].map(Option::as_ref);
        let unasked = agent.kind == AgentKind::Human && !people.contains(name);
        if unasked || concerned.contains(&Some(name)) {
            continue;
        }
        let liveness = ctx.liveness(name, settings)?;
        candidates.push(Candidate {
            agent,
            liveness: liveness.map_or(Liveness::Offline, |(liveness, _)| liveness),
            reviews: loads.get(name).copied().unwrap_or_default(),
        });
    }
    let before = asked_before(snapshot, entry)?;
    Ok(deadline::instead(task, why, candidates, &before))
}

/// Returns who was asked to review what is submitted now.
fn asked_before(snapshot: &Snapshot, entry: &Entry) -> Result<BTreeSet<AgentName>, OpsError> {
    let log = snapshot.log_of(entry)?;
    let mut asked = BTreeSet::new();
    for (_, event) in log.log.in_order() {
        match &event.kind {
            TaskEvent::Submitted(submission) => {
                asked = submission.reviewer.iter().cloned().collect();
            }
            TaskEvent::Edited(edit) => asked.extend(edit.reviewer.clone().flatten()),
            _ => {}
        }
    }
    Ok(asked)
}

fn take(tx: &mut Tx, step: &Step) -> Result<SeenTo, OpsError> {
    let (id, reviewer) = (step.task, &step.reviewer);
    let remind = |alone| TaskEvent::Reminded {
        reviewer: reviewer.clone(),
        alone,
    };
    let done = match &step.what {
        What::Remind(age) => {
            let task = tx.event(id, remind(false))?;
            let next = match is_person(tx, reviewer)? {
                true => String::new(),
                false => {
                    let limit = coarse(tx.snapshot.settings()?.reassign_after);
                    format!(" After {limit} somebody else is asked.")
                }
            };
            let body = format!(
                "`{id}` ({}) has waited for your review for {age}: {}{next}",
                task.title,
                summary(&task)
            );
            tx.notify([reviewer.clone()], Notice::ReviewAsked, Some(id), body);
            Done::Reminded
        }
        What::Alone(why) => {
            let task = tx.event(id, remind(true))?;
            let body = format!(
                "`{id}` ({}) waits for the review of `{reviewer}`, who {}, and there is nobody else to ask. A person who joins (`reflectt join NAME --human`) is asked next.",
                task.title,
                said(*why)
            );
            tx.tell(step.author.clone(), None, Some(id), body);
            Done::Alone
        }
        What::Give { to, why } => {
            give(tx, step, to, *why)?;
            Done::Gave { to: to.clone() }
        }
    };
    Ok(SeenTo {
        task: id,
        reviewer: reviewer.clone(),
        done,
    })
}

/// Asks somebody else, and tells all whom it concerns.
fn give(tx: &mut Tx, step: &Step, to: &AgentName, why: Why) -> Result<(), OpsError> {
    let (id, reviewer) = (step.task, &step.reviewer);
    let edit = Edit {
        reviewer: Some(Some(to.clone())),
        ..Edit::default()
    };
    let task = tx.event(id, TaskEvent::Edited(Box::new(edit)))?;
    let (title, why) = (&task.title, said(why));
    let author = step.author.as_ref().map_or("its author", AgentName::as_str);
    let body = format!(
        "{author} asks you to review `{id}` ({title}) instead of `{reviewer}`, who {why}: {}",
        summary(&task)
    );
    tx.notify([to.clone()], Notice::ReviewAsked, Some(id), body);
    let body = format!("`{to}` reviews `{id}` ({title}) now instead of `{reviewer}`, who {why}.");
    tx.tell(step.author.clone(), None, Some(id), body);
    if tx.snapshot.agents()?.contains_key(reviewer) {
        let body = format!(
            "`{to}` reviews `{id}` ({title}) now instead of you, because `{reviewer}` {why}. You need not do it any more."
        );
        tx.tell([reviewer.clone()], None, Some(id), body);
    }
    Ok(())
}

fn is_person(tx: &Tx, name: &AgentName) -> Result<bool, OpsError> {
    let agent = tx.snapshot.agents()?.get(name);
    Ok(agent.is_some_and(|agent| agent.kind == AgentKind::Human))
}

fn summary(task: &Task) -> String {
    let submission = task.submission.as_ref();
    submission.map_or_else(String::new, |(_, it)| text::sentence(&it.summary))
}

/// Returns what became of the reviewer.
fn said(why: Why) -> String {
    match why {
        Why::Late(age) => format!("has not answered for {}", coarse(age)),
        Why::Gone => "is not at work any more".to_owned(),
        Why::Left => "has left the team".to_owned(),
    }
}
