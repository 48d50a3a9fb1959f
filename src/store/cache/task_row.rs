//! A task as the cache holds it.
//!
//! The model knows nothing of serialisation, so its fields are mirrored here. Strings are borrowed
//! from the file's bytes; reading builds each value once.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::check::{CheckResult, Outcome};
use crate::model::glance::Glance;
use crate::model::id::{Fence, Stamp, TaskId};
use crate::model::name::{Author, CheckName, ResourceName, Tag};
use crate::model::path::PathPattern;
use crate::model::task::{
    Approval, Asked, Block, Checked, Fault, Handoff, Landed, Submission, Task,
};
use crate::model::time::{Span, Timestamp};

#[derive(Serialize, Deserialize)]
pub struct TaskRow<'a> {
    title: &'a str,
    assignee: Option<&'a str>,
    reviewer: Option<&'a str>,
    lane: Option<&'a str>,
    #[serde(borrow)]
    tags: List<'a>,
    #[serde(borrow)]
    done_criteria: List<'a>,
    #[serde(borrow)]
    checks: List<'a>,
    #[serde(borrow)]
    paths: List<'a>,
    #[serde(borrow)]
    shared: List<'a>,
    #[serde(borrow)]
    resources: List<'a>,
    #[serde(borrow)]
    blocked_by: List<'a>,
    fence: Option<u64>,
    last_holder: Option<&'a str>,
    branch: Option<&'a str>,
    claimed_at: Option<i64>,
    #[serde(borrow)]
    block: Option<(&'a str, Option<&'a str>, bool, i64)>,
    #[serde(borrow)]
    submission: Option<SubmissionRow<'a>>,
    #[serde(borrow)]
    approved: Option<(&'a str, Option<&'a str>, i64)>,
    #[serde(borrow)]
    landed: Option<(&'a str, i64)>,
    #[serde(borrow)]
    checked: Vec<CheckedRow<'a>>,
    asked: Option<(i64, bool, bool)>,
    changes: Option<&'a str>,
    fault: Option<&'a str>,
    #[serde(borrow)]
    handoff: Option<(&'a str, &'a str, Option<&'a str>, i64)>,
    reason: Option<&'a str>,
    created_by: &'a str,
    updated: i64,
}

#[derive(Serialize, Deserialize)]
struct SubmissionRow<'a> {
    stamp: u128,
    summary: &'a str,
    #[serde(borrow)]
    evidence: List<'a>,
    commit: Option<&'a str>,
    base: Option<&'a str>,
    #[serde(borrow)]
    own: List<'a>,
    commits: u64,
    #[serde(borrow)]
    beneath: List<'a>,
    branch: Option<&'a str>,
    pr: Option<&'a str>,
    caveat: Option<&'a str>,
    no_check: bool,
    reviewer: Option<&'a str>,
}

/// A run of a check, without its output.
#[derive(Serialize, Deserialize)]
struct CheckedRow<'a> {
    stamp: u128,
    by: &'a str,
    name: &'a str,
    command: &'a str,
    commit: &'a str,
    tree: &'a str,
    outcome: OutcomeRow<'a>,
    took: u64,
    at: i64,
    cached: bool,
}

#[derive(Serialize, Deserialize)]
enum OutcomeRow<'a> {
    Passed,
    Failed(u8),
    CouldNotRun(&'a str, &'a str),
}

/// Several texts in one, each ended by a NUL, which none of them can contain.
///
/// A list of its own for each of five fields would be five allocations a task.
#[derive(Serialize, Deserialize)]
struct List<'a>(#[serde(borrow)] Cow<'a, str>);

impl List<'_> {
    fn of<'t>(texts: impl Iterator<Item = &'t str>) -> List<'static> {
        let mut all = String::new();
        for text in texts {
            all.push_str(text);
            all.push('\0');
        }
        List(Cow::Owned(all))
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_terminator('\0')
    }
}

