//! A branch for each task: which one a claim works on, and where that begins.

use std::path::PathBuf;

use crate::git::{Oid, RefName};
use crate::model::id::TaskId;
use crate::model::rule::Refusal;
use crate::model::task::Task;
use crate::model::text::{short_commit, slug};

use super::requests::WorkPlace;
use super::tx::Tx;
use super::{Context, OpsError, chain, landing};

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

/// The branch that a worktree is to have checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkBranch {
    pub name: String,
    /// The commit that will be checked out; none before the first.
    pub commit: Option<Oid>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CheckedOut,
    Existing,
    /// It has to be made.
    New,
}

impl WorkBranch {
    pub fn place(&self) -> WorkPlace {
        WorkPlace {
            branch: Some(self.name.clone()),
            base: self.commit.map(|commit| commit.to_string()),
        }
    }

    /// Checks the branch out, for a task that is claimed by now.
    ///
    /// # Errors
    ///
    /// [`OpsError::NotSwitched`] if git does not: something came in the way meanwhile.
    pub fn check_out(&self, ctx: &Context, task: TaskId) -> Result<(), OpsError> {
        let repo = ctx.repo();
        let done = match self.state {
            State::CheckedOut => Ok(()),
            State::Existing => repo.switch(&self.name),
            State::New => repo.switch_to_new(&self.name, self.commit),
        };
        let Err(source) = done else {
            return Ok(());
        };
        // A hook that runs after it does not undo it.
        if repo.head()?.and_then(|head| head.branch).as_ref() == Some(&self.name) {
            ctx.note_warnings([chain(&source)]);
            return Ok(());
        }
        Err(OpsError::NotSwitched {
            task,
            branch: self.name.clone(),
            source,
        })
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
            "there is no worktree here to switch to a branch: claim it in a worktree (`git worktree add`), or without `--branch`"
                .to_owned(),
        ));
    }
    let head = repo.head()?;
    let here = head.as_ref().and_then(|head| head.branch.clone());
    let history = History::of(tx, task)?;
    let name = match name {
        Some(name) => name,
        None => own_name(tx, task, &history, here.as_deref())?,
    };
    let existing = branch_tip(ctx, &name)?;
    let (state, commit) = match existing {
        _ if here.as_ref() == Some(&name) => (State::CheckedOut, head.and_then(|it| it.commit)),
        Some(tip) => (State::Existing, Some(tip)),
        None => {
            let head = head.and_then(|head| head.commit);
            (State::New, history.left.or(history.landing).or(head))
        }
    };
    if state == State::New
        && let Some(missing) = &history.missing
    {
        ctx.note_warnings([format!(
            "the last commit submitted for `{}`, {}, is not in this clone, so `{name}` does not begin there",
            task.id,
            short_commit(missing)
        )]);
    }
    let branch = WorkBranch {
        name,
        commit,
        state,
    };
    if state != State::CheckedOut {
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
    if let Some(begun) = repo.unfinished() {
        return Err(refused(format!("{begun} is not finished")).into());
    }
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
    let other = other_worktree(tx.ctx, &branch.name)?;
    let other = other.map(|path| format!("it is checked out in `{}`", path.display()));
    match other.or(obstacle) {
        Some(detail) => Err(refused(detail).into()),
        None => Ok(()),
    }
}

/// Returns where a branch is checked out.
fn other_worktree(ctx: &Context, branch: &str) -> Result<Option<PathBuf>, OpsError> {
    let worktrees = ctx.repo().worktrees()?.into_iter();
    let mut there = worktrees.filter(|it| it.branch.as_deref() == Some(branch));
    Ok(there.next().map(|it| it.path))
}

/// What was done for a task before, as far as it is known here.
#[derive(Debug)]
struct History {
    /// The branch of whoever asks, if it was the last to work on the task.
    own: Option<String>,
    /// The last commit that anybody has left of it and that has not landed.
    left: Option<Oid>,
    /// The last commit that was submitted, if it is not in this clone.
    missing: Option<String>,
    /// The newest commit of the landing branch.
    landing: Option<Oid>,
}

