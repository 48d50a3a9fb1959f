//! Files on the branch: TOML to values of the model, and back.
//!
//! These shapes are a public promise. Every file has a `format` number; keys that this version
//! does not know are kept; keys come in a fixed order, so that the same value is always the same
//! bytes and git stores it once. Reading what was printed and printing it again changes nothing.

mod agent;
mod check;
mod claim;
mod error;
mod field;
mod message;
mod presence;
mod reader;
mod reflection;
mod settings;
mod task;
mod value;
mod writer;

#[cfg(test)]
mod tests;

pub use agent::{ParsedAgent, ShownAgent, parse_agent, print_agent};
pub use check::{CHECKS_FILE, parse_checks};
pub use claim::{parse_claim, parse_table, print_claim, print_table};
pub use error::FormatError;
pub use message::{parse_message, print_message};
pub use presence::{parse_signs, print_signs};
pub use reflection::{parse_reflection, print_reflection};
pub use settings::{ParsedSettings, parse_settings, print_settings};
pub use task::{ParsedTask, Shown, parse_task, print_task};
pub use value::rfc3339;

/// The format that this version writes, and the newest it reads.
pub const FORMAT: i64 = 1;

/// Under which key files show when something happened, for people who browse the branch. The time
/// that counts is in the id, so this one is never read.
const AT: &str = "at";

/// The number of the format of the claims table. Who reads only a lower one cannot decide on it:
/// from 2 on, all that decides moves the table and its number stands in the events.
pub const TABLE_FORMAT: i64 = 2;

/// The largest file that is read, in bytes (1 MiB).
pub const MAX_BYTES: usize = 1024 * 1024;
