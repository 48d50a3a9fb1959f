//! A task's life: which move is legal from where, and what histories fold into.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::arbitrary;
use crate::model::check::{CheckResult, Outcome, RUNS_MAX};
use crate::model::event::Decided;
use crate::model::rule::Rule;

/// A task's history, one millisecond for each event.
struct Story {
    log: TaskLog,
    clock: i64,
}

impl Story {
    fn new() -> Story {
        Story::of(Draft {
            title: "Log in".to_owned(),
            done_criteria: vec!["a test covers it".to_owned()],
            ..Draft::default()
        })
    }

    fn of(draft: Draft) -> Story {
        let id = "aaaaaa".parse().unwrap();
        Story {
            log: TaskLog::created(id, stamp(0), Author::lossy("jane"), draft),
            clock: 0,
        }
    }

    /// Adds an event, legal or not, as a merge would.
    fn then(mut self, by: &str, event: TaskEvent) -> Story {
        self.clock += 1;
        let at = self.clock;
        self.at(at, by, event)
    }

    fn at(mut self, at: i64, by: &str, event: TaskEvent) -> Story {
        self.log.log.push(stamp(at), Author::lossy(by), event);
        self
    }

    fn fold(&self) -> Folded {
        self.log.fold().unwrap()
    }

    /// Returns the task of a history in which everything was legal.
    fn task(&self) -> Task {
        let folded = self.fold();
        assert_eq!(folded.void, []);
        folded.task
    }

    /// Returns the task of a history whose events at these times had no effect.
    fn task_void(&self, void: &[i64]) -> Task {
        let folded = self.fold();
        let times: Vec<i64> = folded.void.iter().map(|(stamp, _)| stamp.at().0).collect();
        assert_eq!(times, void, "{:?}", folded.void);
        folded.task
    }
}

fn stamp(millis: i64) -> Stamp {
    Stamp::new(Timestamp(millis), &mut fastrand::Rng::with_seed(1), None)
}

fn name(text: &str) -> AgentName {
    text.parse().unwrap()
}

fn claimed(agent: &str, fence: u64) -> TaskEvent {
    TaskEvent::Claimed {
        agent: name(agent),
        fence: Fence(fence),
        paths: vec!["src".parse().unwrap()],
        shared: BTreeSet::new(),
        resources: BTreeSet::new(),
        branch: Some(format!("{agent}/login")),
        taken_over: None,
    }
}

fn blocked() -> TaskEvent {
    TaskEvent::Blocked {
        reason: "no key".to_owned(),
        on: None,
        needs_human: false,
    }
}

fn submitted(reviewer: Option<&str>) -> TaskEvent {
    TaskEvent::Submitted(Box::new(Submission {
        summary: "does it".to_owned(),
        reviewer: reviewer.map(name),
        ..Submission::default()
    }))
}

fn approved(submission: i64) -> TaskEvent {
    TaskEvent::Approved {
        submission: stamp(submission),
        commit: None,
        note: None,
        lands: false,
    }
}

fn changes(submission: i64) -> TaskEvent {
    TaskEvent::ChangesRequested {
        submission: stamp(submission),
        note: "no test".to_owned(),
    }
}

fn corrected(submission: i64) -> TaskEvent {
    TaskEvent::Corrected {
        submission: stamp(submission),
        note: "no test of the query".to_owned(),
    }
}

fn released(note: Option<&str>) -> TaskEvent {
    TaskEvent::Released {
        note: note.map(str::to_owned),
    }
}

fn handed_off(to: &str, fence: Option<u64>) -> TaskEvent {
    TaskEvent::HandedOff {
        to: name(to),
        note: "half done".to_owned(),
        fence: fence.map(Fence),
    }
}

fn lapsed(agent: &str, fence: u64) -> TaskEvent {
    TaskEvent::Lapsed {
        agent: name(agent),
        fence: Fence(fence),
        note: "silent".to_owned(),
    }
}

fn extended() -> TaskEvent {
    TaskEvent::Extended {
        paths: vec!["docs".parse().unwrap()],
        shared: BTreeSet::new(),
        resources: BTreeSet::new(),
        branch: None,
    }
}

