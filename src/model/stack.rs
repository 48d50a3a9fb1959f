//! Pieces of work that lie on each other: which commits are whose, and in which order they land.
//!
//! Agents submit from branches that hold the work of others, merged or as a base. A commit that
//! several pieces of work can reach belongs to one of them only: what is reviewed, checked, landed
//! or sent back as one task must be nobody else's as well.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use super::id::{Stamp, TaskId};
use super::task::Priority;
use super::time::Timestamp;

#[cfg(test)]
mod tests;

/// The commits that are not on the landing branch, each with its parents, children first.
///
/// Parents that are not listed themselves are on the landing branch, or are not known.
pub type Graph<C> = [(C, Vec<C>)];

/// A submission, or any other work that has a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<C> {
    pub id: TaskId,
    pub commit: C,
    /// When it was submitted.
    pub order: Stamp,
}

/// What belongs to a piece of work, and what it lies on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer<C> {
    pub id: TaskId,
    /// Its own commits, parents first.
    pub own: Vec<C>,
    /// The pieces of which it has commits below or merged in.
    pub beneath: BTreeSet<TaskId>,
}

/// Returns what belongs to each piece, in an order in which none comes before what is beneath it.
///
/// Pieces are taken one after the other, and each owns what it reaches and no piece before it does.
/// Whose commit is a proper ancestor comes first, of all others who submitted first: so a commit
/// belongs to the lowest that has it, and one that diverging pieces share to the earlier of them.
/// One line of pieces, and not a rule for each two of them, because such rules can go round in a
/// circle, and then nobody owned what all of them share.
///
/// A piece whose commit is not in the graph is on the landing branch, and owns nothing.
pub fn layers<C: Copy + Eq + Hash>(graph: &Graph<C>, pieces: &[Piece<C>]) -> Vec<Layer<C>> {
    let reach = Reach::new(graph, pieces);
    let mut owners: Vec<Option<usize>> = vec![None; graph.len()];
    let mut layers = Vec::with_capacity(pieces.len());
    for at in reach.line(pieces) {
        let mut layer = Layer {
            id: pieces[at].id,
            own: Vec::new(),
            beneath: BTreeSet::new(),
        };
        // The graph has parents last.
        for commit in (0..graph.len()).rev().filter(|c| reach.has(at, *c)) {
            let owner = *owners[commit].get_or_insert(at);
            if owner == at {
                layer.own.push(graph[commit].0);
            } else {
                layer.beneath.insert(pieces[owner].id);
            }
        }
        layers.push(layer);
    }
    layers
}

/// Which commits of a graph each piece can reach.
struct Reach {
    /// Where in the graph the commit of each piece is.
    tips: Vec<Option<usize>>,
    /// By piece and commit.
    reached: Vec<Vec<bool>>,
}

impl Reach {
    fn new<C: Copy + Eq + Hash>(graph: &Graph<C>, pieces: &[Piece<C>]) -> Reach {
        let commits = graph.iter().enumerate();
        let places: HashMap<C, usize> = commits.map(|(at, (commit, _))| (*commit, at)).collect();
        let tips: Vec<Option<usize>> = pieces
            .iter()
            .map(|piece| places.get(&piece.commit).copied())
            .collect();
        let parents: Vec<Vec<usize>> = graph
            .iter()
            .map(|(_, parents)| parents.iter().filter_map(|p| places.get(p).copied()))
            .map(Iterator::collect)
            .collect();
        let from = |tip: Option<usize>| {
            let mut reached = vec![false; graph.len()];
            let mut waiting: Vec<usize> = tip.into_iter().collect();
            while let Some(at) = waiting.pop() {
                if !std::mem::replace(&mut reached[at], true) {
                    waiting.extend(&parents[at]);
                }
            }
            reached
        };
        let reached = tips.iter().map(|tip| from(*tip)).collect();
        Reach { tips, reached }
    }

    fn has(&self, piece: usize, commit: usize) -> bool {
        self.reached[piece][commit]
    }

    /// Tells whether the commit of `low` is a proper ancestor of that of `high`.
    fn is_below(&self, low: usize, high: usize) -> bool {
        self.tips[low] != self.tips[high] && self.tips[low].is_some_and(|tip| self.has(high, tip))
    }

