//! Which branch finished work lands on.

use crate::git::{Oid, RefName};

use super::{Context, OpsError};

/// Returns where the landing branch is, as far as this clone knows: what the remote's HEAD names,
/// else the local `main`, else `master`.
pub fn landing_tip(ctx: &Context) -> Result<Option<Oid>, OpsError> {
    let remote = ctx.store().link();
    let head = remote.map(|link| format!("refs/remotes/{}/HEAD", link.name));
    let local = ["refs/heads/main", "refs/heads/master"].map(str::to_owned);
    for name in head.into_iter().chain(local) {
        // A remote may have a name that no ref can have.
        if let Ok(name) = RefName::new(name)
            && let Some(tip) = ctx.repo().read_ref(&name)?
        {
            return Ok(Some(tip));
        }
    }
    Ok(None)
}
