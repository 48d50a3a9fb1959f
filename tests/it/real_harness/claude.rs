//! Claude Code.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Stdio};

use super::*;
use crate::support::poll_until;
use crate::support::process::signal;

/// How long a harness may take for one step, on a busy machine.
const SOON: Duration = Duration::from_secs(60);

const CLAUDE: Driver = Driver {
    name: "claude",
    program: "claude",
    list: &["mcp", "list"],
    listed: "Connected",
    session: &["-p", "hi", "--permission-mode", "acceptEdits"],
    prepare,
    variables,
    edit,
    call: |tool, input| json!({"tool": format!("mcp__reflectt__{tool}"), "input": input}),
    nudges: 1,
};

/// Trusts the folder, as a person does when asked; `setup` has left to do nothing else.
fn prepare(stage: &Stage, _model: &str) {
    let project = json!({"hasTrustDialogAccepted": true});
    let projects = json!({stage.repo.path().to_str().unwrap(): project});
    let known = json!({"hasCompletedOnboarding": true, "projects": projects});
    stage.write_home(".claude.json", known.to_string());
}

fn variables(model: &str) -> Vec<(&'static str, String)> {
    vec![
        ("ANTHROPIC_BASE_URL", model.to_owned()),
        ("ANTHROPIC_API_KEY", "dummy".to_owned()),
        ("DISABLE_AUTOUPDATER", "1".to_owned()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
    ]
}

fn edit(path: &Path) -> Vec<Value> {
    let change = json!({"file_path": path, "old_string": BEFORE, "new_string": AFTER});
    vec![
        json!({"tool": "Read", "input": {"file_path": path}}),
        json!({"tool": "Edit", "input": change}),
    ]
}

#[test]
fn a_session_of_claude_code() {
    CLAUDE.go_through();
}

#[test]
fn claude_code_lists_the_server() {
    CLAUDE.lists_the_server();
}

#[test]
fn claude_code_has_nothing_against_the_settings() {
    let Some(stage) = CLAUDE.stage() else { return };
    prepare(&stage, "");
    let mut command = stage.command();
    command.arg("doctor");
    let said = stage.finish(command).ok();
    assert!(said.stdout.contains("Platform:"), "{said}");
    assert!(!said.stdout.contains("Invalid settings"), "{said}");
    assert!(!said.stdout.contains(".claude/settings"), "{said}");
}

#[test]
fn a_first_session_of_claude_code_needs_no_approval() {
    let Some(stage) = CLAUDE.stage() else { return };
    let session = Driver {
        prepare: |_, _| (),
        ..CLAUDE
    }
    .run(&stage, &[json!({"text": "Hello."})]);
    session.told_where_it_stands(&stage);
    session.has_tools(&CLAUDE);
}

#[test]
fn a_message_wakes_claude_code_when_its_turn_is_over() {
    let Some(stage) = CLAUDE.stage() else { return };
    // Nobody sits before it here, so that it would not wait by itself.
    stage.repo.git(["config", "reflectt.wake", "always"]);
    let turns = json!([{"text": "That is all."}]);
    let model = Model::start(stage.repo.env(), &turns);
    prepare(&stage, &model.url());
    let mut command = stage.command();
    command
        .args(CLAUDE.session)
        .envs(variables(&model.url()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let claude = Started(command.spawn().unwrap());
    poll_until("the session waits", SOON, || {
        // Only what comes after this wakes it.
        let sessions = stage.repo.common_dir().join("reflectt/sessions");
        let mut files = std::fs::read_dir(sessions).ok()?.flatten();
        let waits =
            |text: String| text.contains("\"waiter\":") && !text.contains("\"waiter\":null");
        let waits = files.any(|it| std::fs::read_to_string(it.path()).is_ok_and(waits));
        waits.then_some(())
    });
    let text = "the words have moved to words.rs";
    stage.repo.as_agent("link", ["send", "kai", text]).ok();
    poll_until("the message wakes it", SOON, || {
        let woken = |it: &Request| it.words().contains(text);
        model.requests().iter().any(woken).then_some(())
    });
    drop(claude);
}

/// A process that does not end by itself, killed with its group.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        signal(-self.0.id().cast_signed(), libc::SIGKILL);
        self.0.wait().ok();
    }
}
