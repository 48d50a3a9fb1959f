//! A task as `--json` prints it.

use serde::Serialize;

use crate::format::rfc3339;
use crate::model::id::{Fence, TaskId};
use crate::model::name::CheckName;
use crate::model::task::{Approval, Block, Handoff, Landed, Task};
use crate::ops::{self, Context, Shown, TaskRow};

use super::{CheckedJson, EventJson, PassingJson};

#[derive(Debug, Serialize)]
pub struct TaskJson<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub status: &'static str,
    pub priority: &'static str,
    pub assignee: Option<&'a str>,
    pub reviewer: Option<&'a str>,
    pub lane: Option<&'a str>,
    pub tags: Vec<&'a str>,
    pub done_criteria: &'a [String],
    /// The checks that must pass.
    pub checks: Vec<&'a str>,
    pub paths: Vec<&'a str>,
    /// Those of `paths` that others may hold at the same time.
    pub shared: Vec<&'a str>,
    pub resources: Vec<&'a str>,
    pub blocked_by: Vec<&'a str>,
    /// What it waits for and is not done; left out where it was not looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Vec<&'a str>>,
    /// The fence of the claim under which it is held now.
    pub fence: Option<u64>,
    /// Whether its holder has it only until the remote decides; left out where that is not so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub provisional: bool,
    pub branch: Option<&'a str>,
    /// Left out of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<&'a str>,
    pub block: Option<BlockJson<'a>>,
    pub submission: Option<SubmissionJson<'a>>,
    pub approved: Option<ApprovedJson<'a>>,
    /// Where it came onto the landing branch.
    pub landed: Option<LandedJson<'a>>,
    pub handoff: Option<HandoffJson<'a>>,
    /// What a reviewer asked to be changed.
    pub changes: Option<&'a str>,
    /// Why it was cancelled or reopened.
    pub reason: Option<&'a str>,
    pub created_by: &'a str,
    pub created: String,
    pub updated: String,
    pub closed: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct BlockJson<'a> {
    pub reason: &'a str,
    pub on: Option<&'a str>,
    pub needs_human: bool,
    pub since: String,
}

#[derive(Debug, Serialize)]
pub struct SubmissionJson<'a> {
    pub id: String,
    pub at: String,
    pub summary: &'a str,
    /// In the order of the criteria.
    pub evidence: &'a [String],
    pub commit: Option<&'a str>,
    /// `git diff base...commit` shows the task's own work.
    pub base: Option<&'a str>,
    /// How many commits are its own.
    pub commits: u64,
    /// The tasks whose commits lay below when it was submitted.
    pub beneath: Vec<&'a str>,
    pub branch: Option<&'a str>,
    /// Whether everybody of the team can have the commit; left out where it was not looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<bool>,
    pub pr: Option<&'a str>,
    pub caveat: Option<&'a str>,
    /// Whether its author did without the task's checks.
    pub no_check: bool,
    /// The task's checks, with the latest run of each on the commit.
    pub checks: Vec<PassingJson<'a>>,
}

#[derive(Debug, Serialize)]
pub struct ApprovedJson<'a> {
    pub by: &'a str,
    pub commit: Option<&'a str>,
    pub at: String,
}

#[derive(Debug, Serialize)]
pub struct LandedJson<'a> {
    pub commit: &'a str,
    pub at: String,
}

#[derive(Debug, Serialize)]
pub struct HandoffJson<'a> {
    pub from: &'a str,
    pub note: &'a str,
    pub branch: Option<&'a str>,
    pub at: String,
}

/// `{"tasks": […]}`
#[derive(Debug, Serialize)]
pub struct TasksJson<'a> {
    pub tasks: Vec<TaskJson<'a>>,
}

/// A task with its body and everything that happened to it.
#[derive(Debug, Serialize)]
pub struct ShownJson<'a> {
    #[serde(flatten)]
    pub task: TaskJson<'a>,
    /// The file on the branch.
    pub path: &'a str,
    /// Why that file cannot be read, where an older version is shown.
    pub quarantined: Option<&'a str>,
    /// The latest run of each check on each commit.
    pub checked: Vec<CheckedJson<'a>>,
    pub events: Vec<EventJson<'a>>,
}

