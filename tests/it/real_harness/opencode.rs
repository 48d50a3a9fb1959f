//! OpenCode.

use super::*;

const OPENCODE: Driver = Driver {
    name: "opencode",
    program: "opencode",
    list: &["mcp", "list"],
    listed: "connected",
    session: &["run", "hi"],
    prepare,
    variables,
    edit,
    call: |tool, input| json!({"tool": format!("reflectt_{tool}"), "input": input}),
    // `opencode run` ends when the turn does.
    nudges: 0,
};

fn prepare(stage: &Stage, model: &str) {
    let options = json!({"baseURL": format!("{model}/v1"), "apiKey": "dummy"});
    let config = json!({
        "model": "anthropic/claude-sonnet-4-5",
        "provider": {"anthropic": {"options": options}},
    });
    // `$XDG_CONFIG_HOME` of these tests.
    stage.write_home("config/opencode/opencode.json", config.to_string());
}

fn variables(_model: &str) -> Vec<(&'static str, String)> {
    vec![
        ("OPENCODE_DISABLE_MODELS_FETCH", "1".to_owned()),
        ("OPENCODE_DISABLE_AUTOUPDATE", "1".to_owned()),
    ]
}

fn edit(path: &Path) -> Vec<Value> {
    let change = json!({"filePath": path, "oldString": BEFORE, "newString": AFTER});
    vec![
        json!({"tool": "read", "input": {"filePath": path}}),
        json!({"tool": "edit", "input": change}),
    ]
}

#[test]
fn a_session_of_opencode() {
    OPENCODE.go_through();
}

#[test]
fn opencode_lists_the_server() {
    OPENCODE.lists_the_server();
}
