//! Running checks on a commit, one after the other, in one worktree.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::git::{GitError, Oid, Shell, ShellEnd, ShellSign};
use crate::model::check::{Check, CheckResult, Ended, Obstacle, Outcome, Space, judge};
use crate::model::time::{Span, Timestamp};
use crate::ops::{Context, OpsError, chain, keep_alive};
use crate::store::{BENCHES, Bench, Passed};

use super::tree_of;

/// How long to wait for a worktree while others use all of them.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// How often to look for one.
const LOOK: Duration = Duration::from_millis(100);
/// When to show again that whoever asked is alive, if that was not possible.
const BEAT_AGAIN: Duration = Duration::from_secs(60);

/// How checks are run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manner {
    /// Those that have passed on the same tree run again, too.
    pub again: bool,
    /// After one that did not pass, no other runs, and there is no result of it.
    pub stop_early: bool,
}

/// What a run is at, for whoever waits for it.
pub enum Step<'s> {
    /// Others use all worktrees for checks.
    Waits {
        elapsed: Duration,
    },
    /// The commit is checked out.
    Prepares,
    /// Said several times a second.
    Runs {
        check: &'s Check,
        elapsed: Duration,
        /// The last line that it printed.
        line: &'s dyn Fn() -> Option<String>,
    },
    Ended,
}

/// Runs checks on a commit and returns what came of each, in their order.
///
/// One that could not run is a result, too. Whoever asks counts as alive while they run.
///
/// # Errors
///
/// [`OpsError::NotFound`] if the commit is not in this clone; [`GitError::Cancelled`] if the
/// repository's processes are cancelled ([`Git::cancel`](crate::git::Git::cancel)).
pub fn run(
    ctx: &Context,
    checks: &[Check],
    commit: Oid,
    manner: Manner,
    watch: &dyn Fn(Step),
) -> Result<Vec<CheckResult>, OpsError> {
    let mut runner = Runner {
        ctx,
        commit,
        tree: tree_of(ctx, commit)?,
        watch,
        bench: None,
        due: Cell::new(Instant::now()),
    };
    let passed = ctx.store().passed_checks();
    let mut results = Vec::new();
    for check in checks {
        let known = passed.get(runner.tree, &check.command);
        let result = match known.filter(|_| !manner.again) {
            Some(passed) => Ok(runner.known(check, passed)),
            None => runner.run(check),
        };
        // Whatever came of it, nothing is at work any more.
        watch(Step::Ended);
        results.push(result?);
        if manner.stop_early && results.last().is_some_and(|last| !last.passed()) {
            break;
        }
    }
    Ok(results)
}

struct Runner<'r> {
    ctx: &'r Context,
    commit: Oid,
    tree: Oid,
    watch: &'r dyn Fn(Step),
    /// Taken when the first check has to run.
    bench: Option<Bench<'r>>,
    /// When to show again that whoever asked is alive.
    due: Cell<Instant>,
}

/// What a run came to, and the last lines of what it printed.
type Run = (Outcome, Vec<String>);

impl<'r> Runner<'r> {
    fn known(&self, check: &Check, passed: &Passed) -> CheckResult {
        CheckResult {
            cached: true,
            at: Timestamp(passed.at),
            ..self.result(
                check,
                (Outcome::Passed, Vec::new()),
                Span::from_millis(passed.took),
            )
        }
    }

    fn run(&mut self, check: &Check) -> Result<CheckResult, OpsError> {
        let at = self.ctx.now();
        let begun = Instant::now();
        let run = match self.prepare() {
            Ok(()) => {
                let begun = Instant::now();
                self.run_prepared(check).map(|run| (run, begun.elapsed()))
            }
            Err(stop) => stop.map(|run| (run, begun.elapsed())),
        };
        let (run, took) = run?;
        let took = Span::from_millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let result = CheckResult {
            at,
            ..self.result(check, run, took)
        };
        if result.passed() {
            let passed = Passed::new(self.tree, &check.command, at.0, took.as_millis());
            self.ctx.store().note_passed(passed);
        }
        Ok(result)
    }

