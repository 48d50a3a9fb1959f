//! Running a command of a repository's: cut off from whoever runs it, and with an end to all that
//! it may take: time, output, processes.

use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::tail::Tail;
use super::wait::{has_ended, look, time_left};
use crate::git::space::{free_space, is_none};
use crate::git::{Cancel, Process};

/// How often to look whether the command has ended that left its output open to another.
const LOOK: Duration = Duration::from_millis(50);
/// How often to look how much space there is.
const MEASURE: Duration = Duration::from_millis(250);
/// How long what a command has started may take to end itself when asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// How long what outlives a command may go on to write before it is asked to end.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Where this much is left, a command that says there is none means another disk, or tests.
const MUCH_SPACE: u64 = 256 * 1024 * 1024;

/// The variables of the environment that a command gets, by their names.
///
/// Those of git and of reflectt would lead it to the repository it is run for, all others are a
/// matter of whoever happens to run it.
const KEPT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "TMP",
    "TEMP",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PKG_CONFIG_PATH",
    "CC",
    "CXX",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "RUSTC_WRAPPER",
    "GOPATH",
    "GOROOT",
    "GOCACHE",
    "GOMODCACHE",
    "GOPROXY",
    "JAVA_HOME",
    "ANDROID_HOME",
    "ANDROID_SDK_ROOT",
    "MAVEN_OPTS",
    "GRADLE_USER_HOME",
    "NVM_DIR",
    "VOLTA_HOME",
    "PNPM_HOME",
    "PYENV_ROOT",
    "RBENV_ROOT",
    "GEM_HOME",
    "DOTNET_ROOT",
    "DOCKER_HOST",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSH_AUTH_SOCK",
];

/// What it gets in any case.
const SET: [(&str, &str); 2] = [("CI", "true"), ("TERM", "dumb")];

/// More that are kept: by how their names begin, and by how they end in either case.
const KEPT_BEGINNINGS: &[&str] = &["LC_", "XDG_", "NIX_", "CCACHE_", "SCCACHE_"];
const KEPT_ENDS: &[&str] = &["_PROXY"];

/// A command for `sh -c`, still to be run.
pub struct Shell<'s> {
    pub command: &'s str,
    pub dir: &'s Path,
    /// All that it takes is ended when it runs for longer.
    pub time_limit: Duration,
    pub cancel: &'s Cancel,
}

/// What is told of a command while it runs.
pub enum ShellSign<'s> {
    /// It runs as this process, the first of its group.
    Begun(&'s Process),
    /// Said several times a second, with the last line that it printed.
    Runs {
        elapsed: Duration,
        line: &'s dyn Fn() -> Option<String>,
    },
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShellEnd {
    Exited(u8),
    Signalled(u8),
    TimedOut,
    Cancelled,
}

/// What a command left behind.
#[derive(Debug)]
pub struct ShellOutput {
    pub end: ShellEnd,
    pub took: Duration,
    /// The last lines of what it wrote to either output.
    pub lines: Vec<String>,
    /// Whether the disk was full at some time.
    pub was_full: bool,
}

impl Shell<'_> {
    /// Runs it to its end, and ends all that it has started and left.
    ///
    /// It has a session of its own, so that nothing it starts can ask a question at the terminal,
    /// and a signal reaches everything in it that has not made a session itself.
    pub fn run(&self, watch: &dyn Fn(ShellSign)) -> io::Result<ShellOutput> {
        let (reader, writer) = io::pipe()?;
        rustix::io::ioctl_fionbio(&reader, true)?;
        let begun = Instant::now();
        let mut child = self.spawn(writer)?;
        watch(ShellSign::Begun(&Process::of(child.id())));
        let mut attended = Attended {
            reader: Some(reader),
            tail: Tail::default(),
            space: Lowest::new(self.dir),
        };
        let ended = attended.attend(&mut child, self, begun, watch);
        end_session(&mut child, &mut attended);
        let (status, end) = (child.wait(), ended?);
        let end = match end {
            Some(end) => end,
            None => end_of(status?),
        };
        let took = begun.elapsed();
        tracing::debug!(millis = took.as_millis(), ?end, "{}", self.command);
        let lowest = attended.space.measured();
        let lines = attended.tail.lines();
        Ok(ShellOutput {
            was_full: was_full(lowest, &lines),
            end,
            took,
            lines,
        })
    }

    fn spawn(&self, writer: io::PipeWriter) -> io::Result<Child> {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(self.command)
            .current_dir(self.dir)
            .env_clear()
            .envs(environment(std::env::vars_os()))
            .stdin(Stdio::null())
            // One pipe for both keeps what is written in its order.
            .stderr(writer.try_clone()?)
            .stdout(writer);
        super::new_session(&mut command);
        // Our ends of the pipe go with the command.
        command.spawn()
    }
}

/// Returns what a command gets of an environment.
fn environment(
    all: impl IntoIterator<Item = (OsString, OsString)>,
) -> impl Iterator<Item = (OsString, OsString)> {
    let kept = all.into_iter().filter(|(name, _)| is_kept(name));
    kept.chain(SET.map(|(name, value)| (name.into(), value.into())))
}

