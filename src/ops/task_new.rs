//! Planning a task.

use std::collections::BTreeSet;

use crate::model::id::{IdPrefix, TaskId};
use crate::model::name::{AgentName, CheckName, Lane, ResourceName, Tag};
use crate::model::path::PathPattern;
use crate::model::rule::Refusal;
use crate::model::task::{Draft, Priority, Task, TaskLog};
use crate::model::text;
use crate::store::Snapshot;

use super::tx::transact;
use super::{Context, OpsError, checks, find, task_edit};

#[derive(Debug, Default, Clone)]
pub struct NewTask {
    pub title: String,
    pub body: Option<String>,
    pub criteria: Vec<String>,
    /// Checks that must pass.
    pub checks: BTreeSet<CheckName>,
    pub priority: Option<Priority>,
    pub assignee: Option<AgentName>,
    pub reviewer: Option<AgentName>,
    pub lane: Option<Lane>,
    pub paths: Vec<PathPattern>,
    /// Paths that others may hold at the same time.
    pub shared: Vec<PathPattern>,
    pub resources: BTreeSet<ResourceName>,
    pub after: Vec<IdPrefix>,
    /// What is to wait for it.
    pub before: Vec<IdPrefix>,
    pub tags: BTreeSet<Tag>,
}

/// Adds a task to the record and returns it.
pub fn new_task(ctx: &Context, new: &NewTask) -> Result<Task, OpsError> {
    let draft = Draft {
        title: text::title(&new.title)?,
        body: match &new.body {
            Some(body) => text::body("body", body)?,
            None => String::new(),
        },
        done_criteria: criteria(&new.criteria)?,
        checks: new.checks.clone(),
        priority: new.priority.unwrap_or_default(),
        assignee: new.assignee.clone(),
        reviewer: new.reviewer.clone(),
        lane: new.lane.clone(),
        tags: new.tags.clone(),
        paths: with_shared(&new.paths, &new.shared),
        shared: new.shared.iter().cloned().collect(),
        resources: new.resources.clone(),
        blocked_by: BTreeSet::new(),
    };
    checks::warn_of_unknown(ctx, &new.checks);
    transact(ctx, |tx| {
        let snapshot = tx.snapshot;
        check_names(
            snapshot,
            new.assignee.as_ref(),
            new.reviewer.as_ref(),
            new.lane.as_ref(),
            &new.resources,
        )?;
        let blocked_by = new
            .after
            .iter()
            .map(|id| find::task_id(snapshot, id))
            .collect::<Result<_, _>>()?;
        let id = free_id(tx.ctx, snapshot)?;
        let draft = Draft {
            blocked_by,
            ..draft.clone()
        };
        let log = TaskLog::created(id, tx.stamp(None), tx.author(), draft);
        tx.subject(format!("new {id}: {}", log_title(&log)));
        tx.add_task(log);
        task_edit::put_before(tx, id, &new.before)?;
        tx.task(id)
    })
}

/// Returns paths of both kinds, each once.
fn with_shared(paths: &[PathPattern], shared: &[PathPattern]) -> Vec<PathPattern> {
    let mut all = paths.to_vec();
    for path in shared {
        if !all.contains(path) {
            all.push(path.clone());
        }
    }
    all
}

fn log_title(log: &TaskLog) -> String {
    log.fold()
        .map(|folded| folded.task.title)
        .unwrap_or_default()
}

/// Draws an id that no task and no claim ever had.
pub fn free_id(ctx: &Context, snapshot: &Snapshot) -> Result<TaskId, OpsError> {
    loop {
        let id = ctx.random(TaskId::random);
        let (table, _) = snapshot.table_in_force()?;
        if snapshot.entry(id)?.is_none() && !table.claims.contains_key(&id) {
            return Ok(id);
        }
    }
}

/// Checks criteria for form; whether one is concrete is asked when the task is claimed.
pub fn criteria(texts: &[String]) -> Result<Vec<String>, OpsError> {
    texts
        .iter()
        .map(|text| Ok(text::note("criterion", text)?.replace('\n', " ")))
        .collect()
}

/// Checks that whoever and whatever a task names exists.
pub fn check_names(
    snapshot: &Snapshot,
    assignee: Option<&AgentName>,
    reviewer: Option<&AgentName>,
    lane: Option<&Lane>,
    resources: &BTreeSet<ResourceName>,
) -> Result<(), OpsError> {
    for agent in assignee.into_iter().chain(reviewer) {
        find::agent(snapshot, agent)?;
    }
    if let Some(lane) = lane {
        find::lane(snapshot, lane)?;
    }
    let known = &snapshot.settings()?.resources;
    for resource in resources {
        if !known.contains_key(resource) {
            return Err(find::missing("resource", resource.as_str(), known.keys()));
        }
    }
    if let (Some(assignee), Some(reviewer)) = (assignee, reviewer)
        && assignee == reviewer
    {
        let author = assignee.clone();
        return Err(Refusal::OwnReview { task: None, author }.into());
    }
    Ok(())
}
