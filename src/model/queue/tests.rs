//! What comes next for whom, and why nothing does.

use std::cell::Cell;
use std::collections::BTreeSet;

use super::*;
use crate::model::agent::AgentKind;
use crate::model::claim::{Claim, Phase};
use crate::model::extra::Extra;
use crate::model::id::{Fence, Stamp};
use crate::model::name::{AgentName, Author};
use crate::model::settings::Settings;
use crate::model::task::{Draft, Priority, TaskEvent, TaskLog};
use crate::model::time::Timestamp;

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

fn name(text: &str) -> AgentName {
    text.parse().unwrap()
}

fn stamp(millis: i64) -> Stamp {
    Stamp::new(Timestamp(millis), &mut fastrand::Rng::with_seed(1), None)
}

fn kai() -> Agent {
    Agent {
        name: name("kai"),
        kind: AgentKind::Agent,
        role: None,
        lanes: BTreeSet::new(),
        wip: None,
        joined: Timestamp(0),
        home: None,
    }
}

fn draft() -> Draft {
    Draft {
        title: "Log in".to_owned(),
        done_criteria: vec!["a test covers it".to_owned()],
        ..Draft::default()
    }
}

fn task(text: &str, created: i64, draft: Draft) -> Task {
    let log = TaskLog::created(id(text), stamp(created), Author::reflectt(), draft);
    log.fold().unwrap().task
}

fn ready(text: &str, created: i64, priority: Priority) -> Task {
    let priority = Draft {
        priority,
        ..draft()
    };
    task(text, created, priority)
}

fn on(text: &str, path: &str) -> Task {
    let paths = vec![path.parse().unwrap()];
    task(text, 1, Draft { paths, ..draft() })
}

fn claim(text: &str, agent: &str, path: &str, fence: u64) -> Claim {
    Claim {
        id: id(text),
        of_task: true,
        agent: name(agent),
        clone: "0123456789ab".parse().unwrap(),
        paths: vec![path.parse().unwrap()],
        shared: BTreeSet::new(),
        resources: BTreeSet::new(),
        phase: Phase::Working,
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

/// A task and its claim in the table.
fn held(text: &str, agent: &str, path: &str, fence: u64, table: &mut Table) -> Task {
    let claim = claim(text, agent, path, fence);
    let mut log = TaskLog::created(id(text), stamp(1), Author::reflectt(), draft());
    log.log.push(
        stamp(2),
        Author::from(&claim.agent),
        TaskEvent::Claimed {
            agent: claim.agent.clone(),
            fence: claim.fence,
            paths: claim.paths.clone(),
            shared: BTreeSet::new(),
            resources: BTreeSet::new(),
            branch: None,
            taken_over: None,
        },
    );
    table.fence = table.fence.max(claim.fence);
    table.claims.insert(claim.id, claim);
    log.fold().unwrap().task
}

fn take_of(agent: &Agent, task: &Task) -> Take {
    Take {
        id: task.id,
        of_task: true,
        agent: agent.name.clone(),
        clone: "0123456789ab".parse().unwrap(),
        paths: task.paths.clone(),
        shared: task.shared.clone(),
        resources: task.resources.clone(),
        branch: None,
        base: None,
        why: None,
        nonce: 0,
        take_over: false,
        moves: false,
    }
}

/// Looks with two slots for each agent; tasks that are not among `open` are unknown.
fn look_as<'a>(agent: &Agent, open: &'a [Task], table: &Table, silent: &str) -> Queue<'a> {
    let settings = Settings::default();
    let facts = Facts {
        now: Timestamp(1_000),
        settings: &settings,
        expired: &|claim| claim.agent.as_str() == silent,
        elsewhere: &|_| false,
        wip: &|_| 2,
    };
    let dependency = |id| {
        if open.iter().any(|task| task.id == id) {
            Dependency::Open
        } else {
            Dependency::Done
        }
    };
    look(agent, open.iter(), table, &facts, &dependency, &|task| {
        take_of(agent, task)
    })
}

fn best(queue: &Queue) -> Option<String> {
    queue.best.map(|task| task.id.to_string())
}

