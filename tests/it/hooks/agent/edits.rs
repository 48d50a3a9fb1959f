//! Before an edit: the files of a call, whichever harness makes it.

use super::*;

/// Asks about an edit as `kai`, and returns the whole reason of a denial, or nothing.
#[track_caller]
fn reason(repo: &Repo, harness: &str, payload: &Value) -> String {
    let output = fire(repo, "before-edit", harness, payload).run().ok();
    if output.stdout.is_empty() {
        return String::new();
    }
    let answer = output.json();
    let places = [
        "/hookSpecificOutput/permissionDecisionReason",
        "/permissionDecisionReason",
        "/reason",
        "/agent_message",
        "/deny",
    ];
    let found = places
        .iter()
        .find_map(|place| answer.pointer(place)?.as_str());
    found.unwrap_or_else(|| panic!("{output}")).to_owned()
}

fn held() -> (Repo, String) {
    let repo = bound();
    let id = claim(&repo, "link", "Keep the return path", "src/auth");
    (repo, id)
}

fn patch(files: &[&str]) -> String {
    let hunk = |file: &&str| format!("*** Update File: {file}\n@@\n-a\n+b\n");
    let hunks: String = files.iter().map(hunk).collect();
    format!("*** Begin Patch\n{hunks}*** End Patch\n")
}

#[test]
fn every_file_of_a_call_is_judged_and_all_are_named_in_one_answer() {
    let (repo, id) = held();
    repo.set("link", "wip.agent", "5");
    let docs = claim(&repo, "link", "Write the guide", "docs");
    let files = [
        "src/lib.rs",
        "src/auth/login.rs",
        "docs/guide.md",
        "src/auth/token.rs",
    ];
    let call = json!({
        "session_id": "s", "turn_id": "t", "cwd": repo.path(), "hook_event_name": "PreToolUse",
        "tool_name": "apply_patch", "tool_input": {"command": patch(&files)},
    });
    let reason = reason(&repo, "codex", &call);
    assert!(
        reason.starts_with("error: 3 files are claimed by others\n"),
        "{reason}"
    );
    for named in [
        "src/auth/login.rs",
        "src/auth/token.rs",
        "docs/guide.md",
        &id,
        &docs,
        "link",
    ] {
        assert!(reason.contains(named), "{named}\n{reason}");
    }
    assert!(!reason.contains("src/lib.rs"), "{reason}");
    assert!(
        reason.contains("reflectt next --claim --branch"),
        "{reason}"
    );
}

#[test]
fn a_patch_is_found_wherever_a_harness_puts_it() {
    let (repo, _) = held();
    let held = patch(&["src/auth/login.rs"]);
    let moved = "*** Begin Patch\n*** Update File: a\n*** Move to: src/auth/a\n*** End Patch";
    let sub = repo.sub("src");
    let inputs = [
        json!({"command": held}),
        json!({"input": held}),
        json!({"patch": held}),
        json!({"patchText": held}),
        json!(held),
        json!(moved),
        json!({"command": ["apply_patch", held]}),
    ];
    for input in inputs {
        let call = json!({"cwd": repo.path(), "tool_name": "apply_patch", "tool_input": input});
        assert!(
            reason(&repo, "codex", &call).contains("claimed by others"),
            "{call}"
        );
    }
    let from_below = json!({"cwd": sub.path(), "tool_name": "apply_patch",
        "tool_input": patch(&["auth/login.rs"])});
    assert!(reason(&repo, "codex", &from_below).contains("src/auth/login.rs"));
    for command in [
        format!("apply_patch <<'EOF'\n{held}EOF"),
        format!(
            "cd src && apply_patch <<'EOF'\n{}EOF",
            patch(&["auth/login.rs"])
        ),
    ] {
        let call =
            json!({"cwd": repo.path(), "tool_name": "Bash", "tool_input": {"command": command}});
        assert!(
            reason(&repo, "codex", &call).contains("claimed by others"),
            "{command}"
        );
    }
}

#[test]
fn the_older_command_understands_every_harness() {
    let (repo, _) = held();
    for call in [
        json!({"toolName": "edit", "toolArgs": {"path": "src/auth/login.rs"}}),
        json!({"toolName": "edit", "toolArgs": "{\"path\":\"src/auth/login.rs\"}"}),
        json!({"turn_id": "t", "tool_name": "apply_patch",
            "tool_input": {"command": patch(&["src/auth/login.rs"])}}),
        json!({"event": "before-edit", "tool_name": "edit",
            "tool_input": {"filePath": "src/auth/login.rs"}}),
    ] {
        let hook = repo.command(["hook", "agent-edit"]).stdin(call.to_string());
        let denied = hook.run().ok();
        assert!(
            denied.stdout.contains("claimed by others"),
            "{call}\n{denied}"
        );
    }
}

#[test]
fn an_edit_that_is_not_understood_is_never_let_through_in_silence() {
    let (repo, _) = held();
    for (input, says) in [
        (json!({}), "`Edit` names no file in a way that is known"),
        (json!({"file_path": 7}), "the name of a file is a number"),
        (
            json!({"file_path": r"C:\repo\src\auth\login.rs"}),
            "is a path of Windows",
        ),
        (
            json!({"file_path": r"src\auth\login.rs"}),
            "is a path of Windows",
        ),
        (json!({"file_path": "src/auth/a\0b"}), "has a NUL in it"),
    ] {
        let call = json!({"cwd": repo.path(), "tool_name": "Edit", "tool_input": input});
        let output = fire(&repo, "before-edit", "claude", &call).run().ok();
        let start = "warning: reflectt cannot check claims: ";
        assert!(output.stderr.starts_with(start), "{output}");
        assert!(output.stderr.contains(says), "{says}\n{output}");
        assert_eq!(
            (output.stdout.as_str(), output.stderr.lines().count()),
            ("", 1),
            "{output}"
        );
    }
    // What is understood of a call is judged all the same.
    let call = json!({"cwd": repo.path(), "tool_name": "Edit",
        "tool_input": {"files": ["src\\x", "src/auth/login.rs"]}});
    let output = fire(&repo, "before-edit", "claude", &call).run().ok();
    assert!(output.stdout.contains("claimed by others"), "{output}");
    assert!(output.stderr.contains("is a path of Windows"), "{output}");
}

