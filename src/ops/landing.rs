//! The landing branch: where finished work goes, and what decides there holds for everybody.

use crate::git::{Oid, RefName};

use super::{Context, OpsError};

/// The landing branch, as it is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandingBranch {
    /// For people: `main`, or `origin/main` where it is the remote's.
    pub name: String,
    pub tip: Oid,
}

/// The names that a branch has by habit, where nothing says which one it is.
const USUAL: [&str; 2] = ["main", "master"];

/// Returns the landing branch; `None` if there is none that could be it.
///
/// That is what the remote's `HEAD` names, else a branch by one of the usual names.
pub fn landing_branch(ctx: &Context) -> Result<Option<LandingBranch>, OpsError> {
    let repo = ctx.repo();
    let remote = match ctx.store().link() {
        Some(link) => link.name,
        None => "origin".to_owned(),
    };
    let head = format!("refs/remotes/{remote}/HEAD");
    let mut candidates = Vec::new();
    if let Some(branch) = repo.symbolic_ref(&head)? {
        candidates.push(branch);
    }
    candidates.extend(USUAL.map(|name| format!("refs/heads/{name}")));
    for full in candidates {
        // A remote may name its branch as it likes.
        let Ok(name) = RefName::new(full) else {
            continue;
        };
        if let Some(tip) = repo.read_ref(&name)? {
            let short = (name.as_str().strip_prefix("refs/remotes/"))
                .or(name.as_str().strip_prefix("refs/heads/"));
            let name = short.unwrap_or(name.as_str()).to_owned();
            return Ok(Some(LandingBranch { name, tip }));
        }
    }
    Ok(None)
}
