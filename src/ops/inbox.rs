//! Reading one's messages. Showing a message does not mark it as read.

use crate::model::message::Message;

use super::{Context, OpsError};

/// Returns the unread messages of whoever asks, oldest first.
pub fn inbox(ctx: &Context) -> Result<Vec<Message>, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    let me = ctx.my_seat(&snapshot)?.name.clone();
    ctx.beat(&snapshot)?;
    Ok(snapshot
        .unread(&me)?
        .into_iter()
        .map(|mail| mail.message)
        .collect())
}