#[test]
fn priority_then_age_then_id() {
    let mut open = vec![
        ready("dddddd", 9, Priority::P0),
        ready("cccccc", 1, Priority::P1),
        ready("aaaaaa", 2, Priority::P1),
        ready("bbbbbb", 2, Priority::P1),
        ready("eeeeee", 0, Priority::P3),
    ];
    for next in ["dddddd", "cccccc", "aaaaaa", "bbbbbb", "eeeeee"] {
        let queue = look_as(&kai(), &open, &Table::default(), "");
        assert_eq!(best(&queue).as_deref(), Some(next));
        assert_eq!((queue.ready, queue.hindered.len()), (open.len(), 0));
        open.retain(|task| task.id != id(next));
    }
    let queue = look_as(&kai(), &open, &Table::default(), "");
    assert_eq!((best(&queue), queue.ready), (None, 0));
}

#[test]
fn ones_own_work_is_unfinished() {
    let mut table = Table::default();
    let open = [
        held("aaaaaa", "kai", "src", 1, &mut table),
        held("bbbbbb", "link", "docs", 2, &mut table),
        ready("cccccc", 3, Priority::P0),
    ];
    let queue = look_as(&kai(), &open, &table, "");
    let unfinished: Vec<TaskId> = queue.unfinished.iter().map(|task| task.id).collect();
    assert_eq!(unfinished, [id("aaaaaa")]);
    assert_eq!(best(&queue).as_deref(), Some("cccccc"));
}

#[test]
fn what_another_has_by_the_table_is_not_ones_own_work_any_more() {
    let mut table = Table::default();
    let open = [held("aaaaaa", "kai", "src", 1, &mut table)];
    let taken = claim("aaaaaa", "link", "src", 2);
    table.claims.insert(taken.id, taken);
    let queue = look_as(&kai(), &open, &table, "");
    assert_eq!((queue.unfinished.len(), best(&queue)), (0, None));
}

