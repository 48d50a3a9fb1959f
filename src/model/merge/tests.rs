//! The laws of merging, and what holds of every state that a merged history folds into.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::model::arbitrary::{agent_log, lived_log, message, reflection, settings_log, task_log};
use crate::model::event::Log;
use crate::model::task::{Folded, Status, TaskEvent, TaskLog};

use super::*;

fn any_log() -> impl Strategy<Value = TaskLog> {
    prop_oneof![task_log(), lived_log()]
}

/// Two clones' versions of one task, which have more or less in common.
fn versions() -> impl Strategy<Value = (TaskLog, TaskLog)> {
    (any_log(), any_log(), vec(any::<bool>(), 32)).prop_map(|(a, b, common)| {
        let mut b = TaskLog { id: a.id, ..b };
        for ((id, event), _) in a.log.iter().zip(common).filter(|(_, common)| *common) {
            b.log.insert(id, event.clone());
        }
        (a, b)
    })
}

fn check_state(folded: &Folded) -> Result<(), TestCaseError> {
    let task = &folded.task;
    let (status, held) = (task.status, task.fence.is_some());
    prop_assert_eq!(task.holder().is_some(), held, "a claim has a holder");
    prop_assert_eq!(task.claimed_at.is_some(), held, "a claim has a beginning");
    if held {
        prop_assert!(
            matches!(status, Status::Doing | Status::Blocked | Status::Validating),
            "{status} is held"
        );
        prop_assert_eq!(
            task.fence,
            Some(task.last_fence),
            "the last claim is the one in force"
        );
        prop_assert_ne!(
            &task.assignee,
            &task.reviewer,
            "nobody reviews their own work"
        );
    } else {
        prop_assert!(
            !matches!(status, Status::Doing | Status::Blocked),
            "{status} is not held"
        );
    }
    prop_assert_eq!(task.block.is_some(), status == Status::Blocked);
    prop_assert_eq!(task.closed.is_some(), !status.is_open());
    if status == Status::Validating {
        prop_assert!(task.submission.is_some(), "nothing to review");
        prop_assert!(task.assignee.is_some(), "a submission has an author");
    }
    for at in [
        task.claimed_at,
        task.closed,
        task.block.as_ref().map(|b| b.since),
    ] {
        prop_assert!(at.is_none_or(|at| task.created <= at && at <= task.updated));
    }
    Ok(())
}

fn check_laws<T: Clone + PartialEq + std::fmt::Debug>(
    merge: impl Fn(T, T) -> T,
    a: &T,
    b: &T,
    c: &T,
) -> Result<(), TestCaseError> {
    let merge = |a: &T, b: &T| merge(a.clone(), b.clone());
    let both = merge(a, b);
    prop_assert_eq!(&both, &merge(b, a));
    prop_assert_eq!(merge(&both, c), merge(a, &merge(b, c)));
    prop_assert_eq!(&merge(a, a), a);
    prop_assert_eq!(&merge(&both, a), &both);
    prop_assert_eq!(&merge(b, &both), &both);
    Ok(())
}

/// Everything of both, and nothing else.
fn check_union<K: Ord + Clone + std::fmt::Debug>(
    both: &Log<K>,
    a: &Log<K>,
    b: &Log<K>,
) -> Result<(), TestCaseError> {
    check_contains(both, a)?;
    check_contains(both, b)?;
    for (id, event) in both.iter() {
        prop_assert!([a, b].iter().any(|side| side.get(id) == Some(event)));
    }
    Ok(())
}

