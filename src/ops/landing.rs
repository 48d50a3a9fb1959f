//! The landing branch: where work is done when it is on it.

use crate::git::{Looked, Oid, RefName, Relation, Sought};
use crate::model::settings::{LandBranch, Settings};
use crate::model::task::{Task, TaskEvent};
use crate::store::{Link, Snapshot, layout};

use super::enforce::TASK_TRAILER;
use super::{Context, OpsError};

/// Names that a landing branch has where nothing says which it is.
const USUAL: [&str; 2] = ["main", "master"];

/// The remote that a clone has unless somebody wanted another.
const ORIGIN: &str = "origin";

/// The landing branch, and what is known of it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    pub branch: String,
    /// Its newest commit that this clone knows of; none before the first.
    pub tip: Option<Oid>,
}

impl Landing {
    /// Returns the commit of the landing branch in which the submission of `task` is, if it is.
    pub fn has(
        &self,
        ctx: &Context,
        snapshot: &Snapshot,
        task: &Task,
    ) -> Result<Option<String>, OpsError> {
        Ok(self.have(ctx, snapshot, &[task])?.pop().flatten())
    }

    /// Returns for each task the commit in which its submission has landed, if it has: the commit
    /// itself, a squash that names the task, or the last of commits with the same patches.
    pub fn have(
        &self,
        ctx: &Context,
        snapshot: &Snapshot,
        tasks: &[&Task],
    ) -> Result<Vec<Option<String>>, OpsError> {
        let Some(tip) = self.tip else {
            return Ok(vec![None; tasks.len()]);
        };
        let mut works = Vec::new();
        for (at, task) in tasks.iter().enumerate() {
            if let Some((_, submission)) = &task.submission
                && let Some(commit) = &submission.commit
            {
                let commit = Oid::parse(commit)?;
                let base = submission.base.as_deref().map(Oid::parse).transpose()?;
                let own: Result<Vec<Oid>, _> =
                    submission.own.iter().map(|it| Oid::parse(it)).collect();
                works.push((at, commit, base, own?, older(snapshot, task)?));
            }
        }
        let sought: Vec<Sought> = (works.iter())
            .map(|(at, commit, base, own, older)| Sought {
                task: tasks[*at].id.as_str(),
                commit: *commit,
                base: *base,
                own,
                older,
            })
            .collect();
        let looked = Looked {
            tip,
            since: None,
            trailer: TASK_TRAILER,
        };
        let mut found = vec![None; tasks.len()];
        let answers = ctx.repo().find_landed(&looked, &sought)?;
        for ((at, ..), answer) in works.iter().zip(answers) {
            found[*at] = answer.map(|found| found.commit.to_string());
        }
        Ok(found)
    }
}

/// Returns the commits that were submitted before for the same task.
fn older(snapshot: &Snapshot, task: &Task) -> Result<Vec<Oid>, OpsError> {
    let latest = task.submission.as_ref().map(|(stamp, _)| *stamp);
    let Some(entry) = snapshot.entry(task.id)? else {
        return Ok(Vec::new());
    };
    let log = snapshot.log_of(entry)?;
    let older = log.log.iter().filter(|(stamp, _)| Some(*stamp) != latest);
    let commits = older.filter_map(|(_, event)| match &event.kind {
        TaskEvent::Submitted(submission) => submission.commit.as_deref(),
        _ => None,
    });
    commits.map(|commit| Ok(Oid::parse(commit)?)).collect()
}

/// Returns the landing branch; `None` if the team has none, and what is approved is done.
pub fn of(ctx: &Context, snapshot: &Snapshot) -> Result<Option<Landing>, OpsError> {
    match branch(ctx, snapshot.settings()?)? {
        Some(branch) => {
            let tip = tip(ctx, &branch)?;
            Ok(Some(Landing { branch, tip }))
        }
        None => Ok(None),
    }
}

/// Returns the name of the landing branch.
pub fn branch(ctx: &Context, settings: &Settings) -> Result<Option<String>, OpsError> {
    match &settings.land.branch {
        LandBranch::Named(name) => Ok(Some(name.clone())),
        LandBranch::Off => Ok(None),
        LandBranch::Auto => {
            let remote = ctx.store().link().map(|link| link.name);
            guess(ctx, remote.as_deref())
        }
    }
}

