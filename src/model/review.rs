//! Reviews: who is asked, and what they must be shown.

use std::collections::BTreeMap;

use super::agent::{Agent, AgentKind};
use super::name::AgentName;
use super::presence::Liveness;
use super::rule::Refusal;
use super::task::Task;
use super::text::{self, TextError};

/// Somebody who could review.
pub struct Candidate<'a> {
    pub agent: &'a Agent,
    pub liveness: Liveness,
    /// How many reviews it has to do already.
    pub reviews: usize,
}

/// Returns who reviews a task: agents at work before people, and people before agents that are away;
/// those with fewer reviews before those with more, then those of the task's lane before others.
///
/// Candidates must not include the author.
pub fn pick(task: &Task, candidates: &[Candidate]) -> Option<AgentName> {
    candidates
        .iter()
        .min_by_key(|candidate| {
            let in_lane = task
                .lane
                .as_ref()
                .is_some_and(|lane| candidate.agent.lanes.contains(lane));
            // People come and look; whether they gave a sign of life says little.
            let away = match candidate.agent.kind {
                AgentKind::Human => 1,
                AgentKind::Agent if candidate.liveness >= Liveness::Stale => 2,
                AgentKind::Agent => 0,
            };
            (
                away,
                candidate.reviews,
                !in_lane,
                candidate.liveness,
                &candidate.agent.name,
            )
        })
        .map(|candidate| candidate.agent.name.clone())
}

/// Why a submission's evidence is not enough.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Text(#[from] TextError),
}

/// Checks that there is evidence for every criterion, and returns it in their order.
pub fn evidence(
    task: &Task,
    given: &BTreeMap<usize, String>,
) -> Result<Vec<String>, EvidenceError> {
    let count = task.done_criteria.len();
    if let Some(number) = given.keys().find(|number| !(1..=count).contains(number)) {
        let refusal = Refusal::NoSuchCriterion {
            task: task.id,
            number: *number,
            count,
        };
        return Err(refusal.into());
    }
    let missing: Vec<(usize, String)> = task
        .done_criteria
        .iter()
        .enumerate()
        .map(|(index, criterion)| (index + 1, criterion.clone()))
        .filter(|(number, _)| !given.contains_key(number))
        .collect();
    if !missing.is_empty() {
        let task = task.id;
        return Err(Refusal::NoEvidence { task, missing }.into());
    }
    Ok(given
        .values()
        .map(|text| text::note("evidence", text))
        .collect::<Result<_, _>>()?)
}
