//! `reflectt cancel`

use clap::Args;

use crate::answer::{self};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::view;
use crate::model::id::IdPrefix;
use crate::ops;

/// Give a task up, for good.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt cancel k3f9 --reason \"the old login page is gone\"")]
pub struct Cancel {
    /// The task's id, or its first characters.
    id: IdPrefix,
    /// Why it is not needed.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Cancel {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let done = ops::cancel(session.context()?, &self.id, &self.reason)
            .map_err(answer::on(&self.id))?;
        let (ui, task) = (&session.ui, &done.task);
        if ui.is_json() {
            ui.json(&session.task_json(task));
            return Ok(());
        }
        view::done(ui, "cancelled", task);
        for other in &done.waiting {
            ui.warn(format!("`{other}` waits for it and cannot start"));
            ui.hint(format!(
                "reflectt task edit {other} --drop-after {}",
                task.id
            ));
        }
        Ok(())
    }
}
