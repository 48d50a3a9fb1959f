//! Machines whose clocks differ: what counts is what was decided first.

use serde_json::Value;

use super::{Team, events, kinds, show, submission};
use crate::support::{Repo, TestEnv, check};
use crate::sync::hold;

const SECOND: i64 = 1000;

fn comments(clone: &Repo, id: &str) -> Vec<String> {
    let events = events(clone, id);
    let texts = events.iter().filter(|event| event["kind"] == "commented");
    let texts = texts.map(|event| event["text"].as_str().unwrap().to_owned());
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts
}

#[test]
fn what_two_say_after_one_from_a_clock_ahead_is_kept() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Much is said of it", &[]);
    let ahead = sage.with_clock(3600 * SECOND);
    ahead
        .reflectt(["task", "comment", &id, "from the future"])
        .ok();
    team.it.sync_all();
    for (clone, text) in [(kai, "by kai"), (link, "by link")] {
        clone
            .reflectt(["--no-sync", "task", "comment", &id, text])
            .ok();
    }
    team.sound();
    for clone in team.clones() {
        assert_eq!(
            comments(clone, &id),
            ["by kai", "by link", "from the future"]
        );
    }
}

#[test]
fn what_two_set_after_one_from_a_clock_ahead_is_kept() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let ahead = sage.with_clock(3600 * SECOND);
    ahead.reflectt(["config", "set", "wip.team", "9"]).ok();
    team.it.sync_all();
    for (clone, key) in [(kai, "wip.agent"), (link, "resources.api")] {
        clone
            .reflectt(["--no-sync", "config", "set", key, "3"])
            .ok();
    }
    team.sound();
    for clone in team.clones() {
        for (key, value) in [
            ("wip.team", "9"),
            ("wip.agent", "3"),
            ("resources.api", "3"),
        ] {
            let got = clone.reflectt(["config", "get", key]).ok();
            assert!(got.stdout.contains(value), "{key}\n{got}");
        }
    }
}

#[test]
fn an_approval_beside_a_comment_is_kept_after_one_from_a_clock_ahead() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Approved", &[]);
    kai.reflectt(["claim", &id]).ok();
    kai.reflectt(submission(&id, "sage")).ok();
    team.it.sync_all();
    let ahead = link.with_clock(3600 * SECOND);
    ahead
        .reflectt(["task", "comment", &id, "from the future"])
        .ok();
    team.it.sync_all();
    kai.reflectt(["--no-sync", "task", "comment", &id, "by kai"])
        .ok();
    sage.reflectt(["review", &id, "--approve"]).ok();
    team.sound();
    for clone in team.clones() {
        assert_eq!(show(clone, &id)["status"], "done");
        assert_eq!(comments(clone, &id), ["by kai", "from the future"]);
    }
}

/// Returns the machines with their clocks set apart: kai a minute ahead, link five seconds behind.
fn apart(team: &Team) -> [Repo; 3] {
    let [kai, link, sage] = team.clones();
    [
        kai.with_clock(60 * SECOND),
        link.with_clock(-5 * SECOND),
        sage.clone(),
    ]
}

#[test]
fn an_approval_stands_whatever_the_clocks_say() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = apart(&team);
    for round in 0..2 {
        let id = team.task(&format!("Round {round}"), &[]);
        kai.reflectt(["claim", &id]).ok();
        link.reflectt(["sync"]).ok();
        team.crowd(&kai, &sage);
        kai.reflectt(["--no-sync", "release", &id, "--note", "half done"])
            .ok();
        link.reflectt(["claim", &id]).ok();
        link.reflectt(submission(&id, "sage")).ok();
        sage.reflectt(["sync"]).ok();
        sage.reflectt(["review", &id, "--approve"]).ok();
        team.sound();
        assert_eq!(show(&kai, &id)["status"], "done");
        let expected = [
            "created",
            "claimed",
            "released",
            "claimed",
            "submitted",
            "approved",
            "landed",
        ];
        assert_eq!(kinds(&kai, &id), expected);
    }
}

#[test]
fn a_release_ends_the_claim_it_was_about_and_not_the_next() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = apart(&team);
    // One agent on two machines, one of which has the clock a minute ahead.
    let there = env.clone_of(&team.it.bare, "there");
    there.reflectt(["join", "kai", "--here"]).ok();
    let id = team.task("Twice by kai", &[]);
    kai.reflectt(["claim", &id]).ok();
    there.reflectt(["sync"]).ok();
    team.crowd(&kai, &sage);
    kai.reflectt(["--no-sync", "release", &id]).ok();
    there.reflectt(["claim", &id]).ok();
    team.sound();
    for clone in [&kai, &link, &there] {
        clone.reflectt(["sync"]).ok();
        let expected = (id.clone(), "kai".to_owned(), "confirmed".to_owned());
        assert_eq!(hold(clone), [expected]);
        assert_eq!(show(clone, &id)["status"], "doing");
        assert_eq!(
            kinds(clone, &id),
            ["created", "claimed", "released", "claimed"]
        );
    }
    there.reflectt(submission(&id, "sage")).ok();
}

/// The events of one decision after another, each by whoever has the worse clock for it.
#[test]
fn a_task_goes_through_everything_with_clocks_apart() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = apart(&team);
    let id = team.task("Goes through everything", &[]);
    let steps: [(&Repo, &[&str]); 10] = [
        (&kai, &["claim", &id]),
        (&kai, &["block", &id, "--reason", "no key"]),
        (&link, &["claim", &id, "--take-over", "--reason", "urgent"]),
        (&link, &submission(&id, "kai")),
        (&kai, &["review", &id, "--request-changes", "more tests"]),
        (&link, &["handoff", &id, "--to", "sage", "--note", "yours"]),
        (&sage, &submission(&id, "kai")),
        (&kai, &["review", &id, "--approve"]),
        (&link, &["reopen", &id, "--reason", "it fails again"]),
        (&sage, &["cancel", &id, "--reason", "no use"]),
    ];
    for (clone, args) in steps {
        // Something is said of it meanwhile, and waits.
        for (other, name) in [(&kai, "kai"), (&link, "link"), (&sage, "sage")] {
            let text = format!("{name} before {args:?}");
            other
                .reflectt(["--no-sync", "task", "comment", &id, &text])
                .ok();
        }
        kai.reflectt(["ack", "--all"]).ok();
        clone.reflectt(args).ok();
    }
    team.sound();
    let kinds = kinds(&sage, &id);
    let decided: Vec<&str> = (kinds.iter().map(String::as_str))
        .filter(|kind| *kind != "commented")
        .collect();
    let expected = [
        "created",
        "claimed",
        "blocked",
        "claimed",
        "submitted",
        "changes_requested",
        "handed_off",
        "submitted",
        "approved",
        "landed",
        "reopened",
        "cancelled",
    ];
    assert_eq!(decided, expected);
    assert_eq!(comments(&sage, &id).len(), 30);
    assert_eq!(
        check::claims(&sage),
        std::collections::BTreeMap::<String, Value>::new()
    );
}
