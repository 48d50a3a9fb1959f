//! `reflectt guide`

use clap::Args;

use crate::cli::error::CliError;
use crate::cli::session::Session;

/// What a coding agent has to know, as it goes into a repository's `AGENTS.md`.
const GUIDE: &str = include_str!("../../../templates/AGENTS.md");

/// Print instructions for coding agents, to be added to the repository's AGENTS.md.
#[derive(Debug, Args)]
pub struct GuideArgs {}

impl GuideArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        if session.ui.is_json() {
            session.ui.json(&serde_json::json!({ "guide": GUIDE }));
        } else {
            session.ui.data(GUIDE);
        }
        Ok(())
    }
}
