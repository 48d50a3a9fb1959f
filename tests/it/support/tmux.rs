//! A terminal for a test: a shell in `tmux`, with keys to press and a screen to read.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::process::BINARY;
use super::{Repo, poll_until};

/// How long a screen may take to show what is waited for, on a machine that does much else.
const DEADLINE: Duration = Duration::from_secs(60);

/// A terminal of its own server, which ends with it.
pub struct Tmux {
    repo: Repo,
    socket: PathBuf,
}

/// What the terminal itself is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modes {
    /// What `stty -a` prints.
    pub stty: String,
    /// `alternate screen, cursor visible, mouse reported`, each 0 or 1.
    pub flags: String,
}

impl Tmux {
    /// Starts a shell with job control in the repository; `None` where there is no `tmux`.
    pub fn start(repo: &Repo, (width, height): (u16, u16)) -> Option<Tmux> {
        let has_one = Command::new("tmux")
            .arg("-V")
            .stdout(Stdio::null())
            .status();
        if !has_one.is_ok_and(|status| status.success()) {
            eprintln!("skipped: there is no `tmux` here to be a terminal");
            return None;
        }
        let tmux = Tmux {
            repo: repo.clone(),
            socket: repo.env().dir().join("tmux"),
        };
        let size = [width.to_string(), height.to_string()];
        let begin = ["new-session", "-d", "-x", &size[0], "-y", &size[1]];
        tmux.run(&[&begin[..], &["sh", "-i"]].concat());
        Some(tmux)
    }

    fn run(&self, args: &[&str]) -> String {
        let mut command = Command::new("tmux");
        self.repo.prepare(&mut command);
        command.env("PS1", "$ ").env("TERM", "xterm");
        command
            .args(["-u", "-f", "/dev/null", "-S"])
            .arg(&self.socket);
        let output = command.args(args).current_dir(self.repo.path()).output();
        let output = output.unwrap();
        let wrong = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {args:?}: {wrong}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Types a text, and nothing after it.
    pub fn type_text(&self, text: &str) {
        self.run(&["send-keys", "-l", text]);
    }

    /// Presses keys by the names that tmux has for them, as `Enter` or `C-z`.
    pub fn press(&self, keys: &[&str]) {
        self.run(&[&["send-keys"][..], keys].concat());
    }

    /// Runs `reflectt` in the shell.
    pub fn reflectt(&self, before: &str, args: &str) {
        self.type_text(&format!("{before} '{BINARY}' {args}"));
        self.press(&["Enter"]);
    }

    pub fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    pub fn resize(&self, width: u16, height: u16) {
        let (width, height) = (width.to_string(), height.to_string());
        self.run(&["resize-window", "-x", &width, "-y", &height]);
    }

    /// Waits until the screen has all of these words, and returns it.
    #[track_caller]
    pub fn wait_for(&self, words: &[&str]) -> String {
        self.wait_until(&format!("{words:?}"), |screen| {
            words.iter().all(|word| screen.contains(word))
        })
    }

    /// Waits until the screen is as it should be, and returns it.
    #[track_caller]
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let mut last = String::new();
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            poll_until(what, DEADLINE, || {
                last = self.screen();
                is_so(&last).then(|| last.clone())
            })
        }));
        found.unwrap_or_else(|_| panic!("{what}: the screen is\n{}", self.screen()))
    }

    /// Returns how the terminal is set, asked in the shell.
    #[track_caller]
    pub fn modes(&self) -> Modes {
        let file = self.repo.env().dir().join("stty");
        std::fs::remove_file(&file).ok();
        let shown = file.display();
        self.type_text(&format!(
            "stty -a > '{shown}.new' && mv '{shown}.new' '{shown}'"
        ));
        self.press(&["Enter"]);
        let stty = poll_until("stty", DEADLINE, || std::fs::read_to_string(&file).ok());
        let flags = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}";
        let flags = self.run(&["display-message", "-p", flags]);
        Modes {
            stty,
            flags: flags.trim().to_owned(),
        }
    }

    /// Returns the number of the program that runs in the terminal's shell.
    pub fn child(&self) -> i32 {
        let shell: i32 = self
            .run(&["display-message", "-p", "#{pane_pid}"])
            .trim()
            .parse()
            .unwrap();
        let children = super::process::children_of(shell);
        *children.first().expect("a program runs")
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket).arg("kill-server");
        command.stderr(Stdio::null()).status().ok();
    }
}
