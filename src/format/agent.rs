//! An agent's file: its profile, and the events of its joining.

use crate::model::agent::{AgentEvent, AgentKind, AgentLog, Profile};

use super::FormatError;
use super::field;
use super::reader::Reader;
use super::writer::Writer;

/// Keys that follow from the events.
const COMPUTED: [&str; 5] = ["kind", "role", "lanes", "wip", "joined"];

/// Reads an agent's file.
pub fn parse_agent(bytes: &[u8]) -> Result<AgentLog, FormatError> {
    let mut file = Reader::open(bytes)?;
    let name = file.need("name", field::parsed)?;
    let mut log = file.events(read_event, |kind| AgentEvent::Unknown { kind })?;
    file.skip(&COMPUTED);
    log.extra = file.extra()?;
    Ok(AgentLog { name, log })
}

/// Prints an agent: the profile its events fold into, and the events.
pub fn print_agent(agent: &AgentLog) -> String {
    let mut out = Writer::new();
    out.word("name", &agent.name);
    if let Some(state) = agent.fold() {
        out.word("kind", state.kind);
        out.opt_text("role", state.role.as_deref());
        out.list("lanes", &state.lanes);
        if let Some(wip) = state.wip {
            out.number("wip", wip);
        }
        out.time("joined", state.joined);
    }
    out.extra(&agent.log.extra);
    for (id, event) in agent.log.iter() {
        out.event(id, &event.by, event.kind.name());
        if let AgentEvent::Joined(profile) = &event.kind {
            // `kind` is that of the event.
            out.flag("human", profile.kind == AgentKind::Human);
            out.opt_text("role", profile.role.as_deref());
            out.list("lanes", &profile.lanes);
            if let Some(wip) = profile.wip {
                out.number("wip", wip);
            }
        }
        out.extra(&event.extra);
    }
    out.finish()
}

fn read_event(kind: &str, table: &mut Reader) -> Result<Option<AgentEvent>, FormatError> {
    if kind != "joined" {
        return Ok(None);
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
    })))
}
