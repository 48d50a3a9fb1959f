//! Events: the history from which every state is computed.
//!
//! A task, an agent and the settings all have the same shape: a log of events by id, folded
//! into a state. Merging two logs is the union of their events, whatever they are about.

use std::collections::BTreeMap;

use super::extra::Extra;
use super::id::Stamp;
use super::moment::Moment;
use super::name::Author;

/// What the events of a log are about.
pub trait Kind: Ord {
    /// Returns the event that disowns another.
    fn retracted(event: Stamp, note: String) -> Self;

    /// Returns which event this one disowns, if it does, and why.
    fn retracts(&self) -> Option<(Stamp, &str)>;
}

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

    /// Returns every event, those that were disowned among them.
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

impl<K: Kind> Log<K> {
    /// Adds what happens now under an id of its own, and returns that. It is later than all that
    /// was there, but for what [`Log::disown`] takes out first.
    pub fn append(
        &mut self,
        moment: Moment,
        rng: &mut fastrand::Rng,
        by: Author,
        kind: K,
    ) -> Stamp {
        self.disown(moment, rng);
        self.add(moment, rng, by, kind)
    }

    /// Disowns the events whose ids no clock can have given, and returns those ids.
    ///
    /// That is an event itself. So it is decided once, by whoever writes next, and every clone
    /// follows whatever its own clock says: what a log folds into is a matter of the log alone.
    pub fn disown(&mut self, moment: Moment, rng: &mut fastrand::Rng) -> Vec<Stamp> {
        let far = self.beyond(moment);
        for id in &far {
            self.add(
                moment,
                rng,
                Author::reflectt(),
                K::retracted(*id, FAR.to_owned()),
            );
        }
        far
    }

    fn add(&mut self, moment: Moment, rng: &mut fastrand::Rng, by: Author, kind: K) -> Stamp {
        let stamp = moment.stamp(rng, self.last_believed(moment));
        self.push(stamp, by, kind);
        stamp
    }

    /// Returns the last id that a clock can have given.
    pub fn last_believed(&self, moment: Moment) -> Option<Stamp> {
        let mut ids = self.events.keys().rev();
        ids.find(|id| moment.believes(**id)).copied()
    }

    /// Returns the ids that no clock can have given, without those that were disowned already.
    pub fn beyond(&self, moment: Moment) -> Vec<Stamp> {
        let ids = self.events.keys().rev();
        let mut far: Vec<Stamp> = (ids.take_while(|id| !moment.believes(**id)))
            .copied()
            .collect();
        if !far.is_empty() {
            let known = self.disowned();
            far.retain(|id| !known.contains_key(id));
        }
        far
    }

    /// Returns the events that were disowned, and why.
    ///
    /// An id is later than all its writer saw, so an honest one never names a later one; what is
    /// named by an earlier id can only be of the far future.
    pub fn disowned(&self) -> BTreeMap<Stamp, &str> {
        let itself = Author::reflectt();
        let said = self.iter().filter(|(_, event)| event.by == itself);
        said.filter_map(|(at, event)| event.kind.retracts().filter(|(id, _)| *id > at))
            .collect()
    }

    /// Returns the events that were not disowned.
    pub fn in_force(&self) -> impl DoubleEndedIterator<Item = (Stamp, &Event<K>)> {
        let disowned = self.disowned();
        self.iter()
            .filter(move |(id, _)| !disowned.contains_key(id))
    }
}

/// Why an event is disowned.
const FAR: &str = "its id is of a time that no clock had reached";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::settings::{SettingsEvent, SettingsLog};
    use crate::model::time::Timestamp;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn set(key: &str, value: &str) -> SettingsEvent {
        SettingsEvent::Set {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn the_last_id_there_is_stops_nobody() {
        let mut rng = fastrand::Rng::with_seed(1);
        let moment = Moment::new(NOW, NOW);
        let mut log = Log::default();
        log.append(
            moment,
            &mut rng,
            Author::lossy("kai"),
            set("wip.agent", "2"),
        );
        let forged = Stamp::from_bits(u128::MAX);
        log.push(forged, Author::lossy("eve"), set("enforce.mode", "off"));
        assert_eq!(log.beyond(moment), [forged]);
        let before = log.clone();
        for value in ["3", "4"] {
            let id = log.append(
                moment,
                &mut rng,
                Author::lossy("kai"),
                set("wip.agent", value),
            );
            assert!(moment.believes(id));
            let values = SettingsLog { log: log.clone() };
            let values = values.values();
            assert_eq!(values.get("wip.agent"), Some(&value));
            assert_eq!(values.get("enforce.mode"), None);
        }
        assert!(log.get(forged).is_some(), "nothing is lost");
        assert_eq!(log.len(), before.len() + 3, "it is disowned once");
        assert!(log.beyond(moment).is_empty());
        // Wherever the forged one comes from again.
        let again = log.clone().merge(before);
        assert_eq!(again, log);
    }

    #[test]
    fn nothing_but_the_far_future_is_disowned() {
        let mut rng = fastrand::Rng::with_seed(1);
        let moment = Moment::new(NOW, NOW);
        let mut log = Log::default();
        let id = log.append(
            moment,
            &mut rng,
            Author::lossy("kai"),
            set("wip.agent", "2"),
        );
        let undone = SettingsEvent::retracted(id, "so there".to_owned());
        log.append(moment, &mut rng, Author::reflectt(), undone);
        assert!(log.disowned().is_empty());
        let later = Stamp::last_at(NOW);
        log.push(later, Author::lossy("kai"), set("wip.agent", "3"));
        let by_another = SettingsEvent::retracted(later, "so there".to_owned());
        log.push(Stamp::from_parts(1, 1), Author::lossy("eve"), by_another);
        assert!(log.disowned().is_empty());
    }
}
