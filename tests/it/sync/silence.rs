//! Agents that go silent, on a machine of their own.

use std::time::Duration;

use super::Machines;
use crate::hooks::git_as;
use crate::support::{Repo, TestEnv, poll_until};

/// Lets hours be seconds.
fn expire_soon(clone: &Repo) {
    for (setting, value) in [
        ("idle_after", "1s"),
        ("stale_after", "1s"),
        ("expire_after", "2s"),
    ] {
        clone
            .reflectt(["config", "set", &format!("heartbeat.{setting}"), value])
            .ok();
    }
}

#[test]
fn who_goes_silent_on_one_machine_is_expired_by_another_and_its_late_work_is_stopped() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    expire_soon(kai);
    let id = kai.task("kai", "Left behind", &["--path", "src"]);
    kai.reflectt(["claim", &id]).ok();
    let begun = std::time::Instant::now();
    link.reflectt(["sync"]).ok();
    let first = link.reflectt(["--json", "claim", &id]).code(3).json();
    assert_eq!(first["error"]["holder"], "kai");
    poll_until("the claim is free", Duration::from_secs(20), || {
        let output = link.reflectt(["--json", "claim", &id]);
        match output.status {
            Some(0) => Some(()),
            Some(3) => None,
            _ => panic!("{output}"),
        }
    });
    assert!(begun.elapsed() >= Duration::from_secs(2));
    // On a slow machine nobody else shall expire.
    link.reflectt(["config", "set", "heartbeat.expire_after", "10m"])
        .ok();
    // Its clone has not heard of it, so nothing stops late work there; but it can go no further.
    for (clone, text) in [(kai, "late work"), (link, "work")] {
        // Enough on a busy machine.
        clone.git(["config", "reflectt.hookTimeLimit", "60s"]);
        clone.write("src/main.rs", text);
        clone.git(["add", "src"]);
    }
    git_as(kai, Some("kai"), &["commit", "-qm", "late"]).ok();
    let late = kai.git(["log", "-1", "--format=%B"]);
    assert!(late.contains("Reflectt-Fence: "), "{late}");
    // The task came back with a note, and whoever lost it is told, by an exit code of its own.
    let lost = kai.reflectt([
        "--json",
        "submit",
        &id,
        "--summary",
        "x",
        "--evidence",
        "1=y",
    ]);
    let lost = lost.code(7).json();
    assert_eq!(lost["error"]["kind"], "fenced");
    kai.reflectt(["heartbeat"]).code(7);
    let push = ["push", "-q", "origin", "HEAD:refs/heads/late"];
    let stopped = git_as(kai, Some("kai"), &push).code(1);
    assert!(stopped.stderr.contains("`link`"), "{stopped}");
    // Nothing at all before it has taken notice, and then nothing of the other's.
    let commit = ["commit", "-qm", "later"];
    kai.write("docs/notes.md", "later work");
    kai.git(["add", "docs"]);
    let stopped = git_as(kai, Some("kai"), &commit).code(1);
    assert!(
        stopped.stderr.contains("you have lost a claim"),
        "{stopped}"
    );
    kai.reflectt(["ack", "--all"]).ok();
    kai.reflectt(["heartbeat"]).ok();
    kai.write("src/main.rs", "later work");
    kai.git(["add", "src"]);
    let stopped = git_as(kai, Some("kai"), &commit).code(1);
    assert!(
        stopped.stderr.contains("src/main.rs") && stopped.stderr.contains("by link"),
        "{stopped}"
    );
    git_as(kai, Some("kai"), &push).code(1);
    git_as(link, Some("link"), &["commit", "-qm", "work"]).ok();
    git_as(
        link,
        Some("link"),
        &["push", "-q", "origin", "HEAD:refs/heads/work"],
    )
    .ok();
    it.agree();
}

#[test]
fn who_is_alive_on_another_machine_keeps_its_claims() {
    let env = TestEnv::new();
    let it = Machines::new(&env, ["kai", "link"]);
    let [kai, link] = it.pair();
    expire_soon(kai);
    let id = kai.task("kai", "Still at it", &[]);
    kai.reflectt(["claim", &id]).ok();
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        kai.reflectt(["heartbeat"]).ok();
        kai.reflectt(["sync"]).ok();
        link.reflectt(["claim", &id]).code(3);
    }
    let who = link.reflectt(["--json", "who"]).ok().json();
    assert_eq!(who["agents"][0]["name"], "kai");
    assert_ne!(who["agents"][0]["status"], "offline");
}
