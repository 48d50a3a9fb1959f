//! Who is in line to land: what is approved, what each has of its own, and what has to come first.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::Oid;
use crate::model::agent::AgentKind;
use crate::model::batch::Entry;
use crate::model::id::TaskId;
use crate::model::stack::{Approved, Layer, layers, line_up};
use crate::model::task::{Submission, Task};
use crate::model::time::Timestamp;
use crate::ops::landing::{self, Landing};
use crate::ops::{Context, OpsError, landed, stack};
use crate::store::Snapshot;

use super::circle;

/// An approved task with its work.
#[derive(Debug, Clone)]
pub struct Ready {
    pub task: Task,
    pub head: Oid,
    /// Parents first.
    pub own: Vec<Oid>,
    /// The tasks that land with it, as one, each with its commit.
    pub with: Vec<(Task, Oid)>,
    /// The approved tasks whose work it lies on.
    pub beneath: BTreeSet<TaskId>,
    /// Whether something lies below it that is nobody's any more, so that only its own commits may
    /// be taken.
    pub apart: bool,
}

impl Ready {
    /// Returns it as a batch knows it.
    pub fn entry(&self) -> Entry {
        Entry {
            id: self.task.id,
            beneath: self.beneath.clone(),
        }
    }

    /// Returns all tasks that land with it, itself the last, each with its commit.
    pub fn all(&self) -> impl Iterator<Item = (&Task, Oid)> {
        let with = self.with.iter().map(|(task, head)| (task, *head));
        with.chain([(&self.task, self.head)])
    }

    /// Returns it as the queue knows it: as urgent as the most urgent, and approved as late as the
    /// last.
    fn approved(&self) -> Approved {
        let mut approved = Approved {
            id: self.task.id,
            priority: self.task.priority,
            at: Timestamp::default(),
        };
        for (task, _) in self.all() {
            let at = task.approved.as_ref().map(|it| it.at).unwrap_or_default();
            approved.at = approved.at.max(at);
            approved.priority = approved.priority.min(task.priority);
        }
        approved
    }

    pub fn has(&self, id: TaskId) -> bool {
        self.all().any(|(task, _)| task.id == id)
    }

    fn ids(&self) -> impl Iterator<Item = TaskId> {
        self.all().map(|(task, _)| task.id)
    }
}

/// Everything that is approved, in the order in which it lands.
#[derive(Debug, Default)]
pub struct Line {
    pub ready: Vec<Ready>,
    /// What each of the others waits for.
    pub waiting: BTreeMap<TaskId, Vec<Awaited>>,
}

impl Line {
    /// Leaves out what is decided, and what cannot land without it.
    pub fn set_aside(&mut self, decided: &BTreeSet<TaskId>) {
        let mut aside = decided.clone();
        let waiting = &mut self.waiting;
        // What lies beneath comes first.
        self.ready.retain(|ready| {
            let below: Vec<TaskId> = ready.beneath.intersection(&aside).copied().collect();
            if ready.ids().any(|id| decided.contains(&id)) {
                return false;
            }
            if below.is_empty() {
                return true;
            }
            let below: Vec<Awaited> = below.into_iter().map(Awaited::Task).collect();
            aside.extend(ready.ids());
            waiting.extend(ready.ids().map(|id| (id, below.clone())));
            false
        });
        waiting.retain(|id, _| !decided.contains(id));
    }
}

/// What approved work waits for before it can land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// That a task beneath is approved, or lands.
    Task(TaskId),
    /// That its commit comes into this clone.
    Commit(String),
    /// That it is approved.
    Review,
    /// That a branch is merged by others.
    Branch(String),
    /// What kept the checks from running, or the branch from moving.
    Person(String),
}

/// Lines up what is approved.
pub fn line(ctx: &Context, snapshot: &Snapshot, landing: &Landing) -> Result<Line, OpsError> {
    let mut line = Line::default();
    let tasks: Vec<&Task> = landed::waiting(snapshot.open()?)
        .map(crate::store::Entry::task)
        .collect();
    let Some(tip) = landing.tip.filter(|_| !tasks.is_empty()) else {
        return Ok(line);
    };
    let repo = ctx.repo();
    let pieces = stack::pieces(ctx, snapshot)?;
    let tips: Vec<Oid> = pieces.iter().map(|piece| piece.commit).collect();
    let graph = repo.unlanded(&tips, tip)?;
    let layers = layers(&graph, &pieces);
    let mut works = BTreeMap::new();
    for task in tasks {
        let Some((_, submission)) = &task.submission else {
            continue;
        };
        let layer = layers.iter().find(|layer| layer.id == task.id);
        let piece = pieces.iter().find(|piece| piece.id == task.id);
        let (Some(layer), Some(piece)) = (layer, piece) else {
            let commit = submission.commit.clone().unwrap_or_default();
            line.waiting.insert(task.id, vec![Awaited::Commit(commit)]);
            continue;
        };
        let own = own(submission, layer)?;
        let known: BTreeSet<Oid> = own.iter().copied().collect();
        let ready = Ready {
            task: task.clone(),
            head: piece.commit,
            with: Vec::new(),
            beneath: beneath(snapshot, task, submission, layer)?,
            apart: layer.own.iter().any(|commit| !known.contains(commit)),
            own,
        };
        works.insert(task.id, ready);
    }
    circle::join(ctx, snapshot, &layers, &mut works)?;
    let approved: Vec<Approved> = works.values().map(Ready::approved).collect();
    let beneath = works.iter().map(|(id, it)| (*id, it.beneath.clone()));
    let lineup = line_up(&approved, &beneath.collect());
    for (id, missing) in lineup.waiting {
        let missing: Vec<Awaited> = missing.into_iter().map(Awaited::Task).collect();
        let ids = works.get(&id).into_iter().flat_map(Ready::ids);
        line.waiting.extend(ids.map(|id| (id, missing.clone())));
    }
    let order = lineup.order.iter();
    line.ready = order.filter_map(|id| works.remove(id)).collect();
    Ok(line)
}

