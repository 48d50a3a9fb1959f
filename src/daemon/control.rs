//! Starting, stopping and asking the daemon, from another process.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::git::{Process, start_detached};
use crate::ops::{Context, OpsError, sync};
use crate::store::{DaemonPlace, StoreError};

use super::state::{State, Status};

/// How long a daemon may take to be there, and to be gone.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often to look.
const LOOK: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    Now {
        pid: u32,
    },
    /// One was there already.
    Already {
        pid: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    Now {
        pid: u32,
    },
    WasNot,
    /// It was asked to end and is still at work.
    Lingers {
        pid: u32,
    },
    /// One is at work and has not said which process it is, so nobody was asked.
    Unknown,
}

/// Returns what is known of this clone's daemon.
pub fn status(ctx: &Context) -> Result<Status, OpsError> {
    let place = ctx.store().daemon();
    let running = place.is_taken();
    let text = place.read_state().unwrap_or_default();
    Ok(Status {
        running,
        state: State::read(&text),
        waiting: sync::waiting(ctx)?,
    })
}

/// Starts the daemon of this clone, as a process of its own, and waits until it is at work.
pub fn start(ctx: &Context, program: &Path, args: &[OsString]) -> Result<Started, OpsError> {
    // Told here and not only in a log.
    drop(ctx.store().snapshot()?);
    let place = ctx.store().daemon();
    let deadline = Instant::now() + PATIENCE;
    while place.is_taken() {
        // It may have taken its place a moment ago, and not have said who it is.
        let process = process_of(&place);
        if process.runs() || Instant::now() > deadline {
            return Ok(Started::Already { pid: process.pid });
        }
        std::thread::sleep(LOOK);
    }
    // Not in a worktree: an agent's is removed when its work is done.
    let dir = ctx.repo().common_dir();
    let failed = |source| StoreError::Local {
        doing: "start",
        path: program.to_owned(),
        source,
    };
    let mut process = start_detached(program, args, dir).map_err(failed)?;
    let pid = process.pid();
    loop {
        if place.is_taken() {
            let at_work = process_of(&place);
            if at_work.pid == pid {
                return Ok(Started::Now { pid });
            }
            // Two were started at once, and the other was faster.
            if process.has_ended() && at_work.runs() {
                return Ok(Started::Already { pid: at_work.pid });
            }
        }
        if Instant::now() > deadline {
            let log = place.log();
            let message = format!("the daemon did not start; see `{}`", log.display());
            return Err(OpsError::Nothing(message));
        }
        std::thread::sleep(LOOK);
    }
}

/// Asks the daemon of this clone to end, and waits until it has.
pub fn stop(ctx: &Context) -> Result<Stopped, OpsError> {
    let place = ctx.store().daemon();
    let deadline = Instant::now() + PATIENCE;
    let mut asked = None;
    while place.is_taken() {
        // Whoever has just taken the place may not have said yet who it is. What is said there
        // comes from the one before, whose number may be anybody's by now.
        let process = process_of(&place);
        if asked.is_none() && process.ask_to_end() {
            asked = Some(process.pid);
        }
        if Instant::now() > deadline {
            return Ok(match asked {
                Some(pid) => Stopped::Lingers { pid },
                None => Stopped::Unknown,
            });
        }
        std::thread::sleep(LOOK);
    }
    Ok(match asked {
        Some(pid) => Stopped::Now { pid },
        None => Stopped::WasNot,
    })
}

/// Returns the process that last said it is the daemon.
fn process_of(place: &DaemonPlace) -> Process {
    State::read(&place.read_state().unwrap_or_default()).process()
}
