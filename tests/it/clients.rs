//! `reflectt mcp` as the clients of others drive it: the official packages for Python and
//! TypeScript, and the protocol's inspector. `.ci/clients` installs them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::support::process::{BINARY, run_within};
use super::support::{Output, Repo, TestEnv};

/// How long a client may take, on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

/// Returns where `.ci/clients` has installed the clients of a kind; says so where it has not.
fn installed(kind: &str) -> Option<PathBuf> {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients");
    if clients.join(format!("{kind}.installed")).exists() {
        return Some(clients.join(kind));
    }
    // Past the test runner, which shows only what failing tests print.
    let mut stderr = std::io::stderr().lock();
    writeln!(
        stderr,
        "skipped: the MCP clients for {kind} are not installed; `.ci/clients` does that"
    )
    .ok();
    None
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(name)
}

/// A team of `kai` and `link` in a worktree each, of which only `main` lands.
struct Team {
    repo: Repo,
    kai: Repo,
    link: Repo,
}

impl Team {
    fn new() -> Team {
        let repo = TestEnv::new().team(["kai", "link"]);
        let (kai, link) = (repo.worktree("kai"), repo.worktree("link"));
        Team { repo, kai, link }
    }

    /// Runs a client to its end, which must be a good one.
    #[track_caller]
    fn run(&self, program: &Path, args: &[&str], env: &[(&str, &Path)]) -> String {
        let mut command = Command::new(program);
        self.repo.prepare(&mut command);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Ann");
            command.env(format!("GIT_{role}_EMAIL"), "ann@example.com");
        }
        command
            .args(args)
            .env("REFLECTT", BINARY)
            .env("KAI", self.kai.path())
            .env("LINK", self.link.path())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(env.iter().copied())
            .current_dir(self.repo.path());
        let shown = format!("{} {}", program.display(), args.join(" "));
        let output = run_within(command, LIMIT);
        Output::of(&self.repo, shown, output).ok().stdout
    }
}

fn drive_with_python(mode: &str) {
    let Some(python) = installed("python") else {
        return;
    };
    let script = script("mcp_python.py");
    let args = [script.to_str().unwrap(), mode];
    let said = Team::new().run(&python.join("bin/python"), &args, &[]);
    assert!(said.starts_with("ok: "), "{said}");
}

#[test]
fn the_python_package_by_the_newest_lifecycle() {
    drive_with_python("auto");
}

#[test]
fn the_python_package_without_asking_first() {
    drive_with_python("2026-07-28");
}

#[test]
fn the_python_package_by_the_older_lifecycle() {
    drive_with_python("legacy");
}

#[test]
fn the_typescript_package() {
    let Some(modules) = installed("node") else {
        return;
    };
    let script = script("mcp_node.mjs");
    let args = [script.to_str().unwrap()];
    let said = Team::new().run(Path::new("node"), &args, &[("MODULES", &modules)]);
    assert!(said.starts_with("ok: "), "{said}");
}

#[test]
fn the_inspector() {
    let Some(modules) = installed("node") else {
        return;
    };
    let inspector = modules.join("node_modules/.bin/mcp-inspector-cli");
    let team = Team::new();
    // It gives the server no variables but those that every program has.
    team.repo.reflectt(["--as", "kai", "join", "kai"]).ok();
    let id = team.repo.task("kai", "Keep the return path", &[]);
    let ask = |args: &[&str]| -> Value {
        // Each question is a run of the server, of which it takes over the directory.
        let said = team.run(&inspector, &[&["--cli", BINARY, "mcp"], args].concat(), &[]);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    };

    let tools = ask(&["--method", "tools/list"]);
    assert!(tools["tools"].as_array().unwrap().len() >= 13, "{tools}");
    let task = format!("id={id}");
    let call = ["--method", "tools/call", "--tool-name"];
    let shown = ask(&[&call[..], &["show", "--tool-arg", &task]].concat());
    assert_eq!(shown["structuredContent"]["title"], "Keep the return path");
    let claimed = ask(&[&call[..], &["claim", "--tool-arg", &task]].concat());
    assert_eq!(claimed["structuredContent"]["claim"]["agent"], "kai");

    let uri = format!("reflectt://task/{id}");
    for uri in ["reflectt://board", "reflectt://me", &uri] {
        let read = ask(&["--method", "resources/read", "--uri", uri]);
        let text = read["contents"][0]["text"].as_str().unwrap();
        assert!(text.contains(&id), "{uri}: {text}");
    }
    let templates = ask(&["--method", "resources/templates/list"]);
    assert_eq!(
        templates["resourceTemplates"][0]["uriTemplate"],
        "reflectt://task/{id}"
    );
    let prompts = ask(&["--method", "prompts/list"]);
    assert_eq!(prompts["prompts"].as_array().unwrap().len(), 2, "{prompts}");
    let work = ask(&["--method", "prompts/get", "--prompt-name", "work"]);
    assert_eq!(work["messages"][0]["role"], "user");
}
