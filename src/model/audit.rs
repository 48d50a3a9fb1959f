//! Checks what must be true of a team's whole history, from its data alone.
//!
//! The claims table is replayed version by version: that its last state is in order says nothing
//! about who held what in between.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Claim, Phase, Table};
use super::id::{Fence, Stamp, TaskId};
use super::message::Message;
use super::name::AgentName;
use super::path::PathPattern;

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("version {epoch} of the claims table follows version {before}")]
    Order { before: u64, epoch: u64 },
    #[error("`{id}` passed from `{before}` to `{after}` with the same fence, {}", fence.0)]
    HeldTwice {
        id: TaskId,
        before: AgentName,
        after: AgentName,
        fence: Fence,
    },
    #[error("the claim of `{agent}` on `{id}` has the fence {}, but {} was given out before", fence.0, highest.0)]
    OldFence {
        id: TaskId,
        agent: AgentName,
        fence: Fence,
        highest: Fence,
    },
    #[error("in version {epoch} `{one}` and `{other}` both hold `{path}`")]
    Overlap {
        epoch: u64,
        one: AgentName,
        other: AgentName,
        path: PathPattern,
    },
    #[error("in version {epoch} `{agent}` works on {count} tasks, and may have {limit}")]
    Limit {
        epoch: u64,
        agent: AgentName,
        count: usize,
        limit: u32,
    },
    #[error(
        "`{agent}` was told {told} times that it got `{id}`, but the claims table has it {held} times"
    )]
    Answer {
        id: TaskId,
        agent: AgentName,
        told: usize,
        held: usize,
    },
    #[error("`{to}` has the message {id} {count} times")]
    Mail {
        id: Stamp,
        to: AgentName,
        count: usize,
    },
    #[error("the message {id} was sent, but is nowhere")]
    LostMail { id: Stamp },
}

/// Checks that nothing was ever held by two, and returns how many claims there were.
///
/// A file of the table holds one claim, so one version cannot name two holders. Between versions
/// a holder may only change with a fence above all given out before.
pub fn one_holder(versions: &[Table]) -> Result<usize, Violation> {
    let mut claims = 0;
    let empty = Table::default();
    let before = std::iter::once(&empty).chain(versions);
    for (old, new) in before.zip(versions) {
        if new.epoch <= old.epoch {
            return Err(Violation::Order {
                before: old.epoch,
                epoch: new.epoch,
            });
        }
        let mut given = BTreeSet::new();
        for (id, claim) in &new.claims {
            let same = old.claims.get(id).filter(|was| was.fence == claim.fence);
            match same {
                Some(was) if was.agent != claim.agent => {
                    return Err(Violation::HeldTwice {
                        id: *id,
                        before: was.agent.clone(),
                        after: claim.agent.clone(),
                        fence: claim.fence,
                    });
                }
                Some(_) => {}
                None => {
                    let fresh = claim.fence > old.fence && given.insert(claim.fence);
                    if !fresh || claim.fence > new.fence {
                        return Err(Violation::OldFence {
                            id: *id,
                            agent: claim.agent.clone(),
                            fence: claim.fence,
                            highest: old.fence,
                        });
                    }
                    claims += 1;
                }
            }
        }
    }
    Ok(claims)
}

/// Checks that no two agents ever held a path that one of them held alone, and returns how many
/// pairs were compared. What is in `common` is nobody's.
pub fn disjoint_paths(versions: &[Table], common: &[PathPattern]) -> Result<usize, Violation> {
    let mut compared = 0;
    for table in versions {
        let claims: Vec<&Claim> = table.claims.values().collect();
        for (at, one) in claims.iter().enumerate() {
            let others = claims[at + 1..].iter().filter(|c| c.agent != one.agent);
            for other in others {
                compared += one.paths.len() * other.paths.len();
                if let Some(path) = one.cover().in_the_way(other.cover(), common).next() {
                    return Err(Violation::Overlap {
                        epoch: table.epoch,
                        one: one.agent.clone(),
                        other: other.agent.clone(),
                        path: path.clone(),
                    });
                }
            }
        }
    }
    Ok(compared)
}

/// Checks that nobody ever took more work than allowed.
///
/// What comes back from a review is not taken: its author keeps it, whatever else it has begun
/// meanwhile.
pub fn within_limits(
    versions: &[Table],
    limit: impl Fn(&AgentName) -> u32,
) -> Result<(), Violation> {
    let empty = Table::default();
    let before = std::iter::once(&empty).chain(versions);
    for (old, table) in before.zip(versions) {
        let is_taken = |claim: &&Claim| {
            let had = |was: &Claim| was.agent == claim.agent && was.phase != Phase::Blocked;
            claim.of_task
                && claim.phase == Phase::Working
                && !old.claims.get(&claim.id).is_some_and(had)
        };
        let taken = table.claims.values().filter(is_taken);
        let agents: BTreeSet<&AgentName> = taken.map(|claim| &claim.agent).collect();
        for agent in agents {
            let count = table.in_progress(Some(agent));
            let limit = limit(agent);
            if u32::try_from(count).is_ok_and(|count| count > limit) {
                return Err(Violation::Limit {
                    epoch: table.epoch,
                    agent: agent.clone(),
                    count,
                    limit,
                });
            }
        }
    }
    Ok(())
}

/// Checks what processes were told against the table: every "yes" is a claim, and the reverse.
///
/// `told` has an entry for each time an agent was told that it got a task.
pub fn true_answers(versions: &[Table], told: &[(AgentName, TaskId)]) -> Result<usize, Violation> {
    let mut counts: BTreeMap<(&AgentName, TaskId), (usize, usize)> = BTreeMap::new();
    for (agent, id) in told {
        counts.entry((agent, *id)).or_default().0 += 1;
    }
    let held: BTreeSet<(&AgentName, TaskId, Fence)> = versions
        .iter()
        .flat_map(|table| table.claims.values())
        .filter_map(|claim| Some((&claim.agent, claim.task()?, claim.fence)))
        .collect();
    for (agent, id, _) in held {
        counts.entry((agent, id)).or_default().1 += 1;
    }
    for ((agent, id), (told, held)) in counts {
        if told != held {
            return Err(Violation::Answer {
                id,
                agent: agent.clone(),
                told,
                held,
            });
        }
    }
    Ok(told.len())
}

/// Checks that every message is in the inbox of each who gets it exactly once, read or unread,
/// and returns how many that are.
///
/// `boxes` has a message for each file below an agent's inbox, `others` those in channels;
/// `sent` are the messages that processes were told to have sent.
pub fn mail_once(
    boxes: &[(AgentName, Message)],
    others: &[Message],
    sent: &[Stamp],
) -> Result<usize, Violation> {
    let mut counts: BTreeMap<(Stamp, &AgentName), usize> = BTreeMap::new();
    for (owner, message) in boxes {
        *counts.entry((message.id, owner)).or_default() += 1;
    }
    let all = boxes.iter().map(|(_, message)| message).chain(others);
    let mut known = BTreeSet::new();
    for message in all {
        known.insert(message.id);
        for to in &message.to {
            counts.entry((message.id, to)).or_default();
        }
    }
    for ((id, to), count) in &counts {
        if *count != 1 {
            return Err(Violation::Mail {
                id: *id,
                to: (*to).clone(),
                count: *count,
            });
        }
    }
    match sent.iter().find(|id| !known.contains(id)) {
        Some(id) => Err(Violation::LostMail { id: *id }),
        None => Ok(counts.len()),
    }
}

#[cfg(test)]
mod tests;