/// Returns what a submission lies on.
fn beneath(
    snapshot: &Snapshot,
    task: &Task,
    submission: &Submission,
    layer: &Layer<Oid>,
) -> Result<BTreeSet<TaskId>, OpsError> {
    let mut beneath = layer.beneath.clone();
    // What was named when it was submitted and is still open comes first, whatever it is now.
    for id in &submission.beneath {
        let entry = snapshot.entry(*id)?;
        if entry.is_some_and(|it| it.glance().status.is_open()) {
            beneath.insert(*id);
        }
    }
    beneath.remove(&task.id);
    Ok(beneath)
}

/// Leaves what was chosen, with what lies beneath it; everything, if nothing was.
pub fn choose(
    snapshot: &Snapshot,
    mut line: Line,
    chosen: &BTreeSet<TaskId>,
) -> Result<Line, OpsError> {
    if chosen.is_empty() {
        return Ok(line);
    }
    let mut wanted = chosen.clone();
    for ready in line.ready.iter().rev() {
        if ready.ids().any(|id| wanted.contains(&id)) {
            wanted.extend(ready.ids());
            wanted.extend(&ready.beneath);
        }
    }
    for id in chosen {
        let is_known = line.waiting.contains_key(id) || line.ready.iter().any(|it| it.has(*id));
        let entry = snapshot.entry(*id)?.filter(|_| !is_known);
        if let Some(task) = entry.map(crate::store::Entry::task) {
            if !task.status.is_open() {
                return Err(task.wrong_status("landed").into());
            }
            line.waiting.insert(*id, vec![Awaited::Review]);
        }
    }
    line.ready.retain(|ready| wanted.contains(&ready.task.id));
    line.waiting.retain(|id, _| wanted.contains(id));
    Ok(line)
}

/// Returns the own commits of a submission that have not landed: as it named them, or as they are
/// now if they were too many to name, or version 0.1 did not.
fn own(submission: &Submission, layer: &Layer<Oid>) -> Result<Vec<Oid>, OpsError> {
    if submission.own.is_empty() {
        return Ok(layer.own.clone());
    }
    let named: Result<BTreeSet<Oid>, _> = submission.own.iter().map(|it| Oid::parse(it)).collect();
    let named = named?;
    let own = layer.own.iter().copied();
    Ok(own.filter(|commit| named.contains(commit)).collect())
}

/// Returns the approved tasks that whoever asks may land now.
pub fn landable(ctx: &Context, snapshot: &Snapshot) -> Result<Vec<Task>, OpsError> {
    let settings = snapshot.settings()?;
    let is_human = match ctx.identity() {
        Some(me) => {
            let seat = snapshot.agents()?.get(me);
            seat.is_some_and(|agent| agent.kind == AgentKind::Human)
        }
        // A daemon, which only lands where the team wants it to.
        None => true,
    };
    if settings.land.by_humans && !is_human {
        return Ok(Vec::new());
    }
    let Some(landing) = landing::of(ctx, snapshot)? else {
        return Ok(Vec::new());
    };
    let mut line = line(ctx, snapshot, &landing)?;
    // What was tried in vain is not to be tried again before something has changed.
    let failed = ctx.store().landing_failed(landing.tip);
    let in_vain = |it: &&Ready| failed.contains(&it.head.to_string());
    let in_vain = line.ready.iter().filter(in_vain).flat_map(Ready::ids);
    line.set_aside(&in_vain.collect());
    let tasks = line.ready.iter().flat_map(Ready::all);
    Ok(tasks.map(|(task, _)| task.clone()).collect())
}

/// Tells whether there is anything for a daemon to land.
pub fn landable_by_daemon(ctx: &Context) -> Result<bool, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    if !snapshot.settings()?.land.auto || landed::waiting(snapshot.open()?).next().is_none() {
        return Ok(false);
    }
    Ok(!landable(ctx, &snapshot)?.is_empty())
}
