//! What a route is: what it is for, what it takes and gives, and what does it.

mod table;

use std::time::Duration;

use serde_json::{Map, Value};

use crate::answer::{Field, Type};
use crate::ops::Exchange;

use super::call::{Call, Reply};
use super::problem::Problem;

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Patch,
}

/// What a route does, which says how long it may take and who acts where nobody is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Looks, for whoever asks.
    Looks,
    /// Looks, as one agent.
    Asks,
    Acts,
    /// Acts, and may run checks before.
    Checks,
    /// Stays, and tells what happens.
    Listens,
}

/// A route.
pub struct Route {
    pub verb: Verb,
    pub path: &'static str,
    pub what: &'static str,
    pub does: Does,
    pub query: &'static [Field],
    /// Those that must be there come first.
    pub body: &'static [Field],
    pub required: usize,
    /// Fields that name who acts, beside those of every body.
    pub names: &'static [&'static str],
    /// Other names of fields, and ours.
    pub also: &'static [(&'static str, &'static str)],
    /// Fields that are taken, and not kept.
    pub dropped: &'static [&'static str],
    /// What every answer has; of Markdown and events there is nothing to say.
    pub gives: &'static [(&'static str, Type)],
    pub run: fn(&Call) -> Result<Reply, Problem>,
}

impl Verb {
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Patch => "PATCH",
        }
    }
}

impl Does {
    /// Returns how long it may take.
    pub fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Does::Looks | Does::Asks | Does::Listens => 30,
            Does::Acts => 120,
            Does::Checks => 1_800,
        })
    }

    /// Returns when what was done goes to the remote.
    pub fn exchange(self) -> Exchange {
        match self {
            Does::Looks | Does::Asks | Does::Listens => Exchange::Later,
            Does::Acts | Does::Checks => Exchange::Now,
        }
    }
}

impl Route {
    pub fn all() -> &'static [Route] {
        &table::ROUTES
    }

    pub fn takes_body(&self) -> bool {
        self.verb != Verb::Get
    }

    /// Returns the name in the path of the agent who acts.
    pub fn acts_in_path(&self) -> bool {
        self.path.contains("{agent}")
    }

    /// Returns whom a body without a name stands for: a task that is set to `doing` for somebody
    /// is claimed by them.
    pub fn stands_for<'g>(&self, given: &'g Map<String, Value>) -> Option<&'g str> {
        let status = given.get("status").and_then(Value::as_str);
        let starts = matches!(status, Some("doing" | "in-progress" | "in_progress"));
        let patches = self.verb == Verb::Patch && starts;
        given.get("assignee").filter(|_| patches)?.as_str()
    }
}
