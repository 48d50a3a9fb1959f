//! `reflectt submit`

use std::collections::BTreeMap;

use clap::Args;

use crate::answer::{self};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::{criterion, view};
use crate::model::id::{IdPrefix, TaskId};
use crate::model::name::AgentName;
use crate::model::task::{Status, Submission};
use crate::model::text::short_commit;
use crate::ops::{self, NewSubmission};

/// Submit a finished task for review.
///
/// Show for each criterion, by its number, how you know that it is met.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt submit k3f9 --summary \"the path survives the redirect\" \\
    --evidence 1=\"tests/login.rs::returns_to_app passes\"")]
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
        };
        let task = ops::submit(session.context()?, &self.id, &new).map_err(answer::on(&self.id))?;
        let ui = &session.ui;
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
            }
        }
        ui.hint("reflectt next --claim");
        Ok(())
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
