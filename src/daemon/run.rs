//! The daemon at work.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::git::{Cancel, GitError, OpenOptions, Process, RefName, RefWatcher, Repo};
use crate::ops::sync::{self, BoardToo, Fetch, SyncOptions, SyncReport};
use crate::ops::{
    Context, Done, Gone, OpsError, SeenTo, chain, expire, look_after_processes,
    look_after_worktrees, notice_landed, nudge, radar, see_to_reviews, tell_of_clashes,
};
use crate::store::StoreError;

use super::journal::Journal;
use super::lander::Lander;
use super::schedule::{Due, Outcome, Schedule};
use super::state::State;

/// Why the daemon ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Asked,
    /// Another one is at work.
    Taken { pid: u32 },
    /// The repository is not there any more.
    RepositoryGone,
}

enum Wake {
    Moved,
    Stop,
}

/// What it does on its rounds for a layer beside it; returns what is to be said, once while it
/// lasts.
pub type Chore = fn(&Context) -> Vec<String>;

/// How often the watcher looks whether anyone still listens.
const WATCH: Duration = Duration::from_secs(5);
/// How long `git` may tidy up.
const UPKEEP_LIMIT: Duration = Duration::from_secs(1800);
/// What the interval is where the settings cannot be read.
const INTERVAL: Duration = Duration::from_secs(15);

/// Works until it is told to stop. There is one for each clone.
pub fn run<'j>(ctx: &'j Context, journal: Journal<'j>, chore: Chore) -> Result<Ended, OpsError> {
    let place = ctx.store().daemon();
    let Some(_lock) = place.take()? else {
        let pid = State::read(&place.read_state().unwrap_or_default()).pid;
        return Ok(Ended::Taken { pid });
    };
    let (sender, receiver) = mpsc::channel();
    let cancel = ctx.repo().runner().cancel();
    listen(sender.clone(), cancel.clone()).map_err(|source| StoreError::Local {
        doing: "listen for signals of",
        path: ctx.repo().common_dir().to_owned(),
        source,
    })?;
    watch(ctx, sender);
    let process = Process::of(std::process::id());
    let mut daemon = Daemon {
        ctx,
        journal,
        chore,
        cancel,
        begun: Instant::now(),
        schedule: Schedule::new(interval(ctx)),
        state: State {
            pid: process.pid,
            process: process.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            since: ctx.now().0,
            remote: ctx.store().link().map(|link| link.name),
            ..State::default()
        },
        warned: Vec::new(),
        lander: Lander::default(),
        troubles: Vec::new(),
        told: Vec::new(),
    };
    let shared = shared_through(&daemon.state);
    daemon.journal.say(&format!("at work; {shared}"));
    let ended = daemon.work(&receiver);
    daemon.lander.stop();
    daemon.journal.say(match ended {
        Ended::RepositoryGone => "ends: the repository is gone",
        _ => "ends, as it was told to",
    });
    Ok(ended)
}

fn shared_through(state: &State) -> String {
    match &state.remote {
        Some(remote) => format!("the team is shared through `{remote}`"),
        None => "there is no remote".to_owned(),
    }
}

fn interval(ctx: &Context) -> Duration {
    let snapshot = ctx.store().snapshot();
    let settings = snapshot.as_ref().map(|snapshot| snapshot.settings());
    match settings {
        Ok(Ok(settings)) => settings.sync_interval.into(),
        _ => INTERVAL,
    }
}