impl<'a> TaskRow<'a> {
    pub fn of(task: &'a Task) -> TaskRow<'a> {
        TaskRow {
            title: &task.title,
            assignee: task
                .assignee
                .as_ref()
                .map(crate::model::name::AgentName::as_str),
            reviewer: task
                .reviewer
                .as_ref()
                .map(crate::model::name::AgentName::as_str),
            lane: task.lane.as_ref().map(crate::model::name::Lane::as_str),
            tags: List::of(task.tags.iter().map(Tag::as_str)),
            done_criteria: List::of(task.done_criteria.iter().map(String::as_str)),
            checks: List::of(task.checks.iter().map(CheckName::as_str)),
            paths: List::of(task.paths.iter().map(PathPattern::as_str)),
            shared: List::of(task.shared.iter().map(PathPattern::as_str)),
            resources: List::of(task.resources.iter().map(ResourceName::as_str)),
            blocked_by: List::of(task.blocked_by.iter().map(TaskId::as_str)),
            fence: task.fence.map(|f| f.0),
            last_holder: task
                .last_holder
                .as_ref()
                .map(crate::model::name::AgentName::as_str),
            branch: task.branch.as_deref(),
            claimed_at: task.claimed_at.map(|t| t.0),
            block: task.block.as_ref().map(|block| {
                let on = block.on.as_ref().map(TaskId::as_str);
                (block.reason.as_str(), on, block.needs_human, block.since.0)
            }),
            submission: task.submission.as_ref().map(|(stamp, s)| SubmissionRow {
                stamp: stamp.to_bits(),
                summary: &s.summary,
                evidence: List::of(s.evidence.iter().map(String::as_str)),
                commit: s.commit.as_deref(),
                base: s.base.as_deref(),
                own: List::of(s.own.iter().map(String::as_str)),
                commits: s.commits,
                beneath: List::of(s.beneath.iter().map(TaskId::as_str)),
                branch: s.branch.as_deref(),
                pr: s.pr.as_deref(),
                caveat: s.caveat.as_deref(),
                no_check: s.no_check,
                reviewer: s
                    .reviewer
                    .as_ref()
                    .map(crate::model::name::AgentName::as_str),
            }),
            approved: task.approved.as_ref().map(|approved| {
                let commit = approved.commit.as_deref();
                (approved.by.as_str(), commit, approved.at.0)
            }),
            landed: (task.landed.as_ref()).map(|landed| (landed.commit.as_str(), landed.at.0)),
            checked: task.checked.iter().map(CheckedRow::of).collect(),
            asked: (task.asked).map(|asked| (asked.since.0, asked.reminded, asked.alone)),
            changes: task.changes.as_deref(),
            fault: task.fault.map(Fault::as_str),
            handoff: task.handoff.as_ref().map(|h| {
                (
                    h.from.as_str(),
                    h.note.as_str(),
                    h.branch.as_deref(),
                    h.at.0,
                )
            }),
            reason: task.reason.as_deref(),
            created_by: task.created_by.as_str(),
            updated: task.updated.0,
        }
    }
}

fn parse<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// Parses an optional value: the outer `None` is damage.
fn optional<T: std::str::FromStr>(text: Option<&str>) -> Option<Option<T>> {
    match text {
        Some(text) => parse(text).map(Some),
        None => Some(None),
    }
}

fn all<T: std::str::FromStr, C: FromIterator<T>>(texts: &List) -> Option<C> {
    texts.iter().map(parse).collect()
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

impl TaskRow<'_> {
    /// Returns the task; `None` if a value is not valid, which this version does not write.
    pub fn task(&self, glance: &Glance) -> Option<Task> {
        let block = match self.block {
            Some((reason, on, needs_human, since)) => Some(Block {
                reason: reason.to_owned(),
                on: optional(on)?,
                needs_human,
                since: Timestamp(since),
            }),
            None => None,
        };
        let handoff = match self.handoff {
            Some((from, note, branch, at)) => Some(Handoff {
                from: parse(from)?,
                note: note.to_owned(),
                branch: owned(branch),
                at: Timestamp(at),
            }),
            None => None,
        };
        let submission = match &self.submission {
            Some(row) => Some((Stamp::from_bits(row.stamp), row.submission()?)),
            None => None,
        };
        let resources: BTreeSet<_> = all(&self.resources)?;
        Some(Task {
            id: glance.id,
            title: self.title.to_owned(),
            body: String::new(),
            status: glance.status,
            priority: glance.priority,
            assignee: optional(self.assignee)?,
            reviewer: optional(self.reviewer)?,
            lane: optional(self.lane)?,
            tags: all(&self.tags)?,
            done_criteria: self.done_criteria.iter().map(str::to_owned).collect(),
            checks: all(&self.checks)?,
            paths: patterns(&self.paths).collect(),
            shared: patterns(&self.shared).collect(),
            resources,
            blocked_by: all(&self.blocked_by)?,
            fence: self.fence.map(Fence),
            last_fence: glance.last_fence,
            last_holder: optional(self.last_holder)?,
            branch: owned(self.branch),
            claimed_at: self.claimed_at.map(Timestamp),
            block,
            submission,
            approved: self.approved.map(|(by, commit, at)| Approval {
                by: Author::from_clean(by.to_owned()),
                commit: owned(commit),
                at: Timestamp(at),
            }),
            landed: self.landed.map(|(commit, at)| Landed {
                commit: commit.to_owned(),
                at: Timestamp(at),
            }),
            checked: (self.checked.iter())
                .map(CheckedRow::checked)
                .collect::<Option<_>>()?,
            asked: self.asked.map(|(since, reminded, alone)| Asked {
                since: Timestamp(since),
                reminded,
                alone,
            }),
            changes: owned(self.changes),
            fault: optional(self.fault)?,
            handoff,
            reason: owned(self.reason),
            created_by: Author::from_clean(self.created_by.to_owned()),
            created: glance.created,
            updated: Timestamp(self.updated),
            closed: glance.closed,
        })
    }
}

fn patterns(texts: &List) -> impl Iterator<Item = PathPattern> {
    let texts = texts.iter().map(str::to_owned);
    texts.map(PathPattern::from_canonical)
}

impl SubmissionRow<'_> {
    fn submission(&self) -> Option<Submission> {
        Some(Submission {
            summary: self.summary.to_owned(),
            evidence: self.evidence.iter().map(str::to_owned).collect(),
            commit: owned(self.commit),
            base: owned(self.base),
            own: self.own.iter().map(str::to_owned).collect(),
            commits: self.commits,
            beneath: all(&self.beneath)?,
            branch: owned(self.branch),
            pr: owned(self.pr),
            caveat: owned(self.caveat),
            no_check: self.no_check,
            reviewer: optional(self.reviewer)?,
        })
    }
}

