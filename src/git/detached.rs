//! Starting a process that outlives this one, and telling whether one lives.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::process::{LOCAL_VARIABLES, new_session};

/// Starts a program in a session of its own, with nothing open that belongs to this one.
///
/// It lives on when the value returned is dropped, and becomes the init process's to reap when
/// this process ends.
pub fn start_detached(program: &Path, args: &[OsString], dir: &Path) -> io::Result<Detached> {
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Started from a hook, it must not take the hook's repository, index or objects for its own.
    for name in LOCAL_VARIABLES {
        command.env_remove(name);
    }
    new_session(&mut command);
    Ok(Detached {
        child: command.spawn()?,
    })
}

/// A process that was started to outlive this one.
#[derive(Debug)]
pub struct Detached {
    child: Child,
}

impl Detached {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells whether it has ended already.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }
}

/// Asks a process to end. Tells whether there was one.
pub fn ask_to_end(pid: u32) -> bool {
    signal(pid, libc::SIGTERM)
}

/// Tells whether there is such a process.
pub fn is_alive(pid: u32) -> bool {
    signal(pid, 0)
}

fn signal(pid: u32, signal: libc::c_int) -> bool {
    match i32::try_from(pid) {
        // SAFETY: `kill` takes plain numbers. Zero and negative ones, which mean groups, are
        // ruled out.
        Ok(pid) if pid > 0 => unsafe { libc::kill(pid, signal) == 0 },
        _ => false,
    }
}