/// Hands the signals that end a process to the one place that waits, and ends what it may be
/// waiting for: a remote that says nothing must not keep a daemon that was told to stop.
fn listen(sender: Sender<Wake>, cancel: Cancel) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    thread::Builder::new().spawn(move || {
        for _ in signals.forever() {
            cancel.cancel();
            if sender.send(Wake::Stop).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

/// Wakes the daemon when one of the refs here moves, whichever process moves it.
fn watch(ctx: &Context, sender: Sender<Wake>) {
    let options = ctx.repo().options().clone();
    let store = ctx.store();
    let names = [store.record_ref().clone(), store.claims_ref().clone()];
    thread::spawn(move || {
        // Without a watcher, changes go out with the next look at the remote.
        drop(watch_refs(options, &names, &sender));
    });
}

fn watch_refs(
    options: OpenOptions,
    names: &[RefName],
    sender: &Sender<Wake>,
) -> Result<(), GitError> {
    let repo = Repo::open(options)?;
    let mut watcher = RefWatcher::new(&repo, names)?;
    loop {
        let woken = watcher.wait(Some(Instant::now() + WATCH))?;
        if woken == crate::git::Woken::Changed && sender.send(Wake::Moved).is_err() {
            return Ok(());
        }
    }
}

struct Daemon<'d> {
    ctx: &'d Context,
    journal: Journal<'d>,
    chore: Chore,
    cancel: Cancel,
    begun: Instant,
    schedule: Schedule,
    state: State,
    /// The warnings of the last exchange.
    warned: Vec<String>,
    lander: Lander,
    /// What went wrong here since the last round began, and in the round before: said once.
    troubles: Vec<String>,
    told: Vec<String>,
}

impl Daemon<'_> {
    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn work(&mut self, events: &Receiver<Wake>) -> Ended {
        self.save();
        loop {
            if !self.ctx.repo().is_there() {
                return Ended::RepositoryGone;
            }
            if sync::is_awaited(self.ctx) {
                self.schedule.awaited(self.now());
            }
            let due = self.schedule.take(self.now());
            self.act(due);
            self.warn();
            let wait = self.schedule.wake_at().saturating_sub(self.now());
            // A directory that is moved away tells nobody.
            match events.recv_timeout(wait.min(WATCH)) {
                Ok(Wake::Stop) => return Ended::Asked,
                Ok(Wake::Moved) => self.schedule.moved(self.now()),
                Err(RecvTimeoutError::Timeout) => {}
                // The signals' thread lives as long as the process.
                Err(RecvTimeoutError::Disconnected) => return Ended::Asked,
            }
        }
    }

    fn act(&mut self, due: Due) {
        if due != Due::default() {
            tracing::debug!(?due, "it is time");
        }
        if due.rounds {
            self.rounds();
        }
        if due.push && self.state.remote.is_some() {
            self.exchange(due);
        } else if due.push {
            let now = self.now();
            self.schedule.exchanged(now, true, Outcome::Quiet);
        }
        if due.upkeep {
            self.upkeep();
        }
        for lock in self.ctx.store().take_removed_locks() {
            let path = lock.path.display();
            self.journal.say(&format!(
                "removed `{path}`, left behind by a killed process"
            ));
        }
    }

    /// Sees to agents that cannot do so themselves.
    fn rounds(&mut self) {
        self.told = std::mem::take(&mut self.troubles);
        if let Err(error) = self.follow_remote() {
            self.trouble("cannot read which remote the team has", &error);
        }
        match self.ctx.store().snapshot() {
            Ok(snapshot) => {
                if let Ok(settings) = snapshot.settings() {
                    self.schedule.set_interval(settings.sync_interval.into());
                }
            }
            Err(error) => return self.trouble("cannot read the record", &error),
        }
        match look_after_processes(self.ctx) {
            Ok(gone) => {
                for agent in gone {
                    self.journal
                        .say(&format!("signed off `{agent}`, whose process is gone"));
                }
            }
            Err(error) => self.trouble("cannot look after processes", &error),
        }
        match look_after_worktrees(self.ctx) {
            Ok(gone) => {
                for Gone { agent, path } in gone {
                    self.journal.say(&format!(
                        "signed off `{agent}`, whose worktree `{path}` is gone"
                    ));
                }
            }
            Err(error) => self.trouble("cannot look after worktrees", &error),
        }
        for text in (self.chore)(self.ctx) {
            self.note(text);
        }
        match nudge(self.ctx) {
            Ok(told) => {
                for agent in told {
                    self.journal
                        .say(&format!("told `{agent}` that it is quiet"));
                }
            }
            Err(error) => self.trouble("cannot tell quiet agents", &error),
        }
        match expire(self.ctx) {
            Ok(gone) => {
                for claim in gone {
                    let (id, agent) = (claim.id, claim.agent);
                    self.journal
                        .say(&format!("the claim `{id}` of `{agent}` has expired"));
                }
            }
            // Said when the exchange fails, too.
            Err(OpsError::Unreachable { .. }) => {}
            Err(error) => self.trouble("cannot expire claims", &error),
        }
        self.reviews();
        self.landings();
        self.clashes();
    }

    /// Notices what others have landed, and lands what is approved, if the team wants that.
    fn landings(&mut self) {
        match notice_landed(self.ctx) {
            Ok(found) => {
                for id in found {
                    self.journal.say(&format!("`{id}` has landed"));
                }
            }
            Err(error) => self.trouble("cannot record what has landed", &error),
        }
        match self.lander.see_to(self.ctx) {
            Ok(said) => {
                for text in said {
                    self.journal.say(&text);
                }
            }
            Err(reason) => self.note(format!("cannot land: {reason}")),
        }
    }

    /// Tells the authors of work that begins to conflict.
    fn clashes(&mut self) {
        let told = radar(self.ctx).and_then(|found| tell_of_clashes(self.ctx, &found));
        match told {
            Ok(told) => {
                for (a, b) in told {
                    let text = format!("told the authors of `{a}` and `{b}` that they conflict");
                    self.journal.say(&text);
                }
            }
            Err(OpsError::Unreachable { .. }) => {}
            Err(error) => self.trouble("cannot compare unfinished work", &error),
        }
    }

    fn reviews(&mut self) {
        let seen_to = match see_to_reviews(self.ctx) {
            Ok(seen_to) => seen_to,
            Err(OpsError::Unreachable { .. }) => return,
            Err(error) => return self.trouble("cannot see to reviews", &error),
        };
        for SeenTo {
            task,
            reviewer,
            done,
        } in seen_to
        {
            self.journal.say(&match done {
                Done::Reminded => format!("reminded `{reviewer}` of the review of `{task}`"),
                Done::Gave { to } => {
                    format!("the review of `{task}` went from `{reviewer}` to `{to}`")
                }
                Done::Alone => format!("nobody but `{reviewer}` is there to review `{task}`"),
            });
        }
    }

    /// Takes note of a remote that the team was given, or that was taken from it, meanwhile.
    fn follow_remote(&mut self) -> Result<(), StoreError> {
        self.ctx.store().refresh_link()?;
        let remote = self.ctx.store().link().map(|link| link.name);
        if remote != self.state.remote {
            self.state.remote = remote;
            self.journal.say(&shared_through(&self.state));
            self.save();
        }
        Ok(())
    }

    /// Exchanges with the remote.
    fn exchange(&mut self, due: Due) {
        if !due.fetch && !self.has_news() {
            return;
        }
        let options = SyncOptions {
            fetch: if due.fetch {
                Fetch::Always
            } else {
                Fetch::IfRefused
            },
            board: if due.board {
                BoardToo::Yes
            } else {
                BoardToo::No
            },
            ..SyncOptions::FULL
        };
        let done = sync::sync(self.ctx, options);
        let now = self.now();
        let wall = self.ctx.now().0;
        match done {
            Ok(report) => {
                if self.state.failures > 0 {
                    self.journal.say("the remote answers again");
                }
                let news = report.pulled > 0 || report.pushed > 0;
                let outcome = if news { Outcome::News } else { Outcome::Quiet };
                self.schedule.exchanged(now, due.fetch, outcome);
                if due.fetch {
                    self.state.last_fetch = Some(wall);
                }
                if report.pushed > 0 {
                    self.state.last_push = Some(wall);
                }
                self.report(&report);
                self.state.error = report.refused;
            }
            // Ended by us; that says nothing about the remote.
            Err(_) if self.cancel.is_cancelled() => return,
            Err(error) => {
                self.schedule.exchanged(now, due.fetch, Outcome::Failed);
                let pause = self.schedule.back_off();
                let text = chain(&error);
                if self.state.error.as_ref() != Some(&text) {
                    let secs = pause.as_secs();
                    self.journal
                        .say(&format!("{text}; tried again in {secs} s, then ever later"));
                }
                self.state.error = Some(text);
            }
        }
        self.state.failures = self.schedule.failures();
        let wait = self.schedule.wake_at().saturating_sub(now);
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        self.state.next_attempt = Some(wall.saturating_add(wait));
        self.save();
    }

    /// Tells whether there is anything here that the remote lacks: our own exchange moves refs, too.
    fn has_news(&self) -> bool {
        let store = self.ctx.store();
        let Some(link) = store.link() else {
            return false;
        };
        match (store.local_tips(), store.tracking_tips(&link)) {
            (Ok(local), Ok(known)) => local != known,
            _ => true,
        }
    }

    fn report(&mut self, report: &SyncReport) {
        if report.pulled > 0 || report.pushed > 0 {
            self.journal
                .say(&format!("{} came, {} went", report.pulled, report.pushed));
        }
        // What lasts is said once.
        let fresh = |remark: &String| !self.warned.contains(remark);
        self.ctx.note_warnings(report.remarks().filter(fresh));
        self.warned.clone_from(&report.warnings);
    }

    /// Says what was found on the way.
    fn warn(&mut self) {
        for warning in self.ctx.take_warnings() {
            self.journal.say(&format!("warning: {warning}"));
        }
    }

    /// Lets git tidy up, if it thinks that there is need.
    fn upkeep(&mut self) {
        let command = self
            .ctx
            .repo()
            .git(["-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"])
            .cancellable();
        if let Err(error) = command.time_limit(UPKEEP_LIMIT).checked() {
            self.trouble("git cannot tidy up", &error);
        }
    }

    fn trouble(&mut self, what: &str, error: &dyn std::error::Error) {
        if self.cancel.is_cancelled() {
            return;
        }
        self.note(format!("{what}: {}", chain(error)));
    }

    /// Says what lasts: once, while it does.
    fn note(&mut self, text: String) {
        if !self.told.contains(&text) && !self.troubles.contains(&text) {
            self.journal.say(&text);
        }
        self.troubles.push(text);
    }

    /// Writes the state down. A full disk costs the state, and nothing else.
    fn save(&self) {
        drop(self.ctx.store().daemon().write_state(&self.state.text()));
    }
}
