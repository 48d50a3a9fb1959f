//! Work that was done apart: provisional beside confirmed.

use std::time::{Duration, Instant};

use super::{Team, events, kinds, show, submission, told};
use crate::hooks::git_as;
use crate::support::{Repo, TestEnv, check};
use crate::sync::hold;

#[test]
fn what_was_done_and_approved_stays_so_when_an_offline_claim_comes_in() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Both want this", &[]);
    kai.reflectt(["--offline", "claim", &id]).ok();
    link.reflectt(["claim", &id]).ok();
    link.reflectt(submission(&id, "sage")).ok();
    sage.reflectt(["sync"]).ok();
    sage.reflectt(["review", &id, "--approve"]).ok();
    kai.reflectt(["sync"]).ok();
    assert_eq!(told(kai, &id).len(), 1, "kai is told what became of it");
    team.sound();
    for clone in team.clones() {
        assert_eq!(show(clone, &id)["status"], "done");
        let expected = ["created", "claimed", "submitted", "approved", "landed"];
        assert_eq!(kinds(clone, &id), expected);
    }
}

#[test]
fn claiming_and_giving_back_offline_costs_nobody_a_confirmed_claim() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, _] = team.clones();
    let id = team.task("Both want this", &[]);
    for _ in 0..2 {
        kai.reflectt(["--offline", "claim", &id]).ok();
        kai.reflectt(["--offline", "release", &id]).ok();
    }
    link.reflectt(["claim", &id]).ok();
    kai.reflectt(["sync"]).ok();
    team.sound();
    let expected = (id.clone(), "link".to_owned(), "confirmed".to_owned());
    for clone in team.clones() {
        assert_eq!(hold(clone), std::slice::from_ref(&expected));
        assert_eq!(show(clone, &id)["assignee"], "link");
        assert_eq!(kinds(clone, &id), ["created", "claimed"]);
    }
    link.reflectt(submission(&id, "sage")).ok();
}

#[test]
fn a_confirmed_submission_stays_one_when_offline_work_comes_in() {
    for given_back in [true, false] {
        let env = TestEnv::new();
        let team = Team::new(&env);
        let [kai, link, sage] = team.clones();
        let id = team.task("Both want this", &[]);
        kai.reflectt(["--offline", "claim", &id]).ok();
        if given_back {
            kai.reflectt(["--offline", "release", &id]).ok();
        }
        link.reflectt(["claim", &id]).ok();
        link.reflectt(submission(&id, "sage")).ok();
        kai.reflectt(["sync"]).ok();
        team.sound();
        assert_eq!(show(sage, &id)["status"], "validating");
        assert_eq!(kinds(sage, &id), ["created", "claimed", "submitted"]);
        sage.reflectt(["review", &id, "--approve"]).ok();
        team.sound();
    }
}

/// What was granted on reconnection stands under a fence of its own, and voids nothing.
#[test]
fn an_offline_claim_is_granted_after_what_was_confirmed_meanwhile() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("One after the other", &[]);
    kai.reflectt(["--offline", "claim", &id]).ok();
    link.reflectt(["claim", &id]).ok();
    link.reflectt(["release", &id, "--note", "half done"]).ok();
    kai.reflectt(["sync"]).ok();
    team.sound();
    let kinds = kinds(sage, &id);
    assert_eq!(kinds, ["created", "claimed", "released", "claimed"]);
    let claim = &check::claims(sage)[&id];
    assert_eq!(
        (&claim["agent"], &claim["fence"]),
        (&"kai".into(), &2.into())
    );
}

/// A commit made under a claim that nobody confirmed proves nothing.
#[test]
fn a_commit_under_a_lost_offline_claim_does_not_pass() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Both want this", &["--path", "src"]);
    kai.reflectt(["--offline", "claim", &id]).ok();
    link.reflectt(["claim", &id]).ok();
    commit(kai, "src/main.rs");
    let push = [
        "push",
        "-q",
        "--no-verify",
        "origin",
        "HEAD:refs/heads/late",
    ];
    git_as(kai, Some("kai"), &push).ok();
    // Its holder may build upon it; whoever else looks sees in whose way it is.
    sage.git(["fetch", "-q"]);
    sage.reflectt(["sync"]).ok();
    let checked = sage.reflectt(["check", "origin/late"]);
    assert!(matches!(checked.status, Some(3 | 7)), "{checked}");
    kai.reflectt(["sync"]).ok();
    let checked = kai.reflectt(["check", "HEAD"]);
    assert!(matches!(checked.status, Some(3 | 7)), "{checked}");
}

