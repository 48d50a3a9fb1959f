//! Who is on the team.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::claim::CloneId;
use super::event::{Kind, Log};
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
    /// Where it last joined; unknown of people, and of agents that an older version let join.
    pub home: Option<Home>,
}

/// The clone an agent's name belongs to: two processes of one name in two clones would take each
/// other's work for their own. A person may sit at several machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    pub clone: CloneId,
    pub since: Timestamp,
}

impl Agent {
    /// Returns what it said of itself, as said anew in `clone`.
    pub fn profile_in(&self, clone: CloneId) -> Profile {
        Profile {
            kind: self.kind,
            role: self.role.clone(),
            lanes: self.lanes.clone(),
            wip: self.wip,
            clone: (self.kind == AgentKind::Agent).then_some(clone),
        }
    }
}

/// What an agent says of itself when it joins.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Profile {
    pub kind: AgentKind,
    pub role: Option<String>,
    pub lanes: BTreeSet<Lane>,
    pub wip: Option<u32>,
    /// Where it joined; not said by who only changes what is known of an agent.
    pub clone: Option<CloneId>,
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

    /// Returns the agent that says this of itself `at` a time, having joined `before` or not.
    fn of(&self, name: &AgentName, at: Timestamp, before: Option<Agent>) -> Agent {
        let home = self.clone.clone().map(|clone| Home { clone, since: at });
        let home = home.or_else(|| before.as_ref()?.home.clone());
        Agent {
            name: name.clone(),
            kind: self.kind,
            role: self.role.clone(),
            lanes: self.lanes.clone(),
            wip: self.wip,
            joined: before.map_or(at, |before| before.joined),
            home: home.filter(|_| self.kind != AgentKind::Human),
        }
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
    /// Left the team. The name is free for whoever joins next.
    Left,
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
            AgentEvent::Left => "left",
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
    /// Returns the agent, or `None` if it is not on the team: it never joined, or it has left.
    pub fn fold(&self) -> Option<Agent> {
        let (agent, left) = self.last_known()?;
        left.is_none().then_some(agent)
    }

    /// Returns the agent as it was last known, and when it left, if it has.
    ///
    /// Whoever joins under a name that was left begins anew.
    pub fn last_known(&self) -> Option<(Agent, Option<Timestamp>)> {
        let mut known: Option<(Agent, Option<Timestamp>)> = None;
        let mut first_left = None;
        for (stamp, event) in self.log.in_force() {
            match &event.kind {
                AgentEvent::Joined(profile) => {
                    let before = match known {
                        Some((agent, None)) => Some(agent),
                        Some((_, Some(_))) | None => None,
                    };
                    known = Some((profile.of(&self.name, stamp.at(), before), None));
                }
                AgentEvent::Left => {
                    first_left.get_or_insert(stamp.at());
                    if let Some((_, left)) = &mut known {
                        left.get_or_insert(stamp.at());
                    }
                }
                AgentEvent::Retracted { .. } | AgentEvent::Unknown { .. } => {}
            }
        }
        // Somebody joined, whatever was done to the id of that event.
        known.or_else(|| {
            let (joined, profile) =
                self.log
                    .iter()
                    .find_map(|(stamp, event)| match &event.kind {
                        AgentEvent::Joined(profile) => Some((stamp.at(), profile)),
                        _ => None,
                    })?;
            Some((profile.of(&self.name, joined, None), first_left))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::moment::Moment;
    use crate::model::name::Author;

    #[test]
    fn who_left_is_not_on_the_team_and_the_name_begins_anew() {
        let mut log = AgentLog {
            name: "kai".parse().unwrap(),
            log: Log::default(),
        };
        let mut happen = |millis: u128, event| {
            let stamp = Stamp::from_bits(millis << 80);
            log.log.push(stamp, Author::lossy("kai"), event);
            log.clone()
        };
        assert_eq!(happen(1, AgentEvent::Left).last_known(), None);
        let coder = Profile {
            role: Some("coder".to_owned()),
            ..Profile::default()
        };
        happen(2, AgentEvent::Joined(coder.clone()));
        let again = happen(3, AgentEvent::Joined(coder)).fold().unwrap();
        assert_eq!(again.joined, Timestamp(2));
        happen(4, AgentEvent::Left);
        let gone = happen(5, AgentEvent::Left);
        assert_eq!(gone.fold(), None);
        assert_eq!(gone.last_known(), Some((again, Some(Timestamp(4)))));
        let new = happen(6, AgentEvent::Joined(Profile::default()));
        let new = new.fold().unwrap();
        assert_eq!((new.joined, new.role), (Timestamp(6), None));
    }

    #[test]
    fn who_joined_with_an_id_of_no_time_is_on_the_team_until_it_leaves() {
        let mut log = AgentLog {
            name: "kai".parse().unwrap(),
            log: Log::default(),
        };
        let moment = Moment::new(Timestamp(1), Timestamp(1));
        let mut rng = fastrand::Rng::with_seed(1);
        let last = Stamp::from_bits(u128::MAX);
        let kai = Author::lossy("kai");
        let joined = AgentEvent::Joined(Profile::default());
        log.log.push(last, kai.clone(), joined);
        log.log.disown(moment, &mut rng);
        assert!(log.fold().is_some());
        (log.log).append(moment, &mut rng, kai.clone(), AgentEvent::Left);
        assert_eq!(log.fold(), None);
        // And who was said to have left with one has not.
        let joined = AgentEvent::Joined(Profile::default());
        log.log.append(moment, &mut rng, kai.clone(), joined);
        log.log
            .push(Stamp::from_bits(u128::MAX - 1), kai, AgentEvent::Left);
        log.log.disown(moment, &mut rng);
        assert!(log.fold().is_some());
    }
}
