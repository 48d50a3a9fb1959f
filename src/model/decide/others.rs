//! What stands in the way of a request: the claims of others, limits, capacities, a pause.

use std::collections::BTreeSet;

use crate::model::claim::{Claim, Phase, Table};
use crate::model::id::TaskId;
use crate::model::name::{AgentName, ResourceName};
use crate::model::path::PathPattern;
use crate::model::rule::Refusal;
use crate::model::share::Cover;

use super::{Change, Decision, Facts};

pub(super) fn silent<'a>(
    table: &'a Table,
    expired: &'a dyn Fn(&Claim) -> bool,
) -> impl Iterator<Item = &'a Claim> {
    table
        .claims
        .values()
        .filter(move |claim| !claim.phase.is_submitted() && expired(claim))
}

pub(super) fn without(table: &Table, gone: &[Claim]) -> Table {
    let mut table = table.clone();
    for claim in gone {
        table.claims.remove(&claim.id);
    }
    table
}

/// The claims that stand in the way of a request about the claim `id`: all but itself and those
/// of agents that have gone silent.
///
/// Most requests are refused, so nothing is copied before one is known to be granted.
pub(super) struct Others<'a> {
    table: &'a Table,
    id: TaskId,
    pub gone: Vec<Claim>,
}

impl<'a> Others<'a> {
    pub fn alive(table: &'a Table, id: TaskId, facts: &Facts) -> Others<'a> {
        let gone = silent(table, facts.expired).cloned().collect();
        Others { table, id, gone }
    }

    /// Counts the silent too: who asks does not drop their claims.
    pub fn all(table: &'a Table, id: TaskId) -> Others<'a> {
        let gone = Vec::new();
        Others { table, id, gone }
    }

    fn claims(&self) -> impl Iterator<Item = &'a Claim> {
        self.table
            .claims
            .values()
            .filter(|claim| claim.id != self.id && !self.is_gone(claim.id))
    }

    pub fn is_gone(&self, id: TaskId) -> bool {
        self.gone.iter().any(|claim| claim.id == id)
    }

    /// Returns the next version of the table, without the silent, with `claim` instead of what
    /// had its id before.
    pub fn grant(self, claim: Claim, before: Option<Claim>) -> Decision {
        let mut table = without(self.table, &self.gone);
        table.fence = table.fence.max(claim.fence);
        table.claims.insert(claim.id, claim.clone());
        Decision::Changed(Change {
            table: step(table),
            claim: Some(claim),
            before,
            expired: self.gone,
        })
    }
}

pub(super) fn step(table: Table) -> Table {
    Table {
        epoch: table.epoch + 1,
        ..table
    }
}

pub(super) fn check_pause(table: &Table, facts: &Facts) -> Result<(), Refusal> {
    match &table.pause {
        Some(pause) if !pause.is_over(facts.now) => Err(Refusal::Paused {
            by: pause.by.clone(),
            reason: pause.reason.clone(),
        }),
        _ => Ok(()),
    }
}

pub(super) fn check_wip(others: &Others, facts: &Facts, agent: &AgentName) -> Result<(), Refusal> {
    let limit = (facts.wip)(agent) as usize;
    let in_progress = || {
        others
            .claims()
            .filter(|claim| claim.of_task && claim.phase == Phase::Working)
    };
    let holding: Vec<TaskId> = in_progress()
        .filter(|claim| claim.agent == *agent)
        .map(|claim| claim.id)
        .collect();
    if holding.len() >= limit {
        return Err(Refusal::WipAgent {
            agent: agent.clone(),
            limit,
            holding,
        });
    }
    let working = in_progress().count();
    match facts.settings.wip_team.map(|limit| limit as usize) {
        Some(limit) if working >= limit => Err(Refusal::WipTeam { limit, working }),
        _ => Ok(()),
    }
}

pub(super) fn check_resources(
    others: &Others,
    facts: &Facts,
    resources: &BTreeSet<ResourceName>,
) -> Result<(), Refusal> {
    for resource in resources {
        let Some(capacity) = facts.settings.resources.get(resource) else {
            return Err(Refusal::NoResource {
                resource: resource.clone(),
            });
        };
        let capacity = *capacity as usize;
        let users: Vec<_> = others
            .claims()
            .filter(|claim| claim.resources.contains(resource))
            .map(|claim| (claim.agent.clone(), claim.id))
            .collect();
        if users.len() >= capacity {
            return Err(Refusal::Resource {
                resource: resource.clone(),
                capacity,
                users,
            });
        }
    }
    Ok(())
}

pub(super) fn check_paths(
    others: &Others,
    facts: &Facts,
    is_own: &dyn Fn(&Claim) -> bool,
    cover: Cover,
) -> Option<Decision> {
    others
        .claims()
        .filter(|claim| !is_own(claim))
        .find_map(|claim| {
            let common = &facts.settings.shared_paths;
            let overlap: Vec<PathPattern> =
                claim.cover().in_the_way(cover, common).cloned().collect();
            (!overlap.is_empty()).then(|| Decision::Held {
                by: Box::new(claim.clone()),
                paths: overlap,
            })
        })
}
