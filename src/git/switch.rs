//! Switching a worktree to another branch, with the user's own git.

use super::staged::split_names;
use super::{GitError, Oid, Repo};

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

    /// Tells what stands in the way of checking out `commit` in this worktree, in git's words.
    pub fn obstacle_to(&self, commit: Oid) -> Result<Option<String>, GitError> {
        if self.head()?.and_then(|head| head.commit).is_none() {
            return Ok(None);
        }
        let commit = commit.to_string();
        let output = self
            .git(["read-tree", "--dry-run", "-m", "-u", "HEAD", &commit])
            .run()?;
        Ok(match output.code {
            Some(0) => None,
            _ => Some(
                output
                    .stderr
                    .trim()
                    .trim_start_matches("error: ")
                    .to_owned(),
            ),
        })
    }

    /// Checks out `branch`; made at `start`, if there is a `start`.
    pub fn switch(&self, branch: &str, start: Option<Oid>) -> Result<(), GitError> {
        let mut command = self.git(["switch", "--quiet"]);
        command = match start {
            Some(start) => command.args(["--no-track", "--create", branch, &start.to_string()]),
            None => command.arg(branch),
        };
        command.checked()?;
        Ok(())
    }
}
