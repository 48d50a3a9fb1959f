//! What a coding agent's harness asks, and what it is told: one command behind all events of all
//! harnesses.
//!
//! [`input`] reads what any of them gives and [`output`] answers in its format; between the two
//! nobody knows which one asks. [`edits`] finds the files of a call, [`facts`] what there is to say
//! to an agent, [`respond`] when it is said, and that it is said once. The words are the command
//! line's.

mod before_edit;
mod edits;
mod facts;
mod input;
mod output;
mod patch;
mod respond;
mod tool;
mod wake;

pub use before_edit::judge;
pub use edits::{Edit, by_repository, edits};
pub use facts::Fact;
pub use input::{BEFORE_STOP, Input};
pub use output::{Answer, Printed, Reader};
pub use respond::{Asking, Part, Reply, respond};
