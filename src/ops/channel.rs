//! Reading a channel.

use crate::model::message::Message;
use crate::model::name::ChannelName;

use super::{Context, OpsError, find};

#[derive(Debug)]
pub struct ChannelView {
    pub channel: ChannelName,
    pub messages: Vec<Message>,
}

/// Returns the last `limit` messages of a channel, oldest first.
pub fn channel(ctx: &Context, name: &ChannelName, limit: usize) -> Result<ChannelView, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    ctx.beat(&snapshot)?;
    find::channel(&snapshot, name)?;
    Ok(ChannelView {
        channel: name.clone(),
        messages: snapshot.channel(name, limit)?,
    })
}

/// Returns the last `limit` messages of all channels together, oldest first.
pub fn channels(ctx: &Context, limit: usize) -> Result<Vec<Message>, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    ctx.beat(&snapshot)?;
    let mut found = Vec::new();
    for name in snapshot.channels()? {
        found.extend(snapshot.channel(&name, limit)?);
    }
    found.sort_by_key(|message| message.id);
    let surplus = found.len().saturating_sub(limit);
    Ok(found.split_off(surplus))
}
