//! Checks, and what came of running them, as `--json` prints them.

use serde::Serialize;

use crate::format::rfc3339;
use crate::model::check::{Check, CheckResult, Checks, Obstacle};
use crate::model::task::{Checked, Passing};
use crate::ops::checks::CheckFile;

use super::Fault;

/// `{"checks": […]}`: one for each check that was asked for.
#[derive(Debug, Serialize)]
pub struct ChecksJson<'a> {
    pub checks: Vec<CheckJson<'a>>,
    /// Why the exit code is not 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a Fault>,
}

#[derive(Debug, Serialize)]
pub struct CheckJson<'a> {
    pub name: &'a str,
    pub command: &'a str,
    pub commit: &'a str,
    pub tree: &'a str,
    pub passed: bool,
    pub outcome: &'static str,
    /// What kept it from running, in one word.
    pub obstacle: Option<&'static str>,
    pub exit_code: Option<u8>,
    pub seconds: f64,
    /// Whether an earlier run on the same tree counts.
    pub cached: bool,
    /// When it ran.
    pub at: String,
    pub detail: Option<String>,
    /// The last lines of what it printed.
    pub output: &'a [String],
}

/// A run that a task's history knows of.
#[derive(Debug, Serialize)]
pub struct CheckedJson<'a> {
    #[serde(flatten)]
    pub check: CheckJson<'a>,
    pub by: &'a str,
}

/// A check that is to pass on what was submitted, and its latest run there.
#[derive(Debug, Serialize)]
pub struct PassingJson<'a> {
    pub name: &'a str,
    /// `not_run`, or as for any run.
    pub outcome: &'static str,
    pub passed: bool,
    pub exit_code: Option<u8>,
    pub seconds: Option<f64>,
    pub at: Option<String>,
    pub by: Option<&'a str>,
    pub commit: Option<&'a str>,
    pub tree: Option<&'a str>,
}

/// The checks that there are.
#[derive(Debug, Serialize)]
pub struct CheckListJson<'a> {
    /// The branch that says so.
    pub branch: &'a str,
    pub commit: String,
    pub checks: Vec<CheckEntryJson<'a>>,
}

#[derive(Debug, Serialize)]
pub struct CheckEntryJson<'a> {
    pub name: &'a str,
    pub command: &'a str,
    pub time_limit: String,
    /// Whether it must pass before anything lands.
    pub land: bool,
}

impl<'a> ChecksJson<'a> {
    pub fn of(results: &'a [CheckResult], error: Option<&'a Fault>) -> ChecksJson<'a> {
        ChecksJson {
            checks: results.iter().map(CheckJson::from).collect(),
            error,
        }
    }
}

impl<'a> From<&'a CheckResult> for CheckJson<'a> {
    fn from(result: &'a CheckResult) -> CheckJson<'a> {
        CheckJson {
            name: result.name.as_str(),
            command: &result.command,
            commit: &result.commit,
            tree: &result.tree,
            passed: result.passed(),
            outcome: result.outcome.as_str(),
            obstacle: result.outcome.obstacle().map(Obstacle::as_str),
            exit_code: result.outcome.exit_code(),
            seconds: seconds(result),
            cached: result.cached,
            at: rfc3339(result.at),
            detail: result.outcome.detail(),
            output: &result.output,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of any time that a check may take are exact"
)]
fn seconds(result: &CheckResult) -> f64 {
    result.took.as_millis() as f64 / 1000.0
}

impl<'a> From<&'a Checked> for CheckedJson<'a> {
    fn from(run: &'a Checked) -> CheckedJson<'a> {
        CheckedJson {
            check: CheckJson::from(&run.result),
            by: run.by.as_str(),
        }
    }
}

impl<'a> From<&Passing<'a>> for PassingJson<'a> {
    fn from(passing: &Passing<'a>) -> PassingJson<'a> {
        let result = passing.run.map(|run| &run.result);
        PassingJson {
            name: passing.name.as_str(),
            outcome: result.map_or("not_run", |it| it.outcome.as_str()),
            passed: result.is_some_and(CheckResult::passed),
            exit_code: result.and_then(|it| it.outcome.exit_code()),
            seconds: result.map(seconds),
            at: result.map(|it| rfc3339(it.at)),
            by: passing.run.map(|run| run.by.as_str()),
            commit: result.map(|it| it.commit.as_str()),
            tree: result.map(|it| it.tree.as_str()),
        }
    }
}

impl<'a> From<&'a CheckFile> for CheckListJson<'a> {
    fn from(file: &'a CheckFile) -> CheckListJson<'a> {
        let entries = file.checks.all.iter();
        CheckListJson {
            branch: &file.branch.name,
            commit: file.branch.tip.to_string(),
            checks: entries.map(|it| entry(it, &file.checks)).collect(),
        }
    }
}

fn entry<'a>(check: &'a Check, checks: &Checks) -> CheckEntryJson<'a> {
    CheckEntryJson {
        name: check.name.as_str(),
        command: &check.command,
        time_limit: check.time_limit.to_string(),
        land: checks.landing.contains(&check.name),
    }
}