/// Returns the branch that a new team lands on: what the remote's HEAD names, or that of a bare
/// repository, else what is checked out.
pub fn at_founding(ctx: &Context, remote: Option<&str>) -> Result<Option<String>, OpsError> {
    let repo = ctx.repo();
    if let Some(remote) = remote {
        let limit = super::sync::time_limit(ctx);
        if let Some(branch) = repo.remote(remote, limit).head_branch()? {
            return Ok(Some(branch));
        }
    }
    // The worktrees of a bare repository are there to be worked in, each on a branch of its own.
    if let Some(branch) = repo.hub_branch()
        && (repo.read_ref(&RefName::new(format!("refs/heads/{branch}"))?)?).is_some()
    {
        return Ok(Some(branch));
    }
    Ok(repo.head()?.and_then(|head| head.branch))
}

/// A team founded by version 0.1 never said.
fn guess(ctx: &Context, remote: Option<&str>) -> Result<Option<String>, OpsError> {
    let repo = ctx.repo();
    let below = match remote {
        Some(remote) => format!("refs/remotes/{remote}/"),
        None => "refs/heads/".to_owned(),
    };
    // What the configuration calls a remote may be no part of a ref's name.
    let Ok(head) = RefName::new(format!("{below}HEAD")) else {
        return Ok(None);
    };
    if let Some(named) = repo.symbolic_ref(&head)?
        && let Some(branch) = named.as_str().strip_prefix(&below)
    {
        return Ok(Some(branch.to_owned()));
    }
    for branch in USUAL {
        if (repo.read_ref(&RefName::new(format!("{below}{branch}"))?)?).is_some() {
            return Ok(Some(branch.to_owned()));
        }
    }
    Ok(None)
}

/// Returns the newest commit of `branch` that is known here: what the remote had when it was last
/// asked, by reflectt or by the user; without a remote, what is here.
pub fn tip(ctx: &Context, branch: &str) -> Result<Option<Oid>, OpsError> {
    let repo = ctx.repo();
    let Some(link) = ctx.store().link() else {
        return Ok(repo.read_ref(&RefName::new(format!("refs/heads/{branch}"))?)?);
    };
    let ours = repo.read_ref(&tracking(&link, branch)?)?;
    let name = RefName::new(format!("refs/remotes/{}/{branch}", link.name));
    let theirs = match name {
        Ok(name) => repo.read_ref(&name)?,
        Err(_) => None,
    };
    Ok(match (ours, theirs) {
        (Some(ours), Some(theirs)) => match repo.relation(ours, theirs)? {
            Relation::Behind => Some(theirs),
            _ => Some(ours),
        },
        (ours, theirs) => ours.or(theirs),
    })
}

/// The landing branch with a commit, and called as people do here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandingBranch {
    /// `main`, or `origin/main` where it is the remote's.
    pub name: String,
    pub tip: Oid,
}

/// Returns the landing branch; `None` if there is none, or nothing on it.
pub fn landing_branch(ctx: &Context) -> Result<Option<LandingBranch>, OpsError> {
    let Ok(snapshot) = ctx.store().snapshot() else {
        // Checks need no team.
        return by_habit(ctx);
    };
    let Some(Landing { branch, tip }) = of(ctx, &snapshot)? else {
        return Ok(None);
    };
    let remote = ctx.store().link().map(|link| link.name);
    Ok(tip.map(|tip| LandingBranch::new(remote.as_deref(), &branch, tip)))
}

impl LandingBranch {
    fn new(remote: Option<&str>, branch: &str, tip: Oid) -> LandingBranch {
        let name = match remote {
            Some(remote) => format!("{remote}/{branch}"),
            None => branch.to_owned(),
        };
        LandingBranch { name, tip }
    }
}

/// Notes what the remote's landing branch holds after a push.
pub fn note_tip(ctx: &Context, link: &Link, branch: &str, tip: Oid) -> Result<(), OpsError> {
    Ok(ctx.store().set_copy(&tracking(link, branch)?, tip)?)
}

/// Returns the landing branch where nobody has said which it is: what `origin` calls so, else one of
/// the usual names here.
fn by_habit(ctx: &Context) -> Result<Option<LandingBranch>, OpsError> {
    for remote in [Some(ORIGIN), None] {
        let below = match remote {
            Some(remote) => format!("refs/remotes/{remote}"),
            None => "refs/heads".to_owned(),
        };
        if let Some(branch) = guess(ctx, remote)?
            && let Some(tip) = (ctx.repo()).read_ref(&RefName::new(format!("{below}/{branch}"))?)?
        {
            return Ok(Some(LandingBranch::new(remote, &branch, tip)));
        }
    }
    Ok(None)
}

/// Returns where our copy of the remote's landing branch is.
pub fn tracking(link: &Link, branch: &str) -> Result<RefName, OpsError> {
    let name = layout::tracking(&link.name, &format!("heads/{branch}"));
    Ok(RefName::new(name)?)
}
