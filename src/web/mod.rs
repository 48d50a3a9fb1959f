//! The team by HTTP, for this machine.
//!
//! `route` is the one table of what there is: the router, what a call may carry and the description
//! at `/openapi.json` are made from it. Each call runs on a thread with a context of its own, as a
//! process of the command line would; nothing is kept between two calls but who listens to
//! `/events`. `docs/http.md` is the contract.

mod answering;
mod call;
mod feed;
mod guard;
mod listener;
mod openapi;
mod patient;
mod problem;
mod received;
mod route;
mod server;
mod shape;
mod taken;
mod words;

pub use server::{Options, Server, Stop};

use crate::answer::Fault;
use crate::model::name::AgentName;
use crate::ops::Context;

/// As whom a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Whoever only looks gives no sign of life.
    Nobody,
    OfTheWorktree,
    Agent(AgentName),
}

/// Opens the repository for one call.
pub type Opener = dyn Fn(Who) -> Result<Context, Fault> + Send + Sync;
