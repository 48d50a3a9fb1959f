//! Starting a process that outlives this one.

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
