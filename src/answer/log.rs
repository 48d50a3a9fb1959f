//! What happened, as JSON: one object an event.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::format::rfc3339;
use crate::ops::{HistoryEvent, HistorySubject};

use super::event::task_fields;
use super::{MessageJson, text, texts};

/// An event with the fields of its kind.
#[derive(Debug, Serialize)]
pub struct LogEventJson {
    pub id: String,
    pub at: String,
    pub by: String,
    /// For a task the name of the event, like `claimed`; else `message`, `reflection`, `joined`
    /// or `set`.
    pub kind: String,
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

impl From<&HistoryEvent> for LogEventJson {
    fn from(event: &HistoryEvent) -> LogEventJson {
        let (kind, fields) = match &event.subject {
            HistorySubject::Task { id, title, event } => {
                let mut fields = Map::new();
                fields.insert("task".to_owned(), id.to_string().into());
                fields.insert("title".to_owned(), title.clone().into());
                fields.extend(task_fields(event));
                (event.name(), fields)
            }
            HistorySubject::Message(message) => {
                let json = MessageJson::from(message);
                let fields = json!({
                    "to": json.to, "channel": json.channel, "task": json.task,
                    "reply_to": json.reply_to, "urgent": json.urgent, "notice": json.notice,
                    "body": json.body,
                });
                ("message", object(fields))
            }
            HistorySubject::Reflection(reflection) => {
                let fields = json!({
                    "task": text(reflection.task.as_ref()), "worked": reflection.worked,
                    "pain": reflection.pain, "change": reflection.change,
                    "severity": reflection.severity.as_str(), "tags": texts(&reflection.tags),
                });
                ("reflection", object(fields))
            }
            HistorySubject::Agent { name, event } => {
                (event.name(), object(json!({ "agent": name.to_string() })))
            }
            HistorySubject::Settings { key, value } => {
                ("set", object(json!({ "key": key, "value": value })))
            }
        };
        LogEventJson {
            id: event.id.to_string(),
            at: rfc3339(event.id.at()),
            by: event.by.to_string(),
            kind: kind.to_owned(),
            fields,
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
