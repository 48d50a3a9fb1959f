//! What there is to judge in a submission.

use std::path::{Path, PathBuf};

use crate::git::{Difference, Oid};
use crate::model::id::{IdPrefix, Stamp, TaskId};
use crate::model::name::AgentName;
use crate::model::rule::Refusal;
use crate::model::task::{Passing, Submission, Task, TaskEvent, TaskLog};

use super::join::AGENT_KEY;
use super::requests::{self, Look};
use super::{Context, OpsError, chain, find};

/// A submission as a reviewer looks at it.
#[derive(Debug)]
pub struct Inspection {
    pub task: Task,
    pub submission: (Stamp, Submission),
    /// Whether everybody of the team can have its commit.
    pub published: bool,
    /// What its commits are; `None` where they are not in this clone.
    pub work: Option<Work>,
    /// What lies below it and has not landed.
    pub beneath: Vec<Task>,
    /// The worktree that was made to look at it.
    pub checkout: Option<PathBuf>,
}

#[derive(Debug, Default)]
pub struct Work {
    /// The arguments of `git diff` that show it.
    pub range: String,
    /// Oldest first.
    pub commits: Vec<CommitLine>,
    pub files: Vec<Difference>,
    /// The arguments of `git range-diff` that show what is new since the submission before.
    pub since_last: Option<String>,
}

#[derive(Debug)]
pub struct CommitLine {
    pub oid: Oid,
    pub author: String,
    pub subject: String,
}

impl Inspection {
    /// Returns what ran on its commit: the task's checks, whether they did or not, and others.
    pub fn checks(&self) -> Vec<Passing<'_>> {
        let mut all = self.task.checks_of_submission();
        let commit = self.submission.1.commit.as_deref();
        for run in &self.task.checked {
            let result = &run.result;
            let known = all.iter().any(|it| *it.name == result.name);
            if commit == Some(result.commit.as_str()) && !known {
                let (name, run) = (&result.name, Some(run));
                all.push(Passing { name, run });
            }
        }
        all
    }
}

/// Returns the latest submission of a task, and notes that whoever asks has seen it.
pub fn inspect(ctx: &Context, id: &IdPrefix) -> Result<Inspection, OpsError> {
    let look = requests::look(ctx)?;
    ctx.beat(&look)?;
    let found = of(ctx, &look, id)?;
    if let Some(me) = ctx.identity() {
        let store = ctx.store();
        // Forgotten, it is only said not to have been shown.
        (store.note_submission_shown(me, found.task.id, found.submission.0)).ok();
    }
    Ok(found)
}

fn of(ctx: &Context, look: &Look, id: &IdPrefix) -> Result<Inspection, OpsError> {
    let entry = find::task(look, id)?;
    let log = look.log_of(entry)?;
    let task = log.fold().map(|folded| folded.task);
    let task = task.ok_or_else(|| find::missing("task", id.as_str(), [""; 0]))?;
    let Some(submission) = task.submission.clone() else {
        let status = task.status;
        return Err(Refusal::NothingSubmitted {
            task: task.id,
            status,
        }
        .into());
    };
    let commit = submission.1.commit.as_deref().map(Oid::parse).transpose()?;
    let mut beneath = Vec::new();
    for id in &submission.1.beneath {
        let below = look.entry(*id)?.map(crate::store::Entry::to_task);
        beneath.extend(below.filter(|below| below.status.is_open()));
    }
    Ok(Inspection {
        published: match commit {
            Some(commit) => ctx.store().is_published(task.id, commit)?,
            None => true,
        },
        work: match commit {
            Some(commit) => work(ctx, commit, &submission.1, &log)?,
            None => Some(Work::default()),
        },
        checkout: (ctx.identity()).and_then(|me| ctx.store().checkout_of(me, task.id)),
        beneath,
        submission,
        task,
    })
}

fn work(
    ctx: &Context,
    commit: Oid,
    submission: &Submission,
    log: &TaskLog,
) -> Result<Option<Work>, OpsError> {
    let repo = ctx.repo();
    if !repo.exists(commit) {
        return Ok(None);
    }
    let base = submission.base.as_deref().map(Oid::parse).transpose()?;
    let base = base.filter(|base| repo.exists(*base));
    let mut own: Vec<Oid> = Vec::new();
    for named in &submission.own {
        own.push(Oid::parse(named)?);
    }
    if own.is_empty() && submission.commits > 0 && base.is_some() {
        // They were too many to be named.
        own = repo.commits_beyond(base, commit)?;
    }
    let mut commits = Vec::new();
    for oid in own {
        if repo.exists(oid) {
            let commit = repo.read_commit(oid)?;
            commits.push(CommitLine {
                oid,
                author: commit.author.name,
                subject: commit.message.lines().next().unwrap_or_default().to_owned(),
            });
        }
    }
    let range = match base {
        Some(base) => format!("{}...{}", base.short(), commit.short()),
        // Nothing of it is new, or nobody knows what was there before.
        None => format!("{0}^!", commit.short()),
    };
    Ok(Some(Work {
        files: match base {
            Some(base) => repo.difference(base, commit)?,
            None => Vec::new(),
        },
        since_last: base.and_then(|base| since_last(ctx, base, commit, log)),
        range,
        commits,
    }))
}

