//! Reading one's messages. Showing a message does not mark it as read; what was shown is noted, as
//! nothing else may be marked unnamed.

use crate::model::id::Stamp;
use crate::model::message::Message;
use crate::model::name::AgentName;

use super::{Context, OpsError};

/// Returns the unread messages of whoever asks, oldest first, and notes nothing as shown: for
/// whoever shows only the beginning of each. `None` if they are not on the team.
///
/// Reads as little as that takes. Counts as a sign of life.
pub fn glance_at_mail(ctx: &Context) -> Result<Option<Vec<Message>>, OpsError> {
    let me = ctx.me()?;
    let snapshot = ctx.store().snapshot()?;
    let log = snapshot.agent_log(me)?;
    if log.and_then(|log| log.fold()).is_none() {
        return Ok(None);
    }
    drop(ctx.presence().beat(me, ctx.now(), None));
    ctx.note_place(me);
    let unread = snapshot.unread(me)?.into_iter();
    Ok(Some(unread.map(|mail| mail.message).collect()))
}

/// Returns the unread messages of an agent, oldest first: for a screen, which may stand open
/// while nobody looks, and so is no sign of life. `None` if it is not on the team.
pub fn unread_of(ctx: &Context, name: &AgentName) -> Result<Option<Vec<Message>>, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    if !snapshot.agents()?.contains_key(name) {
        return Ok(None);
    }
    let unread = snapshot.unread(name)?.into_iter();
    Ok(Some(unread.map(|mail| mail.message).collect()))
}

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
