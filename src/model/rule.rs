//! Rules that refuse a move, by name.
//!
//! The name is part of the command line's promise (`"rule"` in `--json`), so an agent can act
//! on it without reading the sentence.

/// Why a move was refused. Losing to another holder is not a refusal; see [`super::decide`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub rule: Rule,
    pub message: String,
}

impl Refusal {
    pub fn new(rule: Rule, message: impl Into<String>) -> Refusal {
        Refusal {
            rule,
            message: message.into(),
        }
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
    /// Whoever is at work leaves the team by itself.
    Member,
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
            Rule::Member => "member",
        }
    }
}
