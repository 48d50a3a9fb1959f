//! The remote, as one operation knows it: what was heard of it, and the wait for its word.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use crate::git::{AdvisoryLock, Oid};
use crate::model::claim::CloneId;
use crate::ops::sync::{self, Ground, Standstill};
use crate::ops::{Context, OpsError};
use crate::store::{Fate, Led, Link, Patience, StoreError, Ticket, Tips};

use super::Contact;

/// How often whoever waits for a push of another process looks whether it is over.
const LOOK: Duration = Duration::from_millis(4);

/// When whoever has staged something and does not push it counts as killed or stopped.
const STOPPED: Duration = Duration::from_millis(500);

/// What came of something staged.
pub enum Seen {
    Confirmed,
    /// Somebody else was faster; what the remote has instead is known by now.
    Dropped,
}

pub struct Remote<'c> {
    ctx: &'c Context,
    pub link: &'c Link,
    limit: Duration,
    begun: Instant,
    /// Shows the others of this clone that this process still waits for its answer.
    ticket: Option<Ticket>,
    /// The remote's table that the last decision was to follow.
    onto: Option<Oid>,
    /// Counts the pushes of this process that somebody else was faster at.
    patience: Patience,
    /// How long to leave the remote to others before the next push.
    pause: Option<Duration>,
    standstill: RefCell<Standstill>,
}

impl<'c> Remote<'c> {
    pub fn new(ctx: &'c Context, link: &'c Link) -> Remote<'c> {
        Remote {
            ctx,
            link,
            limit: sync::time_limit(ctx),
            begun: Instant::now(),
            ticket: None,
            onto: None,
            patience: ctx.store().patience(),
            pause: None,
            standstill: RefCell::default(),
        }
    }

    /// Tells what was heard of the remote since the operation began, by whichever process.
    pub fn contact(&self) -> Contact {
        let store = self.ctx.store();
        let since = |ago: Option<Duration>| ago.is_some_and(|ago| ago <= self.begun.elapsed());
        if since(store.fetched_ago()) {
            Contact::Fresh
        } else if since(store.pushed_ago()) {
            Contact::Told
        } else {
            Contact::Old
        }
    }

    /// Asks the remote, and takes over what it has.
    pub fn ask(&self) -> Result<(), OpsError> {
        sync::ask(self.ctx, self.link)?;
        sync::follow(self.ctx, self.link)
    }

    /// Adds what was decided to what is staged. To be called with the lock of this clone.
    pub fn stage(&mut self, onto: Tips, tips: Tips) -> Result<(), OpsError> {
        let store = self.ctx.store();
        let ticket = match self.ticket.take() {
            Some(ticket) => ticket,
            None => store.ticket()?,
        };
        store.stage(&ticket, onto, tips)?;
        self.onto = onto.table;
        self.ticket = Some(ticket);
        Ok(())
    }

    /// Waits until the remote has what was staged, or has something else; pushes it, with all else
    /// that is staged, if nobody does.
    pub fn see_through(&mut self, tips: Tips, subject: &str) -> Result<Seen, OpsError> {
        let store = self.ctx.store();
        let waiting = Instant::now();
        loop {
            let turn = store.turn_to_push()?;
            let ticket = self.ticket.as_ref().expect("it was drawn to stage this");
            match store.fate(self.link, ticket, tips)? {
                Fate::Waiting => {}
                Fate::Confirmed => return Ok(Seen::Confirmed),
                Fate::Dropped => return Ok(Seen::Dropped),
                Fate::Unanswered(reason) => {
                    let remote = self.link.name.clone();
                    return Err(OpsError::Unreachable { remote, reason });
                }
            }
            // Whoever has the turn for longer than a push may take has been stopped: the leases
            // of both pushes see to the rest.
            if turn.is_none() && waiting.elapsed() < self.limit + STOPPED {
                std::thread::sleep(LOOK);
                continue;
            }
            let begun = Instant::now();
            if self.lead(turn, subject)? == Led::Behind {
                self.back_off(begun.elapsed())?;
                return Ok(Seen::Dropped);
            }
        }
    }

    /// Returns what was pushed, with the doing of others, if the remote did not answer.
    pub fn unanswered(&self) -> Option<Tips> {
        let staged = self.ctx.store().staged();
        self.ticket.as_ref().and_then(|it| staged.unanswered(it))
    }

    /// Pushes what is staged. If the remote has something else it is asked, before the others
    /// decide again, so that they need not.
    fn lead(&self, turn: Option<AdvisoryLock>, subject: &str) -> Result<Led, OpsError> {
        let store = self.ctx.store();
        let led = store.lead(self.link, self.limit, subject)?;
        tracing::debug!(?led, "pushed all that was decided here");
        if led == Led::Behind {
            let asked = sync::ask(self.ctx, self.link);
            let lock = store.queue();
            store.drop_staged()?;
            drop((lock, turn));
            let mut standstill = self.standstill.borrow_mut();
            let noted = standstill.refused(self.link, asked?);
            noted.map_err(StoreError::from)?;
        }
        Ok(led)
    }

    /// Tells whether others go first, because this process has lost a push.
    pub fn has_to_wait(&self) -> bool {
        self.pause.is_some()
    }

    /// Waits until it is this process's turn to push, and asks what the others have done.
    pub fn wait_for_turn(&mut self) -> Result<(), OpsError> {
        if let Some(pause) = self.pause.take() {
            std::thread::sleep(pause);
            self.ask()?;
        }
        Ok(())
    }

    /// Leaves the remote to others for a while after a push that was lost, if there is still
    /// something to push by then.
    ///
    /// All that lost to one version of the table know it, and who there is. So they can take
    /// turns, each as long as the lost push took, in an order that follows from that version: no
    /// two push at once, and nobody comes last twice. Who comes later asks again first.
    fn back_off(&mut self, took: Duration) -> Result<(), OpsError> {
        let store = self.ctx.store();
        self.patience.lost()?;
        let here = self.ctx.clone_id()?;
        let clones = store.clones_on(self.link, &here)?;
        let version = store.tracking_tips(self.link)?.table;
        if version == self.onto {
            // Somebody had something to say; nobody else decides, as far as is known.
            return Ok(());
        }
        let version = version.map(|tip| tip.to_string()).unwrap_or_default();
        let turn = turn(&version, &here, &clones, self.patience.times());
        if turn > 0 {
            let jitter = 0.9 + 0.2 * self.ctx.random(fastrand::Rng::f64);
            self.pause = Some(took.mul_f64(f64::from(turn) * jitter));
        }
        Ok(())
    }

    /// Waits until what a decision rested on is confirmed or dropped.
    pub fn wait_for_others(&self, ground: &Ground) -> Result<(), OpsError> {
        let store = self.ctx.store();
        let waiting = Instant::now();
        while store.staged().has(ground.staged) {
            // Those who staged it push it, unless they were killed or stopped.
            let overdue = waiting.elapsed() > STOPPED || store.is_abandoned();
            match store.turn_to_push()? {
                Some(turn) if overdue => {
                    self.lead(Some(turn), "for others")?;
                }
                _ => std::thread::sleep(LOOK),
            }
        }
        Ok(())
    }
}

