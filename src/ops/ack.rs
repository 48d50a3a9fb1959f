//! Acknowledging messages: they move from unread to read.

use crate::model::id::Stamp;
use crate::model::message::{Message, MessagePrefix};

use super::tx::transact;
use super::{Context, OpsError, find};

#[derive(Debug, Clone)]
pub enum Which {
    /// All that whoever asks has been shown.
    All,
    These(Vec<MessagePrefix>),
}

#[derive(Debug)]
pub struct Acked {
    pub messages: Vec<Message>,
    /// How many are left unread.
    pub left: usize,
}

/// Marks messages as read; all those named, or none if one is not there.
pub fn ack(ctx: &Context, which: &Which) -> Result<Acked, OpsError> {
    transact(ctx, |tx| {
        let unread = tx.snapshot.unread(&tx.me)?;
        let total = unread.len();
        let chosen = match which {
            Which::All => {
                let is_shown = tx.ctx.store().is_message_shown(&tx.me);
                let unread = unread.into_iter();
                unread.filter(|mail| is_shown(mail.message.id)).collect()
            }
            Which::These(prefixes) => {
                let mut chosen: Vec<crate::store::Mail> = Vec::new();
                for prefix in prefixes {
                    let mut found = unread.iter().filter(|mail| prefix.matches(mail.message.id));
                    match (found.next(), found.next()) {
                        (Some(mail), None) => {
                            if chosen
                                .iter()
                                .all(|other| other.message.id != mail.message.id)
                            {
                                chosen.push(mail.clone());
                            }
                        }
                        (Some(_), Some(_)) => {
                            return Err(OpsError::Usage(format!(
                                "`{}` stands for several messages; give more of the id",
                                prefix.as_str()
                            )));
                        }
                        (None, _) => {
                            let known: Vec<Stamp> =
                                unread.iter().map(|mail| mail.message.id).collect();
                            return Err(find::missing("unread message", prefix.as_str(), known));
                        }
                    }
                }
                chosen
            }
        };
        let messages: Vec<Message> = chosen.iter().map(|mail| mail.message.clone()).collect();
        tx.subject(format!("read {}", plural(messages.len())));
        let me = tx.me.clone();
        tx.changes()
            .read
            .extend(chosen.into_iter().map(|mail| (me.clone(), mail)));
        Ok(Acked {
            left: total - messages.len(),
            messages,
        })
    })
}

fn plural(count: usize) -> String {
    if count == 1 {
        "1 message".to_owned()
    } else {
        format!("{count} messages")
    }
}
