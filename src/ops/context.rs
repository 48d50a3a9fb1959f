//! What every operation is given: the store, who asks, the clock and randomness.

use std::cell::{Cell, RefCell};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::git::Repo;
use crate::model::agent::Agent;
use crate::model::claim::CloneId;
use crate::model::id::TaskId;
use crate::model::name::{AgentName, Author};
use crate::model::observe::Uptime;
use crate::model::presence::{Heartbeat, Liveness};
use crate::model::settings::Settings;
use crate::model::time::Timestamp;
use crate::store::{Here, Presence, Snapshot, Store, StoreError, uptime};

use super::process::look_after_processes;
use super::{OpsError, find, home, worktree};

/// Tells the time.
pub type Clock = fn() -> Timestamp;

pub struct Context {
    store: Store,
    me: Option<AgentName>,
    clock: Clock,
    rng: RefCell<fastrand::Rng>,
    offline: bool,
    worked: Cell<bool>,
    provisional: Cell<bool>,
    warnings: RefCell<Vec<String>>,
    judged: RefCell<Vec<TaskId>>,
}

impl Context {
    /// `me` is who asks, if that is known; whether they are on the team is checked when it matters.
    pub fn new(repo: Repo, me: Option<AgentName>, clock: Clock, rng: fastrand::Rng) -> Context {
        Context {
            store: Store::new(repo),
            me,
            clock,
            rng: RefCell::new(rng),
            offline: false,
            worked: Cell::new(false),
            provisional: Cell::new(false),
            warnings: RefCell::default(),
            judged: RefCell::default(),
        }
    }

    /// Returns the time since the machine was started.
    pub fn uptime(&self) -> Uptime {
        uptime()
    }

    /// Leaves the remote aside: what is claimed is provisional.
    pub fn offline(mut self, offline: bool) -> Context {
        self.offline = offline;
        self
    }

    /// Leaves aside who asks: for what only looks, and is no sign of anybody's life.
    pub fn as_nobody(mut self) -> Context {
        self.me = None;
        self
    }

    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// Notes that something was done which others should hear of.
    pub fn note_work(&self) {
        self.worked.set(true);
    }

    /// Tells whether something was done which others should hear of.
    pub fn has_worked(&self) -> bool {
        self.worked.get()
    }

    /// Notes that the remote has not decided yet what was done.
    pub fn note_provisional(&self) {
        self.provisional.set(true);
    }

    /// Tells whether the remote has not decided yet what was done.
    pub fn is_provisional(&self) -> bool {
        self.provisional.get()
    }

    /// Keeps what whoever asks should know beside the answer: said once, however often it is found.
    pub fn note_warnings(&self, found: impl IntoIterator<Item = String>) {
        let mut warnings = self.warnings.borrow_mut();
        for warning in found {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }

    /// Returns what was noted since this was last asked, to be shown.
    pub fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    /// Notes that a review is over.
    pub fn note_judged(&self, task: TaskId) {
        self.judged.borrow_mut().push(task);
    }

    /// Returns the tasks whose review is over since this was last asked.
    pub fn take_judged(&self) -> Vec<TaskId> {
        self.judged.take()
    }

    /// Returns the heartbeats of this clone, judged by a clock that nobody sets.
    pub fn presence(&self) -> Presence {
        self.store.presence(self.uptime())
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn repo(&self) -> &Repo {
        self.store.repo()
    }

    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Runs `draw` with the source of randomness.
    pub fn random<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.rng.borrow_mut())
    }

    /// Returns which clone this is; says so, if it was found to be a copy of another.
    pub fn here(&self) -> Result<Here, StoreError> {
        let here = self.store.here(&mut self.rng.borrow_mut())?;
        if let Some(from) = &here.copied_from {
            self.note_warnings([format!(
                "this repository is a copy of `{}`: it is a clone of its own from now on, and the agents of the other one are not here",
                from.display()
            )]);
        }
        Ok(here)
    }

    pub fn clone_id(&self) -> Result<CloneId, StoreError> {
        Ok(self.here()?.id)
    }

    /// Returns who asks, if that is known.
    pub fn identity(&self) -> Option<&AgentName> {
        self.me.as_ref()
    }

    /// Returns who asks.
    ///
    /// # Errors
    ///
    /// [`OpsError::NoIdentity`] if nobody said.
    pub fn me(&self) -> Result<&AgentName, OpsError> {
        self.me.as_ref().ok_or_else(|| OpsError::NoIdentity {
            elsewhere: worktree::bound(self),
        })
    }

