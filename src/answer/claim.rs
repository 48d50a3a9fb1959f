//! A claim as JSON.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::format::rfc3339;
use crate::model::claim::Claim;
use crate::model::id::TaskId;
use crate::ops::{ClaimsView, Context};

/// The state of a claim that the remote has not decided on.
const PROVISIONAL: &str = "provisional";

#[derive(Debug, Serialize)]
pub struct ClaimJson {
    /// The task's id; a claim without a task has its own.
    pub id: String,
    pub task: Option<String>,
    pub agent: String,
    /// None while the claim is provisional.
    pub fence: Option<u64>,
    pub since: String,
    pub paths: Vec<String>,
    /// Those of `paths` that stand for files; the others reach below what they name.
    pub files: Vec<String>,
    /// Those of `paths` that others may hold at the same time.
    pub shared: Vec<String>,
    pub resources: Vec<String>,
    pub phase: &'static str,
    /// `confirmed`, or `provisional` until the remote has decided.
    pub state: &'static str,
    pub branch: Option<String>,
    /// The commit that its holder began at.
    pub base: Option<String>,
    pub why: Option<String>,
}

impl ClaimJson {
    /// Returns a claim, of which something may wait for the remote's decision.
    pub fn new(claim: &Claim, waiting: &BTreeSet<TaskId>) -> ClaimJson {
        let mut json = ClaimJson::from(claim);
        if waiting.contains(&claim.id) {
            json.state = PROVISIONAL;
        }
        json
    }

    /// Returns a claim as what was just done with `ctx` has left it.
    pub fn left_by(ctx: &Context, claim: &Claim) -> ClaimJson {
        let waiting = ctx.is_provisional().then_some(claim.id);
        ClaimJson::new(claim, &waiting.into_iter().collect())
    }
}

impl From<&Claim> for ClaimJson {
    fn from(claim: &Claim) -> ClaimJson {
        let provisional = claim.fence.is_provisional();
        ClaimJson {
            id: claim.id.to_string(),
            task: claim.task().map(|id| id.to_string()),
            agent: claim.agent.to_string(),
            fence: claim.fence.given(),
            since: rfc3339(claim.since),
            paths: claim.paths.iter().map(ToString::to_string).collect(),
            files: claim.of_files().map(ToString::to_string).collect(),
            shared: claim.shared.iter().map(ToString::to_string).collect(),
            resources: claim.resources.iter().map(ToString::to_string).collect(),
            phase: claim.phase.as_str(),
            state: if provisional {
                PROVISIONAL
            } else {
                "confirmed"
            },
            branch: claim.branch.clone(),
            base: claim.base.clone(),
            why: claim.why.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct ClaimsJson {
    /// How often the table has changed.
    pub epoch: u64,
    pub claims: Vec<ClaimJson>,
}

impl From<&ClaimsView> for ClaimsJson {
    fn from(view: &ClaimsView) -> ClaimsJson {
        let claim = |claim| ClaimJson::new(claim, &view.provisional);
        ClaimsJson {
            epoch: view.table.epoch,
            claims: view.table.claims.values().map(claim).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct ClaimedJson {
    pub claim: ClaimJson,
}

/// The answer for a claim without a task.
#[derive(Debug, Serialize)]
pub struct ReleasedJson {
    pub id: String,
    pub task: Option<String>,
}