fn cancelled() -> TaskEvent {
    TaskEvent::Cancelled {
        reason: "no use".to_owned(),
    }
}

fn reopened() -> TaskEvent {
    TaskEvent::Reopened {
        reason: "again".to_owned(),
    }
}

fn edited(edit: Edit) -> TaskEvent {
    TaskEvent::Edited(Box::new(edit))
}

fn title() -> TaskEvent {
    edited(Edit {
        title: Some("Sign in".to_owned()),
        ..Edit::default()
    })
}

fn assign() -> TaskEvent {
    edited(Edit {
        assignee: Some(Some(name("link"))),
        ..Edit::default()
    })
}

fn repath() -> TaskEvent {
    edited(Edit {
        paths: Some(vec!["web".parse().unwrap()]),
        ..Edit::default()
    })
}

/// Histories that end in each status: kai works under fence 3, sage reviews what came at 2.
fn in_every_status() -> [(Status, Story); 6] {
    let doing = || Story::new().then("kai", claimed("kai", 3));
    let shown = || doing().then("kai", submitted(Some("sage")));
    [
        (Status::Todo, Story::new()),
        (Status::Doing, doing()),
        (Status::Blocked, doing().then("kai", blocked())),
        (Status::Validating, shown()),
        (Status::Done, shown().then("sage", approved(2))),
        (Status::Cancelled, doing().then("jane", cancelled())),
    ]
}

#[test]
fn every_move_from_every_status() {
    use Status::{Blocked, Cancelled, Doing, Done, Todo, Validating};
    const NO: Option<Status> = None;
    // The status after the event in each status: todo, doing, blocked, validating, done,
    // cancelled; `NO` where it is refused.
    #[rustfmt::skip]
    let moves: [(&str, TaskEvent, [Option<Status>; 6]); 29] = [
        ("kai",  claimed("kai", 4),        [Some(Doing), Some(Doing), Some(Doing), Some(Doing), NO, NO]),
        ("link", claimed("link", 4),       [Some(Doing), Some(Doing), Some(Doing), Some(Doing), NO, NO]),
        ("link", claimed("link", 0),       [NO, NO, NO, NO, NO, NO]),
        ("kai",  extended(),               [NO, Some(Doing), Some(Blocked), Some(Validating), NO, NO]),
        ("link", extended(),               [NO, NO, NO, NO, NO, NO]),
        ("kai",  blocked(),                [NO, Some(Blocked), Some(Blocked), NO, NO, NO]),
        ("link", blocked(),                [NO, NO, NO, NO, NO, NO]),
        ("kai",  TaskEvent::Unblocked,     [NO, NO, Some(Doing), NO, NO, NO]),
        ("link", TaskEvent::Unblocked,     [NO, NO, NO, NO, NO, NO]),
        ("kai",  submitted(Some("sage")),  [NO, Some(Validating), Some(Validating), Some(Validating), Some(Validating), NO]),
        ("kai",  submitted(None),          [NO, Some(Done), Some(Done), Some(Done), Some(Done), NO]),
        ("kai",  submitted(Some("kai")),   [NO, NO, NO, NO, NO, NO]),
        ("link", submitted(Some("sage")),  [NO, NO, NO, NO, NO, NO]),
        ("sage", approved(2),              [NO, NO, NO, Some(Done), NO, NO]),
        ("kai",  approved(2),              [NO, NO, NO, NO, NO, NO]),
        ("sage", changes(2),               [NO, NO, NO, Some(Doing), NO, NO]),
        ("link", changes(2),               [NO, NO, NO, NO, NO, NO]),
        ("sage", corrected(2),             [NO, NO, NO, NO, Some(Done), NO]),
        ("kai",  corrected(2),             [NO, NO, NO, NO, NO, NO]),
        ("kai",  released(None),           [NO, Some(Todo), Some(Todo), Some(Todo), NO, NO]),
        ("link", released(None),           [NO, NO, NO, NO, NO, NO]),
        ("kai",  handed_off("link", None), [NO, Some(Todo), Some(Todo), NO, NO, NO]),
        ("kai",  handed_off("link", Some(4)), [NO, Some(Doing), Some(Doing), NO, NO, NO]),
        ("link", lapsed("kai", 3),         [NO, Some(Todo), Some(Todo), Some(Todo), NO, NO]),
        ("link", lapsed("kai", 2),         [NO, NO, NO, NO, NO, NO]),
        ("link", cancelled(),              [Some(Cancelled), Some(Cancelled), Some(Cancelled), Some(Cancelled), NO, NO]),
        ("link", reopened(),               [NO, NO, NO, NO, Some(Todo), Some(Todo)]),
        ("link", title(),                  [Some(Todo), Some(Doing), Some(Blocked), Some(Validating), NO, NO]),
        ("link", ran("test", "c1", 1),     [Some(Todo), Some(Doing), Some(Blocked), Some(Validating), Some(Done), Some(Cancelled)]),
    ];
    for (by, event, expected) in moves {
        for ((status, story), expected) in in_every_status().into_iter().zip(expected) {
            let before = story.task();
            assert_eq!(before.status, status);
            let allowed = before.allows(&Author::lossy(by), &event);
            let what = format!("{} by {by} in {status}: {allowed:?}", event.name());
            assert_eq!(allowed.is_ok(), expected.is_some(), "{what}");
            let after = story.then(by, event.clone()).fold();
            match expected {
                Some(status) => assert_eq!(after.task.status, status, "{what}"),
                None => assert_eq!(after.task, before, "{what}"),
            }
            // Who closed it holds it no more, and only who works on it does.
            let held = after.task.fence.is_some();
            let may_be_held = !matches!(after.task.status, Todo | Done | Cancelled);
            assert!(!held || may_be_held, "{what}");
        }
    }
}

