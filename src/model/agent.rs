//! Who is on the team.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::event::{Event, Kind, Log};
use super::id::Stamp;
use super::name::{AgentName, Lane};
use super::task::{ChoiceError, choose};
use super::text::{self, TextError};
use super::time::Timestamp;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgentKind {
    #[default]
    Agent,
    Human,
}

impl AgentKind {
    pub fn as_str(self) -> &'static str {
        match self {
            AgentKind::Agent => "agent",
            AgentKind::Human => "human",
        }
    }
}

impl FromStr for AgentKind {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<AgentKind, ChoiceError> {
        choose(
            "kind",
            text,
            &[AgentKind::Agent, AgentKind::Human],
            AgentKind::as_str,
        )
    }
}

impl fmt::Display for AgentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The state of an agent's record. Whether it is alive is presence, not record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    pub name: AgentName,
    pub kind: AgentKind,
    pub role: Option<String>,
    pub lanes: BTreeSet<Lane>,
    /// How many tasks it may have in progress; the team's setting if not given.
    pub wip: Option<u32>,
    pub joined: Timestamp,
}

/// What an agent says of itself when it joins.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Profile {
    pub kind: AgentKind,
    pub role: Option<String>,
    pub lanes: BTreeSet<Lane>,
    pub wip: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    #[error(transparent)]
    Role(#[from] TextError),
    #[error("with a limit of 0 tasks in progress it could not work; 1 is the least")]
    NoWork,
}

impl Profile {
    /// Checks what is said of an agent: the role is one line, the limit lets it work.
    pub fn checked(self) -> Result<Profile, ProfileError> {
        if self.wip == Some(0) {
            return Err(ProfileError::NoWork);
        }
        let role = self.role.as_deref().map(text::title).transpose()?;
        Ok(Profile { role, ..self })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgentEvent {
    /// Joined, or joined again with a changed profile: the last one stands.
    Joined(Profile),
    /// An event is disowned, see [`Log::disown`].
    Retracted {
        event: Stamp,
        note: String,
    },
    Unknown {
        kind: String,
    },
}

impl Kind for AgentEvent {
    fn retracted(event: Stamp, note: String) -> AgentEvent {
        AgentEvent::Retracted { event, note }
    }

    fn retracts(&self) -> Option<(Stamp, &str)> {
        match self {
            AgentEvent::Retracted { event, note } => Some((*event, note)),
            _ => None,
        }
    }
}

impl AgentEvent {
    pub fn name(&self) -> &str {
        match self {
            AgentEvent::Joined(_) => "joined",
            AgentEvent::Retracted { .. } => "retracted",
            AgentEvent::Unknown { kind } => kind,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentLog {
    pub name: AgentName,
    pub log: Log<AgentEvent>,
}

impl AgentLog {
    /// Returns the agent, or `None` if it never joined.
    pub fn fold(&self) -> Option<Agent> {
        fn profile((stamp, event): (Stamp, &Event<AgentEvent>)) -> Option<(Stamp, &Profile)> {
            match &event.kind {
                AgentEvent::Joined(profile) => Some((stamp, profile)),
                _ => None,
            }
        }
        let first = self.log.in_force().find_map(profile);
        let last = self.log.in_force().rev().find_map(profile);
        // Somebody joined, whatever was done to the id of that event.
        let made = || self.log.iter().find_map(profile);
        let (joined, _) = first.or_else(made)?;
        let (_, profile) = last.or_else(made)?;
        Some(Agent {
            name: self.name.clone(),
            kind: profile.kind,
            role: profile.role.clone(),
            lanes: profile.lanes.clone(),
            wip: profile.wip,
            joined: joined.at(),
        })
    }
}