    fn result(&self, check: &Check, (outcome, output): Run, took: Span) -> CheckResult {
        CheckResult {
            name: check.name.clone(),
            command: check.command.clone(),
            commit: self.commit.to_string(),
            tree: self.tree.to_string(),
            outcome,
            took,
            at: Timestamp::default(),
            cached: false,
            output,
        }
    }

    /// Takes a worktree, unless there is one, and checks the commit out in it: what the check
    /// before this one has left is gone.
    fn prepare(&mut self) -> Result<(), Result<Run, OpsError>> {
        let bench = match self.bench.take() {
            Some(bench) => bench,
            None => self.take_bench()?,
        };
        (self.watch)(Step::Prepares);
        let done = bench.scratch.check_out(self.commit);
        self.bench = Some(bench);
        done.map_err(|error| match error {
            GitError::Cancelled { .. } | GitError::Missing => Err(error.into()),
            GitError::NoSpace { .. } => Ok(stopped(Obstacle::NoSpace, chain(&error))),
            _ => Ok(stopped(Obstacle::NoWorktree, chain(&error))),
        })
    }

    fn take_bench(&self) -> Result<Bench<'r>, Result<Run, OpsError>> {
        let begun = Instant::now();
        loop {
            match self.ctx.store().take_bench() {
                Ok(Some(bench)) => return Ok(bench),
                Ok(None) => {}
                Err(error) => return Err(Ok(stopped(Obstacle::NoWorktree, chain(&error)))),
            }
            let elapsed = begun.elapsed();
            if elapsed > PATIENCE {
                let detail = format!("others use all {BENCHES} worktrees for checks");
                return Err(Ok(stopped(Obstacle::NoWorktree, detail)));
            }
            if self.ctx.repo().runner().cancel().is_cancelled() {
                return Err(Err(cancelled("the wait for a worktree")));
            }
            (self.watch)(Step::Waits { elapsed });
            self.beat();
            std::thread::sleep(LOOK);
        }
    }

    fn run_prepared(&self, check: &Check) -> Result<Run, OpsError> {
        let Some(bench) = &self.bench else {
            return Ok(stopped(
                Obstacle::NoWorktree,
                "there is no worktree".to_owned(),
            ));
        };
        let shell = Shell {
            command: &check.command,
            dir: bench.scratch.path(),
            time_limit: check.time_limit.into(),
            cancel: &self.ctx.repo().runner().cancel(),
        };
        let output = shell.run(&|sign| match sign {
            ShellSign::Begun(process) => bench.note_running(process),
            ShellSign::Runs { elapsed, line } => {
                self.beat();
                (self.watch)(Step::Runs {
                    check,
                    elapsed,
                    line,
                });
            }
        });
        let output = match output {
            Ok(output) => output,
            Err(error) => {
                let detail = format!("cannot run `sh`: {error}");
                return Ok(stopped(Obstacle::Other, detail));
            }
        };
        let ended = match output.end {
            ShellEnd::Exited(code) => Ended::Exited(code),
            ShellEnd::Signalled(signal) => Ended::Signalled(signal),
            ShellEnd::TimedOut => Ended::TimedOut(check.time_limit),
            ShellEnd::Cancelled => return Err(cancelled(&check.command)),
        };
        let space = match output.was_full {
            true => {
                // Whoever needs room next should not have to run a check for it.
                bench.scratch.sweep();
                Space::Full
            }
            false => Space::Enough,
        };
        Ok((judge(ended, space), output.lines))
    }

    /// Shows that whoever asked is alive, if it is time: a check may take longer than an agent may
    /// be silent. A repository without a team has nobody to show.
    fn beat(&self) {
        if self.ctx.identity().is_none() || Instant::now() < self.due.get() {
            return;
        }
        let next = keep_alive(self.ctx).unwrap_or(BEAT_AGAIN);
        self.due.set(Instant::now() + next);
    }
}

fn stopped(obstacle: Obstacle, detail: String) -> Run {
    (Outcome::CouldNotRun { obstacle, detail }, Vec::new())
}

fn cancelled(command: &str) -> OpsError {
    let command = command.to_owned();
    GitError::Cancelled { command }.into()
}
