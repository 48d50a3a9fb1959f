//! Which process is meant by a process id: the system gives the same number to another one later.

use std::convert::Infallible;
use std::fmt;
use std::fs;
use std::str::FromStr;
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};

/// One process, told from every other that ever has its number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    /// `None` where the system does not say, or an older version did not ask: then the number
    /// alone has to do.
    birth: Option<Birth>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Birth {
    /// Which start of the machine.
    boot: String,
    /// Which numbering of processes: a container has its own.
    space: String,
    /// When in that start of the machine.
    start: String,
}

/// What has become of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Runs,
    Ended,
    /// It cannot be told from here.
    Unknown,
}

impl Process {
    /// Returns the process that has this number now.
    pub fn of(pid: u32) -> Process {
        let birth = || {
            Some(Birth {
                boot: boot_id()?.to_owned(),
                space: space()?,
                start: start_of(pid)?,
            })
        };
        Process {
            pid,
            birth: birth(),
        }
    }

    /// Returns the process that has started this one, past the shells between them: a program that
    /// is configured with a command line often starts a shell for it, which waits as long as we do.
    pub fn caller() -> Process {
        const SHELLS: [&str; 6] = ["sh", "dash", "bash", "zsh", "ash", "busybox"];
        let mut pid = std::os::unix::process::parent_id();
        for _ in 0..4 {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            let above = stat(pid).and_then(|stat| {
                let above = stat.split_ascii_whitespace().nth(1)?;
                above.parse::<u32>().ok()
            });
            match above {
                Some(above) if above > 0 && SHELLS.contains(&name.trim_end()) => pid = above,
                _ => break,
            }
        }
        Process::of(pid)
    }

    pub fn fate(&self) -> Fate {
        let Some(birth) = &self.birth else {
            return if is_there(self.pid) && !is_zombie(self.pid) {
                Fate::Runs
            } else {
                Fate::Ended
            };
        };
        if boot_id().is_some_and(|boot| boot != birth.boot) {
            return Fate::Ended;
        }
        if space().as_ref() != Some(&birth.space) {
            return Fate::Unknown;
        }
        match start_of(self.pid) {
            Some(start) if start == birth.start => Fate::Runs,
            None if is_there(self.pid) && !is_zombie(self.pid) => Fate::Unknown,
            _ => Fate::Ended,
        }
    }

    pub fn runs(&self) -> bool {
        self.fate() == Fate::Runs
    }

    /// Asks this very process to end. Tells whether it was there to be asked.
    pub fn ask_to_end(&self) -> bool {
        let to_end = |pid| kill_process(pid, Signal::TERM).is_ok();
        self.runs() && number(self.pid).is_some_and(to_end)
    }

    /// Kills this very process, if it runs, and the group that it is the first of. Where the system
    /// does not tell it from another with its number, nobody is killed.
    pub fn kill_group(&self) {
        if self.birth.is_some()
            && self.runs()
            && let Some(pid) = number(self.pid)
        {
            kill_process_group(pid, Signal::KILL).ok();
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.pid)?;
        if let Some(Birth { boot, space, start }) = &self.birth {
            write!(f, " {boot} {space} {start}")?;
        }
        Ok(())
    }
}

impl FromStr for Process {
    type Err = Infallible;

    /// Reads what [`Display`](fmt::Display) wrote; anything else is no process at all.
    fn from_str(text: &str) -> Result<Process, Infallible> {
        let mut words = text.split_whitespace();
        let pid = words.next().and_then(|pid| pid.parse().ok());
        let mut word = || words.next().map(str::to_owned);
        let mut birth = || {
            Some(Birth {
                boot: word()?,
                space: word()?,
                start: word()?,
            })
        };
        Ok(Process {
            pid: pid.unwrap_or_default(),
            birth: birth(),
        })
    }
}

/// Returns the number of the user as whom this process acts.
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Returns which start of the machine this is, if the system says so.
pub fn boot_id() -> Option<&'static str> {
    static BOOT: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    BOOT.get_or_init(read).as_deref()
}

fn space() -> Option<String> {
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    link.into_os_string().into_string().ok()
}

/// Returns when a process began, in ticks since the machine was started; `None` once it has ended.
///
/// proc_pid_stat(5): the name in parentheses may itself hold spaces and parentheses. After it come
/// the third field, the state, and all others.
fn start_of(pid: u32) -> Option<String> {
    let stat = stat(pid)?;
    let mut fields = stat.split_ascii_whitespace();
    let state = fields.next()?;
    (!is_over(state)).then(|| fields.nth(18).map(str::to_owned))?
}

/// Ended, and kept only until its parent takes notice.
fn is_zombie(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| stat.split_ascii_whitespace().next().is_some_and(is_over))
}

fn is_over(state: &str) -> bool {
    matches!(state, "Z" | "X" | "x")
}

fn stat(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.to_owned())
}

/// Tells whether any process has this number: one of another user, too.
fn is_there(pid: u32) -> bool {
    number(pid).is_some_and(|pid| match test_kill_process(pid) {
        Ok(()) => true,
        Err(error) => error == rustix::io::Errno::PERM,
    })
}

/// Returns the number as that of one process: zero and negative ones mean groups.
fn number(pid: u32) -> Option<Pid> {
    let pid = i32::try_from(pid).ok().filter(|pid| *pid > 0)?;
    Pid::from_raw(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Process {
        text.parse().unwrap()
    }

    #[test]
    fn a_process_is_known_by_more_than_its_number() {
        let own = Process::of(std::process::id());
        assert!(own.runs(), "{own}");
        assert_eq!(read(&own.to_string()), own);
        let birth = own.birth.clone().unwrap();
        let other = |birth: Birth| Process {
            birth: Some(birth),
            ..own.clone()
        };
        let later = Birth {
            start: format!("{}0", birth.start),
            ..birth.clone()
        };
        let rebooted = Birth {
            boot: "another".to_owned(),
            ..birth.clone()
        };
        let contained = Birth {
            space: "pid:[1]".to_owned(),
            ..birth
        };
        assert_eq!(other(later.clone()).fate(), Fate::Ended);
        assert!(!other(later).ask_to_end());
        assert_eq!(other(rebooted).fate(), Fate::Ended);
        assert_eq!(other(contained).fate(), Fate::Unknown);
        // As older versions wrote it.
        assert!(read(&own.pid.to_string()).runs());
        assert_eq!(read("nonsense").fate(), Fate::Ended);
        assert_eq!(read("0").fate(), Fate::Ended);
    }

    #[test]
    fn who_has_started_this_process_runs() {
        let caller = Process::caller();
        assert!(caller.runs());
        assert_ne!(caller.pid, std::process::id());
    }

    #[test]
    fn a_process_that_nobody_has_taken_notice_of_has_ended() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let process = Process::of(child.id());
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while process.fate() != Fate::Ended {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
        // Nor has one of which no more than the number is known.
        assert_eq!(read(&child.id().to_string()).fate(), Fate::Ended);
        child.wait().unwrap();
        assert_eq!(process.fate(), Fate::Ended);
    }
}
