//! `reflectt guide`

use clap::Args;

use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::setup::GUIDE;

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
