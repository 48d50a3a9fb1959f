//! What is asked for while the remote cannot be: seen here alone, and decided once it answers.

use serde_json::Value;

use super::{Team, events, kinds, show, submission, told};
use crate::support::process::Victims;
use crate::support::{Repo, TestEnv, check};
use crate::sync::tips;

/// Runs a command as if the remote did not answer.
#[track_caller]
fn offline(clone: &Repo, args: &[&str]) {
    clone.reflectt(["--offline"].iter().chain(args)).ok();
}

fn claim<'c>(claims: &'c std::collections::BTreeMap<String, Value>, id: &str) -> [&'c str; 3] {
    let claim = &claims[id];
    ["agent", "phase", "state"].map(|key| claim[key].as_str().unwrap())
}

/// A team in which each may have many tasks, and tasks that kai holds in each state.
struct Busy {
    team: Team,
    /// To be handed over, blocked, unblocked, submitted, and released.
    held: [String; 5],
    /// To be claimed, and to be cancelled.
    free: [String; 2],
}

impl Busy {
    fn new(env: &TestEnv) -> Busy {
        let team = Team::new(env);
        let [kai, link, _] = team.clones();
        kai.set("kai", "wip.agent", "9");
        let make = |title: &str| kai.task("kai", title, &[]);
        let held = ["hand over", "block", "unblock", "submit", "release"].map(make);
        for id in &held {
            kai.reflectt(["--no-sync", "claim", id]).ok();
        }
        kai.reflectt(["block", &held[2], "--reason", "no key"]).ok();
        let free = ["claim", "cancel"].map(make);
        team.it.sync_all();
        link.reflectt(["ack", "--all"]).ok();
        Busy { team, held, free }
    }

    /// Does one of everything in kai's clone; each command begins with `flags`.
    #[track_caller]
    fn work(&self, flags: &[&str]) -> String {
        let [hand, block, unblock, submit, release] = &self.held;
        let [free, over] = &self.free;
        let kai = &self.team.it.clones[0];
        let submit = submission(submit, "sage");
        for args in [
            &["claim", free][..],
            &["block", block, "--reason", "no answer"],
            &["unblock", unblock],
            &submit,
            &["handoff", hand, "--to", "link", "--note", "yours"],
            &["release", release, "--note", "half done"],
            &["cancel", over, "--reason", "no use"],
        ] {
            kai.reflectt(flags.iter().chain(args)).ok();
        }
        let paths = ["--json", "claim", "--path", "docs", "-m", "typos"];
        let paths = kai.reflectt(flags.iter().chain(&paths)).ok().json();
        assert_eq!(paths["claim"]["state"], "provisional");
        paths["claim"]["id"].as_str().unwrap().to_owned()
    }

    /// Checks what has become of it, and returns the state of the claims.
    #[track_caller]
    fn check(&self, clone: &Repo, state: &str, paths: &str) {
        let [hand, block, unblock, submit, release] = &self.held;
        let [free, over] = &self.free;
        let claims = check::claims(clone);
        let at = clone.path().display();
        for (id, agent, phase) in [
            (free, "kai", "working"),
            (block, "kai", "blocked"),
            (unblock, "kai", "working"),
            (submit, "kai", "in_review"),
            (hand, "link", "working"),
        ] {
            let [is_agent, is_phase, is_state] = claim(&claims, id);
            assert_eq!([is_agent, is_phase], [agent, phase], "{at}: {id}");
            assert_eq!(is_state, state, "{at}: {id}");
        }
        assert_eq!(claims[paths]["state"], state, "{at}");
        assert_eq!(claims.len(), 6, "{at}: {claims:#?}");
        for (id, status) in [
            (release, "todo"),
            (over, "cancelled"),
            (free, "doing"),
            (block, "blocked"),
            (unblock, "doing"),
            (submit, "validating"),
        ] {
            assert_eq!(show(clone, id)["status"], status, "{at}: {id}");
        }
        assert_eq!(show(clone, hand)["assignee"], "link", "{at}");
    }
}

