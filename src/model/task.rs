//! A task: its events, the state they fold into, and which event is legal when.
//!
//! The rules of a task's life are in [`Task::allows`] and nowhere else. A command asks it before
//! it writes; the fold asks it again for every event of a merged history, so that two clones
//! which worked apart end in the same state, with what was not legal any more marked as void.

mod allows;
mod checked;
mod fate;
mod fold;
mod kind;
#[cfg(test)]
mod tests;

pub use checked::{Checked, Passing};
pub use fate::Fate;
pub use kind::{Draft, Edit, Fault, SentBack, Submission, TaskEvent};

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::claim::Phase;
use super::event::Log;
use super::id::{Fence, Stamp, TaskId};
use super::name::{AgentName, Author, CheckName, Lane, ResourceName, Tag};
use super::path::PathPattern;
use super::rule::Refusal;
use super::time::Timestamp;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    #[default]
    Todo,
    Doing,
    Blocked,
    Validating,
    Done,
    Cancelled,
}

impl Status {
    pub const ALL: [Status; 6] = [
        Status::Todo,
        Status::Doing,
        Status::Blocked,
        Status::Validating,
        Status::Done,
        Status::Cancelled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Status::Todo => "todo",
            Status::Doing => "doing",
            Status::Blocked => "blocked",
            Status::Validating => "validating",
            Status::Done => "done",
            Status::Cancelled => "cancelled",
        }
    }

    /// Returns the status as people read it. It has one name there, in lists, notes and refusals;
    /// files and programs know it as `validating`.
    pub fn told(self) -> &'static str {
        match self {
            Status::Validating => "in review",
            other => other.as_str(),
        }
    }

    /// Returns whether work on the task may still happen.
    pub fn is_open(self) -> bool {
        !matches!(self, Status::Done | Status::Cancelled)
    }
}

/// How soon a task should be done: P0 first, P3 last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    P0,
    P1,
    #[default]
    P2,
    P3,
}

impl Priority {
    pub const ALL: [Priority; 4] = [Priority::P0, Priority::P1, Priority::P2, Priority::P3];

    pub fn as_str(self) -> &'static str {
        match self {
            Priority::P0 => "P0",
            Priority::P1 => "P1",
            Priority::P2 => "P2",
            Priority::P3 => "P3",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}; one of {choices}")]
pub struct ChoiceError {
    what: &'static str,
    text: String,
    choices: String,
}

/// Reads one of `all` by its name, in any case.
pub(in crate::model) fn choose<T: Copy>(
    what: &'static str,
    text: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, ChoiceError> {
    all.iter()
        .copied()
        .find(|t| name(*t).eq_ignore_ascii_case(text))
        .ok_or_else(|| ChoiceError {
            what,
            text: text.to_owned(),
            choices: all.iter().map(|t| name(*t)).collect::<Vec<_>>().join(", "),
        })
}

impl FromStr for Status {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Status, ChoiceError> {
        choose("status", text, &Status::ALL, Status::as_str)
    }
}

impl FromStr for Priority {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Priority, ChoiceError> {
        choose("priority", text, &Priority::ALL, Priority::as_str)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a task stands still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub reason: String,
    pub on: Option<TaskId>,
    pub needs_human: bool,
    pub since: Timestamp,
}

/// What a reviewer approved, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    pub by: Author,
    /// Nothing, where what was approved is no code.
    pub commit: Option<String>,
    pub at: Timestamp,
}

/// Where the work came onto the landing branch, and when that was noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    pub commit: String,
    pub at: Timestamp,
}

/// How long a reviewer has been asked, and who was told that it takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// When it was submitted, or when this reviewer was named.
    pub since: Timestamp,
    /// The reviewer was reminded.
    pub reminded: bool,
    /// The author was told that nobody else can be asked.
    pub alone: bool,
}

impl Asked {
    pub fn at(since: Timestamp) -> Asked {
        Asked {
            since,
            reminded: false,
            alone: false,
        }
    }
}

/// What the last holder left for the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handoff {
    pub from: AgentName,
    pub note: String,
    pub branch: Option<String>,
    pub at: Timestamp,
}

/// The state of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub id: TaskId,
    pub title: String,
    pub body: String,
    pub status: Status,
    pub priority: Priority,
    /// Who works on it; on a task in `todo`, whom it is reserved for.
    pub assignee: Option<AgentName>,
    pub reviewer: Option<AgentName>,
    pub lane: Option<Lane>,
    pub tags: BTreeSet<Tag>,
    pub done_criteria: Vec<String>,
    /// The checks that must pass: criteria, too.
    pub checks: BTreeSet<CheckName>,
    pub paths: Vec<PathPattern>,
    /// Those of `paths` that others may hold at the same time.
    pub shared: BTreeSet<PathPattern>,
    pub resources: BTreeSet<ResourceName>,
    pub blocked_by: BTreeSet<TaskId>,
    /// The fence of the claim under which it is held now.
    pub fence: Option<Fence>,
    /// The highest fence any claim of it had.
    pub last_fence: Fence,
    /// Who had the claim with the highest fence.
    pub last_holder: Option<AgentName>,
    /// The branch its holder worked on when the claim was taken.
    pub branch: Option<String>,
    /// Since when its holder has it.
    pub claimed_at: Option<Timestamp>,
    pub block: Option<Block>,
    /// The latest submission and the event that made it.
    pub submission: Option<(Stamp, Submission)>,
    /// The latest runs of checks, without their output: one for each check and commit, oldest
    /// first.
    pub checked: Vec<Checked>,
    /// Since when the review is waited for, while it is.
    pub asked: Option<Asked>,
    /// The approval of the latest submission.
    pub approved: Option<Approval>,
    pub landed: Option<Landed>,
    /// The latest note of a reviewer who asked for changes, or why it could not land.
    pub changes: Option<String>,
    /// What came in the way of landing, if `changes` says that.
    pub fault: Option<Fault>,
    pub handoff: Option<Handoff>,
    /// Why it was cancelled or reopened.
    pub reason: Option<String>,
    pub created_by: Author,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub closed: Option<Timestamp>,
}

