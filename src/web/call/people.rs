//! Who is here, where they stand, and what they were sent.

use serde_json::{Value, json};

use crate::answer::{PauseJson, StatusJson, TaskJson, sentence};
use crate::model::message::{Message, MessagePrefix};
use crate::model::task::{Status, Task};
use crate::ops::{self, Action, Which};

use super::{Call, Reply};
use crate::web::problem::Problem;
use crate::web::{shape, words};

/// How many messages are shown where that is not said, and at most.
const SHOWN: (usize, usize) = (30, 100);
/// How much of a message is told to whoever asks where they stand, in characters.
const EXCERPT: usize = 200;
/// How many messages they are told of.
const TOLD: usize = 10;

pub fn presence(call: &Call) -> Result<Reply, Problem> {
    let seats = ops::who(call.ctx)?;
    let now = call.ctx.now();
    Ok(Reply::json(json!({
        "agents": seats.iter().map(|seat| shape::agent(seat, now)).collect::<Vec<_>>(),
        "presences": seats.iter().map(shape::presence).collect::<Vec<_>>(),
    })))
}

pub fn beat(call: &Call) -> Result<Reply, Problem> {
    let args = &call.received.args;
    let status = args.text("status").filter(|status| *status != "working");
    if status == Some("offline") {
        return Err(Problem::bad(
            "a heartbeat says that an agent is there; who is silent is offline by itself",
        ));
    }
    let note = match (args.owned("note"), status, args.text("task")) {
        (Some(note), ..) => Some(note),
        (None, None, Some(task)) => Some(task.to_owned()),
        (None, Some(status), Some(task)) => Some(format!("{status}: {task}")),
        (None, Some(status), None) => Some(status.to_owned()),
        (None, None, None) => None,
    };
    let seat = ops::heartbeat(call.ctx, note.as_deref())?;
    let mut shown = shape::presence(&seat);
    if let Some(said) = args.text("status") {
        shown["status"] = json!(said);
    }
    call.feed.tell_presence(shown.clone());
    Ok(Reply::json(json!({
        "success": true,
        "presence": shown,
        "agents": [shape::agent(&seat, call.ctx.now())],
    })))
}

pub fn heartbeat(call: &Call) -> Result<Reply, Problem> {
    let status = ops::status(call.ctx)?;
    let brief = |task: &Task| {
        let mut value = shape::task(TaskJson::from(task), task, true);
        let told = ["id", "title", "status", "priority", "paths", "branch"];
        if let Some(fields) = value.as_object_mut() {
            fields.retain(|name, _| told.contains(&name.as_str()));
        }
        value
    };
    let doing = status
        .active
        .iter()
        .find(|task| task.status == Status::Doing);
    let inbox = status.inbox.iter().take(TOLD).map(|message| {
        let mut value = shape::message(message, true);
        value["content"] = json!(message.body.chars().take(EXCERPT).collect::<String>());
        value["p"] = json!(shape::priority(message));
        value
    });
    let mut stand = json!(StatusJson::from(&status));
    stand["action"] = sentence(status.action(), words::line).into();
    let queue = stand["queue"].clone();
    Ok(Reply::json(json!({
        "agent": status.agent.as_str(),
        "ts": call.ctx.now().0,
        "active": doing.map(brief),
        "next": status.next.as_ref().map(brief),
        "inbox": inbox.collect::<Vec<_>>(),
        "inboxCount": status.inbox.len(),
        "queue": queue,
        "paused": status.paused.as_ref().map(PauseJson::from),
        "action": action(&status),
        "stand": stand,
    })))
}

/// Returns what to do in the few words that the original has for it.
fn action(status: &ops::AgentStatus) -> String {
    if let Some(pause) = &status.paused {
        return format!("PAUSED: {}", pause.reason);
    }
    match status.action() {
        Action::Stop(_) | Action::Heed(_) | Action::Read => {
            format!("Check inbox ({} messages)", status.inbox.len())
        }
        Action::Review(task) => format!("Review {}", task.id),
        Action::Work { task, .. } => format!("Continue {}", task.id),
        Action::Land(tasks) => format!("Land {} approved tasks", tasks.len()),
        Action::Take(task) => format!("Claim {}", task.id),
        Action::Wait(_) => "HEARTBEAT_OK".to_owned(),
    }
}

pub fn inbox(call: &Call) -> Result<Reply, Problem> {
    let query = &call.received.query;
    let limit = query.limit(SHOWN.0, SHOWN.1)?;
    let compact = query.is_on("compact");
    let since: Option<i64> = query.parsed("since")?;
    let wanted = query.get("priority");
    let messages = ops::inbox(call.ctx)?;
    let fits = |message: &&Message| {
        since.is_none_or(|since| message.id.at().0 > since)
            && wanted.is_none_or(|it| shape::priority(message) == it)
    };
    let shown: Vec<&Message> = messages.iter().filter(fits).take(limit).collect();
    // Only what was shown may be marked as read unnamed.
    ops::note_shown(call.ctx, shown.iter().map(|message| message.id));
    let me = call.ctx.me()?;
    let mail = shown
        .iter()
        .map(|message| shape::mail(message, me, compact));
    let mail: Vec<Value> = mail.collect();
    Ok(Reply::json(json!({
        "count": mail.len(),
        "messages": mail,
        "unread": messages.len(),
    })))
}

pub fn ack(call: &Call) -> Result<Reply, Problem> {
    let args = &call.received.args;
    let named: Vec<MessagePrefix> = args.all("messageIds")?;
    let until = args.count("timestamp");
    let which = match (named.is_empty(), args.is_on("all"), until) {
        (false, false, None) => Which::These(named),
        (true, true, None) => Which::All,
        (true, false, Some(until)) => {
            let until = i64::try_from(until).unwrap_or(i64::MAX);
            let messages = ops::inbox(call.ctx)?.into_iter();
            let old = messages.filter(|message| message.id.at().0 <= until);
            let ids = old.map(|message| message.id.to_string().parse());
            let ids: Result<Vec<MessagePrefix>, _> = ids.collect();
            let ids = ids.map_err(|error| Problem::bad(error.to_string()))?;
            Which::These(ids)
        }
        (true, false, None) => {
            return Err(Problem::bad("give `messageIds`, `all`, or `timestamp`"));
        }
        _ => {
            return Err(Problem::bad(
                "`messageIds`, `all` and `timestamp` are one call each",
            ));
        }
    };
    let acked = ops::ack(call.ctx, &which)?;
    Ok(Reply::json(json!({
        "success": true,
        "count": acked.messages.len(),
        "left": acked.left,
    })))
}
