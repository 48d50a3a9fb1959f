//! `reflectt pause` and `reflectt resume`

use clap::Args;

use crate::answer::PausedJson;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::time::relative;
use crate::model::time::Span;
use crate::ops;

/// Let nobody claim anything, for a time or until `reflectt resume`.
///
/// Work in progress goes on.
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// Why, for everyone who asks.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// For how long, like `30m` or `2h`.
    #[arg(long = "for", value_name = "DURATION")]
    length: Option<Span>,
}

/// Let everybody claim again after a pause.
#[derive(Debug, Args)]
pub struct ResumeArgs {}

impl PauseArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let pause = ops::pause(session.context()?, &self.reason, self.length)?;
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&PausedJson {
                paused: Some((&pause).into()),
            });
            return Ok(());
        }
        match pause.until {
            Some(until) => ui.line(format!(
                "paused; claiming goes on {}",
                relative(pause.since.0, until.0)
            )),
            None => {
                ui.line("paused until further notice");
                ui.hint("reflectt resume");
            }
        }
        Ok(())
    }
}

impl ResumeArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let was_paused = ops::resume(session.context()?)?;
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&PausedJson { paused: None });
        } else if was_paused {
            ui.line("resumed: everybody may claim again");
        } else {
            ui.line("the team was not paused");
        }
        Ok(())
    }
}
