//! Where agents were seen: the worktrees of this clone in which they gave signs of life.
//!
//! One small file for each agent, written only when it goes on to another worktree. Like
//! heartbeats, these files can be deleted at any time.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::git::new_file_in;
use crate::model::name::AgentName;
use crate::model::presence::Haunt;
use crate::model::time::Timestamp;

use super::{Presence, StoreError};

/// More than the last few tell nothing.
const KEPT: usize = 8;

/// Stands where there is no time.
const STILL: &str = "-";

impl Presence {
    fn haunts_dir(&self) -> PathBuf {
        self.beside("worktrees")
    }

    /// Notes in which worktree an agent was just seen. Nothing is written if it was there before.
    pub fn note_haunt(
        &self,
        agent: &AgentName,
        worktree: &str,
        path: &Path,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut haunts = self.haunts(agent);
        let path = printable(path);
        if let Some(last) = haunts.last_mut() {
            if last.worktree == worktree && last.path == path {
                return Ok(());
            }
            last.left = Some(now);
        }
        haunts.retain(|haunt| haunt.worktree != worktree);
        haunts.push(Haunt {
            worktree: worktree.to_owned(),
            path,
            left: None,
        });
        let surplus = haunts.len().saturating_sub(KEPT);
        haunts.drain(..surplus);
        let dir = self.haunts_dir();
        let write = || -> io::Result<()> {
            let mut file = new_file_in(&dir)?;
            for haunt in &haunts {
                let left = haunt
                    .left
                    .map_or(STILL.to_owned(), |left| left.0.to_string());
                writeln!(file, "{left}\t{}\t{}", haunt.worktree, haunt.path)?;
            }
            file.persist(dir.join(agent.as_str()))?;
            Ok(())
        };
        write().map_err(|source| StoreError::Local {
            doing: "write",
            path: dir.join(agent.as_str()),
            source,
        })
    }

    /// Returns the worktrees in which an agent was seen, the last one at the end.
    pub fn haunts(&self, agent: &AgentName) -> Vec<Haunt> {
        let text = fs::read_to_string(self.haunts_dir().join(agent.as_str())).unwrap_or_default();
        let haunt = |line: &str| {
            let mut parts = line.splitn(3, '\t');
            let (left, worktree, path) = (parts.next()?, parts.next()?, parts.next()?);
            Some(Haunt {
                worktree: worktree.to_owned(),
                path: path.to_owned(),
                left: match left {
                    STILL => None,
                    left => Some(Timestamp(left.parse().ok()?)),
                },
            })
        };
        text.lines().filter_map(haunt).collect()
    }

    /// Returns the agents of whom it is known where they were seen.
    pub fn haunting(&self) -> Vec<AgentName> {
        let entries = fs::read_dir(self.haunts_dir()).into_iter().flatten();
        let names = entries.flatten().map(|entry| entry.file_name());
        names
            .filter_map(|name| name.to_str()?.parse().ok())
            .collect()
    }

    /// Forgets where an agent was seen.
    pub fn forget_haunts(&self, agent: &AgentName) -> Result<(), StoreError> {
        let path = self.haunts_dir().join(agent.as_str());
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StoreError::Local {
                doing: "remove",
                path,
                source,
            }),
            _ => Ok(()),
        }
    }
}

/// Returns a path as one line. Where it cannot be one, nothing: then git alone knows the place.
fn printable(path: &Path) -> String {
    let text = path.to_str().unwrap_or_default();
    if text.contains(char::is_control) {
        String::new()
    } else {
        text.to_owned()
    }
}
