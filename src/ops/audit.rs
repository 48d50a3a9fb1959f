//! Checking what must be true of a team's whole history, from the data in the repository.

use crate::model::audit::{self, Violation};
use crate::model::id::{Stamp, TaskId};
use crate::model::name::AgentName;

use super::{Context, OpsError, mend};

/// What processes were told, to be held against the data.
#[derive(Debug, Default, Clone)]
pub struct Answers {
    /// An entry for each time an agent was told that it got a task.
    pub claimed: Vec<(AgentName, TaskId)>,
    pub sent: Vec<Stamp>,
}

/// One thing that must be true, and what was found: how much was looked at, or what is wrong.
#[derive(Debug)]
pub struct Proof {
    /// A fixed word, for programs.
    pub what: &'static str,
    pub claim: &'static str,
    pub found: Result<String, String>,
}

/// Checks all that must be true. Changes nothing.
pub fn audit(ctx: &Context, answers: &Answers) -> Result<Vec<Proof>, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    let versions = match snapshot.table_tip {
        Some(tip) => ctx.store().table_versions(tip)?,
        None => Vec::new(),
    };
    let count = versions.len();
    let agents = snapshot.agents()?;
    let settings = snapshot.settings()?;
    let usual = settings.wip_agent;
    let limit = |agent: &AgentName| agents.get(agent).and_then(|a| a.wip).unwrap_or(usual);
    let boxes = snapshot.all_mail()?;
    let channels = snapshot.all_of_channels()?;
    let proof = |what, claim, found: Result<String, Violation>| Proof {
        what,
        claim,
        found: found.map_err(|violation| violation.to_string()),
    };
    let repairs = mend::disagreement(&snapshot)?;
    let held = snapshot.table()?.claims.len();
    let tasks = snapshot.open()?.len() + snapshot.archived()?.len();
    Ok(vec![
        proof(
            "one_holder",
            "no task was ever held twice",
            audit::one_holder(&versions)
                .map(|n| format!("{n} claims in {count} versions of the claims table")),
        ),
        proof(
            "disjoint_paths",
            "no paths of two agents ever overlapped",
            audit::disjoint_paths(&versions, &settings.shared_paths)
                .map(|n| format!("{n} pairs of paths compared")),
        ),
        proof(
            "within_limits",
            "nobody ever had more work than allowed",
            audit::within_limits(&versions, limit).map(|()| format!("{} agents", agents.len())),
        ),
        proof(
            "true_answers",
            "who was told that a task is theirs had it",
            audit::true_answers(&versions, &answers.claimed)
                .map(|n| format!("{n} answers of processes")),
        ),
        proof(
            "mail_once",
            "every message is in each inbox once, read or unread",
            audit::mail_once(&boxes, &channels, &answers.sent).map(|n| format!("{n} deliveries")),
        ),
        Proof {
            what: "agreement",
            claim: "claims table and record agree",
            found: match repairs.is_empty() {
                true => Ok(format!("{held} claims, {tasks} tasks")),
                false => Err(format!("to be mended: {repairs:?}")),
            },
        },
    ])
}
