//! `reflectt inbox`

use std::time::Duration;

use clap::Args;

use crate::answer::MessagesJson;
use crate::cli::error::{CliError, Kind};
use crate::cli::session::Session;
use crate::cli::text::Text;
use crate::model::id::Stamp;
use crate::model::message::Message;
use crate::model::time::Span;
use crate::ops;

use super::show_message::{show_beginning, show_message};

/// Show your unread messages, oldest first.
///
/// Showing them changes nothing: `reflectt ack` marks them as read. Many or long ones are cut,
/// which is said; `--all` shows them whole, as `--json` does.
#[derive(Debug, Args)]
pub struct InboxArgs {
    /// Where there is none, wait for one, for at most this long, like `90s` or `10m`; exits with 5
    /// if none came.
    #[arg(long, value_name = "DURATION")]
    wait: Option<Span>,
    /// Show all of them, and the whole of each.
    #[arg(long)]
    all: bool,
}

/// How many messages are shown.
const MESSAGES_SHOWN: usize = 10;
/// How many lines of a message are shown.
const LINES_SHOWN: usize = 30;
/// How much of a message is shown, in characters.
const TEXT_SHOWN: usize = 2_000;

impl InboxArgs {
    /// Returns the exit code: that nothing came is an answer, with a code of its own.
    pub fn run(&self, session: &Session) -> Result<u8, CliError> {
        let context = session.context()?;
        let messages = match self.wait {
            Some(limit) => ops::wait_for_mail(context, Duration::from(limit))?,
            None => ops::inbox(context)?,
        };
        let shown = self.print(session, &messages);
        ops::note_shown(context, shown);
        Ok(match self.wait {
            Some(_) if messages.is_empty() => Kind::Nothing.exit_code(),
            _ => 0,
        })
    }

    /// Returns which messages were shown whole.
    fn print(&self, session: &Session, messages: &[Message]) -> Vec<Stamp> {
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&messages.iter().collect::<MessagesJson>());
            return messages.iter().map(|message| message.id).collect();
        }
        let shown = match self.all {
            true => messages,
            false => &messages[..messages.len().min(MESSAGES_SHOWN)],
        };
        let mut whole = Vec::new();
        for (at, message) in shown.iter().enumerate() {
            if at > 0 {
                ui.line("");
            }
            let is_whole = match self.all {
                true => {
                    show_message(ui, message);
                    true
                }
                false => show_beginning(ui, message, LINES_SHOWN, TEXT_SHOWN),
            };
            whole.extend(is_whole.then_some(message.id));
        }
        let left = messages.len() - shown.len();
        if left > 0 {
            ui.line("");
            let urgent = messages[shown.len()..].iter().filter(|m| m.urgent).count();
            let urgent = match urgent {
                0 => String::new(),
                some => format!(" ({some} urgent)"),
            };
            ui.line(Text::new().dim(format!("and {left} more{urgent}: reflectt inbox --all")));
        }
        match messages {
            [] => {
                ui.line("no unread messages");
                ui.hint("reflectt inbox --wait 10m (waits for one)");
            }
            [one] => ui.hint(format!("reflectt ack {} (marks it as read)", one.id)),
            // Nobody is to mark as read what was not shown.
            [first, ..] if whole.len() < messages.len() => ui.hint(format!(
                "reflectt ack {} … (marks as read what you have read)",
                first.id
            )),
            [first, ..] => ui.hint(format!(
                "reflectt ack {}, or reflectt ack --all (marks them as read)",
                first.id
            )),
        }
        whole
    }
}
