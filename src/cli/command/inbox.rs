//! `reflectt inbox`

use std::time::Duration;

use clap::Args;

use crate::cli::error::CliError;
use crate::cli::json::MessagesJson;
use crate::cli::session::Session;
use crate::model::message::Message;
use crate::model::time::Span;
use crate::ops;

use super::show_message::show_message;

/// Show your unread messages, oldest first.
///
/// Showing them changes nothing: `reflectt ack` marks them as read.
#[derive(Debug, Args)]
pub struct InboxArgs {
    /// Where there is none, wait for one, for at most this long, like `90s` or `10m`.
    #[arg(long, value_name = "DURATION")]
    wait: Option<Span>,
}

impl InboxArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let context = session.context()?;
        let messages = match self.wait {
            Some(limit) => ops::wait_for_mail(context, Duration::from(limit))?,
            None => ops::inbox(context)?,
        };
        print(session, &messages);
        Ok(())
    }
}

fn print(session: &Session, messages: &[Message]) {
    let ui = &session.ui;
    if ui.is_json() {
        ui.json(&messages.iter().collect::<MessagesJson>());
        return;
    }
    for (at, message) in messages.iter().enumerate() {
        if at > 0 {
            ui.line("");
        }
        show_message(ui, message);
    }
    match messages {
        [] => {
            ui.line("no unread messages");
            ui.hint("reflectt inbox --wait 10m (waits for one)");
        }
        [one] => ui.hint(format!("reflectt ack {} (marks it as read)", one.id)),
        [first, ..] => ui.hint(format!(
            "reflectt ack {}, or reflectt ack --all (marks them as read)",
            first.id
        )),
    }
}
