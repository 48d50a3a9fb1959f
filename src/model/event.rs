//! Events: the history from which every state is computed.
//!
//! A task, an agent and the settings all have the same shape: a log of events by id, folded
//! into a state. Merging two logs is the union of their events, whatever they are about.

use std::collections::BTreeMap;

use super::extra::Extra;
use super::id::Stamp;
use super::name::Author;

/// One event: who did what. When is in the id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event<K> {
    pub by: Author,
    pub kind: K,
    pub extra: Extra,
}

/// A log of events in the order of their ids, and the keys of the file we do not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log<K> {
    events: BTreeMap<Stamp, Event<K>>,
    pub extra: Extra,
}

impl<K> Default for Log<K> {
    fn default() -> Log<K> {
        Log {
            events: BTreeMap::new(),
            extra: Extra::default(),
        }
    }
}

impl<K: Ord> Log<K> {
    /// Adds an event; the greater of the two where the id is already taken.
    pub fn insert(&mut self, id: Stamp, event: Event<K>) {
        match self.events.entry(id) {
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(event);
            }
            std::collections::btree_map::Entry::Occupied(mut ours) => {
                if event > *ours.get() {
                    ours.insert(event);
                }
            }
        }
    }

    pub fn push(&mut self, id: Stamp, by: Author, kind: K) {
        self.insert(
            id,
            Event {
                by,
                kind,
                extra: Extra::default(),
            },
        );
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Stamp, &Event<K>)> {
        self.events.iter().map(|(id, event)| (*id, event))
    }

    pub fn get(&self, id: Stamp) -> Option<&Event<K>> {
        self.events.get(&id)
    }

    pub fn first(&self) -> Option<Stamp> {
        self.events.keys().next().copied()
    }

    pub fn last(&self) -> Option<Stamp> {
        self.events.keys().next_back().copied()
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Returns every event of both logs.
    ///
    /// Total, commutative, associative and idempotent: an event is immutable, and where two
    /// differ under one id (which no honest writer makes) the greater one stays everywhere.
    #[must_use]
    pub fn merge(mut self, other: Log<K>) -> Log<K> {
        for (id, event) in other.events {
            self.insert(id, event);
        }
        self.extra = self.extra.merge(other.extra);
        self
    }
}
