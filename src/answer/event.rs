//! What happened to a task, as `--json` prints it.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::format::rfc3339;
use crate::model::check::CheckResult;
use crate::model::id::{Fence, Stamp};
use crate::model::name::Author;
use crate::model::task::{Draft, Edit, TaskEvent};

use super::CheckJson;

/// An event with the fields of its kind.
#[derive(Debug, Serialize)]
pub struct EventJson<'a> {
    pub id: String,
    pub at: String,
    pub by: &'a str,
    pub kind: &'a str,
    #[serde(flatten)]
    pub fields: Map<String, Value>,
    /// Why it changed nothing, if it came too late or was not allowed.
    pub void: Option<&'a str>,
}

impl<'a> EventJson<'a> {
    pub fn new(
        stamp: Stamp,
        by: &'a Author,
        event: &'a TaskEvent,
        void: Option<&'a str>,
    ) -> EventJson<'a> {
        EventJson {
            id: stamp.to_string(),
            at: rfc3339(stamp.at()),
            by: by.as_str(),
            kind: event.name(),
            fields: task_fields(event),
            void,
        }
    }
}

/// Returns what an event of a task says beside its kind.
pub fn task_fields(event: &TaskEvent) -> Map<String, Value> {
    match fields(event) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn fields(event: &TaskEvent) -> Value {
    match event {
        TaskEvent::Created(draft) => created(draft),
        TaskEvent::Edited(edit) => edited(edit),
        TaskEvent::Commented { text } => json!({ "text": text }),
        TaskEvent::Claimed {
            agent,
            fence,
            paths,
            shared,
            resources,
            branch,
            taken_over,
        } => json!({
            "agent": agent.as_str(),
            "fence": fence.given(),
            "paths": texts(paths),
            "shared": texts(shared),
            "resources": texts(resources),
            "branch": branch,
            "taken_over": taken_over,
        }),
        TaskEvent::Extended {
            paths,
            shared,
            resources,
            branch,
        } => with_branch(
            branch.as_deref(),
            json!({
                "paths": texts(paths),
                "shared": texts(shared),
                "resources": texts(resources),
            }),
        ),
        TaskEvent::Blocked {
            reason,
            on,
            needs_human,
        } => json!({
            "reason": reason,
            "on": on.map(|id| id.to_string()),
            "needs_human": needs_human,
        }),
        TaskEvent::Unblocked | TaskEvent::Unknown { .. } => Value::Null,
        TaskEvent::Submitted(bundle) => with_branch(
            bundle.branch.as_deref(),
            json!({
            "summary": bundle.summary,
            "evidence": bundle.evidence,
            "commit": bundle.commit,
            "base": bundle.base,
            "commits": bundle.commits,
            "beneath": texts(&bundle.beneath),
            "pr": bundle.pr,
            "caveat": bundle.caveat,
            "no_check": bundle.no_check,
            "reviewer": bundle.reviewer.as_ref().map(ToString::to_string),
            }),
        ),
        TaskEvent::Approved {
            submission,
            commit,
            note,
            lands,
        } => json!({
            "submission": submission.to_string(),
            "commit": commit,
            "note": note,
            "lands": lands,
        }),
        TaskEvent::Landed { submission, commit } => json!({
            "submission": submission.to_string(),
            "commit": commit,
        }),
        TaskEvent::SentBack(back) => json!({
            "submission": back.submission.to_string(),
            "reason": back.fault.as_str(),
            "note": back.note,
            "paths": back.paths,
            "with": texts(&back.with),
            "tip": back.tip,
        }),
        TaskEvent::ChangesRequested { submission, note }
        | TaskEvent::Corrected { submission, note } => json!({
            "submission": submission.to_string(),
            "note": note,
        }),
        TaskEvent::Reminded { reviewer, alone } => {
            json!({ "reviewer": reviewer.as_str(), "alone": alone })
        }
        TaskEvent::Released { note } => json!({ "note": note }),
        TaskEvent::HandedOff { to, note, fence } => json!({
            "to": to.as_str(),
            "note": note,
            "fence": fence.and_then(Fence::given),
        }),
        TaskEvent::Lapsed { agent, fence, note } => json!({
            "agent": agent.as_str(),
            "fence": fence.0,
            "note": note,
        }),
        TaskEvent::Cancelled { reason } | TaskEvent::Reopened { reason } => {
            json!({ "reason": reason })
        }
        TaskEvent::Retracted { event, note } => {
            json!({ "event": event.to_string(), "note": note })
        }
        TaskEvent::Checked(result) => of_check(result),
        TaskEvent::Overridden { reason, paths } => json!({ "reason": reason, "paths": paths }),
    }
}

/// `at` is when the event was written, so when the check ran is under another name.
fn of_check(result: &CheckResult) -> Value {
    let mut fields = match serde_json::to_value(CheckJson::from(result)) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    if let Some(at) = fields.remove("at") {
        fields.insert("ran_at".to_owned(), at);
    }
    Value::Object(fields)
}

/// Adds the branch, where there is one to name.
fn with_branch(branch: Option<&str>, mut fields: Value) -> Value {
    if let (Some(branch), Some(fields)) = (branch, fields.as_object_mut()) {
        fields.insert("branch".to_owned(), branch.into());
    }
    fields
}

fn created(draft: &Draft) -> Value {
    json!({
        "title": draft.title,
        "body": draft.body,
        "priority": draft.priority.as_str(),
        "assignee": draft.assignee.as_ref().map(ToString::to_string),
        "reviewer": draft.reviewer.as_ref().map(ToString::to_string),
        "lane": draft.lane.as_ref().map(ToString::to_string),
        "tags": texts(&draft.tags),
        "done_criteria": draft.done_criteria,
        "checks": texts(&draft.checks),
        "paths": texts(&draft.paths),
        "shared": texts(&draft.shared),
        "resources": texts(&draft.resources),
        "blocked_by": texts(&draft.blocked_by),
    })
}

/// Only what was changed; `null` where a field was cleared.
fn edited(edit: &Edit) -> Value {
    fn word<T: ToString>(value: &Option<T>) -> Value {
        value.as_ref().map(ToString::to_string).into()
    }
    let mut fields = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    set("title", edit.title.clone().map(Value::from));
    set("body", edit.body.clone().map(Value::from));
    set("priority", edit.priority.map(|p| p.as_str().into()));
    set("assignee", edit.assignee.as_ref().map(word));
    set("reviewer", edit.reviewer.as_ref().map(word));
    set("lane", edit.lane.as_ref().map(word));
    set("tags", edit.tags.as_ref().map(texts));
    set("done_criteria", edit.done_criteria.clone().map(Value::from));
    set("checks", edit.checks.as_ref().map(texts));
    set("paths", edit.paths.as_ref().map(texts));
    set("shared", edit.shared.as_ref().map(texts));
    set("resources", edit.resources.as_ref().map(texts));
    set("blocked_by", edit.blocked_by.as_ref().map(texts));
    Value::Object(fields)
}

fn texts<'t, T: ToString + 't>(items: impl IntoIterator<Item = &'t T>) -> Value {
    items.into_iter().map(ToString::to_string).collect()
}
