//! What has to be done when the claims table and the record disagree.
//!
//! Both move in one transaction, but a killed process can leave one of two refs moved, and a
//! remote may bring one before the other. The table is the truth about who holds what.

use std::collections::BTreeSet;

use super::claim::{Claim, Phase, Table};
use super::glance::Listed;
use super::id::{Fence, TaskId};
use super::name::{AgentName, Author};
use super::path::PathPattern;
use super::task::{Status, Task, TaskEvent};

/// Repairs, in the order in which they are to be made.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    /// Events that the record lacks.
    pub events: Vec<(TaskId, Author, TaskEvent)>,
    /// Claims whose task is over or was given back.
    pub drop: Vec<TaskId>,
    /// Claims whose phase is not that of their task.
    pub phases: Vec<(TaskId, Phase)>,
    /// Tasks whose record has claims that the table cannot have given out.
    pub forged: Vec<TaskId>,
    /// Claims that need a new fence, because theirs is another's, or was never given out.
    pub fences: Vec<(TaskId, Fence)>,
    /// The highest fence of the record, if the table would give it out again. So it is where the
    /// table was lost or set back; the record would take its new claims for old ones.
    pub floor: Option<Fence>,
}

impl Repairs {
    pub fn is_empty(&self) -> bool {
        *self == Repairs::default()
    }

    /// Returns the version of `table` that follows, with its claims mended.
    pub fn mend(&self, table: &Table) -> Table {
        let mut table = table.clone();
        for id in &self.drop {
            table.claims.remove(id);
        }
        for (id, phase) in &self.phases {
            if let Some(claim) = table.claims.get_mut(id) {
                claim.phase = *phase;
            }
        }
        for (id, fence) in &self.fences {
            if let Some(claim) = table.claims.get_mut(id) {
                claim.fence = *fence;
                table.fence = table.fence.max(*fence);
            }
        }
        table.fence = table.fence.max(self.floor.unwrap_or_default());
        table.epoch = table.next_epoch();
        table
    }
}

/// Compares the table with the record.
///
/// `closed` tells whether a task is done or cancelled; a task that the record does not have at
/// all may only not have arrived yet, so its claim stays.
pub fn compare<'a, T: Listed + 'a>(
    table: &Table,
    open: impl Iterator<Item = &'a T>,
    closed: impl Fn(TaskId) -> bool,
) -> Repairs {
    let mut repairs = Repairs::default();
    let reach = table.reach();
    let misnumbered = table.misnumbered();
    let mut fence = table.fence;
    let fences = table.claims.values().map(|claim| claim.fence);
    let known = fences.filter(|fence| *fence <= reach).max();
    let mut floor = known.unwrap_or_default();
    let mut seen = BTreeSet::new();
    for listed in open {
        let glance = listed.glance();
        if glance.last_fence > reach {
            // What is in force of the task is only known when this is taken back.
            repairs.forged.push(glance.id);
            seen.insert(glance.id);
            continue;
        }
        floor = floor.max(glance.last_fence);
        let claim = table.claims.get(&glance.id);
        if let Some(claim) = claim.filter(|claim| claim.of_task) {
            seen.insert(glance.id);
            let numbering = match misnumbered.contains(&claim.id) {
                true => Numbering::Wrong,
                false => Numbering::Right,
            };
            compare_one(claim, listed.task(), numbering, &mut fence, &mut repairs);
        } else if glance.held {
            lapse(listed.task(), &mut repairs);
        }
    }
    for claim in table
        .claims
        .values()
        .filter(|c| c.of_task && !seen.contains(&c.id))
    {
        if closed(claim.id) {
            repairs.drop.push(claim.id);
        }
    }
    let alone = |id: &&TaskId| table.claims.get(id).is_some_and(|claim| !claim.of_task);
    for id in misnumbered.iter().filter(alone) {
        fence = fence.next();
        repairs.fences.push((*id, fence));
    }
    repairs.floor = Some(floor).filter(|floor| *floor > table.fence);
    repairs
}

/// Whether the fence of a claim is its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbering {
    Right,
    Wrong,
}

