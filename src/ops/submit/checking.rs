//! Running what a task must pass before it is submitted.
//!
//! A check may take twenty minutes, and a transaction may have to decide several times. So checks
//! run before it, on a commit that is known by then, and the transaction only asks whether they
//! have passed. Should it find that the task must pass more by now, these run, and it begins anew.

use serde::{Deserialize, Serialize};

use crate::git::Oid;
use crate::model::check::{CheckResult, Outcome, Verdict};
use crate::model::id::{IdPrefix, TaskId};
use crate::model::name::CheckName;
use crate::model::rule::Refusal;
use crate::model::task::{Task, TaskEvent};
use crate::model::time::{Span, Timestamp};
use crate::ops::checks::{self, Manner, Step};
use crate::ops::tx::{Tx, transact};
use crate::ops::{Context, OpsError, find, requests};

use super::{Checking, NewSubmission, hand_in};

/// A check that has passed on the commit to submit, in a shape that can be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    pub name: String,
    pub command: String,
    pub tree: String,
    /// How long it ran and when, both in milliseconds.
    pub took: u64,
    pub at: i64,
    pub cached: bool,
    pub output: Vec<String>,
}

impl Passed {
    pub fn of(result: &CheckResult) -> Passed {
        let result = result.clone().for_record();
        Passed {
            name: result.name.to_string(),
            command: result.command,
            tree: result.tree,
            took: result.took.as_millis(),
            at: result.at.0,
            cached: result.cached,
            output: result.output,
        }
    }

    /// Returns it as the result that it was on this commit.
    pub fn on(&self, commit: Option<&str>) -> Result<CheckResult, OpsError> {
        Ok(CheckResult {
            name: self.name.parse()?,
            command: self.command.clone(),
            commit: commit.unwrap_or_default().to_owned(),
            tree: self.tree.clone(),
            outcome: Outcome::Passed,
            took: Span::from_millis(self.took),
            at: Timestamp(self.at),
            cached: self.cached,
            output: self.output.clone(),
        })
    }
}

/// Submits a task, having run its checks. The commit is given in hexadecimal.
pub fn submit(
    ctx: &Context,
    id: &IdPrefix,
    new: &NewSubmission,
    watch: &dyn Fn(Step),
) -> Result<Task, OpsError> {
    let mut passed = match foreseen(ctx, id, new)? {
        Some((task, names)) => match run(ctx, task, &names, new, watch) {
            // The task may not ask for it any more.
            Err(OpsError::Refused(Refusal::UndefinedChecks { .. })) => Vec::new(),
            results => results?,
        },
        None => Vec::new(),
    };
    loop {
        match transact(ctx, |tx| hand_in(tx, id, new, &passed)) {
            Err(OpsError::Refused(Refusal::Unchecked {
                task,
                checks,
                commit: Some(_),
            })) => passed.extend(run(ctx, task, &checks, new, watch)?),
            answer => return answer,
        }
    }
}

/// Returns the checks to run, by what is known here, if nothing else is in the way.
///
/// What is refused by that may be otherwise by now: the transaction finds out, and so does whoever
/// would have waited for checks in vain.
fn foreseen(
    ctx: &Context,
    id: &IdPrefix,
    new: &NewSubmission,
) -> Result<Option<(TaskId, Vec<CheckName>)>, OpsError> {
    let look = requests::look(ctx)?;
    match find::task(&look, id) {
        Ok(entry) if !entry.task().checks.is_empty() => {}
        _ => return Ok(None),
    }
    let mut tx = Tx::new(ctx, &look, ctx.me()?.clone());
    // It is never published.
    Ok(match hand_in(&mut tx, id, new, &[]) {
        Err(OpsError::Refused(Refusal::Unchecked {
            task,
            checks,
            commit: Some(_),
        })) => Some((task, checks)),
        _ => None,
    })
}

/// Runs these checks on the commit and returns their results, which have all passed.
fn run(
    ctx: &Context,
    task: TaskId,
    names: &[CheckName],
    new: &NewSubmission,
    watch: &dyn Fn(Step),
) -> Result<Vec<CheckResult>, OpsError> {
    let file = match checks::check_file(ctx) {
        Ok(file) => file,
        Err(OpsError::NoChecks { .. }) => return Err(undefined(task, names.to_vec(), None)),
        Err(error) => return Err(error),
    };
    let known = |name: &&CheckName| file.checks.get(name).is_none();
    let missing: Vec<CheckName> = names.iter().filter(known).cloned().collect();
    if !missing.is_empty() {
        return Err(undefined(task, missing, Some(file.branch.name)));
    }
    let commit = Oid::parse(new.commit.as_deref().unwrap_or_default())?;
    let manner = Manner {
        again: new.checking == Checking::Again,
        ..Manner::default()
    };
    let results = checks::run(ctx, &file.named(names)?, commit, manner, watch)?;
    match Verdict::of(&results, Some(task)) {
        Verdict::Passed => Ok(results),
        Verdict::Failed(refusal) => Err(refusal.into()),
        Verdict::Unknown(stopped) => Err(OpsError::NotSubmitted { task, stopped }),
    }
}

fn undefined(task: TaskId, checks: Vec<CheckName>, branch: Option<String>) -> OpsError {
    let undefined = Refusal::UndefinedChecks {
        task,
        checks,
        branch,
    };
    undefined.into()
}

/// Keeps what has passed in the history of a task that was just submitted.
pub fn record(
    tx: &mut Tx,
    mut task: Task,
    new: &NewSubmission,
    passed: &[CheckResult],
) -> Result<Task, OpsError> {
    if new.checking == Checking::Without {
        return Ok(task);
    }
    let missing = task.not_among(passed);
    if !missing.is_empty() {
        let unchecked = Refusal::Unchecked {
            task: task.id,
            checks: missing,
            commit: new.commit.clone(),
        };
        return Err(unchecked.into());
    }
    let asked: Vec<&CheckResult> = passed
        .iter()
        .filter(|it| task.checks.contains(&it.name))
        .collect();
    for result in asked {
        let result = result.clone().for_record();
        task = tx.event(task.id, TaskEvent::Checked(Box::new(result)))?;
    }
    Ok(task)
}
