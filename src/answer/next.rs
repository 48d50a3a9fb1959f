//! What to do next.

use serde::Serialize;

use super::{ClaimJson, TaskJson};

#[derive(Debug, Serialize)]
pub struct NextJson<'a> {
    pub task: Option<TaskJson<'a>>,
    pub claim: Option<ClaimJson>,
    pub reason: &'a str,
    /// Tasks that wait for the agent's review.
    pub reviews: Vec<&'a str>,
}