#[test]
fn talking_is_always_allowed() {
    for (status, story) in in_every_status() {
        let before = story.task();
        let after = story
            .then(
                "link",
                TaskEvent::Commented {
                    text: "hm".to_owned(),
                },
            )
            .then(
                "link",
                TaskEvent::Unknown {
                    kind: "starred".to_owned(),
                },
            )
            .task();
        assert!(after.updated > before.updated, "{status}");
        let after = Task {
            updated: before.updated,
            ..after
        };
        assert_eq!(after, before, "{status}");
    }
}

#[test]
fn refusals_name_their_rule() {
    let [todo, doing, _, shown, done, _] = in_every_status().map(|(_, story)| story.task());
    let nobodys = Task {
        reviewer: None,
        ..shown.clone()
    };
    for (task, by, event, rule) in [
        (&todo, "kai", released(None), Rule::Holder),
        (&doing, "link", released(None), Rule::Holder),
        (&doing, "link", claimed("link", 3), Rule::Holder),
        (&doing, "kai", handed_off("kai", Some(4)), Rule::Holder),
        (&doing, "kai", handed_off("link", Some(3)), Rule::Holder),
        (&doing, "kai", submitted(Some("kai")), Rule::Reviewer),
        (&shown, "kai", approved(2), Rule::Reviewer),
        (&shown, "link", approved(2), Rule::Reviewer),
        (&nobodys, "sage", approved(2), Rule::Reviewer),
        (&shown, "sage", approved(1), Rule::Submission),
        (&doing, "sage", approved(2), Rule::Status),
        (&done, "kai", claimed("kai", 4), Rule::Status),
        (&doing, "jane", assign(), Rule::Status),
        (&doing, "jane", repath(), Rule::Status),
    ] {
        let refusal = task.allows(&Author::lossy(by), &event).unwrap_err();
        assert_eq!(refusal.rule(), rule, "{} by {by}: {refusal}", event.name());
    }
    for event in [assign(), repath()] {
        assert_eq!(todo.allows(&Author::lossy("jane"), &event), Ok(()));
    }
}

