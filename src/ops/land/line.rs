//! Who is in line to land: what is approved, what each has of its own, and what has to come first.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::Oid;
use crate::model::agent::AgentKind;
use crate::model::batch::Entry;
use crate::model::id::TaskId;
use crate::model::stack::{Approved, Layer, layers, line_up};
use crate::model::task::{Submission, Task};
use crate::ops::landing::{self, Landing};
use crate::ops::{Context, OpsError, landed, stack};
use crate::store::Snapshot;

use super::knots::Knots;

/// An approved task with its work.
#[derive(Debug, Clone)]
pub struct Ready {
    pub task: Task,
    pub head: Oid,
    /// Parents first.
    pub own: Vec<Oid>,
    /// The approved tasks whose work it lies on.
    pub beneath: BTreeSet<TaskId>,
    /// Whether something lies below it that is nobody's any more, so that only its own commits may
    /// be taken.
    pub apart: bool,
    /// Whether one that it lies on brings its commits, too.
    pub comes_with_another: bool,
}

impl Ready {
    /// Returns it as a batch knows it.
    pub fn entry(&self) -> Entry {
        Entry {
            id: self.task.id,
            beneath: self.beneath.clone(),
        }
    }
}

/// Everything that is approved, in the order in which it lands.
#[derive(Debug, Default)]
pub struct Line {
    pub ready: Vec<Ready>,
    /// What each of the others waits for.
    pub waiting: BTreeMap<TaskId, Vec<Awaited>>,
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
        .map(|it| it.task())
        .collect();
    let Some(tip) = landing.tip.filter(|_| !tasks.is_empty()) else {
        return Ok(line);
    };
    let repo = ctx.repo();
    let pieces = stack::pieces(ctx, snapshot)?;
    let tips: Vec<Oid> = pieces.iter().map(|piece| piece.commit).collect();
    let graph = repo.unlanded(&tips, tip)?;
    let layers: BTreeMap<TaskId, Layer<Oid>> = layers(&graph, &pieces)
        .into_iter()
        .map(|layer| (layer.id, layer))
        .collect();
    let owners = owners(snapshot, &layers)?;
    let mut approved = Vec::new();
    let mut beneath: BTreeMap<TaskId, BTreeSet<TaskId>> = BTreeMap::new();
    let mut works = BTreeMap::new();
    for task in tasks {
        let Some((_, submission)) = &task.submission else {
            continue;
        };
        let Some(layer) = layers.get(&task.id) else {
            let commit = submission.commit.clone().unwrap_or_default();
            line.waiting.insert(task.id, vec![Awaited::Commit(commit)]);
            continue;
        };
        let mut below = layer.beneath.clone();
        // What was named when it was submitted and is still open comes first, whatever it is now.
        for id in &submission.beneath {
            let entry = snapshot.entry(*id)?;
            if entry.is_some_and(|it| it.glance().status.is_open()) {
                below.insert(*id);
            }
        }
        below.remove(&task.id);
        let own = own(submission, layer, &graph, &owners)?;
        approved.push(Approved {
            id: task.id,
            priority: task.priority,
            at: task.approved.as_ref().map(|it| it.at).unwrap_or_default(),
        });
        works.insert(task.id, (task, own, layer));
        beneath.insert(task.id, below);
    }
    let heads = pieces.iter().map(|piece| (piece.id, piece.commit));
    let knots = Knots::untie(repo, &mut beneath, &heads.collect())?;
    let lineup = line_up(&approved, &beneath);
    for (id, missing) in lineup.waiting {
        let missing = missing.into_iter().map(Awaited::Task);
        line.waiting.insert(id, missing.collect());
    }
    for id in lineup.order {
        let Some((task, ..)) = works.get(&id) else {
            continue;
        };
        let mut known = BTreeSet::new();
        let mut found = BTreeSet::new();
        for (_, own, layer) in knots.of(id).iter().filter_map(|id| works.get(id)) {
            known.extend(own.iter().copied());
            found.extend(layer.own.iter().copied());
        }
        // Parents first.
        let own = graph.iter().rev().map(|(commit, _)| *commit);
        let own = own.filter(|commit| known.contains(commit)).collect();
        line.ready.push(Ready {
            head: tips[pieces.iter().position(|it| it.id == id).unwrap_or(0)],
            apart: !found.is_subset(&known),
            comes_with_another: knots.has_below(id),
            own,
            beneath: beneath.remove(&id).unwrap_or_default(),
            task: (*task).clone(),
        });
    }
    Ok(line)
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
        if wanted.contains(&ready.task.id) {
            wanted.extend(&ready.beneath);
        }
    }
    for id in chosen {
        let is_known =
            line.waiting.contains_key(id) || line.ready.iter().any(|it| it.task.id == *id);
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

/// Returns whose each commit is: of the piece that owns it as they are now, if its submission names
/// it, or names none, as where they were too many, or in version 0.1.
fn owners(
    snapshot: &Snapshot,
    layers: &BTreeMap<TaskId, Layer<Oid>>,
) -> Result<BTreeMap<Oid, TaskId>, OpsError> {
    let mut owners = BTreeMap::new();
    for layer in layers.values() {
        let entry = snapshot.entry(layer.id)?;
        let named = match entry.and_then(|it| it.task().submission.as_ref()) {
            Some((_, submission)) => stack::oids(submission)?,
            None => BTreeSet::new(),
        };
        let own = layer.own.iter().copied();
        let own = own.filter(|commit| named.is_empty() || named.contains(commit));
        owners.extend(own.map(|commit| (commit, layer.id)));
    }
    Ok(owners)
}

/// Returns the own commits of a submission that have not landed, parents first: what it named and is
/// no other's, or what they are now if it named none.
fn own(
    submission: &Submission,
    layer: &Layer<Oid>,
    graph: &[(Oid, Vec<Oid>)],
    owners: &BTreeMap<Oid, TaskId>,
) -> Result<Vec<Oid>, OpsError> {
    let named = stack::oids(submission)?;
    if named.is_empty() {
        return Ok(layer.own.clone());
    }
    let is_own = |commit: &Oid| {
        named.contains(commit) && owners.get(commit).is_none_or(|owner| *owner == layer.id)
    };
    let unlanded = graph.iter().rev().map(|(commit, _)| *commit);
    Ok(unlanded.filter(is_own).collect())
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
    let line = line(ctx, snapshot, &landing)?;
    let all: Vec<String> = line.ready.iter().map(|it| it.head.to_string()).collect();
    // What was tried in vain is not to be tried again before something has changed.
    if ctx.store().landing_failed(landing.tip, &all) {
        return Ok(Vec::new());
    }
    Ok(line.ready.into_iter().map(|ready| ready.task).collect())
}

/// Tells whether there is anything for a daemon to land.
pub fn landable_by_daemon(ctx: &Context) -> Result<bool, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    if !snapshot.settings()?.land.auto || landed::waiting(snapshot.open()?).next().is_none() {
        return Ok(false);
    }
    Ok(!landable(ctx, &snapshot)?.is_empty())
}
