//! The claims decision: a pure function of the table, who is alive, the limits and the request.
//!
//! Every rule about who may hold what is here: one holder for each task, no overlapping paths,
//! limits on work in progress, capacities of resources, pause. It is asked with the table as it
//! stands and asked again whenever the table moved, so the answer that is published was right at
//! the moment the ref moved.

mod others;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::claim::{Claim, CloneId, Intent, Pause, Phase, Table};
use super::extra::Extra;
use super::id::TaskId;
use super::name::{AgentName, ResourceName};
use super::path::PathPattern;
use super::rule::Refusal;
use super::settings::Settings;
use super::share::{Cover, is_common};
use super::time::Timestamp;

use others::{Others, check_paths, check_pause, check_resources, check_wip, silent, step, without};

/// What somebody wants of the table.
#[derive(Debug, Clone)]
pub enum Request {
    /// Of what one holds already: wider.
    Take(Take),
    /// Moves a claim one holds to another phase.
    Phase {
        id: TaskId,
        agent: AgentName,
        to: Phase,
    },
    /// Sends a submitted claim back to work; its holder's limit does not stop a reviewer.
    SendBack {
        id: TaskId,
    },
    /// Notes that what a claim in review is about was approved, and waits to land.
    Approve {
        id: TaskId,
    },
    Release {
        id: TaskId,
        agent: AgentName,
    },
    /// Removes a claim whoever holds it, because its task is over.
    Close {
        id: TaskId,
    },
    /// Notes in a claim what its holder is about to land.
    Intend {
        id: TaskId,
        agent: AgentName,
        intent: Option<Intent>,
    },
    /// Gives a claim to another agent, or frees it if that agent cannot hold it now: it has no
    /// free slot, or the claim overlaps another that its giver keeps.
    HandOff {
        id: TaskId,
        agent: AgentName,
        to: AgentName,
        clone: CloneId,
        nonce: u64,
    },
    /// Makes what an agent holds belong to another clone, because its seat moves there.
    Move {
        agent: AgentName,
        clone: CloneId,
    },
    Pause(Pause),
    Resume,
}

#[derive(Debug, Clone)]
pub struct Take {
    pub id: TaskId,
    pub of_task: bool,
    pub agent: AgentName,
    pub clone: CloneId,
    pub paths: Vec<PathPattern>,
    /// Those of `paths` that others may hold at the same time.
    pub shared: BTreeSet<PathPattern>,
    pub resources: BTreeSet<ResourceName>,
    pub branch: Option<String>,
    pub base: Option<String>,
    pub why: Option<String>,
    pub nonce: u64,
    /// Take the task itself from its holder, dead or alive. Other rules hold all the same.
    pub take_over: bool,
    /// Whoever holds it already works where it is now from here on.
    pub moves: bool,
}

impl Take {
    /// Returns the request that made a claim.
    pub fn again(claim: &Claim) -> Request {
        Request::Take(Take {
            id: claim.id,
            of_task: claim.of_task,
            agent: claim.agent.clone(),
            clone: claim.clone.clone(),
            paths: claim.paths.clone(),
            shared: claim.shared.clone(),
            resources: claim.resources.clone(),
            branch: claim.branch.clone(),
            base: claim.base.clone(),
            why: claim.why.clone(),
            nonce: claim.nonce,
            take_over: false,
            moves: false,
        })
    }
}

/// What a request is judged by, beside the table.
pub struct Facts<'a> {
    pub now: Timestamp,
    pub settings: &'a Settings,
    /// Whether the holder of a claim has been silent for so long that it is void.
    pub expired: &'a dyn Fn(&Claim) -> bool,
    /// Whether the holder of a claim has its seat, and lives, in another clone than the one that
    /// asks. Whoever has the same name here is somebody else.
    pub elsewhere: &'a dyn Fn(&Claim) -> bool,
    /// How many tasks an agent may have in progress.
    pub wip: &'a dyn Fn(&AgentName) -> u32,
}

impl Facts<'_> {
    /// Returns the paths of a request that others may hold too: as it is asked for, or because the
    /// team has made them common.
    fn shared(&self, take: &Take) -> BTreeSet<PathPattern> {
        let common = &self.settings.shared_paths;
        let is_shared =
            |path: &&PathPattern| take.shared.contains(*path) || is_common(common, path);
        take.paths.iter().filter(is_shared).cloned().collect()
    }

    fn is_own(&self, claim: &Claim, agent: &AgentName) -> bool {
        claim.agent == *agent && !(self.elsewhere)(claim)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one decision exists at a time, and is taken apart at once"
)]
pub enum Decision {
    /// The table already says so.
    Unchanged(Option<Claim>),
    Changed(Change),
    /// Somebody else holds the task, or the paths named.
    Held {
        by: Box<Claim>,
        paths: Vec<PathPattern>,
    },
    Refused(Refusal),
    /// The agent does not hold what it wants to change.
    NotHeld {
        holder: Option<Box<Claim>>,
    },
}

