//! Showing finished work to a reviewer, when it has passed its checks.

mod checking;

pub use checking::Passed;

use std::collections::BTreeMap;

use crate::git::Oid;
use crate::model::check::CheckResult;
use crate::model::claim::Phase;
use crate::model::decide::Request;
use crate::model::id::IdPrefix;
use crate::model::message::Notice;
use crate::model::name::AgentName;
use crate::model::presence::Liveness;
use crate::model::review::{self, Candidate};
use crate::model::rule::Refusal;
use crate::model::task::{Status, Submission, Task, TaskEvent};
use crate::model::text;

use super::checks::Step;
use super::overdue::loads;
use super::release::ASKED;
use super::requests::Act;
use super::stack::Beneath;
use super::tx::Tx;
use super::{Context, OpsError, find, landing, review as review_op, stack};

#[derive(Debug, Default, Clone)]
pub struct NewSubmission {
    pub summary: String,
    /// Evidence by the number of its criterion, from 1.
    pub evidence: BTreeMap<usize, String>,
    /// A revision; the worktree's `HEAD` if not given.
    pub commit: Option<String>,
    /// The branch it is on, as far as that is known.
    pub branch: Option<String>,
    pub pr: Option<String>,
    pub caveat: Option<String>,
    pub reviewer: Option<AgentName>,
    pub checking: Checking,
}

/// What is made of the checks that the task must pass.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Checking {
    /// They run, but for those that have passed on the same files.
    #[default]
    AsNeeded,
    /// All of them run.
    Again,
    /// None of them runs, and the submission says so.
    Without,
}

/// Submits a task for review, if its checks pass on the commit.
///
/// # Errors
///
/// [`Refusal::CheckFailed`] if one fails; [`OpsError::NotSubmitted`] if one could not run. Nothing
/// is recorded then.
pub fn submit(
    ctx: &Context,
    id: &IdPrefix,
    new: &NewSubmission,
    watch: &dyn Fn(Step),
) -> Result<Task, OpsError> {
    let caveat = new.caveat.as_deref();
    let new = NewSubmission {
        summary: text::note("summary", &new.summary)?,
        pr: new.pr.as_deref().map(text::title).transpose()?,
        caveat: caveat.map(|it| text::note("caveat", it)).transpose()?,
        commit: commit(ctx, new.commit.as_deref())?,
        branch: match &new.commit {
            Some(_) => None,
            None => ctx.repo().head()?.and_then(|head| head.branch),
        },
        ..new.clone()
    };
    checking::submit(ctx, id, &new, watch)
}

/// The same, in a turn of an operation: the commit is given in hexadecimal, and what has passed
/// on it.
///
/// # Errors
///
/// [`Refusal::Unchecked`] if all is well but for checks that are not among `passed`.
pub fn hand_in(
    tx: &mut Tx,
    id: &IdPrefix,
    new: &NewSubmission,
    passed: &[CheckResult],
) -> Result<Task, OpsError> {
    tx.deciding();
    let id = find::task_id(tx.snapshot, id)?;
    let task = tx.task(id)?;
    // The fold accepts it of a done task, for merges; nobody may mean it.
    if !task.status.is_open() {
        return Err(task.wrong_status("submitted").into());
    }
    let mut submission = Submission {
        summary: new.summary.clone(),
        evidence: review::evidence(&task, &new.evidence)?,
        commit: new.commit.clone(),
        pr: new.pr.clone(),
        caveat: new.caveat.clone(),
        branch: new.branch.clone(),
        no_check: new.checking == Checking::Without && !task.checks.is_empty(),
        reviewer: reviewer(tx, &task, new.reviewer.as_ref())?,
        ..Submission::default()
    };
    let commit = match &new.commit {
        Some(commit) => Some(Oid::parse(commit)?),
        None => None,
    };
    if let Some(commit) = commit {
        range(tx, &task, commit, new.branch.as_deref())?.note(&mut submission);
    }
    tx.doing(|| Act::Submit {
        id: id.to_string(),
        summary: new.summary.clone(),
        evidence: new.evidence.clone(),
        commit: new.commit.clone(),
        pr: new.pr.clone(),
        caveat: new.caveat.clone(),
        branch: new.branch.clone(),
        reviewer: new.reviewer.as_ref().map(ToString::to_string),
        no_check: new.checking == Checking::Without,
        passed: passed.iter().map(Passed::of).collect(),
    });
    // The event first: it knows why the task may not be this agent's any more.
    let task = tx.event(id, TaskEvent::Submitted(Box::new(submission.clone())))?;
    let task = checking::record(tx, task, new, passed)?;
    tx.resolve(id, &ASKED)?;
    // Of what was submitted before.
    tx.settle_mail(id, &[Notice::ReviewAsked])?;
    if let Some(commit) = commit {
        tx.ctx.store().keep_work(id, commit)?;
    }
    stack::say_what_is_beneath(tx, &submission.beneath, Beneath::SentBack)?;
    if task.status == Status::Done {
        tx.ask(&Request::Close { id })?;
        review_op::finished(tx, &task)?;
        tx.subject(format!("finish {id}: {}", task.title));
        return Ok(task);
    }
    tx.ask(&Request::Phase {
        id,
        agent: tx.me.clone(),
        to: Phase::InReview,
    })?;
    let commit = submission
        .commit
        .as_deref()
        .map_or("no commit", text::short_commit);
    let body = format!(
        "{} asks you to review `{id}` ({}), {commit}: {}",
        tx.me,
        task.title,
        text::sentence(&submission.summary)
    );
    let body = match submission.no_check {
        true => format!("{body} Its checks did not run."),
        false => body,
    };
    tx.notify(submission.reviewer, Notice::ReviewAsked, Some(id), body);
    tx.subject(format!("submit {id}: {}", task.title));
    Ok(task)
}

