//! What lies on what: which commits are whose, of all work that is submitted and has not landed.

use std::collections::BTreeSet;

use crate::git::{Oid, Relation};
use crate::model::id::{Stamp, TaskId};
use crate::model::stack::{Graph, Layer, Piece, layers};
use crate::model::task::{Submission, TaskEvent};
use crate::store::{Entry, Snapshot};

use super::landing::Landing;
use super::tx::Tx;
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
    let mut mine: BTreeSet<Oid> = own.into_iter().collect();
    mine.extend(given_back(snapshot, &graph, (id, commit))?);
    // Parents first.
    let own = graph.iter().rev().map(|(commit, _)| *commit);
    let own: Vec<Oid> = own.filter(|commit| mine.contains(commit)).collect();
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

/// Returns what is below `commit`, was a task's own when it was submitted before, and was never any
/// other's: work that was sent back, and is submitted anew from above what lies on it.
fn given_back(
    snapshot: &Snapshot,
    graph: &Graph<Oid>,
    (id, commit): (TaskId, Oid),
) -> Result<BTreeSet<Oid>, OpsError> {
    let mut own = BTreeSet::new();
    let Some(entry) = (snapshot.entry(id)?).filter(|it| it.task().submission.is_some()) else {
        return Ok(own);
    };
    let log = snapshot.log_of(entry)?;
    for (_, event) in log.log.in_force() {
        if let TaskEvent::Submitted(submission) = &event.kind {
            own.extend(oids(submission)?);
        }
    }
    let open = snapshot.open()?.iter();
    for other in open.filter(|other| other.id() != id && may_be_submitted(other)) {
        if let Some((_, submission)) = &other.task().submission {
            for named in oids(submission)? {
                own.remove(&named);
            }
        }
    }
    // Children first.
    let mut reached = BTreeSet::from([commit]);
    for (commit, parents) in graph {
        if reached.contains(commit) {
            reached.extend(parents);
        }
    }
    own.retain(|commit| reached.contains(commit));
    Ok(own)
}

/// Returns the commits that a submission names as its own.
pub fn oids(submission: &Submission) -> Result<BTreeSet<Oid>, OpsError> {
    let own = submission.own.iter().map(|it| Oid::parse(it));
    Ok(own.collect::<Result<_, _>>()?)
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

/// Which of the work beneath a submission whoever asks is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beneath {
    SentBack,
    /// That, and what nobody has judged yet.
    Unapproved,
}

/// Says which of the work that a submission lies on was sent back, or is not approved: before that
/// has landed, it cannot.
pub fn say_what_is_beneath(
    tx: &Tx,
    beneath: &BTreeSet<TaskId>,
    which: Beneath,
) -> Result<(), OpsError> {
    for id in beneath {
        let Some(below) = tx.snapshot.entry(*id)?.map(Entry::task) else {
            continue;
        };
        let state = match &below.changes {
            _ if !below.status.is_open() || below.waits_to_land() => continue,
            Some(changes) => {
                let first = changes.lines().next().unwrap_or_default();
                format!("was sent back ({first})")
            }
            None if which == Beneath::SentBack => continue,
            None => "is not approved".to_owned(),
        };
        tx.ctx.note_warnings([format!(
            "it lies on `{id}`, which {state}: it cannot land before that does"
        )]);
    }
    Ok(())
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
