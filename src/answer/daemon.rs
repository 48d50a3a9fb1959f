//! What the daemon is at.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct DaemonJson {
    pub running: bool,
    pub pid: Option<u32>,
    pub since: Option<String>,
    pub remote: Option<String>,
    pub last_fetch: Option<String>,
    pub last_push: Option<String>,
    /// How many commits the remote does not have yet.
    pub waiting: usize,
    /// How many exchanges in a row have failed.
    pub failures: u32,
    pub error: Option<String>,
    pub next_attempt: Option<String>,
    pub log: String,
}
