//! What operations answer, in the one shape that every door gives: `--json`, and whatever comes
//! beside the command line. It is a promise: fields may be added, none may change.

mod advice;
pub mod age;
mod agent;
mod argument;
mod board;
mod brief;
mod check;
mod claim;
mod config;
mod daemon;
mod doctor;
mod doing;
mod envelope;
mod event;
pub mod excerpt;
mod fault;
mod finding;
mod init;
mod inspection;
mod land;
mod log;
mod message;
mod next;
mod of_ops;
mod overview;
mod pause;
mod radar;
mod reflection;
mod refusal;
mod status;
mod sync;
mod task;
pub mod told;
pub mod visible;
pub mod width;

pub use advice::{command_line, line, worded};
pub use agent::{AgentJson, AgentsJson, LeftJson};
pub use argument::{Args, Field, Type, schema};
pub use board::{BoardJson, WrittenJson};
pub use brief::{Cut, brief};
pub use check::{CheckEntryJson, CheckJson, CheckListJson, CheckedJson, ChecksJson, PassingJson};
pub use claim::{ClaimJson, ClaimedJson, ClaimsJson, ReleasedJson};
pub use config::{SettingJson, SettingsJson};
pub use daemon::DaemonJson;
pub use doctor::{DiagnosisJson, DoctorJson, FactsJson};
pub use doing::{of_step, of_transfer};
pub use envelope::{Envelope, Outcome};
pub use event::EventJson;
pub use fault::{Fault, Holding, Kind};
pub use finding::FindingJson;
pub use init::InitJson;
pub use inspection::InspectionJson;
pub use land::LandJson;
pub use log::LogEventJson;
pub use message::{AckJson, MessageJson, MessagesJson};
pub use next::NextJson;
pub use of_ops::{of, on};
pub use overview::OverviewJson;
pub use pause::{PauseJson, PausedJson};
pub use radar::{PairJson, RadarJson};
pub use reflection::ReflectionJson;
pub use status::{ExcerptJson, QueueJson, StatusJson, sentence, what_next, when_done};
pub use sync::{LostJson, SyncJson};
pub use task::{BlockJson, HandoffJson, ShownJson, SubmissionJson, TaskJson, TasksJson};

/// Returns the words of a list, in order.
pub fn texts<T: ToString>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

/// Returns the words of something that may be missing.
pub fn text<T: ToString>(item: Option<&T>) -> Option<String> {
    item.map(ToString::to_string)
}

/// Returns a path as git prints it: in quotes, with escapes, where it is no plain text.
pub fn show(path: &[u8]) -> String {
    if let Ok(text) = str::from_utf8(path)
        && !text.contains(|c: char| c.is_control() || c == '"')
    {
        return text.to_owned();
    }
    let mut out = "\"".to_owned();
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                c if c.is_control() => {
                    out.extend(c.to_string().bytes().map(|byte| format!("\\{byte:03o}")));
                }
                c => out.push(c),
            }
        }
        out.extend(chunk.invalid().iter().map(|byte| format!("\\{byte:03o}")));
    }
    out.push('"');
    out
}
