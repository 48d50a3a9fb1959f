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

use super::staged::split_names;
use super::{
    Advisory, GitCommand, GitError, Oid, RefName, RefOutcome, RefStore as _, RefUpdate, Relation,
    Repo, WorktreeInfo,
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
    /// It is checked out where a merge, a rebase or the like is not finished.
    Busy { worktree: PathBuf },
    /// The remote does not let us move it; what it said, a line each, links included.
    Protected { said: Vec<String> },
    /// The remote did not answer, or not in time.
    Unreachable { reason: String },
}

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
    /// back. A process that dies in between leaves the new files staged there; the same call again
    /// finishes it.
    pub fn advance(&self, advance: &Advance) -> Result<Advanced, GitError> {
        let Advance { branch, from, to } = advance;
        let found = self.read_ref(branch)?;
        if found == Some(*to) {
            return Ok(Advanced::Moved);
        }
        if found != Some(*from) {
            return Ok(Advanced::Elsewhere(found));
        }
        if !self.leads_forward(advance)? {
            return Ok(Advanced::NotForward);
        }
        let worktrees = self.checked_out(branch)?;
        for (at, worktree) in worktrees.iter().enumerate() {
            if let Some(refused) = self.bring_files(worktree, *from, *to)? {
                self.bring_back(&worktrees[..at], advance)?;
                return Ok(refused);
            }
        }
        let update = RefUpdate {
            name: branch.clone(),
            from: Some(*from),
            to: Some(*to),
        };
        let store = self.ref_store(Advisory::NotHeld);
        match store.update(&[update], "reflectt: land") {
            Ok(RefOutcome::Moved) => {
                self.put_right(&worktrees, advance)?;
                Ok(Advanced::Moved)
            }
            Ok(RefOutcome::Lost { found, .. }) => {
                self.bring_back(&worktrees, advance)?;
                Ok(Advanced::Elsewhere(found))
            }
            Err(error) => {
                self.bring_back(&worktrees, advance)?;
                Err(error)
            }
        }
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
        let output = self
            .git_in(worktree, &["read-tree", "-m", "-u"])
            .args([from.to_string(), to.to_string()])
            .run()?;
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

    /// Returns the paths that are changed in a worktree, or not tracked, where the move would write.
    fn in_the_way(
        &self,
        worktree: &WorktreeInfo,
        from: Oid,
        to: Oid,
    ) -> Result<Vec<Vec<u8>>, GitError> {
        let output = self
            .git_in(worktree, &["status", "--porcelain", "-z", "--no-renames"])
            .arg("--untracked-files=all")
            .checked()?;
        let written = self.differing(from, to)?;
        // Each entry is two letters, a space and the path; a directory ends with a slash.
        let mut changed: Vec<Vec<u8>> = split_names(&output)
            .into_iter()
            .filter_map(|entry| entry.get(3..).map(<[u8]>::to_vec))
            .collect();
        changed.retain(|path| written.iter().any(|written| collide(path, written)));
        Ok(changed)
    }

    /// Takes back what was done to the files of these worktrees.
    fn bring_back(&self, worktrees: &[WorktreeInfo], advance: &Advance) -> Result<(), GitError> {
        for worktree in worktrees {
            self.bring_files(worktree, advance.to, advance.from)?;
        }
        Ok(())
    }

    /// Takes it back where something else was checked out meanwhile.
    fn put_right(&self, worktrees: &[WorktreeInfo], advance: &Advance) -> Result<(), GitError> {
        if worktrees.is_empty() {
            return Ok(());
        }
        let still = self.checked_out(&advance.branch)?;
        let left = |it: &&WorktreeInfo| !still.iter().any(|now| now.git_dir == it.git_dir);
        let left: Vec<WorktreeInfo> = worktrees.iter().filter(left).cloned().collect();
        self.bring_back(&left, advance)
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
    let one = one.strip_suffix(b"/").unwrap_or(one);
    let below = |dir: &[u8], path: &[u8]| {
        path.strip_prefix(dir)
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    };
    below(one, other) || below(other, one)
}

#[cfg(test)]
mod tests;
