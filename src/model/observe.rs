//! How long something has stayed as it is, measured by whoever looks.
//!
//! A heartbeat of another machine carries that machine's time, which may be hours off either way.
//! So its value is only compared: unchanged since the last look, the time between the looks
//! counts. That time is taken from a clock that nobody sets, and the sum survives the observer.

use std::collections::BTreeMap;

use super::time::Span;

/// A clock that nobody sets: the time since the machine was started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uptime {
    /// Which start of the machine; times of different ones cannot be compared.
    pub boot: String,
    pub millis: u64,
}

impl Uptime {
    /// Returns the time since `earlier`, nothing if it cannot be known.
    fn since(&self, earlier: &Uptime) -> Span {
        if self.boot == earlier.boot {
            Span::from_millis(self.millis.saturating_sub(earlier.millis))
        } else {
            Span::default()
        }
    }
}

/// A value and for how long it was seen unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub value: String,
    pub age: Span,
}

/// Everything that is observed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    pub last: Option<Uptime>,
    pub seen: BTreeMap<String, Seen>,
}

/// Whether the time since the last look counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    Counts,
    /// The remote could not be reached meanwhile, so perhaps nobody could have changed anything.
    Blind,
}

impl Observed {
    /// Takes in what is there now.
    pub fn look(&mut self, now: Uptime, gap: Gap, values: BTreeMap<String, String>) {
        let passed = match (&self.last, gap) {
            (Some(last), Gap::Counts) => now.since(last),
            _ => Span::default(),
        };
        let mut old = std::mem::take(&mut self.seen);
        for (key, value) in values {
            let age = match old.remove(&key) {
                Some(seen) if seen.value == value => {
                    Span::from_millis(seen.age.as_millis().saturating_add(passed.as_millis()))
                }
                _ => Span::default(),
            };
            self.seen.insert(key, Seen { value, age });
        }
        self.last = Some(now);
    }

    /// Returns for how long a value was seen unchanged; `None` if it was never seen.
    pub fn age(&self, key: &str) -> Option<Span> {
        self.seen.get(key).map(|seen| seen.age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot: &str, minutes: u64) -> Uptime {
        Uptime {
            boot: boot.to_owned(),
            millis: minutes * 60_000,
        }
    }

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn only_what_stays_the_same_grows_old() {
        let mut it = Observed::default();
        it.look(
            at("a", 5),
            Gap::Counts,
            values(&[("kai", "1"), ("link", "1")]),
        );
        assert_eq!(it.age("kai"), Some(Span::default()));
        it.look(
            at("a", 35),
            Gap::Counts,
            values(&[("kai", "1"), ("link", "2")]),
        );
        assert_eq!(it.age("kai"), Some(Span::from_mins(30)));
        assert_eq!(it.age("link"), Some(Span::default()));
        it.look(at("a", 66), Gap::Counts, values(&[("kai", "1")]));
        assert_eq!(it.age("kai"), Some(Span::from_mins(61)));
        assert_eq!(it.age("link"), None);
    }

    #[test]
    fn time_in_which_nobody_could_be_heard_does_not_count() {
        let mut it = Observed::default();
        it.look(at("a", 0), Gap::Counts, values(&[("kai", "1")]));
        it.look(at("a", 50), Gap::Counts, values(&[("kai", "1")]));
        it.look(at("a", 500), Gap::Blind, values(&[("kai", "1")]));
        assert_eq!(it.age("kai"), Some(Span::from_mins(50)));
        // Another start of the machine: how long it was off is not known.
        it.look(at("b", 300), Gap::Counts, values(&[("kai", "1")]));
        assert_eq!(it.age("kai"), Some(Span::from_mins(50)));
        it.look(at("b", 310), Gap::Counts, values(&[("kai", "1")]));
        assert_eq!(it.age("kai"), Some(Span::from_mins(60)));
    }
}
