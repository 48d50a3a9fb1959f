//! Who is on the team, and how alive.

use crate::model::agent::Agent;
use crate::model::claim::Claim;
use crate::model::presence::Liveness;
use crate::model::time::Timestamp;
use crate::store::Snapshot;

use super::{Context, OpsError};

#[derive(Debug)]
pub struct Seat {
    pub agent: Agent,
    pub liveness: Liveness,
    /// When it was last seen in this clone.
    pub last_seen: Option<Timestamp>,
    pub note: Option<String>,
    pub claims: Vec<Claim>,
}

/// Returns everyone on the team, in the order of their names.
pub fn who(ctx: &Context) -> Result<Vec<Seat>, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    ctx.beat(&snapshot)?;
    seats(ctx, &snapshot)
}

/// Returns everyone, as one snapshot has them.
pub fn seats(ctx: &Context, snapshot: &Snapshot) -> Result<Vec<Seat>, OpsError> {
    let agents = snapshot.agents()?.values();
    agents.map(|agent| seat(ctx, snapshot, agent)).collect()
}

/// Returns one member of the team, as seen from this clone.
pub fn seat(ctx: &Context, snapshot: &Snapshot, agent: &Agent) -> Result<Seat, OpsError> {
    let settings = snapshot.settings()?;
    let now = ctx.now();
    let beat = ctx.last_beat(&agent.name)?;
    let (table, _) = snapshot.table_in_force()?;
    Ok(Seat {
        liveness: beat
            .as_ref()
            .map_or(Liveness::Offline, |beat| beat.liveness(now, settings)),
        last_seen: beat.as_ref().map(|beat| beat.seen),
        note: beat.and_then(|beat| beat.note),
        claims: table.of_agent(&agent.name).cloned().collect(),
        agent: agent.clone(),
    })
}
