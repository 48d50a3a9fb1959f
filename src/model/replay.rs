//! Deciding again, on the remote's table, what was done to the table without it.
//!
//! Provisional operations are not stored as such: each made a new version of the table, and what
//! it asked for is what the version differs in from the one before. Every difference is asked for
//! anew, in order, by the same rules as a first time; what is not granted is lost.

use super::claim::{Claim, Table};
use super::decide::{self, Decision, Facts, Request, Take};

/// What came of provisional operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    pub table: Table,
    /// Claims that the remote's table does not grant, in the order they were made.
    pub lost: Vec<Lost>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The claim as its agent had it.
    pub claim: Claim,
    /// Who or what is in the way.
    pub reason: String,
}

/// Asks for what each of `versions` differs in from the one before it, on top of `onto`.
///
/// The first of `versions` is the table as the remote once confirmed it.
pub fn replay(versions: &[Table], onto: &Table, facts: &Facts) -> Replayed {
    let mut done = Replayed {
        table: onto.clone(),
        lost: Vec::new(),
    };
    // What is granted now gets a higher fence than anything seen before, so that the record of
    // it stands beside what was recorded provisionally.
    if let Some(last) = versions.last() {
        done.table.fence = done.table.fence.max(last.fence);
    }
    for pair in versions.windows(2) {
        done.step(&pair[0], &pair[1], facts);
    }
    if done.table.epoch == onto.epoch {
        done.table = onto.clone();
    }
    // What was lost and then given up, or won at a second try, is not missed.
    let held = versions.last();
    done.lost.retain(|lost| {
        held.and_then(|table| table.claims.get(&lost.claim.id))
            .is_some_and(|claim| claim.agent == lost.claim.agent)
    });
    done
}

impl Replayed {
    fn step(&mut self, before: &Table, after: &Table, facts: &Facts) {
        if before.pause != after.pause {
            match &after.pause {
                Some(pause) => self.ask(facts, &Request::Pause(pause.clone())),
                None => self.ask(facts, &Request::Resume),
            };
        }
        // What was given back comes first: it may be what made room for the rest.
        for (id, claim) in &before.claims {
            let mine = self
                .table
                .claims
                .get(id)
                .is_some_and(|now| is_same(now, claim));
            if !after.claims.contains_key(id) && mine {
                self.ask(facts, &Request::Close { id: *id });
            }
        }
        for (id, claim) in &after.claims {
            let refusal = match before.claims.get(id) {
                Some(old) if old == claim => None,
                Some(old) if old.agent == claim.agent => self.alter(facts, old, claim),
                Some(old) => self.pass_on(facts, old, claim),
                None => self.take(facts, claim, false),
            };
            if let Some(reason) = refusal {
                self.lost.push(Lost {
                    claim: claim.clone(),
                    reason,
                });
            }
        }
    }

    fn take(&mut self, facts: &Facts, claim: &Claim, take_over: bool) -> Option<String> {
        self.ask(
            facts,
            &Request::Take(Take {
                id: claim.id,
                of_task: claim.of_task,
                agent: claim.agent.clone(),
                clone: claim.clone.clone(),
                paths: claim.paths.clone(),
                resources: claim.resources.clone(),
                branch: claim.branch.clone(),
                base: claim.base.clone(),
                why: claim.why.clone(),
                nonce: claim.nonce,
                take_over,
            }),
        )
    }

    /// The claim went to another agent: handed over, or taken.
    fn pass_on(&mut self, facts: &Facts, old: &Claim, claim: &Claim) -> Option<String> {
        match self.table.claims.get(&old.id) {
            Some(now) if now.agent == claim.agent && now.clone == claim.clone => None,
            Some(now) if is_same(now, old) => self.take(facts, claim, true),
            _ => self.take(facts, claim, false),
        }
    }

    fn alter(&mut self, facts: &Facts, old: &Claim, claim: &Claim) -> Option<String> {
        let mine = |now: &&Claim| now.agent == claim.agent;
        // Told already when it was lost.
        self.table.claims.get(&claim.id).filter(mine)?;
        if old.clone != claim.clone {
            let (agent, clone) = (claim.agent.clone(), claim.clone.clone());
            self.ask(facts, &Request::Move { agent, clone });
        }
        if old.paths != claim.paths || old.resources != claim.resources {
            let wider = Request::Extend {
                id: claim.id,
                agent: claim.agent.clone(),
                paths: claim.paths.clone(),
                resources: claim.resources.clone(),
            };
            if let Some(reason) = self.ask(facts, &wider) {
                return Some(reason);
            }
        }
        if old.phase != claim.phase {
            let phase = Request::Phase {
                id: claim.id,
                agent: claim.agent.clone(),
                to: claim.phase,
            };
            // A phase that is not granted now follows the record by mending.
            self.ask(facts, &phase);
        }
        None
    }

    /// Asks for something; returns why it was not granted.
    fn ask(&mut self, facts: &Facts, request: &Request) -> Option<String> {
        match decide::decide(&self.table, facts, request) {
            Decision::Changed(change) => {
                self.table = change.table;
                None
            }
            Decision::Unchanged(_) => None,
            Decision::Held { by, .. } => Some(format!(
                "`{}` holds `{}` since before you were back in touch with the remote",
                by.agent, by.id
            )),
            Decision::Refused(refusal) => Some(refusal.message),
            Decision::NotHeld { .. } => Some("it was not held any more".to_owned()),
        }
    }
}

