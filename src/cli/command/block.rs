//! `reflectt block`

use clap::Args;

use crate::answer::{self};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::view;
use crate::model::id::IdPrefix;
use crate::ops::{self, Blocking};

/// Say that a task you hold cannot go on.
///
/// You keep it and may take another meanwhile.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt block k3f9 --reason \"needs the new session table\" --on a7d2")]
pub struct Block {
    /// The task's id, or its first characters.
    id: IdPrefix,
    /// Why it cannot go on.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The task it waits on; you are told when that is done.
    #[arg(long, value_name = "ID")]
    on: Option<IdPrefix>,
    /// Ask a person for help.
    #[arg(long)]
    needs_human: bool,
}

impl Block {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let blocking = Blocking {
            reason: self.reason.clone(),
            on: self.on.clone(),
            needs_human: self.needs_human,
        };
        let task =
            ops::block(session.context()?, &self.id, &blocking).map_err(answer::on(&self.id))?;
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&session.task_json(&task));
            return Ok(());
        }
        view::done(ui, "blocked", &task);
        ui.hint(format!("reflectt unblock {} (when it can go on)", task.id));
        ui.hint("reflectt next --claim --branch (other work meanwhile)");
        Ok(())
    }
}