/// A new table, and what became of whom in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub table: Table,
    /// The claim made or altered.
    pub claim: Option<Claim>,
    /// The claim as it was before.
    pub before: Option<Claim>,
    /// Claims of silent agents that were dropped on the way.
    pub expired: Vec<Claim>,
}

/// Drops the claims of agents that have gone silent. Claims in review stay: they are escalated.
///
/// The table is borrowed, not copied, if nobody has gone silent; else it is the next version.
pub fn sweep<'a>(
    table: &'a Table,
    expired: &dyn Fn(&Claim) -> bool,
) -> (Cow<'a, Table>, Vec<Claim>) {
    let gone: Vec<Claim> = silent(table, expired).cloned().collect();
    if gone.is_empty() {
        return (Cow::Borrowed(table), gone);
    }
    (Cow::Owned(step(without(table, &gone))), gone)
}

/// Decides `request` on `table`.
pub fn decide(table: &Table, facts: &Facts, request: &Request) -> Decision {
    match request {
        Request::Take(take) => decide_take(table, facts, take),
        Request::Phase { id, agent, to } => held(table, facts, *id, agent, |claim| {
            if claim.phase == *to {
                return Decision::Unchanged(Some(claim.clone()));
            }
            // Only going back to work needs a free slot.
            if *to == Phase::Working
                && claim.of_task
                && let Err(refusal) = check_wip(&Others::all(table, *id), facts, agent)
            {
                return Decision::Refused(refusal);
            }
            replace(
                table,
                claim,
                Claim {
                    phase: *to,
                    ..claim.clone()
                },
            )
        }),
        Request::SendBack { id } => {
            let from = Phase::is_submitted;
            advance(table, *id, from, Phase::Working)
        }
        Request::Approve { id } => {
            let from = |phase| phase == Phase::InReview;
            advance(table, *id, from, Phase::Approved)
        }
        Request::Release { id, agent } => {
            held(table, facts, *id, agent, |claim| remove(table, claim))
        }
        Request::Intend { id, agent, intent } => held(table, facts, *id, agent, |claim| {
            if claim.intent == *intent {
                return Decision::Unchanged(Some(claim.clone()));
            }
            let intent = intent.clone();
            replace(
                table,
                claim,
                Claim {
                    intent,
                    ..claim.clone()
                },
            )
        }),
        Request::Close { id } => match table.claims.get(id) {
            Some(claim) => remove(table, claim),
            None => Decision::Unchanged(None),
        },
        Request::HandOff {
            id,
            agent,
            to,
            clone,
            nonce,
        } => held(table, facts, *id, agent, |claim| {
            hand_off(table, facts, claim, to, clone, *nonce)
        }),
        Request::Move { agent, clone } => {
            let mut moved = table.clone();
            let claims = moved.claims.values_mut();
            for claim in claims.filter(|claim| claim.agent == *agent) {
                claim.clone = clone.clone();
            }
            if moved == *table {
                return Decision::Unchanged(None);
            }
            changed(moved, None, None)
        }
        Request::Pause(pause) => {
            let same = table.pause.as_ref().is_some_and(|p| {
                p.reason == pause.reason && p.until == pause.until && !p.is_over(facts.now)
            });
            if same {
                return Decision::Unchanged(None);
            }
            changed(
                Table {
                    pause: Some(pause.clone()),
                    ..table.clone()
                },
                None,
                None,
            )
        }
        Request::Resume if table.pause.is_none() => Decision::Unchanged(None),
        Request::Resume => changed(
            Table {
                pause: None,
                ..table.clone()
            },
            None,
            None,
        ),
    }
}

fn decide_take(table: &Table, facts: &Facts, take: &Take) -> Decision {
    let standing = table.claims.get(&take.id);
    if let Some(mine) = standing.filter(|claim| facts.is_own(claim, &take.agent)) {
        return extend(table, facts, mine, take);
    }
    let others = Others::alive(table, take.id, facts);
    let before = standing.filter(|claim| !others.is_gone(claim.id));
    if let Some(holder) = before.filter(|_| !take.take_over) {
        return Decision::Held {
            by: Box::new(holder.clone()),
            paths: holder.paths.clone(),
        };
    }
    // A claim taken over keeps what its holder had widened it to.
    let mut paths = Cow::Borrowed(&take.paths);
    let mut shared = facts.shared(take);
    let mut resources = Cow::Borrowed(&take.resources);
    if let Some(before) = before {
        let wider = before.paths.iter().filter(|p| !take.paths.contains(p));
        for path in wider {
            paths.to_mut().push(path.clone());
            shared.extend(before.shared.get(path).cloned());
        }
        resources.to_mut().extend(before.resources.iter().cloned());
    }

    let checked = check_pause(table, facts)
        .and_then(|()| {
            if take.of_task {
                check_wip(&others, facts, &take.agent)
            } else {
                Ok(())
            }
        })
        .and_then(|()| check_resources(&others, facts, &resources));
    if let Err(refusal) = checked {
        return Decision::Refused(refusal);
    }
    let cover = Cover {
        paths: &paths,
        shared: &shared,
    };
    let is_own = |claim: &Claim| facts.is_own(claim, &take.agent);
    if let Some(held) = check_paths(&others, facts, &is_own, cover) {
        return held;
    }
    let claim = Claim {
        id: take.id,
        of_task: take.of_task,
        agent: take.agent.clone(),
        clone: take.clone.clone(),
        paths: paths.into_owned(),
        shared,
        resources: resources.into_owned(),
        phase: Phase::Working,
        since: facts.now,
        fence: table.fence.next(),
        branch: take.branch.clone(),
        base: take.base.clone(),
        why: take.why.clone(),
        intent: None,
        nonce: take.nonce,
        extra: Extra::default(),
    };
    others.grant(claim, before.cloned())
}

