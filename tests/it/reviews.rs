//! Reviews that nobody answers: reminders, somebody else, and who is asked first.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::order::{events, show, submission, told};
use crate::support::process::race;
use crate::support::{Repo, TestEnv, check, poll_until};
use crate::sync::Machines;

const SOON: Duration = Duration::from_secs(20);

/// The same repository in so many minutes.
fn later(repo: &Repo, minutes: i64) -> Repo {
    repo.with_clock(minutes * 60_000)
}

fn team(agents: &[&str]) -> Repo {
    let repo = TestEnv::new().repo("repo");
    repo.commit("begin");
    repo.found(agents);
    repo.set(agents[0], "wip.agent", "9");
    repo
}

/// Has `by` do a task and submit it, and returns the task and who is asked to review it.
fn submitted(repo: &Repo, by: &str, reviewer: Option<&str>) -> (String, String) {
    let id = repo.task(by, "Keep the return path", &[]);
    repo.as_agent(by, ["claim", &id]).ok();
    let mut args = submission(&id, reviewer.unwrap_or_default()).to_vec();
    if reviewer.is_none() {
        args.truncate(args.len() - 2);
    }
    repo.as_agent(by, &args).ok();
    let reviewer = reviewer_of(repo, &id);
    (id, reviewer)
}

fn reviewer_of(repo: &Repo, id: &str) -> String {
    show(repo, id)["reviewer"].as_str().unwrap().to_owned()
}

fn count(repo: &Repo, id: &str, kind: &str) -> usize {
    let events = events(repo, id);
    events.iter().filter(|it| it["kind"] == kind).count()
}

/// Returns what somebody was told about a task, and takes note of it.
fn letters(repo: &Repo, agent: &str, id: &str) -> Vec<String> {
    let inbox = repo.as_agent(agent, ["--json", "inbox"]).ok().json();
    let messages = inbox["messages"].as_array().unwrap().iter();
    let of_task = messages.filter(|message| message["task"] == id);
    let body = |message: &Value| message["body"].as_str().unwrap().to_owned();
    let bodies = of_task.map(body).collect();
    repo.as_agent(agent, ["ack", "--all"]);
    bodies
}

fn look_for_work(repo: &Repo, agent: &str) {
    repo.as_agent(agent, ["next", "--claim"]).code(5);
}

#[test]
fn a_reviewer_is_reminded_once_and_then_somebody_else_is_asked() {
    let repo = team(&["kai", "link", "sage"]);
    let (id, _) = submitted(&repo, "kai", Some("link"));
    letters(&repo, "link", &id);
    look_for_work(&later(&repo, 19), "sage");
    assert_eq!(letters(&repo, "link", &id).len(), 0);
    for minutes in [21, 22, 39] {
        look_for_work(&later(&repo, minutes), "sage");
    }
    assert_eq!(count(&repo, &id, "reminded"), 1);
    let told = letters(&repo, "link", &id);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("waited for your review"), "{told:?}");

    // Whoever asks is not told by a third that there is a review: it is told at once.
    let now = later(&repo, 41);
    look_for_work(&now, "sage");
    assert_eq!(reviewer_of(&now, &id), "sage");
    let status = now.as_agent("sage", ["--json", "status"]).ok().json();
    assert!(status["action"].as_str().unwrap().contains(&id), "{status}");
    for agent in ["kai", "link", "sage"] {
        let told = letters(&now, agent, &id);
        assert_eq!(told.len(), 1, "{agent}: {told:?}");
        assert!(told[0].contains("`link`"), "{agent}: {told:?}");
    }
    let shown = now.as_agent("kai", ["task", "show", &id]).ok();
    assert!(
        shown.stdout.contains("reminded link of the review"),
        "{shown}"
    );
    now.as_agent("link", ["review", &id, "--approve"]).code(4);
    // The time of whoever is asked now counts anew.
    look_for_work(&later(&repo, 60), "link");
    assert_eq!(count(&repo, &id, "reminded"), 1);
    look_for_work(&later(&repo, 62), "link");
    assert_eq!(count(&repo, &id, "reminded"), 2);
    let now = later(&repo, 63);
    now.as_agent("sage", ["review", &id, "--request-changes", "name it"])
        .ok();
    // What is with its author is nobody's to review.
    look_for_work(&later(&repo, 600), "link");
    assert_eq!(reviewer_of(&repo, &id), "sage");
    assert_eq!(count(&repo, &id, "reminded"), 2);
    now.as_agent("kai", submission(&id, "sage")).ok();
    // What was seen was another.
    now.as_agent("sage", ["review", &id, "--approve"]).code(4);
    now.as_agent("sage", ["review", &id]).ok();
    now.as_agent("sage", ["review", &id, "--approve"]).ok();
    check::agree(&repo);
}

