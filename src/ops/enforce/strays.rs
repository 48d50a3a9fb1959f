//! Which changed files of a worktree lie in a claim of somebody else.

use std::time::Duration;

use crate::model::enforce::{Change, Unclaimed, Voucher};
use crate::model::settings::EnforceMode;

use super::{Context, Facts, Finding, OpsError, acting, requests};

/// More text than this is no command line; then the whole worktree is looked at.
const ROOTS_MAX: usize = 64 * 1024;

/// Returns the changed files of this worktree that others than whoever asks have claimed, by claim.
///
/// No process is started where nobody else holds any path, and during a merge nothing is said: what
/// it brings in was changed by those who committed it.
pub fn strays(ctx: &Context, time_limit: Duration) -> Result<Vec<Finding>, OpsError> {
    let mut found = Vec::new();
    let who = acting(ctx);
    let snapshot = requests::look(ctx)?;
    let facts = Facts::read(ctx, &snapshot, &who)?;
    if facts.settings.enforce == EnforceMode::Off || ctx.repo().work_dir().is_none() {
        return Ok(found);
    }
    let index = facts.index()?;
    let mut roots = index.anchors_of_others(&who);
    if roots.is_empty() || !ctx.repo().merge_heads().is_empty() {
        return Ok(found);
    }
    if roots.iter().map(|root| root.len()).sum::<usize>() > ROOTS_MAX {
        roots = [""].into();
    }
    let paths = ctx.repo().changed_below(roots, time_limit)?;
    let change = Change {
        who: &who,
        voucher: &Voucher::default(),
        unclaimed: Unclaimed::Free,
    };
    let judged = index.judge(&paths, &change);
    facts.report(&judged, None, &|at| paths[*at].clone(), &mut found)?;
    Ok(found)
}
