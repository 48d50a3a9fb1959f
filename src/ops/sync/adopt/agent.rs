//! Who is on the team, edited by hand.

use crate::format::{self, ShownAgent};
use crate::model::agent::{AgentEvent, AgentLog, Profile};
use crate::model::event::Log;
use crate::model::name::AgentName;
use crate::ops::OpsError;
use crate::store::layout;

use super::{Adopted, Edit};

impl Adopted {
    pub(super) fn agent(&mut self, edit: &Edit) -> Result<(), OpsError> {
        let parsed = match edit.read(format::parse_agent)? {
            Ok(parsed) => parsed,
            Err(reason) => {
                self.unreadable(edit, &reason);
                return Ok(());
            }
        };
        let called = layout::agent_at(&edit.file.path).unwrap_or_default();
        let name: AgentName = match called.parse() {
            Ok(name) => name,
            Err(error) => {
                self.refuse(edit, error, "give the file the name of the agent");
                return Ok(());
            }
        };
        if let Some(other) = parsed.name.filter(|other| *other != name) {
            let next = format!("call the file `{}`", layout::agent_path(&other));
            self.refuse(edit, format_args!("it says that it is of `{other}`"), next);
            return Ok(());
        }
        let before = edit.read_before(format::parse_agent)?;
        // A file that came with its events was not edited: it was brought from elsewhere.
        if edit.file.before.is_none() && !parsed.log.is_empty() {
            return Ok(());
        }
        let mut seen = AgentLog {
            name: name.clone(),
            log: parsed.log,
        };
        let mut shown_before = None;
        if let Some(before) = before {
            seen.log = seen.log.merge(before.log);
            shown_before = Some(before.shown);
        }
        let known = seen.last_known();
        let said = known.as_ref().map(|(agent, _)| ShownAgent::of(agent));
        let mut wanted = change(&parsed.shown, shown_before.as_ref(), said.as_ref());
        if wanted.is_some() && matches!(known, Some((_, Some(_)))) {
            let next = format!("use `reflectt join {name}`");
            self.refuse(edit, format_args!("`{name}` has left the team"), next);
            wanted = None;
        }
        let untrue = said.as_ref() != Some(&parsed.shown);

        let agents = &mut self.changes.agents;
        let had = agents.iter().position(|log| log.name == name);
        let had = had.map(|at| agents.remove(at));
        let kept = had.is_some();
        let mut log = match had {
            Some(log) => log,
            None => match edit.snapshot.agent_log(&name)? {
                Some(log) => log,
                // Taken away again, before anybody could adopt it.
                None if !is_there(edit)? => return Ok(()),
                None => AgentLog {
                    name: name.clone(),
                    log: Log::default(),
                },
            },
        };
        let events = wanted.into_iter().map(AgentEvent::Joined).collect();
        let added = edit.add(&mut log.log, &seen.log, events, |_, event| match event {
            AgentEvent::Joined(profile) => {
                let checked = profile.clone().checked();
                checked.map(drop).map_err(|error| error.to_string())
            }
            AgentEvent::Left | AgentEvent::Retracted { .. } | AgentEvent::Unknown { .. } => Ok(()),
        });
        for reason in added.refused {
            let next = format!("correct it there, or use `reflectt join {name}`");
            self.refuse(edit, reason, next);
        }
        // The file shows what a person wrote until it is written anew.
        let shows_wrong = untrue && edit.here && log.last_known().is_some();
        if kept || added.changed || shows_wrong {
            if edit.here {
                // What it says is in the events by then.
                self.changes.remove.push(edit.file.path.clone());
            }
            self.changes.agents.push(log);
        }
        Ok(())
    }
}

/// Returns the profile that a person gave an agent, or `None` if they left it as it was.
///
/// It follows from the commit alone, so that every clone makes the same event of it. `said` is
/// what the events say that the person saw; `None` for an agent that they put on the team.
fn change(
    shown: &ShownAgent,
    before: Option<&ShownAgent>,
    said: Option<&ShownAgent>,
) -> Option<Profile> {
    // Nobody is neither agent nor human: without a word it stays.
    let kind = shown.kind.or(said.and_then(|said| said.kind));
    let wanted = ShownAgent {
        kind,
        ..shown.clone()
    };
    let left_alone = said.is_some() && (said == Some(&wanted) || before == Some(shown));
    (!left_alone).then(|| Profile {
        kind: kind.unwrap_or_default(),
        role: wanted.role,
        lanes: wanted.lanes.unwrap_or_default(),
        wip: wanted.wip,
        clone: None,
    })
}

/// Tells whether the record has the file in any form.
fn is_there(edit: &Edit) -> Result<bool, OpsError> {
    let snapshot = edit.snapshot;
    let repo = snapshot.store().repo();
    Ok(repo.find_path(snapshot.tree, &edit.file.path)?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agent::AgentKind;

    fn shown(role: Option<&str>, lane: Option<&str>, wip: Option<u32>) -> ShownAgent {
        ShownAgent {
            kind: Some(AgentKind::Agent),
            role: role.map(str::to_owned),
            lanes: lane.map(|lane| [lane.parse().unwrap()].into()),
            wip,
        }
    }

    #[test]
    fn what_was_left_alone_is_what_the_events_say() {
        let said = shown(Some("coder"), Some("backend"), None);
        assert_eq!(change(&said, Some(&said), Some(&said)), None);
        assert_eq!(change(&said, None, Some(&said)), None);
        // Two parts are changed, one of them taken away; without a word the kind stays.
        let edited = ShownAgent {
            kind: None,
            ..shown(Some("reviewer"), None, None)
        };
        let wanted = change(&edited, Some(&said), Some(&said)).unwrap();
        assert_eq!(wanted.role.as_deref(), Some("reviewer"));
        assert!(wanted.lanes.is_empty());
        // An edit of something else in a file that shows an earlier edit.
        assert_eq!(change(&edited, Some(&edited), Some(&said)), None);
    }

    #[test]
    fn a_file_without_events_joins_with_all_it_says() {
        let new = ShownAgent {
            kind: Some(AgentKind::Human),
            ..shown(None, Some("docs"), None)
        };
        let wanted = change(&new, None, None).unwrap();
        assert_eq!((wanted.kind, wanted.lanes.len()), (AgentKind::Human, 1));
        assert_eq!(
            change(&ShownAgent::default(), None, None),
            Some(Profile::default())
        );
    }
}
