//! What `--json` has promised: every field that a released version printed is there, with its type.
//!
//! `promises.json` holds the shapes that a story of every command had. Fields may be added, never
//! lost, renamed or given another type. `REFLECTT_PROMISES=record cargo test --test it promises`
//! adds what is new; what is missing from the story stays and fails. (A provisional claim has no
//! fence any more, by design: docs/design/protocol.md.)

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::Value;

use crate::support::{Output, Repo, TestEnv};

/// The types found at each path of each command's answer; `[]` is any element of a list.
type Shapes = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The same as the file has it: `null|string`.
type Recorded = BTreeMap<String, BTreeMap<String, String>>;

/// A story told through `--json`.
struct Story<'r> {
    repo: &'r Repo,
    shapes: &'r mut Shapes,
}

impl Story<'_> {
    /// Runs a command as an agent and keeps the shape of what it prints under this name.
    fn tell(&mut self, name: &str, agent: &str, args: &[&str]) -> Output {
        let output = self.repo.as_agent(agent, ["--json"].iter().chain(args));
        let shape = self.shapes.entry(name.to_owned()).or_default();
        let mut printed = 0;
        for line in output.stdout.lines() {
            let value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {output}"));
            trace(&value, "", shape);
            printed += 1;
        }
        assert!(printed > 0, "nothing printed: {output}");
        output
    }

    fn refused(&mut self, name: &str, code: i32, agent: &str, args: &[&str]) {
        let name = format!("{name}: exit {code}");
        self.tell(&name, agent, args).code(code);
    }
}

fn trace(value: &Value, path: &str, into: &mut BTreeMap<String, BTreeSet<String>>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            for item in items {
                trace(item, &format!("{path}[]"), into);
            }
            "list"
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                trace(field, &format!("{path}.{key}"), into);
            }
            "object"
        }
    };
    let kinds = into.entry(path.to_owned()).or_default();
    kinds.insert(kind.to_owned());
}

#[test]
fn what_radar_prints_keeps_its_shape() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    repo.found(&["kai", "link"]);
    for agent in ["kai", "link"] {
        let worktree = repo.worktree(&format!("{agent}-work"));
        let id = repo.task(agent, "Keep the return path", &[]);
        worktree.as_agent(agent, ["claim", &id]).ok();
        worktree.write("same", agent);
        worktree.commit("work");
    }
    let mut shapes = Shapes::new();
    let mut it = Story {
        repo: &repo,
        shapes: &mut shapes,
    };
    it.tell("radar", "kai", &["radar"]).ok();
    keep(shapes);
}

#[test]
fn what_setup_prints_keeps_its_shape() {
    let repo = TestEnv::new().repo("repo");
    let mut shapes = Shapes::new();
    let mut it = Story {
        repo: &repo,
        shapes: &mut shapes,
    };
    let cursor = ["setup", "codex", "cursor"];
    it.refused(
        "setup --check",
        4,
        "kai",
        &[&cursor[..], &["--check"]].concat(),
    );
    it.tell(
        "setup --dry-run",
        "kai",
        &[&cursor[..], &["--dry-run"]].concat(),
    )
    .ok();
    it.tell(
        "setup --strict",
        "kai",
        &[&cursor[..], &["--strict"]].concat(),
    )
    .ok();
    it.tell("setup", "kai", &cursor).ok();
    it.tell("setup --remove", "kai", &["setup", "--remove"])
        .ok();
    repo.write(".cursor/mcp.json", "[]");
    it.refused("setup of a bad file", 4, "kai", &cursor);
    keep(shapes);
}

