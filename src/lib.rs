//! reflectt: a coordination layer for teams of coding agents that lives in the git repository.
//!
//! The layers and what each owns are described in `ARCHITECTURE.md`.

pub mod answer;
pub mod cli;
pub mod daemon;
pub mod format;
pub mod git;
pub mod hooks;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod model;
pub mod ops;
pub mod setup;
pub mod store;
#[cfg(feature = "tui")]
pub mod tui;
#[cfg(feature = "web")]
pub mod web;