/// `highest` is the highest fence given out so far.
fn compare_one(
    claim: &Claim,
    task: &Task,
    numbering: Numbering,
    highest: &mut Fence,
    repairs: &mut Repairs,
) {
    let another = |holder: &AgentName| *holder != claim.agent;
    let is_anothers =
        claim.fence == task.last_fence && task.last_holder.as_ref().is_some_and(another);
    if is_anothers || numbering == Numbering::Wrong {
        // Two clones that worked apart gave one number to two agents, and the record has that
        // of the one that lost; or it was written by hand. Only a higher fence makes the record
        // follow.
        *highest = (*highest).max(task.last_fence).next();
        repairs.fences.push((claim.id, *highest));
        record(claim, *highest, repairs);
    } else if claim.fence > task.last_fence {
        record(claim, claim.fence, repairs);
    } else if task.fence == Some(claim.fence) {
        match (claim.phase, task.phase()) {
            (Phase::Blocked, Phase::Working) => block(claim, repairs),
            (known, phase) if known != phase => repairs.phases.push((claim.id, phase)),
            _ => {}
        }
        widen(claim, task, repairs);
    } else {
        // The record knows that this very claim ended. What it has instead is not in the table.
        repairs.drop.push(claim.id);
        lapse(task, repairs);
    }
}

/// Adds to the record a claim that only the table has.
fn record(claim: &Claim, fence: Fence, repairs: &mut Repairs) {
    repairs.events.push((
        claim.id,
        Author::from(&claim.agent),
        TaskEvent::Claimed {
            agent: claim.agent.clone(),
            fence,
            paths: claim.paths.clone(),
            shared: claim.shared.clone(),
            resources: claim.resources.clone(),
            branch: claim.branch.clone(),
            taken_over: None,
        },
    ));
    match claim.phase {
        Phase::Working => {}
        Phase::Blocked => block(claim, repairs),
        Phase::InReview | Phase::Approved => repairs.phases.push((claim.id, Phase::Working)),
    }
}

/// Adds to the record that the task is blocked, as the table has it.
///
/// To let it go on there instead would need a free slot, which another task may have by now.
fn block(claim: &Claim, repairs: &mut Repairs) {
    repairs.events.push((
        claim.id,
        Author::from(&claim.agent),
        TaskEvent::Blocked {
            reason: "the claims table has it as blocked; `reflectt unblock` goes on".to_owned(),
            on: None,
            needs_human: false,
        },
    ));
}

/// Adds to the record what a claim was widened or opened to, which only the table has.
fn widen(claim: &Claim, task: &Task, repairs: &mut Repairs) {
    let same = |path: &PathPattern| {
        task.paths.contains(path) && task.shared.contains(path) == claim.shared.contains(path)
    };
    let known = claim.paths.iter().all(same) && claim.resources.is_subset(&task.resources);
    if !known {
        repairs.events.push((
            claim.id,
            Author::from(&claim.agent),
            TaskEvent::Extended {
                paths: claim.paths.clone(),
                shared: claim.shared.clone(),
                resources: claim.resources.clone(),
                branch: None,
            },
        ));
    }
}

