//! Checks: commands by which a repository judges a commit, and what came of running one.
//!
//! What the commands are says a file on the landing branch; see [`crate::format::parse_checks`].

use super::id::TaskId;
use super::name::CheckName;
use super::rule::Refusal;
use super::task::{ChoiceError, choose};
use super::time::{Span, Timestamp};

/// How long a check may take that does not say.
pub const TIME_LIMIT: Span = Span::from_mins(10);
/// The shortest and the longest that a check may take.
pub const TIME_LIMITS: [Span; 2] = [Span::from_secs(1), Span::from_mins(24 * 60)];
/// How many lines of a check's output are kept in the record, and how many bytes of them.
pub const RECORDED_LINES: usize = 20;
pub const RECORDED_BYTES: usize = 2 * 1024;
/// The latest results of so many checks of commits are part of a task's state.
pub const RUNS_MAX: usize = 24;

/// A command that must succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub name: CheckName,
    /// For `sh -c`.
    pub command: String,
    pub time_limit: Span,
}

/// The checks of a repository, in the order of their file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checks {
    pub all: Vec<Check>,
    /// Those that must pass before anything lands; all of them are known.
    pub landing: Vec<CheckName>,
}

impl Checks {
    pub fn get(&self, name: &CheckName) -> Option<&Check> {
        self.all.iter().find(|check| check.name == *name)
    }

    /// Returns the checks of these names, each once and in the order of their file; an unknown
    /// name is the error.
    pub fn named<'n>(
        &self,
        names: impl IntoIterator<Item = &'n CheckName>,
    ) -> Result<Vec<Check>, CheckName> {
        let names: Vec<&CheckName> = names.into_iter().collect();
        if let Some(unknown) = names.iter().find(|name| self.get(name).is_none()) {
            return Err((*unknown).clone());
        }
        let wanted = self.all.iter().filter(|check| names.contains(&&check.name));
        Ok(wanted.cloned().collect())
    }

    /// Returns the checks that must pass before anything lands.
    pub fn for_landing(&self) -> Vec<Check> {
        let wanted = |check: &&Check| self.landing.contains(&check.name);
        self.all.iter().filter(wanted).cloned().collect()
    }
}

/// What came of running a check. That it could not run says nothing about the commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Passed,
    Failed {
        code: u8,
    },
    CouldNotRun {
        obstacle: Obstacle,
        /// In words, with all there is to know.
        detail: String,
    },
}

impl Outcome {
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed { .. } => "failed",
            Outcome::CouldNotRun { .. } => "could_not_run",
        }
    }

    /// Returns the exit code of the command, if it came to one that says something of the commit.
    pub fn exit_code(&self) -> Option<u8> {
        match self {
            Outcome::Passed => Some(0),
            Outcome::Failed { code } => Some(*code),
            Outcome::CouldNotRun { obstacle, .. } => obstacle.exit_code(),
        }
    }

    pub fn obstacle(&self) -> Option<Obstacle> {
        match self {
            Outcome::CouldNotRun { obstacle, .. } => Some(*obstacle),
            _ => None,
        }
    }

    /// Returns what there is to say beside the outcome itself.
    pub fn detail(&self) -> Option<String> {
        match self {
            Outcome::Passed => None,
            Outcome::Failed { code } => Some(format!("it exited with {code}")),
            Outcome::CouldNotRun { detail, .. } => Some(detail.clone()),
        }
    }
}

/// What kept a check from running to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// The shell found no such command.
    NotFound,
    /// The shell may not run it.
    NotExecutable,
    TimeLimit,
    /// Somebody, or the system, ended it.
    Signal,
    NoSpace,
    /// There was no clean worktree to run it in.
    NoWorktree,
    /// Anything else, and what a later version calls by a name of its own.
    Other,
}

impl Obstacle {
    pub const ALL: [Obstacle; 7] = [
        Obstacle::NotFound,
        Obstacle::NotExecutable,
        Obstacle::TimeLimit,
        Obstacle::Signal,
        Obstacle::NoSpace,
        Obstacle::NoWorktree,
        Obstacle::Other,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Obstacle::NotFound => "not_found",
            Obstacle::NotExecutable => "not_executable",
            Obstacle::TimeLimit => "time_limit",
            Obstacle::Signal => "signal",
            Obstacle::NoSpace => "no_space",
            Obstacle::NoWorktree => "no_worktree",
            Obstacle::Other => "other",
        }
    }

    fn exit_code(self) -> Option<u8> {
        match self {
            Obstacle::NotFound => Some(127),
            Obstacle::NotExecutable => Some(126),
            _ => None,
        }
    }
}

