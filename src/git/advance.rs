//! Moving a branch that people work on to a commit that was made for it.
//!
//! Only forward, and only from where it is expected to be. Moved by its name alone, a branch that is
//! checked out would leave that worktree with the old files: its next `commit -a` undid what has
//! landed. So the worktree comes along, if what is changed there allows it, and else nothing moves.
//!
//! No hook of the user's runs: nothing is committed or merged here that was not judged before.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::staged::split_names;
use super::unlanded::NAMES_ONLY;
use super::{
    Acquired, Advisory, AdvisoryLock, GitCommand, GitError, Oid, RefName, RefOutcome,
    RefStore as _, RefUpdate, Relation, Repo, WorktreeInfo, write_whole,
};

/// A move of a branch: to a commit that has all of the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// The full name of the branch.
    pub branch: RefName,
    pub from: Oid,
    pub to: Oid,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advanced {
    /// The branch holds the new commit, or was found to have it already.
    Moved,
    /// The branch holds something else than was expected; nothing, if there is no such branch.
    Elsewhere(Option<Oid>),
    /// The new commit lacks what the branch has.
    NotForward,
    /// It is checked out where these paths have changes that would be overwritten.
    Dirty {
        worktree: PathBuf,
        paths: Vec<Vec<u8>>,
    },
    /// It is checked out where a merge, a rebase or the like is not finished, or where another git
    /// process goes on and on.
    Busy { worktree: PathBuf },
    /// The remote does not let us move it; what it said, a line each, links included.
    Protected { said: Vec<String> },
    /// The remote did not answer, or not in time.
    Unreachable { reason: String },
}

/// How long to wait for others that move a branch with its worktrees.
const TURN: Duration = Duration::from_secs(60);

/// How long to wait for another git process that works on the index of a worktree.
const INDEX_PATIENCE: Duration = Duration::from_secs(3);

/// How many paths one command line is given.
const PATHS_AT_ONCE: usize = 500;

/// What lies in the git directory of a worktree while something is not finished there.
const UNFINISHED: [&str; 5] = [
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "rebase-merge",
    "rebase-apply",
];

impl Repo {
    /// Moves a branch of this clone, and every worktree that has it checked out.
    ///
    /// The files of such a worktree come first, as `git merge --ff-only` does it: what is changed
    /// there and not touched by the move stays as it is. Then the branch moves by compare-and-swap,
    /// under its own name, whatever may be checked out there by now. If that is lost, the files go
    /// to where the branch is. A note says meanwhile what is under way: of a process that dies in
    /// between, the new files are left staged there, and the next call takes them back first, or
    /// finishes the same move.
    pub fn advance(&self, advance: &Advance) -> Result<Advanced, GitError> {
        let worktrees = self.checked_out(&advance.branch)?;
        if worktrees.is_empty() {
            return Ok(match self.may_move(advance)? {
                Some(refused) => refused,
                None => self.swap(advance)?,
            });
        }
        // Two that bring files to one worktree at once would mix them.
        let lock = self.common_dir().join("reflectt").join("advance.lock");
        let Acquired::Held(_turn) = AdvisoryLock::acquire(&lock, TURN)? else {
            let worktree = worktrees[0].path.clone();
            return Ok(Advanced::Busy { worktree });
        };
        if self.read_note().is_some_and(|note| note != *advance)
            && let Some(refused) = self.settle_note()?
        {
            return Ok(refused);
        }
        if let Some(refused) = self.may_move(advance)? {
            return Ok(refused);
        }
        self.write_note(advance)?;
        let moved = self.advance_files(advance, &worktrees);
        // Also where it was moved: another branch may be checked out there by now.
        if self.settle_files(advance)?.is_none() {
            std::fs::remove_file(self.note_path()).ok();
        }
        moved
    }

    /// Takes back the files that a move has left in worktrees whose process died, if there is one;
    /// returns why not, if what is changed there forbids it. [`Repo::advance`] does so by itself.
    pub fn settle_advance(&self) -> Result<Option<Advanced>, GitError> {
        if self.read_note().is_none() {
            return Ok(None);
        }
        let lock = self.common_dir().join("reflectt").join("advance.lock");
        // Whoever has it is at work, and nothing is left over.
        match AdvisoryLock::acquire(&lock, TURN)? {
            Acquired::Held(_turn) => self.settle_note(),
            Acquired::TimedOut => Ok(None),
        }
    }

