//! A daemon that lands what is approved, and tells of what will conflict.

use super::{Daemon, SOON, two};
use crate::support::{Repo, TestEnv, poll_until};

/// Makes a task, works on it on a branch of its own, and has it submitted.
fn submitted(clone: &Repo, agent: &str, reviewer: &str, file: &str, text: &str) -> String {
    let id = clone.task(agent, &format!("Write {file}"), &["--path", text]);
    clone.as_agent(agent, ["claim", &id, "--branch"]).ok();
    clone.write(file, text);
    clone.commit("work");
    let submit = [
        "submit",
        &id,
        "--summary",
        "done",
        "--evidence",
        "1=ran it",
        "--reviewer",
        reviewer,
    ];
    clone.as_agent(agent, submit).ok();
    id
}

#[test]
fn what_is_approved_lands_by_itself_where_the_team_wants_that() {
    let env = TestEnv::new();
    let (it, kai, link) = two(&env);
    kai.reflectt(["config", "set", "land.auto", "true"]).ok();
    let id = submitted(&kai, "kai", "link", "one", "1");
    link.reflectt(["sync"]).ok();
    let _daemon = Daemon::start(&kai);
    link.reflectt(["review", &id]).ok();
    link.reflectt(["review", &id, "--approve"]).ok();
    poll_until("it has landed", SOON, || {
        let shown = kai.reflectt(["--json", "task", "show", &id]).ok().json();
        (shown["status"] == "done" && shown["landed"]["commit"].is_string()).then_some(())
    });
    assert_eq!(it.bare.git(["show", "main:one"]), "1");
    let told = kai.reflectt(["--json", "inbox"]).ok().json();
    let finished = told["messages"].as_array().unwrap().iter();
    assert_eq!(
        finished.filter(|it| it["notice"] == "finished").count(),
        1,
        "{told}"
    );
}

#[test]
fn authors_of_work_that_begins_to_conflict_are_told_once() {
    let env = TestEnv::new();
    let (_it, kai, link) = two(&env);
    link.reflectt(["sync"]).ok();
    let one = submitted(&kai, "kai", "link", "same", "mine");
    let other = submitted(&link, "link", "kai", "same", "theirs");
    kai.reflectt(["sync"]).ok();
    let _daemon = Daemon::start(&kai);
    let clash = |clone: &Repo| {
        let told = clone.reflectt(["--json", "inbox"]).ok().json();
        let messages = told["messages"].as_array().unwrap().clone();
        let clashes = messages.into_iter().filter(|it| it["notice"] == "clash");
        clashes.map(|it| it["body"].to_string()).collect::<Vec<_>>()
    };
    poll_until("both are told", SOON, || {
        link.reflectt(["sync"]).ok();
        (clash(&kai).len() == 1 && clash(&link).len() == 1).then_some(())
    });
    let said = clash(&kai).remove(0);
    assert!(said.contains(&one) && said.contains(&other), "{said}");
}
