//! What can happen to a task.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::model::check::CheckResult;
use crate::model::event::Kind;
use crate::model::id::{Fence, Stamp, TaskId};
use crate::model::name::{AgentName, CheckName, Lane, ResourceName, Tag};
use crate::model::path::PathPattern;

use super::{ChoiceError, Priority, choose};

/// A task as its creator wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Draft {
    pub title: String,
    pub body: String,
    pub priority: Priority,
    pub assignee: Option<AgentName>,
    pub reviewer: Option<AgentName>,
    pub lane: Option<Lane>,
    pub tags: BTreeSet<Tag>,
    pub done_criteria: Vec<String>,
    /// Checks that must pass.
    pub checks: BTreeSet<CheckName>,
    pub paths: Vec<PathPattern>,
    /// Those of `paths` that others may hold at the same time.
    pub shared: BTreeSet<PathPattern>,
    pub resources: BTreeSet<ResourceName>,
    pub blocked_by: BTreeSet<TaskId>,
}

/// Fields to change; the outer `None` leaves a field alone, the inner one clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    pub title: Option<String>,
    pub body: Option<String>,
    pub priority: Option<Priority>,
    pub assignee: Option<Option<AgentName>>,
    pub reviewer: Option<Option<AgentName>>,
    pub lane: Option<Option<Lane>>,
    pub tags: Option<BTreeSet<Tag>>,
    pub done_criteria: Option<Vec<String>>,
    pub checks: Option<BTreeSet<CheckName>>,
    pub paths: Option<Vec<PathPattern>>,
    pub shared: Option<BTreeSet<PathPattern>>,
    pub resources: Option<BTreeSet<ResourceName>>,
    pub blocked_by: Option<BTreeSet<TaskId>>,
}

impl Edit {
    pub fn is_empty(&self) -> bool {
        *self == Edit::default()
    }
}

/// The QA bundle: what the author shows the reviewer.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Submission {
    pub summary: String,
    /// Evidence by the number of its criterion, from 1, in the order of the criteria.
    pub evidence: Vec<String>,
    /// The commit to review, in hexadecimal.
    pub commit: Option<String>,
    /// What `commit` is to be compared with: `git diff base...commit` shows the task's own work.
    pub base: Option<String>,
    /// The commits that are the task's own, oldest first: not on the landing branch, and not part
    /// of another task's submission. Empty if there are more than [`Submission::OWN_MAX`].
    pub own: Vec<String>,
    /// How many those are.
    pub commits: u64,
    /// The tasks whose commits lay below when it was submitted.
    pub beneath: BTreeSet<TaskId>,
    /// The branch it was submitted from.
    pub branch: Option<String>,
    pub pr: Option<String>,
    pub caveat: Option<String>,
    /// Whether its author did without the task's checks.
    pub no_check: bool,
    /// Who is asked to review; on a team of one that needs no review, nobody.
    pub reviewer: Option<AgentName>,
}

impl Submission {
    /// How many of its own commits a submission names one by one.
    pub const OWN_MAX: usize = 200;
}

/// Why approved work could not land.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It cannot be merged with what is on the landing branch.
    Conflict,
    /// It breaks a check there.
    Check,
}

impl Fault {
    pub const ALL: [Fault; 2] = [Fault::Conflict, Fault::Check];

    pub fn as_str(self) -> &'static str {
        match self {
            Fault::Conflict => "conflict",
            Fault::Check => "check",
        }
    }
}

