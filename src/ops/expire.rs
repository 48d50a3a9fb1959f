//! Releasing what silent agents hold, when nobody asked for it.

use crate::model::claim::Claim;

use super::silence::Silence;
use super::tx::{Contact, transact_itself};
use super::{Context, OpsError};

/// Ends the claims of agents that have been silent for too long, and returns them.
///
/// Nothing is written, and the remote is not asked, if there is none.
pub fn expire(ctx: &Context) -> Result<Vec<Claim>, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    // Judged as if the remote had just been asked; it is, if somebody seems silent.
    let silence = Silence::new(ctx, &snapshot, Contact::Fresh)?;
    let Some(table) = snapshot.known_table()? else {
        return Ok(Vec::new());
    };
    let mut claims = table.claims.values();
    if !claims.any(|claim| !claim.phase.is_submitted() && silence.is_expired(claim)) {
        return Ok(Vec::new());
    }
    drop(silence);
    transact_itself(ctx, |tx| {
        let gone = tx.sweep()?;
        let ids: Vec<String> = gone.iter().map(|claim| claim.id.to_string()).collect();
        tx.subject(format!("expire {}: no sign of life", ids.join(", ")));
        Ok(gone)
    })
}
