//! `reflectt handoff`

use clap::Args;

use crate::answer::{self};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::view;
use crate::model::id::IdPrefix;
use crate::model::name::AgentName;
use crate::ops;

/// Give a task you hold to another agent.
///
/// It holds the task at once if it has a free slot; else the task is reserved for it.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt handoff k3f9 --to sage --note \"done but for the Safari case, see the branch\"")]
pub struct Handoff {
    /// The task's id, or its first characters.
    id: IdPrefix,
    /// Who gets it.
    #[arg(long, value_name = "NAME")]
    to: AgentName,
    /// What they should know.
    #[arg(long, value_name = "TEXT")]
    note: String,
}

impl Handoff {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let done = ops::handoff(session.context()?, &self.id, &self.to, &self.note)
            .map_err(answer::on(&self.id))?;
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&session.task_json(&done.task));
            return Ok(());
        }
        view::done(ui, "handed off", &done.task);
        if done.holds {
            ui.line(format!("{} holds it now", self.to));
        } else {
            ui.line(format!(
                "{0} cannot hold it now; it is reserved for {0}",
                self.to
            ));
        }
        session.hint_next();
        Ok(())
    }
}
