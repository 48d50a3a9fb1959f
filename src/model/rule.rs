//! Rules that refuse a move: what is refused, with what it is about, and each rule's name.
//!
//! The name is part of the command line's promise (`"rule"` in `--json`), so an agent can act
//! on it without reading the sentence.

use super::check::{CheckResult, Outcome};
use super::id::{Fence, TaskId};
use super::name::{AgentName, Author, CheckName, ResourceName};
use super::presence::Liveness;
use super::queue::Dependency;
use super::task::Status;
use super::text::short_commit;

/// Why a move was refused. Losing to another holder is not a refusal; see [`super::decide`].
///
/// Where there is a `done`, it is what was to be done to the task: `blocked`, `released`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "task `{task}` has no concrete acceptance criterion: one that another agent can check, in two words or more"
    )]
    Criteria { task: TaskId },
    #[error("task `{task}` waits for {}", listed(.on, awaited))]
    Waits {
        task: TaskId,
        on: Vec<(TaskId, Dependency)>,
    },
    /// Each of the circle waits for the next; the last is the first.
    #[error("{}", circular(.circle))]
    Cycle { task: TaskId, circle: Vec<TaskId> },
    #[error(
        "`{agent}` already works on {} of {limit}: {}",
        .holding.len(), listed(.holding, TaskId::to_string)
    )]
    WipAgent {
        agent: AgentName,
        limit: usize,
        holding: Vec<TaskId>,
    },
    #[error("the team already works on {working} of {limit} tasks")]
    WipTeam { limit: usize, working: usize },
    #[error(
        "there is no resource `{resource}`; give it a capacity with `reflectt config set resources.{resource} N`"
    )]
    NoResource { resource: ResourceName },
    #[error(
        "`{resource}` is used by {} of {capacity}: {}",
        .users.len(), listed(.users, |(agent, id)| format!("{agent} ({id})"))
    )]
    Resource {
        resource: ResourceName,
        capacity: usize,
        users: Vec<(AgentName, TaskId)>,
    },
    #[error("`{by}` has paused the team: {reason}")]
    Paused { by: AgentName, reason: String },
    #[error("`{by}` has paused the team again: {reason}")]
    PausedAgain { by: AgentName, reason: String },
    #[error("task `{task}` is reserved for `{agent}`")]
    Reserved { task: TaskId, agent: AgentName },

    #[error("task `{task}` is held by `{holder}` and cannot be {done} by `{by}`")]
    NotHolder {
        task: TaskId,
        holder: AgentName,
        by: Author,
        done: &'static str,
    },
    #[error("nobody holds task `{task}`; claim it before it is {done}")]
    NoHolder { task: TaskId, done: &'static str },
    /// Of a task or of paths.
    #[error("`{id}` is held by `{holder}`, not by `{by}`")]
    NotClaimant {
        id: TaskId,
        holder: AgentName,
        by: AgentName,
    },
    /// Of a task or of paths.
    #[error("nobody holds `{id}`; claim it first")]
    NoClaimant { id: TaskId },
    #[error("the claim {fence}{} was over", .agent.as_ref().map(|name| format!(" of `{name}`")).unwrap_or_default())]
    ClaimOver {
        task: TaskId,
        fence: Fence,
        agent: Option<AgentName>,
    },
    #[error("claim {fence} was superseded by claim {by}")]
    Superseded {
        task: TaskId,
        fence: Fence,
        by: Fence,
    },
    #[error("{}", .holder.as_ref().map_or_else(
        || format!("the claim of `{id}` was over by then"),
        |holder| format!("`{holder}` has claimed `{id}` meanwhile")
    ))]
    Overtaken {
        id: TaskId,
        holder: Option<AgentName>,
    },
    #[error("`{agent}` already holds `{task}`")]
    AlreadyHolds { task: TaskId, agent: AgentName },
    #[error("`{agent}` cannot hand `{task}` to itself")]
    ToItself { task: TaskId, agent: AgentName },
    #[error(
        "task `{task}` is held by `{holder}`; only they, its creator `{creator}` or a person may cancel it"
    )]
    NotTheirsToCancel {
        task: TaskId,
        holder: AgentName,
        creator: Author,
    },
    #[error(
        "`{agent}` holds {} `{id}`; `reflectt release` or `reflectt handoff` comes first",
        if *.of_task { "task" } else { "claim" }
    )]
    StillHolds {
        agent: AgentName,
        id: TaskId,
        of_task: bool,
    },
    #[error("the id `{id}` is taken")]
    IdTaken { id: TaskId },
    /// What is in the way of the task's branch.
    #[error("this worktree cannot be switched to `{branch}`: {detail}")]
    Dirty {
        task: TaskId,
        branch: String,
        detail: String,
    },

    #[error("task `{task}` is `{}` and cannot be {done}", .status.told())]
    WrongStatus {
        task: TaskId,
        status: Status,
        done: &'static str,
    },
    #[error(
        "task `{task}` is `{}`{}; reopen it to work on it again",
        .status.told(), .by.as_ref().map(|name| format!(" by `{name}`")).unwrap_or_default()
    )]
    Closed {
        task: TaskId,
        status: Status,
        /// Who has done it.
        by: Option<AgentName>,
    },
    #[error("task `{task}` is claimed; its holder widens it with `claim --path`")]
    Claimed { task: TaskId },
    #[error("task `{task}` is done; there is nothing to wait for")]
    NothingToAwait { task: TaskId },
    #[error("task `{task}` is `{}`; nothing was submitted", .status.told())]
    NothingSubmitted { task: TaskId, status: Status },
    #[error("`{task}` was submitted anew meanwhile")]
    SubmittedAnew { task: TaskId },

    #[error("`{author}` cannot review its own work{}", if .task.is_none() { "; name another reviewer" } else { "" })]
    OwnReview {
        /// None while the task is still to be made.
        task: Option<TaskId>,
        author: AgentName,
    },
    #[error("the review of `{task}` is `{reviewer}`'s, not `{by}`'s")]
    NotReviewer {
        task: TaskId,
        reviewer: AgentName,
        by: Author,
    },
    #[error("the review of `{task}` is not `{by}`'s")]
    NotTheirReview { task: TaskId, by: Author },
    #[error("task `{task}` has no reviewer")]
    NoReviewer { task: TaskId },
    #[error("task `{task}` is in review; name another reviewer")]
    NeedsReviewer { task: TaskId },
    #[error("nobody but you is on the team to review `{task}`")]
    NobodyToReview { task: TaskId },
    #[error("task `{task}` has no criterion {number}; it has {count}")]
    NoSuchCriterion {
        task: TaskId,
        number: usize,
        count: usize,
    },
    #[error(
        "no evidence for {} {}",
        if .missing.len() == 1 { "criterion" } else { "criteria" },
        listed(.missing, |(number, text)| format!("{number} ({text})"))
    )]
    NoEvidence {
        task: TaskId,
        /// The criteria, counted from 1.
        missing: Vec<(usize, String)>,
    },
    #[error("{}", failed_checks(.failed))]
    CheckFailed {
        /// None where checks run for no task.
        task: Option<TaskId>,
        failed: Vec<CheckResult>,
    },
    /// The task must pass what no one can run.
    #[error("task `{task}` must pass {}: {}", named(.checks), undefined(.checks, .branch.as_deref()))]
    UndefinedChecks {
        task: TaskId,
        checks: Vec<CheckName>,
        /// The landing branch, if there is one.
        branch: Option<String>,
    },
    #[error(
        "{} of `{task}` did not run on {}",
        named(.checks),
        .commit.as_deref().map_or("what is submitted: there is no commit", short_commit)
    )]
    Unchecked {
        task: TaskId,
        checks: Vec<CheckName>,
        commit: Option<String>,
    },
    #[error("a newer submission of `{task}` replaced the one reviewed")]
    Replaced { task: TaskId },
    #[error("`{task}` was submitted anew since you looked at it")]
    NewerSubmission { task: TaskId },
    #[error("`{commit}` is not the commit that was submitted last of `{task}`; that is `{latest}`")]
    OtherCommit {
        task: TaskId,
        commit: String,
        latest: String,
    },
    #[error("the commit `{commit}` of `{task}` is not in this clone")]
    NotHere {
        task: TaskId,
        commit: String,
        /// Whether there is a remote that may have it.
        can_come: bool,
    },
    #[error("task `{task}` is approved already and waits to land")]
    Approved { task: TaskId },
    #[error("task `{task}` is not approved")]
    NotApproved { task: TaskId },
    #[error("`{branch}` is checked out in `{worktree}` and cannot be moved there: {detail}")]
    InTheWay {
        branch: String,
        worktree: String,
        detail: String,
    },
    #[error(
        "`{by}` is just landing task `{task}`: wait until `reflectt land` has ended, or finished it"
    )]
    IsLanding { task: TaskId, by: AgentName },
    #[error("in this team only people land; `{by}` is an agent")]
    Humans { by: AgentName },
    #[error("task `{task}` has no review that could be corrected")]
    NoReview { task: TaskId },
    #[error("`{agent}` is {liveness}; it leaves by itself, or a person takes it off")]
    AtWork {
        agent: AgentName,
        liveness: Liveness,
    },
}

