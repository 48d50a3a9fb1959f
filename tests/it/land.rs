//! Landing from end to end: real processes, worktrees, clones and remotes, judged by git's history.

mod batches;
mod external;
mod lane;
mod local;
mod never_broken;
pub mod remote;
mod strategies;

use std::path::Path;

use serde_json::Value;

use crate::order::{show, submission};
use crate::support::{Output, Repo, TestEnv};

/// A team in one clone: `kai` works in a worktree of its own, `link` reviews, `sage` is there, too.
pub struct Place {
    /// Where the team was founded.
    pub main: Repo,
    pub work: Repo,
}

impl Place {
    /// Founds a team where `main` is checked out, with this file on it.
    pub fn new(definition: &str) -> Place {
        Place::of(TestEnv::new().repo("repo"), definition)
    }

    pub fn of(main: Repo, definition: &str) -> Place {
        main.write("reflectt.toml", definition);
        main.write("shared.txt", "one\ntwo\nthree\n");
        main.commit("begin");
        main.found(&["kai", "link", "sage"]);
        main.set("kai", "wip.agent", "9");
        let work = main.worktree("work");
        Place { main, work }
    }

    /// Has `kai` do a task from the tip of main, and returns it with its commit.
    pub fn submitted(&self, title: &str, files: &[(&str, &str)]) -> (String, String) {
        submitted(&self.work, "kai", title, files)
    }

    /// The same, approved.
    pub fn approved(&self, title: &str, files: &[(&str, &str)]) -> String {
        let (id, _) = self.submitted(title, files);
        approve(&self.main, &id);
        id
    }

    pub fn land(&self, more: &[&str]) -> Output {
        land(&self.main, "sage", more)
    }

    pub fn tip(&self) -> String {
        self.main.git(["rev-parse", "main"])
    }
}

/// Checks that `test` passes before anything lands.
pub fn with_check(command: &str) -> String {
    format!("[checks.test]\nrun = '''{command}'''\n[land]\nchecks = [\"test\"]\n")
}

/// Appends a line to a file outside each time the check runs; see [`runs`].
pub fn counted(count: &Path, command: &str) -> String {
    with_check(&format!("echo x >> {}; {command}", count.display()))
}

pub fn runs(count: &Path) -> usize {
    let text = std::fs::read_to_string(count).unwrap_or_default();
    text.lines().count()
}

/// Makes a task, works on it on a branch of its own, and submits it for `link` to review.
pub fn submitted(work: &Repo, by: &str, title: &str, files: &[(&str, &str)]) -> (String, String) {
    let id = work.task(by, title, &[]);
    work.as_agent(by, ["claim", &id, "--branch"]).ok();
    let commit = commit_as(work, by, title, files);
    work.as_agent(by, submission(&id, "link")).ok();
    (id, commit)
}

/// Works on top of what is checked out, as a stack.
pub fn stacked(work: &Repo, by: &str, title: &str, files: &[(&str, &str)]) -> (String, String) {
    let id = work.task(by, title, &[]);
    work.as_agent(by, ["claim", &id]).ok();
    let commit = commit_as(work, by, title, files);
    work.as_agent(by, submission(&id, "link")).ok();
    (id, commit)
}

pub fn commit_as(work: &Repo, by: &str, message: &str, files: &[(&str, &str)]) -> String {
    for (path, text) in files {
        work.write(path, text);
    }
    work.git(["add", "-A"]);
    let author = format!("--author={by} <{by}@example.com>");
    work.git(["commit", "-q", &author, "-m", message]);
    work.git(["rev-parse", "HEAD"])
}

#[track_caller]
pub fn approve(at: &Repo, id: &str) {
    at.as_agent("link", ["review", id, "--approve"]).ok();
}

#[track_caller]
pub fn land(at: &Repo, by: &str, more: &[&str]) -> Output {
    at.as_agent(by, [&["--json", "land"], more].concat())
}

/// Returns the tasks that landed, in order.
#[track_caller]
pub fn landed(output: &Output) -> Vec<String> {
    ids(&output.json()["landed"])
}

#[track_caller]
pub fn sent_back(output: &Output) -> Vec<String> {
    ids(&output.json()["sent_back"])
}

/// Returns the tasks that wait, and for what.
#[track_caller]
pub fn waiting(output: &Output) -> Vec<(String, Vec<String>)> {
    let json = output.json();
    let entries = json["waiting"].as_array().unwrap().iter();
    let words = |value: &Value| {
        let list = value["for"].as_array().unwrap().iter();
        list.map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    entries
        .map(|it| (it["task"].as_str().unwrap().to_owned(), words(it)))
        .collect()
}

fn ids(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|it| it["task"].as_str().unwrap().to_owned())
        .collect()
}

#[track_caller]
pub fn status(at: &Repo, id: &str) -> String {
    show(at, id)["status"].as_str().unwrap().to_owned()
}

/// Returns the agent's `ACTION`.
#[track_caller]
pub fn action(at: &Repo, agent: &str) -> String {
    let status = at.as_agent(agent, ["--json", "status"]).ok().json();
    status["action"].as_str().unwrap().to_owned()
}
