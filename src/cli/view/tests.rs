//! Whole tasks as they are printed, at a fixed time.

use std::collections::BTreeSet;

use crate::cli::ui::tests::{NOW, PIPE, printed};
use crate::cli::view;
use crate::model::id::{Fence, Stamp, TaskId};
use crate::model::name::{AgentName, Author};
use crate::model::queue::Dependency;
use crate::model::task::{Draft, Edit, Folded, Submission, TaskEvent, TaskLog};
use crate::model::time::Timestamp;
use crate::ops::TaskRow;

const MINUTE: i64 = 60_000;

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

fn agent(name: &str) -> AgentName {
    name.parse().unwrap()
}

/// A task of which each event is some minutes old.
struct Story {
    log: TaskLog,
    rng: fastrand::Rng,
}

impl Story {
    fn of(draft: Draft) -> Story {
        let mut rng = fastrand::Rng::with_seed(1);
        let at = Timestamp(NOW - 300 * MINUTE);
        let stamp = Stamp::new(at, &mut rng, None);
        let log = TaskLog::created(id("k3f9x2"), stamp, Author::from(&agent("kai")), draft);
        Story { log, rng }
    }

    fn then(&mut self, minutes_ago: i64, by: &str, event: TaskEvent) -> Stamp {
        let at = Timestamp(NOW - minutes_ago * MINUTE);
        let stamp = Stamp::new(at, &mut self.rng, self.log.log.last());
        self.log.log.push(stamp, Author::from(&agent(by)), event);
        stamp
    }

    fn claimed(&mut self, minutes_ago: i64, by: &str, fence: u64) {
        let event = TaskEvent::Claimed {
            agent: agent(by),
            fence: Fence(fence),
            paths: vec!["src/auth".parse().unwrap()],
            shared: BTreeSet::new(),
            resources: BTreeSet::new(),
            branch: Some(format!("{by}/login")),
            taken_over: None,
        };
        self.then(minutes_ago, by, event);
    }

    fn printed(&self, waits: &[(TaskId, Dependency)]) -> String {
        let Folded { task, void } = self.log.fold().unwrap();
        let events: Vec<_> = (self.log.log.iter())
            .map(|(stamp, event)| {
                let void = void.iter().find(|(id, _)| *id == stamp);
                let void = void.map(|(_, why)| why.clone());
                (stamp, event.by.clone(), event.kind.clone(), void)
            })
            .collect();
        let (out, err) = printed(PIPE, |ui| {
            view::task(ui, &task, waits, view::Standing::Confirmed);
            view::submission(ui, &self.row(Vec::new()));
            view::history(ui, &events);
        });
        assert_eq!(err, "");
        out
    }

    fn row(&self, waits_for: Vec<(TaskId, Dependency)>) -> TaskRow {
        TaskRow {
            provisional: false,
            published: true,
            is_here: true,
            task: self.log.fold().unwrap().task,
            waits_for,
        }
    }
}

fn draft() -> Draft {
    Draft {
        title: "Keep the return path".to_owned(),
        done_criteria: vec![
            "login from /app returns to /app".to_owned(),
            "a test covers it".to_owned(),
        ],
        ..Draft::default()
    }
}