/// Whether both are one claim, though it may have been widened or changed its phase.
fn is_same(a: &Claim, b: &Claim) -> bool {
    a.agent == b.agent && a.nonce == b.nonce
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::model::claim::Phase;
    use crate::model::id::TaskId;
    use crate::model::name::AgentName;
    use crate::model::settings::Settings;
    use crate::model::time::Timestamp;

    const AGENTS: [&str; 3] = ["kai", "link", "sage"];
    const TASKS: [&str; 4] = ["aaaaaa", "bbbbbb", "cccccc", "dddddd"];
    const PATHS: [&str; 3] = ["src/a", "src/a/b", "docs"];

    fn with_facts<T>(act: impl FnOnce(&Facts) -> T) -> T {
        let settings = Settings::default();
        act(&Facts {
            now: Timestamp(5),
            settings: &settings,
            expired: &|_| false,
            elsewhere: &|_| false,
            wip: &|_| 2,
        })
    }

    fn take(agent: usize, task: usize, nonce: u64) -> Request {
        Request::Take(Take {
            id: TASKS[task].parse().unwrap(),
            of_task: true,
            agent: AGENTS[agent].parse().unwrap(),
            clone: "0123456789ab".parse().unwrap(),
            paths: vec![PATHS[task % 3].parse().unwrap()],
            resources: BTreeSet::new(),
            branch: None,
            base: None,
            why: None,
            nonce,
            take_over: false,
        })
    }

    /// Applies requests one by one, and returns every version.
    fn apply(table: &Table, requests: &[Request]) -> Vec<Table> {
        let mut versions = vec![table.clone()];
        for request in requests {
            let last = versions.last().unwrap();
            let decision = with_facts(|facts| decide::decide(last, facts, request));
            if let Decision::Changed(change) = decision {
                versions.push(change.table);
            }
        }
        versions
    }

    fn redo(versions: &[Table], onto: &Table) -> Replayed {
        with_facts(|facts| replay(versions, onto, facts))
    }

    #[test]
    fn what_nobody_else_touched_is_granted() {
        let versions = apply(&Table::default(), &[take(0, 0, 1), take(1, 2, 2)]);
        let done = redo(&versions, &Table::default());
        assert_eq!(done.lost, []);
        assert_eq!(done.table.claims.len(), 2);
    }

    #[test]
    fn who_was_slower_loses_and_is_told() {
        let remote = apply(&Table::default(), &[take(1, 0, 9)]).pop().unwrap();
        let id: TaskId = TASKS[0].parse().unwrap();
        let release = Request::Release {
            id,
            agent: AGENTS[0].parse::<AgentName>().unwrap(),
        };
        let versions = apply(&Table::default(), &[take(0, 0, 1), take(0, 1, 2)]);
        let done = redo(&versions, &remote);
        let lost: Vec<TaskId> = done.lost.iter().map(|lost| lost.claim.id).collect();
        // The second task's paths lie inside those of the first, which another agent now has.
        assert_eq!(lost, [id, TASKS[1].parse().unwrap()]);
        assert_eq!(done.table, remote);
        // Given back before anybody noticed: nobody misses it.
        let versions = apply(&Table::default(), &[take(0, 0, 1), release]);
        let done = redo(&versions, &remote);
        assert_eq!((done.lost.len(), done.table.claims.len()), (0, 1));
    }

    fn request() -> impl Strategy<Value = Request> {
        (0..4_usize, 0..3_usize, 0..4_usize, any::<u64>()).prop_map(|(kind, agent, task, nonce)| {
            let id: TaskId = TASKS[task].parse().unwrap();
            let agent_name: AgentName = AGENTS[agent].parse().unwrap();
            match kind {
                0 | 1 => take(agent, task, nonce),
                2 => Request::Release {
                    id,
                    agent: agent_name,
                },
                _ => Request::Phase {
                    id,
                    agent: agent_name,
                    to: Phase::Blocked,
                },
            }
        })
    }

    proptest! {
        #[test]
        fn no_two_holders_overlap_and_fences_rise(
            before in prop::collection::vec(request(), 0..6),
            here in prop::collection::vec(request(), 0..6),
            there in prop::collection::vec(request(), 0..6),
        ) {
            let base = apply(&Table::default(), &before).pop().unwrap();
            let versions = apply(&base, &here);
            let remote = apply(&base, &there).pop().unwrap();
            let done = redo(&versions, &remote);
            prop_assert!(done.table.fence >= remote.fence);
            prop_assert!(done.table.epoch >= remote.epoch);
            let claims: Vec<&Claim> = done.table.claims.values().collect();
            for (n, one) in claims.iter().enumerate() {
                for other in &claims[n + 1..] {
                    let apart = one.agent == other.agent || one.overlaps(&other.paths).is_empty();
                    prop_assert!(apart, "{one:?} {other:?}");
                }
            }
            // What the remote confirmed stays, unless its holder here gave it up.
            for (id, claim) in &remote.claims {
                let given_up = base.claims.get(id).is_some_and(|old| old.nonce == claim.nonce);
                let now = done.table.claims.get(id);
                prop_assert!(given_up || now.is_some_and(|now| now.nonce == claim.nonce));
            }
            // Without anything done here, nothing changes.
            prop_assert_eq!(redo(&versions[..1], &remote).table, remote);
        }
    }
}