impl<'a> CheckedRow<'a> {
    fn of(run: &'a Checked) -> CheckedRow<'a> {
        let result = &run.result;
        CheckedRow {
            stamp: run.stamp.to_bits(),
            by: run.by.as_str(),
            name: result.name.as_str(),
            command: &result.command,
            commit: &result.commit,
            tree: &result.tree,
            outcome: match &result.outcome {
                Outcome::Passed => OutcomeRow::Passed,
                Outcome::Failed { code } => OutcomeRow::Failed(*code),
                Outcome::CouldNotRun { obstacle, detail } => {
                    OutcomeRow::CouldNotRun(obstacle.as_str(), detail)
                }
            },
            took: result.took.as_millis(),
            at: result.at.0,
            cached: result.cached,
        }
    }

    fn checked(&self) -> Option<Checked> {
        Some(Checked {
            stamp: Stamp::from_bits(self.stamp),
            by: Author::from_clean(self.by.to_owned()),
            result: CheckResult {
                name: parse(self.name)?,
                command: self.command.to_owned(),
                commit: self.commit.to_owned(),
                tree: self.tree.to_owned(),
                outcome: match self.outcome {
                    OutcomeRow::Passed => Outcome::Passed,
                    OutcomeRow::Failed(code) => Outcome::Failed { code },
                    OutcomeRow::CouldNotRun(obstacle, detail) => Outcome::CouldNotRun {
                        obstacle: parse(obstacle)?,
                        detail: detail.to_owned(),
                    },
                },
                took: Span::from_millis(self.took),
                at: Timestamp(self.at),
                cached: self.cached,
                output: Vec::new(),
            },
        })
    }
}