#[test]
fn a_commit_under_an_offline_claim_carries_no_fence_and_goes_out_once_it_is_granted() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, _, _] = team.clones();
    let id = team.task("Only kai wants this", &["--path", "src"]);
    kai.reflectt(["--offline", "claim", &id]).ok();
    commit(kai, "src/main.rs");
    let message = kai.git(["log", "-1", "--format=%B"]);
    assert!(!message.contains("Reflectt-Fence"), "{message}");
    kai.reflectt(["sync"]).ok();
    commit(kai, "src/lib.rs");
    let message = kai.git(["log", "-1", "--format=%B"]);
    assert!(message.contains("Reflectt-Fence: 1"), "{message}");
    let push = ["push", "-q", "origin", "HEAD:refs/heads/work"];
    git_as(kai, Some("kai"), &push).ok();
}

fn commit(kai: &Repo, file: &str) {
    // Enough on a busy machine.
    kai.git(["config", "reflectt.hookTimeLimit", "60s"]);
    kai.write(file, "offline work");
    kai.git(["add", "-A"]);
    git_as(kai, Some("kai"), &["commit", "-qm", "offline"]).ok();
}

#[test]
fn a_provisional_claim_outlives_the_slow_push_of_another() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, _] = team.clones();
    let noor = kai.worktree("noor");
    noor.reflectt(["join", "noor"]).ok();
    let slow = team.task("Takes its time", &[]);
    let meanwhile = team.task("Taken meanwhile", &[]);
    team.remote.pushes();
    team.remote.hold();
    let pushing = kai.command(["--json", "claim", &slow]).spawn();
    team.remote.wait_for_push();
    let begun = Instant::now();
    let taken = noor.reflectt(["--offline", "--json", "claim", &meanwhile]);
    println!("the offline claim took {:?}", begun.elapsed());
    team.remote.let_go();
    assert_eq!(taken.ok().json()["claim"]["state"], "provisional");
    assert_eq!(pushing.finish().ok().json()["claim"]["state"], "confirmed");
    let state = |id: &str| check::claims(&noor)[id]["state"].clone();
    assert_eq!(state(&slow), "confirmed");
    assert!(["provisional", "confirmed"].contains(&state(&meanwhile).as_str().unwrap()));
    noor.reflectt(["sync"]).ok();
    assert_eq!(state(&meanwhile), "confirmed");
    team.sound();
    assert_eq!(check::claims(link)[&meanwhile]["agent"], "noor");
}

#[test]
fn resuming_offline_ends_no_pause_that_it_never_saw() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, sage] = team.clones();
    let id = team.task("Not now", &[]);
    kai.reflectt(["pause", "--reason", "a release"]).ok();
    team.it.sync_all();
    kai.reflectt(["--offline", "resume"]).ok();
    link.reflectt(["resume"]).ok();
    link.reflectt(["pause", "--reason", "a fire"]).ok();
    kai.reflectt(["sync"]).ok();
    team.sound();
    for clone in [kai, sage] {
        let refused = clone.reflectt(["--json", "claim", &id]).code(4).json();
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains("a fire"), "{message}");
    }
    let inbox = kai.reflectt(["inbox"]).ok();
    assert!(inbox.stdout.contains("resume"), "kai is told\n{inbox}");
}

#[test]
fn a_pause_that_is_resumed_offline_ends_once_the_remote_knows() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, _] = team.clones();
    let id = team.task("Not now", &[]);
    kai.reflectt(["pause", "--reason", "a release"]).ok();
    kai.reflectt(["--offline", "resume"]).ok();
    link.reflectt(["claim", &id]).code(4);
    kai.reflectt(["sync"]).ok();
    link.reflectt(["claim", &id]).ok();
    team.sound();
}

#[test]
fn who_was_handed_a_task_and_is_alive_elsewhere_does_not_expire_in_the_givers_clone() {
    let env = TestEnv::new();
    let team = Team::new(&env);
    let [kai, link, _] = team.clones();
    let noor = kai.worktree("noor");
    noor.reflectt(["join", "noor"]).ok();
    let id = team.task("Handed on", &[]);
    for (setting, value) in [
        ("heartbeat.idle_after", "1s"),
        ("heartbeat.stale_after", "1s"),
        ("heartbeat.expire_after", "2s"),
    ] {
        kai.set("kai", setting, value);
    }
    kai.reflectt(["claim", &id]).ok();
    // Nothing is heard of link for long enough, and then it comes back.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        kai.reflectt(["sync"]).ok();
    }
    let args = ["handoff", &id, "--to", "link", "--note", "yours"];
    kai.reflectt(args).ok();
    // From now on nobody asks the remote here, and link is at work.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        link.reflectt(["heartbeat"]).ok();
        link.reflectt(["sync"]).ok();
    }
    let held = noor.reflectt(["--json", "claim", &id]).code(3).json();
    assert_eq!(held["error"]["holder"], "link");
    assert!(kinds(link, &id).iter().all(|kind| kind != "lapsed"));
    link.reflectt(submission(&id, "sage")).ok();
    // Or the slow would be taken for the dead in what follows.
    kai.set("kai", "heartbeat.expire_after", "60m");
    team.sound();
    assert_eq!(events(kai, &id).len(), 4);
}
