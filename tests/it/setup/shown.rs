//! What is printed, for people and for programs.

use super::*;

#[test]
fn what_was_done_and_what_comes_next() {
    let repo = repo();
    repo.write(".mcp.json", "{}\n");
    run(&repo, &["claude"]).ok().snapshot(
        "
        --- stdout
        made      .claude/settings.json  SessionStart, UserPromptSubmit, PreToolUse, PostToolUse, Stop, SessionEnd, TeammateIdle, TaskCompleted, enabledMcpjsonServers, permissions.allow  (Claude Code)
        changed   .mcp.json              mcpServers.reflectt  (Claude Code)
        made      AGENTS.md              instructions  (Claude Code)
        made      CLAUDE.md              instructions  (Claude Code)
        for you: `reflectt` is not on the PATH: harnesses run it by this name, and most let every edit through where it is missing
        for you: Claude Code passes over approvals in a folder that it does not trust: trust this one when it asks
        --- stderr
        hint: git add .claude/settings.json .mcp.json AGENTS.md CLAUDE.md && git commit -m \"agents: work through reflectt\"
        ",
    );
    run(&repo, &["claude", "--check"]).ok().snapshot(
        "
        --- stdout
        Claude Code set up and up to date
        ",
    );
    run(&repo, &["claude", "--remove"]).ok().snapshot(
        "
        --- stdout
        removed   CLAUDE.md              instructions  (Claude Code)
        removed   AGENTS.md              instructions  (Claude Code)
        removed   .claude/settings.json  permissions.allow, enabledMcpjsonServers, SessionStart, UserPromptSubmit, PreToolUse, PostToolUse, Stop, SessionEnd, TeammateIdle, TaskCompleted  (Claude Code)
        changed   .mcp.json              mcpServers.reflectt  (Claude Code)
        --- stderr
        hint: git add .mcp.json && git commit -m \"agents: take reflectt out\"
        ",
    );
    run(&repo, &["--remove"]).ok().snapshot(
        "
        --- stdout
        nothing of reflectt's is here to take out
        ",
    );
}

#[test]
fn a_dry_run_shows_the_difference_and_changes_nothing() {
    let repo = repo();
    repo.write(".cursor/mcp.json", "{\n  \"mcpServers\": {}\n}");
    repo.write("AGENTS.md", "# Rules\n");
    let before = files(repo.path());
    let shown = run(&repo, &["cursor", "codex", "--dry-run"]).ok();
    assert_eq!(files(repo.path()), before);
    let diff = "--- a/.cursor/mcp.json
+++ b/.cursor/mcp.json
@@ -1,3 +1,6 @@
 {
-  \"mcpServers\": {}
+  \"mcpServers\": {\"reflectt\": {
+    \"command\": \"reflectt\",
+    \"args\": [\"mcp\"]
+  }}
 }
\\ No newline at end of file
";
    assert!(shown.stdout.contains(diff), "{shown}");
    assert!(
        shown
            .stdout
            .contains("--- /dev/null\n+++ b/.codex/hooks.json\n@@ -0,0 +1,")
    );
    assert!(shown.stdout.contains("@@ -1 +1,"), "{shown}");
    let told = run(&repo, &["cursor", "--dry-run", "--json"]).ok().json();
    let file = told["harnesses"][0]["files"].as_array().unwrap();
    let file = file
        .iter()
        .find(|file| file["path"] == ".cursor/mcp.json")
        .unwrap();
    assert_eq!(file["diff"], diff);
    assert_eq!(file["state"], "changed");
    run(&repo, &["cursor", "codex"]).ok();
    let nothing = run(&repo, &["cursor", "codex", "--dry-run"]).ok();
    assert_eq!(
        (&*nothing.stdout, &*nothing.stderr),
        ("", "nothing would change\n")
    );
    let away = run(&repo, &["--remove", "--dry-run"]).ok();
    assert!(away.stdout.contains("+++ /dev/null"), "{away}");
}

#[test]
fn check_names_what_is_missing_and_what_is_outdated() {
    let repo = repo();
    run(&repo, &["copilot"]).ok();
    let hooks = repo.path().join(".github/hooks/reflectt.json");
    let text = std::fs::read_to_string(&hooks).unwrap();
    let old = text.replace(
        "hook agent before-edit --harness copilot",
        "hook agent-edit",
    );
    std::fs::write(&hooks, old).unwrap();
    std::fs::remove_file(repo.path().join("AGENTS.md")).unwrap();
    let before = files(repo.path());
    run(&repo, &["copilot", "--check"]).snapshot(
        "
        exit 4
        --- stdout
        outdated  .github/hooks/reflectt.json  preToolUse  (Copilot CLI)
        unchanged .github/mcp.json               (Copilot CLI)
        missing   AGENTS.md                    instructions  (Copilot CLI)
        --- stderr
        error: missing or out of date: `.github/hooks/reflectt.json`, `AGENTS.md`
          rule: setup
        hint: reflectt setup copilot
        ",
    );
    let told = run(&repo, &["copilot", "--check", "--json"]).code(4).json();
    let error = &told["error"];
    assert_eq!(
        (&error["kind"], &error["rule"]),
        (&"refused".into(), &"setup".into())
    );
    let states = error["harnesses"][0]["files"].as_array().unwrap().iter();
    let states: Vec<&str> = states.map(|file| file["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["outdated", "unchanged", "missing"]);
    assert_eq!(files(repo.path()), before);
    run(&repo, &["copilot"]).ok();
    assert_eq!(std::fs::read_to_string(&hooks).unwrap(), text);
}

#[test]
fn programs_get_the_same_shape_from_everything() {
    let repo = repo();
    let shape = |args: &[&str]| {
        let told = run(&repo, &[args, &["gemini", "--json"]].concat())
            .ok()
            .json();
        let keys: Vec<&String> = told.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["commit", "harnesses", "todo"]);
        let harness = &told["harnesses"][0];
        assert_eq!(harness["name"], "gemini");
        let files = harness["files"].as_array().unwrap().iter();
        let state = |file: &serde_json::Value| {
            assert!(file["what"].is_array());
            let path = file["path"].as_str().unwrap();
            format!("{path} {}", file["state"].as_str().unwrap())
        };
        files.map(state).collect::<Vec<_>>()
    };
    let all = |state: &str| [".gemini/settings.json", "AGENTS.md"].map(|p| format!("{p} {state}"));
    assert_eq!(shape(&[]), all("made"));
    assert_eq!(shape(&[]), all("unchanged"));
    assert_eq!(shape(&["--check"]), all("unchanged"));
    assert_eq!(shape(&["--remove"]), all("removed"));
    assert_eq!(shape(&["--remove"]), Vec::<String>::new());
}
