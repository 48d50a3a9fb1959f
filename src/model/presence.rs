//! How alive an agent is, judged by the age of its last heartbeat.

use std::collections::BTreeMap;
use std::fmt;

use super::name::AgentName;
use super::settings::Settings;
use super::time::{Span, Timestamp};

/// When an agent was last seen, as this machine measured it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    pub seen: Timestamp,
    /// What it said it was doing.
    pub note: Option<String>,
    /// It said goodbye: its process ended.
    pub signed_off: bool,
}

/// What a clone says of one of its agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// Its last heartbeat by that clone's clock: for others a value that changes, and no time.
    pub at: Timestamp,
    pub note: Option<String>,
    pub signed_off: bool,
}

/// What a clone says of its agents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signs {
    pub agents: BTreeMap<AgentName, Sign>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Liveness {
    Active,
    Idle,
    Stale,
    /// Not heard of for so long that its claims are expired, or signed off.
    Offline,
}

impl Liveness {
    pub fn as_str(self) -> &'static str {
        match self {
            Liveness::Active => "active",
            Liveness::Idle => "idle",
            Liveness::Stale => "stale",
            Liveness::Offline => "offline",
        }
    }

    /// Judges by the age of the last heartbeat; thresholds are settings.
    pub fn of(age: Span, settings: &Settings) -> Liveness {
        if age >= settings.expire_after {
            Liveness::Offline
        } else if age >= settings.stale_after {
            Liveness::Stale
        } else if age >= settings.idle_after {
            Liveness::Idle
        } else {
            Liveness::Active
        }
    }
}

impl Heartbeat {
    pub fn liveness(&self, now: Timestamp, settings: &Settings) -> Liveness {
        if self.signed_off {
            Liveness::Offline
        } else {
            Liveness::of(now.since(self.seen), settings)
        }
    }

    /// Returns whether the agent's claims may be taken from it.
    ///
    /// Signing off is not enough: an agent whose process ended may be started again in a
    /// moment, and its half-done work is in its worktree.
    pub fn expired(&self, now: Timestamp, settings: &Settings) -> bool {
        now.since(self.seen) >= settings.expire_after
    }
}

impl fmt::Display for Liveness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
