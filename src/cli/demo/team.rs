//! The agents of the demo, and everything they can do: run commands, use git, write files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::cli::error::CliError;
use crate::model::id::{Stamp, TaskId};
use crate::model::name::AgentName;
use crate::ops::{Answers, Proof};

use super::narration::Narrator;
use super::process::{Processes, interrupted};
use super::said::{Said, shown};
use super::setting::Setting;
use super::stage::{FOLDER, Stage};

/// What one agent does of its own accord, while others do theirs.
pub enum Step {
    /// Runs `reflectt` with these arguments.
    Reflectt(Vec<String>),
    /// Writes a file below its worktree.
    Write(&'static str, &'static str),
    /// Commits everything.
    Commit(String),
}

pub struct Team<'a> {
    pub say: &'a Narrator<'a>,
    pub stage: &'a Stage,
    pub setting: Setting,
    processes: &'a Processes,
    /// The tasks by the names the script has for them.
    tasks: BTreeMap<&'static str, String>,
    /// Who got which task. It differs from run to run: they really race.
    holders: BTreeMap<&'static str, &'static str>,
    answers: Mutex<Answers>,
    /// What agents called for a task and were not refused, by its id.
    calls: Mutex<BTreeMap<String, Vec<String>>>,
    /// What the acts themselves have proved.
    pub proofs: Vec<Proof>,
}