impl std::str::FromStr for Obstacle {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Obstacle, ChoiceError> {
        choose("obstacle", text, &Obstacle::ALL, Obstacle::as_str)
    }
}

/// One run of a check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckResult {
    pub name: CheckName,
    pub command: String,
    /// What was checked, in hexadecimal, and its tree.
    pub commit: String,
    pub tree: String,
    pub outcome: Outcome,
    /// How long it ran.
    pub took: Span,
    /// When it ran.
    pub at: Timestamp,
    /// Whether this is what an earlier run of the same command on the same tree came to.
    pub cached: bool,
    /// The last lines of its output.
    pub output: Vec<String>,
}

impl CheckResult {
    pub fn passed(&self) -> bool {
        self.outcome == Outcome::Passed
    }

    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. })
    }

    /// Returns it as the record keeps it: with no more output than everybody's clone should carry.
    #[must_use]
    pub fn for_record(mut self) -> CheckResult {
        let mut bytes = 0;
        let kept = self.output.iter().rev().take_while(|line| {
            bytes += line.len() + 1;
            bytes <= RECORDED_BYTES
        });
        let kept = kept.take(RECORDED_LINES).count();
        self.output.drain(..self.output.len() - kept);
        self
    }

    /// Returns it without its output, which stays in the history alone.
    #[must_use]
    pub fn without_output(&self) -> CheckResult {
        CheckResult {
            output: Vec::new(),
            name: self.name.clone(),
            command: self.command.clone(),
            commit: self.commit.clone(),
            tree: self.tree.clone(),
            outcome: self.outcome.clone(),
            took: self.took,
            at: self.at,
            cached: self.cached,
        }
    }
}

/// What a number of results come to, together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All passed, or there was none.
    Passed,
    /// At least one failed, whatever became of the others.
    Failed(Refusal),
    /// None failed, but these could not run.
    Unknown(Vec<CheckResult>),
}

impl Verdict {
    pub fn of(results: &[CheckResult], task: Option<TaskId>) -> Verdict {
        let those = |wanted: fn(&CheckResult) -> bool| -> Vec<CheckResult> {
            results.iter().filter(|it| wanted(it)).cloned().collect()
        };
        let failed = those(CheckResult::failed);
        if !failed.is_empty() {
            return Verdict::Failed(Refusal::CheckFailed { task, failed });
        }
        match those(|it| !it.passed()) {
            none if none.is_empty() => Verdict::Passed,
            some => Verdict::Unknown(some),
        }
    }
}

/// Returns what the exit code of a shell says, or the signal that ended it.
///
/// 126 and 127 are the shell's own: it could not run the command. A shell that outlives a command
/// ended by a signal says 128 and the signal's number, one that became the command is ended itself;
/// both mean the same. A crash of the command is its own doing and a failure, a signal from
/// outside is none.
pub fn judge(ended: Ended, space: Space) -> Outcome {
    let could_not = |obstacle, detail: &str| Outcome::CouldNotRun {
        obstacle,
        detail: detail.to_owned(),
    };
    let code = match ended {
        Ended::Exited(0) => return Outcome::Passed,
        Ended::Exited(code) => code,
        Ended::Signalled(signal) => 128_u8.saturating_add(signal),
        Ended::TimedOut(limit) => {
            return could_not(
                Obstacle::TimeLimit,
                &format!("it did not end within {limit}, its time limit"),
            );
        }
    };
    match (space, code) {
        (Space::Full, _) => could_not(Obstacle::NoSpace, "there was no space left on the disk"),
        (_, 127) => could_not(
            Obstacle::NotFound,
            "a command was not found (exit code 127)",
        ),
        (_, 126) => could_not(
            Obstacle::NotExecutable,
            "a command could not be executed (exit code 126)",
        ),
        (_, code) if FROM_OUTSIDE.contains(&code.wrapping_sub(128)) => could_not(
            Obstacle::Signal,
            &format!("it was ended by signal {}", code - 128),
        ),
        (_, code) => Outcome::Failed { code },
    }
}

/// The signals by which others end a process: hang-up, interrupt, kill (also for want of memory),
/// termination, and the limit of processor time.
const FROM_OUTSIDE: [u8; 5] = [1, 2, 9, 15, 24];

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Exited(u8),
    Signalled(u8),
    /// It was ended at this limit.
    TimedOut(Span),
}

