//! The shapes that `--json` prints. They are a promise: fields may be added, none may change.

mod agent;
mod claim;
mod event;
mod finding;
mod log;
mod message;
mod task;

pub use agent::{AgentJson, AgentsJson};
pub use claim::ClaimJson;
pub use event::EventJson;
pub use finding::FindingJson;
pub use log::LogEventJson;
pub use message::{MessageJson, MessagesJson};
pub use task::{BlockJson, HandoffJson, ShownJson, SubmissionJson, TaskJson, TasksJson};

/// Returns the words of a list, in order.
pub fn texts<T: ToString>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

/// Returns the words of something that may be missing.
pub fn text<T: ToString>(item: Option<&T>) -> Option<String> {
    item.map(ToString::to_string)
}