#[test]
fn reviews_are_spread_and_never_ones_own() {
    let repo = team(&["kai", "link", "mira", "sage"]);
    let mut asked: Vec<String> = Vec::new();
    for _ in 0..6 {
        asked.push(submitted(&repo, "mira", None).1);
    }
    for three in asked.chunks(3) {
        let three: BTreeSet<&str> = three.iter().map(String::as_str).collect();
        assert_eq!(three, BTreeSet::from(["kai", "link", "sage"]));
    }
    // Those of one that leaves go to the other two, evenly, and none to the author.
    repo.as_agent("kai", ["leave", "kai"]).ok();
    let mut reviews = vec![];
    let tasks = repo.reflectt(["--json", "task", "list"]).ok().json();
    for task in tasks["tasks"].as_array().unwrap() {
        reviews.push(task["reviewer"].as_str().unwrap().to_owned());
    }
    reviews.sort();
    assert_eq!(reviews, ["link", "link", "link", "sage", "sage", "sage"]);
}

#[test]
fn whoever_leaves_or_ends_is_not_waited_for() {
    let repo = team(&["kai", "link", "sage"]);
    let (id, _) = submitted(&repo, "kai", Some("link"));
    repo.as_agent("link", ["leave", "link"]).ok();
    assert_eq!(reviewer_of(&repo, &id), "sage");
    let told = letters(&repo, "kai", &id);
    assert!(told[0].contains("has left the team"), "{told:?}");
    assert_eq!(letters(&repo, "sage", &id).len(), 1);

    // Its process is killed, and nobody says so.
    repo.reflectt(["join", "mira"]).ok();
    let script = "exec sleep 60 >/dev/null 2>&1";
    let mut session = repo
        .command(["run", "--as", "sage", "--", "sh", "-c", script])
        .spawn();
    let tied = repo.common_dir().join("reflectt/processes/sage");
    poll_until("sage is at work", SOON, || tied.exists().then_some(()));
    assert!(!session.has_ended());
    let command = crate::support::process::children_of(session.child.id().cast_signed());
    session.kill();
    for pid in command {
        crate::support::process::signal(pid, 9);
    }
    let who = repo.reflectt(["--json", "who"]).ok().json();
    let agents = who["agents"].as_array().unwrap();
    let sage = agents.iter().find(|it| it["name"] == "sage").unwrap();
    assert_eq!(sage["status"], "offline", "{who:#}");
    look_for_work(&repo, "mira");
    assert_eq!(reviewer_of(&repo, &id), "mira");

    // One that says goodbye itself.
    repo.reflectt(["run", "--as", "sage", "--", "true"]).ok();
    repo.as_agent("sage", ["status"]).ok();
    repo.reflectt(["run", "--as", "mira", "--", "true"]).ok();
    assert_eq!(reviewer_of(&repo, &id), "sage");
    check::agree(&repo);
}

#[test]
fn with_no_agent_left_a_person_is_asked_and_keeps_it() {
    let repo = team(&["kai", "link", "sage"]);
    repo.reflectt(["join", "jane", "--human"]).ok();
    let (id, first) = submitted(&repo, "kai", None);
    let other = if first == "link" { "sage" } else { "link" };
    look_for_work(&later(&repo, 41), other);
    assert_eq!(reviewer_of(&repo, &id), other);
    look_for_work(&later(&repo, 82), other);
    assert_eq!(reviewer_of(&repo, &id), "jane");
    for minutes in [103, 104, 999] {
        look_for_work(&later(&repo, minutes), other);
    }
    assert_eq!(reviewer_of(&repo, &id), "jane");
    let told = letters(&later(&repo, 999), "jane", &id);
    assert_eq!(told.len(), 2, "{told:?}");
    let now = later(&repo, 1000);
    now.as_agent("jane", ["review", &id, "--approve"]).ok();
}