fn submitted(summary: &str) -> TaskEvent {
    TaskEvent::Submitted(Box::new(Submission {
        summary: summary.to_owned(),
        evidence: vec!["seen".to_owned(), "tests/login.rs".to_owned()],
        commit: Some("da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned()),
        pr: None,
        caveat: Some("not with Safari".to_owned()),
        no_check: true,
        reviewer: Some(agent("sage")),
        ..Submission::default()
    }))
}

#[test]
fn a_new_task() {
    let story = Story::of(Draft {
        body: "See the RFC.\n\n- one\x1b[2J".to_owned(),
        ..draft()
    });
    assert_eq!(
        story.printed(&[(id("a7d20c"), Dependency::Cancelled)]),
        "\
k3f9x2  Keep the return path
status     todo
priority   P2
waits for  a7d20c (cancelled)
created    5h ago by kai
done when
  1. login from /app returns to /app
  2. a test covers it
description
  See the RFC.

  - one␛[2J
history
  5h ago  kai  created it
"
    );
}

#[test]
fn a_task_with_a_past() {
    let mut story = Story::of(draft());
    story.claimed(200, "link", 1);
    let first = story.then(100, "link", submitted("the path is kept"));
    let note = "the query is lost\nsee tests/login.rs".to_owned();
    let changes = TaskEvent::ChangesRequested {
        submission: first,
        note,
    };
    story.then(50, "sage", changes);
    let handed = TaskEvent::HandedOff {
        to: agent("kai"),
        note: "only the query is left".to_owned(),
        fence: Some(Fence(2)),
    };
    story.then(3, "link", handed);
    // Sent from a clone that did not know yet.
    story.then(2, "link", TaskEvent::Released { note: None });
    assert_eq!(
        story.printed(&[]),
        "\
k3f9x2  Keep the return path
status     doing, held by kai (claimed 3m ago)
priority   P2
reviewer   sage
paths      src/auth
branch     link/login
created    5h ago by kai
done when
  1. login from /app returns to /app
  2. a test covers it
changes asked for by sage
  the query is lost
  see tests/login.rs
left by link 3m ago on the branch link/login
  only the query is left
submitted 1h ago
  the path is kept
  1. seen
  2. tests/login.rs
  commit   da39a3ee5e6b4b0d3255bfef95601890afd80709
  caveat   not with Safari
  checks   did not run (--no-check)
history
  5h ago   kai   created it
  3h ago   link  claimed it, fence 1
  1h ago   link  submitted da39a3ee5e6b to sage: the path is kept
  50m ago  sage  asked for changes: the query is lost
    see tests/login.rs
  3m ago   link  handed it to kai, fence 2: only the query is left
  2m ago   link  released it (void: task `k3f9x2` is held by `kai` and cannot be released by `link`)
"
    );
}

#[test]
fn what_was_changed_and_how_it_ended() {
    let mut story = Story::of(draft());
    let edit = Edit {
        assignee: Some(Some(agent("link"))),
        lane: Some(None),
        done_criteria: Some(vec!["a test covers it".to_owned()]),
        body: Some("new".to_owned()),
        ..Edit::default()
    };
    story.then(9, "kai", TaskEvent::Edited(Box::new(edit)));
    let reason = "the page is gone".to_owned();
    story.then(8, "kai", TaskEvent::Cancelled { reason });
    let text = story.printed(&[]);
    assert!(
        text.starts_with(
            "k3f9x2  Keep the return path\nstatus     cancelled (8m ago)\npriority   P2\n"
        ),
        "{text}"
    );
    assert!(text.contains("\nreason     the page is gone\n"), "{text}");
    assert!(
        text.contains(
            "kai  changed description, assignee to link, lane to none, criteria to 1 in all\n"
        ),
        "{text}"
    );
}

#[test]
fn lists_say_what_a_task_waits_for() {
    let mut story = Story::of(draft());
    assert_eq!(view::waits_for(&story.row(Vec::new())), "");
    let waits = vec![
        (id("a7d20c"), Dependency::Open),
        (id("b8e31d"), Dependency::Unknown),
    ];
    assert_eq!(
        view::waits_for(&story.row(waits)),
        "a7d20c, b8e31d (unknown here)"
    );
    let vague = Story::of(Draft {
        done_criteria: vec!["TBD".to_owned()],
        ..draft()
    });
    assert_eq!(view::waits_for(&vague.row(Vec::new())), "a criterion");

    story.claimed(9, "link", 1);
    assert_eq!(view::waits_for(&story.row(Vec::new())), "");
    let blocked = TaskEvent::Blocked {
        reason: "no key for the API".to_owned(),
        on: None,
        needs_human: true,
    };
    story.then(8, "link", blocked);
    assert_eq!(
        view::waits_for(&story.row(Vec::new())),
        "a person: no key for the API"
    );
    story.then(7, "link", submitted("done"));
    assert_eq!(view::waits_for(&story.row(Vec::new())), "review by sage");
}
