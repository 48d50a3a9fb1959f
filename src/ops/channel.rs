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
