//! Waking a session whose turn has ended.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::support::{Running, poll_until};

const SOON: Duration = Duration::from_secs(60);

/// Starts to wait, and returns when what there is now is known to be there.
fn waits(repo: &Repo, session: &str, env: &[(&str, String)]) -> Running {
    let mut run = claude(repo, "wake", session, json!({"stop_hook_active": true}));
    for (name, value) in env {
        run = run.env(name, value.clone());
    }
    let before = waiter(repo, session);
    let running = run.spawn();
    poll_until("the session is waited for", SOON, || {
        let now = waiter(repo, session);
        (now.is_some() && now != before).then_some(())
    });
    running
}

fn waiter(repo: &Repo, session: &str) -> Option<u64> {
    let file = repo
        .common_dir()
        .join(format!("reflectt/sessions/{session}.json"));
    let text = std::fs::read_to_string(file).ok()?;
    let json: Value = serde_json::from_str(&text).ok()?;
    json["holds"]["waiter"].as_u64()
}

#[track_caller]
fn ends(mut running: Running) -> Output {
    poll_until("the wait ends", SOON, || running.has_ended().then_some(()));
    running.finish()
}

#[test]
fn a_new_message_wakes_and_what_was_there_does_not() {
    let repo = bound();
    urgent(&repo, "known when the turn ended");
    claim(&repo, "kai", "Known as well", "src/auth");
    let running = waits(&repo, "s", &[]);
    repo.as_agent("link", ["send", "kai", "something new"]).ok();
    let woken = ends(running).code(2);
    assert_eq!(woken.stdout, "");
    assert!(woken.stderr.contains("something new"), "{woken}");
    assert!(!woken.stderr.contains("known when"), "{woken}");
    // Nothing of it is said again by other ways.
    let told = claude(&repo, "prompt", "s", json!({"prompt": "hi"})).run();
    assert!(!context(&told).contains("something new"));
}

#[test]
fn a_task_and_a_review_wake_and_what_is_only_to_be_known_does_not() {
    let repo = bound();
    let theirs = claim(&repo, "link", "Theirs", "docs");
    let running = waits(&repo, "s", &[]);
    repo.as_agent(
        "link",
        [
            "submit",
            &theirs,
            "--summary",
            "done",
            "--evidence",
            "1=ran it",
            "--reviewer",
            "kai",
        ],
    )
    .ok();
    let woken = ends(running).code(2);
    assert!(
        woken.stderr.contains(&format!("reflectt review {theirs}")),
        "{woken}"
    );
    let running = waits(&repo, "s", &[]);
    let id = repo.task("link", "A new one", &[]);
    let woken = ends(running).code(2);
    assert!(
        woken.stderr.contains("reflectt next --claim --branch"),
        "{woken}"
    );
    assert!(woken.stderr.contains(&id), "{woken}");
    // Another one is nothing new to somebody who could have taken one; that a task of its own was
    // cancelled is known without a turn.
    let running = waits(&repo, "s", &[]);
    repo.task("link", "Yet another one", &["--priority", "P0"]);
    repo.as_agent("link", ["send", "kai", "and this is for you"])
        .ok();
    let woken = ends(running).code(2);
    assert!(woken.stderr.contains("this is for you"), "{woken}");
    assert!(!woken.stderr.contains("--claim"), "{woken}");
}

#[test]
fn a_new_turn_a_newer_wait_and_the_end_of_the_session_end_the_wait() {
    let repo = bound();
    let first = waits(&repo, "s", &[]);
    let second = waits(&repo, "s", &[]);
    silent(&ends(first));
    claude(&repo, "prompt", "s", json!({"prompt": "hi"}))
        .run()
        .ok();
    silent(&ends(second));
    let third = waits(&repo, "s", &[]);
    claude(&repo, "session-end", "s", json!({})).run().ok();
    silent(&ends(third));
}

#[test]
fn nobody_waits_for_a_harness_that_is_gone() {
    let repo = bound();
    let mut harness = Command::new("sleep")
        .arg("600")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let running = waits(&repo, "s", &[("CLAUDE_PID", harness.id().to_string())]);
    harness.kill().unwrap();
    harness.wait().unwrap();
    silent(&ends(running));
}

#[test]
fn who_runs_the_file_of_another_harness_does_not_wait() {
    let repo = bound();
    let copilot = json!({"timestamp": "2026-11-22T01:34:42.836Z", "stop_reason": "end_turn"});
    let copilot = claude(&repo, "wake", "s", copilot).env("COPILOT_CLI", "1");
    silent(&ends(copilot.spawn()));
    let cursor = json!({"conversation_id": "c", "status": "completed"});
    silent(&ends(claude(&repo, "wake", "s", cursor).spawn()));
}

#[test]
fn a_session_of_one_turn_ends_with_it() {
    let repo = bound();
    let unattended = || {
        let run = claude(&repo, "wake", "s", json!({}));
        run.env("CLAUDE_CODE_SESSION_ATTENDED", "0")
    };
    silent(&ends(unattended().spawn()));
    repo.git(["config", "reflectt.wake", "always"]);
    let running = waits(
        &repo,
        "s",
        &[("CLAUDE_CODE_SESSION_ATTENDED", "0".to_owned())],
    );
    urgent(&repo, "up");
    ends(running).code(2);
    repo.git(["config", "reflectt.wake", "never"]);
    silent(&ends(claude(&repo, "wake", "s", json!({})).spawn()));
}
