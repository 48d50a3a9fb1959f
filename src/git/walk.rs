//! Walking history.

use std::collections::{BinaryHeap, HashSet};

use super::{Commit, GitError, Oid, Repo};

/// Commits reachable from some tips, newest first by the committer's time; see [`Repo::history`].
pub struct History<'r> {
    repo: &'r Repo,
    queue: BinaryHeap<Waiting>,
    seen: HashSet<Oid>,
    first_parent: bool,
}

impl Repo {
    /// Walks the commits reachable from `tips`, newest first, without those in `stop` and what is
    /// reached through them only.
    ///
    /// Missing history ends a path quietly in a shallow clone.
    pub fn history(
        &self,
        tips: impl IntoIterator<Item = Oid>,
        stop: impl IntoIterator<Item = Oid>,
    ) -> Result<History<'_>, GitError> {
        self.walk(tips, stop, false)
    }

    /// Walks from `tip` along first parents only.
    pub fn first_parents(&self, tip: Oid) -> Result<History<'_>, GitError> {
        self.walk([tip], [], true)
    }

    /// Tells whether `ancestor` is `descendant` or can be reached from it.
    ///
    /// Finds a near ancestor fast, as the walk is ordered by time; a "no" reads the whole history,
    /// because clocks prove nothing.
    pub fn is_ancestor(&self, ancestor: Oid, descendant: Oid) -> Result<bool, GitError> {
        for next in self.history([descendant], [])? {
            if next?.0 == ancestor {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn walk(
        &self,
        tips: impl IntoIterator<Item = Oid>,
        stop: impl IntoIterator<Item = Oid>,
        first_parent: bool,
    ) -> Result<History<'_>, GitError> {
        let mut history = History {
            repo: self,
            queue: BinaryHeap::new(),
            seen: stop.into_iter().collect(),
            first_parent,
        };
        for tip in tips {
            history.push(tip)?;
        }
        Ok(history)
    }

    /// Tells whether this clone lacks the parents of some commits on purpose.
    pub fn is_shallow(&self) -> bool {
        self.common_dir().join("shallow").is_file()
    }
}

impl History<'_> {
    fn push(&mut self, oid: Oid) -> Result<(), GitError> {
        if self.seen.insert(oid) {
            let commit = self.repo.read_commit(oid)?;
            let order = u64::MAX - self.seen.len() as u64;
            self.queue.push(Waiting { order, oid, commit });
        }
        Ok(())
    }
}

impl Iterator for History<'_> {
    type Item = Result<(Oid, Commit), GitError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Waiting { oid, commit, .. } = self.queue.pop()?;
        let count = if self.first_parent { 1 } else { usize::MAX };
        for parent in commit.parents.iter().take(count) {
            match self.push(*parent) {
                Ok(()) => {}
                Err(GitError::MissingObject { .. }) if self.repo.is_shallow() => {}
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok((oid, commit)))
    }
}

/// A commit in the queue; the greatest is the next.
struct Waiting {
    /// Falls with every commit queued, so that of two with one time the first queued comes first.
    order: u64,
    oid: Oid,
    commit: Commit,
}

impl Waiting {
    fn key(&self) -> (i64, u64) {
        (self.commit.committer.time, self.order)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{TestRepo, write_commit};

    #[test]
    fn newest_first_from_many_tips_and_not_past_the_stops() {
        let test = TestRepo::init(&[]);
        let repo = test.open();
        let root = write_commit(&repo, &[], "root", 10);
        let left = write_commit(&repo, &[root], "left", 20);
        let right = write_commit(&repo, &[root], "right", 30);
        let merge = write_commit(&repo, &[left, right], "merge", 40);
        let oids = |history: Result<History<'_>, GitError>| -> Vec<Oid> {
            history.unwrap().map(|next| next.unwrap().0).collect()
        };
        let all = [merge, right, left, root];
        assert_eq!(oids(repo.history([merge], [])), all);
        assert_eq!(oids(repo.history([left, merge, merge], [])), all);
        assert_eq!(oids(repo.history([merge], [left, root])), [merge, right]);
        assert_eq!(oids(repo.first_parents(merge)), [merge, left, root]);
        assert!(repo.is_ancestor(root, merge).unwrap());
        assert!(repo.is_ancestor(left, left).unwrap());
        assert!(!repo.is_ancestor(left, right).unwrap());
    }

    #[test]
    fn a_shallow_clone_ends_where_its_history_does() {
        let test = TestRepo::with_commit();
        test.commit("second");
        let url = format!("file://{}", test.path.display());
        let clone = test.path.with_file_name("clone");
        test.git(&["clone", "-q", "--depth", "1", &url, clone.to_str().unwrap()]);
        let repo = test.open_at(&clone);
        let tip = repo.resolve("HEAD").unwrap().unwrap();
        assert_eq!(repo.first_parents(tip).unwrap().count(), 1);
    }
}
