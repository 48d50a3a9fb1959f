//! The processes of the demo: this very binary, started as many agents.
//!
//! A signal that ends the demo ends them too. They are in process groups of their own, so that
//! Ctrl-C at a terminal reaches the demo alone and it alone decides.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cli::error::CliError;

use super::said::{Said, shown};
use super::stage::environment;

/// Starts processes of a program, and ends them when the demo is told to end.
pub struct Processes {
    program: PathBuf,
    /// What may not reach the processes: the user's identity and repository.
    removed: Vec<OsString>,
    running: Arc<Mutex<Running>>,
}

/// Locked while a process is added or reaped, so that a signal never goes to a process id that
/// belongs to somebody else by now.
#[derive(Default)]
struct Running {
    groups: HashSet<Pid>,
    /// The signal that told the demo to end; nothing is started any more.
    ended_by: Option<i32>,
}

impl Processes {
    /// Takes care of signals from now on.
    pub fn of(program: PathBuf, removed: Vec<OsString>) -> io::Result<Processes> {
        let running = Arc::<Mutex<Running>>::default();
        let shared = Arc::clone(&running);
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        thread::Builder::new().spawn(move || {
            for signal in signals.forever() {
                let mut running = lock(&shared);
                running.ended_by.get_or_insert(signal);
                for group in &running.groups {
                    // The group's leader is not reaped yet.
                    kill_process_group(*group, Signal::KILL).ok();
                }
            }
        })?;
        Ok(Processes {
            program,
            removed,
            running,
        })
    }

    /// Returns the signal that told the demo to end.
    pub fn ended_by(&self) -> Option<i32> {
        lock(&self.running).ended_by
    }

    /// Runs the program to its end.
    pub fn run(&self, who: &str, dir: &Path, args: &[String]) -> Result<Said, CliError> {
        let shown = format!("reflectt {}", shown(args));
        let failed = |doing: &str, error: io::Error| {
            CliError::failed(format!("cannot {doing} `{shown}`")).caused_by(error)
        };
        let mut command = self.command(self.program.as_os_str(), dir);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = self
            .start(&mut command, OnSignal::of(args))
            .map_err(|error| failed("run", error))?;
        let (code, stdout, stderr) = self
            .finish(child)
            .map_err(|error| failed("wait for", error))?;
        if self.ended_by().is_some() {
            return Err(interrupted());
        }
        Ok(Said {
            who: who.to_owned(),
            command: shown,
            code,
            stdout,
            stderr,
            ended: Instant::now(),
        })
    }

    /// Sees to it that the daemons of these clones end when this process does, or before.
    ///
    /// They outlive whoever starts them. So a process waits for its input to end, which happens
    /// when the guard is dropped, and no less when this process panics or is killed.
    pub fn guard(&self, dir: &Path, clones: &[PathBuf]) -> io::Result<Guard> {
        const SCRIPT: &str = "read -r _; for clone; do \"$0\" -C \"$clone\" daemon stop; done";
        let mut command = self.command("sh".as_ref(), dir);
        command
            .args(["-c", SCRIPT])
            .arg(&self.program)
            .args(clones)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Guard {
            child: command.spawn()?,
        })
    }

    fn command(&self, program: &OsStr, dir: &Path) -> Command {
        let mut command = Command::new(program);
        for name in &self.removed {
            command.env_remove(name);
        }
        command
            .envs(environment())
            .current_dir(dir)
            .process_group(0);
        command
    }

    fn start(&self, command: &mut Command, on_signal: OnSignal) -> io::Result<Child> {
        let mut running = lock(&self.running);
        if running.ended_by.is_some() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let child = command.spawn()?;
        if on_signal == OnSignal::Kill {
            running.groups.insert(Pid::from_child(&child));
        }
        Ok(child)
    }

    fn finish(&self, mut child: Child) -> io::Result<(i32, String, String)> {
        let mut out = child.stdout.take();
        let mut err = child.stderr.take();
        let (stdout, stderr) = thread::scope(|scope| {
            let errors = scope.spawn(move || read(err.as_mut()));
            (read(out.as_mut()), errors.join().unwrap_or_default())
        });
        await_end(&child)?;
        let mut running = lock(&self.running);
        running.groups.remove(&Pid::from_child(&child));
        // It has ended, so this returns at once.
        let status = child.wait()?;
        let code = match (status.code(), status.signal()) {
            (Some(code), _) => code,
            (None, signal) => 128 + signal.unwrap_or_default(),
        };
        Ok((code, stdout, stderr))
    }
}

/// What becomes of a process when the demo is told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnSignal {
    Kill,
    /// It takes a moment only. Killed halfway, it would leave a daemon behind that has not said
    /// yet who it is, and could not be told to stop.
    Finish,
}

impl OnSignal {
    fn of(args: &[String]) -> OnSignal {
        match args.first().map(String::as_str) {
            Some("daemon") => OnSignal::Finish,
            _ => OnSignal::Kill,
        }
    }
}

/// Stops daemons when it is dropped, and when this process ends in any other way.
pub struct Guard {
    child: Child,
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Whether a daemon could be stopped shows elsewhere; here nothing can be done about it.
        let _ = self.child.wait();
    }
}

/// Returns the error of whatever the demo was doing when it was told to end.
pub fn interrupted() -> CliError {
    CliError::failed("interrupted")
}

/// Waits for the end of a process and leaves it to be reaped.
fn await_end(child: &Child) -> io::Result<()> {
    loop {
        let flags = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(Pid::from_child(child)), flags) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn read(stream: Option<&mut impl io::Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // What came before an error is all there is.
        let _ = stream.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A thread that panicked with the lock held has left a whole set behind.
fn lock(running: &Mutex<Running>) -> MutexGuard<'_, Running> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_tells_its_code_and_both_streams() {
        let processes = Processes::of("/bin/sh".into(), Vec::new()).unwrap();
        let args = ["-c", "echo err >&2; exit 3"].map(str::to_owned);
        let said = processes.run("me", Path::new("/"), &args).unwrap();
        assert_eq!((said.code, said.essence()), (3, "err"));
        let args = ["-c", "echo out; echo err >&2"].map(str::to_owned);
        let said = processes.run("me", Path::new("/"), &args).unwrap();
        assert_eq!(
            (said.code, said.essence(), said.first_word()),
            (0, "out", "out")
        );
    }
}
