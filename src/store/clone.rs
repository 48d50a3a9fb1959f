//! Which clone this is: an id of its own, and how a copy of a clone is told from it.
//!
//! Somebody copies a whole repository, with everything that is beside it, and two clones have one
//! id. Each would then speak for the other's agents, and expire them. So beside the id stands
//! where it was given: on which machine, at which path, in which directory.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::git::AdvisoryLock;
use crate::model::claim::CloneId;

use super::local::write_whole;
use super::requests::QUEUE;
use super::staged::STAGED;
use super::{Store, StoreError};

/// How long to wait for another process that finds out the same.
const PATIENCE: Duration = Duration::from_secs(5);

/// One directory may have several places: a container sees it at another one.
const PLACES_MAX: usize = 16;

/// What is kept beside a repository about those who work in it, and is not true of its copy.
const OF_AGENTS: [&str; 4] = ["heartbeats", "processes", "worktrees", QUEUE];

/// This clone, as those who work in it know it.
#[derive(Debug, Clone)]
pub struct Here {
    pub id: CloneId,
    /// Ids it had before another clone turned out to use them, too. What was claimed under them
    /// was claimed here.
    former: Vec<CloneId>,
    /// Where the clone is that this one was found to be a copy of, just now.
    pub copied_from: Option<PathBuf>,
}

impl Here {
    /// Tells whether a claim with this clone's id was made here.
    pub fn made(&self, clone: &CloneId) -> bool {
        self.id == *clone || self.former.contains(clone)
    }
}

/// Where a clone is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Location {
    machine: String,
    inode: u64,
    path: PathBuf,
}

/// What a directory is to the one in which its id was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kinship {
    Same,
    /// It was moved, or put back from a backup; nothing else goes by its id.
    Moved,
    Copy,
}

impl Location {
    /// Judges by where the id is known from, newest last, and whether there is another directory
    /// with that id at any of these places.
    fn kinship(&self, known: &[Location], original: Option<&Location>) -> Kinship {
        if known.contains(self) {
            Kinship::Same
        } else if original.is_some() {
            Kinship::Copy
        } else if known.iter().any(|it| it.inode == self.inode) {
            // Renamed, or a container sees it elsewhere.
            Kinship::Same
        } else if known.iter().any(|it| it.machine == self.machine) {
            Kinship::Moved
        } else {
            Kinship::Copy
        }
    }

    fn line(&self) -> String {
        let path = self.path.to_string_lossy();
        format!("{}\t{}\t{path}\n", self.machine, self.inode)
    }

    fn read(line: &str) -> Option<Location> {
        let mut parts = line.splitn(3, '\t');
        Some(Location {
            machine: parts.next()?.to_owned(),
            inode: parts.next()?.parse().ok()?,
            path: parts.next()?.into(),
        })
    }
}

impl Store {
    /// Returns which clone this is. Its id is drawn when it is first asked for, and anew in a copy.
    pub fn here(&self, rng: &mut fastrand::Rng) -> Result<Here, StoreError> {
        let place = self.place()?;
        if let Some(id) = self.read_id()
            && self.known_places().contains(&place)
        {
            return Ok(self.with_former(id, None));
        }
        // Two first commands at once must agree.
        let lock = AdvisoryLock::acquire(&self.dir.join("clone.lock"), PATIENCE);
        let known = self.known_places();
        let Some(id) = self.read_id() else {
            let id = CloneId::random(rng);
            self.write_id(&id)?;
            self.note_place(known, &place)?;
            drop(lock);
            return Ok(self.with_former(id, None));
        };
        let original = self.original(&id, &known, &place);
        // An older version knew no places.
        if known.is_empty() || place.kinship(&known, original) != Kinship::Copy {
            // On a disk that nobody can write to, it is found out anew the next time.
            drop(self.note_place(known, &place));
            return Ok(self.with_former(id, None));
        }
        let from = original.or(known.last()).map(|it| it.path.clone());
        self.forget_inherited()?;
        let id = CloneId::random(rng);
        self.write_id(&id)?;
        self.note_place(known, &place)?;
        Ok(self.with_former(id, from))
    }

    /// Gives this clone another id, because another one uses `doubled`, too.
    pub fn part_from(
        &self,
        doubled: &CloneId,
        rng: &mut fastrand::Rng,
    ) -> Result<Here, StoreError> {
        let _lock = AdvisoryLock::acquire(&self.dir.join("clone.lock"), PATIENCE);
        match self.read_id() {
            // Another process was faster.
            Some(id) if id != *doubled => Ok(self.with_former(id, None)),
            _ => {
                // Which of the two is the original nobody knows, so the agents here stay.
                let mut former = self.former();
                former.push(doubled.clone());
                let lines: String = former.iter().map(|id| format!("{id}\n")).collect();
                write_whole(&self.dir.join("former"), &lines)?;
                let id = CloneId::random(rng);
                self.write_id(&id)?;
                Ok(self.with_former(id, None))
            }
        }
    }

