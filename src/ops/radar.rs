//! Looking ahead: which pieces of unfinished work touch the same files, and which conflict.

mod compare;
mod work;

use crate::git::Oid;
use crate::model::extra::Extra;
use crate::model::id::{Fence, Stamp, TaskId, digest};
use crate::model::message::{Message, Notice};
use crate::model::name::{AgentName, Author};
use crate::model::time::Timestamp;
use crate::store::{KnownPairs, Snapshot};

use super::tx::transact_itself;
use super::{Context, OpsError, landing};

use work::Work;

/// A piece of unfinished work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The task's id; a claim without one has its own.
    pub id: TaskId,
    pub agent: AgentName,
    fence: Fence,
    since: Timestamp,
}

/// Two pieces of unfinished work that touch the same files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub a: Side,
    pub b: Side,
    /// In order.
    pub paths: Vec<Vec<u8>>,
    pub conflict: bool,
}

/// What was found, by the ids of the pairs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Radar {
    pub pairs: Vec<Pair>,
}

/// Compares all unfinished work whose commits are known here, each at its newest.
///
/// What lies on each other does not meet, nor does what has landed.
pub fn radar(ctx: &Context) -> Result<Radar, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    ctx.beat(&snapshot)?;
    let Some(landing) = landing::of(ctx, &snapshot)?.and_then(|landing| landing.tip) else {
        return Ok(Radar::default());
    };
    let works = work::unfinished(ctx, &snapshot, landing)?;
    let mut tips: Vec<Oid> = works.iter().map(|work| work.tip).collect();
    tips.sort();
    tips.dedup();
    let known = ctx.store().known_pairs();
    let found = compare::compare(ctx.repo(), landing, &tips, &known)?;
    if found != known {
        ctx.store().keep_pairs(&found);
    }
    Ok(Radar {
        pairs: pairs(&works, &found),
    })
}

fn pairs(works: &[Work], found: &KnownPairs) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (at, a) in works.iter().enumerate() {
        for b in &works[at + 1..] {
            let known = found.pairs.get(&KnownPairs::key(a.tip, b.tip));
            let Some(known) = known.filter(|known| !known.paths.is_empty()) else {
                continue;
            };
            pairs.push(Pair {
                a: a.side.clone(),
                b: b.side.clone(),
                paths: known.paths.clone(),
                conflict: known.conflict == Some(true),
            });
        }
    }
    pairs
}

/// Tells the authors of each pair that conflicts, once in the life of their two claims, whichever
/// clone finds it, and however often. Returns the pairs of which somebody was told now.
pub fn tell_of_clashes(ctx: &Context, radar: &Radar) -> Result<Vec<(TaskId, TaskId)>, OpsError> {
    let clashes: Vec<&Pair> = radar.pairs.iter().filter(|pair| pair.conflict).collect();
    let known = ctx.store().known_pairs();
    let is_new = |pair: &&&Pair| !known.has_told(message(pair).id);
    let new: Vec<&Pair> = clashes.iter().filter(is_new).copied().collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let snapshot = ctx.store().snapshot()?;
    let told = match untold(&snapshot, &new)?.is_empty() {
        true => Vec::new(),
        false => {
            drop(snapshot);
            tell(ctx, &new)?
        }
    };
    let mut known = ctx.store().known_pairs();
    known.note_told(clashes.iter().map(|pair| message(pair).id));
    ctx.store().keep_pairs(&known);
    Ok(told)
}

fn tell(ctx: &Context, clashes: &[&Pair]) -> Result<Vec<(TaskId, TaskId)>, OpsError> {
    transact_itself(ctx, |tx| {
        let mut told = Vec::new();
        for pair in untold(tx.snapshot, clashes)? {
            tx.changes().messages.push(message(pair));
            told.push((pair.a.id, pair.b.id));
        }
        let ids: Vec<String> = told.iter().map(|(a, b)| format!("{a} and {b}")).collect();
        tx.subject(format!("clash: {}", ids.join(", ")));
        Ok(told)
    })
}

/// Returns the pairs whose authors have no message yet.
fn untold<'p>(snapshot: &Snapshot, clashes: &[&'p Pair]) -> Result<Vec<&'p Pair>, OpsError> {
    let mut untold = Vec::new();
    for pair in clashes {
        let message = message(pair);
        let mut sent = false;
        for agent in &message.to {
            sent |= snapshot.was_sent(agent, message.id)?;
        }
        if !sent {
            untold.push(*pair);
        }
    }
    Ok(untold)
}

/// Returns the message about a pair. It follows from the two claims alone, its id as well: two
/// clones that find the same at once write one message, and not two.
fn message(pair: &Pair) -> Message {
    let Pair { a, b, .. } = pair;
    let words = format!("clash {} {} {} {}", a.id, a.fence, b.id, b.fence);
    let since = a.since.max(b.since);
    let millis = u64::try_from(since.0).unwrap_or(0);
    let mut to = vec![a.agent.clone(), b.agent.clone()];
    to.sort();
    to.dedup();
    Message {
        id: Stamp::from_parts(millis, digest(words.bytes())),
        from: Author::reflectt(),
        to,
        channel: None,
        task: None,
        reply_to: None,
        urgent: false,
        notice: Some(Notice::Clash),
        body: format!(
            "`{}` of `{}` and `{}` of `{}` change the same lines: whichever lands second will conflict. Agree on who goes first.",
            a.id, a.agent, b.id, b.agent
        ),
        extra: Extra::default(),
    }
}
