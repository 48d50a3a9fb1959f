//! `reflectt review`

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use crate::answer::{self, InspectionJson};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::view;
use crate::model::id::IdPrefix;
use crate::model::task::{Status, Task};
use crate::ops::{self, Verdict};

/// Review a submitted task: see what there is to judge, approve it, or ask for changes.
///
/// Without a verdict, shows the commits that are its own, the evidence for each criterion, which
/// checks ran on it, and what has to land before it. An approval is of the submission that you were shown last.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("verdict"))]
#[command(after_help = "\
Examples:
  reflectt review k3f9
  reflectt review k3f9 --checkout
  reflectt review k3f9 --approve
  reflectt review k3f9 --request-changes \"the query string is lost, see tests/login.rs\"
  reflectt review k3f9 --correct \"the fragment is lost, not the query string\"")]
pub struct Review {
    /// The task's id, or its first characters.
    id: IdPrefix,
    /// All criteria are met: the task is done once it has landed.
    #[arg(long, group = "verdict")]
    approve: bool,
    /// The commit that you approve [default: what you were shown last].
    #[arg(long, value_name = "REV", requires = "approve")]
    commit: Option<String>,
    /// What you would like to add.
    #[arg(long, value_name = "TEXT", requires = "approve")]
    note: Option<String>,
    /// What must change; the task goes back to its author.
    #[arg(long, value_name = "TEXT", group = "verdict")]
    request_changes: Option<String>,
    /// Replace what your last review of it says; the verdict stands.
    #[arg(long, value_name = "TEXT", group = "verdict")]
    correct: Option<String>,
    /// Make a worktree of the submission, in which you are who you are here; the verdict removes
    /// it.
    #[arg(long, value_name = "DIR", num_args = 0..=1, conflicts_with = "verdict")]
    checkout: Option<Option<PathBuf>>,
}

impl Review {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let context = session.context()?;
        let on = answer::on(&self.id);
        let verdict = match (&self.request_changes, &self.correct) {
            (Some(note), _) => Verdict::RequestChanges { note: note.clone() },
            (None, Some(note)) => Verdict::Correct { note: note.clone() },
            (None, None) if self.approve => {
                let (note, commit) = (self.note.clone(), self.commit.as_deref());
                let task = ops::approve(context, &self.id, note, commit).map_err(on)?;
                session.print_task(&task, || approved(session, &task));
                return Ok(());
            }
            (None, None) => return self.show(session),
        };
        let task = ops::review(context, &self.id, &verdict).map_err(on)?;
        session.print_task(&task, || {
            let author = task.assignee.as_ref();
            let author = author.map(ToString::to_string).unwrap_or_default();
            let ui = &session.ui;
            match verdict {
                Verdict::Correct { .. } => {
                    view::done(ui, "corrected the review of", &task);
                    ui.line(format!("{author} is told"));
                }
                _ => {
                    view::done(ui, "sent back", &task);
                    ui.line(format!("{author} is asked for the changes"));
                    session.hint_next();
                }
            }
        });
        Ok(())
    }

    fn show(&self, session: &Session) -> Result<(), CliError> {
        let context = session.context()?;
        let mut found = ops::inspect(context, &self.id).map_err(answer::on(&self.id))?;
        if let Some(directory) = &self.checkout {
            let directory = directory.as_ref().map(|it| session.directory().join(it));
            let made = ops::check_out(context, &mut found, directory.as_deref());
            made.map_err(answer::on(&self.id))?;
        }
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&InspectionJson::from(&found));
            return Ok(());
        }
        view::inspection::print(ui, &found);
        let id = found.task.id;
        if found.task.status == Status::Validating && !found.task.waits_to_land() {
            ui.hint(format!("reflectt review {id} --approve"));
            ui.hint(format!("reflectt review {id} --request-changes TEXT"));
        }
        Ok(())
    }
}

fn approved(session: &Session, task: &Task) {
    let ui = &session.ui;
    view::done(ui, "approved", task);
    if task.waits_to_land() {
        ui.line("it is done when it has landed");
    }
    session.hint_next();
}
