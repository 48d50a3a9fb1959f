//! Heartbeats of this clone: one small file for each agent, beside the repository.
//!
//! A heartbeat sets the time of a file and writes no object. These files can be deleted at any
//! time: whoever holds a claim and has no heartbeat is counted from the moment that is noticed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::git::{self, new_file_in};
use crate::model::claim::CloneId;
use crate::model::name::AgentName;
use crate::model::presence::Heartbeat;
use crate::model::time::Timestamp;

use super::local::write_whole;
use super::{Store, StoreError};

/// First line of the file of an agent that signed off.
const SIGNED_OFF: &str = "signed off";
const HERE: &str = "here";

/// A clock that was set back leaves heartbeats in the future, which would never age. Beyond this
/// many milliseconds such a heartbeat is counted from now.
const SKEW_MAX: i64 = 10_000;

/// The local presence files of one clone.
pub struct Presence {
    dir: PathBuf,
}

impl Store {
    pub fn presence(&self) -> Presence {
        Presence {
            dir: self.dir.join("heartbeats"),
        }
    }

    /// Returns the id of this clone, drawn when it is first asked for.
    pub fn clone_id(&self, rng: &mut fastrand::Rng) -> Result<CloneId, StoreError> {
        let path = self.dir.join("clone");
        let local = |doing, source| StoreError::Local {
            doing,
            path: path.clone(),
            source,
        };
        if let Ok(text) = fs::read_to_string(&path)
            && let Ok(id) = text.trim().parse()
        {
            return Ok(id);
        }
        let id = CloneId::random(rng);
        let mut file = new_file_in(&self.dir).map_err(|e| local("write", e))?;
        writeln!(file, "{id}").map_err(|e| local("write", e))?;
        // Two first commands at once must agree: the file that is there first counts.
        match file.persist_noclobber(&path) {
            Ok(_) => Ok(id),
            Err(_) => {
                let text = fs::read_to_string(&path).map_err(|e| local("read", e))?;
                match text.trim().parse() {
                    Ok(id) => Ok(id),
                    Err(_) => {
                        // Damaged: nothing depends on the old value but claims' ages.
                        write_whole(&path, &format!("{id}\n"))?;
                        Ok(id)
                    }
                }
            }
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
            (Some(beat), None) if !beat.signed_off => touch(&path, now),
            _ => {
                let kept = old.as_ref().and_then(|beat| beat.note.as_deref());
                self.write(&path, HERE, note.or(kept), now)
            }
        };
        touched.map_err(|e| self.error("write", agent, e))
    }

    /// Notes that the agent's process has ended.
    pub fn sign_off(&self, agent: &AgentName, now: Timestamp) -> Result<(), StoreError> {
        let path = self.path(agent);
        let old = read(&path).map_err(|e| self.error("read", agent, e))?;
        let note = old.as_ref().and_then(|beat| beat.note.as_deref());
        self.write(&path, SIGNED_OFF, note, now)
            .map_err(|e| self.error("write", agent, e))
    }

    /// Returns the last heartbeat of an agent in this clone.
    pub fn get(&self, agent: &AgentName, now: Timestamp) -> Result<Option<Heartbeat>, StoreError> {
        let path = self.path(agent);
        let beat = read(&path).map_err(|e| self.error("read", agent, e))?;
        match beat {
            Some(beat) if beat.seen.0 > now.0 + SKEW_MAX => {
                touch(&path, now).map_err(|e| self.error("write", agent, e))?;
                Ok(Some(Heartbeat { seen: now, ..beat }))
            }
            other => Ok(other),
        }
    }

    /// Notes that an agent lives as long as a process does.
    pub fn tie(&self, agent: &AgentName, pid: u32) -> Result<(), StoreError> {
        let path = self.processes().join(agent.as_str());
        git::write_whole(&path, format!("{pid}\n").as_bytes())
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
    pub fn tied(&self) -> Result<Vec<(AgentName, u32)>, StoreError> {
        let entries = match fs::read_dir(self.processes()) {
            Ok(entries) => entries,
            Err(_) => return Ok(Vec::new()),
        };
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().parse();
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            if let (Ok(name), Ok(pid)) = (name, text.trim().parse()) {
                found.push((name, pid));
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
        read(&path).map_err(|source| StoreError::Local {
            doing: "read",
            path,
            source,
        })
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

    fn write(
        &self,
        path: &Path,
        state: &str,
        note: Option<&str>,
        now: Timestamp,
    ) -> io::Result<()> {
        let mut file = new_file_in(&self.dir)?;
        writeln!(file, "{state}")?;
        if let Some(note) = note {
            writeln!(file, "{note}")?;
        }
        file.as_file().set_modified(system_time(now))?;
        file.persist(path)?;
        Ok(())
    }
}

fn read(path: &Path) -> io::Result<Option<Heartbeat>> {
    let (text, meta) = match fs::read_to_string(path) {
        Ok(text) => (text, fs::metadata(path)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (state, note) = text.split_once('\n').unwrap_or((&text, ""));
    let since = meta
        .modified()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Ok(Some(Heartbeat {
        seen: Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
        note: Some(note.trim_end())
            .filter(|note| !note.is_empty())
            .map(str::to_owned),
        signed_off: state == SIGNED_OFF,
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
