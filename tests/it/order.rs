//! One order for everything that decides: what the table decided and what the record says of it
//! are one, whoever is cut off, behind, slow, killed, or has a wrong clock.
//!
//! Everything here is real clones of a real bare remote. Each machine is called like its agent.

mod apart;
mod clocks;
mod offline;
mod older;
mod queue;
mod remote;
mod together;
mod undecided;

use serde_json::Value;

use crate::support::{Repo, TestEnv, check};
use crate::sync::Machines;

use remote::Remote;

/// Three machines, and the remote under observation.
pub struct Team {
    pub it: Machines,
    pub remote: Remote,
}

impl Team {
    pub fn new(env: &TestEnv) -> Team {
        let it = Machines::new(env, ["kai", "link", "sage"]);
        it.sync_all();
        let remote = Remote::watch(&it.bare);
        Team { it, remote }
    }

    /// Returns the machines of `kai`, `link` and `sage`.
    pub fn clones(&self) -> [&Repo; 3] {
        [0, 1, 2].map(|n| &self.it.clones[n])
    }

    /// Makes a task of `kai`'s that everybody knows.
    pub fn task(&self, title: &str, more: &[&str]) -> String {
        let id = self.it.clones[0].task("kai", title, more);
        self.it.sync_all();
        id
    }

    /// Lets messages of `other` be in the way of what `clone` does next: both have news, and each
    /// time it has taken in the other's there are more.
    pub fn crowd(&self, clone: &Repo, other: &Repo) {
        let me = other.path().file_name().unwrap().to_str().unwrap();
        clone.reflectt(["--no-sync", "send", me, "by the way"]).ok();
        self.remote.crowd(clone, other, 2);
    }

    /// Expects all to agree, and nothing that happened to be void.
    #[track_caller]
    pub fn sound(&self) {
        self.it.agree();
        for clone in &self.it.clones {
            check::agree(clone);
            for id in check::tasks(clone).keys() {
                let events = events(clone, id);
                let void: Vec<&Value> = events.iter().filter(|e| !e["void"].is_null()).collect();
                assert!(void.is_empty(), "{void:#?}\n{events:#?}");
            }
        }
    }
}

/// Returns a task with all that happened to it.
#[track_caller]
pub fn show(clone: &Repo, id: &str) -> Value {
    clone.reflectt(["--json", "task", "show", id]).ok().json()
}

#[track_caller]
pub fn events(clone: &Repo, id: &str) -> Vec<Value> {
    show(clone, id)["events"].as_array().unwrap().clone()
}

/// Returns what happened to a task, a word each.
#[track_caller]
pub fn kinds(clone: &Repo, id: &str) -> Vec<String> {
    let events = events(clone, id);
    let kinds = events
        .iter()
        .map(|e| e["kind"].as_str().unwrap().to_owned());
    kinds.collect()
}

/// Returns the bodies of the unread messages that are about a task.
#[track_caller]
pub fn told(clone: &Repo, id: &str) -> Vec<String> {
    let inbox = clone.reflectt(["--json", "inbox"]).ok().json();
    let messages = inbox["messages"].as_array().unwrap().iter();
    let of_task = messages.filter(|message| message["task"] == id);
    let bodies = of_task.map(|message| message["body"].as_str().unwrap().to_owned());
    bodies.collect()
}

/// Returns the arguments that submit a task, for this reviewer.
pub fn submission<'a>(id: &'a str, reviewer: &'a str) -> [&'a str; 8] {
    let [summary, evidence] = ["it is done", "1=seen"];
    let (what, who) = ("--summary", "--reviewer");
    [
        "submit",
        id,
        what,
        summary,
        "--evidence",
        evidence,
        who,
        reviewer,
    ]
}