/// Ends in the record what the table does not have. A submission waits for its review all the same.
fn lapse(task: &Task, repairs: &mut Repairs) {
    if let (Some(fence), Some(agent)) = (task.fence, task.holder())
        && task.status != Status::Validating
    {
        repairs.events.push((
            task.id,
            Author::reflectt(),
            TaskEvent::Lapsed {
                agent: agent.clone(),
                fence,
                note: "the claims table does not have this claim".to_owned(),
            },
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::model::extra::Extra;
    use crate::model::id::{COUNT_MAX, Stamp};
    use crate::model::moment::Moment;
    use crate::model::task::{Draft, Submission, TaskLog};
    use crate::model::time::Timestamp;

    fn id() -> TaskId {
        "aaaaaa".parse().unwrap()
    }

    fn name(text: &str) -> AgentName {
        text.parse().unwrap()
    }

    /// Adds an event if it is legal, as a command would.
    fn happen(log: &mut TaskLog, by: &Author, event: TaskEvent) {
        let task = log.fold().unwrap().task;
        if task.allows(by, &event).is_ok() {
            let stamp = Stamp::new(
                Timestamp(9),
                &mut fastrand::Rng::with_seed(1),
                log.log.last(),
            );
            log.log.push(stamp, by.clone(), event);
        }
    }

    fn claimed(agent: &str, fence: u64) -> TaskEvent {
        TaskEvent::Claimed {
            agent: name(agent),
            fence: Fence(fence),
            paths: vec!["src".parse().unwrap()],
            shared: BTreeSet::new(),
            resources: BTreeSet::new(),
            branch: None,
            taken_over: None,
        }
    }

    fn submitted() -> TaskEvent {
        let reviewer = Some(name("sage"));
        TaskEvent::Submitted(Box::new(Submission {
            reviewer,
            ..Submission::default()
        }))
    }

    fn blocked() -> TaskEvent {
        TaskEvent::Blocked {
            reason: "no key".to_owned(),
            on: None,
            needs_human: false,
        }
    }

    fn cancelled() -> TaskEvent {
        TaskEvent::Cancelled {
            reason: "no use".to_owned(),
        }
    }

    /// A task to which all this happened, by kai.
    fn after(events: &[TaskEvent]) -> TaskLog {
        let mut rng = fastrand::Rng::with_seed(1);
        let stamp = Stamp::new(Timestamp(1), &mut rng, None);
        let mut log = TaskLog::created(id(), stamp, Author::reflectt(), Draft::default());
        for event in events {
            happen(&mut log, &Author::lossy("kai"), event.clone());
        }
        assert_eq!(log.log.len(), events.len() + 1, "{events:?}");
        log
    }

    fn claim(agent: &str, fence: u64, phase: Phase) -> Claim {
        Claim {
            id: id(),
            of_task: true,
            agent: name(agent),
            clone: "0123456789ab".parse().unwrap(),
            paths: vec!["src".parse().unwrap()],
            shared: BTreeSet::new(),
            resources: BTreeSet::new(),
            phase,
            since: Timestamp(2),
            fence: Fence(fence),
            branch: None,
            base: None,
            why: None,
            intent: None,
            nonce: 0,
            extra: Extra::default(),
        }
    }

    fn table(claim: Option<Claim>) -> Table {
        Table {
            claims: claim.into_iter().map(|claim| (claim.id, claim)).collect(),
            fence: Fence(9),
            ..Table::default()
        }
    }

    fn look(table: &Table, log: &TaskLog) -> Repairs {
        let task = log.fold().unwrap().task;
        let open = task.status.is_open().then_some(&task);
        compare(table, open.into_iter(), |_| !task.status.is_open())
    }

    fn mended(table: &Table, log: &TaskLog, repairs: &Repairs) -> (Table, TaskLog) {
        let mut log = log.clone();
        for (_, by, event) in &repairs.events {
            let task = log.fold().unwrap().task;
            assert_eq!(task.allows(by, event), Ok(()));
            happen(&mut log, by, event.clone());
        }
        (repairs.mend(table), log)
    }

    #[test]
    fn every_divergence() {
        use Phase::{Blocked, InReview, Working};
        let free = || after(&[]);
        let kais = || after(&[claimed("kai", 3)]);
        let stuck = || after(&[claimed("kai", 3), blocked()]);
        let shown = || after(&[claimed("kai", 3), submitted()]);
        let back = || after(&[claimed("kai", 3), TaskEvent::Released { note: None }]);
        let over = || after(&[claimed("kai", 3), cancelled()]);
        // What the table has, what the record has, and the repairs: events, drops, phases.
        type Case = (
            &'static str,
            Option<Claim>,
            TaskLog,
            (&'static [&'static str], usize, Option<Phase>),
        );
        let cases: [Case; 15] = [
            ("nothing at all", None, free(), (&[], 0, None)),
            (
                "agree",
                Some(claim("kai", 3, Working)),
                kais(),
                (&[], 0, None),
            ),
            (
                "agree: blocked",
                Some(claim("kai", 3, Blocked)),
                stuck(),
                (&[], 0, None),
            ),
            (
                "agree: in review",
                Some(claim("kai", 3, InReview)),
                shown(),
                (&[], 0, None),
            ),
            (
                "only the table",
                Some(claim("kai", 3, Working)),
                free(),
                (&["claimed"], 0, None),
            ),
            ("only the record", None, kais(), (&["lapsed"], 0, None)),
            (
                "only the record: blocked",
                None,
                stuck(),
                (&["lapsed"], 0, None),
            ),
            ("a review outlives its claim", None, shown(), (&[], 0, None)),
            (
                "blocked there only",
                Some(claim("kai", 3, Blocked)),
                kais(),
                (&["blocked"], 0, None),
            ),
            (
                "blocked here only",
                Some(claim("kai", 3, Working)),
                stuck(),
                (&[], 0, Some(Blocked)),
            ),
            (
                "in review here only",
                Some(claim("kai", 3, Working)),
                shown(),
                (&[], 0, Some(InReview)),
            ),
            (
                "taken over",
                Some(claim("link", 5, Blocked)),
                kais(),
                (&["claimed", "blocked"], 0, None),
            ),
            (
                "given back",
                Some(claim("kai", 3, Working)),
                back(),
                (&[], 1, None),
            ),
            (
                "over",
                Some(claim("kai", 3, Working)),
                over(),
                (&[], 1, None),
            ),
            (
                "superseded",
                Some(claim("link", 2, Working)),
                kais(),
                (&["lapsed"], 1, None),
            ),
        ];
        for (what, claim, log, (events, drops, phase)) in cases {
            let table = table(claim);
            let repairs = look(&table, &log);
            let names: Vec<&str> = repairs.events.iter().map(|(_, _, e)| e.name()).collect();
            assert_eq!(names, events, "{what}");
            assert_eq!(repairs.drop.len(), drops, "{what}");
            let phases: Vec<(TaskId, Phase)> = phase.map(|p| (id(), p)).into_iter().collect();
            assert_eq!(repairs.phases, phases, "{what}");

            let (after, log) = mended(&table, &log, &repairs);
            assert!(look(&after, &log).is_empty(), "{what}");
            assert_eq!(after.epoch, 1, "{what}");
        }
    }

    #[test]
    fn one_fence_for_two_agents_is_replaced() {
        let over = TaskEvent::Released { note: None };
        for log in [
            after(&[claimed("kai", 3)]),
            after(&[claimed("kai", 3), over]),
        ] {
            let table = Table {
                fence: Fence(7),
                ..table(Some(claim("link", 3, Phase::Working)))
            };
            let repairs = look(&table, &log);
            assert_eq!(repairs.fences, [(id(), Fence(8))]);
            let (after, log) = mended(&table, &log, &repairs);
            let task = log.fold().unwrap().task;
            assert_eq!(task.holder(), Some(&name("link")));
            assert_eq!((after.fence, task.fence), (Fence(8), Some(Fence(8))));
            assert!(look(&after, &log).is_empty());
        }
    }

    #[test]
    fn a_fence_that_was_never_given_out_is_taken_back() {
        for forged in [1 << 40, COUNT_MAX] {
            let log = after(&[claimed("kai", 3), claimed("eve", forged)]);
            let table = table(Some(claim("kai", 3, Phase::Working)));
            let repairs = look(&table, &log);
            let expected = Repairs {
                forged: vec![id()],
                ..Repairs::default()
            };
            assert_eq!(repairs, expected, "no other task is concerned");
            let mut log = log;
            let mut rng = fastrand::Rng::with_seed(1);
            let moment = Moment::new(Timestamp(1), Timestamp(1));
            log.take_back_beyond(table.reach(), moment, &mut rng);
            let task = log.fold().unwrap().task;
            assert_eq!(
                (task.holder(), task.fence),
                (Some(&name("kai")), Some(Fence(3)))
            );
            assert!(look(&table, &log).is_empty());
        }
    }

    #[test]
    fn a_claim_with_a_number_of_its_own_choice_gets_a_right_one() {
        let log = after(&[claimed("kai", 3)]);
        let alone = |id: &str, fence| Claim {
            id: id.parse().unwrap(),
            of_task: false,
            ..claim("link", fence, Phase::Working)
        };
        let mut table = table(Some(claim("kai", 3, Phase::Working)));
        for claim in [alone("bbbbbb", 3), alone("cccccc", 1 << 40)] {
            table.claims.insert(claim.id, claim);
        }
        let (after, log) = mended(&table, &log, &look(&table, &log));
        let fences: Vec<u64> = after.claims.values().map(|claim| claim.fence.0).collect();
        assert_eq!((&fences[..], after.fence), (&[3, 10, 11][..], Fence(11)));
        assert!(look(&after, &log).is_empty());
    }

    #[test]
    fn what_a_claim_was_widened_to_is_recorded() {
        let log = after(&[claimed("kai", 3)]);
        let mut claim = claim("kai", 3, Phase::Working);
        claim.paths.push("docs".parse().unwrap());
        let table = table(Some(claim));
        let repairs = look(&table, &log);
        let (after, log) = mended(&table, &log, &repairs);
        assert_eq!(after.claims, table.claims);
        assert_eq!(log.fold().unwrap().task.paths.len(), 2);
        assert!(look(&table, &log).is_empty());
    }

    #[test]
    fn a_table_that_was_lost_gives_no_fence_out_again() {
        let log = after(&[claimed("kai", 3), TaskEvent::Released { note: None }]);
        let repairs = look(&Table::default(), &log);
        assert_eq!(repairs.floor, Some(Fence(3)));
        let (table, log) = mended(&Table::default(), &log, &repairs);
        assert_eq!((table.fence, table.epoch), (Fence(3), 1));
        assert!(look(&table, &log).is_empty());
    }

    #[test]
    fn a_claim_whose_task_has_not_arrived_stays() {
        let table = table(Some(claim("kai", 3, Phase::Working)));
        assert!(compare(&table, std::iter::empty::<&Task>(), |_| false).is_empty());
    }

    #[test]
    fn paths_without_a_task_are_nothing_to_the_record() {
        let alone = Claim {
            of_task: false,
            ..claim("kai", 3, Phase::Working)
        };
        assert!(compare(&table(Some(alone)), std::iter::empty::<&Task>(), |_| true).is_empty());
    }

    proptest! {
        #[test]
        fn what_is_mended_needs_no_mending(
            events in prop::collection::vec((0..9_usize, 0..3_usize, 1..9_u64), 0..20),
            held in prop::option::of((0..3_usize, 1..9_u64, 0..4_usize)),
            lost in 0..12_u64,
        ) {
            const AGENTS: [&str; 3] = ["kai", "link", "sage"];
            let mut log = after(&[]);
            for (kind, by, fence) in events {
                let by = AGENTS[by];
                let submission = log.fold().unwrap().task.submission.map(|(stamp, _)| stamp);
                let event = match (kind, submission) {
                    (0, _) => TaskEvent::Released { note: None },
                    (1, _) => blocked(),
                    (2, _) => submitted(),
                    (3, _) => cancelled(),
                    (4, _) => TaskEvent::Reopened { reason: "again".to_owned() },
                    (5, Some(submission)) => TaskEvent::ChangesRequested {
                        submission,
                        note: "no".to_owned(),
                    },
                    (6, Some(submission)) => TaskEvent::Approved {
                        submission,
                        commit: None,
                        note: None,
                        lands: true,
                    },
                    _ => claimed(by, fence),
                };
                happen(&mut log, &Author::lossy(by), event);
            }
            let phases = Phase::ALL;
            let claim = held.map(|(by, fence, phase)| claim(AGENTS[by], fence, phases[phase]));
            let table = Table { fence: Fence(lost), ..table(claim) };
            let repairs = look(&table, &log);
            let (after, log) = mended(&table, &log, &repairs);
            prop_assert_eq!(look(&after, &log), Repairs::default());
            // The table is the truth: nobody holds by the record alone.
            let task = log.fold().unwrap().task;
            if let (Some(holder), Status::Doing | Status::Blocked) = (task.holder(), task.status) {
                prop_assert_eq!(after.claims.get(&id()).map(|claim| &claim.agent), Some(holder));
            }
        }
    }
}
