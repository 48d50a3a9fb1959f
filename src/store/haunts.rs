//! Where agents were seen: the worktrees of this clone in which they gave signs of life.
//!
//! One small file for each agent, written only when it goes on to another worktree. Like
//! heartbeats, these files can be deleted at any time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::name::AgentName;
use crate::model::presence::Haunt;
use crate::model::time::Timestamp;

use super::local::{load, save};
use super::{Presence, StoreError};

/// More than the last few tell nothing.
const KEPT: usize = 8;

/// The shape of a file.
const SHAPE: u32 = 1;

/// A worktree as the file has it.
#[derive(Serialize, Deserialize)]
struct Line {
    worktree: String,
    path: String,
    /// In milliseconds since 1970.
    left: Option<i64>,
}

impl From<Haunt> for Line {
    fn from(haunt: Haunt) -> Line {
        Line {
            worktree: haunt.worktree,
            path: haunt.path,
            left: haunt.left.map(|left| left.0),
        }
    }
}

impl From<Line> for Haunt {
    fn from(line: Line) -> Haunt {
        Haunt {
            worktree: line.worktree,
            path: line.path,
            left: line.left.map(Timestamp),
        }
    }
}

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
        let lines: Vec<Line> = haunts.into_iter().map(Line::from).collect();
        save(&self.haunts_dir().join(agent.as_str()), SHAPE, &lines)
    }

    /// Returns the worktrees in which an agent was seen, the last one at the end.
    pub fn haunts(&self, agent: &AgentName) -> Vec<Haunt> {
        let lines: Vec<Line> = load(&self.haunts_dir().join(agent.as_str()), SHAPE);
        lines.into_iter().map(Haunt::from).collect()
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
