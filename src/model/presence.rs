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

/// Where an agent gave a sign of life: one of the worktrees of a clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Haunt {
    /// What tells the worktree from the others of the clone.
    pub worktree: String,
    /// Where it was.
    pub path: String,
    /// When the agent went on from there to another one; `None` for the one it was seen in last.
    pub left: Option<Timestamp>,
}

/// Returns the worktree whose end means that the agent has gone: the one it was seen in last.
///
/// `None` if that one is there, or if another one is that the agent was in not long ago: whoever
/// goes to and fro between two does not end with one of them.
pub fn gone_with<'h>(
    haunts: &'h [Haunt],
    is_gone: impl Fn(&Haunt) -> bool,
    now: Timestamp,
    settings: &Settings,
) -> Option<&'h Haunt> {
    let (last, others) = haunts.split_last()?;
    let recent = |haunt: &Haunt| {
        let left = haunt.left.unwrap_or(now);
        now.since(left) < settings.expire_after
    };
    let elsewhere = || others.iter().any(|haunt| recent(haunt) && !is_gone(haunt));
    (is_gone(last) && !elsewhere()).then_some(last)
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
}

impl fmt::Display for Liveness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_last_seen_in_a_worktree_goes_with_it() {
        let settings = Settings::default();
        let now = Timestamp(100 * 60_000);
        let haunt = |name: &str, minutes: Option<i64>| Haunt {
            worktree: name.to_owned(),
            path: format!("/{name}"),
            left: minutes.map(|ago| Timestamp(now.0 - ago * 60_000)),
        };
        let gone_of = |gone: &[&str], haunts: &[Haunt]| {
            let is_gone = |haunt: &Haunt| gone.contains(&haunt.worktree.as_str());
            let found = gone_with(haunts, is_gone, now, &settings);
            found.map(|haunt| haunt.path.clone())
        };
        let alone = [haunt("a", None)];
        assert_eq!(gone_of(&[], &alone), None);
        assert_eq!(gone_of(&["a"], &alone).as_deref(), Some("/a"));
        assert_eq!(gone_of(&["a"], &[]), None);
        // The one before does not matter, if the last is there.
        let two = [haunt("b", Some(5)), haunt("a", None)];
        assert_eq!(gone_of(&["b"], &two), None);
        assert_eq!(gone_of(&["a"], &two), None);
        assert!(gone_of(&["a", "b"], &two).is_some());
        let long_ago = [haunt("b", Some(61)), haunt("a", None)];
        assert!(gone_of(&["a"], &long_ago).is_some());
    }
}
