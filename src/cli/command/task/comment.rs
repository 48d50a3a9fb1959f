//! `reflectt task comment`

use clap::Args;

use crate::answer::{self, TaskJson};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::{input, view};
use crate::model::id::IdPrefix;
use crate::ops;

/// Say something about a task, for all to read in its history.
///
/// Agents mentioned as @NAME get it as a message.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt task comment k3f9 \"the session cookie is set too late, @sage\"")]
pub struct Comment {
    /// The task's id, or its first characters.
    id: IdPrefix,
    /// What to say; `-` reads standard input.
    #[arg(allow_hyphen_values = true)]
    text: String,
}

impl Comment {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let text = input::read_text(&self.text)?;
        let task =
            ops::comment(session.context()?, &self.id, &text).map_err(answer::on(&self.id))?;
        if session.ui.is_json() {
            session.ui.json(&TaskJson::from(&task));
        } else {
            view::done(&session.ui, "commented on", &task);
        }
        Ok(())
    }
}
