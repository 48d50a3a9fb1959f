//! Heartbeats of this clone: one small file for each agent, beside the repository.
//!
//! A heartbeat sets the time of a file and writes no object. These files can be deleted at any
//! time: whoever holds a claim and has no heartbeat is counted from the moment that is noticed.
//!
//! The time of a file is by the clock on the wall, which people and machines set. So the file also
//! says by how much that differed from the time since the machine was started, which nobody sets:
//! as long as the machine runs, the age of a heartbeat is measured by that.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::git::{self, Process, new_file_in};
use crate::model::name::AgentName;
use crate::model::observe::Uptime;
use crate::model::presence::Heartbeat;
use crate::model::time::{Span, Timestamp};

use super::{Store, StoreError};

/// Where it is not known by another clock, a heartbeat further in the future than this many
/// milliseconds, which would never age, is counted from now.
const SKEW_MAX: i64 = 10_000;

/// Clocks that drift apart by less than this many milliseconds are the same.
const DRIFT_MAX: u64 = 1000;

/// The local presence files of one clone.
pub struct Presence {
    dir: PathBuf,
    uptime: Uptime,
}

/// What the file of an agent says.
struct Mark {
    state: State,
    seen: Timestamp,
    clock: Option<Offset>,
    note: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Here,
    SignedOff,
    /// No sign of life: it holds a claim and has no heartbeat, which was noticed then.
    Awaited,
}

/// By how much the clock on the wall was ahead of the time since the machine was started.
struct Offset {
    boot: String,
    millis: i64,
}

impl Store {
    /// Returns the heartbeats; `uptime` is now.
    pub fn presence(&self, uptime: Uptime) -> Presence {
        Presence {
            dir: self.dir.join("heartbeats"),
            uptime,
        }
    }
}

impl Presence {
    fn path(&self, agent: &AgentName) -> PathBuf {
        self.dir.join(agent.as_str())
    }

    fn error(&self, doing: &'static str, agent: &AgentName, source: io::Error) -> StoreError {
        StoreError::Local {
            doing,
            path: self.path(agent),
            source,
        }
    }

    /// Notes that `agent` is alive. A note, if given, replaces the last one.
    pub fn beat(
        &self,
        agent: &AgentName,
        now: Timestamp,
        note: Option<&str>,
    ) -> Result<(), StoreError> {
        let path = self.path(agent);
        let old = read(&path).map_err(|e| self.error("read", agent, e))?;
        let touched = match (&old, note) {
            (Some(mark), None) if mark.state == State::Here && self.keeps_time(mark, now) => {
                touch(&path, now)
            }
            _ => {
                let kept = old.as_ref().and_then(|mark| mark.note.as_deref());
                self.write(&path, (State::Here, now), note.or(kept), now)
            }
        };
        touched.map_err(|e| self.error("write", agent, e))
    }

    /// Notes that the agent's process has ended.
    pub fn sign_off(&self, agent: &AgentName, now: Timestamp) -> Result<(), StoreError> {
        let path = self.path(agent);
        let old = read(&path).map_err(|e| self.error("read", agent, e))?;
        let note = old.as_ref().and_then(|mark| mark.note.as_deref());
        self.write(&path, (State::SignedOff, now), note, now)
            .map_err(|e| self.error("write", agent, e))
    }

    /// Returns the last heartbeat of an agent in this clone.
    pub fn get(&self, agent: &AgentName, now: Timestamp) -> Result<Option<Heartbeat>, StoreError> {
        Ok(self.aged(agent, now)?.and_then(Mark::heartbeat))
    }

    /// Returns for how long an agent has given no sign of life in this clone.
    ///
    /// Without any, that counts from the first time this is asked. Signing off is no silence: an
    /// agent whose process ended may be started again in a moment, and its half-done work is in
    /// its worktree.
    pub fn silent_for(&self, agent: &AgentName, now: Timestamp) -> Result<Span, StoreError> {
        match self.aged(agent, now)? {
            Some(mark) => Ok(now.since(mark.seen)),
            None => {
                self.write(&self.path(agent), (State::Awaited, now), None, now)
                    .map_err(|e| self.error("write", agent, e))?;
                Ok(Span::default())
            }
        }
    }

    /// Returns what is noted of an agent, at the time that the clock on the wall would have shown
    /// if nobody had set it since.
    fn aged(&self, agent: &AgentName, now: Timestamp) -> Result<Option<Mark>, StoreError> {
        let path = self.path(agent);
        let mark = read(&path).map_err(|e| self.error("read", agent, e))?;
        let Some(mut mark) = mark else {
            return Ok(None);
        };
        let noted = mark.seen;
        let up = i64::try_from(self.uptime.millis).unwrap_or(i64::MAX);
        match &mark.clock {
            Some(clock) if clock.boot == self.uptime.boot => {
                let then = noted.0.saturating_sub(clock.millis);
                let age = up.saturating_sub(then).max(0);
                mark.seen = Timestamp(now.0.saturating_sub(age));
            }
            _ if noted.0 > now.0 + SKEW_MAX => mark.seen = now,
            _ => {}
        }
        if noted.0 > now.0 + SKEW_MAX {
            self.write(&path, (mark.state, mark.seen), mark.note.as_deref(), now)
                .map_err(|e| self.error("write", agent, e))?;
        }
        Ok(Some(mark))
    }