impl<'a> Team<'a> {
    pub fn new(
        say: &'a Narrator<'a>,
        stage: &'a Stage,
        setting: Setting,
        processes: &'a Processes,
    ) -> Team<'a> {
        Team {
            say,
            stage,
            setting,
            processes,
            tasks: BTreeMap::new(),
            holders: BTreeMap::new(),
            answers: Mutex::default(),
            calls: Mutex::default(),
            proofs: Vec::new(),
        }
    }

    /// Returns what the processes were told.
    pub fn answers(&self) -> Answers {
        self.told().clone()
    }

    /// Remembers a task by the name the script has for it.
    pub fn know(&mut self, key: &'static str, id: &str) {
        self.tasks.insert(key, id.to_owned());
    }

    /// Returns a task's id.
    pub fn task(&self, key: &str) -> String {
        self.tasks.get(key).cloned().unwrap_or_default()
    }

    /// Returns the script's name for a task.
    pub fn key_of(&self, id: &str) -> Option<&'static str> {
        let found = self.tasks.iter().find(|(_, known)| *known == id);
        found.map(|(key, _)| *key)
    }

    /// Remembers who got a task.
    pub fn cast(&mut self, key: &'static str, who: &'static str) {
        self.holders.insert(key, who);
    }

    /// Returns who has a task.
    pub fn holder(&self, key: &str) -> Result<&'static str, CliError> {
        let holder = self.holders.get(key).copied();
        holder.ok_or_else(|| CliError::failed(format!("nobody has taken the task `{key}`")))
    }

    /// Runs a command of an agent that must succeed, and shows it with so many lines of output.
    pub fn run(&self, who: &str, args: &[&str], lines: usize) -> Result<Said, CliError> {
        self.expect(who, args, 0, lines)
    }

    /// Runs a command of an agent that must end with this code, and shows it.
    pub fn expect(
        &self,
        who: &str,
        args: &[&str],
        code: i32,
        lines: usize,
    ) -> Result<Said, CliError> {
        let said = self.ask(who, args)?;
        self.say.command(&said, lines);
        match said.code == code {
            true => Ok(said),
            false => Err(said.unexpected(code)),
        }
    }

    /// Runs a command of an agent, whatever comes of it, and shows nothing.
    pub fn ask(&self, who: &str, args: &[&str]) -> Result<Said, CliError> {
        self.spawn(who, &owned(args))
    }

    fn spawn(&self, who: &str, args: &[String]) -> Result<Said, CliError> {
        let said = self
            .processes
            .run(&self.prompt(who), &self.directory(who), args)?;
        self.listen(who, args, &said);
        Ok(said)
    }

    /// Where somebody works.
    pub fn directory(&self, who: &str) -> PathBuf {
        let seat = self.setting.seat(who);
        seat.map_or_else(|| self.setting.home.clone(), |seat| seat.dir.clone())
    }

    fn prompt(&self, who: &str) -> String {
        let seat = self.setting.seat(who);
        seat.map_or_else(|| who.to_owned(), |seat| seat.prompt.clone())
    }

    /// Remembers what a process was told about claims and messages.
    fn listen(&self, who: &str, args: &[String], said: &Said) {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        // It may send one task back and land another.
        let counts = said.code == 0 || words == ["land"];
        if counts && self.setting.seat(who).is_some() {
            self.count(&words, said);
        }
        if said.code != 0 {
            return;
        }
        match words.as_slice() {
            // That is only a promise; whether it was kept is to be seen later.
            ["claim", .., "--offline"] => {}
            ["next", "--claim", ..] | ["claim", ..] => self.granted(who, said.first_word()),
            ["send", ..] => {
                let id = said.stdout.split_whitespace().nth(1);
                if let Some(id) = id.and_then(|id| id.parse::<Stamp>().ok()) {
                    self.told().sent.push(id);
                }
            }
            _ => {}
        }
    }

    /// Remembers for which tasks something was called.
    fn count(&self, words: &[&str], said: &Said) {
        let call = match words {
            ["task", "new", ..] | ["send", ..] | [] => return,
            ["review", .., "--approve"] => "review --approve",
            [operation, ..] => operation,
        };
        let lands = |id: &str| said.stdout.contains(&format!("landed {id}"));
        let is_about = |id: &str| match call {
            "next" => said.first_word() == id,
            "land" => lands(id),
            _ => words.contains(&id),
        };
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        for id in self.tasks.values().filter(|id| is_about(id)) {
            calls.entry(id.clone()).or_default().push(call.to_owned());
        }
    }

    /// Returns what was called for each task that was claimed, submitted and reviewed once.
    pub fn straight_through(&self) -> Vec<(&'static str, Vec<String>)> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let once = |calls: &[String], names: &[&str]| {
            let found = calls.iter().filter(|it| names.contains(&it.as_str()));
            found.count() == 1
        };
        let straight = |calls: &&Vec<String>| {
            once(calls, &["claim", "next"]) && once(calls, &["submit"]) && once(calls, &["land"])
        };
        let of = |(key, id): (&&'static str, &String)| {
            Some((*key, calls.get(id).filter(straight)?.clone()))
        };
        self.tasks.iter().filter_map(of).collect()
    }

    /// Remembers that an agent was told that a task is its own.
    pub fn granted(&self, who: &str, id: &str) {
        if let (Ok(agent), Ok(id)) = (who.parse::<AgentName>(), id.parse::<TaskId>()) {
            self.told().claimed.push((agent, id));
        }
    }

    /// Runs git as an agent, which must succeed, and shows it.
    pub fn git(&self, who: &str, args: &[&str], lines: usize) -> Result<Said, CliError> {
        let said = self.git_quietly(who, args)?;
        self.say.command(&said, lines);
        match said.code {
            0 => Ok(said),
            _ => Err(said.unexpected(0)),
        }
    }

    /// Runs git as an agent, whatever comes of it, and shows nothing.
    pub fn git_quietly(&self, who: &str, args: &[&str]) -> Result<Said, CliError> {
        let agent = self.setting.seat(who).map(|seat| seat.agent);
        let output = self.stage.git(agent, &self.directory(who), args)?;
        if self.processes.ended_by().is_some() {
            return Err(interrupted());
        }
        Ok(Said {
            who: self.prompt(who),
            command: format!("git {}", shown(&owned(args))),
            code: output.code.unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: output.stderr,
            ended: Instant::now(),
        })
    }

    /// Starts one command of each of these agents in the same moment.
    pub fn at_once(&self, runs: &[(&'static str, Vec<String>)]) -> Result<Vec<Said>, CliError> {
        let gate = Barrier::new(runs.len());
        let start = |(who, args): &(&'static str, Vec<String>)| {
            gate.wait();
            self.spawn(who, args)
        };
        each(runs, start)
    }

    /// Has an agent wait for a message while others act, and shows then what it was woken by.
    pub fn woken(
        &self,
        who: &str,
        meanwhile: impl FnOnce() -> Result<(), CliError>,
    ) -> Result<Said, CliError> {
        let said = thread::scope(|scope| {
            let waiting = scope.spawn(|| self.ask(who, &["inbox", "--wait", "30s"]));
            meanwhile()?;
            joined(waiting.join())
        })?;
        self.say.command(&said, 2);
        match said.code {
            0 => Ok(said),
            _ => Err(said.unexpected(0)),
        }
    }

    /// Has each of these agents take its steps one after the other, all agents side by side.
    ///
    /// Shows their commands afterwards, agent by agent. Every step must succeed.
    pub fn side_by_side(&self, parts: &[(&'static str, Vec<Step>)]) -> Result<(), CliError> {
        let ends = each(parts, |(who, steps)| {
            let mut said = Vec::new();
            for step in steps {
                said.extend(self.step(who, step)?);
            }
            Ok(said)
        })?;
        for said in ends.iter().flatten() {
            self.say.command(said, 1);
        }
        Ok(())
    }

    fn step(&self, who: &str, step: &Step) -> Result<Option<Said>, CliError> {
        let said = match step {
            Step::Reflectt(args) => self.spawn(who, args)?,
            Step::Write(path, text) => {
                self.stage.write(&self.directory(who), path, text)?;
                return Ok(None);
            }
            Step::Commit(message) => {
                // Whatever the repository ignores.
                self.git_quietly(who, &["add", "--force", "--", FOLDER])?;
                self.git_quietly(who, &["commit", "-m", message])?
            }
        };
        match said.code {
            0 => Ok(Some(said)),
            _ => Err(said.unexpected(0)),
        }
    }

    fn told(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does something for each item, on a thread for each.
fn each<T: Sync, R: Send>(
    items: &[T],
    act: impl Fn(&T) -> Result<R, CliError> + Sync,
) -> Result<Vec<R>, CliError> {
    let act = &act;
    thread::scope(|scope| {
        let threads: Vec<_> = items
            .iter()
            .map(|item| scope.spawn(move || act(item)))
            .collect();
        let ends = threads.into_iter().map(|thread| joined(thread.join()));
        ends.collect()
    })
}

fn joined<R>(end: thread::Result<Result<R, CliError>>) -> Result<R, CliError> {
    end.unwrap_or_else(|_| Err(CliError::failed("a thread of the demo panicked")))
}

pub fn owned(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}
