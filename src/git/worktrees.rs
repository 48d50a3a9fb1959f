//! The worktrees of one clone.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::repo::canonical;
use super::scratch::is_scratch;
use super::{GitError, RefFormat, Repo};

/// One worktree: the main one or a linked one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorktreeInfo {
    /// The root of its working tree; for a bare main repository, its git directory.
    pub path: PathBuf,
    pub git_dir: PathBuf,
    /// The branch checked out, below `refs/heads/`; `None` when detached, or bare.
    pub branch: Option<String>,
}

impl Repo {
    /// Returns the main worktree and then the linked ones, those whose directory is gone included,
    /// and without those that are our own; see [`super::Scratch`].
    pub fn worktrees(&self) -> Result<Vec<WorktreeInfo>, GitError> {
        let main = self.main_dir();
        let bare = main.is_none();
        let mut found = vec![WorktreeInfo {
            path: main.unwrap_or_else(|| self.common_dir().to_owned()),
            git_dir: self.common_dir().to_owned(),
            branch: if bare {
                None
            } else {
                self.branch_in(self.common_dir())
            },
        }];
        let dir = self.common_dir().join("worktrees");
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            Err(source) => return Err(GitError::ListWorktrees { path: dir, source }),
        };
        // One that is being removed while we look is one that is not there.
        let all = entries.flatten().map(|entry| entry.path());
        for git_dir in all.filter(|git_dir| !is_scratch(git_dir)) {
            let Some(dot_git) = dot_git(&git_dir) else {
                continue;
            };
            let Some(path) = dot_git.parent() else {
                continue;
            };
            found.push(WorktreeInfo {
                path: canonical(path),
                branch: self.branch_in(&git_dir),
                git_dir,
            });
        }
        found[1..].sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn main_dir(&self) -> Option<PathBuf> {
        let main = self.inner.main_repo().ok()?;
        main.workdir().map(canonical)
    }

    /// Returns the branch that the HEAD of a bare repository names, seen from any of its worktrees;
    /// `None` if it is not bare.
    pub fn hub_branch(&self) -> Option<String> {
        match self.main_dir() {
            Some(_) => None,
            None => self.branch_in(self.common_dir()),
        }
    }

    /// Tells whether a worktree was removed, or its directory deleted; `id` is what
    /// [`Repo::worktree_id`] says.
    ///
    /// The main one is never gone, nor is one that is locked: it may be on a disk that is not there
    /// now. One that somebody moved without git is where it was last `seen`. Whatever cannot be
    /// found out counts as there.
    pub fn is_worktree_gone(&self, id: &str, seen: Option<&Path>) -> bool {
        let Some(name) = id.strip_prefix("worktrees/") else {
            return false;
        };
        let worktrees = self.common_dir().join("worktrees");
        let mut dir = worktrees.join(name);
        if is_missing(&dir) {
            // Its name may not be text.
            let entries = std::fs::read_dir(&worktrees).into_iter().flatten();
            let mut dirs = entries.flatten().map(|entry| entry.path());
            match dirs.find(|dir| self.worktree_id(dir) == id) {
                Some(found) => dir = found,
                None => return true,
            }
        }
        let Some(dot_git) = dot_git(&dir) else {
            return false;
        };
        is_missing(&dir.join("locked"))
            && is_missing(&dot_git)
            && seen.is_none_or(|seen| is_missing(&seen.join(".git")))
    }

    fn branch_in(&self, git_dir: &Path) -> Option<String> {
        let name = if self.ref_format() == RefFormat::Reftable {
            let command = self
                .git(["symbolic-ref", "--quiet", "HEAD"])
                .git_dir(git_dir);
            String::from_utf8(command.current_dir(git_dir).checked().ok()?).ok()?
        } else {
            let head = std::fs::read_to_string(git_dir.join("HEAD")).ok()?;
            head.strip_prefix("ref:")?.to_owned()
        };
        let name = name.trim();
        Some(name.strip_prefix("refs/heads/").unwrap_or(name).to_owned())
    }
}

/// Returns where the file `.git` of a linked worktree was when git last wrote its place.
pub(super) fn dot_git(git_dir: &Path) -> Option<PathBuf> {
    let link = std::fs::read(git_dir.join("gitdir")).ok()?;
    Some(git_dir.join(OsStr::from_bytes(link.trim_ascii_end())))
}

/// Tells whether there is surely nothing at `path`.
fn is_missing(path: &Path) -> bool {
    match std::fs::symlink_metadata(path) {
        Ok(_) => false,
        Err(error) => matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        ),
    }
}

#[cfg(test)]
mod tests;
