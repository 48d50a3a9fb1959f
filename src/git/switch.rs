//! Switching a worktree to another branch, with the user's own git.

use super::staged::split_names;
use super::{GitError, Oid, Repo};

/// What git has begun and not finished in a worktree, by the file that says so.
const BEGUN: [(&str, &str); 5] = [
    ("MERGE_HEAD", "a merge"),
    ("rebase-merge", "a rebase"),
    ("rebase-apply", "a rebase"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
];

impl Repo {
    /// Returns the tracked files that have changes, staged or not.
    pub fn changed_files(&self) -> Result<Vec<String>, GitError> {
        let bytes = self
            .git([
                "status",
                "--porcelain=v1",
                "-z",
                "--untracked-files=no",
                "--no-renames",
            ])
            .checked()?;
        // `XY path`
        let names = split_names(&bytes).into_iter();
        Ok(names
            .filter_map(|line| {
                line.get(3..)
                    .map(|name| String::from_utf8_lossy(name).into())
            })
            .collect())
    }

    /// Returns what was begun in this worktree and has to be finished before it can be switched.
    pub fn unfinished(&self) -> Option<&'static str> {
        let is_there = |file: &str| self.git_dir().join(file).exists();
        let found = BEGUN.iter().find(|(file, _)| is_there(file));
        found.map(|(_, what)| *what)
    }

    /// Tells what stands in the way of checking out `commit` in this worktree, in git's words.
    pub fn obstacle_to(&self, commit: Oid) -> Result<Option<String>, GitError> {
        let head = self.head()?.and_then(|head| head.commit);
        let head = head.unwrap_or_else(|| self.empty_tree()).to_string();
        // A file that was only touched would be taken for one with changes. What cannot be
        // refreshed has some, or somebody else is at it.
        self.git(["update-index", "-q", "--refresh"]).run()?;
        let commit = commit.to_string();
        let output = self
            .git(["read-tree", "--dry-run", "-m", "-u", &head, &commit])
            .run()?;
        if output.code == Some(0) {
            return Ok(None);
        }
        // Anything else has nothing to do with what is checked out.
        let said = output.stderr.lines().next().unwrap_or_default();
        match said.strip_prefix("error: ") {
            Some(said) => Ok(Some(said.trim().to_owned())),
            None => Err(output.into_failure().into()),
        }
    }

    /// Checks out a branch that there is.
    pub fn switch(&self, branch: &str) -> Result<(), GitError> {
        self.git(["switch", "--quiet", branch]).checked()?;
        Ok(())
    }

    /// Makes a branch at `start`, and checks it out; without a `start`, there is no commit yet.
    ///
    /// Made first, as a `git switch --create` that may not make it has changed the files by then.
    pub fn switch_to_new(&self, branch: &str, start: Option<Oid>) -> Result<(), GitError> {
        let Some(start) = start else {
            let create = ["switch", "--quiet", "--create", branch];
            self.git(create).checked()?;
            return Ok(());
        };
        let make = ["branch", "--quiet", "--no-track", "--", branch];
        self.git(make).arg(start.to_string()).checked()?;
        self.switch(branch)
    }
}
