//! Changing what a task says.

use std::collections::BTreeSet;

use crate::model::id::{IdPrefix, TaskId};
use crate::model::name::{AgentName, CheckName, Lane, Tag};
use crate::model::path::PathPattern;
use crate::model::queue;
use crate::model::rule::Refusal;
use crate::model::task::{Edit, Priority, Task, TaskEvent};
use crate::model::text;

use super::requests::Act;
use super::task_new::{check_names, criteria};
use super::tx::{Tx, transact};
use super::{Context, OpsError, checks, claim, find};

/// What to change; `None` leaves a field alone, an inner `None` clears it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TaskChanges {
    pub title: Option<String>,
    pub body: Option<String>,
    pub priority: Option<Priority>,
    pub assignee: Option<Option<AgentName>>,
    pub reviewer: Option<Option<AgentName>>,
    pub lane: Option<Option<Lane>>,
    /// Criteria to add.
    pub add_criteria: Vec<String>,
    /// Numbers of criteria to drop, from 1.
    pub drop_criteria: BTreeSet<usize>,
    pub add_checks: BTreeSet<CheckName>,
    pub drop_checks: BTreeSet<CheckName>,
    pub add_paths: Vec<PathPattern>,
    /// Paths to add that others may hold at the same time.
    pub share_paths: Vec<PathPattern>,
    pub drop_paths: Vec<PathPattern>,
    pub add_after: Vec<IdPrefix>,
    pub drop_after: Vec<IdPrefix>,
    /// What is to wait for it.
    pub before: Vec<IdPrefix>,
    pub add_tags: BTreeSet<Tag>,
    pub drop_tags: BTreeSet<Tag>,
}

/// Changes a task and returns it. What is already so changes nothing.
pub fn edit(ctx: &Context, id: &IdPrefix, changes: &TaskChanges) -> Result<Task, OpsError> {
    checks::warn_of_unknown(ctx, &changes.add_checks);
    transact(ctx, |tx| change(tx, id, changes))
}

/// The same, in a turn of an operation.
pub fn change(tx: &mut Tx, id: &IdPrefix, changes: &TaskChanges) -> Result<Task, OpsError> {
    if changes.reviewer.is_some() {
        tx.deciding();
    }
    let id = find::task_id(tx.snapshot, id)?;
    let task = tx.task(id)?;
    let edit = plan(tx, &task, changes)?;
    check_names(
        tx.snapshot,
        edit.assignee.as_ref().and_then(Option::as_ref),
        edit.reviewer.as_ref().and_then(Option::as_ref),
        edit.lane.as_ref().and_then(Option::as_ref),
        &BTreeSet::new(),
    )?;
    if let Some(waits) = &edit.blocked_by {
        check_cycle(tx, id, waits.difference(&task.blocked_by).copied())?;
    }
    // Who reviews is decided, so it may have to wait for the remote; all else needs not to.
    let reviewer = changes.reviewer.clone();
    let alone = TaskChanges {
        reviewer: reviewer.clone(),
        ..TaskChanges::default()
    };
    if let (Some(name), true) = (&reviewer, *changes == alone) {
        tx.doing(|| Act::Reviewer {
            id: id.to_string(),
            name: name.as_ref().map(ToString::to_string),
        });
    }
    tx.subject(format!("edit {id}: {}", task.title));
    let task = match edit.is_empty() {
        true => task,
        false => tx.event(id, TaskEvent::Edited(Box::new(edit)))?,
    };
    put_before(tx, id, &changes.before)?;
    Ok(task)
}

/// Makes other tasks wait for this one.
pub fn put_before(tx: &mut Tx, id: TaskId, others: &[IdPrefix]) -> Result<(), OpsError> {
    for other in others {
        let other = find::task_id(tx.snapshot, other)?;
        let mut blocked_by = tx.task(other)?.blocked_by;
        if blocked_by.insert(id) {
            check_cycle(tx, other, [id])?;
            let edit = Edit {
                blocked_by: Some(blocked_by),
                ..Edit::default()
            };
            tx.event(other, TaskEvent::Edited(Box::new(edit)))?;
        }
    }
    Ok(())
}

