//! End-to-end tests: real processes of the real binary, in real repositories.
//!
//! One binary, because each would be linked for itself. A new file becomes a module here; a test
//! in `tidy` fails if it is forgotten.

#![cfg(test)]

mod alive;
mod bad_input;
mod branches;
mod by_hand;
mod chaos;
mod checks;
mod clients;
mod crash;
mod daemon;
mod demo;
mod doctor;
mod door;
mod hooks;
mod land;
mod mcp;
mod mechanics;
mod order;
mod paths;
mod promises;
mod publish;
mod races;
mod radar;
mod ranges;
mod readme;
mod real_harness;
mod review_shown;
mod reviews;
mod setup;
mod sharing;
mod storage;
mod support;
mod sync;
mod tasks;
mod team;
mod tidy;
mod transports;
mod trial;
mod ui;
mod waiting;
mod web;
mod words;
mod work_branch;
