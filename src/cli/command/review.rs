//! `reflectt review`

use clap::{ArgGroup, Args};

use crate::answer::{self};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::view;
use crate::model::id::IdPrefix;
use crate::ops::{self, Verdict};

/// Review a submitted task: approve it, or ask for changes.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("verdict").required(true))]
#[command(after_help = "\
Examples:
  reflectt review k3f9 --approve
  reflectt review k3f9 --request-changes \"the query string is lost, see tests/login.rs\"
  reflectt review k3f9 --correct \"the fragment is lost, not the query string\"")]
pub struct Review {
    /// The task's id, or its first characters.
    id: IdPrefix,
    /// All criteria are met: the task is done.
    #[arg(long, group = "verdict")]
    approve: bool,
    /// What you would like to add.
    #[arg(long, value_name = "TEXT", requires = "approve")]
    note: Option<String>,
    /// What must change; the task goes back to its author.
    #[arg(long, value_name = "TEXT", group = "verdict")]
    request_changes: Option<String>,
    /// Replace what your last review of it says; the verdict stands.
    #[arg(long, value_name = "TEXT", group = "verdict")]
    correct: Option<String>,
}

impl Review {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let verdict = match (&self.request_changes, &self.correct) {
            (Some(note), _) => Verdict::RequestChanges { note: note.clone() },
            (None, Some(note)) => Verdict::Correct { note: note.clone() },
            (None, None) => Verdict::Approve {
                note: self.note.clone(),
            },
        };
        let task =
            ops::review(session.context()?, &self.id, &verdict).map_err(answer::on(&self.id))?;
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&session.task_json(&task));
            return Ok(());
        }
        match verdict {
            Verdict::Approve { .. } => view::done(ui, "approved", &task),
            Verdict::RequestChanges { .. } => {
                view::done(ui, "sent back", &task);
                if let Some(author) = &task.assignee {
                    ui.line(format!("{author} is asked for the changes"));
                }
            }
            Verdict::Correct { .. } => {
                view::done(ui, "corrected the review of", &task);
                if let Some(author) = &task.assignee {
                    ui.line(format!("{author} is told"));
                }
            }
        }
        Ok(())
    }
}
