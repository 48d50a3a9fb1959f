//! The daemon of a clone: exchanges with the remote as soon as something changes, and looks after
//! agents that cannot do so themselves. Every command is correct without it.
//!
//! One thread does everything in turn; a second watches the refs, a third the signals, and both
//! only wake the first. What is due when is decided by [`schedule`], without a clock.

mod control;
mod journal;
mod lander;
mod run;
mod schedule;
mod state;

pub use control::{Started, Stopped, start, status, stop};
pub use journal::Journal;
pub use run::{Chore, Ended, run};
pub use state::{State, Status};