proptest! {
    #[test]
    fn tasks_merge_alike_in_any_order(a in any_log(), b in any_log(), c in any_log()) {
        let [b, c] = [b, c].map(|log| TaskLog { id: a.id, ..log });
        check_laws(merge_tasks, &a, &b, &c)?;
        check_union(&merge_tasks(a.clone(), b.clone()).log, &a.log, &b.log)?;
    }

    #[test]
    fn agents_and_settings_merge_alike_in_any_order(
        agents in [agent_log(), agent_log(), agent_log()],
        settings in [settings_log(), settings_log(), settings_log()],
    ) {
        let [a, b, c] = agents.map(|agent| agent.log);
        check_laws(Log::merge, &a, &b, &c)?;
        check_union(&a.clone().merge(b.clone()), &a, &b)?;
        let [a, b, c] = settings.map(|settings| settings.log);
        check_laws(Log::merge, &a, &b, &c)?;
        check_union(&a.clone().merge(b.clone()), &a, &b)?;
    }

    #[test]
    fn of_two_messages_or_reflections_of_one_id_everybody_takes_the_same(
        messages in [message(), message(), message()],
        reflections in [reflection(), reflection(), reflection()],
    ) {
        let id = messages[0].id;
        let [a, b, c] = messages.map(|message| Message { id, ..message });
        check_laws(merge_messages, &a, &b, &c)?;
        prop_assert!([&a, &b].contains(&&merge_messages(a.clone(), b.clone())));
        let [a, b, c] = reflections.map(|reflection| Reflection { id, ..reflection });
        check_laws(merge_reflections, &a, &b, &c)?;
        prop_assert!([&a, &b].contains(&&merge_reflections(a.clone(), b.clone())));
    }

    #[test]
    fn the_state_depends_on_the_events_alone(
        log in any_log(),
        order in vec(any::<Index>(), 32),
        parts in vec(any::<(Index, Index)>(), 32),
        k in 1..5usize,
    ) {
        let whole = log.fold();
        // Any order of arrival, one by one.
        let mut rest: Vec<_> = log.log.iter().collect();
        let mut shuffled = TaskLog { id: log.id, log: Log::default() };
        for pick in order.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (id, event) = rest.swap_remove(pick.index(rest.len()));
            shuffled.log.insert(id, event.clone());
        }
        prop_assert_eq!(&shuffled.fold(), &whole);
        // Any split among clones, some events known to two of them, merged in any order.
        let mut clones: Vec<TaskLog> =
            (0..k).map(|_| TaskLog { id: log.id, log: Log::default() }).collect();
        for ((id, event), (one, other)) in log.log.iter().zip(parts) {
            clones[one.index(k)].log.insert(id, event.clone());
            clones[other.index(k)].log.insert(id, event.clone());
        }
        for pick in &order {
            if clones.len() > 1 {
                let a = clones.swap_remove(pick.index(clones.len()));
                let b = clones.swap_remove(pick.index(clones.len()));
                clones.push(merge_tasks(a, b));
            }
        }
        prop_assert_eq!(&clones[0].fold(), &whole);
    }

    #[test]
    fn every_state_makes_sense(log in any_log(), (a, b) in versions()) {
        for log in [log, merge_tasks(a, b)] {
            if let Some(folded) = log.fold() {
                check_state(&folded)?;
            }
        }
    }

    #[test]
    fn void_events_change_nothing(log in any_log()) {
        if let Some(folded) = log.fold() {
            // Where clocks were apart, an event more or less changes where comments stand.
            let ids: Vec<_> = log.log.in_order().iter().map(|(id, _)| *id).collect();
            prop_assume!(ids.is_sorted());
            // Disowned, the first event lends no time, and any other tells how old the task is.
            prop_assume!(log.origin().is_none_or(|origin| !log.log.disowned().contains_key(&origin)));
            prop_assert!(folded.void.is_sorted_by(|a, b| a.0 < b.0));
            let mut legal = TaskLog { id: log.id, log: Log::default() };
            for (id, event) in log.log.iter() {
                if folded.void.iter().all(|(void, _)| *void != id) {
                    legal.log.insert(id, event.clone());
                }
            }
            let again = legal.fold().unwrap();
            prop_assert_eq!(again.void, vec![]);
            prop_assert_eq!(again.task, folded.task);
        } else {
            prop_assert_eq!(log.origin(), None);
        }
    }

    #[test]
    fn nobody_approves_their_own_work(log in any_log(), (a, b) in versions()) {
        for log in [log, merge_tasks(a, b)] {
            let mut past = TaskLog { id: log.id, log: Log::default() };
            for (id, event) in log.log.iter() {
                let before = past.fold();
                past.log.insert(id, event.clone());
                let legal = past.fold().is_some_and(|f| f.void.iter().all(|(v, _)| *v != id));
                if let (TaskEvent::Approved { submission, .. }, true) = (&event.kind, legal) {
                    let task = before.unwrap().task;
                    // What was decided later may have taken the task from its author since.
                    prop_assert!(!task.assignee.is_some_and(|author| event.by.is(&author)));
                    let bundle = log.log.get(*submission).unwrap();
                    prop_assert!(bundle.by != event.by);
                }
            }
        }
    }
}

fn check_contains<K: Ord + std::fmt::Debug>(
    whole: &Log<K>,
    part: &Log<K>,
) -> Result<(), TestCaseError> {
    for (id, event) in part.iter() {
        prop_assert!(whole.get(id) >= Some(event));
    }
    for (key, _) in part.extra.iter() {
        prop_assert!(whole.extra.iter().any(|(other, _)| other == key));
    }
    Ok(())
}

/// Chance must get there, or the laws above are laws of the empty log.
#[test]
fn lived_logs_reach_every_status() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..400 {
        let log = lived_log().new_tree(&mut runner).unwrap().current();
        seen.insert(log.fold().unwrap().task.status);
    }
    assert_eq!(seen.len(), Status::ALL.len(), "{seen:?}");
}
