//! Processes of the real binary: run, started, or set off together.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Output, Repo};

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_reflectt");

/// One run of the binary, still to be started.
#[derive(Clone)]
pub struct Run {
    repo: Repo,
    args: Vec<String>,
    env: Vec<(String, String)>,
    input: Option<Vec<u8>>,
    /// A program, with arguments, that is to run the binary.
    wrapper: Vec<String>,
    user: Option<u32>,
}

impl Run {
    pub fn new(repo: &Repo, args: impl IntoIterator<Item = String>) -> Run {
        Run {
            repo: repo.clone(),
            args: args.into_iter().collect(),
            env: Vec::new(),
            input: None,
            wrapper: Vec::new(),
            user: None,
        }
    }

    /// Runs the binary, with the path of another one for it, by a shell script as its `"$@"`.
    pub fn by_shell(mut self, script: &str) -> Run {
        self.wrapper = ["sh", "-c", script, "sh"].map(str::to_owned).to_vec();
        self
    }

    /// Runs it as another user of the system; only root may.
    pub fn user(mut self, id: u32) -> Run {
        self.user = Some(id);
        self
    }

    /// Acts as this agent.
    pub fn agent(self, name: &str) -> Run {
        self.env("REFLECTT_AGENT", name)
    }

    pub fn env(mut self, name: &str, value: impl Into<String>) -> Run {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Feeds standard input, which is empty otherwise.
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Run {
        self.input = Some(input.into());
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Output {
        self.spawn().finish()
    }

    /// Starts it.
    pub fn spawn(self) -> Running {
        let stdin = match self.input {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        };
        let input = self.input.clone().unwrap_or_default();
        let mut command = match self.wrapper.split_first() {
            Some((program, args)) => {
                let mut command = Command::new(program);
                command.args(args).arg(BINARY);
                command
            }
            None => Command::new(BINARY),
        };
        if let Some(user) = self.user {
            std::os::unix::process::CommandExt::uid(&mut command, user);
        }
        let mut running = self.start(command, stdin);
        if let Some(mut stdin) = running.child.stdin.take() {
            // Whether the process reads it is its own business.
            stdin.write_all(&input).ok();
        }
        running
    }

    fn start(self, mut command: Command, stdin: Stdio) -> Running {
        let shown = format!("reflectt {}", self.args.join(" "));
        self.repo.prepare(&mut command);
        command
            .envs(self.env)
            .args(&self.args)
            .current_dir(self.repo.path())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Running {
            child: command.spawn().unwrap(),
            shown,
            repo: self.repo,
        }
    }
}

/// A process of the binary at work.
pub struct Running {
    pub child: Child,
    shown: String,
    repo: Repo,
}

impl Running {
    /// Waits for its end.
    pub fn finish(self) -> Output {
        let output = self.child.wait_with_output().unwrap();
        Output::of(&self.repo, self.shown, output)
    }

    /// Tells whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills it, if it has not ended, and returns what it left.
    pub fn kill(self) -> Output {
        self.kill_with(Victims::Alone)
    }

    /// Kills it, if it has not ended, and more.
    pub fn kill_with(self, victims: Victims) -> Output {
        // Not collected yet, so the number is still its own.
        kill(self.child.id().cast_signed(), victims);
        self.finish()
    }
}

/// Runs somebody else's program, without input, and returns what it left. After this time it is
/// killed, with all it has started.
pub fn run_within(mut command: Command, limit: Duration) -> std::process::Output {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command.spawn().unwrap();
    let group = -child.id().cast_signed();
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // It ends when the sender does, and late is late.
            if end.recv_timeout(limit) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                signal(group, libc::SIGKILL);
            }
        });
        let output = child.wait_with_output().unwrap();
        drop::<std::sync::mpsc::Sender<()>>(ended);
        output
    })
}

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victims {
    Alone,
    /// With the git process it waits for.
    WithChildren,
}

/// Kills a process that is not collected yet, or that nobody else will have the number of so soon.
pub fn kill(pid: i32, victims: Victims) {
    let children = if victims == Victims::WithChildren {
        // Stopped, it cannot collect a child whose number could then be another's.
        signal(pid, libc::SIGSTOP);
        children_of(pid)
    } else {
        Vec::new()
    };
    for child in children {
        signal(child, libc::SIGKILL);
    }
    signal(pid, libc::SIGKILL);
}

pub fn signal(pid: i32, signal: i32) {
    // SAFETY: `kill` takes plain numbers.
    unsafe { libc::kill(pid, signal) };
}

/// Makes a process start without the signal that comes with [`limit_files`].
pub const HEEDLESS: &str = "trap '' XFSZ; exec \"$@\"";

/// Lets a process, and all it starts from now on, write no file larger than this; `None` lets it
/// write again.
///
/// It stands for a disk that is full: it needs no rights, and what is written fails in the same
/// places. The signal that comes with it has to be ignored, as a full disk sends none.
pub fn limit_files(pid: u32, size: Option<u64>) {
    let limit = libc::rlimit {
        rlim_cur: size.unwrap_or(libc::RLIM_INFINITY),
        rlim_max: libc::RLIM_INFINITY,
    };
    let none = std::ptr::null_mut();
    // SAFETY: the new limit is a valid one, and the old one is not asked for.
    let done = unsafe {
        libc::prlimit(
            pid.cast_signed(),
            libc::RLIMIT_FSIZE,
            &raw const limit,
            none,
        )
    };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
}

/// Returns the children of a process, where the system tells.
pub fn children_of(pid: i32) -> Vec<i32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// Runs all of these at once, and returns their outputs in the same order.
///
/// Each is a shell first that says that it is there and waits for its input to end. So all start
/// in the same moment, and not one after the other as fast as they can be made.
pub fn race(runs: impl IntoIterator<Item = Run>) -> Vec<Output> {
    const GATE: &str = "printf . && { read -r _ || :; } && exec \"$@\"";
    let start = |run: Run| {
        let mut shell = Command::new("sh");
        shell.args(["-c", GATE, "sh", BINARY]);
        run.start(shell, Stdio::piped())
    };
    let mut running: Vec<Running> = runs.into_iter().map(start).collect();
    for one in &mut running {
        let mut there = [0];
        let stdout = one.child.stdout.as_mut().unwrap();
        stdout.read_exact(&mut there).unwrap();
    }
    let gates: Vec<_> = running
        .iter_mut()
        .map(|one| one.child.stdin.take())
        .collect();
    drop(gates);
    running.into_iter().map(Running::finish).collect()
}
