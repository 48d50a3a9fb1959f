//! `reflectt ack`

use clap::Args;

use crate::answer::{AckJson, MessagesJson};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::model::message::MessagePrefix;
use crate::ops::{self, Acked, Which};

/// Mark messages as read.
///
/// The sender sees nothing of it; to answer, send a message.
#[derive(Debug, Args)]
pub struct AckArgs {
    /// The messages' ids, or their last four characters or more.
    #[arg(required_unless_present = "all", value_name = "ID")]
    ids: Vec<MessagePrefix>,
    /// All that `reflectt inbox` has shown you.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

impl AckArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let which = if self.all {
            Which::All
        } else {
            Which::These(self.ids.clone())
        };
        let acked = ops::ack(session.context()?, &which)?;
        if session.ui.is_json() {
            session.ui.json(&AckJson {
                messages: acked.messages.iter().collect::<MessagesJson>().messages,
                left: acked.left,
            });
        } else {
            session.ui.line(done(&acked, self.all));
        }
        Ok(())
    }
}

fn done(acked: &Acked, all: bool) -> String {
    let read = match acked.messages.len() {
        0 if acked.left > 0 => "nothing marked".to_owned(),
        0 => return "no unread messages".to_owned(),
        1 => "1 message marked as read".to_owned(),
        n => format!("{n} messages marked as read"),
    };
    match acked.left {
        0 => read,
        left if all => format!("{read}, {left} left that `reflectt inbox` has not shown you"),
        left => format!("{read}, {left} unread left"),
    }
}