    /// Returns the record of who asks.
    ///
    /// # Errors
    ///
    /// [`OpsError::NotFound`] with near names if they are not on the team.
    pub fn my_seat<'s>(&self, snapshot: &'s Snapshot) -> Result<&'s Agent, OpsError> {
        find::agent(snapshot, self.me()?)
    }

    /// Notes that whoever asks is alive: any command counts as a heartbeat. So does that a process
    /// runs which shows somebody alive; one that has ended signs them off.
    ///
    /// A full or read-only disk keeps nobody from reading; a command that writes fails on it by
    /// itself, and so does `heartbeat`, which is asked for this alone.
    pub fn beat(&self, snapshot: &Snapshot) -> Result<(), OpsError> {
        // Before one's own: whoever acts under a name lives, whatever became of its process.
        drop(look_after_processes(self));
        if let Some(me) = &self.me
            && let Some(agent) = snapshot.agents()?.get(me)
        {
            drop(self.presence().beat(me, self.now(), None));
            self.note_place(me);
            home::remind(self, snapshot, agent);
        }
        Ok(())
    }

    /// Notes in which worktree an agent gives its sign of life. A disk that is full costs no more
    /// than that the agent is not signed off with its worktree.
    pub fn note_place(&self, agent: &AgentName) {
        let repo = self.repo();
        let worktree = repo.worktree_id(repo.git_dir());
        let path = repo.work_dir().unwrap_or(repo.git_dir());
        let presence = self.presence();
        drop(presence.note_haunt(agent, &worktree, path, self.now()));
    }

    /// Returns who signs a commit made without an agent: a person, by the name git knows.
    pub fn person(&self) -> Author {
        match (&self.me, self.repo().config("user.name")) {
            (Some(me), _) => Author::from(me),
            (None, Some(name)) => Author::lossy(&name),
            (None, None) => Author::reflectt(),
        }
    }

    /// Returns the last sign of life of an agent, here or in another clone, by this clone's time.
    ///
    /// `None` if there never was one.
    pub fn last_beat(&self, agent: &AgentName) -> Result<Option<Heartbeat>, StoreError> {
        let now = self.now();
        let mut best = self.presence().get(agent, now)?;
        let Some(link) = self.store.link() else {
            return Ok(best);
        };
        let observed = self.store.observed();
        let begin = format!("{agent}@");
        let found = observed.seen.range(begin.clone()..);
        for (key, seen) in found.take_while(|(key, _)| key.starts_with(&begin)) {
            let age = i64::try_from(seen.age.as_millis()).unwrap_or(i64::MAX);
            let at = Timestamp(now.0.saturating_sub(age));
            if best.as_ref().is_some_and(|best| best.seen >= at) {
                continue;
            }
            let said = key.strip_prefix(&begin).map(|clone| (clone, seen));
            let sign = match said.map(|(clone, _)| clone.parse()) {
                Some(Ok(clone)) => self.store.sign_of(&link, &clone, agent)?,
                _ => None,
            };
            best = Some(Heartbeat {
                seen: at,
                note: sign.as_ref().and_then(|sign| sign.note.clone()),
                signed_off: sign.is_some_and(|sign| sign.signed_off),
            });
        }
        Ok(best)
    }

    /// Returns how alive an agent is; `None` if it was never seen.
    pub fn liveness(
        &self,
        agent: &AgentName,
        settings: &Settings,
    ) -> Result<Option<(Liveness, Timestamp)>, StoreError> {
        let now = self.now();
        let beat = self.last_beat(agent)?;
        Ok(beat.map(|beat| (beat.liveness(now, settings), beat.seen)))
    }
}

/// Sets this program's clock ahead of the system's by so many milliseconds, or behind it: for tests
/// of machines whose clocks differ. What files say of their age stays as it is.
const CLOCK_VARIABLE: &str = "REFLECTT_TEST_CLOCK";

/// Returns the time of the system's clock.
pub fn now() -> Timestamp {
    static AHEAD: LazyLock<i64> = LazyLock::new(|| {
        // Nobody's clock is set that way in earnest.
        let wanted = cfg!(debug_assertions).then(|| std::env::var(CLOCK_VARIABLE).ok());
        let ahead = wanted.flatten().and_then(|text| text.parse().ok());
        ahead.unwrap_or_default()
    });
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    Timestamp(millis.saturating_add(*AHEAD))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::TestRepo;

    #[test]
    fn a_warning_found_twice_is_shown_once() {
        let test = TestRepo::init(&[]);
        let clock = || Timestamp(0);
        let ctx = Context::new(test.open(), None, clock, fastrand::Rng::with_seed(1));
        ctx.note_warnings(["one".to_owned(), "two".to_owned()]);
        ctx.note_warnings(["one".to_owned()]);
        assert_eq!(ctx.take_warnings(), ["one", "two"]);
        assert!(ctx.take_warnings().is_empty());
    }
}
