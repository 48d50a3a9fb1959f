//! When something is written, and which ids a clock can have given by then.
//!
//! Ids begin with their time, and what is written later must have a later one. Whoever writes an id
//! of the far future by hand would take that from everybody: nothing could follow it, up to the last
//! id there is. So an id far ahead of every clock concerned is not believed and not followed.

use super::id::Stamp;
use super::time::{Span, Timestamp};

/// How far an id may be ahead of every clock concerned: a wrong time zone, and some more.
const AHEAD: Span = Span::from_mins(24 * 60);

/// Up to when the dates of commits are believed, 2200-01-01: they can be written by hand, too.
const COMMITS_UNTIL: Timestamp = Timestamp(7_258_118_400_000);

/// The moment at which an operation happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub now: Timestamp,
    /// The time of the last id that is believed.
    until: Timestamp,
}

impl Moment {
    /// `committed` is the date of the last commit that was read.
    ///
    /// A clock that stands at 1970 must not take all it reads for the future, and what a clock some
    /// days ahead has written must not be fought over by those that are right. Commits are dated by
    /// those clocks, and never before what they follow, so the later of the two times counts.
    pub fn new(now: Timestamp, committed: Timestamp) -> Moment {
        let known = now.max(committed.min(COMMITS_UNTIL));
        Moment {
            now,
            until: known.plus(AHEAD),
        }
    }

    /// Tells whether some clock can have given this id.
    pub fn believes(self, id: Stamp) -> bool {
        id.at() <= self.until
    }

    /// Draws an id for what happens now, later than `after` if that can be believed.
    pub fn stamp(self, rng: &mut fastrand::Rng, after: Option<Stamp>) -> Stamp {
        Stamp::new(self.now, rng, after.filter(|after| self.believes(*after)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn in_days(days: i64) -> Timestamp {
        Timestamp(NOW.0 + days * 24 * 3_600_000)
    }

    #[test]
    fn an_id_is_believed_that_some_clock_can_have_given() {
        let id = |at: Timestamp| Stamp::last_at(at);
        let right = Moment::new(NOW, NOW);
        assert!(right.believes(id(in_days(1))) && !right.believes(id(in_days(2))));
        // The clock is behind, or that of whoever committed is ahead.
        for moment in [
            Moment::new(Timestamp(0), NOW),
            Moment::new(in_days(-9), in_days(9)),
        ] {
            assert!(moment.believes(id(NOW)));
        }
        assert!(Moment::new(NOW, in_days(30)).believes(id(in_days(31))));
        let forged = Moment::new(NOW, Timestamp(i64::MAX));
        assert!(!forged.believes(Stamp::from_bits(u128::MAX)));
    }

    #[test]
    fn an_id_of_the_far_future_is_not_followed() {
        let mut rng = fastrand::Rng::with_seed(1);
        let last = Stamp::from_bits(u128::MAX);
        let id = Moment::new(NOW, NOW).stamp(&mut rng, Some(last));
        assert_eq!(id.at(), NOW);
        let ahead = Stamp::last_at(in_days(1));
        assert!(Moment::new(NOW, NOW).stamp(&mut rng, Some(ahead)) > ahead);
    }
}
