//! Whether the team rests.

use serde::Serialize;

use crate::format::rfc3339;
use crate::model::claim::Pause;

/// A pause as JSON.
#[derive(Debug, Serialize)]
pub struct PauseJson {
    pub by: String,
    pub reason: String,
    pub since: String,
    /// When it ends by itself, if it does.
    pub until: Option<String>,
}

impl From<&Pause> for PauseJson {
    fn from(pause: &Pause) -> PauseJson {
        PauseJson {
            by: pause.by.to_string(),
            reason: pause.reason.clone(),
            since: rfc3339(pause.since),
            until: pause.until.map(rfc3339),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct PausedJson {
    pub paused: Option<PauseJson>,
}
