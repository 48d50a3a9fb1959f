//! What the daemon says of itself, in a file beside its lock.

use serde::{Deserialize, Serialize};

use crate::git::Process;

/// The state of a daemon at work, as it last wrote it. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    pub pid: u32,
    /// What tells it from others that are given its number later.
    pub process: String,
    pub version: String,
    pub since: i64,
    pub remote: Option<String>,
    pub last_fetch: Option<i64>,
    pub last_push: Option<i64>,
    /// How many exchanges in a row have failed, and why the last did.
    pub failures: u32,
    pub error: Option<String>,
    /// When the remote is asked again.
    pub next_attempt: Option<i64>,
}

/// What is known of a clone's daemon.
#[derive(Debug, Clone)]
pub struct Status {
    pub running: bool,
    pub state: State,
    /// How many commits of this clone the remote does not have yet.
    pub waiting: usize,
}

impl State {
    /// Reads what a daemon wrote; one of another version may have written something else.
    pub fn read(text: &str) -> State {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Returns the process that wrote this.
    pub fn process(&self) -> Process {
        match self.process.as_str() {
            // An older version knew the number alone.
            "" => self.pid.to_string().parse(),
            process => process.parse(),
        }
        .unwrap_or_default()
    }

    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