impl<'a> From<&'a Task> for TaskJson<'a> {
    fn from(task: &'a Task) -> TaskJson<'a> {
        TaskJson {
            id: task.id.as_str(),
            title: &task.title,
            status: task.status.as_str(),
            priority: task.priority.as_str(),
            assignee: task
                .assignee
                .as_ref()
                .map(crate::model::name::AgentName::as_str),
            reviewer: task
                .reviewer
                .as_ref()
                .map(crate::model::name::AgentName::as_str),
            lane: task.lane.as_ref().map(crate::model::name::Lane::as_str),
            tags: task
                .tags
                .iter()
                .map(crate::model::name::Tag::as_str)
                .collect(),
            done_criteria: &task.done_criteria,
            checks: (task.checks.iter()).map(CheckName::as_str).collect(),
            paths: task
                .paths
                .iter()
                .map(crate::model::path::PathPattern::as_str)
                .collect(),
            shared: task
                .shared
                .iter()
                .map(crate::model::path::PathPattern::as_str)
                .collect(),
            resources: task
                .resources
                .iter()
                .map(crate::model::name::ResourceName::as_str)
                .collect(),
            blocked_by: task.blocked_by.iter().map(TaskId::as_str).collect(),
            waits_for: None,
            provisional: task.fence.is_some_and(Fence::is_provisional),
            fence: task.fence.and_then(Fence::given),
            branch: task.branch.as_deref(),
            body: None,
            block: task.block.as_ref().map(BlockJson::from),
            submission: SubmissionJson::of(task),
            approved: task.approved.as_ref().map(ApprovedJson::from),
            landed: task.landed.as_ref().map(LandedJson::from),
            handoff: task.handoff.as_ref().map(HandoffJson::from),
            changes: task.changes.as_deref(),
            reason: task.reason.as_deref(),
            created_by: task.created_by.as_str(),
            created: rfc3339(task.created),
            updated: rfc3339(task.updated),
            closed: task.closed.map(rfc3339),
        }
    }
}

impl<'a> TaskJson<'a> {
    /// Returns a task as what was just done with `ctx` has left it.
    pub fn left_by(ctx: &Context, task: &'a Task) -> TaskJson<'a> {
        TaskJson {
            provisional: ctx.is_provisional(),
            submission: SubmissionJson::of(task).map(|submission| SubmissionJson {
                published: Some(ops::is_published(ctx, task)),
                ..submission
            }),
            ..TaskJson::from(task)
        }
    }
}

impl<'a> From<&'a TaskRow> for TaskJson<'a> {
    fn from(row: &'a TaskRow) -> TaskJson<'a> {
        TaskJson {
            submission: SubmissionJson::of(&row.task).map(|submission| SubmissionJson {
                published: Some(row.published),
                ..submission
            }),
            waits_for: Some(row.waits_for.iter().map(|(id, _)| id.as_str()).collect()),
            provisional: row.provisional,
            ..TaskJson::from(&row.task)
        }
    }
}

impl<'a> From<&'a Shown> for ShownJson<'a> {
    fn from(shown: &'a Shown) -> ShownJson<'a> {
        ShownJson {
            task: TaskJson {
                body: Some(&shown.row.task.body),
                ..TaskJson::from(&shown.row)
            },
            path: &shown.path,
            quarantined: shown.quarantined.as_deref(),
            checked: (shown.row.task.checked.iter())
                .map(CheckedJson::from)
                .collect(),
            events: (shown.events.iter())
                .map(|(stamp, by, event, void)| EventJson::new(*stamp, by, event, void.as_deref()))
                .collect(),
        }
    }
}

impl<'a> From<&'a Block> for BlockJson<'a> {
    fn from(block: &'a Block) -> BlockJson<'a> {
        BlockJson {
            reason: &block.reason,
            on: block.on.as_ref().map(TaskId::as_str),
            needs_human: block.needs_human,
            since: rfc3339(block.since),
        }
    }
}

impl<'a> From<&'a Handoff> for HandoffJson<'a> {
    fn from(handoff: &'a Handoff) -> HandoffJson<'a> {
        HandoffJson {
            from: handoff.from.as_str(),
            note: &handoff.note,
            branch: handoff.branch.as_deref(),
            at: rfc3339(handoff.at),
        }
    }
}

impl<'a> From<&'a Approval> for ApprovedJson<'a> {
    fn from(approval: &'a Approval) -> ApprovedJson<'a> {
        ApprovedJson {
            by: approval.by.as_str(),
            commit: approval.commit.as_deref(),
            at: rfc3339(approval.at),
        }
    }
}

impl<'a> From<&'a Landed> for LandedJson<'a> {
    fn from(landed: &'a Landed) -> LandedJson<'a> {
        LandedJson {
            commit: &landed.commit,
            at: rfc3339(landed.at),
        }
    }
}

impl<'a> SubmissionJson<'a> {
    /// Returns what was submitted last of a task, if anything was.
    pub fn of(task: &'a Task) -> Option<SubmissionJson<'a>> {
        let (id, bundle) = task.submission.as_ref()?;
        Some(SubmissionJson {
            id: id.to_string(),
            at: rfc3339(id.at()),
            summary: &bundle.summary,
            evidence: &bundle.evidence,
            commit: bundle.commit.as_deref(),
            base: bundle.base.as_deref(),
            commits: bundle.commits,
            beneath: bundle.beneath.iter().map(TaskId::as_str).collect(),
            branch: bundle.branch.as_deref(),
            published: None,
            pr: bundle.pr.as_deref(),
            caveat: bundle.caveat.as_deref(),
            no_check: bundle.no_check,
            checks: (task.checks_of_submission().iter())
                .map(PassingJson::from)
                .collect(),
        })
    }
}
