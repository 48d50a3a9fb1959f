//! `reflectt channel`

use std::num::NonZeroUsize;

use clap::Args;

use crate::answer::MessagesJson;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::model::name::{ChannelName, NameError};
use crate::ops;

use super::show_message::show_message;

/// Show the last messages of a channel, oldest first.
#[derive(Debug, Args)]
pub struct ChannelArgs {
    /// The channel, with or without its `#`; every team has `general`.
    #[arg(value_parser = channel)]
    name: ChannelName,
    /// How many messages.
    #[arg(long, value_name = "N", default_value = "20")]
    limit: NonZeroUsize,
}

fn channel(text: &str) -> Result<ChannelName, NameError> {
    text.strip_prefix('#').unwrap_or(text).parse()
}

impl ChannelArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let ui = &session.ui;
        let view = ops::channel(session.context()?, &self.name, self.limit.get())?;
        if ui.is_json() {
            ui.json(&view.messages.iter().collect::<MessagesJson>());
            return Ok(());
        }
        for (at, message) in view.messages.iter().enumerate() {
            if at > 0 {
                ui.line("");
            }
            show_message(ui, message);
        }
        if view.messages.is_empty() {
            ui.line(format!("nothing was said in #{} yet", view.channel));
            ui.hint(format!("reflectt send '#{}' TEXT", view.channel));
        }
        Ok(())
    }
}