#[test]
fn files_of_several_repositories_are_judged_each_in_its_own() {
    let (repo, own) = held();
    let other = repo.env().repo("other");
    other.found(&["kai", "sage"]);
    prepare(&other);
    let id = claim(&other, "sage", "Elsewhere", "lib");
    let links = repo.worktree("links");
    let files = [
        other.path().join("lib/new/a.rs"),
        repo.path().join("src/auth/login.rs"),
        links.path().join("src/auth/token.rs"),
        "/nowhere/at/all".into(),
    ];
    let edits: Vec<Value> = files
        .iter()
        .map(|file| json!({"file_path": file}))
        .collect();
    let call =
        json!({"cwd": repo.path(), "tool_name": "MultiEdit", "tool_input": {"edits": edits}});
    let reason = reason(&repo, "claude", &call);
    for named in [
        "lib/new/a.rs",
        &id,
        "src/auth/login.rs",
        "src/auth/token.rs",
    ] {
        assert!(reason.contains(named), "{named}\n{reason}");
    }
    assert_eq!(reason.matches("hint: reflectt next").count(), 1, "{reason}");
    // A reason to go on is on the record of each.
    let all = fire(&repo, "before-edit", "claude", &call).env("REFLECTT_OVERRIDE", "agreed");
    silent(&all.run());
    for (repo, id) in [(&other, &id), (&repo, &own)] {
        let shown = repo.reflectt(["task", "show", id]).ok().stdout;
        assert!(shown.contains("all the same: agreed"), "{shown}");
    }
}

#[test]
fn the_same_edit_is_answered_each_time() {
    let (repo, _) = held();
    let call = json!({"session_id": "s", "cwd": repo.path(), "tool_name": "Edit",
        "tool_use_id": "t", "tool_input": {"file_path": "src/auth/login.rs"}});
    let first = reason(&repo, "claude", &call);
    assert!(!first.is_empty());
    for _ in 0..2 {
        assert!(reason(&repo, "claude", &call).contains("claimed by others"));
    }
    repo.set("link", "enforce.mode", "warn");
    let warned = fire(&repo, "before-edit", "claude", &call).run().ok();
    let words = warned.json()["systemMessage"].as_str().unwrap().to_owned();
    assert!(
        words.starts_with("warning: `src/auth/login.rs` is claimed by others"),
        "{words}"
    );
    let copilot = fire(&repo, "before-edit", "copilot", &call).run().ok();
    assert_eq!(
        (copilot.stdout.as_str(), copilot.stderr.is_empty()),
        ("", false)
    );
}

#[test]
fn a_large_file_is_judged_by_its_name() {
    let (repo, _) = held();
    let content = "0123456789 \"quoted\"\n".repeat(5 * 1024 * 1024 / 20);
    for (path, denied) in [("src/auth/login.rs", true), ("src/lib.rs", false)] {
        let call = json!({"cwd": repo.path(), "tool_name": "Write",
            "tool_input": {"content": content, "file_path": path}});
        assert_eq!(!reason(&repo, "claude", &call).is_empty(), denied);
    }
    let long: String = (0..50_000).map(|line| format!("+line {line}\n")).collect();
    let call = json!({"cwd": repo.path(), "tool_name": "apply_patch", "tool_input": {
        "command": format!("*** Begin Patch\n*** Add File: a\n{long}*** Delete File: src/auth/login.rs\n*** End Patch"),
    }});
    assert!(!reason(&repo, "codex", &call).is_empty());
}

#[test]
fn no_input_fails_a_session() {
    let repo = bound();
    let deep = "[".repeat(200_000);
    let object = format!(
        "{{\"tool_input\":{}1{}}}",
        "{\"a\":".repeat(5_000),
        "}".repeat(5_000)
    );
    let inputs: [&[u8]; 9] = [
        b"",
        b"null",
        b"[1]",
        b"\"text\"",
        b"{\"session_id\":",
        b"\0\0\0",
        b"{\"session_id\":\"\xff\xfe\",\"cwd\":\"\xff\",\"prompt\":\"\xff\"}",
        deep.as_bytes(),
        object.as_bytes(),
    ];
    let events = [
        "session-start",
        "prompt",
        "before-edit",
        "after-tool",
        "stop",
        "session-end",
        "teammate-idle",
        "task-completed",
        "wake",
        "of-tomorrow",
    ];
    for event in events {
        for input in inputs {
            // A well-formed one would wait.
            let waits =
                event == "wake" && input.first() == Some(&b'{') && input.last() == Some(&b'}');
            if waits {
                continue;
            }
            let run = repo.command(["hook", "agent", event]).stdin(input);
            let output = run.run().ok();
            let said = (output.stdout.is_empty(), output.stderr.contains("panicked"));
            let starts = event == "session-start" && input.last() == Some(&b'}');
            assert_eq!(said, (!starts, false), "{event}\n{output}");
        }
    }
}
