//! What is known of the checks that a task must pass.

use crate::model::check::CheckResult;
use crate::model::id::Stamp;
use crate::model::name::{Author, CheckName};

use super::Task;

/// A run of a check, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The event that tells of it.
    pub stamp: Stamp,
    pub by: Author,
    pub result: CheckResult,
}

/// A check that is to pass on what was submitted, and its latest run there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passing<'t> {
    pub name: &'t CheckName,
    /// `None` if it was not run on that commit, as far as is known.
    pub run: Option<&'t Checked>,
}

impl Task {
    /// Returns the latest run of a check on a commit, if it is known.
    pub fn checked_on(&self, name: &CheckName, commit: &str) -> Option<&Checked> {
        let of = |run: &&Checked| run.result.name == *name && run.result.commit == commit;
        self.checked.iter().rev().find(of)
    }

    /// Returns the task's checks with what came of them on the submitted commit; nothing, if
    /// nothing was submitted.
    pub fn checks_of_submission(&self) -> Vec<Passing<'_>> {
        let Some((_, submission)) = &self.submission else {
            return Vec::new();
        };
        let commit = submission.commit.as_deref();
        let passing = |name| Passing {
            name,
            run: commit.and_then(|commit| self.checked_on(name, commit)),
        };
        self.checks.iter().map(passing).collect()
    }

    /// Returns those of the task's checks of which there is no result among these.
    pub fn not_among(&self, results: &[CheckResult]) -> Vec<CheckName> {
        let missing = |name: &&CheckName| !results.iter().any(|it| it.name == **name);
        self.checks.iter().filter(missing).cloned().collect()
    }
}