impl History {
    fn of(tx: &Tx, task: &Task) -> Result<History, OpsError> {
        let repo = tx.ctx.repo();
        let landing = landing::of(tx.ctx, tx.snapshot)?;
        let handoff = task.handoff.as_ref();
        // Given by another, it has that one's branch until this one has moved.
        let is_anothers = handoff.is_some_and(|it| it.from != tx.me && it.branch == task.branch);
        let is_mine = task.last_holder.as_ref() == Some(&tx.me) && !is_anothers;
        let is_landing = |branch: &String| landing.as_ref().is_some_and(|it| it.branch == *branch);
        let own = task.branch.clone().filter(|it| is_mine && !is_landing(it));
        // Whose claim is over, or is taken over, has handed nothing over: that comes with this claim.
        let held = (task.branch.as_ref()).filter(|_| task.holder().is_some() && !is_mine);
        let given = match held.or(handoff.and_then(|it| it.branch.as_ref())) {
            Some(branch) if !is_landing(branch) => tip_of_others(tx, branch)?,
            _ => None,
        };
        let mut submitted = None;
        let mut missing = None;
        if let Some((_, submission)) = &task.submission
            && let Some(commit) = &submission.commit
        {
            let oid = Oid::parse(commit)?;
            match repo.exists(oid) {
                true => submitted = Some(oid),
                false => missing = Some(commit.clone()),
            }
        }
        let left = match (submitted, given) {
            // What was handed over later may lie on what was submitted.
            (Some(commit), Some(given)) if repo.is_ancestor(commit, given)? => Some(given),
            (submitted, given) => submitted.or(given),
        };
        let tip = landing.and_then(|landing| landing.tip);
        let tip = tip.filter(|tip| repo.exists(*tip));
        let has_landed = match (left, tip) {
            (Some(left), Some(tip)) => repo.is_ancestor(left, tip)?,
            _ => false,
        };
        Ok(History {
            own,
            left: left.filter(|_| !has_landed),
            missing,
            landing: tip,
        })
    }
}

/// Returns the name of the task's own branch: the one that whoever asks had, else one that is free,
/// or goes on from where the task was left.
fn own_name(
    tx: &Tx,
    task: &Task,
    history: &History,
    here: Option<&str>,
) -> Result<String, OpsError> {
    let ctx = tx.ctx;
    if let Some(own) = &history.own
        && branch_tip(ctx, own)?.is_some()
    {
        return Ok(own.clone());
    }
    let name = (tx.snapshot.settings()?.work_branch)
        .replace("{id}", task.id.as_str())
        .replace("{slug}", &slug(&task.title));
    for at in 1..=NAMES {
        let candidate = match at {
            1 => name.clone(),
            at => format!("{name}-{at}"),
        };
        let Some(tip) = branch_tip(ctx, &candidate)? else {
            return Ok(candidate);
        };
        let goes_on = match history.left {
            Some(left) => ctx.repo().is_ancestor(left, tip)?,
            None => false,
        };
        let is_free = || Ok::<_, OpsError>(other_worktree(ctx, &candidate)?.is_none());
        if goes_on && (here == Some(&candidate) || is_free()?) {
            return Ok(candidate);
        }
    }
    Err(OpsError::Usage(format!(
        "`{name}` and {NAMES} more branches of its kind are taken; name one with `--branch NAME`"
    )))
}

fn branch_tip(ctx: &Context, name: &str) -> Result<Option<Oid>, OpsError> {
    let full = RefName::new(format!("refs/heads/{name}"));
    // Git takes it for an option.
    let full = full.ok().filter(|_| !name.starts_with('-'));
    match full {
        Some(full) => Ok(ctx.repo().read_ref(&full)?),
        None => Err(OpsError::Usage(format!(
            "`{name}` is not a name that a branch can have"
        ))),
    }
}

/// Returns the last commit of a branch of somebody else's, here or on the remote.
fn tip_of_others(tx: &Tx, branch: &str) -> Result<Option<Oid>, OpsError> {
    let mut places = vec![format!("refs/heads/{branch}")];
    if let Some(link) = tx.snapshot.store().link() {
        places.insert(0, format!("refs/remotes/{}/{branch}", link.name));
    }
    for name in places {
        if let Ok(name) = RefName::new(name)
            && let Some(tip) = tx.ctx.repo().read_ref(&name)?
        {
            return Ok(Some(tip));
        }
    }
    Ok(None)
}
