//! `reflectt run`

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithRawSiginfo;

use crate::cli::error::CliError;
use crate::cli::session::{AGENT_VARIABLE, Session};
use crate::ops::{self, Context};

/// Run a command as an agent, who counts as alive while it runs.
///
/// The command finds its name in REFLECTT_AGENT. Signals are passed on to it, and its exit code
/// is the one of this command. The agent is signed off at the end.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The command and its arguments, after `--`.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    command: Vec<OsString>,
}

impl RunArgs {
    /// Returns the exit code of the command.
    pub fn run(&self, session: &Session) -> Result<u8, CliError> {
        let context = session.context()?;
        let interval = ops::keep_alive(context)?;
        let ended = self.attend(session, context, interval);
        if let Err(error) = ops::sign_off(context, std::process::id()) {
            session.ui.warn(format!("cannot sign off: {error}"));
        }
        Ok(exit_code(ended?))
    }

    /// Runs the command to its end, with heartbeats.
    fn attend(
        &self,
        session: &Session,
        context: &Context,
        mut interval: Duration,
    ) -> Result<ExitStatus, CliError> {
        let name = context.me()?.as_str();
        let (program, arguments) = self
            .command
            .split_first()
            .expect("the command line requires one word at least");
        let cannot = |doing: &str, error: io::Error| {
            let message = format!("cannot {doing} `{}`", program.to_string_lossy());
            CliError::failed(message).caused_by(error)
        };
        // Before the command starts: it may end, or we may be told to, at once.
        let signals = signals().map_err(|error| cannot("wait for", error))?;
        session.ui.flush();
        let mut child = Command::new(program)
            .args(arguments)
            .env(AGENT_VARIABLE, name)
            .current_dir(session.directory())
            .spawn()
            .map_err(|error| cannot("run", error))?;
        // Killed, this process cannot sign the agent off; the daemon then finds it gone.
        if let Err(error) = ops::tie_to_process(context, std::process::id()) {
            session.ui.warn(format!("cannot note the process: {error}"));
        }
        let mut due = Instant::now() + interval;
        loop {
            match signals.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(SIGCHLD) => {
                    let ended = child.try_wait();
                    if let Some(status) = ended.map_err(|error| cannot("wait for", error))? {
                        return Ok(status);
                    }
                }
                Ok(signal) => pass_on(&child, signal),
                Err(RecvTimeoutError::Timeout) => {
                    match ops::keep_alive(context) {
                        Ok(next) => interval = next,
                        // The command is worth more than its heartbeat, which is tried again.
                        Err(error) => session
                            .ui
                            .warn(format!("cannot show `{name}` alive: {error}")),
                    }
                    due = Instant::now() + interval;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return child.wait().map_err(|error| cannot("wait for", error));
                }
            }
        }
    }
}

/// Receives the signals that end a process, and those that tell of a child's end.
///
/// A thread takes them from the handler, which may do next to nothing, and hands them to the one
/// place that waits. That place alone reaps the child, so that it never signals a process id that
/// belongs to another process by now. The thread ends with the program.
fn signals() -> io::Result<Receiver<i32>> {
    let mut signals = SignalsInfo::<WithRawSiginfo>::new([SIGCHLD, SIGHUP, SIGINT, SIGTERM])?;
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        for info in signals.forever() {
            // What a terminal sends, as for Ctrl-C, the command has got itself: passed on, it
            // would come twice, which many programs take for impatience.
            let from_process = info.si_code <= 0;
            let matters = info.si_signo == SIGCHLD || from_process;
            if matters && sender.send(info.si_signo).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

fn pass_on(child: &Child, signal: i32) {
    // The child is not reaped yet, so the id is still its own; one that has ended need not know.
    if let Some(signal) = Signal::from_named_raw(signal) {
        kill_process(Pid::from_child(child), signal).ok();
    }
}

/// Returns the exit code as a shell gives it: 128 and the signal's number if one ended it.
fn exit_code(status: ExitStatus) -> u8 {
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => 1,
    };
    u8::try_from(code).unwrap_or(1)
}
