//! Events: the history from which every state is computed.
//!
//! A task, an agent and the settings all have the same shape: a log of events by id, folded
//! into a state. Merging two logs is the union of their events, whatever they are about.

use std::collections::BTreeMap;

use super::extra::Extra;
use super::id::{Fence, Stamp};
use super::name::Author;

/// One event: who did what. When is in the id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event<K> {
    pub by: Author,
    pub kind: K,
    /// Where it stands among all that was decided; `None` if it needed no decision, or if it is of
    /// version 0.1, which did not note it.
    pub decided: Option<Decided>,
    pub extra: Extra,
}

/// The place of an event in the one line of decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decided {
    /// The number of the claims table's version that was published with it.
    pub epoch: u64,
    /// The claim it is about, where there was one.
    pub under: Option<Fence>,
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
        self.push_decided(id, by, kind, None);
    }

    pub fn push_decided(&mut self, id: Stamp, by: Author, kind: K, decided: Option<Decided>) {
        let extra = Extra::default();
        let event = Event {
            by,
            kind,
            decided,
            extra,
        };
        self.insert(id, event);
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Stamp, &Event<K>)> {
        self.events.iter().map(|(id, event)| (*id, event))
    }

    /// Returns the events in the order in which they count.
    ///
    /// What was decided stands in the order of the decisions, whatever the clocks of those who
    /// decided said; all else, and what version 0.1 decided, by its id. Of the next of both, the
    /// one with the lesser id goes first, so the order follows from the events alone.
    pub fn in_order(&self) -> Vec<(Stamp, &Event<K>)> {
        let (mut decided, free): (Vec<_>, Vec<_>) =
            self.iter().partition(|(_, event)| event.decided.is_some());
        let is_in_order = |pair: &[(Stamp, &Event<K>)]| epoch(pair[0].1) <= epoch(pair[1].1);
        if decided.windows(2).all(is_in_order) {
            return self.iter().collect();
        }
        decided.sort_by_key(|(id, event)| (epoch(event), *id));
        let mut ordered = Vec::with_capacity(self.len());
        let mut free = free.into_iter().peekable();
        for (id, event) in decided {
            while let Some(other) = free.next_if(|(other, _)| *other < id) {
                ordered.push(other);
            }
            ordered.push((id, event));
        }
        ordered.extend(free);
        ordered
    }

    /// Returns the highest number under which anything in it was decided.
    pub fn last_epoch(&self) -> u64 {
        let epochs = self.events.values().filter_map(epoch);
        epochs.max().unwrap_or_default()
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

fn epoch<K>(event: &Event<K>) -> Option<u64> {
    event.decided.map(|decided| decided.epoch)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::time::Timestamp;

    fn log(events: &[(i64, Option<u64>)]) -> Log<usize> {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut log = Log::default();
        for (n, (at, epoch)) in events.iter().enumerate() {
            let stamp = Stamp::new(Timestamp(*at), &mut rng, None);
            let decided = epoch.map(|epoch| Decided { epoch, under: None });
            log.push_decided(stamp, Author::reflectt(), n, decided);
        }
        log
    }

    fn order(events: &[(i64, Option<u64>)]) -> Vec<usize> {
        let log = log(events);
        log.in_order().iter().map(|(_, event)| event.kind).collect()
    }

    #[test]
    fn what_was_decided_stands_in_the_order_of_the_decisions() {
        // Decided by a clock that is ahead, then by one that is behind, with a comment between.
        assert_eq!(
            order(&[(90, Some(1)), (20, Some(2)), (50, None)]),
            [2, 0, 1]
        );
        assert_eq!(
            order(&[(20, Some(2)), (90, Some(1)), (95, None)]),
            [1, 0, 2]
        );
        // What version 0.1 wrote stands where its clock says.
        assert_eq!(order(&[(30, None), (10, None), (20, None)]), [1, 2, 0]);
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_epochs_and_loses_nothing(
            events in prop::collection::vec((0..50_i64, prop::option::of(0..9_u64)), 0..12),
        ) {
            let log = log(&events);
            let ordered = log.in_order();
            prop_assert_eq!(ordered.len(), events.len());
            let epochs: Vec<u64> = ordered.iter().filter_map(|(_, event)| epoch(event)).collect();
            prop_assert!(epochs.is_sorted());
            let free = ordered.iter().filter(|(_, event)| event.decided.is_none());
            prop_assert!(free.map(|(id, _)| id).is_sorted());
        }
    }
}
