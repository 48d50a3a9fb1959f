//! `reflectt reopen`

use clap::Args;

use crate::answer::{self};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::view;
use crate::model::id::IdPrefix;
use crate::ops;

/// Open a task again that was done or cancelled.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt reopen k3f9 --reason \"it fails again with Safari 19\"")]
pub struct Reopen {
    /// The task's id, or its first characters.
    id: IdPrefix,
    /// Why it is needed again.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Reopen {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let task = ops::reopen(session.context()?, &self.id, &self.reason)
            .map_err(answer::on(&self.id))?;
        if session.ui.is_json() {
            session.ui.json(&session.task_json(&task));
        } else {
            view::done(&session.ui, "reopened", &task);
        }
        Ok(())
    }
}
