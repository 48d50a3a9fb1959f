//! `reflectt daemon`

mod unit;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::answer::DaemonJson;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use unit::{System, Unit};

use crate::daemon::{self, Ended, Journal, Started, Status, Stopped};
use crate::format::rfc3339;
use crate::model::time::Timestamp;

/// Exchange with the remote all the time, in the background.
///
/// Not needed: every command is right without it. With it, what others do is here within
/// seconds, what you do is there within one, and commands need not wait for the remote.
#[derive(Debug, Args)]
pub struct DaemonArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Work in the foreground, and say what is done.
    Run {
        /// Write to the log of the clone in place of the terminal.
        #[arg(long, hide = true)]
        to_log: bool,
    },
    /// Start it in the background. One for each clone.
    Start,
    /// Stop it.
    Stop,
    /// Write a unit of systemd, or an agent of launchd, that starts it with the machine.
    Install,
    /// Show whether it runs, what it did last and what waits.
    Status,
}

#[derive(Serialize)]
struct InstalledJson {
    path: String,
    /// Switches it on.
    command: String,
}

#[derive(Serialize)]
struct DoneJson {
    running: bool,
    pid: Option<u32>,
}

impl DaemonArgs {
    /// Returns the exit code: that there is no daemon is an answer, with a code of its own.
    pub fn run(&self, session: &Session) -> Result<u8, CliError> {
        match self.what {
            What::Run { to_log } => run(session, to_log).map(|()| 0),
            What::Start => start(session).map(|()| 0),
            What::Stop => stop(session).map(|()| 0),
            What::Install => install(session).map(|()| 0),
            What::Status => status(session).map(|()| 0),
        }
    }
}

fn run(session: &Session, to_log: bool) -> Result<(), CliError> {
    let context = session.context_of_daemon()?;
    drop(
        context
            .store()
            .snapshot()
            .map_err(crate::ops::OpsError::from)?,
    );
    let journal = if to_log {
        Journal::file(context.store().daemon().log())
    } else {
        Journal::Shown(Box::new(|line| {
            session.ui.line(line);
            session.ui.flush();
        }))
    };
    match daemon::run(context, journal, super::hooks::look_after_all)? {
        Ended::Asked | Ended::RepositoryGone => Ok(()),
        Ended::Taken { pid } => Err(CliError::failed(format!(
            "a daemon of this clone is at work already, process {pid}"
        ))
        .hint("reflectt daemon status")),
    }
}

fn start(session: &Session) -> Result<(), CliError> {
    let program = std::env::current_exe()
        .map_err(|error| CliError::failed("cannot find the program itself").caused_by(error))?;
    let args: Vec<OsString> = ["daemon", "run", "--to-log"].map(OsString::from).into();
    let started = daemon::start(session.context()?, &program, &args)?;
    let (pid, text) = match started {
        Started::Now { pid } => (pid, format!("the daemon is at work, process {pid}")),
        Started::Already { pid } => (pid, format!("a daemon was at work already, process {pid}")),
    };
    if session.ui.is_json() {
        session.ui.json(&DoneJson {
            running: true,
            pid: Some(pid),
        });
    } else {
        session.ui.line(text);
    }
    Ok(())
}

fn stop(session: &Session) -> Result<(), CliError> {
    let (running, pid, text) = match daemon::stop(session.context()?)? {
        Stopped::Now { pid } => (
            false,
            Some(pid),
            format!("stopped the daemon, process {pid}"),
        ),
        Stopped::WasNot => (false, None, "no daemon was at work".to_owned()),
        Stopped::Lingers { pid } => {
            let message = format!("the daemon, process {pid}, was asked to stop and has not yet");
            return Err(CliError::failed(message).hint("reflectt daemon status"));
        }
        Stopped::Unknown => {
            let message = "a daemon is at work and does not say which process it is";
            return Err(CliError::failed(message).hint("reflectt daemon status (names its log)"));
        }
    };
    if session.ui.is_json() {
        session.ui.json(&DoneJson { running, pid });
    } else {
        session.ui.line(text);
    }
    Ok(())
}

/// Writes the unit that starts the daemon of this clone, and says how to switch it on.
fn install(session: &Session) -> Result<(), CliError> {
    // Of the clone: the worktree of an agent goes when its work is done.
    let repo = session.context_of_daemon()?.repo();
    let directory = repo.work_dir().unwrap_or(repo.git_dir());
    let program = std::env::current_exe()
        .map_err(|error| CliError::failed("cannot find the program itself").caused_by(error))?;
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let home = home.ok_or_else(|| CliError::failed("`HOME` is not set"))?;
    let config =
        std::env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
    let unit = Unit::new(&program, directory, cfg!(target_os = "macos"));
    let path = match unit.system {
        System::Launchd => home.join("Library/LaunchAgents").join(&unit.file),
        System::Systemd => config.join("systemd/user").join(&unit.file),
    };
    let written = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&path, &unit.text));
    let failed =
        |error| CliError::failed(format!("cannot write `{}`", path.display())).caused_by(error);
    written.map_err(failed)?;
    let command = match unit.system {
        System::Launchd => format!("launchctl load -w {}", path.display()),
        System::Systemd => format!(
            "systemctl --user daemon-reload && systemctl --user enable --now {}",
            unit.file
        ),
    };
    if session.ui.is_json() {
        session.ui.json(&InstalledJson {
            path: path.display().to_string(),
            command,
        });
    } else {
        session.ui.line(format!("wrote {}", path.display()));
        session.ui.hint(format!("{command} (switches it on)"));
    }
    Ok(())
}

fn shown(millis: i64) -> String {
    rfc3339(Timestamp(millis))
}

fn status(session: &Session) -> Result<(), CliError> {
    let context = session.context()?;
    let Status {
        running,
        state,
        waiting,
    } = daemon::status(context)?;
    let log = context.store().daemon().log();
    let ui = &session.ui;
    if ui.is_json() {
        ui.json(&DaemonJson {
            running,
            pid: running.then_some(state.pid),
            since: running.then(|| shown(state.since)),
            remote: context.store().link().map(|link| link.name),
            last_fetch: state.last_fetch.map(shown),
            last_push: state.last_push.map(shown),
            waiting,
            failures: state.failures,
            error: state.error,
            next_attempt: state.next_attempt.filter(|_| running).map(shown),
            log: log.display().to_string(),
        });
        return Ok(());
    }
    let fact = |key: &str, value: String| ui.line(format!("{key:<13}{value}"));
    if running {
        let since = ui.relative(state.since);
        fact("running", format!("process {}, since {since}", state.pid));
    } else {
        fact("running", "no".to_owned());
    }
    let remote = context.store().link().map(|link| link.name);
    fact("remote", remote.unwrap_or_else(|| "none".to_owned()));
    for (key, at) in [
        ("last fetch", state.last_fetch),
        ("last push", state.last_push),
    ] {
        fact(
            key,
            at.map_or_else(|| "never".to_owned(), |at| ui.relative(at)),
        );
    }
    fact("waiting", format!("{waiting} to go out"));
    if let Some(error) = &state.error {
        let text = match state.failures {
            0 => error.clone(),
            n => format!("{error} ({n} in a row)"),
        };
        fact("trouble", text);
        if let Some(at) = state.next_attempt.filter(|_| running) {
            let soon = at.saturating_sub(ui.now()) < 5_000;
            let when = if soon {
                "in a moment".to_owned()
            } else {
                ui.relative(at)
            };
            fact("next attempt", when);
        }
    }
    fact("log", log.display().to_string());
    if !running {
        ui.hint("reflectt daemon start");
    }
    Ok(())
}
