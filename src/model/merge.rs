//! Merging two versions of what a record holds: total, commutative, associative and idempotent.
//!
//! Everything in a record is either a log of events (merged by union) or immutable with a place
//! (messages, whose *read* wins). So the merge needs no common ancestor and no person, and any
//! two clones that have seen the same things hold the same record (a state-based CRDT: Shapiro
//! et al., "Conflict-free Replicated Data Types", 2011).

#[cfg(test)]
mod tests;

use super::message::Message;
use super::reflection::Reflection;
use super::task::TaskLog;

/// Merges two versions of one task.
pub fn merge_tasks(a: TaskLog, b: TaskLog) -> TaskLog {
    TaskLog {
        log: a.log.merge(b.log),
        ..a
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
