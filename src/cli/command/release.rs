//! `reflectt release`

use clap::Args;

use crate::answer::{self, ReleasedJson};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::view;
use crate::model::id::IdPrefix;
use crate::ops;

/// Give a task back, or paths that you claimed without one.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt release k3f9 --note \"the failing test is on the branch; the fix is not\"")]
pub struct Release {
    /// The id of the task or the claim, or its first characters.
    id: IdPrefix,
    /// What the next agent should know; kept with the task.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Release {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let released = ops::release(session.context()?, &self.id, self.note.as_deref())
            .map_err(answer::on(&self.id))?;
        let ui = &session.ui;
        match &released.task {
            Some(task) if ui.is_json() => ui.json(&session.task_json(task)),
            None if ui.is_json() => ui.json(&ReleasedJson {
                id: released.id.to_string(),
                task: None,
            }),
            Some(task) => {
                view::done(ui, "released", task);
                if self.note.is_none() && task.branch.is_some() {
                    ui.hint(format!(
                        "reflectt task comment {} TEXT (tells the next agent how far you got)",
                        task.id
                    ));
                }
            }
            None => ui.line(format!("released {}", released.id)),
        }
        Ok(())
    }
}