fn is_kept(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let upper = name.to_ascii_uppercase();
    KEPT.contains(&name)
        || KEPT_BEGINNINGS.iter().any(|begin| name.starts_with(begin))
        || KEPT_ENDS.iter().any(|end| upper.ends_with(end))
}

fn end_of(status: ExitStatus) -> ShellEnd {
    let number = |code: i32| u8::try_from(code).unwrap_or(u8::MAX);
    match (status.code(), status.signal()) {
        (Some(code), _) => ShellEnd::Exited(number(code)),
        (None, Some(signal)) => ShellEnd::Signalled(number(signal)),
        (None, None) => ShellEnd::Exited(u8::MAX),
    }
}

/// A command at work.
struct Attended {
    /// Our end of its output; `None` when nobody can write to it any more.
    reader: Option<PipeReader>,
    tail: Tail,
    space: Lowest,
}

impl Attended {
    /// Waits for the end of the command, and returns how it was ended, if it was.
    fn attend(
        &mut self,
        child: &mut Child,
        shell: &Shell,
        begun: Instant,
        watch: &dyn Fn(ShellSign),
    ) -> io::Result<Option<ShellEnd>> {
        let deadline = begun.checked_add(shell.time_limit);
        while !has_ended(child)? {
            if shell.cancel.is_cancelled() {
                return Ok(Some(ShellEnd::Cancelled));
            }
            let Some(left) = time_left(deadline) else {
                return Ok(Some(ShellEnd::TimedOut));
            };
            self.take_in(left.min(LOOK))?;
            self.space.look();
            let line = || self.tail.last_line();
            watch(ShellSign::Runs {
                elapsed: begun.elapsed(),
                line: &line,
            });
        }
        Ok(None)
    }

    /// Takes in some of the output, if there is any within this time.
    fn take_in(&mut self, limit: Duration) -> io::Result<()> {
        let Some(reader) = &mut self.reader else {
            // A short sleep: a command may close its output and end at once.
            std::thread::sleep(limit.min(Duration::from_millis(10)));
            return Ok(());
        };
        if !look([None, Some(reader.as_fd()), None], limit)?[1] {
            return Ok(());
        }
        let mut chunk = [0; 64 * 1024];
        match reader.read(&mut chunk) {
            Ok(0) => self.reader = None,
            Ok(count) => self.tail.push(&chunk[..count]),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
        Ok(())
    }
}

/// Ends what is left of a command: first asks, then kills.
///
/// As long as somebody has the output open, somebody is there; all get the same time to end
/// themselves. What cannot be read is no reason to leave anybody behind.
fn end_session(child: &mut Child, attended: &mut Attended) {
    // The child is not reaped yet, so the group's number cannot belong to anyone else. A group
    // that has ended cannot be signalled, and need not.
    let group = Pid::from_child(child);
    let gone = |child: &Child, attended: &Attended| {
        attended.reader.is_none() && !matches!(has_ended(child), Ok(false))
    };
    let wait = |attended: &mut Attended, child: &Child, limit: Duration| {
        let deadline = Instant::now().checked_add(limit);
        while !gone(child, attended) && time_left(deadline).is_some() {
            if attended.take_in(Duration::from_millis(5)).is_err() {
                break;
            }
        }
    };
    if matches!(has_ended(child), Ok(true)) {
        // It may have left its last words to a pipe.
        wait(attended, child, LAST_WORDS);
    }
    kill_process_group(group, Signal::TERM).ok();
    wait(attended, child, GRACE);
    // Sent even when all seems to have ended: somebody may have closed the output.
    kill_process_group(group, Signal::KILL).ok();
    wait(attended, child, Duration::from_millis(500));
}

/// The least space that there was where a command writes.
struct Lowest {
    dirs: [PathBuf; 2],
    lowest: Option<u64>,
    looked: Option<Instant>,
}

impl Lowest {
    fn new(dir: &Path) -> Lowest {
        Lowest {
            dirs: [dir.to_owned(), std::env::temp_dir()],
            lowest: None,
            looked: None,
        }
    }

    fn look(&mut self) {
        if self.looked.is_some_and(|at| at.elapsed() < MEASURE) {
            return;
        }
        self.looked = Some(Instant::now());
        let now = self.dirs.iter().filter_map(|dir| free_space(dir)).min();
        self.lowest = self.lowest.into_iter().chain(now).min();
    }

    fn measured(&mut self) -> Option<u64> {
        self.looked = None;
        self.look();
        self.lowest
    }
}

/// Judges by what was measured, and what the command said.
fn was_full(lowest: Option<u64>, lines: &[String]) -> bool {
    let says = |what: &str| lines.iter().any(|line| line.contains(what));
    match lowest {
        Some(bytes) if is_none(bytes) => true,
        Some(bytes) if bytes >= MUCH_SPACE => false,
        _ => says("No space left on device"),
    }
}

#[cfg(test)]
mod tests;
