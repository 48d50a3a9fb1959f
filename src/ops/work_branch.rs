//! A branch for each task: which one a claim works on, and where that begins.

use crate::git::{Oid, RefName};
use crate::model::rule::Refusal;
use crate::model::task::Task;
use crate::model::text::slug;

use super::requests::WorkPlace;
use super::tx::Tx;
use super::{Context, OpsError, landing};

/// How many branches of one task are looked at for a name that is free.
const NAMES: usize = 100;

/// What branch to work on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Branch {
    /// The one that is checked out, which is left alone.
    #[default]
    AsItIs,
    /// One of the task's own, as the team calls them.
    OfTask,
    Named(String),
}

/// The branch that a worktree is to have checked out, and where it begins if it has to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkBranch {
    pub name: String,
    /// Where it is to be made; `None` if there is such a branch.
    pub start: Option<Oid>,
    /// The commit that will be checked out; none before the first.
    pub commit: Option<Oid>,
    is_checked_out: bool,
}

impl WorkBranch {
    pub fn place(&self) -> WorkPlace {
        WorkPlace {
            branch: Some(self.name.clone()),
            base: self.commit.map(|commit| commit.to_string()),
        }
    }

    /// Checks the branch out.
    pub fn check_out(&self, ctx: &Context) -> Result<(), OpsError> {
        if self.is_checked_out {
            return Ok(());
        }
        Ok(ctx.repo().switch(&self.name, self.start)?)
    }
}

/// Returns the branch for `task` in the worktree of whoever acts; `None` if it is to stay as it is.
///
/// # Errors
///
/// Refused by rule `dirty` if git could not check it out without touching what is not committed.
pub fn plan(tx: &Tx, task: &Task, wanted: &Branch) -> Result<Option<WorkBranch>, OpsError> {
    let name = match wanted {
        Branch::AsItIs => return Ok(None),
        Branch::OfTask => None,
        Branch::Named(name) => Some(name.clone()),
    };
    let (ctx, repo) = (tx.ctx, tx.ctx.repo());
    if repo.work_dir().is_none() {
        return Err(OpsError::Usage(
            "a branch is checked out in a worktree, and this is none".to_owned(),
        ));
    }
    let head = repo.head()?;
    let here = head.as_ref().and_then(|head| head.branch.clone());
    let settings = tx.snapshot.settings()?;
    let is_mine = task.last_holder.as_ref() == Some(&tx.me);
    let name = match name {
        Some(name) => name,
        None => own_name(ctx, &settings.work_branch, task, is_mine)?,
    };
    let existing = branch_tip(ctx, &name)?;
    let is_checked_out = here.as_ref() == Some(&name);
    let head_commit = head.and_then(|head| head.commit);
    let start = match existing {
        Some(_) => None,
        None if is_checked_out => None,
        None => match left_by_others(tx, task, is_mine)? {
            Some(commit) => Some(commit),
            None => landing::of(ctx, tx.snapshot)?
                .and_then(|landing| landing.tip)
                .filter(|tip| repo.exists(*tip))
                .or(head_commit),
        },
    };
    let commit = match is_checked_out {
        true => head_commit,
        false => start.or(existing),
    };
    let branch = WorkBranch {
        name,
        start,
        commit,
        is_checked_out,
    };
    if !branch.is_checked_out {
        check_clean(tx, task, &branch)?;
    }
    Ok(Some(branch))
}

fn check_clean(tx: &Tx, task: &Task, branch: &WorkBranch) -> Result<(), OpsError> {
    let repo = tx.ctx.repo();
    let refused = |detail| Refusal::Dirty {
        task: task.id,
        branch: branch.name.clone(),
        detail,
    };
    let changed = repo.changed_files()?;
    if !changed.is_empty() {
        let more = changed.len().saturating_sub(3);
        let mut named = changed[..changed.len().min(3)].join(", ");
        if more > 0 {
            named.push_str(&format!(" and {more} more"));
        }
        return Err(refused(format!("what is not committed: {named}")).into());
    }
    let obstacle = match branch.commit {
        Some(commit) => repo.obstacle_to(commit)?,
        None => None,
    };
    let other = (repo.worktrees()?.into_iter())
        .find(|it| it.branch.as_ref() == Some(&branch.name))
        .map(|it| format!("it is checked out in `{}`", it.path.display()));
    match obstacle.or(other) {
        Some(detail) => Err(refused(detail).into()),
        None => Ok(()),
    }
}

/// Returns the name of the task's own branch: the one its holder had, else one that is free.
fn own_name(ctx: &Context, pattern: &str, task: &Task, is_mine: bool) -> Result<String, OpsError> {
    let name = pattern
        .replace("{id}", task.id.as_str())
        .replace("{slug}", &slug(&task.title));
    let again = |at: usize| match at {
        1 => name.clone(),
        at => format!("{name}-{at}"),
    };
    let had = task.branch.as_ref().filter(|_| is_mine);
    for at in 1..=NAMES {
        let candidate = again(at);
        if had == Some(&candidate) || branch_tip(ctx, &candidate)?.is_none() {
            return Ok(candidate);
        }
    }
    Err(OpsError::Usage(format!(
        "`{name}` and {NAMES} more branches of its kind are taken; name one with `--branch NAME`"
    )))
}

fn branch_tip(ctx: &Context, name: &str) -> Result<Option<Oid>, OpsError> {
    let name = RefName::new(format!("refs/heads/{name}"))?;
    Ok(ctx.repo().read_ref(&name)?)
}

/// Returns the last commit that somebody else has published of the task, if it is in this clone.
fn left_by_others(tx: &Tx, task: &Task, is_mine: bool) -> Result<Option<Oid>, OpsError> {
    if is_mine {
        return Ok(None);
    }
    let repo = tx.ctx.repo();
    if let Some((_, submission)) = &task.submission
        && let Some(commit) = &submission.commit
    {
        let commit = Oid::parse(commit)?;
        return Ok(Some(commit).filter(|commit| repo.exists(*commit)));
    }
    let left = task.handoff.as_ref().and_then(|it| it.branch.as_ref());
    // Whose claim is over, or is taken over, has left nothing yet: that comes with this claim.
    let held = task.branch.as_ref().filter(|_| task.holder().is_some());
    let Some(branch) = held.or(left) else {
        return Ok(None);
    };
    let landing = landing::branch(tx.ctx, tx.snapshot.settings()?)?;
    if Some(branch) == landing.as_ref() {
        return Ok(None);
    }
    let below = match tx.snapshot.store().link() {
        Some(link) => format!("refs/remotes/{}/{branch}", link.name),
        None => format!("refs/heads/{branch}"),
    };
    for name in [format!("refs/heads/{branch}"), below] {
        if let Ok(name) = RefName::new(name)
            && let Some(tip) = repo.read_ref(&name)?
        {
            return Ok(Some(tip));
        }
    }
    Ok(None)
}