    /// Returns the pieces in line: always the first submitted of those that all their ancestors
    /// are before.
    fn line<C>(&self, pieces: &[Piece<C>]) -> Vec<usize> {
        let mut left: Vec<usize> = (0..pieces.len()).collect();
        left.sort_by_key(|at| (pieces[*at].order, pieces[*at].id));
        let mut line = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let free = |at: &usize| !left.iter().any(|low| self.is_below(*low, *at));
            // Ancestors cannot go round in a circle, so there is one.
            let next = left.iter().position(free).unwrap_or(0);
            line.push(left.remove(next));
        }
        line
    }
}

/// A piece of work that was approved and waits to land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approved {
    pub id: TaskId,
    pub priority: Priority,
    /// When it was approved.
    pub at: Timestamp,
}

/// Who lands, in which order, and who cannot yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lineup {
    pub order: Vec<TaskId>,
    /// For each that cannot land, what beneath it was not approved.
    pub waiting: BTreeMap<TaskId, BTreeSet<TaskId>>,
}

/// Returns the order in which approved work lands: by priority, then by when it was approved, and
/// each drawing what lies beneath it to before it.
///
/// So what an urgent task lies on is as urgent. `beneath` may name what is not approved: whatever
/// lies on that waits for it.
pub fn line_up(approved: &[Approved], beneath: &BTreeMap<TaskId, BTreeSet<TaskId>>) -> Lineup {
    let ids: BTreeSet<TaskId> = approved.iter().map(|it| it.id).collect();
    let mut sorted: Vec<&Approved> = approved.iter().collect();
    sorted.sort_by_key(|it| (it.priority, it.at, it.id));
    let mut lineup = Lineup::default();
    let mut placed = BTreeSet::new();
    for it in &sorted {
        let below = all_beneath(it.id, beneath);
        let missing: BTreeSet<TaskId> = below.difference(&ids).copied().collect();
        if !missing.is_empty() {
            lineup.waiting.insert(it.id, missing);
            continue;
        }
        let mut drawn: Vec<TaskId> = sorted
            .iter()
            .map(|other| other.id)
            .filter(|other| below.contains(other) && !placed.contains(other))
            .collect();
        // The one with nothing left beneath it comes first, of several the most urgent.
        while !drawn.is_empty() {
            let free = |id: &TaskId| all_beneath(*id, beneath).is_disjoint(&drawn_set(&drawn, *id));
            let next = drawn.iter().position(free).unwrap_or(0);
            let id = drawn.remove(next);
            placed.insert(id);
            lineup.order.push(id);
        }
        if placed.insert(it.id) {
            lineup.order.push(it.id);
        }
    }
    lineup
}

/// Returns the pieces that lie on each other all around, each such knot as one.
///
/// A piece that was sent back and is submitted anew from above those that lay on it is beneath them
/// by what it was, and above them by what it is.
pub fn knots(beneath: &BTreeMap<TaskId, BTreeSet<TaskId>>) -> Vec<BTreeSet<TaskId>> {
    let reached: BTreeMap<TaskId, BTreeSet<TaskId>> = beneath
        .keys()
        .map(|id| (*id, all_beneath(*id, beneath)))
        .collect();
    let mut found: Vec<BTreeSet<TaskId>> = Vec::new();
    for (id, below) in &reached {
        if found.iter().any(|knot| knot.contains(id)) {
            continue;
        }
        let lies_on = |low: &&TaskId| reached.get(low).is_some_and(|it| it.contains(id));
        let mut knot: BTreeSet<TaskId> = below.iter().filter(lies_on).copied().collect();
        if knot.insert(*id) && knot.len() > 1 {
            found.push(knot);
        }
    }
    found
}

fn drawn_set(drawn: &[TaskId], but: TaskId) -> BTreeSet<TaskId> {
    drawn.iter().copied().filter(|id| *id != but).collect()
}

/// Returns what lies beneath a piece, beneath that, and so on.
fn all_beneath(id: TaskId, beneath: &BTreeMap<TaskId, BTreeSet<TaskId>>) -> BTreeSet<TaskId> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![id];
    while let Some(next) = waiting.pop() {
        let below = beneath.get(&next).into_iter().flatten();
        waiting.extend(below.filter(|below| **below != id && found.insert(**below)));
    }
    found
}
