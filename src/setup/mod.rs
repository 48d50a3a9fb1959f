//! Wiring a repository into the harnesses of its agents: what goes into which of their files.
//!
//! Everything is planned before anything is written. Files of others are edited in their text, and
//! what is ours in them is recognised by what it runs, so that it can be brought up to date and
//! taken out again without a record of what was done.

mod approvals;
mod block;
mod diff;
mod draft;
mod entries;
mod error;
mod instructions;
mod json;
mod place;
mod plan;
mod report;
mod server_table;
mod servers;
mod table;
mod value;
mod verify;
mod write;

pub use diff::diff;
pub use draft::Draft;
pub use entries::Strictness;
pub use error::SetupError;
pub use instructions::GUIDE;
pub use place::{Home, Place, traces};
pub use plan::{Plan, Purpose, State, install, is_set_up, remove};
pub use report::{FileJson, HarnessJson, SetupJson, todo};
pub use verify::{Flaw, is_program, verify};
pub use write::write;

use crate::model::harness::Harness;

/// Returns what a harness's settings hold for our hooks, and nothing else.
pub fn snippet(harness: Harness) -> String {
    let hooks = entries::all_hooks(harness, Strictness::AsItIs);
    let style = value::Style {
        newline: "\n",
        unit: "  ".to_owned(),
    };
    let file = value::Value::Fields(vec![("hooks", hooks)]);
    format!("{}\n", file.render(&style, ""))
}

#[cfg(test)]
mod tests;