/// Returns the ranges of the submission before and of this one.
fn since_last(ctx: &Context, base: Oid, commit: Oid, log: &TaskLog) -> Option<String> {
    let submissions = log
        .log
        .in_force()
        .filter_map(|(_, event)| match &event.kind {
            TaskEvent::Submitted(submission) => Some(submission),
            _ => None,
        });
    let all: Vec<_> = submissions.collect();
    let before = all.len().checked_sub(2).and_then(|at| all.get(at))?;
    let parse = |text: &Option<String>| Oid::parse(text.as_deref()?).ok();
    let (old_base, old) = (parse(&before.base)?, parse(&before.commit)?);
    let known = ctx.repo().exists(old) && ctx.repo().exists(old_base);
    (known && old != commit).then(|| {
        format!(
            "{}..{} {}..{}",
            old_base.short(),
            old.short(),
            base.short(),
            commit.short()
        )
    })
}

/// Makes a worktree of the submission, which acts as whoever asks, or moves the one there is.
pub fn check_out(
    ctx: &Context,
    found: &mut Inspection,
    directory: Option<&Path>,
) -> Result<PathBuf, OpsError> {
    let me = ctx.me()?;
    let id = found.task.id;
    let commit = found.submission.1.commit.as_deref().map(Oid::parse);
    let Some(commit) = commit.transpose()? else {
        return Err(OpsError::Nothing(format!(
            "`{id}` was submitted without a commit; there is nothing to check out"
        )));
    };
    if found.work.is_none() {
        return Err(not_here(ctx, &found.task, commit));
    }
    let before = found.checkout.take();
    let path = match (directory, &before) {
        (Some(directory), _) => absolute(directory),
        (None, Some(path)) => path.clone(),
        (None, None) => place(ctx, me, id),
    };
    let is_its_own = before.as_ref().is_some_and(|it| is_one(it, &path));
    if !is_its_own && !is_free(&path) {
        return Err(OpsError::Usage(format!(
            "`{}` is there already: name a directory that is not",
            path.display()
        )));
    }
    ctx.repo().check_out_detached(&path, commit)?;
    let there = crate::git::Repo::discover(&path)?;
    there.set_worktree_config(AGENT_KEY, Some(me.as_str()))?;
    if let Some(before) = before.filter(|_| !is_its_own) {
        remove(ctx, &before)?;
    }
    ctx.store().note_checkout(me, id, Some(path.clone()))?;
    found.checkout = Some(path.clone());
    Ok(path)
}

fn place(ctx: &Context, me: &AgentName, id: TaskId) -> PathBuf {
    ctx.store().dir().join("review").join(format!("{id}-{me}"))
}

/// Returns the path as it is from everywhere.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Tells whether two paths are the same place.
fn is_one(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    place(one) == place(other)
}

/// Tells whether nothing is at `path` that a worktree could be in the way of.
fn is_free(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Removes the worktrees that were made to review what there is a verdict on by now.
pub fn clear_checkouts(ctx: &Context) {
    let Some(me) = ctx.identity() else {
        return;
    };
    for task in ctx.take_judged() {
        let Some(path) = ctx.store().checkout_of(me, task) else {
            continue;
        };
        let done = remove(ctx, &path);
        let done = done.and_then(|()| Ok(ctx.store().note_checkout(me, task, None)?));
        if let Err(error) = done {
            ctx.note_warnings([format!(
                "the worktree `{}` is still there: {}",
                path.display(),
                chain(&error)
            )]);
        }
    }
}

/// Removes a worktree that was made for a review, unless somebody has begun to work in it.
fn remove(ctx: &Context, path: &Path) -> Result<(), OpsError> {
    if !path.join(".git").exists() {
        return Ok(());
    }
    let changed = crate::git::Repo::discover(path)?.changed_files()?;
    if let Some(first) = changed.first() {
        ctx.note_warnings([format!(
            "the worktree `{0}` is kept, as `{first}` was changed there: git worktree remove --force {0}",
            path.display()
        )]);
        return Ok(());
    }
    let stands_in = (ctx.repo().work_dir()).is_some_and(|here| is_one(here, path));
    ctx.repo()
        .reopen_for_all_worktrees()?
        .remove_worktree(path)?;
    if stands_in {
        ctx.note_warnings([format!(
            "you are in `{}`, which is gone now: go back to your own worktree",
            path.display()
        )]);
    }
    Ok(())
}

/// Says that a submitted commit is not in this clone, and how it comes here.
pub fn not_here(ctx: &Context, task: &Task, commit: Oid) -> OpsError {
    let missing = Refusal::NotHere {
        task: task.id,
        commit: commit.short().to_string(),
        can_come: ctx.store().link().is_some(),
    };
    missing.into()
}
