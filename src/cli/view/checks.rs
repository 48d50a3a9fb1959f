//! What came of checks, as people read it.

use anstyle::Style;

use crate::answer::told::checked;
use crate::cli::text::{BOLD, DIM, GREEN, RED, Text, YELLOW};
use crate::cli::ui::Ui;
use crate::model::check::{CheckResult, Outcome};
use crate::model::task::{Passing, Task};
use crate::model::text::short_commit;

use super::heading;

/// Prints what came of each of these checks, with the last lines of those that did not pass.
pub fn results(ui: &Ui, results: &[CheckResult]) {
    for result in results {
        ui.line(
            Text::new()
                .bold(result.name.as_str())
                .plain(format!(" on {}: ", short_commit(&result.commit)))
                .styled(style(&result.outcome), checked(result)),
        );
        if !result.passed() {
            ui.block(2, &result.output.join("\n"));
        }
    }
}

/// Prints which checks ran on what was submitted: by whom, when and on which files.
pub fn passing(ui: &Ui, checks: &[Passing], no_check: bool) {
    for Passing { name, run } in checks {
        let line = Text::from("  check ")
            .styled(BOLD, name.as_str())
            .plain(": ");
        let Some(run) = run else {
            let why = match no_check {
                true => "did not run: the author did without (--no-check)",
                false => "did not run on this commit",
            };
            ui.line(line.styled(YELLOW, why));
            continue;
        };
        let result = &run.result;
        let whom = format!(
            " (by {} {}, on tree {})",
            run.by,
            ui.relative(result.at.0),
            short_commit(&result.tree)
        );
        let line = line.styled(style(&result.outcome), checked(result));
        ui.line(line.styled(DIM, whom));
    }
}

fn style(outcome: &Outcome) -> Style {
    match outcome {
        Outcome::Passed => GREEN,
        Outcome::Failed { .. } => RED,
        Outcome::CouldNotRun { .. } => YELLOW,
    }
}

/// Prints the latest run of each check on the commit that is, or was last, checked.
pub fn checks(ui: &Ui, task: &Task) {
    let submitted = task.submission.as_ref();
    let submitted = submitted.and_then(|(_, bundle)| bundle.commit.as_deref());
    let latest = task.checked.last().map(|run| run.result.commit.as_str());
    let known = |commit: &&str| task.checked.iter().any(|run| run.result.commit == *commit);
    let Some(commit) = submitted.filter(known).or(latest) else {
        return;
    };
    heading(ui, &format!("checked {}", short_commit(commit)));
    for run in (task.checked.iter()).filter(|run| run.result.commit == commit) {
        let result = &run.result;
        ui.line(format!(
            "  {}: {}, by {} {}",
            result.name,
            checked(result),
            run.by,
            ui.relative(result.at.0)
        ));
    }
}
