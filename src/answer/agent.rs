//! Members of the team as JSON.

use serde::Serialize;

use crate::format::rfc3339;
use crate::model::claim::Claim;
use crate::ops::Seat;

use super::texts;

#[derive(Debug, Serialize)]
pub struct AgentJson {
    pub name: String,
    /// `active`, `idle`, `stale` or `offline`.
    pub status: &'static str,
    pub last_seen: Option<String>,
    /// The tasks it holds.
    pub tasks: Vec<String>,
    /// What it last said it was doing.
    pub note: Option<String>,
    /// `agent` or `human`.
    pub kind: &'static str,
    pub role: Option<String>,
    pub lanes: Vec<String>,
    /// How many tasks it may have in progress, where that is not the team's setting.
    pub wip: Option<u32>,
}

#[derive(Debug, Serialize)]
pub struct AgentsJson {
    pub agents: Vec<AgentJson>,
}

impl From<&Seat> for AgentJson {
    fn from(seat: &Seat) -> AgentJson {
        let agent = &seat.agent;
        AgentJson {
            name: agent.name.to_string(),
            status: seat.liveness.as_str(),
            last_seen: seat.last_seen.map(rfc3339),
            tasks: texts(seat.claims.iter().filter_map(Claim::task)),
            note: seat.note.clone(),
            kind: agent.kind.as_str(),
            role: agent.role.clone(),
            lanes: texts(&agent.lanes),
            wip: agent.wip,
        }
    }
}

impl<'s> FromIterator<&'s Seat> for AgentsJson {
    fn from_iter<I: IntoIterator<Item = &'s Seat>>(seats: I) -> AgentsJson {
        AgentsJson {
            agents: seats.into_iter().map(AgentJson::from).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct LeftJson {
    pub left: String,
    /// Open tasks that are assigned to it.
    pub assigned: Vec<String>,
    /// Open tasks that it was to review.
    pub reviews: Vec<String>,
}
