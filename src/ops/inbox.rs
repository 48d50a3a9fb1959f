//! Reading one's messages. Showing a message does not mark it as read; what was shown is noted, as
//! nothing else may be marked unnamed.

use crate::model::id::Stamp;
use crate::model::message::Message;

use super::{Context, OpsError};

/// Returns the unread messages of whoever asks, oldest first.
pub fn inbox(ctx: &Context) -> Result<Vec<Message>, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    let me = ctx.my_seat(&snapshot)?.name.clone();
    ctx.beat(&snapshot)?;
    let unread = snapshot.unread(&me)?.into_iter();
    Ok(unread.map(|mail| mail.message).collect())
}

/// Notes that whoever asks was shown these messages, each of them whole.
pub fn note_shown(ctx: &Context, messages: impl IntoIterator<Item = Stamp>) {
    if let Ok(me) = ctx.me() {
        // Forgotten, they are only shown again.
        ctx.store().note_messages_shown(me, messages).ok();
    }
}
