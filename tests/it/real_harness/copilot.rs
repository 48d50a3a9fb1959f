//! Copilot CLI.

use super::*;

const COPILOT: Driver = Driver {
    name: "copilot",
    program: "copilot",
    list: &["mcp", "list"],
    // It does not start the servers for that.
    listed: "reflectt (local)",
    session: &["-p", "hi", "--allow-all-tools"],
    prepare,
    variables,
    edit,
    call: |tool, input| json!({"tool": format!("reflectt-{tool}"), "input": input}),
    nudges: 1,
};

fn prepare(stage: &Stage, _model: &str) {
    let trusted = json!({"trustedFolders": [stage.repo.path()]});
    stage.write_home(".copilot/config.json", trusted.to_string());
}

fn variables(model: &str) -> Vec<(&'static str, String)> {
    vec![
        ("COPILOT_OFFLINE", "true".to_owned()),
        ("COPILOT_PROVIDER_TYPE", "anthropic".to_owned()),
        ("COPILOT_PROVIDER_BASE_URL", model.to_owned()),
        ("COPILOT_PROVIDER_API_KEY", "dummy".to_owned()),
        ("COPILOT_MODEL", "claude-sonnet-4.5".to_owned()),
    ]
}

fn edit(path: &Path) -> Vec<Value> {
    let change = json!({"path": path, "old_str": BEFORE, "new_str": AFTER});
    vec![json!({"tool": "edit", "input": change})]
}

#[test]
fn a_session_of_copilot() {
    COPILOT.go_through();
}

#[test]
fn copilot_lists_the_server() {
    COPILOT.lists_the_server();
}

/// It runs Claude Code's hooks as well, with arguments of its own.
#[test]
fn a_session_of_copilot_where_claude_code_is_set_up() {
    Driver {
        name: "claude",
        ..COPILOT
    }
    .go_through();
}

#[test]
fn copilot_gets_one_status_where_both_are_set_up() {
    let Some(stage) = COPILOT.stage() else { return };
    let both = stage.repo.command(["setup", "claude"]);
    both.env("PATH", &stage.path).run().ok();
    let mut turns = edit(&stage.repo.path().join(CLAIMED));
    turns.push(json!({"text": "That is all."}));
    let session = COPILOT.run(&stage, &turns);
    session.told_where_it_stands(&stage);
    session.was_refused();
    session.was_nudged(turns.len(), 1);
    let words = session.words(0);
    let told = words.matches("You are kai.").count();
    assert_eq!(told, 1, "told where it stands {told} times\n{session}");
}
