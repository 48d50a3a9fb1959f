//! When to do what: a pure function of what happened and when.
//!
//! Times are spans since the daemon started, so that tests need no clock.

use std::time::Duration;

/// How long to gather changes before they go out together.
const GATHER: Duration = Duration::from_millis(200);
/// The longest pause between attempts to reach a remote that fails.
const BACK_OFF_MAX: Duration = Duration::from_secs(600);
/// The shortest interval when there is much news, unless the team's own is shorter.
const BUSY_MIN: Duration = Duration::from_secs(3);
/// How often to look for silent agents and ended processes.
const ROUNDS_EVERY: Duration = Duration::from_secs(30);
/// How often to let git tidy up.
const UPKEEP_EVERY: Duration = Duration::from_secs(3600);
/// How often the board may be written.
const BOARD_EVERY: Duration = Duration::from_secs(60);

/// What to do now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    /// Exchange with the remote: what is here goes out.
    pub push: bool,
    /// And ask it for news.
    pub fetch: bool,
    /// And bring the board up to date.
    pub board: bool,
    /// Look for agents that are silent, and for processes that ended.
    pub rounds: bool,
    pub upkeep: bool,
}

/// How an exchange with the remote ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was news on either side.
    News,
    Quiet,
    Failed,
}

#[derive(Debug, Clone)]
pub struct Schedule {
    /// The team's setting.
    interval: Duration,
    push_at: Option<Duration>,
    fetch_at: Duration,
    /// When the remote was last asked for news.
    fetched_at: Duration,
    rounds_at: Duration,
    upkeep_at: Duration,
    board_at: Duration,
    failures: u32,
}

impl Schedule {
    /// Starts with an exchange at once.
    pub fn new(interval: Duration) -> Schedule {
        Schedule {
            interval,
            push_at: None,
            fetch_at: Duration::ZERO,
            fetched_at: Duration::ZERO,
            rounds_at: Duration::ZERO,
            upkeep_at: UPKEEP_EVERY / 6,
            board_at: Duration::ZERO,
            failures: 0,
        }
    }

    pub fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    /// Notes that a ref here moved. Changes that follow each other closely go out together, the
    /// first of them no later than if it were alone.
    pub fn moved(&mut self, now: Duration) {
        // While the remote fails, the next attempt takes everything along.
        if self.failures == 0 && self.push_at.is_none() {
            self.push_at = Some(now + GATHER);
        }
    }

    /// Notes that somebody waits for news at this moment.
    pub fn awaited(&mut self, now: Duration) {
        // A remote that fails is not asked more often for that.
        if self.failures == 0 {
            let soon = self.fetched_at + self.interval.min(BUSY_MIN);
            self.fetch_at = self.fetch_at.min(soon.max(now));
        }
    }

    /// Returns when something is due next.
    pub fn wake_at(&self) -> Duration {
        let others = self.fetch_at.min(self.rounds_at).min(self.upkeep_at);
        self.push_at.map_or(others, |at| at.min(others))
    }

    /// Returns what is due, and counts it as begun.
    pub fn take(&mut self, now: Duration) -> Due {
        let fetch = self.fetch_at <= now;
        let push = fetch || self.push_at.is_some_and(|at| at <= now);
        let mut due = Due {
            push,
            fetch,
            board: push && self.board_at <= now,
            rounds: self.rounds_at <= now,
            upkeep: self.upkeep_at <= now,
        };
        if push {
            self.push_at = None;
        }
        if due.rounds {
            self.rounds_at = now + ROUNDS_EVERY.min(self.interval);
        }
        if due.upkeep {
            // Not in the way of an exchange that somebody may be waiting for.
            due.upkeep = !push;
            if due.upkeep {
                self.upkeep_at = now + UPKEEP_EVERY;
            }
        }
        if due.board {
            self.board_at = now + BOARD_EVERY;
        }
        due
    }

