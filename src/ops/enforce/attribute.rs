//! Which task a commit is part of.

use crate::model::claim::{Claim, Phase};
use crate::model::id::{IdPrefix, TaskId};
use crate::ops::{Context, OpsError, find, landing, requests};

use super::Verdict;

/// Returns the claims whose trailers a commit gets: of those that `verdict` found to be its
/// author's, or of the task that `wanted` names.
///
/// It is the task of the branch that is checked out, else the one claim that is being worked on
/// and has the paths. Where several have them nobody can tell which task it is for; what the
/// commit was made under is known all the same. What is in review gets no trailer by itself.
pub fn attribute(
    ctx: &Context,
    verdict: &Verdict,
    wanted: Option<&IdPrefix>,
) -> Result<Attributed, OpsError> {
    let snapshot = requests::look(ctx)?;
    let (table, _) = snapshot.table_in_force()?;
    let me = ctx.identity();
    let mine = |claim: &&Claim| Some(&claim.agent) == me;
    if let Some(wanted) = wanted {
        let id = find::task_id(&snapshot, wanted)?;
        let under = table.claims.get(&id).filter(mine).cloned();
        return Ok(Attributed {
            task: Some(id),
            under: under.into_iter().collect(),
        });
    }
    let branch = ctx.repo().head()?.and_then(|head| head.branch);
    let landing = landing::branch(ctx, snapshot.settings()?)?;
    let of_branch = branch.filter(|it| Some(it) != landing.as_ref());
    let of_branch = of_branch.and_then(|branch| {
        let claims = table.claims.values().filter(mine);
        task_of_branch(claims.filter(|claim| claim.of_task), &branch)
    });
    let working = || (verdict.own.iter()).filter(|claim| claim.phase == Phase::Working);
    let under: Vec<Claim> = match of_branch {
        Some(claim) => vec![claim.clone()],
        None => working().cloned().collect(),
    };
    Ok(Attributed {
        task: match &under[..] {
            [claim] => Some(claim.id),
            _ => None,
        },
        under,
    })
}

/// What a commit is part of, and the claims that it was made under.
#[derive(Debug, Default)]
pub struct Attributed {
    pub task: Option<TaskId>,
    pub under: Vec<Claim>,
}

/// Returns the claim whose branch this is: the one named in it, else the only one that is being
/// worked on there. What is in review is nobody's to change before it is submitted anew.
fn task_of_branch<'c>(claims: impl Iterator<Item = &'c Claim>, branch: &str) -> Option<&'c Claim> {
    let of_it = claims.filter(|claim| claim.branch.as_deref() == Some(branch));
    let open = |claim: &&Claim| !matches!(claim.phase, Phase::InReview | Phase::Approved);
    let of_it: Vec<&Claim> = of_it.filter(open).collect();
    let is_named = |claim: &&&Claim| {
        let mut words = branch.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| word == claim.id.as_str())
    };
    if let Some(named) = of_it.iter().find(is_named) {
        return Some(named);
    }
    let mut working = of_it.iter().filter(|it| it.phase == Phase::Working);
    match (working.next(), working.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}