impl FromStr for Fault {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Fault, ChoiceError> {
        choose("reason", text, &Fault::ALL, Fault::as_str)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What came in the way when approved work was to land.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SentBack {
    pub submission: Stamp,
    pub fault: Fault,
    /// What was found, and the command that shows it again.
    pub note: String,
    /// The files that conflict.
    pub paths: Vec<String>,
    /// The tasks whose work it does not go together with.
    pub with: BTreeSet<TaskId>,
    /// The commit of the landing branch that it was tried on.
    pub tip: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskEvent {
    Created(Box<Draft>),
    Edited(Box<Edit>),
    Commented {
        text: String,
    },
    /// The claims table gave the task to `agent` under `fence`.
    Claimed {
        agent: AgentName,
        fence: Fence,
        paths: Vec<PathPattern>,
        /// Those of `paths` that others may hold at the same time.
        shared: BTreeSet<PathPattern>,
        resources: BTreeSet<ResourceName>,
        branch: Option<String>,
        /// Why it was taken from a live holder.
        taken_over: Option<String>,
    },
    /// The holder's claim was widened, or opened to others, or its holder goes on working on another
    /// branch.
    Extended {
        paths: Vec<PathPattern>,
        /// Those of `paths` that others may hold at the same time.
        shared: BTreeSet<PathPattern>,
        resources: BTreeSet<ResourceName>,
        branch: Option<String>,
    },
    Blocked {
        reason: String,
        on: Option<TaskId>,
        needs_human: bool,
    },
    Unblocked,
    Submitted(Box<Submission>),
    Approved {
        submission: Stamp,
        commit: Option<String>,
        note: Option<String>,
        /// Whether the commit has yet to land. If not, the task is done.
        lands: bool,
    },
    /// The approved work is on the landing branch: as `commit`, or in it.
    Landed {
        submission: Stamp,
        commit: String,
    },
    /// The approved work could not land and is its author's again.
    SentBack(Box<SentBack>),
    ChangesRequested {
        submission: Stamp,
        note: String,
    },
    /// The reviewer said better what the last review of `submission` said.
    Corrected {
        submission: Stamp,
        note: String,
    },
    /// The review was waited for in vain, and `reviewer` was told so; or, `alone`, nobody else was
    /// there to ask, and the author was told. Decided, so that nobody is told twice.
    Reminded {
        reviewer: AgentName,
        alone: bool,
    },
    Released {
        note: Option<String>,
    },
    /// The holder gave the task to `to`: with its claim under a new fence, or reserved.
    HandedOff {
        to: AgentName,
        note: String,
        fence: Option<Fence>,
    },
    /// The claim under `fence` ended without its holder: expired, or lost on another clone.
    Lapsed {
        agent: AgentName,
        fence: Fence,
        note: String,
    },
    Cancelled {
        reason: String,
    },
    Reopened {
        reason: String,
    },
    /// Somebody ran a check on work for the task.
    Checked(Box<CheckResult>),
    /// Somebody changed claimed files all the same, with a reason.
    Overridden {
        reason: String,
        paths: Vec<String>,
    },
    /// The claim that `event` recorded was provisional and the remote did not confirm it, or its
    /// fence is none that the table gave out: it never was. Or an event of any kind is disowned,
    /// see [`Log::disown`](crate::model::event::Log::disown).
    Retracted {
        event: Stamp,
        note: String,
    },
    /// An event of a later version; kept, and without effect here.
    Unknown {
        kind: String,
    },
}

impl Kind for TaskEvent {
    fn retracted(event: Stamp, note: String) -> TaskEvent {
        TaskEvent::Retracted { event, note }
    }

    fn retracts(&self) -> Option<(Stamp, &str)> {
        match self {
            TaskEvent::Retracted { event, note } => Some((*event, note)),
            _ => None,
        }
    }
}

impl TaskEvent {
    /// Returns to whom the event gives the task, and under which fence, if it does.
    pub fn grants(&self) -> Option<(Fence, &AgentName)> {
        match self {
            TaskEvent::Claimed { agent, fence, .. } => Some((*fence, agent)),
            TaskEvent::HandedOff {
                to,
                fence: Some(fence),
                ..
            } => Some((*fence, to)),
            _ => None,
        }
    }

    /// Tells whether the event changes who may do what, so that it stands in the one line of
    /// decisions. All else can be said by anyone at any time.
    pub fn decides(&self) -> bool {
        match self {
            TaskEvent::Claimed { .. }
            | TaskEvent::Extended { .. }
            | TaskEvent::Blocked { .. }
            | TaskEvent::Unblocked
            | TaskEvent::Submitted(_)
            | TaskEvent::Approved { .. }
            | TaskEvent::Landed { .. }
            | TaskEvent::SentBack(_)
            | TaskEvent::ChangesRequested { .. }
            | TaskEvent::Reminded { .. }
            | TaskEvent::Released { .. }
            | TaskEvent::HandedOff { .. }
            | TaskEvent::Lapsed { .. }
            | TaskEvent::Cancelled { .. }
            | TaskEvent::Reopened { .. } => true,
            // Who may approve follows from it.
            TaskEvent::Edited(edit) => edit.reviewer.is_some(),
            TaskEvent::Created(_)
            | TaskEvent::Corrected { .. }
            | TaskEvent::Commented { .. }
            | TaskEvent::Checked(_)
            | TaskEvent::Overridden { .. }
            | TaskEvent::Retracted { .. }
            | TaskEvent::Unknown { .. } => false,
        }
    }

    /// Returns the name under which the event is stored and shown.
    pub fn name(&self) -> &str {
        match self {
            TaskEvent::Created(_) => "created",
            TaskEvent::Edited(_) => "edited",
            TaskEvent::Commented { .. } => "commented",
            TaskEvent::Claimed { .. } => "claimed",
            TaskEvent::Extended { .. } => "extended",
            TaskEvent::Blocked { .. } => "blocked",
            TaskEvent::Unblocked => "unblocked",
            TaskEvent::Submitted(_) => "submitted",
            TaskEvent::Approved { .. } => "approved",
            TaskEvent::Landed { .. } => "landed",
            TaskEvent::SentBack(_) => "sent_back",
            TaskEvent::ChangesRequested { .. } => "changes_requested",
            TaskEvent::Corrected { .. } => "corrected",
            TaskEvent::Reminded { .. } => "reminded",
            TaskEvent::Released { .. } => "released",
            TaskEvent::HandedOff { .. } => "handed_off",
            TaskEvent::Lapsed { .. } => "lapsed",
            TaskEvent::Cancelled { .. } => "cancelled",
            TaskEvent::Reopened { .. } => "reopened",
            TaskEvent::Checked(_) => "checked",
            TaskEvent::Overridden { .. } => "overridden",
            TaskEvent::Retracted { .. } => "retracted",
            TaskEvent::Unknown { kind } => kind,
        }
    }
}
