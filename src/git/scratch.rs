//! A worktree of our own, to run something on a commit: nobody's checkout, and in nobody's way.
//!
//! It is registered like any other, so that `git gc` keeps what is checked out and `git worktree
//! prune` leaves it alone, and it is marked, so that we never take it for somebody's. It is kept
//! between uses: whatever git ignores (build outputs) stays, all else is put back. No hook of
//! git's runs in it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::repo::canonical;
use super::space::{free_space, is_none};
use super::worktrees::dot_git;
use super::{AdvisoryLock, GitCommand, GitError, Oid, Repo, write_whole};

/// In the git directory of a worktree of our own; holds the name of its directory.
const MARK: &str = "reflectt-scratch";

/// How long git may take to check out a commit: in a partial clone it has to ask the remote.
const CHECKOUT_LIMIT: Duration = Duration::from_secs(600);

/// The configuration that it has for itself, in place of what `git worktree add` has copied from
/// another worktree: no hooks, for those either who work in it, all files, and nothing that would
/// outlive a process or go elsewhere.
const CONFIG: &str = "\
[core]
\thooksPath = /dev/null
\tsparseCheckout = false
\tfsmonitor = false
\tlogAllRefUpdates = false
[submodule]
\trecurse = false
[maintenance]
\tauto = false
[gc]
\tauto = 0
";

/// Removes what git does not know, other repositories too, and leaves what it ignores.
const CLEAN: [&str; 3] = ["clean", "--quiet", "-ffd"];

/// As long as it has none.
const NO_HOOKS: [&str; 2] = ["-c", "core.hooksPath=/dev/null"];

/// A worktree of our own, which may have to be made.
///
/// Whoever uses it must be the only one, which is what the lock is for. Here it carries
/// correctness: two that check out in one directory would leave files of both. So git's processes
/// hold it, too. One that outlives this one, which was killed, goes on writing for a moment, and
/// nobody may begin before it has ended.
pub struct Scratch<'r> {
    repo: &'r Repo,
    tree: PathBuf,
    lock: AdvisoryLock,
}

impl Repo {
    /// Returns the worktree of our own at this place, for whoever has its lock. Nothing is made yet.
    pub fn scratch(&self, tree: &Path, lock: AdvisoryLock) -> Scratch<'_> {
        Scratch {
            repo: self,
            tree: tree.to_owned(),
            lock,
        }
    }
}

/// Tells whether the worktree with this git directory is one of ours.
pub(super) fn is_scratch(git_dir: &Path) -> bool {
    git_dir.join(MARK).is_file()
}

