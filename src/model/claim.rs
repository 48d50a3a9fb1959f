//! Claims and the table that holds them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::extra::Extra;
use super::id::{FENCES_UNKNOWN, Fence, TaskId};
use super::name::{AgentName, ResourceName};
use super::path::PathPattern;
use super::share::Cover;
use super::task::{ChoiceError, Task, choose};
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
    /// Waiting to land; as in review.
    Approved,
}

impl Phase {
    pub const ALL: [Phase; 4] = [
        Phase::Working,
        Phase::Blocked,
        Phase::InReview,
        Phase::Approved,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Working => "working",
            Phase::Blocked => "blocked",
            Phase::InReview => "in_review",
            Phase::Approved => "approved",
        }
    }

    /// Tells whether nothing is left to do for the holder, so that it may be silent.
    pub fn is_submitted(self) -> bool {
        matches!(self, Phase::InReview | Phase::Approved)
    }
}

impl FromStr for Phase {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Phase, ChoiceError> {
        choose("phase", text, &Phase::ALL, Phase::as_str)
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

    /// Stands for a clone that is not known.
    pub fn unknown() -> CloneId {
        CloneId("0".repeat(12))
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

/// A move of the landing branch that is about to happen, or has just happened: whoever finds it
/// after its lander has died can tell which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The commit that the branch is moved to, in hexadecimal.
    pub tip: String,
    /// The tasks that land with it, each with the commit it lands as.
    pub tasks: Vec<(TaskId, String)>,
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
    /// Those of `paths` that others may hold at the same time.
    pub shared: BTreeSet<PathPattern>,
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
    /// What whoever lands is about to do.
    pub intent: Option<Intent>,
    /// Makes the claim this one and no other with the same words.
    pub nonce: u64,
    pub extra: Extra,
}

impl Claim {
    pub fn task(&self) -> Option<TaskId> {
        self.of_task.then_some(self.id)
    }

    /// Returns its paths that were taken for files; the others reach below what they name.
    pub fn of_files(&self) -> impl Iterator<Item = &PathPattern> {
        self.paths.iter().filter(|path| path.is_of_files())
    }

    /// Returns what it covers, and how.
    pub fn cover(&self) -> Cover<'_> {
        Cover {
            paths: &self.paths,
            shared: &self.shared,
        }
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

/// More versions than this no table has: it is a thousand a second for 34 years.
const EPOCHS_PLAUSIBLE: u64 = 1 << 40;

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
    /// Returns the claims that the record knows of, where the table itself cannot be had.
    ///
    /// Claims without a task are in no record, and in which clone a holder works is not either.
    /// Those under a fence that cannot have been given out beside `fence` were forged.
    pub fn of_record<'t>(open: impl Iterator<Item = &'t Task>, fence: Fence) -> Table {
        let reach = fence.plus(FENCES_UNKNOWN);
        let claim = |task: &Task| {
            Some(Claim {
                id: task.id,
                of_task: true,
                agent: task.holder()?.clone(),
                clone: CloneId::unknown(),
                paths: task.paths.clone(),
                shared: task.shared.clone(),
                resources: task.resources.clone(),
                phase: task.phase(),
                since: task.claimed_at.unwrap_or(task.updated),
                fence: task.fence.filter(|it| *it <= reach)?,
                branch: task.branch.clone(),
                base: None,
                why: None,
                intent: None,
                nonce: 0,
                extra: Extra::default(),
            })
        };
        let claims = open.filter_map(claim);
        Table {
            fence,
            claims: claims.map(|claim| (claim.id, claim)).collect(),
            ..Table::default()
        }
    }

    /// Returns the number of the version that follows this one.
    pub fn next_epoch(&self) -> u64 {
        self.epoch + 1
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

    /// Returns the highest fence that can have been given out, known to this version or not.
    pub fn reach(&self) -> Fence {
        self.fence.plus(FENCES_UNKNOWN)
    }

    /// Tells whether this many versions can have been written, and have given out so many fences.
    pub fn is_plausible(&self) -> bool {
        self.epoch <= EPOCHS_PLAUSIBLE && self.fence <= Fence(self.epoch).plus(FENCES_UNKNOWN)
    }

    /// Returns the claims that need another fence: one that an older claim has, too, or one that
    /// was never given out. Only a hand can have written them.
    pub fn misnumbered(&self) -> BTreeSet<TaskId> {
        let mut claims: Vec<&Claim> = self.claims.values().collect();
        claims.sort_by_key(|claim| (claim.fence, claim.since, claim.id));
        let reach = self.reach();
        let mut last = None;
        let wrong = claims.into_iter().filter(|claim| {
            let again = last.replace(claim.fence) == Some(claim.fence);
            again || claim.fence > reach
        });
        wrong.map(|claim| claim.id).collect()
    }

    /// Returns the claims of different agents that are in each other's way, and where; the later
    /// one second. Nobody holds a path of `common` alone.
    pub fn overlaps(&self, common: &[PathPattern]) -> Vec<(&Claim, &Claim, PathPattern)> {
        let mut claims: Vec<&Claim> = self.claims.values().collect();
        claims.sort_by_key(|claim| (claim.fence, claim.since, claim.id));
        let mut found = Vec::new();
        for (at, later) in claims.iter().enumerate() {
            for earlier in claims[..at].iter().filter(|c| c.agent != later.agent) {
                let overlap = later.cover().in_the_way(earlier.cover(), common).next();
                found.extend(overlap.map(|path| (*earlier, *later, path.clone())));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(id: &str, agent: &str, fence: u64, path: &str) -> Claim {
        Claim {
            id: id.parse().unwrap(),
            of_task: true,
            agent: agent.parse().unwrap(),
            clone: "0123456789ab".parse().unwrap(),
            paths: vec![path.parse().unwrap()],
            shared: BTreeSet::new(),
            resources: BTreeSet::new(),
            phase: Phase::Working,
            since: Timestamp(2),
            fence: Fence(fence),
            branch: None,
            base: None,
            why: None,
            intent: None,
            nonce: 7,
            extra: Extra::default(),
        }
    }

    #[test]
    fn what_only_a_hand_can_have_written_is_found() {
        let claims = [
            claim("aaaaaa", "kai", 3, "src"),
            claim("bbbbbb", "link", 3, "docs"),
            claim("cccccc", "link", 1, "src/a"),
            claim("dddddd", "link", 1 << 40, "docs/a"),
        ];
        let table = Table {
            epoch: 9,
            fence: Fence(3),
            claims: claims.into_iter().map(|claim| (claim.id, claim)).collect(),
            ..Table::default()
        };
        let wrong: Vec<TaskId> = table.misnumbered().into_iter().collect();
        assert_eq!(
            wrong,
            ["bbbbbb".parse().unwrap(), "dddddd".parse().unwrap()]
        );
        let overlaps = table.overlaps(&[]);
        let found: Vec<_> = (overlaps.iter())
            .map(|(one, other, _)| (one.id.as_str(), other.id.as_str()))
            .collect();
        assert_eq!(found, [("cccccc", "aaaaaa")]);
        assert!(table.is_plausible());
        for (epoch, fence) in [(9, 1 << 40), (1 << 50, 3)] {
            let forged = Table {
                epoch,
                fence: Fence(fence),
                ..table.clone()
            };
            assert!(!forged.is_plausible());
        }
    }
}
