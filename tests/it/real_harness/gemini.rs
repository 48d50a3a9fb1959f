//! Gemini CLI.

use super::*;

const GEMINI: Driver = Driver {
    name: "gemini",
    program: "gemini",
    list: &["mcp", "list"],
    listed: "Connected",
    session: &[
        "-m",
        "gemini-2.5-flash",
        "--approval-mode",
        "auto_edit",
        "-p",
        "hi",
    ],
    prepare,
    variables,
    edit,
    call: |tool, input| json!({"tool": format!("mcp_reflectt_{tool}"), "input": input}),
    nudges: 1,
};

fn prepare(stage: &Stage, _model: &str) {
    let auth = json!({"security": {"auth": {"selectedType": "gemini-api-key"}}});
    stage.write_home(".gemini/settings.json", auth.to_string());
    let trusted = json!({stage.repo.path().to_str().unwrap(): "TRUST_FOLDER"});
    stage.write_home(".gemini/trustedFolders.json", trusted.to_string());
}

fn variables(model: &str) -> Vec<(&'static str, String)> {
    vec![
        ("GEMINI_API_KEY", "dummy".to_owned()),
        ("GOOGLE_GEMINI_BASE_URL", model.to_owned()),
    ]
}

fn edit(path: &Path) -> Vec<Value> {
    let change = json!({
        "file_path": path,
        "instruction": "rename it",
        "old_string": BEFORE,
        "new_string": AFTER,
    });
    vec![json!({"tool": "replace", "input": change})]
}

#[test]
fn a_session_of_gemini() {
    GEMINI.go_through();
}

#[test]
fn gemini_lists_the_server() {
    GEMINI.lists_the_server();
}

#[test]
fn gemini_has_nothing_against_the_settings() {
    let Some(stage) = GEMINI.stage() else { return };
    let session = GEMINI.run(&stage, &[json!({"text": "Hello."})]);
    for complaint in [
        "Invalid hook",
        "Please fix the configuration",
        "Unrecognized",
    ] {
        assert!(!session.output.stderr.contains(complaint), "{session}");
    }
}