/// Returns what of `commit` is the task's own.
fn range(
    tx: &Tx,
    task: &Task,
    commit: Oid,
    branch: Option<&str>,
) -> Result<stack::Range, OpsError> {
    let landing = landing::of(tx.ctx, tx.snapshot)?;
    let claim = tx.table_in_force()?.claims.get(&task.id);
    let since = claim.and_then(|claim| claim.base.as_deref());
    let since = since.map(Oid::parse).transpose()?;
    let now = tx.stamp(None);
    let range = stack::range(
        tx.ctx,
        tx.snapshot,
        landing.as_ref(),
        (task.id, commit),
        since,
        now,
    )?;
    // What needs no commit is submitted from where everybody begins.
    let is_landing = landing.is_none_or(|landing| Some(landing.branch.as_str()) == branch);
    if range.own.is_empty() && branch.is_some() && !is_landing {
        let nothing = "no commit is this task's own: all was there before";
        tx.ctx.note_warnings([nothing.to_owned()]);
    }
    Ok(range)
}

fn commit(ctx: &Context, revision: Option<&str>) -> Result<Option<String>, OpsError> {
    match revision {
        Some(revision) => match ctx.repo().resolve(revision)? {
            Some(oid) => Ok(Some(oid.to_string())),
            None => Err(OpsError::NotFound {
                what: "commit",
                name: revision.to_owned(),
                near: Vec::new(),
            }),
        },
        None => Ok(ctx
            .repo()
            .head()?
            .and_then(|head| head.commit)
            .map(|oid| oid.to_string())),
    }
}

/// Returns who reviews: whoever is named now, was named before, or has the most time.
fn reviewer(
    tx: &Tx,
    task: &Task,
    named: Option<&AgentName>,
) -> Result<Option<AgentName>, OpsError> {
    if let Some(name) = named {
        find::agent(tx.snapshot, name)?;
        return Ok(Some(name.clone()));
    }
    let agents = tx.snapshot.agents()?;
    if let Some(name) = &task.reviewer
        && *name != tx.me
        && agents.contains_key(name)
    {
        return Ok(Some(name.clone()));
    }
    let settings = tx.snapshot.settings()?;
    if !settings.review_required {
        return Ok(None);
    }
    let open = tx.snapshot.open()?.iter();
    let load = loads(open.filter(|open| open.id() != task.id));
    let mut candidates = Vec::new();
    for agent in agents.values().filter(|agent| agent.name != tx.me) {
        let liveness = tx.ctx.liveness(&agent.name, settings)?;
        candidates.push(Candidate {
            agent,
            liveness: liveness.map_or(Liveness::Offline, |(liveness, _)| liveness),
            reviews: load.get(&agent.name).copied().unwrap_or(0),
        });
    }
    match review::pick(task, &candidates) {
        Some(name) => Ok(Some(name)),
        None => Err(Refusal::NobodyToReview { task: task.id }.into()),
    }
}
