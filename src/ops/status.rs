//! The one call an agent makes on waking: where it stands, and what to do now.

use std::collections::BTreeSet;

use crate::model::claim::{Claim, Pause};
use crate::model::id::TaskId;
use crate::model::message::{Message, Notice};
use crate::model::name::AgentName;
use crate::model::task::{Status, Task};
use crate::model::text;

use super::next::{is_review_for, look, with_queue};
use super::tx::Tx;
use super::{Context, OpsError, requests};

#[derive(Debug)]
pub struct AgentStatus {
    pub agent: AgentName,
    /// Its unfinished tasks: in progress, blocked, in review.
    pub active: Vec<Task>,
    /// What it claimed without a task.
    pub paths: Vec<Claim>,
    /// The best task it could take, if it has none in progress.
    pub next: Option<Task>,
    /// Why there is none.
    pub reason: String,
    /// Tasks that wait for its review.
    pub reviews: Vec<Task>,
    pub inbox: Vec<Message>,
    pub queue: QueueCounts,
    pub paused: Option<Pause>,
    /// Claims, of tasks or of paths, that the remote has not confirmed.
    pub provisional: BTreeSet<TaskId>,
    /// One sentence: what to do now.
    pub action: String,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct QueueCounts {
    pub todo: usize,
    pub doing: usize,
    pub blocked: usize,
    pub validating: usize,
    /// How many this agent could claim now, but for its own limits.
    pub ready: usize,
}

/// Returns where whoever asks stands. Changes nothing.
pub fn status(ctx: &Context) -> Result<AgentStatus, OpsError> {
    let snapshot = requests::look(ctx)?;
    ctx.my_seat(&snapshot)?;
    ctx.beat(&snapshot)?;
    let me = ctx.me()?.clone();
    let tx = Tx::new(ctx, &snapshot, me.clone());

    let silence = tx.silence()?;
    let claims = snapshot.table_in_force()?.0.of_agent(&me);
    let elsewhere = claims.filter(|claim| silence.is_elsewhere(claim));
    let elsewhere: BTreeSet<TaskId> = elsewhere.map(|claim| claim.id).collect();
    let mut active: Vec<Task> = Vec::new();
    let mut reviews: Vec<Task> = Vec::new();
    let mut queue = QueueCounts::default();
    for entry in snapshot.open()? {
        let glance = entry.glance();
        match glance.status {
            Status::Todo => queue.todo += 1,
            Status::Doing => queue.doing += 1,
            Status::Blocked => queue.blocked += 1,
            Status::Validating => queue.validating += 1,
            Status::Done | Status::Cancelled => {}
        }
        // What a namesake in another clone holds is not this one's.
        if glance.held && entry.task().holder() == Some(&me) && !elsewhere.contains(&entry.id()) {
            active.push(entry.to_task());
        }
        if is_review_for(entry, &me) {
            reviews.push(entry.to_task());
        }
    }
    active.sort_by_key(|task| (task.status, task.priority, task.created));
    reviews.sort_by_key(|task| (task.priority, task.updated));
    queue.ready = with_queue(&tx, |queue| Ok(queue.ready))?;
    let up = look(&tx)?;
    let own = up
        .task
        .as_ref()
        .is_some_and(|task| task.holder() == Some(&me));
    let inbox: Vec<Message> = snapshot
        .unread(&me)?
        .into_iter()
        .map(|mail| mail.message)
        .collect();
    let (table, damage) = snapshot.table_in_force()?;
    ctx.note_warnings(damage.map(|damage| super::unknown_claims(&damage)));
    let mut status = AgentStatus {
        active,
        paths: table
            .of_agent(&me)
            .filter(|claim| !claim.of_task && !elsewhere.contains(&claim.id))
            .cloned()
            .collect(),
        next: if own { None } else { up.task },
        reason: up.reason,
        reviews,
        inbox,
        queue,
        paused: table
            .pause
            .clone()
            .filter(|pause| !pause.is_over(ctx.now())),
        agent: me,
        provisional: snapshot.provisional.clone(),
        action: String::new(),
    };
    status.action = action(&status);
    Ok(status)
}

/// Says what to do now, most urgent first: what was lost, what is urgent, what others wait for,
/// one's own work, new work.
fn action(status: &AgentStatus) -> String {
    if let Some(lost) = status
        .inbox
        .iter()
        .find(|m| m.notice == Some(Notice::ClaimLost))
    {
        let task = lost
            .task
            .map(|id| format!(" on `{id}`"))
            .unwrap_or_default();
        return format!(
            "Your claim{task} is lost: stop work on it, read `reflectt inbox`, then `reflectt ack {}`.",
            lost.id
        );
    }
    if let Some(urgent) = status.inbox.iter().find(|message| message.urgent) {
        return format!(
            "Read the urgent message of `{}`: `reflectt inbox`.",
            urgent.from
        );
    }
    if let Some(task) = status.reviews.first() {
        return format!(
            "Review `{}`: `reflectt task show {}`, then `reflectt review {} --approve` or `--request-changes TEXT`.",
            task.id, task.id, task.id
        );
    }
    if let Some(task) = status
        .active
        .iter()
        .find(|task| task.status == Status::Doing)
    {
        let how = match &task.changes {
            Some(_) => "Make the changes asked for in",
            None => "Go on with",
        };
        return format!(
            "{how} `{}` ({}); `reflectt submit {} --summary TEXT{}` when it is done.",
            task.id,
            task.title,
            task.id,
            evidence(task.done_criteria.len())
        );
    }
    if !status.inbox.is_empty() {
        return "Read your messages: `reflectt inbox`, then `reflectt ack --all`.".to_owned();
    }
    if let Some(task) = &status.next {
        return format!(
            "Take the best task that is ready: `reflectt next --claim` (now `{}`, {}).",
            task.id, task.title
        );
    }
    format!(
        "Nothing to do: {} Wait with `reflectt inbox --wait 10m`.",
        text::sentence(&status.reason)
    )
}

/// Returns the options that give evidence for each of so many criteria, the middle of many cut.
fn evidence(criteria: usize) -> String {
    let option = |number: usize| format!(" --evidence {number}=TEXT");
    match criteria {
        0..=3 => (1..=criteria).map(option).collect(),
        many => format!("{} …{}", option(1), option(many)),
    }
}
