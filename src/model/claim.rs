//! Claims and the table that holds them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::extra::Extra;
use super::id::{Fence, TaskId};
use super::name::{AgentName, ResourceName};
use super::path::PathPattern;
use super::task::{ChoiceError, choose};
use super::time::Timestamp;

/// What the holder of a claim is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    #[default]
    Working,
    /// Waiting for something; the slot in its holder's limit is free.
    Blocked,
    /// Waiting for a reviewer; the slot is free and the claim does not expire.
    InReview,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Working => "working",
            Phase::Blocked => "blocked",
            Phase::InReview => "in_review",
        }
    }
}

impl FromStr for Phase {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Phase, ChoiceError> {
        choose(
            "phase",
            text,
            &[Phase::Working, Phase::Blocked, Phase::InReview],
            Phase::as_str,
        )
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The clone an agent works in: one directory of git objects and refs on one machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloneId(String);

impl CloneId {
    pub fn random(rng: &mut fastrand::Rng) -> CloneId {
        CloneId(format!("{:012x}", rng.u64(..) >> 16))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the id of a clone: 12 hexadecimal digits")]
pub struct CloneIdError(String);

impl FromStr for CloneId {
    type Err = CloneIdError;

    fn from_str(text: &str) -> Result<CloneId, CloneIdError> {
        let hex = text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if text.len() == 12 && hex {
            Ok(CloneId(text.to_owned()))
        } else {
            Err(CloneIdError(text.to_owned()))
        }
    }
}

impl fmt::Display for CloneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The sole right to work on a task, on paths, or on both, and a share of resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The task's id; a claim without a task has its own.
    pub id: TaskId,
    /// Whether the claim is of a task, and not only of paths.
    pub of_task: bool,
    pub agent: AgentName,
    pub clone: CloneId,
    pub paths: Vec<PathPattern>,
    pub resources: BTreeSet<ResourceName>,
    pub phase: Phase,
    pub since: Timestamp,
    pub fence: Fence,
    /// The branch the work happens on, for whoever has to take it up.
    pub branch: Option<String>,
    /// The commit its holder had checked out, in hexadecimal. What can be reached from it was there
    /// before the claim, and no clock has to be trusted to know that.
    pub base: Option<String>,
    /// Why paths are claimed without a task.
    pub why: Option<String>,
    /// Makes the claim this one and no other with the same words.
    pub nonce: u64,
    pub extra: Extra,
}

impl Claim {
    pub fn task(&self) -> Option<TaskId> {
        self.of_task.then_some(self.id)
    }

    /// Tells whether `other` grants the same: to the same agent, under the same fence, as much.
    pub fn grants_the_same(&self, other: &Claim) -> bool {
        let key = |claim: &Claim| (claim.id, claim.nonce, claim.fence);
        key(self) == key(other)
            && self.agent == other.agent
            && self.paths == other.paths
            && self.resources == other.resources
    }

    /// Returns the pairs of this claim's paths and `paths` that overlap.
    pub fn overlaps(&self, paths: &[PathPattern]) -> Vec<PathPattern> {
        self.paths
            .iter()
            .filter(|ours| paths.iter().any(|p| ours.overlaps(p)))
            .cloned()
            .collect()
    }
}

/// Claiming is suspended for everyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    pub by: AgentName,
    pub reason: String,
    pub since: Timestamp,
    /// When it ends by itself; never, if not given.
    pub until: Option<Timestamp>,
}

impl Pause {
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// The claims table: who holds what. One version follows another in a straight line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// How many versions came before this one.
    pub epoch: u64,
    /// The highest fence ever given out.
    pub fence: Fence,
    pub pause: Option<Pause>,
    /// The number of the last request in the queue of each clone that was decided. What a clone
    /// asked for while it was cut off is decided once, whoever dies on the way.
    pub served: BTreeMap<CloneId, u64>,
    pub claims: BTreeMap<TaskId, Claim>,
    pub extra: Extra,
}

impl Table {
    /// Returns the number of the version that follows this one.
    pub fn next_epoch(&self) -> u64 {
        self.epoch.saturating_add(1)
    }

    /// Returns the same table for a decision that only one clone sees.
    #[must_use]
    pub fn provisional(&self) -> Table {
        Table {
            fence: self.fence.max(Fence::PROVISIONAL),
            ..self.clone()
        }
    }

    pub fn of_agent(&self, agent: &AgentName) -> impl Iterator<Item = &Claim> {
        self.claims
            .values()
            .filter(move |claim| claim.agent == *agent)
    }

    /// Counts the tasks in progress, of one agent or of all.
    ///
    /// Blocked tasks and those in review do not count, nor do claims of paths alone.
    pub fn in_progress(&self, agent: Option<&AgentName>) -> usize {
        self.claims
            .values()
            .filter(|c| c.of_task && c.phase == Phase::Working)
            .filter(|c| agent.is_none_or(|agent| c.agent == *agent))
            .count()
    }

    pub fn users_of(&self, resource: &ResourceName) -> impl Iterator<Item = &Claim> {
        self.claims
            .values()
            .filter(move |claim| claim.resources.contains(resource))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_grants_more_is_another() {
        let claim = Claim {
            id: "aaaaaa".parse().unwrap(),
            of_task: true,
            agent: "kai".parse().unwrap(),
            clone: "0123456789ab".parse().unwrap(),
            paths: vec!["src".parse().unwrap()],
            resources: BTreeSet::new(),
            phase: Phase::Working,
            since: Timestamp(2),
            fence: Fence(1),
            branch: None,
            base: None,
            why: None,
            nonce: 7,
            extra: Extra::default(),
        };
        let blocked = Claim {
            phase: Phase::Blocked,
            ..claim.clone()
        };
        assert!(claim.grants_the_same(&blocked));
        let mut wider = claim.clone();
        wider.paths.push("docs".parse().unwrap());
        let later = Claim {
            fence: Fence(2),
            ..claim.clone()
        };
        let of_link = Claim {
            agent: "link".parse().unwrap(),
            ..claim.clone()
        };
        for other in [wider, later, of_link] {
            assert!(!claim.grants_the_same(&other), "{other:?}");
        }
    }
}