#[test]
fn nobody_is_made_to_review_their_own_work() {
    let review_by = |reviewer: &str| {
        edited(Edit {
            reviewer: Some(Some(name(reviewer))),
            ..Edit::default()
        })
    };
    let doing = || Story::new().then("kai", claimed("kai", 3));
    doing().then("jane", review_by("kai")).task_void(&[2]);
    let task = doing().then("jane", review_by("link")).task();
    assert_eq!(task.reviewer, Some(name("link")));
    // Whoever was to review it and takes it needs another reviewer.
    let task = Story::new()
        .then("jane", review_by("kai"))
        .then("kai", claimed("kai", 3))
        .task();
    assert_eq!(task.reviewer, None);
}

#[test]
fn a_superseded_claim_is_void() {
    // Two clones claimed; the table gave out 5 after 4, whatever their clocks said.
    let task = Story::new()
        .then("link", claimed("link", 5))
        .then("kai", claimed("kai", 4))
        .then("kai", submitted(Some("sage")))
        .then("link", submitted(Some("sage")))
        .task_void(&[2, 3]);
    assert_eq!(task.assignee, Some(name("link")));
    assert_eq!((task.fence, task.last_fence), (Some(Fence(5)), Fence(5)));
    assert_eq!(task.last_holder, Some(name("link")));
    assert_eq!(task.status, Status::Validating);

    // Its end does not make it possible again.
    let task = Story::new()
        .then("link", claimed("link", 5))
        .then("link", released(None))
        .then("kai", claimed("kai", 5))
        .then("kai", claimed("kai", 6))
        .task_void(&[3]);
    assert_eq!(task.fence, Some(Fence(6)));
}

#[test]
fn a_newer_submission_voids_an_approval() {
    let shown = || {
        Story::new()
            .then("kai", claimed("kai", 3))
            .then("kai", submitted(Some("sage")))
    };
    let task = shown()
        .then("kai", submitted(Some("sage")))
        .then("sage", approved(2))
        .task_void(&[4]);
    assert_eq!(task.status, Status::Validating);
    let task = shown()
        .then("kai", submitted(Some("sage")))
        .then("sage", approved(3))
        .task();
    assert_eq!(
        (task.status, task.closed),
        (Status::Done, Some(Timestamp(4)))
    );
}

#[test]
fn a_submission_after_its_approval_waits_for_review() {
    let late = || {
        Story::new()
            .then("kai", claimed("kai", 3))
            .then("kai", submitted(Some("sage")))
            .then("sage", approved(2))
            .then("kai", submitted(Some("sage")))
    };
    let task = late().task();
    assert_eq!((task.status, task.closed), (Status::Validating, None));
    assert_eq!(task.holder(), None);
    assert_eq!(late().then("sage", approved(4)).task().status, Status::Done);
    // Nobody holds it, so it goes back to its author as a reserved task.
    let task = late().then("sage", changes(4)).task();
    assert_eq!(task.status, Status::Todo);
    assert_eq!(task.reserved_for(), Some(&name("kai")));
    assert_eq!(task.changes.as_deref(), Some("no test"));
}

#[test]
fn changes_requested_leave_the_claim() {
    let story = Story::new()
        .then("kai", claimed("kai", 3))
        .then("kai", submitted(Some("sage")))
        .then("sage", changes(2));
    let task = story.task();
    assert_eq!(task.holder(), Some(&name("kai")));
    assert_eq!(task.changes.as_deref(), Some("no test"));
    let story = story.then("kai", submitted(Some("sage")));
    assert_eq!(story.task().changes, None, "they are made");
    let task = story.then("sage", approved(4)).task();
    assert_eq!((task.changes, task.fence), (None, None));
    assert_eq!(task.assignee, Some(name("kai")));
}

#[test]
fn a_review_is_corrected_by_whoever_made_it_while_it_is_the_last_word() {
    let sent_back = || {
        Story::new()
            .then("kai", claimed("kai", 3))
            .then("kai", submitted(Some("sage")))
            .then("sage", changes(2))
    };
    let task = sent_back().then("sage", corrected(2)).task();
    assert_eq!(task.status, Status::Doing);
    assert_eq!(task.changes.as_deref(), Some("no test of the query"));
    let unchanged = Some("no test");
    let by_author = sent_back().then("kai", corrected(2)).task_void(&[4]);
    assert_eq!(by_author.changes.as_deref(), unchanged);
    let of_another = sent_back().then("sage", corrected(1)).task_void(&[4]);
    assert_eq!(of_another.changes.as_deref(), unchanged);
    let again = sent_back().then("kai", submitted(Some("sage")));
    assert_eq!(
        again.then("sage", corrected(2)).task_void(&[5]).changes,
        None
    );
}

