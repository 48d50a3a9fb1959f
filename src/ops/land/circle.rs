//! Work that lies on each other: a fix that was made on top of what lay on the work it mends.
//!
//! None of it is right without the rest. So it lands as one: as the commit that has all of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::Oid;
use crate::model::id::TaskId;
use crate::model::stack::{Layer, circles};
use crate::model::task::TaskEvent;
use crate::ops::{Context, OpsError};
use crate::store::Snapshot;

use super::line::Ready;

/// Makes one of what lies on each other, wherever one of them has all the others.
///
/// Where none has, what was named beneath a submission has changed since, and counts no more.
pub fn join(
    ctx: &Context,
    snapshot: &Snapshot,
    layers: &[Layer<Oid>],
    works: &mut BTreeMap<TaskId, Ready>,
) -> Result<(), OpsError> {
    let beneath = works.iter().map(|(id, it)| (*id, it.beneath.clone()));
    for circle in circles(&beneath.collect()) {
        match top(ctx, &circle, works)? {
            Some(top) => join_in(snapshot, layers, works, &circle, top)?,
            None => {
                for layer in layers.iter().filter(|layer| circle.contains(&layer.id)) {
                    if let Some(ready) = works.get_mut(&layer.id) {
                        let counts =
                            |id: &TaskId| !circle.contains(id) || layer.beneath.contains(id);
                        ready.beneath.retain(counts);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Returns the one whose commit has those of all others.
fn top(
    ctx: &Context,
    circle: &BTreeSet<TaskId>,
    works: &BTreeMap<TaskId, Ready>,
) -> Result<Option<TaskId>, OpsError> {
    let members: Vec<&Ready> = circle.iter().filter_map(|id| works.get(id)).collect();
    'candidates: for ready in &members {
        for other in &members {
            if !ctx.repo().is_ancestor(other.head, ready.head)? {
                continue 'candidates;
            }
        }
        return Ok(Some(ready.task.id));
    }
    Ok(None)
}

fn join_in(
    snapshot: &Snapshot,
    layers: &[Layer<Oid>],
    works: &mut BTreeMap<TaskId, Ready>,
    circle: &BTreeSet<TaskId>,
    top: TaskId,
) -> Result<(), OpsError> {
    let mut named = BTreeSet::new();
    for id in circle {
        named.extend(ever_named(snapshot, *id)?);
    }
    // In this order none comes before what is beneath it.
    let ours = layers.iter().filter(|layer| circle.contains(&layer.id));
    let all: Vec<Oid> = ours.flat_map(|layer| layer.own.iter().copied()).collect();
    let own: Vec<Oid> = (all.iter().copied())
        .filter(|commit| named.contains(commit))
        .collect();
    let Some(mut joined) = works.remove(&top) else {
        return Ok(());
    };
    for id in circle {
        if let Some(other) = works.remove(id) {
            joined.beneath.extend(&other.beneath);
            joined.with.push((other.task, other.head));
        }
    }
    joined.beneath.retain(|id| !circle.contains(id));
    joined.apart = own.len() < all.len();
    joined.own = own;
    for ready in works.values_mut() {
        let before = ready.beneath.len();
        ready.beneath.retain(|id| !circle.contains(id));
        if ready.beneath.len() < before {
            ready.beneath.insert(top);
        }
    }
    works.insert(top, joined);
    Ok(())
}

/// Returns the own commits of all submissions of a task there ever were.
fn ever_named(snapshot: &Snapshot, id: TaskId) -> Result<BTreeSet<Oid>, OpsError> {
    let mut named = BTreeSet::new();
    let Some(entry) = snapshot.entry(id)? else {
        return Ok(named);
    };
    for (_, event) in snapshot.log_of(entry)?.log.iter() {
        if let TaskEvent::Submitted(submission) = &event.kind {
            for commit in &submission.own {
                named.insert(Oid::parse(commit)?);
            }
        }
    }
    Ok(named)
}