#[test]
fn everything_that_is_asked_for_offline_is_seen_here_alone_and_granted_in_order() {
    let env = TestEnv::new();
    let busy = Busy::new(&env);
    let [kai, link, sage] = busy.team.clones();
    let before = tips(kai);
    let away = busy.team.it.bare.path().with_extension("away");
    std::fs::rename(busy.team.it.bare.path(), &away).unwrap();
    let paths = busy.work(&["--offline"]);
    // Neither table nor record has any of it, and this clone shows it for what it is.
    assert_eq!(tips(kai), before);
    busy.check(kai, "provisional", &paths);
    let changed = busy.held.iter().chain(&busy.free);
    for id in changed {
        let text = kai.reflectt(["task", "show", id]).ok();
        assert!(text.stdout.contains("provisional"), "{text}");
        assert!(!text.stdout.contains("fence 45035"), "{text}");
    }
    let status = kai.reflectt(["status"]).ok();
    assert!(status.stdout.contains("provisional"), "{status}");
    // What needs nobody's consent is written as ever, and has none of it either.
    kai.reflectt(["task", "comment", &busy.free[0], "cut off"])
        .ok();
    assert_eq!(tips(kai)[1], before[1]);
    let record = kai.git(["log", "-1", "-p", "refs/heads/reflectt"]);
    assert!(
        record.contains("cut off") && !record.contains("claimed"),
        "{record}"
    );
    std::fs::rename(&away, busy.team.it.bare.path()).unwrap();
    // Others know nothing, although they ask.
    link.reflectt(["sync"]).ok();
    assert_eq!(check::claims(link).len(), 5);

    busy.team.remote.pushes();
    let sync = kai.reflectt(["--json", "sync"]).ok().json();
    assert_eq!(sync["lost_claims"], Value::Array(Vec::new()));
    let pushes = busy.team.remote.pushes();
    let decided = pushes.iter().filter(|refs| refs.contains("claims"));
    assert_eq!(decided.count(), 1, "{pushes:?}");
    busy.team.sound();
    for clone in busy.team.clones() {
        busy.check(clone, "confirmed", &paths);
        let text = clone.reflectt(["claims"]).ok();
        assert!(!text.stdout.contains("provisional"), "{text}");
    }
    assert_eq!(told(kai, &busy.free[0]), [""; 0]);
    assert_eq!(
        told(link, &busy.held[0]).len(),
        1,
        "link is told of the hand-off"
    );
    assert_eq!(
        told(sage, &busy.held[3]).len(),
        1,
        "sage is asked for a review"
    );
    let expected = ["created", "commented", "claimed"];
    let mut kinds = kinds(sage, &busy.free[0]);
    kinds.sort_by_key(|kind| kind == "claimed");
    assert_eq!(kinds, expected);
}

#[test]
fn where_the_team_wants_it_the_same_happens_without_a_flag() {
    let env = TestEnv::new();
    let busy = Busy::new(&env);
    let [kai, link, _] = busy.team.clones();
    kai.set("kai", "claims.offline", "provisional");
    let before = tips(kai);
    let away = busy.team.it.bare.path().with_extension("away");
    std::fs::rename(busy.team.it.bare.path(), &away).unwrap();
    let paths = busy.work(&[]);
    assert_eq!(tips(kai), before);
    busy.check(kai, "provisional", &paths);
    std::fs::rename(&away, busy.team.it.bare.path()).unwrap();
    // Whatever asks the remote next brings it along.
    kai.reflectt(["claim", &busy.held[4]]).ok();
    kai.reflectt(["release", &busy.held[4]]).ok();
    kai.reflectt(["sync"]).ok();
    busy.team.sound();
    busy.check(link, "confirmed", &paths);
}