#[test]
fn who_lets_go_leaves_a_note() {
    for (by, event, note, assignee) in [
        ("kai", released(Some("see tests")), "see tests", None),
        ("kai", released(None), "", None),
        ("link", lapsed("kai", 3), "silent", None),
        ("kai", handed_off("link", None), "half done", Some("link")),
        (
            "kai",
            handed_off("link", Some(4)),
            "half done",
            Some("link"),
        ),
    ] {
        let task = Story::new()
            .then("kai", claimed("kai", 3))
            .then(by, event.clone())
            .task();
        let handoff = task.handoff.clone().unwrap();
        assert_eq!(handoff.from, name("kai"), "{event:?}");
        assert_eq!(handoff.note, note, "{event:?}");
        assert_eq!(handoff.branch.as_deref(), Some("kai/login"), "{event:?}");
        assert_eq!(task.assignee, assignee.map(name), "{event:?}");
        assert_eq!(task.holder().is_some(), task.status == Status::Doing);
    }
}

#[test]
fn a_lapse_keeps_what_was_said_before_and_does_not_grow() {
    let mut story = Story::new()
        .then("kai", claimed("kai", 3))
        .then("kai", released(Some(&"x".repeat(4000))));
    for fence in 4..50 {
        story = story
            .then("link", claimed("link", fence))
            .then("sage", lapsed("link", fence));
    }
    let note = story.task().handoff.unwrap().note;
    assert!(
        note.starts_with("silent; before that, `link`: silent"),
        "{note}"
    );
    assert!(note.chars().count() < 400, "{note}");
}

#[test]
fn claims_widen_the_task() {
    let task = Story::new()
        .then("kai", claimed("kai", 3))
        .then("kai", extended())
        .then("kai", extended())
        .then("link", claimed("link", 4))
        .task();
    let paths: Vec<&str> = task.paths.iter().map(PathPattern::as_str).collect();
    assert_eq!(paths, ["src", "docs"]);
    assert_eq!(task.claimed_at, Some(Timestamp(4)));
}

#[test]
fn nothing_happens_before_the_beginning() {
    let id = "aaaaaa".parse().unwrap();
    let log = TaskLog {
        id,
        log: Log::default(),
    };
    assert_eq!(log.fold(), None);
    let mut early = log.clone();
    early.log.push(stamp(1), Author::lossy("kai"), title());
    assert_eq!(early.fold(), None);
    let draft = || TaskEvent::Created(Box::default());
    early.log.push(stamp(2), Author::lossy("kai"), draft());
    early.log.push(stamp(3), Author::lossy("kai"), draft());
    assert_eq!(early.origin(), Some(stamp(2)));
    let folded = Story {
        log: early,
        clock: 3,
    }
    .task_void(&[1, 3]);
    assert_eq!(folded.title, "");
    assert_eq!(folded.created, Timestamp(2));
}

#[test]
fn reopening_starts_afresh() {
    for (_, story) in in_every_status().into_iter().skip(4) {
        let task = story.then("jane", reopened()).task();
        assert_eq!(task.status, Status::Todo);
        assert_eq!((&task.assignee, task.closed), (&None, None));
        assert_eq!((&task.submission, task.fence), (&None, None));
        assert_eq!(task.last_fence, Fence(3));
    }
}

