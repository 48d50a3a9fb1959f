//! Telling agents that have gone quiet, before their claims expire.

use crate::model::claim::Claim;
use crate::model::message::Notice;
use crate::model::name::AgentName;
use crate::model::presence::Liveness;
use crate::store::Snapshot;

use super::block::humans;
use super::tx::{coarse, transact_itself};
use super::{Context, OpsError};

/// Tells the stale agents of this clone, once for each silence, and a person if others wait for
/// what they hold. Returns who was told.
///
/// Of agents elsewhere their own clone takes care; told by every clone, they would be told often.
pub fn nudge(ctx: &Context) -> Result<Vec<AgentName>, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    if quiet(ctx, &snapshot)?.is_empty() {
        return Ok(Vec::new());
    }
    drop(snapshot);
    transact_itself(ctx, |tx| {
        let mut told = Vec::new();
        for claim in quiet(tx.ctx, tx.snapshot)? {
            let waited_for = tx
                .snapshot
                .open_tasks()?
                .any(|task| task.blocked_by.contains(&claim.id));
            let mut to = vec![claim.agent.clone()];
            if waited_for {
                to.extend(humans(tx.snapshot)?);
            }
            let settings = tx.snapshot.settings()?;
            let body = format!(
                "`{}` has given no sign of life for {} and holds `{}`; after {} its claim expires.",
                claim.agent,
                coarse(settings.stale_after),
                claim.id,
                coarse(settings.expire_after),
            );
            tx.notify(to, Notice::Quiet, claim.task(), body);
            told.push(claim.agent);
        }
        let names: Vec<&str> = told.iter().map(AgentName::as_str).collect();
        tx.subject(format!("quiet: {}", names.join(", ")));
        Ok(told)
    })
}

/// Returns one claim of each agent that has gone quiet and was not told.
fn quiet(ctx: &Context, snapshot: &Snapshot) -> Result<Vec<Claim>, OpsError> {
    let settings = snapshot.settings()?;
    let here = ctx.here()?;
    let mut found: Vec<Claim> = Vec::new();
    let Some(table) = snapshot.known_table()? else {
        return Ok(found);
    };
    let claims = table.claims.values();
    for claim in claims.filter(|claim| here.made(&claim.clone) && !claim.phase.is_submitted()) {
        let alive = ctx.liveness(&claim.agent, settings)?;
        let is_stale = matches!(alive, Some((Liveness::Stale, _)));
        if !is_stale || found.iter().any(|other| other.agent == claim.agent) {
            continue;
        }
        let unread = snapshot.unread(&claim.agent)?;
        let told = |mail: &crate::store::Mail| mail.message.notice == Some(Notice::Quiet);
        if !unread.iter().any(told) {
            found.push(claim.clone());
        }
    }
    Ok(found)
}
