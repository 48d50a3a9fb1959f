//! Reviews: who is asked, and what they must be shown.

use std::collections::BTreeMap;

use super::agent::{Agent, AgentKind};
use super::name::AgentName;
use super::presence::Liveness;
use super::rule::{Refusal, Rule};
use super::task::Task;
use super::text::{self, TextError};

/// Somebody who could review.
pub struct Candidate<'a> {
    pub agent: &'a Agent,
    pub liveness: Liveness,
    /// How many reviews it has to do already.
    pub reviews: usize,
}

/// Returns who reviews a task: agents before people, those at work before those away, those of
/// the task's lane before others, those with fewer reviews before those with more.
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
            (
                candidate.liveness >= Liveness::Stale,
                candidate.agent.kind == AgentKind::Human,
                !in_lane,
                candidate.reviews,
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
        let message = format!(
            "task `{}` has no criterion {number}; it has {count}",
            task.id
        );
        return Err(Refusal::new(Rule::Evidence, message).into());
    }
    let missing: Vec<String> = task
        .done_criteria
        .iter()
        .enumerate()
        .filter(|(index, _)| !given.contains_key(&(index + 1)))
        .map(|(index, criterion)| format!("{} ({criterion})", index + 1))
        .collect();
    if !missing.is_empty() {
        let word = if missing.len() == 1 {
            "criterion"
        } else {
            "criteria"
        };
        let message = format!("no evidence for {word} {}", missing.join(", "));
        return Err(Refusal::new(Rule::Evidence, message).into());
    }
    Ok(given
        .values()
        .map(|text| text::note("evidence", text))
        .collect::<Result<_, _>>()?)
}
