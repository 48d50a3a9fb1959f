//! A message's file.

use crate::model::extra::Extra;
use crate::model::message::Message;

use super::field;
use super::reader::Reader;
use super::value::quote;
use super::writer::Writer;
use super::{AT, FormatError};

/// Reads a message's file.
///
/// A notice of a later version only tells programs what the body tells people, so it must not
/// keep the message from being read: it is kept among the unknown keys.
pub fn parse_message(bytes: &[u8]) -> Result<Message, FormatError> {
    let mut file = Reader::open(bytes)?;
    file.skip(&[AT]);
    let notice = file.opt("notice", |value| field::string(value).map(str::to_owned))?;
    let mut message = Message {
        id: file.need("id", field::parsed)?,
        from: file.need("from", field::author)?,
        to: file
            .opt("to", field::list(field::parsed))?
            .unwrap_or_default(),
        channel: file.opt("channel", field::parsed)?,
        task: file.opt("task", field::parsed)?,
        reply_to: file.opt("reply_to", field::parsed)?,
        urgent: file.opt("urgent", field::flag)?.unwrap_or_default(),
        notice: notice.as_deref().and_then(|notice| notice.parse().ok()),
        body: file.need("body", field::body)?,
        extra: Extra::default(),
    };
    message.extra = file.extra()?;
    if let (Some(notice), None) = (notice, message.notice) {
        let mut toml = String::new();
        quote(&mut toml, &notice);
        message.extra.insert("notice".to_owned(), toml);
    }
    Ok(message)
}

/// Prints a message.
pub fn print_message(message: &Message) -> String {
    let mut out = Writer::new();
    out.stamp(message.id);
    out.word("from", &message.from);
    out.list("to", &message.to);
    out.opt_word("channel", message.channel.as_ref());
    out.opt_word("task", message.task);
    out.opt_word("reply_to", message.reply_to);
    out.flag("urgent", message.urgent);
    out.opt_word("notice", message.notice);
    out.text("body", &message.body);
    out.extra(&message.extra);
    out.finish()
}