#[test]
fn what_is_refused_on_reconnection_is_told_and_was_never_there() {
    let env = TestEnv::new();
    let busy = Busy::new(&env);
    let [kai, link, sage] = busy.team.clones();
    let [free, over] = &busy.free;
    let other = busy.team.task("Nobody else wants this", &[]);
    let noor = kai.worktree("noor");
    noor.reflectt(["join", "noor"]).ok();
    kai.reflectt(["sync"]).ok();
    // A claim and all that rests on it, one that stands by itself, and the end of another's task.
    offline(kai, &["claim", free]);
    offline(kai, &["block", free, "--reason", "no key"]);
    offline(kai, &["unblock", free]);
    offline(kai, &submission(free, "sage"));
    offline(kai, &["claim", &other]);
    offline(kai, &["cancel", over, "--reason", "no use"]);
    // Others in this clone see it, and nobody elsewhere.
    let held = noor
        .reflectt(["--offline", "--json", "claim", &other])
        .code(3);
    assert_eq!(held.json()["error"]["holder"], "kai");
    sage.reflectt(["sync"]).ok();
    let claims = check::claims(sage);
    assert!(
        !claims.contains_key(free) && !claims.contains_key(&other),
        "{claims:?}"
    );

    link.reflectt(["claim", free]).ok();
    link.reflectt(["claim", over]).ok();
    link.reflectt(submission(over, "sage")).ok();
    sage.reflectt(["sync"]).ok();
    sage.reflectt(["review", over, "--approve"]).ok();
    let sync = kai.reflectt(["--json", "sync"]).ok().json();
    assert_eq!(sync["lost_claims"][0]["id"], free.as_str(), "{sync}");
    let about = told(kai, free);
    // Once, with all that rested on it.
    assert_eq!(about.len(), 1, "{about:?}");
    for part in ["`link`", "block `", "unblock `", "submit `"] {
        assert!(about[0].contains(part), "{about:?}");
    }
    assert_eq!(told(kai, over).len(), 1, "kai is told that it is done");
    assert_eq!(told(kai, &other), [""; 0]);
    kai.reflectt(["ack", "--all"]).ok();
    busy.team.sound();
    for clone in busy.team.clones() {
        assert_eq!(kinds(clone, free), ["created", "claimed"]);
        assert_eq!(kinds(clone, &other), ["created", "claimed"]);
        assert_eq!(show(clone, over)["status"], "done");
        let claims = check::claims(clone);
        assert_eq!(claim(&claims, free), ["link", "working", "confirmed"]);
        assert_eq!(claim(&claims, &other), ["kai", "working", "confirmed"]);
    }
    // And once is enough.
    kai.reflectt(["sync"]).ok();
    assert_eq!(told(kai, free), [""; 0]);
}

/// Two clones were cut off with queues that contradict each other.
#[test]
fn of_two_queues_the_first_that_arrives_is_granted_and_the_other_is_told() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Both want this", &["--path", "src"]);
    let other = team.task("And this", &["--path", "docs"]);
    for clone in [kai, link] {
        offline(clone, &["claim", &id]);
        offline(clone, &["release", &id, "--note", "half done"]);
        offline(clone, &["claim", &other]);
    }
    link.reflectt(["sync"]).ok();
    kai.reflectt(["sync"]).ok();
    team.sound();
    let claims = check::claims(sage);
    assert_eq!(claim(&claims, &other), ["link", "working", "confirmed"]);
    assert_eq!(told(kai, &other).len(), 1);
    assert_eq!(told(link, &other), [""; 0]);
    let expected = ["created", "claimed", "released", "claimed", "released"];
    assert_eq!(kinds(sage, &id), expected);
    let events = events(sage, &id);
    let by = events[1..]
        .iter()
        .map(|event| event["by"].as_str().unwrap());
    assert_eq!(by.collect::<Vec<_>>(), ["link", "link", "kai", "kai"]);
}

