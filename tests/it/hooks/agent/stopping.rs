//! Before an agent stops: what it leaves undone, once, and never without end.

use super::*;

fn stop(repo: &Repo, session: &str) -> Output {
    claude(repo, "stop", session, json!({"stop_hook_active": false})).run()
}

#[track_caller]
fn nudge(output: &Output) -> String {
    let answer = output.clone().ok().json();
    assert_eq!(answer["decision"], "block", "{output}");
    answer["reason"].as_str().unwrap().to_owned()
}

fn prompt(repo: &Repo, session: &str, text: &str) {
    claude(repo, "prompt", session, json!({"prompt": text}))
        .run()
        .ok();
}

#[test]
fn what_is_left_undone_is_said_once_for_a_fact() {
    let repo = bound();
    silent(&stop(&repo, "s"));
    let id = claim(&repo, "kai", "Keep the return path", "src/auth");
    let text = nudge(&stop(&repo, "s"));
    assert!(text.starts_with("Before you stop:\n"), "{text}");
    for command in [
        format!("reflectt submit {id} --summary TEXT"),
        format!("reflectt block {id} --reason TEXT"),
        format!("reflectt release {id}"),
    ] {
        assert!(text.contains(&command), "{command}\n{text}");
    }
    silent(&stop(&repo, "s"));
    // A message is another fact; whoever has been told twice is left alone.
    urgent(&repo, "the interface has changed");
    assert!(nudge(&stop(&repo, "s")).contains("Read the urgent message of `link`"));
    urgent(&repo, "and once more");
    silent(&stop(&repo, "s"));
    // What the user says begins anew, with what was not said.
    prompt(&repo, "s", "go on");
    let text = nudge(&stop(&repo, "s"));
    assert!(text.contains("urgent") && !text.contains(&id), "{text}");
    silent(&stop(&repo, "s"));
}

#[test]
fn our_own_words_are_no_prompt_of_the_user() {
    let repo = bound();
    for round in 0..3 {
        urgent(&repo, &format!("message {round}"));
        let output = stop(&repo, "s");
        match round {
            // Some harnesses give them back as if somebody had said them.
            0 | 1 => prompt(&repo, "s", &nudge(&output)),
            _ => silent(&output),
        }
    }
}

#[test]
fn words_that_come_back_without_their_text_are_known_by_their_place() {
    let repo = bound();
    let payload = json!({"session_id": "s", "cwd": repo.path()});
    let ask = |event: &str| fire(&repo, event, "opencode", &payload).run().ok();
    for round in 0..2 {
        urgent(&repo, &format!("message {round}"));
        let context = ask("stop").json()["context"].clone();
        assert!(
            context.as_str().unwrap().starts_with("Before you stop:"),
            "{context}"
        );
        ask("prompt");
    }
    urgent(&repo, "message 2");
    silent(&ask("stop"));
    ask("prompt");
    assert!(ask("stop").stdout.contains("Before you stop:"));
}

#[test]
fn a_loop_an_error_and_an_agent_within_are_left_alone() {
    let repo = bound();
    claim(&repo, "kai", "Keep the return path", "src/auth");
    for (harness, more) in [
        ("claude", json!({"stop_hook_active": true})),
        (
            "claude",
            json!({"hook_event_name": "StopFailure", "error": "rate_limit"}),
        ),
        (
            "claude",
            json!({"hook_event_name": "SubagentStop", "agent_id": "a1"}),
        ),
        ("cursor", json!({"status": "aborted", "loop_count": 0})),
        ("cursor", json!({"status": "completed", "loop_count": 1})),
        ("copilot", json!({"stopReason": "rate_limited"})),
    ] {
        let mut payload = json!({"session_id": "s", "cwd": repo.path()});
        payload
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        silent(&fire(&repo, "stop", harness, &payload).run());
    }
    nudge(&stop(&repo, "s"));
}

#[test]
fn what_the_agent_cannot_change_is_not_said() {
    let repo = bound();
    let id = claim(&repo, "kai", "Keep the return path", "src/auth");
    repo.as_agent("kai", ["block", &id, "--reason", "waits for the key"])
        .ok();
    repo.task("link", "Somebody else's", &[]);
    repo.as_agent("link", ["send", "kai", "no hurry"]).ok();
    silent(&stop(&repo, "s"));
}

