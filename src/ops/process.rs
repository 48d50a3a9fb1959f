//! Processes of agents: alive while they run, signed off when they are gone.
//!
//! `reflectt run` shows its agent alive by itself. Killed, it cannot sign it off; so it leaves its
//! process id, and whoever comes by (the daemon) sees that there is no such process.

use crate::git::is_alive;
use crate::model::name::AgentName;

use super::{Context, OpsError};

/// Notes that whoever asks lives as long as this process.
pub fn tie_to_process(ctx: &Context, pid: u32) -> Result<(), OpsError> {
    Ok(ctx.store().presence().tie(ctx.me()?, pid)?)
}

/// Shows agents alive whose process runs, and signs off those whose process is gone.
///
/// Returns the agents that were signed off.
pub fn look_after_processes(ctx: &Context) -> Result<Vec<AgentName>, OpsError> {
    let presence = ctx.store().presence();
    let mut gone = Vec::new();
    for (agent, pid) in presence.tied()? {
        if is_alive(pid) {
            presence.beat(&agent, ctx.now(), None)?;
        } else {
            presence.sign_off(&agent, ctx.now())?;
            presence.untie(&agent)?;
            gone.push(agent);
        }
    }
    Ok(gone)
}