impl Scratch<'_> {
    /// Returns the root of its working tree.
    pub fn path(&self) -> &Path {
        &self.tree
    }

    /// Checks a commit out: its files, what git ignores there, and nothing else.
    ///
    /// What cannot be put back, because somebody has damaged it, is made anew.
    ///
    /// # Errors
    ///
    /// [`GitError::NoSpace`] if that is why; [`GitError::Cancelled`] if it was.
    pub fn check_out(&self, commit: Oid) -> Result<(), GitError> {
        // Where all worktrees share what is the main one's alone, a new one would not work.
        self.repo.enable_worktree_config()?;
        let done = match self.git_dir() {
            Some(git_dir) => self.put(&git_dir, commit),
            None => self.make_anew(commit),
        };
        let done = match done {
            Err(GitError::Failed(_) | GitError::Scratch { .. }) => match self.is_full() {
                true => {
                    self.sweep();
                    self.git_dir()
                        .map_or(done, |git_dir| self.put(&git_dir, commit))
                }
                false => self.make_anew(commit),
            },
            other => other,
        };
        done.map_err(|error| match error {
            GitError::Cancelled { .. } | GitError::Missing => error,
            full if self.is_full() => GitError::NoSpace {
                path: self.tree.clone(),
                source: full.into(),
            },
            GitError::Failed(failure) => {
                GitError::of_write(&self.tree, failure.into(), |source| GitError::Scratch {
                    path: self.tree.clone(),
                    source,
                })
            }
            other => other,
        })
    }

    /// Removes what git does not know, so that it takes no more room than it must.
    pub fn sweep(&self) {
        // What stays goes with the next checkout.
        if let Some(git_dir) = self.git_dir() {
            drop(self.run(self.git(&git_dir, &CLEAN)));
        }
    }

    /// Returns its git directory, if both know each other: of a repository that was copied the
    /// worktree is that of the other one.
    fn git_dir(&self) -> Option<PathBuf> {
        let link = fs::read_to_string(self.tree.join(".git")).ok()?;
        let named = link.strip_prefix("gitdir:")?.trim();
        let git_dir = canonical(&self.tree.join(named));
        let is_ours = git_dir.parent() == Some(&self.worktrees());
        let back = canonical(dot_git(&git_dir)?.parent()?);
        (is_ours && back == canonical(&self.tree)).then_some(git_dir)
    }

    fn worktrees(&self) -> PathBuf {
        self.repo.common_dir().join("worktrees")
    }

    fn make_anew(&self, commit: Oid) -> Result<(), GitError> {
        self.discard()?;
        let common = self.repo.common_dir();
        let add = ["worktree", "add", "--quiet", "--detach", "--no-checkout"];
        let add = self
            .repo
            .runner()
            .command(NO_HOOKS)
            .args(add)
            .arg("--force");
        let add = add.arg(&self.tree).arg(commit.to_string());
        self.run(add.git_dir(common).current_dir(common))?;
        match self.git_dir() {
            Some(git_dir) => self.put(&git_dir, commit),
            None => Err(self.broken(io::Error::other("git made it at another place"))),
        }
    }

    fn put(&self, git_dir: &Path, commit: Oid) -> Result<(), GitError> {
        // First of all, for it to be nobody's.
        self.mark(git_dir)?;
        // Nobody else works in it, so these are of processes that were killed.
        for lock in ["index.lock", "HEAD.lock"] {
            self.remove(&git_dir.join(lock))?;
        }
        self.write(&git_dir.join("config.worktree"), CONFIG)?;
        self.remove(&git_dir.join("info/sparse-checkout"))?;
        // Detached before anything else: were a branch checked out by what ran here, to reset it
        // would move somebody's branch.
        let commit = commit.to_string();
        let checkout = ["checkout", "--quiet", "--force", "--detach", &commit];
        self.run(self.git(git_dir, &checkout))?;
        self.run(self.git(git_dir, &["reset", "--quiet", "--hard"]))?;
        self.run(self.git(git_dir, &CLEAN))
    }

    fn git(&self, git_dir: &Path, args: &[&str]) -> GitCommand {
        // Named, and not looked for: without its file `.git` git would find the repository above.
        let command = self.repo.runner().command(["--work-tree"]);
        let command = command.arg(&self.tree).args(args);
        command.git_dir(git_dir).current_dir(&self.tree)
    }

    fn run(&self, command: GitCommand) -> Result<(), GitError> {
        let command = command.time_limit(CHECKOUT_LIMIT).without_terminal();
        let command = command.cancellable().holding(&self.lock);
        command.checked().map(drop)
    }

    fn mark(&self, git_dir: &Path) -> Result<(), GitError> {
        let name = self.tree.file_name().unwrap_or_default().to_string_lossy();
        self.write(&git_dir.join(MARK), &format!("{name}\n"))
    }

    /// Writes a file, if it is not so already.
    fn write(&self, path: &Path, text: &str) -> Result<(), GitError> {
        if fs::read(path).is_ok_and(|found| found == text.as_bytes()) {
            return Ok(());
        }
        write_whole(path, text.as_bytes()).map_err(|error| self.broken(error))
    }

    fn remove(&self, path: &Path) -> Result<(), GitError> {
        match fs::remove_file(path) {
            Err(error) if !is_missing(&error) => Err(self.broken(error)),
            _ => Ok(()),
        }
    }

    /// Removes what there is of it: its files, and what registers it.
    fn discard(&self) -> Result<(), GitError> {
        let name = self.tree.file_name().unwrap_or_default().to_string_lossy();
        let entries = fs::read_dir(self.worktrees()).into_iter().flatten();
        for git_dir in entries.flatten().map(|entry| entry.path()) {
            let mark = fs::read_to_string(git_dir.join(MARK)).unwrap_or_default();
            let is_here = match dot_git(&git_dir) {
                Some(place) => place.parent() == Some(&self.tree),
                // Of a git that was killed before it said where; it is locked then, and nobody
                // would ever prune it. Git calls it as we call the directory, or adds a number.
                None => {
                    (git_dir.file_name().unwrap_or_default().to_string_lossy()).starts_with(&*name)
                }
            };
            if is_here || mark.trim() == name {
                remove_all(&git_dir).map_err(|error| self.broken(error))?;
            }
        }
        remove_all(&self.tree).map_err(|error| self.broken(error))
    }

    fn is_full(&self) -> bool {
        // It may not be there.
        let dir = self.tree.parent().unwrap_or(&self.tree);
        free_space(dir).is_some_and(is_none)
    }

    fn broken(&self, source: io::Error) -> GitError {
        GitError::of_write(&self.tree, source.into(), |source| GitError::Scratch {
            path: self.tree.clone(),
            source,
        })
    }
}

/// Removes a directory with all that is in it, directories that nobody may write to included.
fn remove_all(dir: &Path) -> io::Result<()> {
    let remove = || match fs::remove_dir_all(dir) {
        Err(error) if is_missing(&error) => Ok(()),
        done => done,
    };
    remove().or_else(|_| {
        let mut waiting = vec![dir.to_owned()];
        while let Some(dir) = waiting.pop() {
            fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
            for entry in fs::read_dir(&dir)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    waiting.push(entry.path());
                }
            }
        }
        remove()
    })
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

#[cfg(test)]
mod tests;
