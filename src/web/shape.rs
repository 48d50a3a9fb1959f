//! Tasks, messages and agents as this door gives them: our own fields, and beside them those that
//! clients of the original server read. Times of theirs are milliseconds since 1970.

use serde_json::{Value, json};

use crate::answer::{AgentJson, MessageJson, TaskJson};
use crate::model::claim::Claim;
use crate::model::message::{Message, Notice};
use crate::model::name::{AgentName, Author};
use crate::model::presence::Liveness;
use crate::model::settings::GENERAL;
use crate::model::task::Task;
use crate::model::time::Timestamp;
use crate::ops::Seat;

/// Returns a task; `compact` leaves out its long texts.
pub fn task(json: TaskJson, task: &Task, compact: bool) -> Value {
    let mut value = json!(json);
    let Some(fields) = value.as_object_mut() else {
        return value;
    };
    let mut add = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    add("createdBy", json!(task.created_by.as_str()));
    add("createdAt", json!(task.created.0));
    add("updatedAt", json!(task.updated.0));
    if compact {
        fields.remove("done_criteria");
        fields.remove("body");
        return value;
    }
    add("description", json!(task.body));
    let pr = task.submission.as_ref().and_then(|(_, it)| it.pr.clone());
    add("metadata", json!({"branch": task.branch, "pr_url": pr}));
    value
}

/// Returns a message.
pub fn message(message: &Message, compact: bool) -> Value {
    let at = message.id.at().0;
    let channel = message.channel.as_ref().map_or("dm", |it| it.as_str());
    if compact {
        return json!({"from": message.from.as_str(), "content": message.body, "ts": at, "ch": channel});
    }
    let mut value = json!(MessageJson::from(message));
    value["content"] = json!(message.body);
    value["timestamp"] = json!(at);
    value["threadId"] = json!(message.reply_to.map(|it| it.to_string()));
    value["reactions"] = json!({});
    value
}

/// Returns a message of an inbox: also how urgent it is, and why it is there.
pub fn mail(mail: &Message, to: &AgentName, compact: bool) -> Value {
    let mut value = message(mail, compact);
    value["priority"] = json!(priority(mail));
    if compact {
        return value;
    }
    let mentioned = mail.channel.is_some() || mail.notice == Some(Notice::Mentioned);
    value["reason"] = json!(match mentioned {
        true => "mention",
        false => "dm",
    });
    value["type"] = json!(match mail.notice {
        Some(Notice::Mentioned) => "task_comment",
        _ => "mention",
    });
    value["agent"] = json!(to.as_str());
    if let Some(task) = mail.task {
        value["task_id"] = json!(task.as_str());
    }
    value
}

/// Returns how urgent a message is, in the original's words.
pub fn priority(message: &Message) -> &'static str {
    match (message.urgent, message.notice, &message.channel) {
        (true, ..) | (_, Some(Notice::ClaimLost), _) => "high",
        (_, _, Some(channel)) if channel.as_str() == GENERAL => "low",
        _ => "medium",
    }
}

/// Returns a member of the team as our page has it.
pub fn agent(seat: &Seat, now: Timestamp) -> Value {
    let mut value = json!(AgentJson::from(seat));
    value["lastSeen"] = json!(seat.last_seen.map_or("never".to_owned(), |at| ago(at, now)));
    value["last_active"] = json!(seat.last_seen.map(|at| at.0));
    value
}

/// Returns a member of the team as the original has it.
pub fn presence(seat: &Seat) -> Value {
    let works = seat.claims.iter().find_map(Claim::task);
    let status = match (seat.liveness, works) {
        (Liveness::Active, Some(_)) => "working",
        (Liveness::Active | Liveness::Idle, _) => "idle",
        (Liveness::Stale | Liveness::Offline, _) => "offline",
    };
    let seen = seat.last_seen.map(|at| at.0);
    json!({
        "agent": seat.agent.name.as_str(),
        "status": status,
        "task": works.map(|id| id.to_string()),
        "since": seen,
        "lastUpdate": seen,
        "last_active": seen,
        "note": seat.note,
    })
}

/// Returns a comment.
pub fn comment(id: &str, task: &str, by: &Author, text: &str, at: Timestamp) -> Value {
    json!({"id": id, "taskId": task, "author": by.as_str(), "content": text, "timestamp": at.0})
}

/// Returns how long ago something was, in one unit.
fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.0.saturating_sub(at.0).max(0) / 1000;
    match seconds {
        ..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_one_unit() {
        let told = |ms: i64| ago(Timestamp(1_000), Timestamp(1_000 + ms));
        assert_eq!(told(2_900), "2s ago");
        assert_eq!(told(-5), "0s ago");
        assert_eq!(told(61_000), "1m ago");
        assert_eq!(told(7_200_000), "2h ago");
        assert_eq!(told(200_000_000), "2d ago");
    }
}
