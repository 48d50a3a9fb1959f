//! How two commits stand to each other.

use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};

use super::{Commit, GitError, Oid, Repo};

/// How a commit stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Same,
    /// It has all of the other, and more.
    Ahead,
    /// The other has all of it, and more.
    Behind,
    /// Each has what the other has not.
    Diverged,
}

const LEFT: u8 = 1;
const RIGHT: u8 = 2;
const BOTH: u8 = LEFT | RIGHT;

/// A commit on the way from one of two tips.
struct Painted {
    colour: u8,
    time: i64,
    parents: Vec<Oid>,
}

impl Painted {
    fn new(commit: Commit) -> Painted {
        Painted {
            colour: 0,
            time: commit.committer.time,
            parents: commit.parents,
        }
    }
}

impl Repo {
    /// Tells how `left` stands to `right`, reading no more of the history than what differs.
    pub fn relation(&self, left: Oid, right: Oid) -> Result<Relation, GitError> {
        if left == right {
            return Ok(Relation::Same);
        }
        let painted = self.paint(left, Some(right))?;
        let only = |colour| painted.values().any(|found| *found == colour);
        Ok(match (only(LEFT), only(RIGHT)) {
            (true, true) => Relation::Diverged,
            (true, false) => Relation::Ahead,
            (false, true) => Relation::Behind,
            // Two names of one commit cannot be: equal commits were told apart above.
            (false, false) => Relation::Same,
        })
    }

    /// Returns the commits that `new` has and `old` has not, in no order.
    pub fn commits_beyond(&self, old: Option<Oid>, new: Oid) -> Result<Vec<Oid>, GitError> {
        if old == Some(new) {
            return Ok(Vec::new());
        }
        let painted = self.paint(new, old)?;
        let only = painted.into_iter().filter(|(_, colour)| *colour == LEFT);
        Ok(only.map(|(oid, _)| oid).collect())
    }

    /// Paints the commits that can be reached from one of two tips alone, and some of both.
    ///
    /// Commits are painted from both tips, newest first, until all that waits is painted in both
    /// colours and older than anything painted in one. That is exact as long as no commit is
    /// dated before its parents, which reflectt sees to for its own; a hand-made commit of a
    /// clock that is behind only makes the walk longer, because it waits in one colour.
    fn paint(&self, left: Oid, right: Option<Oid>) -> Result<HashMap<Oid, u8>, GitError> {
        let mut painted: HashMap<Oid, Painted> = HashMap::new();
        let mut queue: BinaryHeap<(i64, Oid)> = BinaryHeap::new();
        // How many in the queue have one colour.
        let mut single = 0_usize;
        for (tip, colour) in [(Some(left), LEFT), (right, RIGHT)] {
            let Some(tip) = tip else { continue };
            let found = Painted::new(self.read_commit(tip)?);
            queue.push((found.time, tip));
            painted.insert(tip, Painted { colour, ..found });
            single += 1;
        }
        let mut oldest = i64::MAX;
        let shallow = self.is_shallow();
        while let Some((time, oid)) = queue.pop() {
            if single == 0 && time < oldest {
                break;
            }
            let colour = painted[&oid].colour;
            if colour != BOTH {
                single -= 1;
                oldest = oldest.min(time);
            }
            for parent in painted[&oid].parents.clone() {
                let found = match painted.entry(parent) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => match self.read_commit(parent) {
                        Ok(commit) => new.insert(Painted::new(commit)),
                        Err(GitError::MissingObject { .. }) if shallow => continue,
                        Err(error) => return Err(error),
                    },
                };
                let old = found.colour;
                found.colour |= colour;
                if found.colour == old {
                    continue;
                }
                let waits = queue.iter().any(|(_, waiting)| *waiting == parent);
                match (old, waits) {
                    (0, _) if found.colour != BOTH => single += 1,
                    // It waited in one colour, and now has both.
                    (LEFT | RIGHT, true) => single -= 1,
                    _ => {}
                }
                if !waits {
                    queue.push((found.time, parent));
                }
            }
        }
        let colours = painted.into_iter().map(|(oid, found)| (oid, found.colour));
        Ok(colours.collect())
    }

    /// Returns a commit that both can be reached from, as late as possible.
    pub fn merge_base(&self, left: Oid, right: Oid) -> Result<Option<Oid>, GitError> {
        let names = [left.to_string(), right.to_string()];
        let output = self.git(["merge-base"]).args(names).run()?;
        match output.code {
            Some(0) => Oid::parse(&String::from_utf8_lossy(&output.stdout)).map(Some),
            Some(1) => Ok(None),
            _ => Err(output.into_failure().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{TestRepo, write_commit};

    #[test]
    fn ahead_behind_and_diverged() {
        let test = TestRepo::init(&[]);
        let repo = test.open();
        let root = write_commit(&repo, &[], "root", 10);
        let old = write_commit(&repo, &[root], "old", 10);
        let left = write_commit(&repo, &[old], "left", 20);
        let right = write_commit(&repo, &[old], "right", 20);
        let merge = write_commit(&repo, &[left, right], "merge", 20);
        let other = write_commit(&repo, &[], "other", 30);
        for (a, b, expected) in [
            (root, root, Relation::Same),
            (left, root, Relation::Ahead),
            (root, left, Relation::Behind),
            (left, right, Relation::Diverged),
            (merge, right, Relation::Ahead),
            (left, merge, Relation::Behind),
            (other, merge, Relation::Diverged),
        ] {
            assert_eq!(repo.relation(a, b).unwrap(), expected);
        }
    }

    #[test]
    fn what_one_has_beyond_another() {
        let test = TestRepo::init(&[]);
        let repo = test.open();
        let mut rng = fastrand::Rng::with_seed(7);
        let mut commits = vec![write_commit(&repo, &[], "root", 10)];
        for n in 0..60 {
            let pick =
                |rng: &mut fastrand::Rng| commits[rng.usize(commits.len() / 2..commits.len())];
            let mut parents = vec![pick(&mut rng)];
            let other = pick(&mut rng);
            if rng.bool() && other != parents[0] {
                parents.push(other);
            }
            // Many in one second.
            commits.push(write_commit(&repo, &parents, &n.to_string(), 10 + n / 8));
        }
        for _ in 0..40 {
            let [old, new] = [(); 2].map(|()| commits[rng.usize(..commits.len())]);
            let range = format!("{old}..{new}");
            let mut wanted: Vec<Oid> = (test.git(&["rev-list", &range]).lines())
                .map(|line| Oid::parse(line).unwrap())
                .collect();
            let mut found = repo.commits_beyond(Some(old), new).unwrap();
            wanted.sort();
            found.sort();
            assert_eq!(found, wanted);
        }
        let last = *commits.last().unwrap();
        let all = test.git(&["rev-list", "--count", &last.to_string()]);
        let found = repo.commits_beyond(None, last).unwrap().len();
        assert_eq!(found.to_string(), all.trim());
    }

    #[test]
    fn a_clock_that_is_behind_changes_nothing() {
        let test = TestRepo::init(&[]);
        let repo = test.open();
        let mut tip = write_commit(&repo, &[], "root", 1000);
        for time in [1100, 1200, 1300] {
            tip = write_commit(&repo, &[tip], "on", time);
        }
        let hand_made = write_commit(&repo, &[tip], "by a clock that is behind", 50);
        assert_eq!(repo.relation(tip, hand_made).unwrap(), Relation::Behind);
        assert_eq!(repo.relation(hand_made, tip).unwrap(), Relation::Ahead);
    }
}