    /// Removes what is not true of a copy.
    fn forget_inherited(&self) -> Result<(), StoreError> {
        let files = ["former", "published", "said", STAGED].into_iter();
        let removed = files
            .map(|name| (name, fs::remove_file(self.dir.join(name))))
            .chain(OF_AGENTS.map(|name| (name, fs::remove_dir_all(self.dir.join(name)))));
        for (name, done) in removed {
            if let Err(source) = done
                && source.kind() != io::ErrorKind::NotFound
            {
                let path = self.dir.join(name);
                return Err(StoreError::Local {
                    doing: "remove",
                    path,
                    source,
                });
            }
        }
        Ok(())
    }

    /// Returns where another directory has this clone's id, if any of the places still has.
    fn original<'p>(
        &self,
        id: &CloneId,
        known: &'p [Location],
        here: &Location,
    ) -> Option<&'p Location> {
        let own = fs::metadata(self.repo.common_dir()).ok()?;
        known.iter().find(|place| {
            place.machine == here.machine
                && fs::metadata(&place.path)
                    .is_ok_and(|meta| (meta.dev(), meta.ino()) != (own.dev(), own.ino()))
                && read_id(&place.path.join("reflectt/clone")).as_ref() == Some(id)
        })
    }

    fn place(&self) -> Result<Location, StoreError> {
        let path = self.repo.common_dir();
        let meta = fs::metadata(path).map_err(|source| StoreError::Local {
            doing: "look at",
            path: path.to_owned(),
            source,
        })?;
        // As one line, as it is written: two that differ in what cannot be, differ in the inode.
        let text = path.to_string_lossy().replace(char::is_control, "?");
        Ok(Location {
            machine: machine(),
            inode: meta.ino(),
            path: text.into(),
        })
    }

    fn known_places(&self) -> Vec<Location> {
        let text = fs::read_to_string(self.dir.join("place")).unwrap_or_default();
        text.lines().filter_map(Location::read).collect()
    }

    fn note_place(&self, mut known: Vec<Location>, place: &Location) -> Result<(), StoreError> {
        known.retain(|it| it != place);
        known.push(place.clone());
        let surplus = known.len().saturating_sub(PLACES_MAX);
        known.drain(..surplus);
        let text: String = known.iter().map(Location::line).collect();
        write_whole(&self.dir.join("place"), &text)
    }

    fn former(&self) -> Vec<CloneId> {
        let text = fs::read_to_string(self.dir.join("former")).unwrap_or_default();
        text.lines().filter_map(|id| id.parse().ok()).collect()
    }

    fn with_former(&self, id: CloneId, copied_from: Option<PathBuf>) -> Here {
        Here {
            id,
            former: self.former(),
            copied_from,
        }
    }

    fn read_id(&self) -> Option<CloneId> {
        read_id(&self.dir.join("clone"))
    }

    fn write_id(&self, id: &CloneId) -> Result<(), StoreError> {
        write_whole(&self.dir.join("clone"), &format!("{id}\n"))
    }
}

fn read_id(path: &Path) -> Option<CloneId> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Returns what tells this machine from others, as well as it can be known.
fn machine() -> String {
    let files = ["/etc/machine-id", "/proc/sys/kernel/hostname"];
    let texts = files
        .into_iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    let texts = texts.map(|text| text.trim().replace(char::is_control, "?"));
    texts
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_told_from_what_was_moved() {
        let place = |machine: &str, inode, path: &str| Location {
            machine: machine.to_owned(),
            inode,
            path: path.into(),
        };
        let known = [place("m", 7, "/repo/.git")];
        let of =
            |here: &Location, original: bool| here.kinship(&known, original.then_some(&known[0]));
        assert_eq!(of(&known[0], false), Kinship::Same);
        assert_eq!(of(&place("m", 7, "/renamed/.git"), false), Kinship::Same);
        assert_eq!(of(&place("box", 7, "/work/.git"), false), Kinship::Same);
        assert_eq!(of(&place("m", 8, "/restored/.git"), false), Kinship::Moved);
        assert_eq!(of(&place("m", 8, "/repo/.git"), false), Kinship::Moved);
        assert_eq!(of(&place("m", 8, "/copy/.git"), true), Kinship::Copy);
        // The same number on another disk.
        assert_eq!(of(&place("m", 7, "/disk/.git"), true), Kinship::Copy);
        assert_eq!(of(&place("other", 9, "/repo/.git"), false), Kinship::Copy);
        for place in [&known[0], &place("", 1, "/with\ttab")] {
            assert_eq!(
                Location::read(place.line().trim_end()).as_ref(),
                Some(place)
            );
        }
    }
}