#[test]
fn with_nobody_left_the_author_is_told_once() {
    let repo = team(&["kai", "link"]);
    let (id, _) = submitted(&repo, "kai", None);
    for minutes in [41, 42, 90] {
        look_for_work(&later(&repo, minutes), "link");
    }
    assert_eq!(reviewer_of(&repo, &id), "link");
    let told = letters(&repo, "kai", &id);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("nobody else to ask"), "{told:?}");
    // Whoever comes is asked.
    let now = later(&repo, 91);
    now.reflectt(["join", "sage"]).ok();
    look_for_work(&now, "sage");
    assert_eq!(reviewer_of(&now, &id), "sage");
    check::agree(&repo);
}

#[test]
fn two_clones_that_notice_at_once_give_a_review_away_once() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link", "sage", "mira"]);
    let [kai, link, sage, mira] = [0, 1, 2, 3].map(|at| &it.clones[at]);
    let (id, _) = submitted(kai, "kai", Some("link"));
    it.sync_all();
    let notice = |minutes| {
        let all = [sage, mira].map(|clone| later(clone, minutes).command(["next", "--claim"]));
        for output in race(all) {
            output.code(5);
        }
        it.sync_all();
    };
    notice(21);
    assert_eq!(count(kai, &id, "reminded"), 1);
    notice(41);
    assert_eq!(count(kai, &id, "edited"), 1);
    it.agree();
    for clone in &it.clones {
        check::agree(clone);
        assert_eq!(reviewer_of(clone, &id), reviewer_of(kai, &id));
    }
    // Asked, reminded, relieved.
    assert_eq!(told(link, &id).len(), 3);
    assert_eq!(told(kai, &id).len(), 1);
    let asked = [sage, mira].map(|clone| told(clone, &id).len());
    assert_eq!(asked.iter().sum::<usize>(), 1);
}

#[test]
fn a_verdict_at_the_same_moment_counts_or_is_refused() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link", "sage"]);
    let [kai, link, sage] = [0, 1, 2].map(|at| &it.clones[at]);
    let (id, _) = submitted(kai, "kai", Some("link"));
    it.sync_all();
    let verdict = later(link, 41).command(["review", &id, "--approve"]);
    let notice = later(sage, 41).command(["next", "--claim"]);
    let mut outputs = race([verdict, notice]).into_iter();
    let approved = outputs.next().unwrap();
    outputs.next().unwrap().code(5);
    it.sync_all();
    let task = show(kai, &id);
    if task["status"] == "done" {
        approved.ok();
        assert_eq!(count(kai, &id, "edited"), 0);
    } else {
        approved.code(4);
        assert_eq!(task["reviewer"], "sage");
        let now = later(sage, 42);
        now.reflectt(["review", &id, "--approve"]).ok();
    }
    let void: Vec<Value> = events(kai, &id)
        .into_iter()
        .filter(|it| !it["void"].is_null())
        .collect();
    assert!(void.is_empty(), "{void:#?}");
    it.sync_all();
    it.agree();
}

#[test]
fn the_daemon_sees_to_reviews() {
    let repo = team(&["kai", "link", "sage"]);
    let fast = ["review.remind_after", "1s", "review.reassign_after", "3s"];
    let set = ["config", "set", "sync.interval", "1s"].iter().chain(&fast);
    repo.as_agent("kai", set).ok();
    let (id, _) = submitted(&repo, "kai", Some("link"));
    let daemon = repo.command(["daemon", "run"]).spawn();
    poll_until("link is reminded", SOON, || {
        (count(&repo, &id, "reminded") > 0).then_some(())
    });
    poll_until("somebody else is asked", SOON, || {
        (reviewer_of(&repo, &id) == "sage").then_some(())
    });
    repo.reflectt(["daemon", "stop"]).ok();
    let said = daemon.finish();
    assert!(said.stdout.contains("went from `link` to `sage`"), "{said}");
    check::agree(&repo);
}

#[test]
fn deadlines_follow_each_other() {
    let repo = team(&["kai"]);
    let set = ["config", "set", "review.remind_after", "1h"];
    let refused = repo.as_agent("kai", set).code(2);
    assert!(refused.stderr.contains("give both"), "{refused}");
    let both = set.iter().chain(&["review.reassign_after", "2h"]);
    repo.as_agent("kai", both).ok();
    repo.as_agent("kai", ["config", "set", "review.reassign_after", "0s"])
        .code(2);
}
