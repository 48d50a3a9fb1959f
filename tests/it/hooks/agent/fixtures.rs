//! What every harness is known to give, and the whole answer to each of it.

use std::path::PathBuf;

use super::*;
use crate::support::snapshot;

const EVENTS: [&str; 8] = [
    "session-start",
    "prompt",
    "before-edit",
    "after-tool",
    "stop",
    "session-end",
    "teammate-idle",
    "task-completed",
];

/// A state of the team in which all payloads are given.
struct State {
    name: &'static str,
    repo: Repo,
}

fn states() -> [State; 3] {
    let state = |name| State {
        name,
        repo: bound(),
    };
    let states = [
        "nothing is held",
        "the files are held",
        "there is urgent mail",
    ]
    .map(state);
    let held = &states[1].repo;
    let task = ["--path", "src", "--path", "n.ipynb"];
    let id = held.task("link", "Keep the return path", &task);
    held.as_agent("link", ["claim", &id]).ok();
    urgent(&states[2].repo, "stop: the build is red");
    for State { repo, .. } in &states {
        // What the shell commands among them write.
        repo.write("src/c.rs", "x\n");
    }
    states
}

fn directory(harness: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/harness");
    fixtures.join(harness)
}

fn read(path: &Path, repo: &Repo) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    let top = repo.path().to_str().unwrap();
    let text = text.replace("\"/repo", &format!("\"{top}"));
    serde_json::from_str(&text).unwrap()
}

/// Gives all payloads of a harness in all states, and compares all answers with those on file.
#[track_caller]
fn walk(directory_of: &str, harness: Option<&str>) {
    let dir = directory(directory_of);
    let entries = std::fs::read_dir(&dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()))
        .filter(|name| name != "environment")
        .collect();
    names.sort();
    let mut answers = String::new();
    for State { name: state, repo } in states() {
        let environment = read(&dir.join("environment.json"), &repo);
        for name in &names {
            let event = EVENTS.into_iter().find(|event| name.starts_with(event));
            let event = event.unwrap_or_else(|| panic!("{name} is of no event"));
            let payload = read(&dir.join(format!("{name}.json")), &repo).to_string();
            let call = |flagged: bool| {
                let mut args = vec!["hook", "agent", event];
                if let Some(harness) = harness.filter(|_| flagged) {
                    args.extend(["--harness", harness]);
                }
                let mut run = repo.command(args).stdin(payload.clone());
                for (name, value) in environment.as_object().unwrap() {
                    // The process is not the one of the recording.
                    if !name.ends_with("_PID") {
                        run = run.env(name, value.as_str().unwrap());
                    }
                }
                let output = run.run();
                // Each payload is the first of its session.
                std::fs::remove_dir_all(repo.common_dir().join("reflectt/sessions")).ok();
                output
            };
            let told = call(true);
            let found = call(false);
            let shown = |it: &Output| snapshot::shown(it);
            assert_eq!(
                shown(&told),
                shown(&found),
                "{name}: it is found out who asks"
            );
            answers.push_str(&format!("## {state}: {name}\n{}\n", shown(&told)));
        }
    }
    assert!(answers.contains("claimed by others"), "nothing is denied");
    let file = dir.join("answers.txt");
    if std::env::var_os("REFLECTT_UPDATE_ANSWERS").is_some() {
        std::fs::write(&file, &answers).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    let pairs = answers.lines().zip(expected.lines());
    for (at, (answer, expected)) in pairs.enumerate() {
        assert_eq!(answer, expected, "{}:{}", file.display(), at + 1);
    }
    assert_eq!(
        answers.lines().count(),
        expected.lines().count(),
        "{}",
        file.display()
    );
}

#[test]
fn claude() {
    walk("claude", Some("claude"));
}

#[test]
fn codex() {
    walk("codex", Some("codex"));
}

#[test]
fn gemini() {
    walk("gemini", Some("gemini"));
}

#[test]
fn copilot() {
    walk("copilot", Some("copilot"));
}

#[test]
fn copilot_by_the_settings_of_claude() {
    walk("copilot-by-claude-settings", Some("claude"));
}

#[test]
fn cursor() {
    walk("cursor", Some("cursor"));
}

#[test]
fn opencode() {
    walk("opencode", Some("opencode"));
}