    fn settle_note(&self) -> Result<Option<Advanced>, GitError> {
        let Some(note) = self.read_note() else {
            return Ok(None);
        };
        let refused = self.settle_files(&note)?;
        if refused.is_none() {
            std::fs::remove_file(self.note_path()).ok();
        }
        Ok(refused)
    }

    fn advance_files(
        &self,
        advance: &Advance,
        worktrees: &[WorktreeInfo],
    ) -> Result<Advanced, GitError> {
        for worktree in worktrees {
            if let Some(refused) = self.bring_files(worktree, advance.from, advance.to)? {
                return Ok(refused);
            }
        }
        let moved = self.swap(advance)?;
        if moved == Advanced::Moved {
            self.put_right(worktrees, advance)?;
        }
        Ok(moved)
    }

    /// Tells how it ends before anything is done, if it does.
    fn may_move(&self, advance: &Advance) -> Result<Option<Advanced>, GitError> {
        let found = self.read_ref(&advance.branch)?;
        Ok(if found == Some(advance.to) {
            Some(Advanced::Moved)
        } else if found != Some(advance.from) {
            Some(Advanced::Elsewhere(found))
        } else if !self.leads_forward(advance)? {
            Some(Advanced::NotForward)
        } else {
            None
        })
    }

    fn swap(&self, advance: &Advance) -> Result<Advanced, GitError> {
        let update = RefUpdate {
            name: advance.branch.clone(),
            from: Some(advance.from),
            to: Some(advance.to),
        };
        let store = self.ref_store(Advisory::NotHeld);
        Ok(match store.update(&[update], "reflectt: land")? {
            RefOutcome::Moved => Advanced::Moved,
            RefOutcome::Lost { found, .. } => Advanced::Elsewhere(found),
        })
    }

    /// Brings the files that a move has brought to worktrees to where the branch is; returns why
    /// not, if that cannot be. Where they are there already nothing happens.
    fn settle_files(&self, advance: &Advance) -> Result<Option<Advanced>, GitError> {
        let Some(tip) = self.read_ref(&advance.branch)? else {
            return Ok(None);
        };
        if tip == advance.to || !self.exists(advance.to) {
            return Ok(None);
        }
        for worktree in self.checked_out(&advance.branch)? {
            if let Some(refused) = self.bring_files(&worktree, advance.to, tip)? {
                return Ok(Some(refused));
            }
        }
        Ok(None)
    }

    fn note_path(&self) -> PathBuf {
        self.common_dir().join("reflectt").join("advance")
    }

    fn write_note(&self, advance: &Advance) -> Result<(), GitError> {
        let path = self.note_path();
        let Advance { branch, from, to } = advance;
        let text = format!("{branch}\n{from}\n{to}\n");
        write_whole(&path, text.as_bytes()).map_err(|source| {
            GitError::of_write(&path, source.into(), |source| GitError::UpdateRefs {
                names: vec![branch.to_string()],
                source,
            })
        })
    }

    fn read_note(&self) -> Option<Advance> {
        let text = std::fs::read_to_string(self.note_path()).ok()?;
        let mut lines = text.lines();
        Some(Advance {
            branch: RefName::new(lines.next()?).ok()?,
            from: Oid::parse(lines.next()?).ok()?,
            to: Oid::parse(lines.next()?).ok()?,
        })
    }

    pub(super) fn leads_forward(&self, advance: &Advance) -> Result<bool, GitError> {
        Ok(self.relation(advance.to, advance.from)? == Relation::Ahead)
    }

    /// Returns the worktrees that are there and have the branch checked out.
    fn checked_out(&self, branch: &RefName) -> Result<Vec<WorktreeInfo>, GitError> {
        let name = branch.as_str();
        let short = name.strip_prefix("refs/heads/").unwrap_or(name);
        let mut worktrees = self.worktrees()?;
        worktrees.retain(|it| it.branch.as_deref() == Some(short) && it.path.is_dir());
        Ok(worktrees)
    }

