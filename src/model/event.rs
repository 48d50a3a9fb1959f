//! Events: the history from which every state is computed.
//!
//! A task, an agent and the settings all have the same shape: a log of events by id, folded
//! into a state. Merging two logs is the union of their events, whatever they are about.

use std::collections::BTreeMap;

use super::extra::Extra;
use super::id::{FENCES_UNKNOWN, Fence, Stamp};
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

    /// Returns every event, those that were disowned among them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Stamp, &Event<K>)> {
        self.events.iter().map(|(id, event)| (*id, event))
    }

    /// Returns the events in the order in which they count.
    ///
    /// What was decided stands in the order of the decisions, whatever the clocks of those who
    /// decided said; all else, and what version 0.1 decided, by its id. Of the next of both, the
    /// one with the lesser id goes first, so the order follows from the events alone.
    pub fn in_order(&self) -> Vec<(Stamp, &Event<K>)> {
        let last = self.last_epoch();
        let is_decided = |event: &Event<K>| epoch(event).is_some_and(|epoch| epoch <= last);
        let (mut decided, free): (Vec<_>, Vec<_>) =
            self.iter().partition(|(_, event)| is_decided(event));
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
    ///
    /// One that no team can have reached from the one before was written by hand. It counts for
    /// nothing: believed, it would leave no room for those that follow.
    pub fn last_epoch(&self) -> u64 {
        let mut epochs: Vec<u64> = self.events.values().filter_map(epoch).collect();
        epochs.sort_unstable();
        let reach = |last: u64| last.saturating_add(FENCES_UNKNOWN);
        let reached = epochs.into_iter().scan(0, |last, epoch| {
            (epoch <= reach(*last)).then(|| *last = epoch)?;
            Some(epoch)
        });
        reached.last().unwrap_or_default()
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
        self.append_decided(moment, rng, by, kind, None)
    }

    /// The same for what was decided.
    pub fn append_decided(
        &mut self,
        moment: Moment,
        rng: &mut fastrand::Rng,
        by: Author,
        kind: K,
        decided: Option<Decided>,
    ) -> Stamp {
        self.disown(moment, rng);
        self.add(moment, rng, by, kind, decided)
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
                None,
            );
        }
        far
    }

    fn add(
        &mut self,
        moment: Moment,
        rng: &mut fastrand::Rng,
        by: Author,
        kind: K,
        decided: Option<Decided>,
    ) -> Stamp {
        let stamp = moment.stamp(rng, self.last_believed(moment));
        self.push_decided(stamp, by, kind, decided);
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

    /// Returns the events that were not disowned, in the order in which they count.
    pub fn in_force(&self) -> impl DoubleEndedIterator<Item = (Stamp, &Event<K>)> {
        let disowned = self.disowned();
        let ordered = self.in_order().into_iter();
        ordered.filter(move |(id, _)| !disowned.contains_key(id))
    }
}

fn epoch<K>(event: &Event<K>) -> Option<u64> {
    event.decided.map(|decided| decided.epoch)
}

/// Why an event is disowned.
const FAR: &str = "its id is of a time that no clock had reached";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        // A number that nobody can have reached was written by hand, and puts nothing in order.
        assert_eq!(order(&[(20, Some(1 << 50)), (30, Some(1))]), [0, 1]);
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
