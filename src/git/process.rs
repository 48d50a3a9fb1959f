//! Running the user's `git`: a clean environment, a time limit, no prompts.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{AdvisoryLock, Cancel, CommandFailure, GitError};

mod shell;
mod tail;
mod wait;

pub use shell::{Shell, ShellEnd, ShellOutput, ShellSign};

/// What `git rev-parse --local-env-vars` lists: variables that bind git to one repository.
///
/// Hooks run with them set. Inherited, they would make our git work on that repository, index or
/// quarantined object directory instead of the one it is told to.
pub(super) const LOCAL_VARIABLES: [&str; 16] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX",
];

/// More that would change what git does or prints.
const OTHER_VARIABLES: [&str; 4] = [
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "LANGUAGE",
];

/// Returns the names of variables that would lead another process to the repository we were
/// started for, as hooks are, or change what git prints.
pub fn inherited_variables() -> impl Iterator<Item = &'static str> {
    LOCAL_VARIABLES.iter().chain(&OTHER_VARIABLES).copied()
}

/// No prompt may appear: nobody is there to answer, and it would hang until the time limit.
const SET_VARIABLES: [(&str, &str); 6] = [
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", ""),
    ("SSH_ASKPASS", ""),
    ("SSH_ASKPASS_REQUIRE", "never"),
    ("GIT_OPTIONAL_LOCKS", "0"),
];

/// How long a git process that works on local files may take.
const LOCAL_LIMIT: Duration = Duration::from_secs(60);

/// Starts git processes.
#[derive(Debug, Clone)]
pub struct Git {
    program: OsString,
    env: Vec<(OsString, OsString)>,
    cancel: Cancel,
}

impl Git {
    /// Returns a runner for the `git` that the search path names.
    pub fn new() -> Self {
        Self {
            program: "git".into(),
            env: Vec::new(),
            cancel: Cancel::default(),
        }
    }

    /// Runs another program in place of `git`.
    pub fn program(mut self, program: impl Into<OsString>) -> Self {
        self.program = program.into();
        self
    }

    /// Sets variables for every process, after the inherited environment was cleaned.
    pub fn envs(mut self, env: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.env.extend(env);
        self
    }

    /// Gives the processes an identity for ref logs, where the user has none configured.
    ///
    /// Git would make one up, and ask the network for the name of this machine to do so.
    pub(super) fn without_identity(mut self) -> Self {
        let identity = [
            ("GIT_COMMITTER_NAME", "reflectt"),
            ("GIT_COMMITTER_EMAIL", "reflectt@localhost"),
        ];
        // In front, so that variables the caller gave still count.
        self.env.splice(
            0..0,
            identity.map(|(name, value)| (name.into(), value.into())),
        );
        self
    }

    /// Returns what ends the cancellable processes of this runner and its clones.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Returns a command to fill in and run.
    pub fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> GitCommand {
        let mut command = Command::new(&self.program);
        for name in inherited_variables() {
            command.env_remove(name);
        }
        command.envs(SET_VARIABLES);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        GitCommand {
            command,
            git_dir: None,
            args: args
                .into_iter()
                .map(|arg| arg.as_ref().to_owned())
                .collect(),
            stdin: None,
            limit: LOCAL_LIMIT,
            terminal: Terminal::Kept,
            of: self.cancel.clone(),
            cancel: None,
        }
    }
}

impl Default for Git {
    fn default() -> Self {
        Self::new()
    }
}

/// One git process about to be started.
#[derive(Debug)]
pub struct GitCommand {
    command: Command,
    git_dir: Option<PathBuf>,
    args: Vec<OsString>,
    stdin: Option<Vec<u8>>,
    limit: Duration,
    terminal: Terminal,
    /// What would end the process, were it cancellable, and what does.
    of: Cancel,
    cancel: Option<Cancel>,
}

/// Looks at what a process writes to its standard error while it runs.
pub(super) type Watch<'w> = &'w mut dyn FnMut(&[u8]) -> Sign;

/// Whether what a process has written says that it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    OfLife,
    Silent,
}

/// Whether a process can reach the terminal of whoever runs reflectt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Terminal {
    Kept,
    /// `ssh` asks for a password at `/dev/tty`, whatever its standard input is. Without a
    /// terminal it fails at once, where it would wait for an answer until the time limit.
    None,
}

/// What a git process left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitOutput {
    /// The command line, with credentials in URLs masked.
    pub command: String,
    /// The exit code; `None` when a signal ended the process.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    /// Trimmed, with credentials in URLs masked.
    pub stderr: String,
}

impl GitCommand {
    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Works on this repository, with no search for one.
    pub fn git_dir(mut self, dir: &Path) -> Self {
        self.git_dir = Some(dir.to_owned());
        self
    }

    /// Runs in this directory.
    pub fn current_dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Sets one variable for this process.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Feeds these bytes to the process. Without them its standard input is empty.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Kills the process and all it started when it takes longer than this; when it is watched,
    /// when it gives no sign of life for as long.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Cuts the process off the terminal, so that nothing it starts can ask a question there.
    pub fn without_terminal(mut self) -> Self {
        self.terminal = Terminal::None;
        self
    }