/// What was decided stands, whatever an edit by hand says that nobody knew of then.
#[test]
fn a_review_that_was_decided_stands_beside_an_edit_by_hand_that_came_to_light_later() {
    let decided = |epoch, under| Some(Decided { epoch, under });
    let push = |story: &mut Story, at: i64, by: &str, event, decided| {
        let by = Author::lossy(by);
        (story.log.log).push_decided(stamp(at), by, event, decided);
    };
    let reviewer = |name: AgentName| {
        TaskEvent::Edited(Box::new(Edit {
            reviewer: Some(Some(name)),
            ..Edit::default()
        }))
    };
    let approval = |by: &str| {
        let mut story = Story::new();
        let under = Some(Fence(1));
        push(&mut story, 1, "kai", claimed("kai", 1), decided(1, None));
        let event = submitted(Some("sage"));
        push(&mut story, 2, "kai", event, decided(2, under));
        push(&mut story, 4, by, approved(2), decided(3, under));
        push(&mut story, 3, "jane", reviewer(name("link")), None);
        story
    };
    assert_eq!(approval("sage").task().status, Status::Done);
    // Its author approves nothing, however it was decided.
    let task = approval("kai").task_void(&[4]);
    assert_eq!(task.status, Status::Validating);
}

fn ran(check: &str, commit: &str, code: u8) -> TaskEvent {
    TaskEvent::Checked(Box::new(CheckResult {
        name: check.parse().unwrap(),
        command: "make".to_owned(),
        commit: commit.to_owned(),
        tree: "t".to_owned(),
        outcome: match code {
            0 => Outcome::Passed,
            code => Outcome::Failed { code },
        },
        took: Default::default(),
        at: Timestamp(7),
        cached: false,
        output: vec!["the end".to_owned()],
    }))
}

#[test]
fn the_latest_run_of_each_check_on_each_commit_is_known_whatever_the_status() {
    let story = Story::new()
        .then("kai", ran("test", "c1", 1))
        .then("kai", ran("lint", "c1", 0))
        .then(
            "link",
            TaskEvent::Cancelled {
                reason: "no use".to_owned(),
            },
        )
        .then("sage", ran("test", "c1", 0))
        .then("sage", ran("test", "c2", 2));
    let task = story.task();
    assert_eq!(task.status, Status::Cancelled);
    let runs: Vec<_> = (task.checked.iter())
        .map(|run| {
            (
                run.result.name.as_str(),
                &*run.result.commit,
                run.by.as_str(),
            )
        })
        .collect();
    assert_eq!(
        runs,
        [
            ("lint", "c1", "kai"),
            ("test", "c1", "sage"),
            ("test", "c2", "sage")
        ]
    );
    let name = "test".parse().unwrap();
    let run = task.checked_on(&name, "c1").unwrap();
    assert!(run.result.passed() && run.result.output.is_empty());
    assert_eq!(task.checked_on(&name, "c3"), None);

    let many = (0..100).fold(Story::new(), |story, n| {
        story.then("kai", ran("test", &format!("c{n}"), 0))
    });
    let task = many.task();
    assert_eq!(task.checked.len(), RUNS_MAX);
    assert_eq!(task.checked.last().unwrap().result.commit, "c99");
}

#[test]
fn to_pass_a_check_is_a_criterion() {
    let vague = Story::of(Draft {
        title: "Log in".to_owned(),
        ..Draft::default()
    });
    assert!(!vague.task().has_concrete_criteria());
    let edit = Edit {
        checks: Some(["test".parse().unwrap()].into()),
        ..Edit::default()
    };
    let checked = vague.then("kai", TaskEvent::Edited(Box::new(edit)));
    assert!(checked.task().has_concrete_criteria());
    let none = std::collections::BTreeMap::new();
    let evidence = crate::model::review::evidence(&checked.task(), &none);
    assert_eq!(evidence, Ok(Vec::new()), "nobody is asked for words");
}

proptest! {
    #[test]
    fn what_is_known_of_checks_is_what_was_said_last(log in arbitrary::lived_log()) {
        let task = log.fold().unwrap().task;
        prop_assert!(task.checked.len() <= RUNS_MAX);
        let mut last = std::collections::BTreeMap::new();
        for (stamp, event) in log.log.in_force() {
            if let TaskEvent::Checked(result) = &event.kind {
                last.insert((result.name.clone(), result.commit.clone()), stamp);
            }
        }
        let known: std::collections::BTreeMap<_, _> = (task.checked.iter())
            .map(|run| ((run.result.name.clone(), run.result.commit.clone()), run.stamp))
            .collect();
        prop_assert_eq!(known.len(), task.checked.len());
        prop_assert_eq!(known, last);
    }
}
