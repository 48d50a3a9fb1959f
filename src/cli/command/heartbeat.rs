//! `reflectt heartbeat`

use clap::Args;

use crate::answer::AgentsJson;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::ops;

/// Show that you are alive, and what you are doing.
///
/// Every command does, so this is for long work in between. Exits with 7 if a claim of yours is
/// lost and you have not yet marked the message about it as read.
#[derive(Debug, Args)]
pub struct HeartbeatArgs {
    /// What you are doing, for others to see; it stays until the next one.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl HeartbeatArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let seat = ops::heartbeat(session.context()?, self.note.as_deref())?;
        if session.ui.is_json() {
            session
                .ui
                .json(&[&seat].into_iter().collect::<AgentsJson>());
        } else {
            session
                .ui
                .line(format!("{} is {}", seat.agent.name, seat.liveness));
        }
        Ok(())
    }
}
