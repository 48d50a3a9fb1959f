//! `reflectt send`

use clap::Args;

use crate::answer::MessageJson;
use crate::cli::error::CliError;
use crate::cli::input::read_text;
use crate::cli::session::Session;
use crate::cli::text::Text;
use crate::model::id::{IdPrefix, Stamp};
use crate::model::message::Message;
use crate::model::name::AgentName;
use crate::ops::{self, NewMessage, Recipient};

/// Send a message to agents, or to a channel.
///
/// It is in every inbox when the command returns. Whoever is mentioned in a channel, as @NAME,
/// finds it in the inbox too.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// Agents, or one #CHANNEL.
    #[arg(required = true, value_name = "TO")]
    to: Vec<Recipient>,
    /// The message, up to 64 KiB; `-` reads standard input.
    #[arg(required = true)]
    text: String,
    /// The task it is about.
    #[arg(long, value_name = "ID")]
    task: Option<IdPrefix>,
    /// The message it answers, by its whole id.
    #[arg(long, value_name = "ID")]
    reply_to: Option<Stamp>,
    /// Have it read before all else.
    #[arg(long)]
    urgent: bool,
}

impl SendArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let context = session.context()?;
        let message = ops::send(
            context,
            &NewMessage {
                to: self.to.clone(),
                body: read_text(&self.text)?,
                task: self.task.clone(),
                reply_to: self.reply_to,
                urgent: self.urgent,
            },
        )?;
        if session.ui.is_json() {
            session.ui.json(&MessageJson::from(&message));
        } else {
            session.ui.line(sent(&message));
        }
        Ok(())
    }
}

fn sent(message: &Message) -> Text {
    let names: Vec<&str> = message.to.iter().map(AgentName::as_str).collect();
    let names = names.join(", ");
    let to = match &message.channel {
        Some(channel) if names.is_empty() => {
            format!("to #{channel}; nobody's inbox, as nobody on the team is mentioned")
        }
        Some(channel) => format!("to #{channel} and {names}"),
        None => format!("to {names}"),
    };
    Text::from("sent ")
        .bold(message.id.to_string())
        .plain(format!(" {to}"))
}
