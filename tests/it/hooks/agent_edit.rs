//! The edit-time hook, as Claude Code calls it.

use serde_json::{Value, json};

use super::*;

fn ask(repo: &Repo, agent: Option<&str>, input: &Value) -> Output {
    let mut hook = repo
        .command(["hook", "agent-edit"])
        .stdin(input.to_string());
    if let Some(agent) = agent {
        hook = hook.agent(agent);
    }
    hook.run().ok()
}

fn edit(tool: &str, path: &str, cwd: &Repo) -> Value {
    json!({
        "session_id": "abc123",
        "transcript_path": "/tmp/transcript.jsonl",
        "cwd": cwd.path(),
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": tool,
        "tool_input": {"file_path": path, "old_string": "a", "new_string": "b"},
    })
}

fn is_denied(output: &Output) -> bool {
    if output.stdout.is_empty() {
        return false;
    }
    let decision = &output.json()["hookSpecificOutput"];
    assert_eq!(decision["hookEventName"], "PreToolUse");
    assert_eq!(decision["permissionDecision"], "deny");
    decision["permissionDecisionReason"]
        .as_str()
        .unwrap()
        .contains("claimed")
}

#[test]
fn an_edit_of_a_claimed_file_is_denied_with_the_reason() {
    let (repo, id) = claimed();
    for tool in ["Edit", "MultiEdit", "Write"] {
        let denied = ask(&repo, Some("kai"), &edit(tool, "src/auth/login.rs", &repo));
        assert!(is_denied(&denied), "{denied}");
    }
    let input = json!({"cwd": repo.path(), "tool_input": {"notebook_path": "src/auth/n.ipynb"}});
    let denied = ask(&repo, None, &input);
    let reason = denied.json()["hookSpecificOutput"]["permissionDecisionReason"].clone();
    let reason = reason.as_str().unwrap();
    assert!(
        reason.starts_with("error: `src/auth/n.ipynb` is claimed by others\n"),
        "{reason}"
    );
    assert!(
        reason.contains(&format!("--task {id} (asks the holder)")),
        "{reason}"
    );

    let own = ask(
        &repo,
        Some("link"),
        &edit("Edit", "src/auth/login.rs", &repo),
    );
    assert_eq!((own.stdout.as_str(), own.stderr.as_str()), ("", ""));
    let free = ask(&repo, Some("kai"), &edit("Edit", "src/lib.rs", &repo));
    assert_eq!(free.stdout, "");
}

#[test]
fn the_path_of_the_target_counts_and_not_the_directory() {
    let (repo, _) = claimed();
    let outside = repo.env().outside();
    let target = repo.path().join("src/auth/new/file.rs");
    let target = target.to_str().unwrap();
    assert!(is_denied(&ask(
        &outside,
        Some("kai"),
        &edit("Write", target, &outside)
    )));
    assert!(is_denied(&ask(
        &repo,
        Some("kai"),
        &edit("Write", "../auth/x", &repo.sub("src/new"))
    )));
    // From elsewhere, into a link.
    let link = outside.path().join("link.rs");
    std::os::unix::fs::symlink(repo.path().join("src/auth/login.rs"), &link).unwrap();
    assert!(is_denied(&ask(
        &outside,
        Some("kai"),
        &edit("Edit", "link.rs", &outside)
    )));

    // None of our business.
    let other = repo.env().repo("other");
    for path in [
        outside.path().join("src/auth/login.rs"),
        other.path().join("src/auth/login.rs"),
        repo.path().join(".git/src/auth/x"),
        "/src/auth/login.rs".into(),
    ] {
        let silent = ask(
            &repo,
            Some("kai"),
            &edit("Edit", path.to_str().unwrap(), &repo),
        );
        assert_eq!(
            (silent.stdout.as_str(), silent.stderr.as_str()),
            ("", ""),
            "{path:?}"
        );
    }
}

#[test]
fn who_edits_is_told_by_where_it_works() {
    let (repo, _) = claimed();
    let kais = repo.worktree("kais");
    kais.reflectt(["--as", "kai", "join", "kai"]).ok();
    let links = repo.worktree("links");
    links.reflectt(["--as", "link", "join", "link"]).ok();
    let target = links.path().join("src/auth/login.rs");
    let target = target.to_str().unwrap();
    // kai, in the files of link's worktree, is still kai.
    assert!(is_denied(&ask(&kais, None, &edit("Edit", target, &kais))));
    assert!(!is_denied(&ask(
        &links,
        None,
        &edit("Edit", target, &links)
    )));
    let outside = repo.env().outside();
    assert!(!is_denied(&ask(
        &outside,
        None,
        &edit("Edit", target, &outside)
    )));
}

#[test]
fn other_input_is_let_through() {
    let (repo, _) = claimed();
    let bash = json!({"tool_name": "Bash", "tool_input": {"command": "rm src/auth/login.rs"}});
    assert_eq!(ask(&repo, Some("kai"), &bash).stdout, "");
    for bad in ["", "not json", "[1]", "{\"tool_input\": 3}", "\u{0}\u{1}"] {
        let output = repo.command(["hook", "agent-edit"]).stdin(bad).run().ok();
        assert_eq!(output.stdout, "");
        assert!(
            output
                .stderr
                .starts_with("warning: reflectt cannot check claims: "),
            "{output}"
        );
        assert_eq!(output.stderr.lines().count(), 1, "{output}");
    }
}

#[test]
fn the_snippet_is_what_the_tool_reads_and_status_finds() {
    let (repo, _) = claimed();
    let snippet = repo.reflectt(["hooks", "snippet", "claude"]).ok().stdout;
    let settings: Value = serde_json::from_str(&snippet).unwrap();
    let hook = &settings["hooks"]["PreToolUse"][0];
    for tool in ["Edit", "MultiEdit", "Write", "NotebookEdit"] {
        assert!(
            hook["matcher"]
                .as_str()
                .unwrap()
                .split('|')
                .any(|name| name == tool)
        );
    }
    assert_eq!(
        hook["hooks"][0]["command"],
        "reflectt hook agent before-edit --harness claude"
    );
    let state = || {
        let status = repo.reflectt(["--json", "hooks", "status"]).ok().json();
        let layers = status["layers"].as_array().unwrap().clone();
        layers.iter().find(|l| l["name"] == "agent-edit").unwrap()["active"].clone()
    };
    assert_eq!(state(), false);
    repo.write(".claude/settings.json", &snippet);
    assert_eq!(state(), true);
}

#[test]
fn an_override_is_recorded_once_for_many_edits() {
    let (repo, id) = claimed();
    for _ in 0..3 {
        let input = edit("Edit", "src/auth/login.rs", &repo).to_string();
        let hook = repo
            .command(["hook", "agent-edit"])
            .agent("kai")
            .stdin(input);
        let done = hook.env("REFLECTT_OVERRIDE", "agreed with link").run().ok();
        assert_eq!(done.stdout, "");
    }
    let shown = repo.reflectt(["task", "show", &id]).ok().stdout;
    assert_eq!(shown.matches("agreed with link").count(), 1, "{shown}");
}
