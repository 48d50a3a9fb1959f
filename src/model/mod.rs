//! Values and rules: what a task, a claim or a message is, and what may happen to it.
//!
//! Nothing here reads a clock, a file, an environment or a repository, so every rule can be
//! tested without one. Time and randomness come in as values.

pub mod advice;
pub mod agent;
#[cfg(test)]
pub mod arbitrary;
pub mod audit;
pub mod batch;
pub mod board;
pub mod check;
pub mod claim;
pub mod deadline;
pub mod decide;
pub mod enforce;
pub mod event;
pub mod extra;
pub mod fit;
pub mod glance;
pub mod harness;
pub mod id;
pub mod mend;
pub mod merge;
pub mod message;
pub mod moment;
pub mod name;
pub mod observe;
pub mod path;
pub mod presence;
pub mod queue;
pub mod reflection;
pub mod review;
pub mod rule;
pub mod settings;
pub mod share;
pub mod stack;
pub mod task;
pub mod text;
pub mod time;