/// How many turns there are after the first loss. Mostly few of those there are want anything.
const TURNS: u32 = 8;

/// Returns after how many turns `here` may push again: a number of its own among those that
/// `clones` draw for the same `version` of the table, as far as there are enough turns.
fn turn(version: &str, here: &CloneId, clones: &[CloneId], lost: u32) -> u32 {
    let draw = |clone: &CloneId| crc32fast::hash(format!("{version} {clone}").as_bytes());
    let mine = draw(here);
    let before = clones.iter().filter(|clone| draw(clone) < mine).count();
    let turns = TURNS.saturating_mul(1 << (lost - 1).min(5));
    u32::try_from(before).unwrap_or(u32::MAX) % turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_lost_to_one_version_take_turns_of_their_own() {
        let mut rng = fastrand::Rng::with_seed(1);
        let clones: Vec<CloneId> = (0..8).map(|_| CloneId::random(&mut rng)).collect();
        let mut first = std::collections::BTreeSet::new();
        for version in ["one", "two", "three", "four"] {
            let mut turns: Vec<u32> = clones
                .iter()
                .map(|it| turn(version, it, &clones, 1))
                .collect();
            first.insert(turns.iter().position(|turn| *turn == 0));
            turns.sort_unstable();
            assert_eq!(turns, (0..8).collect::<Vec<_>>());
        }
        assert!(first.len() > 1, "nobody is always the first");
    }
}
