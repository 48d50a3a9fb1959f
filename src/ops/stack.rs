//! What lies on what: which commits are whose, of all work that is submitted and has not landed.

use std::collections::BTreeSet;

use crate::git::{Oid, Relation};
use crate::model::id::{Stamp, TaskId};
use crate::model::stack::{Layer, Piece, layers};
use crate::model::task::Submission;
use crate::store::{Entry, Snapshot};

use super::landing::Landing;
use super::{Context, OpsError};

/// Returns the submissions of open tasks that have a commit which is known here.
pub fn pieces(ctx: &Context, snapshot: &Snapshot) -> Result<Vec<Piece<Oid>>, OpsError> {
    let mut pieces = Vec::new();
    for entry in snapshot
        .open()?
        .iter()
        .filter(|entry| may_be_submitted(entry))
    {
        let Some((order, submission)) = &entry.task().submission else {
            continue;
        };
        let Some(commit) = &submission.commit else {
            continue;
        };
        let commit = Oid::parse(commit)?;
        if ctx.repo().exists(commit) {
            pieces.push(Piece {
                id: entry.id(),
                commit,
                order: *order,
            });
        }
    }
    Ok(pieces)
}

/// Most tasks have never been held, and nobody has submitted them.
fn may_be_submitted(entry: &Entry) -> bool {
    entry.glance().last_fence > crate::model::id::Fence::default()
}

/// The commits of one submission.
#[derive(Debug, Default)]
pub struct Range {
    pub base: Option<Oid>,
    /// Oldest first.
    pub own: Vec<Oid>,
    pub beneath: BTreeSet<TaskId>,
}

/// Returns what of `commit` is the own work of task `id`, submitted now.
///
/// `since` is what was there when the task was claimed: it stands for the landing branch where
/// there is none.
pub fn range(
    ctx: &Context,
    snapshot: &Snapshot,
    landing: Option<&Landing>,
    (id, commit): (TaskId, Oid),
    since: Option<Oid>,
    now: Stamp,
) -> Result<Range, OpsError> {
    let repo = ctx.repo();
    let tip = landing.and_then(|landing| landing.tip).or(since);
    let Some(tip) = tip.filter(|tip| repo.exists(*tip)) else {
        return Ok(Range::default());
    };
    let mut pieces = pieces(ctx, snapshot)?;
    pieces.retain(|piece| piece.id != id);
    pieces.push(Piece {
        id,
        commit,
        order: now,
    });
    let tips: Vec<Oid> = pieces.iter().map(|piece| piece.commit).collect();
    let graph = repo.unlanded(&tips, tip)?;
    let layer = layers(&graph, &pieces).into_iter().find(|it| it.id == id);
    let Some(Layer { own, beneath, .. }) = layer else {
        return Ok(Range::default());
    };
    let mine: BTreeSet<Oid> = own.iter().copied().collect();
    let below = graph.iter().filter(|(commit, _)| mine.contains(commit));
    let below: BTreeSet<Oid> = below
        .flat_map(|(_, parents)| parents.iter().copied())
        .filter(|parent| !mine.contains(parent))
        .collect();
    Ok(Range {
        base: newest(ctx, below)?,
        own,
        beneath,
    })
}

/// Returns the one that has most of the others.
fn newest(ctx: &Context, commits: BTreeSet<Oid>) -> Result<Option<Oid>, OpsError> {
    let mut newest = None;
    for commit in commits {
        newest = match newest {
            Some(other) => match ctx.repo().relation(other, commit)? {
                Relation::Behind => Some(commit),
                _ => Some(other),
            },
            None => Some(commit),
        };
    }
    Ok(newest)
}

impl Range {
    /// Notes it in a submission.
    pub fn note(self, submission: &mut Submission) {
        submission.base = self.base.map(|base| base.to_string());
        submission.commits = self.own.len() as u64;
        if self.own.len() <= Submission::OWN_MAX {
            submission.own = self.own.iter().map(Oid::to_string).collect();
        }
        submission.beneath = self.beneath;
    }
}