fn listed<T>(items: &[T], word: impl Fn(&T) -> String) -> String {
    items.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn named(checks: &[CheckName]) -> String {
    let names = listed(checks, |name| format!("`{name}`"));
    match checks {
        [_] => format!("the check {names}"),
        _ => format!("the checks {names}"),
    }
}

fn undefined(checks: &[CheckName], branch: Option<&str>) -> String {
    let what = match checks {
        [_] => "it",
        _ => "them",
    };
    match branch {
        Some(branch) => format!("`{branch}` does not define {what}"),
        None => format!("there is no landing branch to define {what}"),
    }
}

fn failed_checks(failed: &[CheckResult]) -> String {
    let of = |result: &CheckResult| match &result.outcome {
        Outcome::Failed { code } => format!("`{}` (exit code {code})", result.name),
        _ => format!("`{}`", result.name),
    };
    let commit = failed
        .first()
        .map_or("", |result| short_commit(&result.commit));
    match failed {
        [one] => format!("check {} failed on commit {commit}", of(one)),
        many => format!("checks {} failed on commit {commit}", listed(many, of)),
    }
}

fn circular(circle: &[TaskId]) -> String {
    match circle {
        [task, _] => format!("task `{task}` cannot wait for itself"),
        _ => {
            let circle: Vec<&str> = circle.iter().map(TaskId::as_str).collect();
            format!("tasks would wait for each other: {}", circle.join(" → "))
        }
    }
}

fn awaited((id, state): &(TaskId, Dependency)) -> String {
    match state {
        Dependency::Cancelled => format!("`{id}` (cancelled)"),
        Dependency::Unknown => format!("`{id}` (unknown here)"),
        Dependency::Open | Dependency::Done => format!("`{id}`"),
    }
}

impl Refusal {
    /// Returns the rule that refuses.
    pub fn rule(&self) -> Rule {
        self.parts().0
    }

    /// Returns the task it is about, or the claim of paths, if it is about one.
    pub fn about(&self) -> Option<TaskId> {
        self.parts().1
    }

    fn parts(&self) -> (Rule, Option<TaskId>) {
        use Refusal as R;
        let (rule, id) = match self {
            R::WipAgent { .. } => return (Rule::WipAgent, None),
            R::WipTeam { .. } => return (Rule::WipTeam, None),
            R::NoResource { .. } | R::Resource { .. } => return (Rule::Resource, None),
            R::Paused { .. } | R::PausedAgain { .. } => return (Rule::Paused, None),
            R::AtWork { .. } => return (Rule::Member, None),
            R::InTheWay { .. } => return (Rule::Dirty, None),
            R::Humans { .. } => return (Rule::Humans, None),
            R::OwnReview { task, .. } => return (Rule::Reviewer, *task),
            R::Dirty { task, .. } => (Rule::Dirty, task),
            R::CheckFailed { task, .. } => return (Rule::Check, *task),
            R::UndefinedChecks { task, .. } | R::Unchecked { task, .. } => (Rule::Check, task),
            R::Criteria { task } => (Rule::Criteria, task),
            R::Waits { task, .. } => (Rule::Dependencies, task),
            R::Cycle { task, .. } => (Rule::Cycle, task),
            R::Reserved { task, .. } => (Rule::Reserved, task),
            R::NotHolder { task: id, .. }
            | R::NoHolder { task: id, .. }
            | R::NotClaimant { id, .. }
            | R::NoClaimant { id }
            | R::ClaimOver { task: id, .. }
            | R::Superseded { task: id, .. }
            | R::Overtaken { id, .. }
            | R::AlreadyHolds { task: id, .. }
            | R::ToItself { task: id, .. }
            | R::NotTheirsToCancel { task: id, .. }
            | R::StillHolds { id, .. }
            | R::IdTaken { id } => (Rule::Holder, id),
            R::WrongStatus { task, .. }
            | R::Closed { task, .. }
            | R::Claimed { task }
            | R::NothingToAwait { task }
            | R::NothingSubmitted { task, .. }
            | R::SubmittedAnew { task }
            | R::Approved { task }
            | R::IsLanding { task, .. }
            | R::NotApproved { task } => (Rule::Status, task),
            R::NotReviewer { task, .. }
            | R::NotTheirReview { task, .. }
            | R::NoReviewer { task }
            | R::NeedsReviewer { task }
            | R::NobodyToReview { task } => (Rule::Reviewer, task),
            R::NoSuchCriterion { task, .. } | R::NoEvidence { task, .. } => (Rule::Evidence, task),
            R::Replaced { task } | R::NoReview { task } | R::NotHere { task, .. } => {
                (Rule::Submission, task)
            }
            R::NewerSubmission { task } | R::OtherCommit { task, .. } => {
                (Rule::NewerSubmission, task)
            }
        };
        (rule, Some(*id))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A claim needs at least one concrete acceptance criterion.
    Criteria,
    /// A task that this one waits for is not done.
    Dependencies,
    /// Tasks may not wait for each other in a circle.
    Cycle,
    /// The agent has as many tasks in progress as it may.
    WipAgent,
    /// The team has as many tasks in progress as it may.
    WipTeam,
    /// Every slot of a named resource is taken.
    Resource,
    /// The team is paused.
    Paused,
    /// The task is reserved for another agent.
    Reserved,
    /// Only the holder of a task may do this.
    Holder,
    /// The move does not exist from the task's present status.
    Status,
    /// A review needs a reviewer who is not the author.
    Reviewer,
    /// A submission needs evidence for every criterion.
    Evidence,
    /// The review is of a submission that has been replaced.
    Submission,
    /// What is judged is not what the reviewer was shown.
    NewerSubmission,
    /// A branch is checked out only where nothing is lost by it.
    Dirty,
    /// Only people may do this.
    Humans,
    /// Whoever is at work leaves the team by itself.
    Member,
    /// A check of the repository failed, or nobody could run it.
    Check,
}

impl Rule {
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::Criteria => "criteria",
            Rule::Dependencies => "dependencies",
            Rule::Cycle => "cycle",
            Rule::WipAgent => "wip.agent",
            Rule::WipTeam => "wip.team",
            Rule::Resource => "resource",
            Rule::Paused => "paused",
            Rule::Reserved => "reserved",
            Rule::Holder => "holder",
            Rule::Status => "status",
            Rule::Reviewer => "reviewer",
            Rule::Evidence => "evidence",
            Rule::Submission => "submission",
            Rule::NewerSubmission => "newer_submission",
            Rule::Dirty => "dirty",
            Rule::Humans => "humans",
            Rule::Member => "member",
            Rule::Check => "check",
        }
    }
}