/// Compares what was found with what is promised, for the commands of one story.
fn keep(found: Shapes) {
    static FILE: Mutex<()> = Mutex::new(());
    let _lock = FILE.lock();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/promises.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut promised: Recorded = serde_json::from_str(&text).unwrap();
    let record = std::env::var("REFLECTT_PROMISES").is_ok_and(|mode| mode == "record");
    let mut broken = Vec::new();
    for (command, shape) in &found {
        let known = promised.entry(command.clone()).or_default();
        if known.is_empty() && !record {
            broken.push(format!("{command}: not recorded yet"));
        }
        let now = |field: &String| {
            let kinds = shape.get(field)?.iter().map(String::as_str);
            Some(kinds.collect::<Vec<_>>().join("|"))
        };
        for (field, was) in known.iter() {
            if now(field).as_ref() != Some(was) {
                broken.push(format!(
                    "{command}: `{field}` was {was} and is {:?}",
                    now(field)
                ));
            }
        }
        if record {
            for field in shape.keys() {
                let now = now(field).unwrap();
                known.entry(field.clone()).or_insert(now);
            }
        }
    }
    if record {
        let text = serde_json::to_string_pretty(&promised).unwrap();
        std::fs::write(path, text + "\n").unwrap();
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn what_commands_print_as_json_keeps_its_shape() {
    let env = TestEnv::new();
    let repo = env.repo("repo");
    let mut shapes = Shapes::new();
    let mut it = Story {
        repo: &repo,
        shapes: &mut shapes,
    };
    it.refused("status outside a team", 1, "kai", &["status"]);
    it.tell("init", "kai", &["init"]).ok();
    it.tell("join", "kai", &["join", "kai", "--role", "coder"])
        .ok();
    repo.reflectt(["--as", "link", "join", "link"]).ok();
    it.refused("an empty inbox", 5, "kai", &["inbox", "--wait", "1s"]);

    // Planning.
    let criterion = ["--criterion", "a test shows that it works"];
    let new = ["task", "new", "Keep the return path", "--path", "src"];
    let full = ["--body", "Why", "--tag", "web", "--reviewer", "link"];
    let new: Vec<&str> = new.into_iter().chain(criterion).chain(full).collect();
    let id = it.tell("task new", "kai", &new).ok().json()["id"].clone();
    let id = id.as_str().unwrap();
    let other = repo.task("kai", "Drop the old page", &[]);
    it.tell(
        "task edit",
        "kai",
        &["task", "edit", &other, "--priority", "P1"],
    )
    .ok();
    it.tell("task comment", "kai", &["task", "comment", id, "how far?"])
        .ok();
    it.tell("task list", "kai", &["task", "list"]).ok();
    it.tell("next", "kai", &["next"]).ok();
    it.refused("an unknown task", 5, "kai", &["task", "show", "zzzzzz"]);
    it.refused("a wrong command line", 2, "kai", &["claim", "--nonsense"]);

    // Work.
    it.tell("claim", "kai", &["claim", id]).ok();
    it.refused("claim of what is held", 3, "link", &["claim", id]);
    let paths = ["claim", "--path", "docs", "-m", "a guide"];
    it.tell("claim of paths", "link", &paths).ok();
    it.refused(
        "claim of paths that are held",
        3,
        "link",
        &["claim", "--path", "src", "-m", "x"],
    );
    it.tell("claims", "kai", &["claims"]).ok();
    it.tell("status", "kai", &["status"]).ok();
    it.tell("heartbeat", "kai", &["heartbeat", "--note", "half done"])
        .ok();
    it.tell("who", "kai", &["who"]).ok();
    it.tell("block", "kai", &["block", id, "--reason", "no key"])
        .ok();
    it.tell("unblock", "kai", &["unblock", id]).ok();
    repo.write("src/main.rs", "fn main() {}\n");
    repo.git(["add", "-A"]);
    crate::hooks::git_as(&repo, Some("kai"), &["commit", "-qm", "work"]).ok();
    let submit = [
        "submit",
        id,
        "--summary",
        "it is kept",
        "--evidence",
        "1=cargo test",
        "--commit",
        "HEAD",
        "--caveat",
        "slow",
    ];
    it.tell("submit", "kai", &submit).ok();
    it.refused(
        "review of one's own",
        4,
        "kai",
        &["review", id, "--approve"],
    );
    let changes = ["review", id, "--request-changes", "and the query?"];
    it.tell("review: changes", "link", &changes).ok();
    it.tell("task show: changes", "kai", &["task", "show", id])
        .ok();
    repo.as_agent("kai", submit).ok();
    it.tell("review: approve", "link", &["review", id, "--approve"])
        .ok();
    it.tell("task show", "kai", &["task", "show", id]).ok();
    it.tell("reopen", "kai", &["reopen", id, "--reason", "it is back"])
        .ok();
    it.tell("cancel", "kai", &["cancel", id, "--reason", "no use"])
        .ok();
    it.tell("next --claim", "kai", &["next", "--claim"]).ok();
    let asked = repo.task("kai", "Ask for a review", &[]);
    repo.set("kai", "wip.agent", "2");
    repo.as_agent("kai", ["claim", &asked]).ok();
    let ask = ["submit", &asked, "--summary", "s", "--evidence", "1=seen"];
    let ask = ask.iter().chain(&["--caveat", "slow"]);
    repo.as_agent("kai", ask).ok();
    let hand = ["handoff", &other, "--to", "link", "--note", "yours"];
    it.tell("handoff", "kai", &hand).ok();
    let over = ["claim", &other, "--take-over", "--reason", "link is away"];
    it.tell("claim: take over", "kai", &over).ok();
    it.refused("what was lost", 7, "link", &["release", &other]);
    it.tell("release", "kai", &["release", &other]).ok();

    // Words.
    it.tell("send", "kai", &["send", "link", "hello", "--task", id])
        .ok();
    it.tell("send to a channel", "kai", &["send", "#general", "hi"])
        .ok();
    let inbox = it.tell("inbox", "link", &["inbox"]).ok().json();
    let messages = inbox["messages"].as_array().unwrap();
    let advised = |message: &&Value| !message["hints"].as_array().unwrap().is_empty();
    let message = messages.iter().find(advised).unwrap()["id"]
        .as_str()
        .unwrap();
    it.tell("channel", "link", &["channel", "general"]).ok();
    it.tell("ack", "link", &["ack", message]).ok();
    it.tell("ack --all", "link", &["ack", "--all"]).ok();
    let reflect = [
        "reflect",
        "--task",
        &other,
        "--worked",
        "small steps",
        "--pain",
        "slow tests",
        "--change",
        "run fewer",
    ];
    it.tell("reflect", "kai", &reflect).ok();
    it.tell("log", "kai", &["log", "--limit", "200"]).ok();
    it.tell("board", "kai", &["board"]).ok();

    // The team.
    it.tell("pause", "kai", &["pause", "--reason", "release"])
        .ok();
    it.refused("claim in a pause", 4, "kai", &["claim", &other]);
    it.tell("resume", "kai", &["resume"]).ok();
    it.tell("config get", "kai", &["config", "get", "wip.agent"])
        .ok();
    it.tell("config set", "kai", &["config", "set", "wip.agent", "2"])
        .ok();
    it.tell("config list", "kai", &["config", "list"]).ok();
    it.tell("hooks status", "kai", &["hooks", "status"]).ok();
    it.tell("hooks snippet", "kai", &["hooks", "snippet", "github"])
        .ok();
    it.tell("check", "kai", &["check", "HEAD"]).ok();
    let passing = "[checks.test]\nrun = \"echo fine\"\n";
    repo.write("reflectt.toml", passing);
    repo.commit("checks");
    it.tell("checks list", "kai", &["checks", "list"]).ok();
    it.tell("checks run", "kai", &["checks", "run"]).ok();
    let failing = "[checks.test]\nrun = \"echo no; exit 1\"\n";
    let stopped = "[checks.tool]\nrun = \"no-such-tool\"\n";
    repo.write("reflectt.toml", format!("{failing}{stopped}"));
    repo.commit("checks");
    it.refused("a check that failed", 4, "kai", &["checks", "run"]);
    let tool = ["checks", "run", "tool"];
    it.refused("a check that could not run", 6, "kai", &tool);
    let kept = ["checks", "run", "--task", &other];
    it.refused("a check for a task", 4, "kai", &kept);
    it.tell("task show: checked", "kai", &["task", "show", &other])
        .ok();
    let args = ["task", "edit", &other, "--check", "test"];
    repo.as_agent("kai", args).ok();
    repo.as_agent("kai", ["resume"]);
    repo.as_agent("kai", ["claim", &other]).ok();
    let args = ["submit", &other, "--summary", "x", "--evidence", "1=x"];
    it.refused("a check of what is submitted", 4, "kai", &args);
    repo.write("reflectt.toml", "[checks.test]\nrun = \"true\"\n");
    repo.commit("checks");
    it.tell("submit with checks", "kai", &args).ok();
    it.tell("review: checked", "link", &["review", &other]).ok();
    it.tell("doctor", "kai", &["doctor"]).ok();
    it.tell("doctor --fix", "kai", &["doctor", "--fix"]).ok();
    it.tell("sync without a remote", "kai", &["sync"]);
    it.tell("daemon status", "kai", &["daemon", "status"]);
    it.tell("guide", "kai", &["guide"]).ok();
    it.tell("completions", "kai", &["completions", "bash"]).ok();
    repo.as_agent("link", ["release", "--all"]);
    it.tell("leave", "kai", &["leave", "link"]);
    keep(shapes);
}

#[test]
fn what_is_said_of_a_remote_keeps_its_shape() {
    let env = TestEnv::new();
    let machines = crate::sync::Machines::new(&env, ["kai", "link"]);
    let [kai, link] = machines.pair();
    let mut shapes = Shapes::new();
    let id = kai.task("kai", "Keep the return path", &["--path", "src"]);
    let mut it = Story {
        repo: link,
        shapes: &mut shapes,
    };
    it.tell("sync", "link", &["sync"]).ok();
    it.tell("claim beside a remote", "link", &["claim", &id])
        .ok();
    it.repo = kai;
    it.refused("claim beside a remote", 3, "kai", &["claim", &id]);
    it.refused("join of a taken name", 3, "link", &["join", "link"]);
    it.tell("who beside a remote", "kai", &["who"]).ok();
    kai.git(["remote", "set-url", "origin", "/nowhere.git"]);
    let paths = ["claim", "--path", "docs", "-m", "a guide"];
    it.refused("claim without the remote", 6, "kai", &paths);
    let offline: Vec<&str> = ["--offline"].into_iter().chain(paths).collect();
    it.tell("claim: provisional", "kai", &offline).ok();
    it.tell("status: provisional", "kai", &["status"]).ok();
    it.tell("claims: provisional", "kai", &["claims"]).ok();
    it.refused("sync without the remote", 6, "kai", &["sync"]);
    keep(shapes);
}

#[test]
fn what_is_said_of_landing_keeps_its_shape() {
    let it = crate::land::Place::new("");
    let mut shapes = Shapes::new();
    let mut story = Story {
        repo: &it.main,
        shapes: &mut shapes,
    };
    story.refused("nothing to land", 5, "sage", &["land"]);
    let (unseen, _) = it.submitted("Third", &[("third", "x\n")]);
    story.refused("land: waits", 4, "sage", &["land", &unseen]);
    for (title, text) in [("First", "1\n"), ("Second", "2\n")] {
        it.approved(title, &[("shared.txt", text)]);
    }
    let dry = ["land", "--dry-run"];
    story.refused("land: dry run", 4, "sage", &dry);
    story.refused("land", 4, "sage", &["land"]);
    it.approved("Fourth", &[("shared.txt", "4\n")]);
    it.main.write("shared.txt", "mine\n");
    story.refused("land: dirty", 4, "sage", &["land"]);
    let env = TestEnv::new();
    let machines = crate::land::remote::machines(&env, "");
    crate::land::remote::approved(&machines, "First", &[("first", "x\n")]);
    crate::land::remote::protect(&machines);
    story.repo = &machines.clones[2];
    story.refused("land: protected", 4, "sage", &["land"]);
    keep(shapes);
}
