//! Waiting for a child process: its input fed, its output collected, its time limited.
//!
//! One `poll` loop in place of threads, so that a single `git update-ref` costs little more than
//! the process itself.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::{Sign, Watch};
use crate::git::Cancel;

/// How often to look whether a child has ended that left its output open to a process of its own.
const LOOK: Duration = Duration::from_millis(50);
/// How long a process may take to end itself when asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(1);

pub(super) enum Finished {
    Exited {
        status: ExitStatus,
        stdout: Vec<u8>,
        stderr: Vec<u8>,
    },
    TimedOut,
    Cancelled,
}

/// Until when to wait for a process that does not end.
pub(super) struct Until<'u> {
    pub limit: Duration,
    /// Ends the wait, and the process.
    pub cancel: Option<&'u Cancel>,
}

/// Feeds `input`, collects both outputs and waits for the end. From each sign of life that `watch`
/// sees, the time limit counts anew.
pub(super) fn finish(
    mut child: Child,
    input: &[u8],
    until: Until,
    watch: Option<Watch>,
) -> io::Result<Finished> {
    let mut pipes = Pipes {
        stdin: child.stdin.take(),
        stdout: child.stdout.take(),
        stderr: child.stderr.take(),
    };
    let result = attend(&mut child, &mut pipes, input, until, watch);
    if !matches!(result, Ok(Finished::Exited { .. })) {
        end_group(&mut child, pipes);
    }
    result
}

/// Our ends of the child's pipes; each is dropped when the other end is closed.
struct Pipes {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

fn attend(
    child: &mut Child,
    Pipes {
        stdin,
        stdout,
        stderr,
    }: &mut Pipes,
    input: &[u8],
    Until { limit, cancel }: Until,
    mut watch: Option<Watch>,
) -> io::Result<Finished> {
    let is_cancelled = || cancel.is_some_and(Cancel::is_cancelled);
    let mut deadline = Instant::now().checked_add(limit);
    for fd in [
        stdin.as_ref().map(AsFd::as_fd),
        stdout.as_ref().map(AsFd::as_fd),
        stderr.as_ref().map(AsFd::as_fd),
    ]
    .into_iter()
    .flatten()
    {
        rustix::io::ioctl_fionbio(fd, true)?;
    }
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut unsent = input;
    let mut watched = 0;
    loop {
        if let Some(watch) = &mut watch {
            if watch(&err[watched..]) == Sign::OfLife {
                deadline = Instant::now().checked_add(limit);
            }
            watched = err.len();
        }
        if unsent.is_empty() {
            *stdin = None;
        }
        if stdout.is_none() && stderr.is_none() && stdin.is_none() {
            break;
        }
        if is_cancelled() {
            return Ok(Finished::Cancelled);
        }
        let Some(left) = time_left(deadline) else {
            return Ok(Finished::TimedOut);
        };
        let fds = [
            stdin.as_ref().map(AsFd::as_fd),
            stdout.as_ref().map(AsFd::as_fd),
            stderr.as_ref().map(AsFd::as_fd),
        ];
        let ready = look(fds, left.min(LOOK))?;
        if ready == [false; 3] {
            // Something that git started in the background may keep the pipes open for ever.
            if has_ended(child)? {
                drain(stdout, &mut out)?;
                drain(stderr, &mut err)?;
                break;
            }
            continue;
        }
        if ready[0] && !feed(stdin, &mut unsent)? {
            unsent = &[];
        }
        if ready[1] {
            drain(stdout, &mut out)?;
        }
        if ready[2] {
            drain(stderr, &mut err)?;
        }
    }
    // The pipes are closed, so the process is ending, or has closed them to go on alone.
    let mut pause = Duration::from_micros(50);
    while !has_ended(child)? {
        if is_cancelled() {
            return Ok(Finished::Cancelled);
        }
        let Some(left) = time_left(deadline) else {
            return Ok(Finished::TimedOut);
        };
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(10));
    }
    Ok(Finished::Exited {
        status: child.wait()?,
        stdout: out,
        stderr: err,
    })
}

/// Ends the child's whole process group: first asks, then kills.
///
/// Others of the group get the same time as the child to end themselves, as far as they have its
/// output open: a `git receive-pack` on the same disk that were killed at once would leave its
/// locks in the remote, where nobody removes them.
fn end_group(child: &mut Child, mut pipes: Pipes) {
    pipes.stdin = None;
    // The child is not reaped yet, so the group's number cannot belong to anyone else. A group
    // that has ended cannot be signalled, and need not.
    let group = Pid::from_child(child);
    kill_process_group(group, Signal::TERM).ok();
    let deadline = Instant::now().checked_add(GRACE);
    let mut unread = Vec::new();
    while time_left(deadline).is_some() {
        let closed = drain(&mut pipes.stdout, &mut unread).is_ok()
            && drain(&mut pipes.stderr, &mut unread).is_ok()
            && pipes.stdout.is_none()
            && pipes.stderr.is_none();
        unread.clear();
        if closed && !matches!(has_ended(child), Ok(false)) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    // Sent even when the child has ended: its children may not have.
    kill_process_group(group, Signal::KILL).ok();
    // Nothing is left to do if the wait fails: the process was killed, and its status is unused.
    child.wait().ok();
}

/// Tells whether the child has ended, and leaves it to be reaped: while it is not, its process
/// group cannot be given to another.
pub(super) fn has_ended(child: &Child) -> io::Result<bool> {
    let flags = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    match waitid(WaitId::Pid(Pid::from_child(child)), flags) {
        Ok(status) => Ok(status.is_some()),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn time_left(deadline: Option<Instant>) -> Option<Duration> {
    match deadline {
        None => Some(Duration::MAX),
        Some(deadline) => {
            let left = deadline.saturating_duration_since(Instant::now());
            (!left.is_zero()).then_some(left)
        }
    }
}

/// Waits until one of the pipes has something to do, and tells which: the first is written to.
pub(super) fn look(fds: [Option<BorrowedFd>; 3], limit: Duration) -> io::Result<[bool; 3]> {
    let flags = [PollFlags::OUT, PollFlags::IN, PollFlags::IN];
    let mut ready = [false; 3];
    let limit = limit.clamp(Duration::from_millis(1), Duration::from_secs(60));
    let limit = Timespec::try_from(limit).expect("a minute at most");
    let open = fds.into_iter().zip(flags).enumerate();
    let (places, mut open): (Vec<usize>, Vec<PollFd>) = open
        .filter_map(|(at, (fd, flags))| Some((at, PollFd::from_borrowed_fd(fd?, flags))))
        .unzip();
    match poll(&mut open, Some(&limit)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    for (at, fd) in places.into_iter().zip(&open) {
        ready[at] = !fd.revents().is_empty();
    }
    Ok(ready)
}

/// Writes what the pipe takes; false when the reader is gone, which is its own business.
fn feed(stdin: &mut Option<impl Write>, unsent: &mut &[u8]) -> io::Result<bool> {
    let Some(pipe) = stdin else {
        return Ok(false);
    };
    match pipe.write(unsent) {
        Ok(count) => {
            *unsent = &unsent[count..];
            Ok(true)
        }
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(true),
            io::ErrorKind::BrokenPipe => Ok(false),
            _ => Err(error),
        },
    }
}

/// Reads what is there, and closes the stream at its end.
fn drain(stream: &mut Option<impl Read>, into: &mut Vec<u8>) -> io::Result<()> {
    let Some(pipe) = stream else {
        return Ok(());
    };
    match pipe.read_to_end(into) {
        Ok(_) => *stream = None,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        Err(error) => return Err(error),
    }
    Ok(())
}