#[test]
fn a_review_that_waits_is_said_and_so_is_work_that_was_sent_back() {
    let repo = bound();
    let theirs = claim(&repo, "link", "Theirs", "docs");
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
    let text = nudge(&stop(&repo, "s"));
    assert!(
        text.contains(&format!("Review `{theirs}`: `reflectt review {theirs}`")),
        "{text}"
    );
    silent(&stop(&repo, "s"));
    let own = claim(&repo, "kai", "Own", "src");
    assert!(nudge(&stop(&repo, "s")).contains(&format!("Go on with `{own}`")));
    repo.as_agent(
        "kai",
        [
            "submit",
            &own,
            "--summary",
            "done",
            "--evidence",
            "1=ran it",
            "--reviewer",
            "link",
        ],
    )
    .ok();
    repo.as_agent("link", ["review", &own]).ok();
    repo.as_agent(
        "link",
        ["review", &own, "--request-changes", "the other way round"],
    )
    .ok();
    prompt(&repo, "s", "go on");
    let text = nudge(&stop(&repo, "s"));
    assert!(
        text.contains(&format!("Make the changes asked for in `{own}`")),
        "{text}"
    );
}

#[test]
fn what_cannot_be_remembered_is_not_asked_for() {
    let repo = bound();
    claim(&repo, "kai", "Keep the return path", "src/auth");
    let sessions = repo.common_dir().join("reflectt/sessions");
    std::fs::remove_dir_all(&sessions).ok();
    std::fs::write(&sessions, "no directory").unwrap();
    for _ in 0..2 {
        let output = stop(&repo, "s").ok();
        assert_eq!(output.stdout, "", "{output}");
        assert!(output.stderr.starts_with("warning: reflectt: "), "{output}");
    }
    // Where one stands is worth saying all the same.
    let start = claude(&repo, "session-start", "s", json!({})).run().ok();
    assert!(start.stdout.contains("You are kai."), "{start}");
}

#[test]
fn a_session_that_is_over_is_forgotten() {
    let repo = bound();
    claim(&repo, "kai", "Keep the return path", "src/auth");
    nudge(&stop(&repo, "../../s"));
    silent(&stop(&repo, "../../s"));
    let dir = repo.common_dir().join("reflectt/sessions");
    assert!(dir.read_dir().unwrap().next().is_some());
    silent(&claude(&repo, "session-end", "../../s", json!({"reason": "other"})).run());
    assert!(dir.read_dir().unwrap().next().is_none());
    nudge(&stop(&repo, "../../s"));
}

#[test]
fn an_idle_teammate_is_given_what_is_next() {
    let repo = bound();
    let idle = |session: &str| {
        let more = json!({"hook_event_name": "TeammateIdle", "teammate_name": "researcher"});
        claude(&repo, "teammate-idle", session, more).run()
    };
    silent(&idle("s"));
    let id = repo.task("link", "Keep the return path", &[]);
    let output = idle("s").code(2);
    assert_eq!(output.stdout, "");
    assert!(
        output.stderr.contains("reflectt next --claim --branch"),
        "{output}"
    );
    assert!(output.stderr.contains(&id), "{output}");
    silent(&idle("s"));
    urgent(&repo, "first this");
    idle("s").code(2);
    urgent(&repo, "then that");
    silent(&idle("s"));
}

#[test]
fn a_task_that_is_called_complete_is_to_be_submitted() {
    let repo = bound();
    let id = claim(&repo, "kai", "Keep the return path", "src/auth");
    let theirs = claim(&repo, "link", "Theirs", "docs");
    let completes = |subject: &str, description: &str| {
        let more =
            json!({"task_id": "1", "task_subject": subject, "task_description": description});
        claude(&repo, "task-completed", "s", more).run()
    };
    for _ in 0..2 {
        let output = completes(&format!("Implement {id}"), "").code(2);
        assert!(
            output.stderr.contains(&format!("reflectt submit {id}")),
            "{output}"
        );
    }
    completes("Implement it", &format!("(reflectt: {id})")).code(2);
    silent(&completes("Implement it", "as agreed"));
    silent(&completes(&format!("Implement {theirs}"), ""));
    repo.as_agent(
        "kai",
        [
            "submit",
            &id,
            "--summary",
            "done",
            "--evidence",
            "1=ran it",
            "--reviewer",
            "link",
        ],
    )
    .ok();
    silent(&completes(&format!("Implement {id}"), ""));
}
