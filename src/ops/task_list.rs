//! Looking at tasks.

use crate::git::Oid;
use crate::model::id::{IdPrefix, Stamp};
use crate::model::name::{AgentName, Author, Lane};
use crate::model::queue;
use crate::model::task::{Status, Task, TaskEvent};
use crate::store::{Entry, Store};

use super::requests::Look;
use super::{Context, OpsError, find, requests};

#[derive(Debug, Default)]
pub struct TaskFilter {
    /// Any of these; all open ones if empty.
    pub statuses: Vec<Status>,
    pub assignee: Option<AgentName>,
    pub lane: Option<Lane>,
    /// Done and cancelled ones too.
    pub all: bool,
}

/// A task, and what it waits for that is not done.
#[derive(Debug)]
pub struct TaskRow {
    pub task: Task,
    pub waits_for: Vec<(crate::model::id::TaskId, queue::Dependency)>,
    /// Whether it is so only in this clone, until the remote has decided.
    pub provisional: bool,
    /// Whether everybody of the team can have the commit that was submitted.
    pub published: bool,
    /// Whether that commit is in this clone.
    pub is_here: bool,
}

/// Returns the tasks that fit, most urgent first, closed ones last.
pub fn list(ctx: &Context, filter: &TaskFilter) -> Result<Vec<TaskRow>, OpsError> {
    let snapshot = requests::look(ctx)?;
    ctx.beat(&snapshot)?;
    rows(&snapshot, filter)
}

/// Returns the tasks that fit, of one snapshot.
pub fn rows(look: &Look, filter: &TaskFilter) -> Result<Vec<TaskRow>, OpsError> {
    if let Some(name) = &filter.assignee {
        find::agent(look, name)?;
    }
    let fits = |entry: &&Entry| {
        let status = entry.glance().status;
        (filter.statuses.is_empty() || filter.statuses.contains(&status))
            && filter
                .assignee
                .as_ref()
                .is_none_or(|name| entry.task().assignee.as_ref() == Some(name))
            && filter
                .lane
                .as_ref()
                .is_none_or(|lane| entry.task().lane.as_ref() == Some(lane))
    };
    let closed = filter.all || filter.statuses.iter().any(|status| !status.is_open());
    let mut found: Vec<&Entry> = look.open()?.iter().filter(fits).collect();
    found.sort_by_key(|entry| entry.glance().urgency());
    if closed {
        let mut archived: Vec<&Entry> = look.archived()?.iter().filter(fits).collect();
        archived.sort_by_key(|entry| std::cmp::Reverse(entry.glance().closed));
        found.extend(archived);
    }
    Ok(found.into_iter().map(|entry| row(look, entry)).collect())
}

/// Returns a task with what it waits for.
pub fn row(look: &Look, entry: &Entry) -> TaskRow {
    let dependency = |id| look.dependency(id).unwrap_or(queue::Dependency::Unknown);
    let task = entry.to_task();
    let waits_for = match task.status.is_open() {
        true => queue::waits_for(&task, &dependency),
        false => Vec::new(),
    };
    TaskRow {
        provisional: look.provisional.contains(&task.id),
        published: published(look.store(), &task),
        is_here: is_here(look.store(), &task),
        task,
        waits_for,
    }
}

/// Tells whether everybody of the team can have the commit that was submitted of a task.
pub fn is_published(ctx: &Context, task: &Task) -> bool {
    published(ctx.store(), task)
}

fn is_here(store: &Store, task: &Task) -> bool {
    let commit = task
        .submission
        .as_ref()
        .and_then(|it| it.1.commit.as_deref());
    let commit = commit.and_then(|commit| Oid::parse(commit).ok());
    commit.is_none_or(|commit| store.repo().exists(commit))
}

fn published(store: &Store, task: &Task) -> bool {
    let commit = task
        .submission
        .as_ref()
        .and_then(|it| it.1.commit.as_deref());
    let commit = commit.filter(|_| task.status.is_open());
    let commit = commit.and_then(|commit| Oid::parse(commit).ok());
    // What cannot be found out is not said.
    commit.is_none_or(|commit| store.is_published(task.id, commit).unwrap_or(true))
}

/// A task with everything that happened to it, in the order in which it counts.
#[derive(Debug)]
pub struct Shown {
    pub row: TaskRow,
    pub events: Vec<(Stamp, Author, TaskEvent, Option<String>)>,
    /// Where its file lies on the branch.
    pub path: String,
    /// What the present file cannot be read for, if an older version is shown.
    pub quarantined: Option<String>,
}

/// Returns a task with its body and events.
pub fn show(ctx: &Context, id: &IdPrefix) -> Result<Shown, OpsError> {
    let snapshot = requests::look(ctx)?;
    ctx.beat(&snapshot)?;
    let entry = find::task(&snapshot, id)?;
    if let (Some(me), Some((stamp, _))) = (ctx.identity(), &entry.task().submission) {
        // Forgotten, it is only said not to have been shown.
        ctx.store()
            .note_submission_shown(me, entry.id(), *stamp)
            .ok();
    }
    let log = snapshot.log_of(entry)?;
    let folded = log
        .fold()
        .ok_or_else(|| find::missing("task", id.as_str(), [""; 0]))?;
    let dependency = |id| {
        snapshot
            .dependency(id)
            .unwrap_or(queue::Dependency::Unknown)
    };
    let events = log
        .log
        .in_order()
        .into_iter()
        .map(|(stamp, event)| {
            let void = folded.void.iter().find(|(id, _)| *id == stamp);
            (
                stamp,
                event.by.clone(),
                event.kind.clone(),
                void.map(|(_, why)| why.clone()),
            )
        })
        .collect();
    let quarantined = snapshot
        .bad_files_of(entry.id())?
        .first()
        .map(|bad| bad.reason.clone());
    Ok(Shown {
        row: TaskRow {
            waits_for: queue::waits_for(&folded.task, &dependency),
            provisional: snapshot.provisional.contains(&folded.task.id),
            published: published(snapshot.store(), &folded.task),
            is_here: is_here(snapshot.store(), &folded.task),
            task: folded.task,
        },
        events,
        path: entry.path().to_owned(),
        quarantined,
    })
}
