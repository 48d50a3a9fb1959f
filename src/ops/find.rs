//! Looking things up by what people type, with near matches for what is not there.

use crate::model::agent::Agent;
use crate::model::id::{IdPrefix, TaskId};
use crate::model::name::{AgentName, ChannelName, Lane};
use crate::model::settings::GENERAL;
use crate::store::{Entry, Found, Snapshot};

use super::OpsError;

/// How many near matches are named.
const NEAR_MAX: usize = 3;

/// Returns the task an id or its beginning stands for.
pub fn task<'s>(snapshot: &'s Snapshot, prefix: &IdPrefix) -> Result<&'s Entry, OpsError> {
    match snapshot.find(prefix)? {
        Found::One(entry) => Ok(entry),
        Found::Many(matches) => Err(OpsError::Ambiguous {
            prefix: prefix.as_str().to_owned(),
            matches,
        }),
        Found::None => {
            let open = snapshot.open()?.iter().map(|entry| entry.id().to_string());
            Err(missing("task", prefix.as_str(), open))
        }
    }
}

pub fn task_id(snapshot: &Snapshot, prefix: &IdPrefix) -> Result<TaskId, OpsError> {
    Ok(task(snapshot, prefix)?.id())
}

/// Returns the id of a task or of a claim without a task.
pub fn task_or_claim(snapshot: &Snapshot, prefix: &IdPrefix) -> Result<TaskId, OpsError> {
    let claims = &snapshot.table_in_force()?.0.claims;
    let mut found: Vec<TaskId> = claims
        .values()
        .filter(|claim| !claim.of_task && prefix.matches(claim.id))
        .map(|claim| claim.id)
        .collect();
    match (found.len(), snapshot.find(prefix)?) {
        (1, Found::None) => Ok(found.remove(0)),
        (0, _) => task_id(snapshot, prefix),
        (_, others) => {
            let mut matches: Vec<(TaskId, String)> = found
                .into_iter()
                .map(|id| (id, "a claim of paths".to_owned()))
                .collect();
            match others {
                Found::One(entry) => matches.push((entry.id(), entry.task().title.clone())),
                Found::Many(more) => matches.extend(more),
                Found::None => {}
            }
            Err(OpsError::Ambiguous {
                prefix: prefix.as_str().to_owned(),
                matches,
            })
        }
    }
}

pub fn agent<'s>(snapshot: &'s Snapshot, name: &AgentName) -> Result<&'s Agent, OpsError> {
    let agents = snapshot.agents()?;
    agents
        .get(name)
        .ok_or_else(|| missing("agent", name.as_str(), agents.keys()))
}

/// Checks that a channel is known: the general one, one of the settings, or one with messages.
pub fn channel(snapshot: &Snapshot, name: &ChannelName) -> Result<(), OpsError> {
    if name.as_str() == GENERAL || snapshot.settings()?.channels.contains_key(name) {
        return Ok(());
    }
    let used = snapshot.channels()?;
    if used.contains(name) {
        return Ok(());
    }
    let known = snapshot
        .settings()?
        .channels
        .keys()
        .chain(&used)
        .map(ToString::to_string);
    Err(missing(
        "channel",
        name.as_str(),
        known.chain([GENERAL.to_owned()]),
    ))
}

/// Checks that a lane is known: one of an agent's, or one of the settings.
pub fn lane(snapshot: &Snapshot, name: &Lane) -> Result<(), OpsError> {
    let agents = snapshot.agents()?.values().flat_map(|agent| &agent.lanes);
    let known: Vec<&Lane> = agents.chain(snapshot.settings()?.lanes.keys()).collect();
    if known.contains(&name) {
        return Ok(());
    }
    Err(missing("lane", name.as_str(), known))
}

/// Returns the error for something that is not there, naming what is spelt alike.
pub fn missing<T: ToString>(
    what: &'static str,
    name: &str,
    known: impl IntoIterator<Item = T>,
) -> OpsError {
    OpsError::NotFound {
        what,
        name: name.to_owned(),
        near: near(name, known),
    }
}

/// Returns the names most like `name`, best first.
pub fn near<T: ToString>(name: &str, known: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut scored: Vec<(f64, String)> = known
        .into_iter()
        .map(|known| known.to_string())
        .map(|known| {
            let bonus = if known.starts_with(name) { 0.3 } else { 0.0 };
            // One slip of the finger in a short name is much of it.
            let score = match strsim::osa_distance(name, &known) {
                0 | 1 => 0.9,
                _ => strsim::jaro_winkler(name, &known),
            };
            (score + bonus, known)
        })
        .filter(|(score, _)| *score >= 0.78)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored
        .into_iter()
        .take(NEAR_MAX)
        .map(|(_, known)| known)
        .collect()
}