/// Whether there was room for what a command wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    Enough,
    Full,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str) -> Check {
        Check {
            name: name.parse().unwrap(),
            command: "true".to_owned(),
            time_limit: TIME_LIMIT,
        }
    }

    fn result(name: &str, outcome: Outcome) -> CheckResult {
        CheckResult {
            name: name.parse().unwrap(),
            command: "true".to_owned(),
            commit: "c".to_owned(),
            tree: "t".to_owned(),
            outcome,
            took: Span::from_secs(1),
            at: Timestamp(0),
            cached: false,
            output: Vec::new(),
        }
    }

    fn obstacle(outcome: &Outcome) -> Option<Obstacle> {
        match outcome {
            Outcome::CouldNotRun { obstacle, .. } => Some(*obstacle),
            _ => None,
        }
    }

    #[test]
    fn checks_come_once_and_in_the_order_of_their_file() {
        let checks = Checks {
            all: ["lint", "test", "docs"].map(check).into(),
            landing: vec!["docs".parse().unwrap(), "lint".parse().unwrap()],
        };
        let names = |found: Vec<Check>| -> Vec<String> {
            found.iter().map(|check| check.name.to_string()).collect()
        };
        let wanted = ["test", "lint", "test"].map(|name| name.parse().unwrap());
        assert_eq!(names(checks.named(&wanted).unwrap()), ["lint", "test"]);
        assert_eq!(names(checks.for_landing()), ["lint", "docs"]);
        let unknown: CheckName = "tests".parse().unwrap();
        assert_eq!(checks.named([&unknown]), Err(unknown));
    }

    #[test]
    fn what_failed_is_told_from_what_could_not_run() {
        let judged = |ended| judge(ended, Space::Enough);
        assert_eq!(judged(Ended::Exited(0)), Outcome::Passed);
        for code in [1, 2, 101, 125, 128, 255] {
            assert_eq!(judged(Ended::Exited(code)), Outcome::Failed { code });
        }
        for (ended, expected) in [
            (Ended::Exited(127), Obstacle::NotFound),
            (Ended::Exited(126), Obstacle::NotExecutable),
            (Ended::Exited(137), Obstacle::Signal),
            (Ended::Signalled(9), Obstacle::Signal),
            (Ended::Signalled(15), Obstacle::Signal),
            (Ended::TimedOut(Span::from_secs(2)), Obstacle::TimeLimit),
        ] {
            assert_eq!(obstacle(&judged(ended)), Some(expected), "{ended:?}");
        }
        // A crash is what the command did, whichever of both ways the shell tells it.
        let crash = Outcome::Failed { code: 139 };
        assert_eq!(judged(Ended::Signalled(11)), crash);
        assert_eq!(judged(Ended::Exited(139)), crash);
        assert_eq!(
            judge(Ended::Exited(0), Space::Full),
            Outcome::Passed,
            "it had enough"
        );
        let full = judge(Ended::Exited(1), Space::Full);
        assert_eq!(obstacle(&full), Some(Obstacle::NoSpace));
    }

    #[test]
    fn one_that_failed_outweighs_those_that_could_not_run() {
        let stopped = judge(Ended::Exited(127), Space::Enough);
        let (fine, bad, none) = (
            result("lint", Outcome::Passed),
            result("test", Outcome::Failed { code: 1 }),
            result("docs", stopped),
        );
        assert_eq!(Verdict::of(&[], None), Verdict::Passed);
        assert_eq!(
            Verdict::of(std::slice::from_ref(&fine), None),
            Verdict::Passed
        );
        assert_eq!(
            Verdict::of(&[fine.clone(), none.clone()], None),
            Verdict::Unknown(vec![none.clone()])
        );
        let failed = Refusal::CheckFailed {
            task: None,
            failed: vec![bad.clone()],
        };
        assert_eq!(
            Verdict::of(&[none, fine, bad], None),
            Verdict::Failed(failed)
        );
    }

    #[test]
    fn the_record_keeps_the_last_lines_alone() {
        let mut long = result("test", Outcome::Passed);
        long.output = (0..100).map(|n| format!("line {n}")).collect();
        let kept = long.clone().for_record();
        assert_eq!(kept.output.len(), RECORDED_LINES);
        assert_eq!(kept.output.last().unwrap(), "line 99");
        long.output = vec!["x".repeat(RECORDED_BYTES), "the end".to_owned()];
        assert_eq!(long.for_record().output, ["the end"]);
    }
}
