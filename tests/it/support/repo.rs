//! A repository, or one of its worktrees, and the commands that run in it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};

use super::{Output, Run, TestEnv};

/// A directory of a repository to run commands in.
#[derive(Clone)]
pub struct Repo {
    env: TestEnv,
    path: PathBuf,
    /// By how many milliseconds the clock of this machine is ahead.
    ahead: i64,
}

impl Repo {
    pub fn at(env: TestEnv, path: PathBuf) -> Repo {
        let ahead = 0;
        Repo { env, path, ahead }
    }

    /// Returns the same repository on a machine whose clock is ahead by this, or behind.
    pub fn with_clock(&self, ahead: i64) -> Repo {
        let repo = self.clone();
        Repo { ahead, ..repo }
    }

    /// Gives a command the environment of this machine.
    pub fn prepare(&self, command: &mut Command) {
        self.env.prepare(command);
        if self.ahead != 0 {
            command.env("REFLECTT_TEST_CLOCK", self.ahead.to_string());
        }
    }

    /// Returns the same repository at another place.
    fn moved_to(&self, path: PathBuf) -> Repo {
        let repo = self.clone();
        Repo { path, ..repo }
    }

    pub fn env(&self) -> &TestEnv {
        &self.env
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the same repository, seen from one of its directories, which is made.
    pub fn sub(&self, dir: &str) -> Repo {
        let path = self.path.join(dir);
        std::fs::create_dir_all(&path).unwrap();
        self.moved_to(path)
    }

    /// Returns the git directory all worktrees share.
    pub fn common_dir(&self) -> PathBuf {
        self.path
            .join(self.git(["rev-parse", "--git-common-dir"]))
            .canonicalize()
            .unwrap()
    }

    /// Adds a worktree in a directory of this name beside the repository, on a branch of its own.
    pub fn worktree(&self, name: &str) -> Repo {
        let path = self.env.dir().join(name);
        let dir = path.to_str().unwrap();
        self.git(["worktree", "add", "-q", "-b", name, dir]);
        self.moved_to(path)
    }

    /// Writes a file in the checkout.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits everything in the checkout and returns the commit.
    pub fn commit(&self, message: &str) -> String {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "--allow-empty", "-m", message]);
        self.git(["rev-parse", "HEAD"])
    }

    /// Runs git, which must succeed, and returns what it printed.
    #[track_caller]
    pub fn git<S: AsRef<str>>(&self, args: impl IntoIterator<Item = S>) -> String {
        let output = self.try_git(args).ok();
        output.stdout.trim_end().to_owned()
    }

    /// Runs git, which may fail.
    pub fn try_git<S: AsRef<str>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        let output = self.git_command(args).output().unwrap();
        Output::of(self, "git", output)
    }

    /// Returns a git command to start. Unlike `reflectt`, it has somebody to name as author.
    pub fn git_command<S: AsRef<str>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new("git");
        self.prepare(&mut command);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Ann");
            command.env(format!("GIT_{role}_EMAIL"), "ann@example.com");
        }
        command.current_dir(&self.path).stdin(Stdio::null());
        for arg in args {
            command.arg(arg.as_ref());
        }
        command
    }

    /// Returns a run of `reflectt` to add to, and to start.
    pub fn command<S: AsRef<str>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        Run::new(self, args.into_iter().map(|arg| arg.as_ref().to_owned()))
    }

    /// Runs `reflectt` as nobody in particular.
    pub fn reflectt<S: AsRef<str>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        self.command(args).run()
    }

    /// Runs `reflectt` as an agent.
    pub fn as_agent<S: AsRef<str>>(
        &self,
        agent: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Output {
        self.command(args).agent(agent).run()
    }

    /// Starts a team of these agents.
    #[track_caller]
    pub fn found(&self, agents: &[&str]) {
        self.reflectt(["init"]).ok();
        for agent in agents {
            self.reflectt(["--as", agent, "join", agent]).ok();
        }
    }

    /// Makes a task that can be claimed, and returns its id.
    #[track_caller]
    pub fn task(&self, by: &str, title: &str, more: &[&str]) -> String {
        let args = [
            "--json",
            "task",
            "new",
            title,
            "--criterion",
            "a test shows that it works",
        ];
        let made = self.as_agent(by, args.iter().chain(more)).ok().json();
        let id = made["id"].as_str().unwrap().to_owned();
        self.env.id_number(&id);
        id
    }

    /// Sets one of the team's settings.
    #[track_caller]
    pub fn set(&self, by: &str, key: &str, value: &str) {
        self.as_agent(by, ["config", "set", key, value]).ok();
    }

    /// Makes an agent look as if it had given no sign of life for so many hours, in which it held
    /// what it holds: its heartbeat and its claims are set back.
    #[track_caller]
    pub fn fall_silent(&self, agent: &str, hours: u64) {
        let then = SystemTime::now() - Duration::from_secs(hours * 3600);
        let beat = self.common_dir().join("reflectt/heartbeats").join(agent);
        let file = std::fs::File::options().append(true).open(beat).unwrap();
        file.set_modified(then).unwrap();

        const CLAIMS: &str = "refs/reflectt/claims";
        let since = DateTime::<Utc>::from(then).to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut entries = String::new();
        for entry in self.git(["ls-tree", CLAIMS]).lines() {
            let (meta, name) = entry.split_once('\t').unwrap();
            let mut oid = meta.rsplit(' ').next().unwrap().to_owned();
            let text = self.git(["cat-file", "-p", &oid]);
            if text.contains(&format!("agent = \"{agent}\"")) {
                let set_back = |line: &str| match line.starts_with("since = ") {
                    true => format!("since = {since}\n"),
                    false => format!("{line}\n"),
                };
                let text: String = text.lines().map(set_back).collect();
                oid = self.git_with_input(&["hash-object", "-w", "--stdin"], &text);
            }
            entries.push_str(&format!("100644 blob {oid}\t{name}\n"));
        }
        let tree = self.git_with_input(&["mktree"], &entries);
        // The same version with other times: the number of a version is how many there were.
        let commit = self.git(["cat-file", "commit", CLAIMS]);
        let (_, rest) = commit.split_once('\n').unwrap();
        let commit = format!("tree {tree}\n{rest}\n");
        let write = ["hash-object", "-t", "commit", "-w", "--stdin"];
        let commit = self.git_with_input(&write, &commit);
        self.git(["update-ref", CLAIMS, &commit]);
    }

    /// Runs git with this on its standard input.
    #[track_caller]
    pub fn git_with_input(&self, args: &[&str], input: &str) -> String {
        let mut command = self.git_command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        Output::of(self, "git", output)
            .ok()
            .stdout
            .trim_end()
            .to_owned()
    }

    /// Returns every id of a task or claim that the refs know.
    pub fn known_ids(&self) -> Vec<String> {
        let refs = ["refs/heads/reflectt", "refs/reflectt/claims"];
        let paths = refs.map(|name| self.try_git(["ls-tree", "-r", "--name-only", name]).stdout);
        let id_of = |path: &str| {
            let of_id = ["tasks/", "archive/"];
            let name = path.rsplit('/').next()?;
            let id = name.get(..6)?;
            let ends = matches!(name.as_bytes().get(6), Some(b'-' | b'.'));
            let ours = !path.contains('/') || of_id.iter().any(|dir| path.starts_with(dir));
            // Neither `config.toml` nor `README.md` begins with an id.
            let crockford = |byte| b"0123456789abcdefghjkmnpqrstvwxyz".contains(&byte);
            (ends && ours && id.bytes().all(crockford)).then(|| id.to_owned())
        };
        paths
            .iter()
            .flat_map(|text| text.lines())
            .filter_map(id_of)
            .collect()
    }
}
