//! Messages as JSON.

use serde::Serialize;

use crate::format::rfc3339;
use crate::model::message::{Message, Notice};

use super::{command_line, text, texts};

#[derive(Debug, Serialize)]
pub struct MessageJson {
    pub id: String,
    pub from: String,
    /// The agents whose inboxes it is in.
    pub to: Vec<String>,
    pub channel: Option<String>,
    pub task: Option<String>,
    pub reply_to: Option<String>,
    pub at: String,
    pub urgent: bool,
    /// What happened, for a message that reflectt itself caused.
    pub notice: Option<&'static str>,
    pub body: String,
    /// What to do next, as command lines.
    pub hints: Vec<String>,
}

/// A list of messages, oldest first.
#[derive(Debug, Serialize)]
pub struct MessagesJson {
    pub messages: Vec<MessageJson>,
}

impl From<&Message> for MessageJson {
    fn from(message: &Message) -> MessageJson {
        MessageJson {
            id: message.id.to_string(),
            from: message.from.to_string(),
            to: texts(&message.to),
            channel: text(message.channel.as_ref()),
            task: text(message.task.as_ref()),
            reply_to: text(message.reply_to.as_ref()),
            at: rfc3339(message.id.at()),
            urgent: message.urgent,
            notice: message.notice.map(Notice::as_str),
            body: message.body.clone(),
            hints: message.advice().iter().map(command_line).collect(),
        }
    }
}

impl<'m> FromIterator<&'m Message> for MessagesJson {
    fn from_iter<I: IntoIterator<Item = &'m Message>>(messages: I) -> MessagesJson {
        MessagesJson {
            messages: messages.into_iter().map(MessageJson::from).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct AckJson {
    pub messages: Vec<MessageJson>,
    /// How many are left unread.
    pub left: usize,
}
