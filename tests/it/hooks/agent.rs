//! `reflectt hook agent`, as harnesses call it.

mod edits;
mod fixtures;
mod stopping;
mod telling;
mod waking;

use serde_json::{Value, json};

use super::*;
use crate::support::Run;

/// A team with `kai` bound to the checkout.
fn bound() -> Repo {
    let repo = team();
    repo.git(["config", "extensions.worktreeConfig", "true"]);
    repo.git(["config", "--worktree", "reflectt.agent", "kai"]);
    repo
}

/// Prepares an event of Claude Code.
fn claude(repo: &Repo, event: &str, session: &str, more: Value) -> Run {
    let mut payload = json!({"session_id": session, "cwd": repo.path()});
    let fields = payload.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    fire(repo, event, "claude", &payload)
}

fn fire(repo: &Repo, event: &str, harness: &str, payload: &Value) -> Run {
    let args = ["hook", "agent", event, "--harness", harness];
    repo.command(args).stdin(payload.to_string())
}

/// Returns the context that Claude Code or Codex is given; nothing, if nothing is said at all.
#[track_caller]
fn context(output: &Output) -> String {
    assert_eq!(
        (output.status, output.stderr.as_str()),
        (Some(0), ""),
        "{output}"
    );
    if output.stdout.is_empty() {
        return String::new();
    }
    let text = &output.json()["hookSpecificOutput"]["additionalContext"];
    text.as_str()
        .unwrap_or_else(|| panic!("{output}"))
        .to_owned()
}

#[track_caller]
fn silent(output: &Output) {
    let all = (
        output.status,
        output.stdout.as_str(),
        output.stderr.as_str(),
    );
    assert_eq!(all, (Some(0), "", ""), "{output}");
}

fn urgent(repo: &Repo, text: &str) {
    repo.as_agent("link", ["send", "kai", text, "--urgent"])
        .ok();
}