    /// Notes how an exchange ended.
    pub fn exchanged(&mut self, now: Duration, fetched: bool, outcome: Outcome) {
        match outcome {
            Outcome::Failed => {
                self.failures = self.failures.saturating_add(1);
                self.push_at = None;
                self.fetch_at = now + self.back_off();
            }
            Outcome::News | Outcome::Quiet => {
                let recovered = std::mem::take(&mut self.failures) > 0;
                if fetched || recovered {
                    self.fetched_at = now;
                    let busy = self.interval.min(BUSY_MIN.max(self.interval / 3));
                    self.fetch_at = now
                        + match outcome {
                            Outcome::News => busy,
                            _ => self.interval,
                        };
                }
            }
        }
    }

    /// How many exchanges in a row have failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns how long to wait after so many failures: twice as long each time.
    pub fn back_off(&self) -> Duration {
        let doubled = 2_u32.saturating_pow(self.failures.saturating_sub(1).min(16));
        let base = self.interval.min(Duration::from_secs(5));
        base.saturating_mul(doubled).min(BACK_OFF_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// A schedule after its first exchange, at 0 s.
    fn begun() -> Schedule {
        let mut it = Schedule::new(secs(15));
        let first = it.take(secs(0));
        assert!(first.fetch && first.push && first.rounds && first.board);
        it.exchanged(secs(0), true, Outcome::Quiet);
        it
    }

    #[test]
    fn a_change_goes_out_within_a_second_and_takes_others_along() {
        let mut it = begun();
        it.moved(secs(5));
        it.moved(secs(5) + GATHER / 2);
        assert_eq!(it.wake_at(), secs(5) + GATHER);
        let early = it.take(secs(5));
        assert!(!early.push);
        let due = it.take(secs(5) + GATHER);
        assert!(due.push && !due.fetch && !due.board);
        assert!(!it.take(secs(6)).push);
    }

    #[test]
    fn the_interval_follows_the_news() {
        let mut it = begun();
        assert!(!it.take(secs(14)).fetch);
        assert!(it.take(secs(15)).fetch);
        it.exchanged(secs(15), true, Outcome::News);
        assert!(it.take(secs(20)).fetch);
        it.exchanged(secs(20), true, Outcome::Quiet);
        assert!(!it.take(secs(34)).fetch);
        // A push alone does not put off the next look.
        it.exchanged(secs(30), false, Outcome::News);
        assert!(it.take(secs(35)).fetch);
    }

    #[test]
    fn while_somebody_waits_it_looks_more_often() {
        let mut it = begun();
        it.awaited(secs(1));
        assert!(!it.take(secs(2)).fetch);
        assert!(it.take(secs(3)).fetch);
        it.exchanged(secs(3), true, Outcome::Quiet);
        it.awaited(secs(10));
        assert!(it.take(secs(10)).fetch);
        it.exchanged(secs(10), true, Outcome::Failed);
        it.awaited(secs(11));
        assert!(!it.take(secs(14)).fetch);
    }

    #[test]
    fn a_remote_that_fails_is_asked_ever_more_rarely() {
        let mut it = begun();
        let mut now = secs(15);
        let mut pauses = Vec::new();
        for _ in 0..12 {
            assert!(it.take(now).fetch);
            it.exchanged(now, true, Outcome::Failed);
            it.moved(now);
            pauses.push(it.back_off().as_secs());
            now += it.back_off();
        }
        assert_eq!(pauses[..4], [5, 10, 20, 40]);
        assert_eq!(pauses[11], 600);
        assert!(it.take(now).fetch);
        it.exchanged(now, true, Outcome::News);
        assert_eq!(it.failures(), 0);
        assert!(it.wake_at() <= now + secs(15));
    }

    #[test]
    fn upkeep_waits_for_a_quiet_moment_and_the_board_is_rare() {
        let mut it = begun();
        let later = UPKEEP_EVERY;
        let due = it.take(later);
        assert!(due.fetch && !due.upkeep && due.board);
        it.exchanged(later, true, Outcome::Quiet);
        assert!(it.take(later + secs(1)).upkeep);
        assert!(!it.take(later + secs(2)).upkeep);
        it.moved(later + secs(3));
        assert!(!it.take(later + secs(4)).board);
    }
}
