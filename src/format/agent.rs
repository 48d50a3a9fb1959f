//! An agent's file: its profile, and the events of its joining.

use std::collections::BTreeSet;

use crate::model::agent::{Agent, AgentEvent, AgentKind, AgentLog, Profile};
use crate::model::event::Log;
use crate::model::name::{AgentName, Lane};

use super::FormatError;
use super::field;
use super::reader::Reader;
use super::writer::Writer;

/// An agent's file, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedAgent {
    /// Missing only from a file that a person wrote, which has no events.
    pub name: Option<AgentName>,
    pub log: Log<AgentEvent>,
    pub shown: ShownAgent,
}

impl ParsedAgent {
    /// Returns the agent, or `None` for a file that a person wrote without a name.
    pub fn into_log(self) -> Option<AgentLog> {
        Some(AgentLog {
            name: self.name?,
            log: self.log,
        })
    }
}

/// The profile as a file shows it, which a person may have edited. What is empty is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownAgent {
    pub kind: Option<AgentKind>,
    pub role: Option<String>,
    pub lanes: Option<BTreeSet<Lane>>,
    pub wip: Option<u32>,
}

impl ShownAgent {
    /// Returns what the file of `agent` shows if nobody edited it.
    pub fn of(agent: &Agent) -> ShownAgent {
        ShownAgent {
            kind: Some(agent.kind),
            role: agent.role.clone().filter(|role| !role.is_empty()),
            lanes: Some(agent.lanes.clone()).filter(|lanes| !lanes.is_empty()),
            wip: agent.wip,
        }
    }

    fn read(file: &mut Reader) -> Result<ShownAgent, FormatError> {
        Ok(ShownAgent {
            kind: file.opt("kind", field::parsed)?,
            role: file
                .opt("role", field::note)?
                .filter(|role| !role.is_empty()),
            lanes: file
                .opt("lanes", field::list(field::parsed))?
                .filter(|lanes: &BTreeSet<Lane>| !lanes.is_empty()),
            wip: file.opt("wip", field::number)?,
        })
    }
}

/// Reads an agent's file. Without events, anything that the agent is said to be is enough.
pub fn parse_agent(bytes: &[u8]) -> Result<ParsedAgent, FormatError> {
    let mut file = Reader::open(bytes)?;
    let name = file.opt("name", field::parsed)?;
    let shown = ShownAgent::read(&mut file)?;
    let mut log = file.events(read_event, |kind| AgentEvent::Unknown { kind })?;
    if name.is_none() && (!log.is_empty() || shown == ShownAgent::default()) {
        return Err(file.missing("name"));
    }
    // They follow from the events; an edit by hand of them says nothing.
    file.skip(&["joined", "clone", "left"]);
    log.extra = file.extra()?;
    Ok(ParsedAgent { name, log, shown })
}

/// Prints an agent: the profile its events fold into, the last one of who has left, and the events.
pub fn print_agent(agent: &AgentLog) -> String {
    let mut out = Writer::new();
    out.word("name", &agent.name);
    if let Some((state, left)) = agent.last_known() {
        out.word("kind", state.kind);
        out.opt_text("role", state.role.as_deref());
        out.list("lanes", &state.lanes);
        if let Some(wip) = state.wip {
            out.number("wip", wip);
        }
        out.time("joined", state.joined);
        if let Some(home) = &state.home {
            out.word("clone", &home.clone);
        }
        if let Some(left) = left {
            out.time("left", left);
        }
    }
    out.extra(&agent.log.extra);
    for (id, event) in agent.log.iter() {
        out.event(id, event, event.kind.name());
        if let AgentEvent::Joined(profile) = &event.kind {
            // `kind` is that of the event.
            out.flag("human", profile.kind == AgentKind::Human);
            out.opt_text("role", profile.role.as_deref());
            out.list("lanes", &profile.lanes);
            if let Some(wip) = profile.wip {
                out.number("wip", wip);
            }
            if let Some(clone) = &profile.clone {
                out.word("clone", clone);
            }
        }
        out.retracted(&event.kind);
        out.extra(&event.extra);
    }
    out.finish()
}

fn read_event(kind: &str, table: &mut Reader) -> Result<Option<AgentEvent>, FormatError> {
    match kind {
        "joined" => {}
        "left" => return Ok(Some(AgentEvent::Left)),
        _ => return Ok(None),
    }
    Ok(Some(AgentEvent::Joined(Profile {
        kind: match table.opt("human", field::flag)? {
            Some(true) => AgentKind::Human,
            Some(false) | None => AgentKind::Agent,
        },
        role: table.opt("role", field::note)?,
        lanes: table
            .opt("lanes", field::list(field::parsed))?
            .unwrap_or_default(),
        wip: table.opt("wip", field::number)?,
        clone: table.opt("clone", field::parsed)?,
    })))
}
