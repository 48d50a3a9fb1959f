//! Commits that people made on the record by hand: on a forge, or in a checkout of the branch.

use std::collections::{HashMap, HashSet};
use std::fs;

use crate::git::{Commit, Mode, Oid};
use crate::model::id::{Stamp, TaskId, digest};
use crate::model::name::Author;
use crate::model::time::Timestamp;

use super::local::write_whole;
use super::publish::VERSION_TRAILER;
use super::{Store, StoreError, layout, shelf};

/// A file as somebody left it by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandMade {
    pub commit: Oid,
    pub by: Author,
    /// When it was committed, and no earlier than the edits by hand before it.
    pub at: Timestamp,
    /// How many edits by hand directly precede it.
    pub nth: u16,
    pub path: String,
    pub blob: Oid,
    /// What the file was before; `None` if there was none.
    pub before: Option<Oid>,
}

/// A file of the record that is gone, though nobody deletes records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The commit that does not have it any more.
    pub commit: Oid,
    pub path: String,
    /// What it was.
    pub blob: Oid,
}

/// What was made by hand, oldest first.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ByHand {
    pub files: Vec<HandMade>,
    pub removed: Vec<Removed>,
}

impl HandMade {
    /// Returns the ids of the events that this edit becomes, all later than `after`.
    ///
    /// They follow from the commit alone, so that two clones which find the edit make one event of
    /// it. Git counts in seconds, so it may seem to be older than what it was made on; then it is
    /// dated a moment after that, and still is another than every other edit.
    pub fn stamps(&self, after: Option<Stamp>) -> impl Iterator<Item = Stamp> {
        // Of two edits of the same time, the later one is later.
        let random = u128::from(self.nth) << 64 | self.digest() >> 64;
        let at = |time: Timestamp| Stamp::from_parts(u64::try_from(time.0).unwrap_or(0), random);
        let first = match after {
            Some(after) if at(self.at) <= after => at(Timestamp(after.at().0 + 1)),
            _ => at(self.at),
        };
        (first.to_bits()..).map(Stamp::from_bits)
    }

    /// Returns the id of the task that this file becomes.
    pub fn task_id(&self) -> TaskId {
        TaskId::of_digest(self.digest())
    }

    /// Returns a digest of the commit and the path.
    fn digest(&self) -> u128 {
        let bytes = self.commit.as_bytes().iter().chain(self.path.as_bytes());
        digest(bytes.copied())
    }
}

fn by_hand(commit: &Commit) -> bool {
    let mut lines = commit.message.lines();
    let signed = lines.any(|line| {
        let rest = line.strip_prefix(VERSION_TRAILER);
        rest.is_some_and(|rest| rest.starts_with(':'))
    });
    !signed && !commit.parents.is_empty()
}

impl Store {
    /// Tells whether somebody made this commit by hand: reflectt signs its own.
    pub fn is_hand_made(&self, tip: Oid) -> Result<bool, StoreError> {
        Ok(by_hand(&self.repo.read_commit(tip)?))
    }

