//! How long something has stayed as it is, measured by whoever looks.
//!
//! A heartbeat of another machine carries that machine's time, which may be hours off either way.
//! So its value is only compared: unchanged since the last look, the time between the looks
//! counts. That time is taken from a clock that nobody sets, and the sum survives the observer.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

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

impl fmt::Display for Uptime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.millis, self.boot)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time since a start of the machine")]
pub struct UptimeError(String);

impl FromStr for Uptime {
    type Err = UptimeError;

    fn from_str(text: &str) -> Result<Uptime, UptimeError> {
        let parts = text.split_once(' ');
        let uptime = parts.and_then(|(millis, boot)| {
            Some(Uptime {
                boot: boot.to_owned(),
                millis: millis.parse().ok()?,
            })
        });
        uptime.ok_or_else(|| UptimeError(text.to_owned()))
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

impl Observed {
    /// Takes in what is there now. `failed` is when the remote last could not be asked.
    ///
    /// If that was after the last look, the time since does not count: perhaps nobody could have
    /// changed anything. It is compared and not taken note of, so that of several that look at
    /// once all come to the same.
    pub fn look(&mut self, now: Uptime, failed: Option<&Uptime>, values: BTreeMap<String, String>) {
        let is_after = |failed: &Uptime, last: &Uptime| {
            failed.boot == last.boot && failed.millis >= last.millis
        };
        let passed = match &self.last {
            Some(last) if !failed.is_some_and(|failed| is_after(failed, last)) => now.since(last),
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
        // Whoever looked later may have been faster.
        let is_newer = |last: &Uptime| last.boot == now.boot && last.millis > now.millis;
        if !self.last.as_ref().is_some_and(is_newer) {
            self.last = Some(now);
        }
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
        it.look(at("a", 5), None, values(&[("kai", "1"), ("link", "1")]));
        assert_eq!(it.age("kai"), Some(Span::default()));
        it.look(at("a", 35), None, values(&[("kai", "1"), ("link", "2")]));
        assert_eq!(it.age("kai"), Some(Span::from_mins(30)));
        assert_eq!(it.age("link"), Some(Span::default()));
        it.look(at("a", 66), None, values(&[("kai", "1")]));
        assert_eq!(it.age("kai"), Some(Span::from_mins(61)));
        assert_eq!(it.age("link"), None);
    }

    #[test]
    fn time_in_which_nobody_could_be_heard_does_not_count() {
        let mut it = Observed::default();
        it.look(at("a", 0), None, values(&[("kai", "1")]));
        it.look(at("a", 50), None, values(&[("kai", "1")]));
        it.look(at("a", 500), Some(&at("a", 300)), values(&[("kai", "1")]));
        assert_eq!(it.age("kai"), Some(Span::from_mins(50)));
        // Another start of the machine: how long it was off is not known.
        it.look(at("b", 300), None, values(&[("kai", "1")]));
        assert_eq!(it.age("kai"), Some(Span::from_mins(50)));
        it.look(at("b", 310), None, values(&[("kai", "1")]));
        assert_eq!(it.age("kai"), Some(Span::from_mins(60)));
    }

    #[test]
    fn two_that_look_at_once_leave_out_the_same_time() {
        let failed = at("a", 300);
        let mut before = Observed::default();
        before.look(at("a", 0), None, values(&[("kai", "1")]));
        let (mut one, mut other) = (before.clone(), before);
        one.look(at("a", 500), Some(&failed), values(&[("kai", "1")]));
        other.look(at("a", 501), Some(&failed), values(&[("kai", "1")]));
        for it in [&one, &other] {
            assert_eq!(it.age("kai"), Some(Span::default()));
        }
        // What failed before the last look is over.
        other.look(at("a", 510), Some(&failed), values(&[("kai", "1")]));
        assert_eq!(other.age("kai"), Some(Span::from_mins(9)));
        // One that was overtaken counts nothing twice.
        other.look(at("a", 505), Some(&failed), values(&[("kai", "1")]));
        other.look(at("a", 511), Some(&failed), values(&[("kai", "1")]));
        assert_eq!(other.age("kai"), Some(Span::from_mins(10)));
    }
}