/// Works out the fields that really change.
fn plan(tx: &Tx, task: &Task, changes: &TaskChanges) -> Result<Edit, OpsError> {
    fn differs<T: PartialEq>(new: Option<T>, old: &T) -> Option<T> {
        new.filter(|new| new != old)
    }
    let title = changes.title.as_deref().map(text::title).transpose()?;
    let body = match changes.body.as_deref() {
        Some("") => Some(String::new()),
        Some(body) => Some(text::body("body", body)?),
        None => None,
    };

    let mut done_criteria: Vec<String> = Vec::new();
    for (index, criterion) in task.done_criteria.iter().enumerate() {
        if !changes.drop_criteria.contains(&(index + 1)) {
            done_criteria.push(criterion.clone());
        }
    }
    if let Some(number) = changes
        .drop_criteria
        .iter()
        .find(|n| !(1..=task.done_criteria.len()).contains(n))
    {
        return Err(OpsError::Usage(format!(
            "task `{}` has no criterion {number}; it has {}",
            task.id,
            task.done_criteria.len()
        )));
    }
    done_criteria.extend(criteria(&changes.add_criteria)?);

    if let Some(unknown) = changes.drop_checks.difference(&task.checks).next() {
        return Err(find::missing("check", unknown.as_str(), &task.checks));
    }
    let mut checks = &task.checks - &changes.drop_checks;
    checks.extend(changes.add_checks.iter().cloned());

    let mut paths: Vec<PathPattern> = task
        .paths
        .iter()
        .filter(|p| !changes.drop_paths.iter().any(|drop| drop.includes(p)))
        .cloned()
        .collect();
    for path in changes.add_paths.iter().chain(&changes.share_paths) {
        if !paths.iter().any(|have| have.includes(path)) {
            paths.push(path.clone());
        }
    }
    // A path that is named again without a share is held alone.
    let mut shared = claim::among(&paths, &task.shared);
    for path in claim::among(&paths, &changes.add_paths) {
        shared.remove(&path);
    }
    shared.extend(claim::among(&paths, &changes.share_paths));

    let mut blocked_by = task.blocked_by.clone();
    for prefix in &changes.add_after {
        blocked_by.insert(find::task_id(tx.snapshot, prefix)?);
    }
    for prefix in &changes.drop_after {
        // What is waited for may be gone, so only the list itself is asked.
        match task.blocked_by.iter().find(|id| prefix.matches(**id)) {
            Some(id) => blocked_by.remove(id),
            None => {
                return Err(find::missing(
                    "dependency",
                    prefix.as_str(),
                    &task.blocked_by,
                ));
            }
        };
    }
    let mut tags: BTreeSet<Tag> = task.tags.difference(&changes.drop_tags).cloned().collect();
    tags.extend(changes.add_tags.iter().cloned());

    Ok(Edit {
        title: differs(title, &task.title),
        body: differs(body, &task.body),
        priority: differs(changes.priority, &task.priority),
        assignee: differs(changes.assignee.clone(), &task.assignee),
        reviewer: differs(changes.reviewer.clone(), &task.reviewer),
        lane: differs(changes.lane.clone(), &task.lane),
        tags: differs(Some(tags), &task.tags),
        done_criteria: differs(Some(done_criteria), &task.done_criteria),
        checks: differs(Some(checks), &task.checks),
        paths: differs(Some(paths), &task.paths),
        shared: differs(Some(shared), &task.shared),
        resources: None,
        blocked_by: differs(Some(blocked_by), &task.blocked_by),
    })
}

/// Refuses dependencies that would make tasks wait for each other in a circle.
pub fn check_cycle(
    tx: &Tx,
    id: TaskId,
    on: impl IntoIterator<Item = TaskId>,
) -> Result<(), OpsError> {
    let on_what = |task: &Task| -> Vec<TaskId> {
        let on = task.block.as_ref().and_then(|block| block.on);
        task.blocked_by.iter().copied().chain(on).collect()
    };
    let waits = |id: TaskId| match tx.snapshot.entry(id) {
        _ if tx.has_changed(id) => tx.task(id).map(|task| on_what(&task)).unwrap_or_default(),
        Ok(Some(entry)) if entry.glance().status.is_open() => on_what(entry.task()),
        _ => Vec::new(),
    };
    match queue::cycle(id, on, &waits) {
        Some(circle) => Err(Refusal::Cycle { task: id, circle }.into()),
        None => Ok(()),
    }
}
