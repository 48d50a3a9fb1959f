//! Checks: what the landing branch says a commit must pass, run on one in a clean worktree.
//!
//! What runs on other people's machines has been reviewed: commands come from the landing branch,
//! never from the record and never from the commit under test.

mod run;

pub use run::{Manner, Step, run};

use std::collections::BTreeSet;

use crate::format::{CHECKS_FILE, parse_checks};
use crate::git::{ObjectKind, Oid};
use crate::model::check::{Check, CheckResult, Checks, Verdict};
use crate::model::id::{IdPrefix, TaskId};
use crate::model::name::CheckName;
use crate::model::task::{Task, TaskEvent};
use crate::store::RecordFile;

use super::landing::{LandingBranch, landing_branch};
use super::tx::{Tx, transact};
use super::{Context, OpsError, chain, find};

/// The checks of a repository, and the branch that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFile {
    pub branch: LandingBranch,
    pub checks: Checks,
}

/// Which checks to run, and on what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// If none is named, all; those of the task, if there is one.
    pub names: Vec<CheckName>,
    /// A revision. If none is given, what was submitted for the task, else the worktree's `HEAD`.
    pub commit: Option<String>,
    /// In whose history the results are kept.
    pub task: Option<IdPrefix>,
    /// Whether those run again that have passed on the same tree.
    pub again: bool,
}

/// What came of running checks.
#[derive(Debug)]
pub struct Report {
    pub results: Vec<CheckResult>,
    pub verdict: Verdict,
    /// Why the history of the task does not have them.
    unrecorded: Option<OpsError>,
}

impl Report {
    /// Takes out the error that it is, if not all was as it should be.
    pub fn take_error(&mut self) -> Option<OpsError> {
        match &self.verdict {
            Verdict::Passed => self.unrecorded.take(),
            Verdict::Failed(refusal) => Some(refusal.clone().into()),
            Verdict::Unknown(stopped) => Some(OpsError::CouldNotRun(stopped.clone())),
        }
    }
}

/// Returns the checks that the landing branch defines: none, if it has no file that does.
///
/// # Errors
///
/// [`OpsError::NoChecks`] if there is no landing branch; [`OpsError::ChecksFile`] if the file is
/// not what it must be.
pub fn check_file(ctx: &Context) -> Result<CheckFile, OpsError> {
    match landing_branch(ctx)? {
        Some(branch) => Ok(CheckFile {
            checks: read_checks(ctx, &branch)?,
            branch,
        }),
        None => Err(OpsError::NoChecks { branch: None }),
    }
}

/// Returns the checks that a branch defines at its tip.
pub fn read_checks(ctx: &Context, branch: &LandingBranch) -> Result<Checks, OpsError> {
    let repo = ctx.repo();
    let tree = repo.read_commit(branch.tip)?.tree;
    let Some(entry) = repo.find_path(tree, CHECKS_FILE)? else {
        return Ok(Checks::default());
    };
    let file = RecordFile {
        path: CHECKS_FILE.to_owned(),
        mode: entry.mode,
        blob: entry.oid,
    };
    let wrong = |source| OpsError::ChecksFile {
        branch: branch.name.clone(),
        source,
    };
    let bytes = file.read(repo)?.map_err(wrong)?;
    parse_checks(&bytes).map_err(|error| wrong(error.into()))
}

impl CheckFile {
    /// Returns the checks of these names, each once and in the order of the file.
    pub fn named<'n>(
        &self,
        names: impl IntoIterator<Item = &'n CheckName>,
    ) -> Result<Vec<Check>, OpsError> {
        let known = || self.checks.all.iter().map(|check| &check.name);
        let found = self.checks.named(names);
        found.map_err(|unknown| find::missing("check", unknown.as_str(), known()))
    }
}

/// Runs checks by hand, and keeps what came of them in the history of the task, if there is one.
pub fn run_wanted(
    ctx: &Context,
    wanted: &Wanted,
    watch: &dyn Fn(Step),
) -> Result<Report, OpsError> {
    let task = match &wanted.task {
        Some(id) => {
            // Known to be missing before the run, and not after it.
            ctx.me()?;
            let snapshot = ctx.store().snapshot()?;
            Some(find::task(&snapshot, id)?.task().clone())
        }
        None => None,
    };
    let file = check_file(ctx)?;
    let checks = match (&task, wanted.names.as_slice()) {
        (Some(task), []) if !task.checks.is_empty() => file.named(&task.checks)?,
        (_, []) => file.checks.all.clone(),
        (_, names) => file.named(names)?,
    };
    if checks.is_empty() {
        let branch = Some(file.branch.name);
        return Err(OpsError::NoChecks { branch });
    }
    let commit = commit(ctx, wanted.commit.as_deref(), task.as_ref())?;
    let manner = Manner {
        again: wanted.again,
        ..Manner::default()
    };
    let results = run(ctx, &checks, commit, manner, watch)?;
    let id = task.map(|task| task.id);
    // What was found out in twenty minutes is told all the same.
    let recorded = id.map(|id| transact(ctx, |tx| record(tx, id, &results)));
    let unrecorded = recorded.and_then(Result::err);
    let verdict = Verdict::of(&results, id);
    if let Some(error) = &unrecorded
        && verdict != Verdict::Passed
    {
        let why = chain(error);
        ctx.note_warnings([format!(
            "the task's history does not have the results: {why}"
        )]);
    }
    Ok(Report {
        results,
        verdict,
        unrecorded,
    })
}

/// Keeps results in a task's history, in a turn of an operation. Returns the task.
pub fn record(tx: &mut Tx, id: TaskId, results: &[CheckResult]) -> Result<Task, OpsError> {
    let mut task = tx.task(id)?;
    for result in results {
        let result = result.clone().for_record();
        task = tx.event(id, TaskEvent::Checked(Box::new(result)))?;
    }
    tx.subject(format!("check {id}: {}", task.title));
    Ok(task)
}

/// Warns of checks that a task asks for and that there are not, or not yet.
pub fn warn_of_unknown(ctx: &Context, names: &BTreeSet<CheckName>) {
    if names.is_empty() {
        return;
    }
    let warnings: Vec<String> = match check_file(ctx) {
        Ok(file) => {
            let branch = &file.branch.name;
            let unknown = names.iter().filter(|name| file.checks.get(name).is_none());
            let warning = |name: &CheckName| {
                format!(
                    "`{CHECKS_FILE}` on `{branch}` defines no check `{name}`; the task can be submitted once it does"
                )
            };
            unknown.map(warning).collect()
        }
        Err(error) => vec![chain(&error)],
    };
    ctx.note_warnings(warnings);
}

/// Returns the commit to check.
fn commit(ctx: &Context, revision: Option<&str>, task: Option<&Task>) -> Result<Oid, OpsError> {
    let submitted = task.and_then(|task| task.submission.as_ref()?.1.commit.as_deref());
    let revision = revision.or(submitted).unwrap_or("HEAD");
    let found = ctx.repo().resolve(revision)?;
    found.ok_or_else(|| no_commit(revision))
}

/// Returns the tree of a commit that is in this clone.
fn tree_of(ctx: &Context, commit: Oid) -> Result<Oid, OpsError> {
    match ctx.repo().kind(commit)? {
        Some(ObjectKind::Commit) => Ok(ctx.repo().read_commit(commit)?.tree),
        _ => Err(no_commit(&commit.to_string())),
    }
}

fn no_commit(name: &str) -> OpsError {
    OpsError::NotFound {
        what: "commit to check",
        name: name.to_owned(),
        near: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