#[test]
fn why_a_task_is_not_for_everybody() {
    let lane = || Some("web".parse().unwrap());
    let waits = || [id("wwwwww")].into();
    let backend = Agent {
        lanes: ["backend".parse().unwrap()].into(),
        ..kai()
    };
    type Case = (&'static str, Draft, Option<Hindrance>, Option<Hindrance>);
    // What hinders an agent without lanes, and one of another lane.
    let cases: [Case; 9] = [
        ("plain", draft(), None, None),
        (
            "vague",
            Draft::default(),
            Some(Hindrance::Vague),
            Some(Hindrance::Vague),
        ),
        (
            "waits",
            Draft {
                blocked_by: waits(),
                ..draft()
            },
            Some(Hindrance::Waits),
            Some(Hindrance::Waits),
        ),
        (
            "waits for what is done",
            Draft {
                blocked_by: [id("zzzzzz")].into(),
                ..draft()
            },
            None,
            None,
        ),
        (
            "another lane",
            Draft {
                lane: lane(),
                ..draft()
            },
            None,
            Some(Hindrance::OtherLane),
        ),
        (
            "reserved for it, in another lane",
            Draft {
                lane: lane(),
                assignee: Some(name("kai")),
                ..draft()
            },
            None,
            None,
        ),
        (
            "reserved for another",
            Draft {
                assignee: Some(name("link")),
                ..draft()
            },
            Some(Hindrance::Reserved),
            Some(Hindrance::Reserved),
        ),
        (
            "its to review",
            Draft {
                reviewer: Some(name("kai")),
                ..draft()
            },
            Some(Hindrance::Reviewer),
            Some(Hindrance::Reviewer),
        ),
        (
            "its to review, reserved for it all the same",
            Draft {
                reviewer: Some(name("kai")),
                assignee: Some(name("kai")),
                ..draft()
            },
            None,
            None,
        ),
    ];
    for (what, draft, anywhere, in_backend) in cases {
        let mut table = Table::default();
        let open = [
            task("aaaaaa", 1, draft),
            held("wwwwww", "link", "src", 1, &mut table),
        ];
        for (agent, expected) in [(&kai(), anywhere), (&backend, in_backend)] {
            let queue = look_as(agent, &open, &table, "");
            let hindered: Vec<(Hindrance, usize)> = expected.map(|h| (h, 1)).into_iter().collect();
            assert_eq!(queue.hindered, hindered, "{what}");
            assert_eq!(queue.best.is_some(), expected.is_none(), "{what}");
        }
    }
}

#[test]
fn occupied_tasks_are_passed_over() {
    let mut table = Table::default();
    let open = [
        held("aaaaaa", "link", "src", 1, &mut table),
        on("bbbbbb", "src/auth"),
        on("cccccc", "src/pay"),
        on("dddddd", "docs"),
        on("eeeeee", "web"),
    ];
    let queue = look_as(&kai(), &open, &table, "");
    assert_eq!(best(&queue).as_deref(), Some("dddddd"));
    assert_eq!(queue.hindered, [(Hindrance::Occupied, 2)]);
    assert_eq!(queue.ready, 2);
}

#[test]
fn the_work_of_the_silent_is_free() {
    let mut table = Table::default();
    let open = [
        held("aaaaaa", "link", "src", 1, &mut table),
        on("bbbbbb", "src/auth"),
    ];
    assert_eq!(best(&look_as(&kai(), &open, &table, "")), None);
    let queue = look_as(&kai(), &open, &table, "link");
    assert_eq!(best(&queue).as_deref(), Some("aaaaaa"));
    assert_eq!(queue.ready, 2);
    // What is in review is not.
    table.claims.get_mut(&id("aaaaaa")).unwrap().phase = Phase::InReview;
    let queue = look_as(&kai(), &open, &table, "link");
    assert_eq!(queue.hindered, [(Hindrance::Occupied, 1)]);
}

#[test]
fn a_full_agent_is_told_so_once() {
    let mut table = Table::default();
    let open = [
        held("aaaaaa", "kai", "src", 1, &mut table),
        held("bbbbbb", "kai", "docs", 2, &mut table),
        ready("cccccc", 1, Priority::P1),
        ready("dddddd", 1, Priority::P1),
    ];
    let queue = look_as(&kai(), &open, &table, "");
    assert_eq!(queue.refused.map(|r| r.rule()), Some(Rule::WipAgent));
    assert_eq!((queue.best, queue.ready), (None, 2));
}

#[test]
fn circles() {
    let waits = |id: TaskId| match id.as_str() {
        "bbbbbb" => vec![self::id("cccccc"), self::id("dddddd")],
        "cccccc" => vec![self::id("dddddd")],
        "dddddd" => vec![self::id("aaaaaa")],
        // Somebody else's circle.
        "xxxxxx" => vec![self::id("yyyyyy")],
        "yyyyyy" => vec![self::id("xxxxxx")],
        _ => Vec::new(),
    };
    for (on, expected) in [
        (vec!["aaaaaa"], Some(vec!["aaaaaa", "aaaaaa"])),
        (vec!["dddddd"], Some(vec!["aaaaaa", "dddddd", "aaaaaa"])),
        (
            vec!["eeeeee", "bbbbbb"],
            Some(vec!["aaaaaa", "bbbbbb", "dddddd", "aaaaaa"]),
        ),
        (vec!["eeeeee"], None),
        (vec!["xxxxxx"], None),
        (vec![], None),
    ] {
        let found = cycle(id("aaaaaa"), on.iter().map(|on| id(on)), &waits);
        let expected = expected.map(|path| path.into_iter().map(id).collect::<Vec<_>>());
        assert_eq!(found, expected, "{on:?}");
    }
}

#[test]
fn a_lattice_is_walked_once() {
    // Each of 200 rows of two waits for both of the next: 2²⁰⁰ ways through.
    let at = |row: usize, side: usize| id(&format!("{row:05}{side}"));
    let row_of = |id: TaskId| id.as_str()[..5].parse::<usize>().unwrap();
    let asked = Cell::new(0);
    let waits = |id: TaskId| {
        asked.set(asked.get() + 1);
        match row_of(id) + 1 {
            next if next < 200 => vec![at(next, 0), at(next, 1)],
            _ => Vec::new(),
        }
    };
    assert_eq!(cycle(id("zzzzzz"), [at(0, 0), at(0, 1)], &waits), None);
    assert_eq!(asked.get(), 400);
}

#[test]
fn who_is_silent_is_judged_once() {
    let mut table = Table::default();
    let mut open: Vec<Task> = (0..200)
        .map(|n| {
            held(
                &format!("a{n:05}"),
                "link",
                &format!("src/{n}"),
                n + 1,
                &mut table,
            )
        })
        .collect();
    open.extend((0..1_000).map(|n| on(&format!("b{n:05}"), &format!("src/{}/x", n % 200))));
    let asked = Cell::new(0);
    let settings = Settings::default();
    let facts = Facts {
        now: Timestamp(1_000),
        settings: &settings,
        expired: &|_| {
            asked.set(asked.get() + 1);
            false
        },
        elsewhere: &|_| false,
        wip: &|_| 1,
    };
    let done = |_| Dependency::Done;
    let queue = look(&kai(), open.iter(), &table, &facts, &done, &|task| {
        take_of(&kai(), task)
    });
    assert_eq!(queue.hindered, [(Hindrance::Occupied, 1_000)]);
    assert_eq!(asked.get(), 200);
}
