//! Worktrees of a commit, to look at it, and what a range of commits changes.

use std::path::Path;

use super::staged::split_names;
use super::{GitError, Oid, Repo};

/// How much a range of commits changes in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub path: String,
    /// Lines added and deleted; unknown of a file that is not text.
    pub lines: Option<(u64, u64)>,
}

impl Repo {
    /// Makes a detached worktree of `commit` at `path`, or moves the one that is there.
    pub fn check_out_detached(&self, path: &Path, commit: Oid) -> Result<(), GitError> {
        let commit = commit.to_string();
        if path.join(".git").exists() {
            let there = Repo::discover(path)?;
            let detach = ["switch", "--quiet", "--detach", &commit];
            there.git(detach).checked()?;
            return Ok(());
        }
        self.git(["worktree", "add", "--quiet", "--force", "--detach", "--"])
            .arg(path)
            .arg(commit)
            .checked()?;
        Ok(())
    }

    /// Removes a worktree with all that is in it.
    pub fn remove_worktree(&self, path: &Path) -> Result<(), GitError> {
        self.git(["worktree", "remove", "--force", "--"])
            .arg(path)
            .checked()?;
        Ok(())
    }

    /// Returns what changed from the merge base of the two to `commit`, file by file.
    pub fn difference(&self, base: Oid, commit: Oid) -> Result<Vec<Difference>, GitError> {
        let range = format!("{base}...{commit}");
        let options = ["--numstat", "-z", "--no-renames", "--no-ext-diff"];
        let bytes = self.git(["diff"]).args(options).arg(range).checked()?;
        let line = |line: Vec<u8>| {
            let text = String::from_utf8_lossy(&line).into_owned();
            let mut parts = text.splitn(3, '\t');
            let (added, deleted) = (parts.next()?, parts.next()?);
            Some(Difference {
                path: parts.next()?.to_owned(),
                lines: added.parse().ok().zip(deleted.parse().ok()),
            })
        };
        Ok(split_names(&bytes).into_iter().filter_map(line).collect())
    }
}