    /// Tells whether somebody made one of the commits by hand that `tip` has beyond `seen`.
    fn is_any_hand_made(&self, seen: Option<Oid>, tip: Oid) -> Result<bool, StoreError> {
        if seen.is_none() {
            for step in self.repo.history([tip], [])? {
                if by_hand(&step?.1) {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        for commit in self.repo.commits_beyond(seen, tip)? {
            if self.is_hand_made(commit)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns what was made by hand in the commits that `tip` has and that were not looked at
    /// yet.
    pub fn hand_made(&self, tip: Oid) -> Result<ByHand, StoreError> {
        let mut found = ByHand::default();
        let seen = fs::read_to_string(self.dir.join("adopted")).unwrap_or_default();
        let seen = Oid::parse(seen.trim()).ok();
        let seen = seen.filter(|seen| self.repo.exists(*seen));
        // Mostly there is none, and who asks git for their order waits for a process.
        if !self.is_any_hand_made(seen, tip)? {
            return Ok(found);
        }
        let grep = format!("--grep=^{VERSION_TRAILER}:");
        let mut args = vec![
            "rev-list".to_owned(),
            "--reverse".to_owned(),
            "--topo-order".to_owned(),
            "--invert-grep".to_owned(),
            grep,
            tip.to_string(),
        ];
        args.extend(seen.map(|seen| format!("^{seen}")));
        let output = self.repo.git(args).checked()?;
        let mut runs = HashMap::new();
        for line in String::from_utf8_lossy(&output).lines() {
            let oid = Oid::parse(line)?;
            let commit = self.repo.read_commit(oid)?;
            let Some(parent) = commit.parents.first() else {
                continue;
            };
            let (nth, at) = self.run_of(oid, &mut runs)?;
            let before = self.repo.read_commit(*parent)?.tree;
            for change in self.repo.diff_named(Some(before), commit.tree)? {
                let path = change.path_text().into_owned();
                if let (true, Some(blob)) = (layout::is_read(&path), change.new_file()) {
                    found.files.push(HandMade {
                        commit: oid,
                        by: Author::lossy(&commit.author.name),
                        at,
                        nth,
                        path,
                        blob,
                        before: change.old_file(),
                    });
                }
            }
            found.removed.extend(self.removed_by(oid)?);
        }
        Ok(found)
    }

    /// Returns the files of the record that a commit dropped: a merge may have, of either side.
    pub fn removed_by(&self, commit: Oid) -> Result<Vec<Removed>, StoreError> {
        let mut removed = Vec::new();
        for parent in self.repo.read_commit(commit)?.parents {
            removed.extend(self.removed_since(parent, commit)?);
        }
        Ok(removed)
    }

    /// Returns the files of the record that `tip` lacks and `before` has. What only moved is there.
    pub fn removed_since(&self, before: Oid, tip: Oid) -> Result<Vec<Removed>, StoreError> {
        let (old, new) = (self.repo.read_commit(before)?, self.repo.read_commit(tip)?);
        let mut gone = Vec::new();
        let mut moved = HashSet::new();
        for change in self.repo.diff_named(Some(old.tree), new.tree)? {
            let path = change.path_text().into_owned();
            match (change.old_file(), change.new_file()) {
                _ if !layout::is_read(&path) => {}
                (_, Some(_)) => drop(moved.insert(layout::identity(&path))),
                (Some(blob), None) => gone.push(Removed {
                    commit: tip,
                    path,
                    blob,
                }),
                (None, None) => {}
            }
        }
        gone.retain(|it| !moved.contains(&layout::identity(&it.path)));
        if !gone.is_empty() {
            let there = self.identities(new.tree)?;
            gone.retain(|it| !there.contains(&layout::identity(&it.path)));
        }
        Ok(gone)
    }

    /// Returns what the files of a tree of the record are known by.
    pub fn identities(&self, tree: Oid) -> Result<HashSet<String>, StoreError> {
        let files = self.files_of(tree)?;
        Ok(files.keys().map(|path| layout::identity(path)).collect())
    }

    /// Returns the files of a tree of the record by their paths.
    pub fn files_of(&self, tree: Oid) -> Result<HashMap<String, Oid>, StoreError> {
        let mut found = HashMap::new();
        for entry in self.repo.read_tree(tree)? {
            let name = String::from_utf8_lossy(&entry.name).into_owned();
            if entry.mode == Mode::Tree {
                let files = shelf::list(&self.repo, &name, entry.oid)?.into_iter();
                let files = files.filter(|file| file.mode.is_file());
                found.extend(files.map(|file| (file.path, file.blob)));
            } else if entry.mode.is_file() {
                found.insert(name, entry.oid);
            }
        }
        Ok(found)
    }

    /// Returns what was last good of a file that is gone.
    pub fn last_good_of<T>(
        &self,
        removed: &Removed,
        parse: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<(Oid, T)>, StoreError> {
        if let Ok(bytes) = shelf::read_bytes(&self.repo, removed.blob)?
            && let Some(value) = parse(&bytes)
        {
            return Ok(Some((removed.blob, value)));
        }
        let accept = |bytes: &[u8]| parse(bytes).is_some();
        match self.last_version(removed.commit, &removed.path, &accept)? {
            Some(good) => Ok(parse(&self.repo.read_blob(good)?).map(|value| (good, value))),
            None => Ok(None),
        }
    }

    /// Returns how many commits made by hand directly precede this one, and the latest time in
    /// all of them. `known` has the answers so far.
    fn run_of(
        &self,
        commit: Oid,
        known: &mut HashMap<Oid, (u16, Timestamp)>,
    ) -> Result<(u16, Timestamp), StoreError> {
        let mut unknown = Vec::new();
        let mut next = Some(commit);
        let mut run = None;
        while let Some(oid) = next.take() {
            if let Some(found) = known.get(&oid) {
                run = Some(*found);
            } else if self.is_hand_made(oid)? {
                let commit = self.repo.read_commit(oid)?;
                unknown.push((oid, Timestamp(commit.author.time.saturating_mul(1000))));
                next = commit.parents.first().copied();
            }
        }
        while let Some((oid, time)) = unknown.pop() {
            let (nth, at) = run.map_or((0, time), |(nth, at): (u16, Timestamp)| {
                (nth.saturating_add(1), at.max(time))
            });
            known.insert(oid, (nth, at));
            run = Some((nth, at));
        }
        Ok(run.unwrap_or_default())
    }

    /// Returns the commits made by hand, at or before `tips`, that nothing of reflectt's follows.
    pub fn left_by_hand(&self, tips: &[Oid]) -> Result<HashSet<Oid>, StoreError> {
        let mut found = HashSet::new();
        let mut waiting = tips.to_vec();
        while let Some(oid) = waiting.pop() {
            if !found.contains(&oid) && self.is_hand_made(oid)? {
                waiting.extend(self.repo.read_commit(oid)?.parents);
                found.insert(oid);
            }
        }
        Ok(found)
    }

    /// Notes that everything up to `tip` was looked at. Forgotten, it is looked at again, and
    /// what is found then is there already.
    pub fn note_adopted(&self, tip: Oid) {
        write_whole(&self.dir.join("adopted"), &format!("{tip}\n")).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(commit: u8, at: i64, nth: u16) -> HandMade {
        let blob = Oid::from_bytes(&[commit; 20]).unwrap();
        HandMade {
            commit: blob,
            by: Author::lossy("Ann"),
            at: Timestamp(at),
            nth,
            path: "agents/kai.toml".to_owned(),
            blob,
            before: None,
        }
    }

    #[test]
    fn edits_in_the_second_of_what_they_were_made_on_are_later_and_differ() {
        let seen = Stamp::from_bits((1_500 << 80) | 7);
        let first = |edit: &HandMade| edit.stamps(Some(seen)).next().unwrap();
        let one = edit(1, 1_000, 0);
        let (next, other) = (edit(2, 1_000, 1), edit(3, 1_000, 0));
        assert!(seen < first(&one) && first(&one) < first(&next));
        assert_ne!(first(&one), first(&other));
        let many: Vec<Stamp> = one.stamps(Some(seen)).take(3).collect();
        assert!(many.is_sorted() && many[2] < first(&next));
        assert_eq!(first(&edit(1, 2_000, 0)).at(), Timestamp(2_000));
    }
}
