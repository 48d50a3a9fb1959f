//! Whether what is set up works: found out by running it.
//!
//! A hook that names a program which is not there lets every edit through without a word, so
//! looking at the file is not enough.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::git::{Cancel, Shell, ShellEnd};
use crate::model::harness::Harness;

use super::entries::Strictness;
use super::place::Place;
use super::plan::{self, Purpose, State};

/// What does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// The program is not where harnesses look for it.
    NotOnPath { harnesses: Vec<Harness> },
    /// A file cannot be read as the harness reads it.
    BadFile { harness: Harness, reason: String },
    Outdated {
        harness: Harness,
        files: Vec<String>,
    },
    /// The hook before edits does not answer.
    Dumb {
        harness: Harness,
        command: String,
        reason: String,
    },
    /// It counts only once a person has trusted it, which no file of the repository shows.
    NeedsTrust { harness: Harness },
}

/// An answer takes milliseconds.
const LIMIT: Duration = Duration::from_secs(10);

/// Looks at every harness that is set up here. `search` is the value of `PATH`.
pub fn verify(place: &Place, search: Option<&OsStr>) -> Vec<Flaw> {
    let set_up = |harness: &Harness| plan::is_set_up(place, *harness);
    let harnesses: Vec<Harness> = Harness::ALL.into_iter().filter(set_up).collect();
    let is_there = is_program(search, "reflectt");
    let mut flaws = Vec::new();
    if !is_there && !harnesses.is_empty() {
        flaws.push(Flaw::NotOnPath {
            harnesses: harnesses.clone(),
        });
    }
    for harness in harnesses {
        match plan::install(place, &[harness], Strictness::AsItIs) {
            Err(error) => flaws.push(Flaw::BadFile {
                harness,
                reason: error.to_string(),
            }),
            Ok(plan) => {
                let files = plan.files.iter();
                let files = files.filter(|d| State::of(d, Purpose::Check) != State::Unchanged);
                let files: Vec<String> = files.map(|draft| draft.shown.clone()).collect();
                if !files.is_empty() {
                    flaws.push(Flaw::Outdated { harness, files });
                }
            }
        }
        if let Some(command) = plan::edit_command(place, harness)
            && is_there
            && let Err(reason) = ask(place.base(), &command, harness)
        {
            flaws.push(Flaw::Dumb {
                harness,
                command,
                reason,
            });
        }
        if harness == Harness::Codex {
            flaws.push(Flaw::NeedsTrust { harness });
        }
    }
    flaws
}

/// Asks a hook before edits about a file that is nobody's, and returns why it has no answer.
fn ask(dir: &Path, command: &str, harness: Harness) -> Result<(), String> {
    let script = format!(
        "{command} <<'REFLECTT_SAMPLE'\n{}\nREFLECTT_SAMPLE",
        sample(dir, harness)
    );
    let shell = Shell {
        command: &script,
        dir,
        time_limit: LIMIT,
        cancel: &Cancel::default(),
    };
    let output = shell.run(&|_| {}).map_err(|error| error.to_string())?;
    let said = || match output.lines.last() {
        Some(line) => format!(": {line}"),
        None => String::new(),
    };
    let warned = |line: &&String| line.starts_with("warning: ") || line.starts_with("error: ");
    match output.end {
        ShellEnd::Exited(0) => match output.lines.iter().find(warned) {
            Some(line) => Err(format!(
                "it does not understand {}: {line}",
                harness.title()
            )),
            None => Ok(()),
        },
        ShellEnd::Exited(code) => Err(format!("it exits with {code}{}", said())),
        ShellEnd::Signalled(signal) => Err(format!("it is ended by signal {signal}{}", said())),
        ShellEnd::TimedOut | ShellEnd::Cancelled => {
            Err(format!("it has no answer within {} s", LIMIT.as_secs()))
        }
    }
}

/// Returns what a harness says before an edit, of a file outside of every repository.
fn sample(dir: &Path, harness: Harness) -> serde_json::Value {
    const FILE: &str = "/reflectt-sample/none.txt";
    let cwd = dir.to_string_lossy();
    let session = "reflectt-doctor";
    let patch = format!("*** Begin Patch\n*** Add File: {FILE}\n+x\n*** End Patch\n");
    let like_claude = |event: &str, tool: &str, input: serde_json::Value| {
        json!({"session_id": session, "cwd": cwd, "hook_event_name": event, "tool_name": tool,
            "tool_input": input, "tool_use_id": "sample"})
    };
    match harness {
        Harness::Claude => like_claude(
            "PreToolUse",
            "Write",
            json!({"file_path": FILE, "content": ""}),
        ),
        Harness::Codex => like_claude("PreToolUse", "apply_patch", json!({"command": patch})),
        Harness::Gemini => like_claude(
            "BeforeTool",
            "write_file",
            json!({"file_path": FILE, "content": ""}),
        ),
        Harness::Copilot => json!({"sessionId": session, "timestamp": 0, "cwd": cwd,
            "toolName": "apply_patch", "toolArgs": patch}),
        Harness::Cursor => json!({"conversation_id": session, "hook_event_name": "preToolUse",
            "cwd": cwd, "tool_name": "Write", "tool_input": {"file_path": FILE}}),
        Harness::OpenCode => json!({"event": "before-edit", "session_id": session, "cwd": cwd,
            "tool_name": "write", "tool_input": {"filePath": FILE}, "tool_use_id": "sample"}),
    }
}

/// Tells whether a program is found on the PATH.
pub fn is_program(search: Option<&OsStr>, name: &str) -> bool {
    let dirs = search.map(std::env::split_paths).into_iter().flatten();
    let runs = |path: std::path::PathBuf| {
        std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    dirs.map(|dir| dir.join(name)).any(runs)
}