    /// Lets the process hold a lock, should we be killed before it has ended.
    pub(super) fn holding(mut self, lock: &AdvisoryLock) -> Self {
        lock.share_with(&mut self.command);
        self
    }

    /// Lets the process be ended before it is done. For those that may end at any moment.
    pub fn cancellable(mut self) -> Self {
        self.cancel = Some(self.of.clone());
        self
    }

    /// Runs the process and returns what it left, whatever its exit code.
    pub fn run(self) -> Result<GitOutput, GitError> {
        self.finish(None)
    }

    /// Runs the process and shows `watch` what it writes to its standard error, as it comes and
    /// every 50 ms at least. The time limit then counts from the last sign of life.
    pub(super) fn run_watched(self, watch: Watch) -> Result<GitOutput, GitError> {
        self.finish(Some(watch))
    }

    fn finish(mut self, watch: Option<Watch>) -> Result<GitOutput, GitError> {
        if let Some(dir) = &self.git_dir {
            self.command.arg("--git-dir").arg(dir);
        }
        self.command.args(&self.args);
        let shown = self.shown();
        if self.cancel.as_ref().is_some_and(Cancel::is_cancelled) {
            return Err(GitError::Cancelled { command: shown });
        }
        self.command
            .stdin(match self.stdin {
                Some(_) => Stdio::piped(),
                None => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A group of its own: a time limit must end ssh and helpers too, not git alone, and
        // Ctrl-C at the terminal must not tear a ref update that is being published.
        match self.terminal {
            Terminal::Kept => {
                std::os::unix::process::CommandExt::process_group(&mut self.command, 0);
            }
            // A session of its own is a group of its own.
            Terminal::None => new_session(&mut self.command),
        }
        let begun = Instant::now();
        let child = match self.command.spawn() {
            Ok(child) => child,
            Err(error) => return Err(spawn_error(shown, error, self.command.get_current_dir())),
        };
        let input = self.stdin.as_deref().unwrap_or_default();
        let until = wait::Until {
            limit: self.limit,
            cancel: self.cancel.as_ref(),
        };
        let finished = wait::finish(child, input, until, watch);
        let millis = begun.elapsed().as_millis();
        match &finished {
            Ok(wait::Finished::Exited { status, .. }) => {
                tracing::debug!(millis, exit = status.code(), "{shown}");
            }
            Ok(_) => tracing::debug!(millis, "{shown}: ended by us"),
            Err(error) => tracing::debug!(millis, %error, "{shown}"),
        }
        match finished {
            Ok(wait::Finished::Exited {
                status,
                stdout,
                stderr,
            }) => Ok(GitOutput {
                command: shown,
                code: status.code(),
                stdout,
                stderr: mask_credentials(String::from_utf8_lossy(&stderr).trim()),
            }),
            Ok(wait::Finished::TimedOut) => Err(GitError::TimedOut {
                command: shown,
                limit: self.limit,
            }),
            Ok(wait::Finished::Cancelled) => Err(GitError::Cancelled { command: shown }),
            Err(source) => Err(GitError::Run {
                command: shown,
                source,
            }),
        }
    }

    /// Runs the process and returns its standard output.
    ///
    /// # Errors
    ///
    /// Fails as [`GitError::Failed`] when the exit code is not zero.
    pub fn checked(self) -> Result<Vec<u8>, GitError> {
        let output = self.run()?;
        if output.code == Some(0) {
            Ok(output.stdout)
        } else {
            Err(output.into_failure().into())
        }
    }

    fn shown(&self) -> String {
        let mut text = String::from("git");
        for arg in &self.args {
            text.push(' ');
            text.push_str(&arg.to_string_lossy());
        }
        mask_credentials(&text)
    }
}

impl GitOutput {
    /// Returns the failure that this output tells of.
    pub fn into_failure(self) -> CommandFailure {
        CommandFailure {
            command: self.command,
            code: self.code,
            stderr: self.stderr,
        }
    }
}

pub(super) fn new_session(command: &mut Command) {
    let start = || {
        rustix::process::setsid()?;
        Ok(())
    };
    // SAFETY: `start` only makes a system call that is safe after `fork`, and allocates nothing.
    // The standard library has no safe way to start a session.
    unsafe { std::os::unix::process::CommandExt::pre_exec(command, start) };
}

fn spawn_error(command: String, source: io::Error, dir: Option<&Path>) -> GitError {
    // The system reports a missing directory in the same way as a missing program.
    if source.kind() == io::ErrorKind::NotFound && dir.is_none_or(Path::is_dir) {
        GitError::Missing
    } else {
        GitError::Run { command, source }
    }
}

/// Replaces `user:password@` in every URL of `text` by `***@`, so that tokens reach no log.
fn mask_credentials(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        masked.push_str(before);
        let end = after
            .find(|c: char| c == '/' || c.is_whitespace() || matches!(c, '\'' | '"' | '`'))
            .unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                masked.push_str("***@");
                masked.push_str(host);
            }
            None => masked.push_str(authority),
        }
        rest = tail;
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests;
