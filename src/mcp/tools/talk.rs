//! Tools for messages, questions and what was learned.

use serde_json::json;

use crate::answer::{AckJson, Cut, Fault, MessageJson, MessagesJson, ReflectionJson, of, on};
use crate::model::advice::Call as Next;
use crate::model::id::IdPrefix;
use crate::model::message::Message;
use crate::ops::{self, Blocking, NewMessage, NewReflection, Recipient, Which};

use super::{Answer, Call, moved};
use crate::mcp::words;

/// How many messages are read at once.
const READ: usize = 10;
/// How much of each is shown, in characters.
const BODY: usize = 1_500;

pub fn message(call: &Call) -> Result<Answer, Fault> {
    let args = &call.args;
    let acks = args.is_on("ack_all") || !args.texts("ack").is_empty();
    match (args.text("text"), acks) {
        (Some(_), true) => Err(Fault::usage(
            "sending and marking as read are one call each",
        )),
        (Some(text), false) => send(call, text),
        (None, true) => ack(call),
        (None, false) if !args.texts("to").is_empty() => Err(Fault::usage("`to` needs `text`")),
        (None, false) => read(call),
    }
}

fn read(call: &Call) -> Result<Answer, Fault> {
    let messages = ops::inbox(call.ctx).map_err(of)?;
    let listed = &messages[..messages.len().min(READ)];
    let is_whole = |message: &&Message| message.body.chars().count() <= BODY;
    let whole = listed.iter().filter(is_whole).map(|message| message.id);
    ops::note_shown(call.ctx, whole);
    let mut value = json!(messages.iter().collect::<MessagesJson>());
    for (json, message) in value["messages"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .zip(listed)
    {
        json["hints"] = message.advice().iter().map(words::advice).collect();
        json["to"] = serde_json::Value::Null;
    }
    if messages.is_empty() {
        return Ok(Answer::new(value).cut(Cut {
            whole: &["messages"],
            ..Cut::default()
        }));
    }
    let answer = Answer::new(value).cut(Cut {
        text: BODY,
        list: READ,
        ..Cut::default()
    });
    let left = messages.len() - listed.len();
    let ack = Next::to("ack").flag("all");
    let answer = answer.hint(match left {
        0 => ack.so("marks as read what you were shown"),
        left => ack.so(format!("then read the other {left}")),
    });
    Ok(match listed.iter().all(|message| is_whole(&message)) {
        true => answer,
        false => answer.hint("reflectt inbox --all (in a shell; shows long ones whole)"),
    })
}

fn send(call: &Call, text: &str) -> Result<Answer, Fault> {
    let to: Vec<Recipient> = call.args.all("to")?;
    if to.is_empty() {
        return Err(Fault::usage("`text` needs `to`: agents, or #channel"));
    }
    let new = NewMessage {
        to,
        body: text.to_owned(),
        task: call.args.parsed("task")?,
        reply_to: None,
        urgent: call.args.is_on("urgent"),
    };
    let sent = ops::send(call.ctx, &new).map_err(of)?;
    let mut value = json!(MessageJson::from(&sent));
    for known in ["body", "hints", "from", "notice"] {
        value[known] = serde_json::Value::Null;
    }
    Ok(Answer::new(value))
}

fn ack(call: &Call) -> Result<Answer, Fault> {
    let which = match call.args.is_on("ack_all") {
        true => Which::All,
        false => Which::These(call.args.all("ack")?),
    };
    let acked = ops::ack(call.ctx, &which).map_err(of)?;
    let mut value = json!(AckJson {
        messages: Vec::new(),
        left: acked.left,
    });
    value["acknowledged"] = acked.messages.len().into();
    let answer = Answer::new(value);
    Ok(match acked.left {
        0 => answer,
        _ => answer.hint(Next::to("inbox").so("reads the others")),
    })
}

/// Asks a person, which is a block that a person takes away.
pub fn ask(call: &Call) -> Result<Answer, Fault> {
    let id: IdPrefix = (call.args.parsed("task")?)
        .ok_or_else(|| Fault::usage("`task` is the id of the task that waits for the answer"))?;
    let blocking = Blocking {
        reason: call.args.whole("text"),
        on: None,
        needs_human: true,
    };
    let task = ops::block(call.ctx, &id, &blocking).map_err(on(&id))?;
    Ok(moved(call.ctx, &task).and_next(call.ctx))
}

pub fn reflect(call: &Call) -> Result<Answer, Fault> {
    let args = &call.args;
    let new = NewReflection {
        task: args.parsed("task")?,
        worked: args.whole("worked"),
        pain: args.whole("pain"),
        change: args.whole("change"),
        severity: args.parsed("severity")?.unwrap_or_default(),
        tags: args.all("tags")?,
    };
    let reflection = ops::reflect(call.ctx, &new).map_err(of)?;
    Ok(Answer::new(ReflectionJson::from(&reflection)).cut(Cut {
        text: 80,
        ..Cut::default()
    }))
}