impl Task {
    /// Returns the agent that holds the task now, if any.
    pub fn holder(&self) -> Option<&AgentName> {
        self.fence.and(self.assignee.as_ref())
    }

    /// Returns whom a free task is reserved for.
    pub fn reserved_for(&self) -> Option<&AgentName> {
        if self.status == Status::Todo {
            self.assignee.as_ref()
        } else {
            None
        }
    }

    /// Tells whether it is approved and waits to land.
    pub fn waits_to_land(&self) -> bool {
        self.status == Status::Validating && self.approved.is_some()
    }

    /// Returns the status as people read it.
    pub fn told(&self) -> &'static str {
        match self.waits_to_land() {
            true => "approved",
            false => self.status.told(),
        }
    }

    /// Returns what the holder of its claim is doing.
    pub fn phase(&self) -> Phase {
        match self.status {
            Status::Blocked => Phase::Blocked,
            Status::Validating if self.approved.is_some() => Phase::Approved,
            Status::Validating => Phase::InReview,
            _ => Phase::Working,
        }
    }

    /// Tells whether another agent can check that it is done: passing a check is such a criterion.
    pub fn has_concrete_criteria(&self) -> bool {
        !self.checks.is_empty()
            || (self.done_criteria.iter()).any(|criterion| super::text::is_concrete(criterion))
    }
}

/// A task as it is stored: its id and all that ever happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskLog {
    pub id: TaskId,
    pub log: Log<TaskEvent>,
}

/// What a log folds into: the state, and the events that changed nothing, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    pub task: Task,
    pub void: Vec<(Stamp, String)>,
}

impl TaskLog {
    pub fn created(id: TaskId, stamp: Stamp, by: Author, draft: Draft) -> TaskLog {
        let mut log = Log::default();
        log.push(stamp, by, TaskEvent::Created(Box::new(draft)));
        TaskLog { id, log }
    }

    /// Returns the event that made the task. Two tasks are the same if and only if it is.
    pub fn origin(&self) -> Option<Stamp> {
        self.log
            .iter()
            .find(|(_, event)| matches!(event.kind, TaskEvent::Created(_)))
            .map(|(stamp, _)| stamp)
    }
}

impl TaskLog {
    /// Tells how `agent` lost the task without its own doing, if that is the last it had of it.
    pub fn loss_of(&self, agent: &AgentName) -> Option<String> {
        let mut holds = false;
        let mut loss = None;
        for (_, event) in self.log.in_force() {
            match &event.kind {
                TaskEvent::Claimed { agent: holder, .. } if holder == agent => {
                    (holds, loss) = (true, None);
                }
                TaskEvent::HandedOff {
                    to, fence: Some(_), ..
                } if to == agent => {
                    (holds, loss) = (true, None);
                }
                TaskEvent::Claimed {
                    agent: other,
                    taken_over,
                    ..
                } if holds => {
                    let reason = taken_over.as_deref().unwrap_or("no reason was given");
                    (holds, loss) = (false, Some(format!("`{other}` took it over ({reason})")));
                }
                TaskEvent::Lapsed {
                    agent: holder,
                    note,
                    ..
                } if holder == agent && holds => {
                    (holds, loss) = (false, Some(note.clone()));
                }
                TaskEvent::Retracted { event: claim, note } => {
                    let given = self.log.get(*claim).and_then(|event| event.kind.grants());
                    let mine = given.is_some_and(|(_, holder)| holder == agent);
                    if mine && holds {
                        (holds, loss) = (false, Some(note.clone()));
                    }
                }
                TaskEvent::Released { .. } | TaskEvent::HandedOff { .. } if event.by.is(agent) => {
                    (holds, loss) = (false, None);
                }
                TaskEvent::Cancelled { reason } if holds && !event.by.is(agent) => {
                    (holds, loss) = (
                        false,
                        Some(format!("`{}` cancelled it ({reason})", event.by)),
                    );
                }
                TaskEvent::Approved { lands: false, .. }
                | TaskEvent::Landed { .. }
                | TaskEvent::Cancelled { .. } => {
                    (holds, loss) = (false, None);
                }
                _ => {}
            }
        }
        loss
    }
}

impl Task {
    /// Checks whether `by` may cancel the task: its holder, its creator, a person, or anyone if
    /// nobody works on it.
    pub fn may_be_cancelled_by(&self, by: &Author, human: bool) -> Result<(), Refusal> {
        match self.holder() {
            Some(holder) if !(human || by.is(holder) || *by == self.created_by) => {
                Err(Refusal::NotTheirsToCancel {
                    task: self.id,
                    holder: holder.clone(),
                    creator: self.created_by.clone(),
                })
            }
            _ => Ok(()),
        }
    }
}
