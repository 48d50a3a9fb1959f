//! Showing a difference through the user's pager, who has the terminal meanwhile.

use std::process::{Command, ExitStatus};

use super::inherited_variables;
use super::{GitError, Repo};

/// How the pager went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged {
    /// Whether what was printed is still to be read: there was no pager to wait for whoever reads.
    pub is_left: bool,
    /// What git ended with, unless that was success.
    pub code: Option<i32>,
}

impl Repo {
    /// Runs `git diff` with this range on the terminal, through the pager that git is told of:
    /// `GIT_PAGER`, `core.pager`, `PAGER`, else `less`. Returns when whoever reads has closed it.
    ///
    /// The terminal must have been given back, and nobody else may read from it.
    ///
    /// # Errors
    ///
    /// [`GitError::Run`] if git cannot be started.
    pub fn page_diff(&self, range: &str) -> Result<Paged, GitError> {
        let mut command = Command::new("git");
        for name in inherited_variables() {
            // What the user reads is in the user's language.
            if name != "LANGUAGE" {
                command.env_remove(name);
            }
        }
        command.envs(self.options().env.iter().map(|(name, value)| (name, value)));
        command.env("GIT_OPTIONAL_LOCKS", "0");
        // Git's own default also leaves at once what fits on the screen, and with it whoever reads.
        let mut less = std::env::var_os("LESS").unwrap_or_else(|| "R".into());
        less.push(" -+F -+X");
        command.env("LESS", less);
        let dir = self.work_dir().unwrap_or(self.common_dir());
        command
            .current_dir(dir)
            .arg("--git-dir")
            .arg(self.git_dir());
        command.args(["diff", range, "--"]);
        let shown = format!("git diff {range}");
        // In our own process group and session, with our own streams: it is the terminal's now.
        let status = command.status().map_err(|source| GitError::Run {
            command: shown.clone(),
            source,
        })?;
        tracing::debug!(exit = status.code(), "{shown}");
        Ok(Paged {
            is_left: !self.has_pager()?,
            code: failed(status),
        })
    }

    /// Tells whether git hands what it prints to a pager that waits.
    fn has_pager(&self) -> Result<bool, GitError> {
        // As git itself finds it. `cat`, or nothing, is how people say that they want none.
        if self.config("pager.diff").as_deref() == Some("false") {
            return Ok(false);
        }
        let pager = self.git(["var", "GIT_PAGER"]).run()?;
        let text = String::from_utf8_lossy(&pager.stdout);
        Ok(!matches!(text.trim(), "" | "cat"))
    }
}

/// Returns the exit code of what did not succeed; a pager that was closed early ends git by a
/// signal, and that is no failure.
fn failed(status: ExitStatus) -> Option<i32> {
    status.code().filter(|code| *code != 0)
}