fn extend(table: &Table, facts: &Facts, claim: &Claim, take: &Take) -> Decision {
    let mut wider = claim.clone();
    // What it covers from now on and did not before, or not alone.
    let mut more: Vec<PathPattern> = Vec::new();
    let shared = facts.shared(take);
    for path in &take.paths {
        let have = claim.paths.iter().find(|have| have.includes(path));
        let kept = have.unwrap_or(path);
        let before = have.map(|have| claim.shared.contains(have));
        match shared.contains(path) {
            true => wider.shared.insert(kept.clone()),
            false => wider.shared.remove(kept),
        };
        if before.is_none() {
            wider.paths.push(path.clone());
        }
        if before.is_none() || before == Some(true) && !shared.contains(path) {
            more.push(kept.clone());
        }
    }
    let more_resources: BTreeSet<ResourceName> = take
        .resources
        .difference(&claim.resources)
        .cloned()
        .collect();
    let moves = take.moves && take.branch != claim.branch;
    let same = more.is_empty() && wider.shared == claim.shared && more_resources.is_empty();
    if same && !moves {
        return Decision::Unchanged(Some(claim.clone()));
    }
    let mut others = Others::alive(table, claim.id, facts);
    // Who asks is not silent.
    others.gone.retain(|gone| gone.id != claim.id);
    let checked =
        check_pause(table, facts).and_then(|()| check_resources(&others, facts, &more_resources));
    if let Err(refusal) = checked {
        return Decision::Refused(refusal);
    }
    let cover = Cover {
        paths: &more,
        shared: &wider.shared,
    };
    let is_own = |it: &Claim| facts.is_own(it, &claim.agent);
    if let Some(held) = check_paths(&others, facts, &is_own, cover) {
        return held;
    }
    wider.resources.extend(more_resources);
    if moves {
        wider.branch.clone_from(&take.branch);
    }
    others.grant(wider, Some(claim.clone()))
}

fn hand_off(
    table: &Table,
    facts: &Facts,
    claim: &Claim,
    to: &AgentName,
    clone: &CloneId,
    nonce: u64,
) -> Decision {
    if claim.agent == *to {
        return Decision::Unchanged(Some(claim.clone()));
    }
    let others = Others::all(table, claim.id);
    let busy = claim.of_task && check_wip(&others, facts, to).is_err();
    // One's own claims may overlap each other. Given away, this one must not overlap what its
    // giver keeps.
    let is_theirs = |claim: &Claim| claim.agent == *to;
    if busy || check_paths(&others, facts, &is_theirs, claim.cover()).is_some() {
        // The task waits for its receiver, and the paths are free meanwhile.
        return remove(table, claim);
    }
    let given = Claim {
        agent: to.clone(),
        clone: clone.clone(),
        phase: Phase::Working,
        since: facts.now,
        fence: table.fence.next(),
        nonce,
        ..claim.clone()
    };
    others.grant(given, Some(claim.clone()))
}

/// Moves a claim to another phase, whoever holds it, if it is in one that `from` names.
fn advance(table: &Table, id: TaskId, from: impl Fn(Phase) -> bool, to: Phase) -> Decision {
    match table.claims.get(&id) {
        Some(claim) if from(claim.phase) => replace(
            table,
            claim,
            Claim {
                phase: to,
                ..claim.clone()
            },
        ),
        other => Decision::Unchanged(other.cloned()),
    }
}

/// Runs `act` on the claim `id` if `agent` holds it.
fn held(
    table: &Table,
    facts: &Facts,
    id: TaskId,
    agent: &AgentName,
    act: impl Fn(&Claim) -> Decision,
) -> Decision {
    match table.claims.get(&id) {
        Some(claim) if facts.is_own(claim, agent) => act(claim),
        other => Decision::NotHeld {
            holder: other.cloned().map(Box::new),
        },
    }
}

fn replace(table: &Table, before: &Claim, claim: Claim) -> Decision {
    let mut table = table.clone();
    table.claims.insert(claim.id, claim.clone());
    changed(table, Some(claim), Some(before.clone()))
}

fn remove(table: &Table, claim: &Claim) -> Decision {
    let mut table = table.clone();
    table.claims.remove(&claim.id);
    changed(table, None, Some(claim.clone()))
}

fn changed(table: Table, claim: Option<Claim>, before: Option<Claim>) -> Decision {
    Decision::Changed(Change {
        table: step(table),
        claim,
        before,
        expired: Vec::new(),
    })
}
