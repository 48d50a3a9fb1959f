//! Merging two records: total, commutative, associative and idempotent.
//!
//! Everything in a record is either a log of events (merged by union) or immutable with a place
//! (messages, whose *read* wins). So the merge needs no common ancestor and no person, and any
//! two clones that have seen the same things hold the same record (a state-based CRDT: Shapiro
//! et al., "Conflict-free Replicated Data Types", 2011).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::agent::AgentLog;
use super::id::{Stamp, TaskId};
use super::message::Message;
use super::name::AgentName;
use super::reflection::Reflection;
use super::settings::SettingsLog;
use super::task::TaskLog;

/// Two tasks are the same if both the id and the event that made them are: six random
/// characters can collide, and then neither task may swallow the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKey {
    pub id: TaskId,
    pub origin: Option<Stamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    Unread,
    Read,
}

/// A message and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub message: Message,
    pub inboxes: BTreeMap<AgentName, Delivery>,
    pub in_channel: bool,
}

/// A record, or the part of one in which two clones differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    pub tasks: BTreeMap<TaskKey, TaskLog>,
    pub agents: BTreeMap<AgentName, AgentLog>,
    pub settings: SettingsLog,
    pub mail: BTreeMap<Stamp, Mail>,
    pub reflections: BTreeMap<Stamp, Reflection>,
}

impl Record {
    #[must_use]
    pub fn merge(mut self, other: Record) -> Record {
        union(&mut self.tasks, other.tasks, merge_tasks);
        union(&mut self.agents, other.agents, |a, b| AgentLog {
            log: a.log.merge(b.log),
            ..a
        });
        self.settings.log = self.settings.log.merge(other.settings.log);
        union(&mut self.mail, other.mail, Mail::merge);
        union(&mut self.reflections, other.reflections, merge_reflections);
        self
    }
}

/// Merges two versions of one task.
pub fn merge_tasks(a: TaskLog, b: TaskLog) -> TaskLog {
    TaskLog {
        log: a.log.merge(b.log),
        ..a
    }
}

impl Mail {
    #[must_use]
    pub fn merge(mut self, other: Mail) -> Mail {
        union(&mut self.inboxes, other.inboxes, Ord::max);
        self.in_channel |= other.in_channel;
        self.message = merge_messages(self.message, other.message);
        self
    }
}

/// Messages never change; if two differ under one id, every clone picks the same one.
pub fn merge_messages(a: Message, b: Message) -> Message {
    pick(a, b, |m| {
        (
            m.body.clone(),
            m.from.clone(),
            m.to.clone(),
            m.channel.clone(),
            (m.task, m.reply_to, m.urgent, m.notice),
            m.extra.clone(),
        )
    })
}

pub fn merge_reflections(a: Reflection, b: Reflection) -> Reflection {
    pick(a, b, |r| {
        (
            (r.worked.clone(), r.pain.clone(), r.change.clone()),
            r.by.clone(),
            r.task,
            r.severity,
            r.tags.clone(),
            r.extra.clone(),
        )
    })
}

fn pick<T, K: Ord>(a: T, b: T, key: impl Fn(&T) -> K) -> T {
    if key(&b) > key(&a) { b } else { a }
}

fn union<K: Ord, V>(ours: &mut BTreeMap<K, V>, theirs: BTreeMap<K, V>, merge: impl Fn(V, V) -> V) {
    for (key, value) in theirs {
        match ours.entry(key) {
            Entry::Vacant(free) => {
                free.insert(value);
            }
            Entry::Occupied(taken) => {
                let (key, mine) = taken.remove_entry();
                ours.insert(key, merge(mine, value));
            }
        }
    }
}
