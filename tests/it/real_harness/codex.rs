//! Codex CLI.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::*;

const CODEX: Driver = Driver {
    name: "codex",
    program: "codex",
    list: &["mcp", "list"],
    // It does not start the servers for that.
    listed: "enabled",
    session: &[
        "exec",
        "--json",
        "-m",
        // A model it knows, or there is no `apply_patch`.
        "gpt-5.5",
        "-s",
        "workspace-write",
        // A person trusts hooks by `/hooks`, which `exec` has not.
        "--dangerously-bypass-hook-trust",
        "hi",
    ],
    prepare,
    variables: |_| vec![("MOCK_KEY", "dummy".to_owned())],
    edit,
    call: |tool, input| {
        json!({"item": {
            "type": "function_call",
            "namespace": "mcp__reflectt",
            "name": tool,
            "arguments": input.to_string(),
        }})
    },
    nudges: 1,
};

fn prepare(stage: &Stage, model: &str) {
    let config = format!(
        "model_provider = \"mock\"\n\
         [model_providers.mock]\n\
         name = \"mock\"\n\
         base_url = \"{model}/v1\"\n\
         wire_api = \"responses\"\n\
         env_key = \"MOCK_KEY\"\n\
         [projects.\"{}\"]\n\
         trust_level = \"trusted\"\n",
        stage.repo.path().display()
    );
    stage.write_home(".codex/config.toml", config);
}

fn edit(path: &Path) -> Vec<Value> {
    // It names files as they are called in the directory it runs in.
    let name = if path.ends_with(CLAIMED) {
        CLAIMED
    } else {
        FREE
    };
    let (before, after) = (BEFORE.trim_end(), AFTER.trim_end());
    let patch = format!(
        "*** Begin Patch\n*** Update File: {name}\n@@\n-{before}\n+{after}\n*** End Patch\n"
    );
    vec![json!({"tool": "apply_patch", "input": patch})]
}

#[test]
fn a_session_of_codex() {
    CODEX.go_through();
}

#[test]
fn codex_lists_the_server() {
    CODEX.lists_the_server();
}

#[test]
fn codex_refuses_a_patch_of_several_files_for_one_of_them() {
    let Some(stage) = CODEX.stage() else { return };
    let (before, after) = (BEFORE.trim_end(), AFTER.trim_end());
    let change = |file| format!("*** Update File: {file}\n@@\n-{before}\n+{after}\n");
    let patch = format!(
        "*** Begin Patch\n{}{}*** Add File: src/new.rs\n+new\n*** End Patch\n",
        change(FREE),
        change(CLAIMED)
    );
    let turns = [
        json!({"tool": "apply_patch", "input": patch}),
        json!({"text": "That is all."}),
    ];
    let session = CODEX.run(&stage, &turns);
    session.was_refused();
    for file in [CLAIMED, FREE] {
        let text = std::fs::read_to_string(stage.repo.path().join(file)).unwrap();
        assert_eq!(text, BEFORE, "{file}\n{session}");
    }
    assert!(!stage.repo.path().join("src/new.rs").exists(), "{session}");
}

#[test]
fn codex_loads_every_hook() {
    let Some(stage) = CODEX.stage() else { return };
    prepare(&stage, "http://127.0.0.1:9");
    let mut command = stage.command();
    command
        .arg("app-server")
        .env("MOCK_KEY", "dummy")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut server = command.spawn().unwrap();
    let mut input = server.stdin.take().unwrap();
    let client = json!({"name": "test", "version": "1"});
    let lines = [
        json!({"id": 1, "method": "initialize", "params": {"clientInfo": client}}),
        json!({"method": "initialized"}),
        json!({"id": 2, "method": "hooks/list", "params": {"cwds": [stage.repo.path()]}}),
    ];
    for line in lines {
        writeln!(input, "{line}").unwrap();
    }
    let output = BufReader::new(server.stdout.take().unwrap());
    let said = output.lines().map_while(Result::ok);
    let mut said = said.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let answer = said.find(|line| line["id"] == 2).unwrap();
    server.kill().ok();
    server.wait().unwrap();

    let listed = &answer["result"]["data"][0];
    assert_eq!(listed["warnings"], json!([]), "{listed}");
    assert_eq!(listed["errors"], json!([]), "{listed}");
    let text = std::fs::read_to_string(stage.repo.path().join(".codex/hooks.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let written = file["hooks"].as_object().unwrap();
    let written: usize = (written.values())
        .flat_map(|groups| groups.as_array().unwrap())
        .map(|group| group["hooks"].as_array().unwrap().len())
        .sum();
    // It drops without a word what it does not know.
    assert_eq!(
        listed["hooks"].as_array().unwrap().len(),
        written,
        "{listed}"
    );
}
