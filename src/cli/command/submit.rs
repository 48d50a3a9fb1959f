//! `reflectt submit`

use std::collections::BTreeMap;

use clap::Args;

use crate::answer;
use crate::cli::error::CliError;
use crate::cli::meter::Meter;
use crate::cli::session::Session;
use crate::cli::{criterion, interrupt, view};
use crate::model::check::CheckResult;
use crate::model::id::{IdPrefix, TaskId};
use crate::model::name::AgentName;
use crate::model::rule::Refusal;
use crate::model::task::{Status, Submission};
use crate::model::text::short_commit;
use crate::ops::{self, Checking, NewSubmission, OpsError};

/// Submit a finished task for review.
///
/// Show for each criterion, by its number, how you know that it is met. The checks that the task
/// must pass run on the commit before anything is submitted, as the landing branch defines them;
/// what has passed on the same files does not run again.
///
/// Exits with 4 if a check fails, with 6 if one could not run.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  reflectt submit k3f9 --summary \"the path survives the redirect\" \\
    --evidence 1=\"tests/login.rs::returns_to_app passes\"
  reflectt submit k3f9 --summary \"the path is kept\" --no-check")]
pub struct Submit {
    /// The task's id, or its first characters.
    id: IdPrefix,
    /// What was done.
    #[arg(long, value_name = "TEXT")]
    summary: String,
    /// Evidence for criterion N; one for each.
    #[arg(long = "evidence", value_name = "N=TEXT", value_parser = criterion::evidence)]
    evidence: Vec<(usize, String)>,
    /// The commit to review [default: HEAD].
    #[arg(long, value_name = "REV")]
    commit: Option<String>,
    /// The pull request.
    #[arg(long, value_name = "URL")]
    pr: Option<String>,
    /// What the reviewer should beware of.
    #[arg(long, value_name = "TEXT")]
    caveat: Option<String>,
    /// Who is to review it [default: the task's reviewer, else whoever has time].
    #[arg(long, value_name = "NAME")]
    reviewer: Option<AgentName>,
    /// Run those checks, too, that have passed on the same files.
    #[arg(long)]
    again: bool,
    /// Run no checks; the submission says so.
    #[arg(long, conflicts_with = "again")]
    no_check: bool,
}

impl Submit {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let new = NewSubmission {
            summary: self.summary.clone(),
            evidence: by_number(&self.evidence)?,
            commit: self.commit.clone(),
            pr: self.pr.clone(),
            caveat: self.caveat.clone(),
            branch: None,
            reviewer: self.reviewer.clone(),
            checking: match (self.no_check, self.again) {
                (true, _) => Checking::Without,
                (false, true) => Checking::Again,
                (false, false) => Checking::AsNeeded,
            },
        };
        let context = session.context()?;
        interrupt::cancels(context.repo().runner().cancel()).map_err(|error| {
            CliError::failed("cannot wait for signals, which would leave checks behind")
                .caused_by(error)
        })?;
        let ui = &session.ui;
        let meter = Meter::new(ui.clone());
        let submitted = ops::submit(context, &self.id, &new, &|step| meter.see_check(&step));
        let task = submitted.map_err(|error| {
            view::results(ui, unsatisfied(&error));
            answer::on(&self.id)(error)
        })?;
        if ui.is_json() {
            ui.json(&session.task_json(&task));
            return Ok(());
        }
        if task.status == Status::Done {
            view::done(ui, "finished", &task);
        } else {
            view::done(ui, "submitted", &task);
            if let Some(reviewer) = &task.reviewer {
                ui.line(format!("{reviewer} is asked to review it"));
            }
            if let Some((_, submission)) = &task.submission {
                let published = ops::is_published(session.context()?, &task);
                print_range(session, submission, published);
                view::passing(ui, &task.checks_of_submission(), submission.no_check);
            }
        }
        session.hint_next();
        Ok(())
    }
}

/// Returns the checks that kept it from being submitted.
fn unsatisfied(error: &OpsError) -> &[CheckResult] {
    match error {
        OpsError::Refused(Refusal::CheckFailed { failed, .. }) => failed,
        OpsError::NotSubmitted { stopped, .. } => stopped,
        _ => &[],
    }
}

/// Says what is to be reviewed, and whether the reviewer can have it.
fn print_range(session: &Session, submission: &Submission, published: bool) {
    let ui = &session.ui;
    let short = |oid: &Option<String>| oid.as_deref().map(|oid| short_commit(oid).to_owned());
    if let (Some(base), Some(commit)) = (short(&submission.base), short(&submission.commit)) {
        let commits = match submission.commits {
            1 => "1 commit".to_owned(),
            count => format!("{count} commits"),
        };
        ui.line(format!("{commits}: git diff {base}...{commit}"));
    }
    if !submission.beneath.is_empty() {
        let below: Vec<&str> = submission.beneath.iter().map(TaskId::as_str).collect();
        ui.line(format!(
            "on top of {}, which must land first",
            below.join(", ")
        ));
    }
    if !published {
        ui.warn("the commit is not published yet; the next sync does that");
    }
}

fn by_number(given: &[(usize, String)]) -> Result<BTreeMap<usize, String>, CliError> {
    let mut evidence = BTreeMap::new();
    for (number, words) in given {
        if evidence.insert(*number, words.clone()).is_some() {
            return Err(CliError::usage(format!(
                "the evidence for criterion {number} is given twice"
            )));
        }
    }
    Ok(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_given_twice_is_no_choice_to_make() {
        let twice = [(1, "a".to_owned()), (1, "b".to_owned())];
        let error = by_number(&twice).unwrap_err();
        assert_eq!(
            error.message(),
            "the evidence for criterion 1 is given twice"
        );
    }
}
