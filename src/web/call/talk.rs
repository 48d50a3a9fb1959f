//! Messages of channels, and sending them.

use serde_json::{Value, json};

use crate::model::message::Message;
use crate::model::name::ChannelName;
use crate::model::settings::GENERAL;
use crate::ops::{self, NewMessage, OpsError, Recipient};

use super::{Call, Reply};
use crate::web::problem::Problem;
use crate::web::shape;

/// How many messages are shown where that is not said, and at most.
const SHOWN: (usize, usize) = (50, 200);
/// How many are looked through for those that are wanted.
const LOOKED_AT: usize = 2_000;

fn channel(text: &str) -> Result<ChannelName, Problem> {
    let name = text.strip_prefix('#').unwrap_or(text).parse();
    name.map_err(|error| Problem::from(OpsError::Name(error)))
}

pub fn messages(call: &Call) -> Result<Reply, Problem> {
    let query = &call.received.query;
    let limit = query.limit(SHOWN.0, SHOWN.1)?;
    let after: Option<i64> = match query.parsed("since")? {
        Some(since) => Some(since),
        None => query.parsed("after")?,
    };
    let before: Option<i64> = query.parsed("before")?;
    let (from, to, except) = (
        query.get("from"),
        query.get("to"),
        query.get("exclude_from"),
    );
    let found = match query.get("channel").map(channel).transpose()? {
        Some(name) => ops::channel(call.ctx, &name, LOOKED_AT)?.messages,
        None => ops::channels(call.ctx, LOOKED_AT)?,
    };
    let fits = |message: &&Message| {
        let at = message.id.at().0;
        after.is_none_or(|after| at > after)
            && before.is_none_or(|before| at < before)
            && from.is_none_or(|name| message.from.as_str() == name)
            && except.is_none_or(|name| message.from.as_str() != name)
            && to.is_none_or(|name| message.to.iter().any(|it| it.as_str() == name))
    };
    let compact = query.is_on("compact");
    let fitting: Vec<&Message> = found.iter().filter(fits).collect();
    // Whoever goes on from a time wants the first after it; anybody else the last.
    let skipped = match after {
        Some(_) => 0,
        None => fitting.len().saturating_sub(limit),
    };
    let shown = fitting.iter().skip(skipped).take(limit);
    let shown: Vec<Value> = shown
        .map(|message| shape::message(message, compact))
        .collect();
    Ok(Reply::json(json!({"messages": shown})))
}

pub fn send(call: &Call) -> Result<Reply, Problem> {
    let args = &call.received.args;
    let mut to: Vec<Recipient> = args.all("to")?;
    if to.is_empty() || args.text("channel").is_some() {
        let name = args.text("channel").unwrap_or(GENERAL);
        to.push(Recipient::Channel(channel(name)?));
    }
    let new = NewMessage {
        to,
        body: args.whole("content"),
        task: args.parsed("task")?,
        reply_to: args.parsed("reply_to")?,
        urgent: args.is_on("urgent"),
    };
    let sent = ops::send(call.ctx, &new)?;
    let sent = shape::message(&sent, false);
    Ok(Reply::json(json!({"success": true, "message": sent})))
}
