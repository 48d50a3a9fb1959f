//! The one call an agent makes on waking: where it stands, and what to do now.

use std::collections::BTreeSet;

use crate::git::RefName;
use crate::model::advice::Call;
use crate::model::claim::{Claim, Pause};
use crate::model::id::TaskId;
use crate::model::message::{Message, Notice};
use crate::model::name::AgentName;
use crate::model::task::{Status, Task};

use super::next::{is_review_for, look, with_queue};
use super::tx::Tx;
use super::{Context, OpsError, land, landed, requests};

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
    /// Approved tasks that whoever asks may land now.
    pub landable: Vec<Task>,
    pub inbox: Vec<Message>,
    pub queue: QueueCounts,
    pub paused: Option<Pause>,
    /// Claims, of tasks or of paths, that the remote has not confirmed.
    pub provisional: BTreeSet<TaskId>,
    /// Tasks with changes asked for whose branch is there, and not checked out in this worktree.
    pub off_branch: BTreeSet<TaskId>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct QueueCounts {
    pub todo: usize,
    pub doing: usize,
    pub blocked: usize,
    pub validating: usize,
    /// How many of those are approved and wait to land.
    pub approved: usize,
    /// How many this agent could claim now, but for its own limits.
    pub ready: usize,
}

/// Returns where whoever asks stands. Changes nothing.
pub fn status(ctx: &Context) -> Result<AgentStatus, OpsError> {
    landed::notice_in_passing(ctx);
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
            Status::Validating => {
                queue.validating += 1;
                queue.approved += usize::from(entry.task().waits_to_land());
            }
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
    let off_branch = off_branch(ctx, &active)?;
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
    Ok(AgentStatus {
        active,
        paths: table
            .of_agent(&me)
            .filter(|claim| !claim.of_task && !elsewhere.contains(&claim.id))
            .cloned()
            .collect(),
        next: if own { None } else { up.task },
        reason: up.reason,
        reviews,
        landable: match queue.approved {
            0 => Vec::new(),
            _ => land::landable(ctx, &snapshot)?,
        },
        inbox,
        queue,
        paused: table
            .pause
            .clone()
            .filter(|pause| !pause.is_over(ctx.now())),
        agent: me,
        provisional: snapshot.provisional.clone(),
        off_branch,
    })
}

fn off_branch(ctx: &Context, active: &[Task]) -> Result<BTreeSet<TaskId>, OpsError> {
    let repo = ctx.repo();
    let mut found = BTreeSet::new();
    let sent_back = |task: &&Task| task.status == Status::Doing && task.changes.is_some();
    let mut here = None;
    for task in active.iter().filter(sent_back) {
        let Some(branch) = &task.branch else { continue };
        let here = match &here {
            Some(here) => here,
            None => here.insert(repo.head()?.and_then(|head| head.branch)),
        };
        if here.as_ref() != Some(branch)
            && repo.work_dir().is_some()
            && let Ok(name) = RefName::new(format!("refs/heads/{branch}"))
            && repo.read_ref(&name)?.is_some()
        {
            found.insert(task.id);
        }
    }
    Ok(found)
}

/// What to do now.
#[derive(Debug, Clone, Copy)]
pub enum Action<'s> {
    /// Stop work on a claim that is lost, as a message says, which wants to be acknowledged.
    Stop(&'s Message),
    /// Read the urgent message.
    Heed(&'s Message),
    Review(&'s Task),
    /// Go on with one's own work, on its branch if that is not checked out here.
    Work {
        task: &'s Task,
        moves: bool,
    },
    /// Read one's messages.
    Read,
    /// Land what is approved.
    Land(&'s [Task]),
    /// Take the best task that is ready.
    Take(&'s Task),
    /// There is nothing to do, and why.
    Wait(&'s str),
}

impl AgentStatus {
    /// Returns what to do, most urgent first: what was lost, what is urgent, what others wait
    /// for, one's own work, what can be finished, new work.
    pub fn action(&self) -> Action<'_> {
        let message = |is: fn(&Message) -> bool| self.inbox.iter().find(|message| is(message));
        let mut active = self.active.iter();
        if let Some(lost) = message(|it| it.notice == Some(Notice::ClaimLost)) {
            Action::Stop(lost)
        } else if let Some(urgent) = message(|it| it.urgent) {
            Action::Heed(urgent)
        } else if let Some(task) = self.reviews.first() {
            Action::Review(task)
        } else if let Some(task) = active.find(|task| task.status == Status::Doing) {
            let moves = self.off_branch.contains(&task.id);
            Action::Work { task, moves }
        } else if !self.inbox.is_empty() {
            Action::Read
        } else if !self.landable.is_empty() {
            Action::Land(&self.landable)
        } else if let Some(task) = &self.next {
            Action::Take(task)
        } else {
            Action::Wait(&self.reason)
        }
    }
}

impl Action<'_> {
    /// Returns the operations that do it, one after the other. Where there is a third, either it
    /// or the second.
    pub fn calls(self) -> Vec<Call> {
        let inbox = || Call::to("inbox");
        match self {
            Action::Stop(message) => vec![inbox(), Call::to("ack").on("id", message.id)],
            Action::Heed(_) => vec![inbox()],
            Action::Review(task) => {
                let review = || Call::to("review").on("id", task.id);
                vec![
                    review(),
                    review().flag("approve"),
                    review().ask("request_changes", "TEXT"),
                ]
            }
            Action::Work { task, moves } => {
                let go = Call::to("claim").on("id", task.id).flag("branch");
                let submit = Call::to("submit").on("id", task.id).ask("summary", "TEXT");
                let submit = submit.ask_for_each("evidence", task.done_criteria.len());
                moves.then_some(go).into_iter().chain([submit]).collect()
            }
            Action::Read => vec![inbox(), Call::to("ack").flag("all")],
            Action::Land(_) => vec![Call::to("land")],
            Action::Take(_) => vec![Call::to("next").flag("claim").flag("branch")],
            Action::Wait(_) => vec![Call::to("status").set("wait", "10m")],
        }
    }
}
