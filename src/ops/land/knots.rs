//! Work that lies on each other all around lands as one: what was sent back and is submitted anew
//! from above others' work that lay on it.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::{Oid, Repo};
use crate::model::id::TaskId;
use crate::model::stack::knots;
use crate::ops::OpsError;

/// What lands with another: by the topmost of each knot, the whole knot.
#[derive(Debug, Default)]
pub struct Knots(BTreeMap<TaskId, BTreeSet<TaskId>>);

impl Knots {
    /// Finds the knots, and unties them: the topmost comes first, with all that the others have.
    pub fn untie(
        repo: &Repo,
        beneath: &mut BTreeMap<TaskId, BTreeSet<TaskId>>,
        heads: &BTreeMap<TaskId, Oid>,
    ) -> Result<Knots, OpsError> {
        let mut found = BTreeMap::new();
        for knot in knots(beneath) {
            let Some(top) = topmost(repo, &knot, heads)? else {
                continue;
            };
            let mut below = BTreeSet::new();
            for id in &knot {
                below.extend(
                    beneath
                        .insert(*id, BTreeSet::from([top]))
                        .unwrap_or_default(),
                );
            }
            below.retain(|id| !knot.contains(id));
            beneath.insert(top, below);
            found.insert(top, knot);
        }
        Ok(Knots(found))
    }

    /// Tells whether another brings the commits of this task.
    pub fn has_below(&self, id: TaskId) -> bool {
        let mut knots = self.0.iter();
        knots.any(|(top, knot)| *top != id && knot.contains(&id))
    }

    /// Returns the tasks whose commits a task brings.
    pub fn of(&self, id: TaskId) -> BTreeSet<TaskId> {
        (self.0.get(&id).cloned()).unwrap_or_else(|| BTreeSet::from([id]))
    }
}

/// Returns the one that has the commits of all others; the last, if there is none.
fn topmost(
    repo: &Repo,
    knot: &BTreeSet<TaskId>,
    heads: &BTreeMap<TaskId, Oid>,
) -> Result<Option<TaskId>, OpsError> {
    for id in knot {
        let Some(head) = heads.get(id) else { continue };
        let mut has_all = true;
        for other in knot.iter().filter_map(|other| heads.get(other)) {
            has_all &= repo.is_ancestor(*other, *head)?;
        }
        if has_all {
            return Ok(Some(*id));
        }
    }
    Ok(knot.last().copied())
}
