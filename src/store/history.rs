//! The record through time: earlier versions of a file, and the events of each commit.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::{self, ParsedAgent};
use crate::git::{Commit, GitError, Oid};
use crate::model::agent::AgentEvent;
use crate::model::claim::Table;
use crate::model::id::{Stamp, TaskId};
use crate::model::message::Message;
use crate::model::name::{AgentName, Author};
use crate::model::reflection::Reflection;
use crate::model::settings::SettingsEvent;
use crate::model::task::TaskEvent;

use super::{Store, StoreError, layout, shelf, table};

/// What an event in the log is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    Task {
        id: TaskId,
        title: String,
        event: TaskEvent,
    },
    Message(Message),
    Reflection(Reflection),
    Agent {
        name: AgentName,
        event: AgentEvent,
    },
    Settings {
        key: String,
        value: String,
    },
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEvent {
    pub id: Stamp,
    pub by: Author,
    pub subject: Subject,
}

impl Store {
    /// Returns every version of the claims table up to `tip`, oldest first.
    pub fn table_versions(&self, tip: Oid) -> Result<Vec<Table>, StoreError> {
        let mut versions = Vec::new();
        for step in self.repo.first_parents(tip)? {
            versions.push(table::read(&self.repo, step?.0)?);
        }
        versions.reverse();
        Ok(versions)
    }

    /// Returns what happened in the commits reachable from `tip` and not from `stop`, oldest
    /// first, and at most the last `limit` of it.
    pub fn events(
        &self,
        tip: Oid,
        stop: Option<Oid>,
        limit: usize,
    ) -> Result<Vec<HistoryEvent>, StoreError> {
        let mut found: Vec<HistoryEvent> = Vec::new();
        let mut seen = BTreeSet::new();
        let commits: Box<dyn Iterator<Item = Result<Commit, GitError>>> = match stop {
            // A merge leads past `stop` to all that lies below it; what is new has to be counted.
            Some(stop) => {
                let beyond = self.repo.commits_beyond(Some(stop), tip)?;
                Box::new(beyond.into_iter().map(|oid| self.repo.read_commit(oid)))
            }
            None => {
                let all = self.repo.history([tip], [])?;
                Box::new(all.map(|step| Ok(step?.1)))
            }
        };
        // A little beyond the limit: commits are ordered by their clocks, events by their ids.
        let enough = match stop {
            Some(_) => usize::MAX,
            None => limit.saturating_add(64),
        };
        for commit in commits {
            let commit = commit?;
            // What a merge brings together, its parents have told.
            if commit.parents.len() > 1 {
                continue;
            }
            let before = match commit.parents.first() {
                Some(parent) => Some(self.repo.read_commit(*parent)?.tree),
                None => None,
            };
            let changes = self.repo.diff_named(before, commit.tree)?;
            // A file that moved, as one that was read or done, has told its story already.
            let gone: BTreeMap<String, Oid> = (changes.iter())
                .filter(|change| change.new.is_none())
                .filter_map(|change| {
                    Some((layout::identity(&change.path_text()), change.old_file()?))
                })
                .collect();
            for change in &changes {
                if let Some(new) = change.new_file() {
                    let path = change.path_text().into_owned();
                    let old = change
                        .old_file()
                        .or(gone.get(&layout::identity(&path)).copied());
                    for event in self.events_in(&path, old, new)? {
                        if seen.insert(event.id) {
                            found.push(event);
                        }
                    }
                }
            }
            if found.len() >= enough {
                break;
            }
        }
        found.sort_by_key(|event| event.id);
        let surplus = found.len().saturating_sub(limit);
        Ok(found.split_off(surplus))
    }

    /// Returns what a new version of a file tells that the old one does not.
    fn events_in(
        &self,
        path: &str,
        old: Option<Oid>,
        new: Oid,
    ) -> Result<Vec<HistoryEvent>, StoreError> {
        let (top, _) = path.split_once('/').unwrap_or((path, ""));
        let bytes = |oid| -> Result<Vec<u8>, GitError> {
            Ok(shelf::read_bytes(&self.repo, oid)?.unwrap_or_default())
        };
        Ok(match top {
            layout::TASKS | layout::ARCHIVE => self.task_events(path, old, new)?,
            // These never change: what was there before was told.
            layout::INBOX | layout::CHANNELS | layout::REFLECTIONS if old.is_some() => Vec::new(),
            layout::INBOX | layout::CHANNELS => match format::parse_message(&bytes(new)?) {
                Ok(message) => vec![HistoryEvent {
                    id: message.id,
                    by: message.from.clone(),
                    subject: Subject::Message(message),
                }],
                Err(_) => Vec::new(),
            },
            layout::REFLECTIONS => match format::parse_reflection(&bytes(new)?) {
                Ok(reflection) => vec![HistoryEvent {
                    id: reflection.id,
                    by: reflection.by.clone(),
                    subject: Subject::Reflection(reflection),
                }],
                Err(_) => Vec::new(),
            },
            layout::AGENTS | layout::CONFIG => {
                let mut events = stated_events(top, &bytes(new)?);
                if let Some(old) = old {
                    let old = stated_events(top, &bytes(old)?);
                    let known: BTreeSet<Stamp> = old.iter().map(|event| event.id).collect();
                    events.retain(|event| !known.contains(&event.id));
                }
                events
            }
            _ => Vec::new(),
        })
    }

    fn task_events(
        &self,
        path: &str,
        old: Option<Oid>,
        new: Oid,
    ) -> Result<Vec<HistoryEvent>, StoreError> {
        let Ok(log) = shelf::read_task(&self.repo, path, new)? else {
            return Ok(Vec::new());
        };
        let known: BTreeSet<Stamp> = match old {
            Some(old) => shelf::read_task(&self.repo, path, old)?
                .map(|log| log.log.iter().map(|(stamp, _)| stamp).collect())
                .unwrap_or_default(),
            None => BTreeSet::new(),
        };
        let title = log
            .fold()
            .map(|folded| folded.task.title)
            .unwrap_or_default();
        Ok(log
            .log
            .iter()
            .filter(|(stamp, _)| !known.contains(stamp))
            .map(|(stamp, event)| HistoryEvent {
                id: stamp,
                by: event.by.clone(),
                subject: Subject::Task {
                    id: log.id,
                    title: title.clone(),
                    event: event.kind.clone(),
                },
            })
            .collect())
    }
}

/// Returns the events in a file of an agent or of the settings; none if it cannot be read.
fn stated_events(top: &str, bytes: &[u8]) -> Vec<HistoryEvent> {
    if top == layout::AGENTS {
        let Ok(Some(agent)) = format::parse_agent(bytes).map(ParsedAgent::into_log) else {
            return Vec::new();
        };
        let events = agent.log.iter().map(|(id, event)| HistoryEvent {
            id,
            by: event.by.clone(),
            subject: Subject::Agent {
                name: agent.name.clone(),
                event: event.kind.clone(),
            },
        });
        return events.collect();
    }
    let Ok(config) = format::parse_settings(bytes) else {
        return Vec::new();
    };
    let events = config.log.log.iter();
    let set = events.filter_map(|(id, event)| match &event.kind {
        SettingsEvent::Set { key, value } => Some(HistoryEvent {
            id,
            by: event.by.clone(),
            subject: Subject::Settings {
                key: key.clone(),
                value: value.clone(),
            },
        }),
        _ => None,
    });
    set.collect()
}
