//! What a commit that is about to be made changes.
//!
//! Unlike all else here this depends on the environment of a hook: `git commit PATH` and `git
//! commit -a` build the commit in an index of their own, which `GIT_INDEX_FILE` names.

use std::collections::HashSet;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use super::{GitCommand, GitError, Oid, Repo};

/// A commit about to be made, as git describes it to a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staging {
    /// The value of `GIT_INDEX_FILE`, absolute; the worktree's own index without.
    pub index: Option<PathBuf>,
    /// The commits that are merged into `HEAD`, if it is a merge.
    pub merging: Vec<Oid>,
    /// How long each git process may take.
    pub time_limit: Duration,
}

/// Staged paths that git is finding out.
pub struct StagedPaths<'r> {
    repo: &'r Repo,
    staging: &'r Staging,
    running: JoinHandle<Result<Vec<u8>, GitError>>,
}

impl StagedPaths<'_> {
    /// Waits for git and returns the paths; see [`Repo::staged_paths`].
    pub fn finish(self) -> Result<Vec<Vec<u8>>, GitError> {
        let output = match self.running.join() {
            Ok(output) => output?,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let mut paths = split_names(&output);
        for theirs in &self.staging.merging {
            if !paths.is_empty() {
                self.repo
                    .keep_staged_against(self.staging, *theirs, &mut paths)?;
            }
        }
        Ok(paths)
    }
}

impl Repo {
    /// Returns the paths at which the commit will differ from `HEAD`: both names of a rename,
    /// deletions, changes of mode or type, submodules. Before the first commit, all there is.
    ///
    /// Of a merge, only those that differ from what is merged, too: the others are as somebody
    /// has committed them before, and that commit was judged when it was made.
    pub fn staged_paths(&self, staging: &Staging) -> Result<Vec<Vec<u8>>, GitError> {
        self.start_staged_paths(staging)?.finish()
    }

    /// Starts to find out about [`Repo::staged_paths`], so that the caller can read what it will
    /// compare them with in the meantime: each takes milliseconds, at every commit.
    pub fn start_staged_paths<'r>(
        &'r self,
        staging: &'r Staging,
    ) -> Result<StagedPaths<'r>, GitError> {
        let head = self.head()?.and_then(|head| head.commit);
        let command = self.compare_index(staging, head.unwrap_or_else(|| self.empty_tree()));
        Ok(StagedPaths {
            repo: self,
            staging,
            running: std::thread::spawn(move || command.checked()),
        })
    }

    /// Leaves of the staged `paths` of a merge those that were edited by hand: what git itself
    /// makes of both sides is nobody's edit, though it differs from each of them.
    ///
    /// Takes a merge in memory, so ask only about paths that matter. Older git than 2.38 cannot
    /// tell; then all are left.
    pub fn staged_by_hand(
        &self,
        staging: &Staging,
        mut paths: Vec<Vec<u8>>,
    ) -> Result<Vec<Vec<u8>>, GitError> {
        let head = self.head()?.and_then(|head| head.commit);
        let (Some(ours), [theirs]) = (head, staging.merging.as_slice()) else {
            return Ok(paths);
        };
        if let Some(merged) = self.merge_automatically(ours, *theirs, staging.time_limit)? {
            self.keep_staged_against(staging, merged, &mut paths)?;
        }
        Ok(paths)
    }

    fn keep_staged_against(
        &self,
        staging: &Staging,
        against: Oid,
        paths: &mut Vec<Vec<u8>>,
    ) -> Result<(), GitError> {
        let differ: HashSet<Vec<u8>> = self.staged_against(staging, against)?.into_iter().collect();
        paths.retain(|path| differ.contains(path));
        Ok(())
    }

    fn staged_against(&self, staging: &Staging, tree: Oid) -> Result<Vec<Vec<u8>>, GitError> {
        Ok(split_names(&self.compare_index(staging, tree).checked()?))
    }

    fn compare_index(&self, staging: &Staging, tree: Oid) -> GitCommand {
        // Options that the user's configuration could turn are spelt out.
        let mut command = self
            .git([
                "diff-index",
                "--cached",
                "--name-only",
                "-z",
                "--no-renames",
                "--no-ext-diff",
                "--no-relative",
                "--ita-invisible-in-index",
                "--ignore-submodules=none",
            ])
            .arg(tree.to_string())
            .arg("--")
            .time_limit(staging.time_limit);
        if let Some(index) = &staging.index {
            command = command.env("GIT_INDEX_FILE", index);
        }
        command
    }

    /// Returns the commits that an unfinished `git merge` of this worktree brings in.
    pub fn merge_heads(&self) -> Vec<Oid> {
        let text = std::fs::read_to_string(self.git_dir().join("MERGE_HEAD")).unwrap_or_default();
        text.lines()
            .filter_map(|line| Oid::parse(line).ok())
            .collect()
    }

    /// Returns the tree that git makes of two commits without anybody's help, conflicts marked in
    /// its files; `None` if this git cannot say.
    pub fn merge_automatically(
        &self,
        ours: Oid,
        theirs: Oid,
        time_limit: Duration,
    ) -> Result<Option<Oid>, GitError> {
        let output = self
            .git(["merge-tree", "--write-tree", "--no-messages", "-z"])
            .args([ours.to_string(), theirs.to_string()])
            .time_limit(time_limit)
            .run()?;
        let tree = output.stdout.split(|byte| *byte == 0).next();
        let tree = tree.and_then(|tree| Oid::parse(&String::from_utf8_lossy(tree)).ok());
        // 1 says that there are conflicts; anything else that it did not work.
        Ok(tree.filter(|_| matches!(output.code, Some(0 | 1))))
    }
}

/// Splits names that are each ended by a NUL.
pub(super) fn split_names(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

#[cfg(test)]
mod tests;