/// The remote has taken it, and nobody here knows.
#[test]
fn a_queue_whose_push_arrived_before_its_clone_was_killed_is_not_served_again() {
    for victims in [Victims::Alone, Victims::WithChildren] {
        let env = TestEnv::new();
        let busy = Busy::new(&env);
        let [kai, link, sage] = busy.team.clones();
        let taken = busy.team.task("Taken by link", &[]);
        let paths = busy.work(&["--offline"]);
        offline(kai, &["claim", &taken]);
        link.reflectt(["claim", &taken]).ok();
        busy.team.remote.fall_silent();
        let syncing = kai.command(["sync"]).spawn();
        busy.team.remote.wait_for_silent_push();
        let killed = syncing.kill_with(victims);
        assert_eq!(killed.status, None, "{killed}");
        busy.team.remote.speak();

        kai.reflectt(["sync"]).ok();
        kai.reflectt(["sync"]).ok();
        busy.team.sound();
        assert_eq!(told(kai, &taken).len(), 1, "{victims:?}");
        kai.reflectt(["ack", "--all"]).ok();
        kai.reflectt(["release", &paths]).ok();
        link.reflectt(["release", &taken]).ok();
        let paths = kai.reflectt(["--json", "claim", "--path", "docs", "-m", "typos"]);
        let paths = paths.ok().json()["claim"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        busy.team.it.sync_all();
        busy.check(sage, "confirmed", &paths);
        assert_eq!(told(link, &busy.held[0]).len(), 1, "{victims:?}");
        assert_eq!(told(sage, &busy.held[3]).len(), 1, "{victims:?}");
        assert_eq!(kinds(sage, &busy.free[0]), ["created", "claimed"]);
        assert_eq!(kinds(sage, &busy.free[1]), ["created", "cancelled"]);
    }
}

/// Nothing of it is lost with the process, the worktree, or the machine's sleep.
#[test]
fn what_waits_survives_until_somebody_of_the_clone_reaches_the_remote() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, _, sage] = team.clones();
    let noor = kai.worktree("noor");
    noor.reflectt(["join", "noor"]).ok();
    let id = team.task("Wanted by noor", &[]);
    offline(&noor, &["claim", &id]);
    kai.git([
        "worktree",
        "remove",
        "--force",
        noor.path().to_str().unwrap(),
    ]);
    let waits = kai.reflectt(["--json", "status"]).ok().json();
    assert_ne!(waits, Value::Null);
    kai.reflectt(["sync"]).ok();
    team.sound();
    let claims = check::claims(sage);
    assert_eq!(claim(&claims, &id), ["noor", "working", "confirmed"]);
}

/// Asked for and handed in and judged in one clone, before the remote has heard of any of it.
#[test]
fn a_submission_that_waits_itself_can_be_reviewed_offline() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, _, sage] = team.clones();
    let id = team.task("Done while cut off", &[]);
    let noor = kai.worktree("noor");
    noor.reflectt(["join", "noor"]).ok();
    kai.reflectt(["sync"]).ok();
    offline(kai, &["claim", &id]);
    offline(kai, &submission(&id, "noor"));
    offline(&noor, &["review", &id, "--request-changes", "more tests"]);
    offline(kai, &submission(&id, "noor"));
    offline(&noor, &["review", &id, "--approve"]);
    assert_eq!(show(kai, &id)["status"], "done");
    kai.reflectt(["sync"]).ok();
    team.sound();
    let expected = [
        "created",
        "claimed",
        "submitted",
        "changes_requested",
        "submitted",
        "approved",
        "landed",
    ];
    assert_eq!(kinds(sage, &id), expected);
    assert_eq!(show(sage, &id)["status"], "done");
}

/// A verdict is about what was seen. What was handed in since is judged by whoever sees that.
#[test]
fn a_review_from_a_queue_judges_no_later_submission() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Handed in twice", &[]);
    kai.reflectt(["claim", &id]).ok();
    kai.reflectt(submission(&id, "sage")).ok();
    sage.reflectt(["sync"]).ok();
    offline(sage, &["review", &id, "--approve"]);
    kai.reflectt(submission(&id, "sage")).ok();
    sage.reflectt(["sync"]).ok();
    team.sound();
    assert_eq!(show(link, &id)["status"], "validating");
    let told = told(sage, &id);
    assert!(
        told.iter().any(|body| body.contains("submitted anew")),
        "{told:?}"
    );
}

/// What was taken and came back is another claim.
#[test]
fn a_release_from_a_queue_ends_no_later_claim() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Goes round", &[]);
    kai.reflectt(["claim", &id]).ok();
    let release = kai.reflectt(["--offline", "--json", "release", &id]).ok();
    assert_eq!(release.json()["provisional"], true);
    assert!(release.stderr.contains("this is provisional"), "{release}");
    assert_eq!(show(kai, &id)["status"], "todo");
    let args = ["claim", &id, "--take-over", "--reason", "urgent"];
    link.reflectt(args).ok();
    let args = ["handoff", &id, "--to", "kai", "--note", "yours after all"];
    link.reflectt(args).ok();
    kai.reflectt(["sync"]).ok();
    team.sound();
    let expected = ["created", "claimed", "claimed", "handed_off"];
    assert_eq!(kinds(sage, &id), expected);
    assert_eq!(
        claim(&check::claims(sage), &id),
        ["kai", "working", "confirmed"]
    );
    let told = told(kai, &id);
    assert!(
        told.iter().any(|body| body.contains("was not granted")),
        "{told:?}"
    );
}
