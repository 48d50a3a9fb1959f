//! Processes of agents: alive while they run, signed off when they are gone.
//!
//! `reflectt run` shows its agent alive by itself. Killed, it cannot sign it off; so it leaves word
//! which process it is, and whoever comes by (the daemon) sees that it is gone.

use crate::git::{Fate, Process};
use crate::model::name::AgentName;

use super::overdue::see_to_reviews_on_the_way;
use super::{Context, OpsError};

/// Notes that whoever asks lives as long as this process.
pub fn tie_to_process(ctx: &Context, pid: u32) -> Result<(), OpsError> {
    Ok(ctx.presence().tie(ctx.me()?, &Process::of(pid))?)
}

/// Notes that the process of whoever asks has ended. Its claims stay until they expire; what it was
/// to review goes to others.
///
/// Not if another process runs under the same name: that one goes on.
pub fn sign_off(ctx: &Context, pid: u32) -> Result<(), OpsError> {
    let (presence, me) = (ctx.presence(), ctx.me()?);
    let goes_on = |process: &Process| process.pid != pid && process.fate() != Fate::Ended;
    if (presence.tied()?.iter()).any(|(agent, process)| agent == me && goes_on(process)) {
        return Ok(());
    }
    presence.untie(me)?;
    presence.sign_off(me, ctx.now())?;
    see_to_reviews_on_the_way(ctx);
    Ok(())
}

/// Shows agents alive whose process runs, and signs off those whose process is gone.
///
/// Returns the agents that were signed off.
pub fn look_after_processes(ctx: &Context) -> Result<Vec<AgentName>, OpsError> {
    let presence = ctx.presence();
    let mut gone = Vec::new();
    for (agent, process) in presence.tied()? {
        match process.fate() {
            Fate::Runs => presence.beat(&agent, ctx.now(), None)?,
            // It shows itself alive, if it is.
            Fate::Unknown => {}
            Fate::Ended => {
                presence.sign_off(&agent, ctx.now())?;
                presence.untie(&agent)?;
                gone.push(agent);
            }
        }
    }
    Ok(gone)
}