    /// Moves the files and the index of a worktree from one commit to another; returns why not, if
    /// that cannot be, and then nothing has changed there.
    fn bring_files(
        &self,
        worktree: &WorktreeInfo,
        from: Oid,
        to: Oid,
    ) -> Result<Option<Advanced>, GitError> {
        let path = worktree.path.clone();
        let unfinished = |name: &&str| worktree.git_dir.join(name).exists();
        if UNFINISHED.iter().any(unfinished) {
            return Ok(Some(Advanced::Busy { worktree: path }));
        }
        let untracked = self.untracked_in_the_way(worktree, from, to)?;
        if !untracked.is_empty() {
            return Ok(Some(Advanced::Dirty {
                worktree: path,
                paths: untracked,
            }));
        }
        // What only looks changed, because its times are, must not be in the way.
        self.git_in(worktree, &["update-index", "-q", "--refresh"])
            .run()?;
        let begun = Instant::now();
        let output = loop {
            let output = self
                .git_in(worktree, &["read-tree", "-m", "-u"])
                .args([from.to_string(), to.to_string()])
                .run()?;
            let is_locked = output.code != Some(0) && output.stderr.contains("index.lock");
            if !is_locked {
                break output;
            }
            if begun.elapsed() > INDEX_PATIENCE {
                return Ok(Some(Advanced::Busy { worktree: path }));
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        if output.code == Some(0) {
            return Ok(None);
        }
        let paths = self.in_the_way(worktree, from, to)?;
        if paths.is_empty() {
            let failure = output.into_failure();
            return Err(GitError::of_write(&path, failure.clone().into(), |_| {
                failure.into()
            }));
        }
        Ok(Some(Advanced::Dirty {
            worktree: path,
            paths,
        }))
    }

    /// Returns what is not tracked in a worktree where the move would make files.
    ///
    /// Git would refuse to overwrite it only where nothing tells it to ignore the file: but that
    /// nobody wants to commit a file does not mean that nobody needs it.
    fn untracked_in_the_way(
        &self,
        worktree: &WorktreeInfo,
        from: Oid,
        to: Oid,
    ) -> Result<Vec<Vec<u8>>, GitError> {
        let [old, new] = [self.read_commit(from)?.tree, self.read_commit(to)?.tree];
        let changes = self.diff_trees(Some(old), new)?;
        let added = changes.iter().filter(|change| change.old.is_none());
        let there: BTreeSet<&Path> = added
            .filter_map(|change| what_is_at(&worktree.path, &change.path))
            .collect();
        let there: Vec<&Path> = there.into_iter().collect();
        let mut untracked = Vec::new();
        for some in there.chunks(PATHS_AT_ONCE) {
            let command = self.git_in(worktree, &["--literal-pathspecs", "ls-files", "-z"]);
            let command = command.args(["--others", "--"]).args(some);
            untracked.extend(split_names(&command.checked()?));
        }
        Ok(untracked)
    }

    /// Returns the paths that are changed in a worktree, staged or not, where the move would write.
    fn in_the_way(
        &self,
        worktree: &WorktreeInfo,
        from: Oid,
        to: Oid,
    ) -> Result<Vec<Vec<u8>>, GitError> {
        let written = self.differing(from, to)?;
        let mut changed = BTreeSet::new();
        for of in [&[][..], &["--cached"]] {
            let command = self.git_in(worktree, &["diff-index", "-z"]);
            let command = command.args(NAMES_ONLY).args(of).arg(from.to_string());
            changed.extend(split_names(&command.checked()?));
        }
        changed.retain(|path| written.iter().any(|written| collide(path, written)));
        Ok(changed.into_iter().collect())
    }

    /// Takes back what was done to the files where something else was checked out meanwhile.
    fn put_right(&self, worktrees: &[WorktreeInfo], advance: &Advance) -> Result<(), GitError> {
        let still = self.checked_out(&advance.branch)?;
        for worktree in worktrees {
            if !still.iter().any(|now| now.git_dir == worktree.git_dir) {
                self.bring_files(worktree, advance.to, advance.from)?;
            }
        }
        Ok(())
    }

    fn git_in(&self, worktree: &WorktreeInfo, args: &[&str]) -> GitCommand {
        self.git(["-c", "core.hooksPath=/dev/null"])
            .args(args)
            .git_dir(&worktree.git_dir)
            .current_dir(&worktree.path)
    }
}

/// Returns the part of a path that exists below `top` and that a file of that name would replace.
fn what_is_at<'p>(top: &Path, path: &'p [u8]) -> Option<&'p Path> {
    let path = Path::new(OsStr::from_bytes(path));
    let is_there = |path: &&Path| top.join(path).symlink_metadata().is_ok();
    if is_there(&path) {
        return Some(path);
    }
    let above = path.ancestors().skip(1).find(is_there)?;
    let meta = top.join(above).symlink_metadata().ok()?;
    (!meta.is_dir()).then_some(above)
}

/// Tells whether two paths cannot both be: they are the same, or one is a directory of the other.
fn collide(one: &[u8], other: &[u8]) -> bool {
    let below = |dir: &[u8], path: &[u8]| {
        path.strip_prefix(dir)
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    };
    below(one, other) || below(other, one)
}

#[cfg(test)]
mod tests;