    /// Returns by how much the clock on the wall is ahead now.
    fn offset(&self, now: Timestamp) -> i64 {
        let up = i64::try_from(self.uptime.millis).unwrap_or(i64::MAX);
        now.0.saturating_sub(up)
    }

    /// Tells whether what a file says of its clock is right still.
    fn keeps_time(&self, mark: &Mark, now: Timestamp) -> bool {
        match &mark.clock {
            Some(clock) => {
                let drift = clock.millis.abs_diff(self.offset(now));
                clock.boot == self.uptime.boot && drift < DRIFT_MAX
            }
            None => self.uptime.boot.is_empty(),
        }
    }

    /// Notes that an agent lives as long as a process does.
    pub fn tie(&self, agent: &AgentName, process: &Process) -> Result<(), StoreError> {
        let path = self.processes().join(agent.as_str());
        git::write_whole(&path, format!("{process}\n").as_bytes())
            .map_err(|source| self.error("write the process of", agent, source))
    }

    /// Forgets the process of an agent.
    pub fn untie(&self, agent: &AgentName) -> Result<(), StoreError> {
        match fs::remove_file(self.processes().join(agent.as_str())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.error("forget the process of", agent, error))
            }
            _ => Ok(()),
        }
    }

    /// Returns the agents that are tied to a process, and the process.
    pub fn tied(&self) -> Result<Vec<(AgentName, Process)>, StoreError> {
        let entries = match fs::read_dir(self.processes()) {
            Ok(entries) => entries,
            Err(_) => return Ok(Vec::new()),
        };
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().parse();
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            if let (Ok(name), Ok(process)) = (name, text.parse()) {
                found.push((name, process));
            }
        }
        Ok(found)
    }

    fn processes(&self) -> PathBuf {
        self.beside("processes")
    }

    /// Returns a directory beside that of the heartbeats.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.dir.with_file_name(name)
    }

    /// Tells whether an agent was ever seen in this clone.
    pub fn is_here(&self, agent: &AgentName) -> bool {
        self.path(agent).exists()
    }

    /// Returns what the file called `name` says, and leaves it as it is.
    pub fn peek(&self, name: &str) -> Result<Option<Heartbeat>, StoreError> {
        let path = self.dir.join(name);
        match read(&path) {
            Ok(mark) => Ok(mark.and_then(Mark::heartbeat)),
            Err(source) => Err(StoreError::Local {
                doing: "read",
                path,
                source,
            }),
        }
    }

    /// Returns the names of all that have a heartbeat file, for `doctor`.
    pub fn names(&self) -> Result<Vec<String>, StoreError> {
        let local = |source| StoreError::Local {
            doing: "list",
            path: self.dir.clone(),
            source,
        };
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(local(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry
                .map_err(local)?
                .file_name()
                .to_string_lossy()
                .into_owned();
            if !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Removes the heartbeat file called `name`.
    pub fn forget(&self, name: &str) -> Result<(), StoreError> {
        let path = self.dir.join(name);
        fs::remove_file(&path).map_err(|source| StoreError::Local {
            doing: "remove",
            path,
            source,
        })
    }

    /// Writes a file anew: a state, and since when.
    fn write(
        &self,
        path: &Path,
        (state, since): (State, Timestamp),
        note: Option<&str>,
        now: Timestamp,
    ) -> io::Result<()> {
        let mut file = new_file_in(&self.dir)?;
        write!(file, "{}", state.word())?;
        if !self.uptime.boot.is_empty() {
            write!(file, "\t{}\t{}", self.uptime.boot, self.offset(now))?;
        }
        writeln!(file)?;
        if let Some(note) = note {
            writeln!(file, "{note}")?;
        }
        file.as_file().set_modified(system_time(since))?;
        file.persist(path)?;
        Ok(())
    }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Here => "here",
            State::SignedOff => "signed off",
            State::Awaited => "awaited",
        }
    }
}

impl Mark {
    fn heartbeat(self) -> Option<Heartbeat> {
        (self.state != State::Awaited).then(|| Heartbeat {
            seen: self.seen,
            note: self.note,
            signed_off: self.state == State::SignedOff,
        })
    }
}

fn read(path: &Path) -> io::Result<Option<Mark>> {
    let (text, meta) = match fs::read_to_string(path) {
        Ok(text) => (text, fs::metadata(path)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (first, note) = text.split_once('\n').unwrap_or((&text, ""));
    let mut words = first.split('\t');
    let state = words.next();
    let states = [State::SignedOff, State::Awaited];
    let state = states.into_iter().find(|it| Some(it.word()) == state);
    let clock = words.next().zip(words.next()).and_then(|(boot, millis)| {
        Some(Offset {
            boot: boot.to_owned(),
            millis: millis.parse().ok()?,
        })
    });
    let since = meta
        .modified()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Ok(Some(Mark {
        state: state.unwrap_or(State::Here),
        seen: Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
        clock,
        note: Some(note.trim_end())
            .filter(|note| !note.is_empty())
            .map(str::to_owned),
    }))
}

fn touch(path: &Path, now: Timestamp) -> io::Result<()> {
    File::options()
        .append(true)
        .open(path)?
        .set_modified(system_time(now))
}

fn system_time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or(0))
}
