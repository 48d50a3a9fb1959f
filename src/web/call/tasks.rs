//! Tasks: what there is, new ones, one of them, the next one, and what is said of them.

use serde_json::{Value, json};

use crate::answer::{ClaimJson, EventJson, ShownJson, TaskJson};
use crate::model::id::TaskId;
use crate::model::name::{AgentName, Tag};
use crate::model::path::PathPattern;
use crate::model::task::{Priority, Status, Task, TaskEvent};
use crate::ops::{self, Branch, ClaimRequest, NewTask, OpsError, TaskFilter, TaskRow};

use super::{Call, Reply, moved};
use crate::web::problem::{Problem, about};
use crate::web::received::Query;
use crate::web::shape;

/// How many tasks are listed where that is not said, and at most.
const LISTED: (usize, usize) = (50, 200);

/// Reads a status, in the words of the original, too.
pub fn status(text: &str) -> Result<Status, Problem> {
    match text {
        "in-progress" | "in_progress" => Ok(Status::Doing),
        "in-review" | "in_review" => Ok(Status::Validating),
        "resolved_externally" => Ok(Status::Done),
        other => other
            .parse()
            .map_err(|error| Problem::bad(format!("`status`: {error}"))),
    }
}

/// What is wanted of the tasks, beside what operations select by.
struct Wanted {
    free: bool,
    created_by: Option<String>,
    priority: Option<Priority>,
    tags: Vec<Tag>,
    words: Option<String>,
    since: Option<i64>,
}

impl Wanted {
    fn read(query: &Query) -> Result<Wanted, Problem> {
        let assignee = query.get("assignee").or(query.get("assignedTo"));
        let tags = query.all("tag").chain(query.all("tags")).map(|text| {
            let wrong = |error| Problem::bad(format!("`tag`: {error}"));
            text.parse().map_err(wrong)
        });
        Ok(Wanted {
            free: assignee == Some("unassigned"),
            created_by: query.get("createdBy").map(str::to_owned),
            priority: query.parsed("priority")?,
            tags: tags.collect::<Result<_, Problem>>()?,
            words: query.get("q").map(str::to_lowercase),
            since: match query.parsed("updatedSince")? {
                Some(since) => Some(since),
                None => query.parsed("since")?,
            },
        })
    }

    fn fits(&self, task: &Task) -> bool {
        let has = |word: &String| {
            task.title.to_lowercase().contains(word) || task.body.to_lowercase().contains(word)
        };
        (!self.free || task.assignee.is_none())
            && self
                .created_by
                .as_ref()
                .is_none_or(|it| task.created_by.as_str() == it)
            && self.priority.is_none_or(|it| task.priority == it)
            && self.tags.iter().all(|tag| task.tags.contains(tag))
            && self.words.as_ref().is_none_or(has)
            && self.since.is_none_or(|since| task.updated.0 >= since)
    }
}

pub fn list(call: &Call) -> Result<Reply, Problem> {
    let query = &call.received.query;
    let assignee = query.get("assignee").or(query.get("assignedTo"));
    let assignee = assignee.filter(|name| *name != "unassigned");
    let filter = TaskFilter {
        statuses: query.all("status").map(status).collect::<Result<_, _>>()?,
        assignee: match assignee {
            Some(name) => Some(name_of("assignee", name)?),
            None => None,
        },
        lane: query.parsed("lane")?,
        all: true,
    };
    let wanted = Wanted::read(query)?;
    let limit = query.limit(LISTED.0, LISTED.1)?;
    let offset = query.parsed("offset")?.unwrap_or(0_usize);
    let compact = query.is_on("compact");
    let rows = ops::list(call.ctx, &filter)?;
    let fits: Vec<&TaskRow> = rows.iter().filter(|row| wanted.fits(&row.task)).collect();
    let listed = fits.iter().skip(offset).take(limit);
    let tasks: Vec<Value> = listed
        .map(|row| shape::task(TaskJson::from(*row), &row.task, compact))
        .collect();
    Ok(Reply::json(json!({
        "total": fits.len(),
        "offset": offset,
        "limit": limit,
        "hasMore": offset.saturating_add(tasks.len()) < fits.len(),
        "tasks": tasks,
    })))
}

fn name_of(field: &str, text: &str) -> Result<AgentName, Problem> {
    let wrong = |error| Problem::bad(format!("`{field}`: {error}"));
    text.parse().map_err(wrong)
}

/// Reads paths as they are named from the top of the repository.
pub fn paths(call: &Call, name: &str) -> Result<Vec<PathPattern>, Problem> {
    let texts = call.received.args.texts(name).into_iter();
    let path = |text| PathPattern::parse(text).map_err(|error| OpsError::from(error).into());
    texts.map(path).collect()
}

pub fn create(call: &Call) -> Result<Reply, Problem> {
    let args = &call.received.args;
    let reviewer = args.text("reviewer").filter(|name| *name != "auto");
    let begins = match args.text("status").map(status).transpose()? {
        None | Some(Status::Todo) => false,
        Some(Status::Doing) => true,
        Some(other) => {
            return Err(Problem::bad(format!(
                "a new task cannot be `{other}`, but todo or doing"
            )));
        }
    };
    let new = NewTask {
        title: args.whole("title"),
        body: args.owned("body"),
        criteria: args.all("done_criteria")?,
        checks: args.all("checks")?,
        priority: args.parsed("priority")?,
        assignee: args.parsed("assignee")?,
        reviewer: match reviewer {
            Some(name) => Some(name_of("reviewer", name)?),
            None => None,
        },
        lane: args.parsed("lane")?,
        paths: paths(call, "paths")?,
        shared: paths(call, "shared")?,
        after: args.all("after")?,
        before: args.all("before")?,
        tags: args.all("tags")?,
        ..NewTask::default()
    };
    let mut task = ops::new_task(call.ctx, &new)?;
    if begins {
        let claimed = ops::claim(call.ctx, &task.id.into(), &ClaimRequest::default());
        let claimed =
            claimed.map_err(|error| Problem::from(error).with("created", task.id.as_str()))?;
        task = claimed.task.unwrap_or(task);
    }
    if !task.has_concrete_criteria() {
        call.note("it has no done_criteria yet, and cannot be claimed without");
    }
    let shown = shape::task(TaskJson::left_by(call.ctx, &task), &task, false);
    Ok(moved(shown, json!({"warnings": []})))
}

pub fn next(call: &Call) -> Result<Reply, Problem> {
    let query = &call.received.query;
    let branch = Branch::AsItIs;
    let claim = query.is_on("claim").then_some(&branch);
    let next = ops::next(call.ctx, claim)?;
    let Some(task) = &next.task else {
        return Ok(Reply::json(json!({
            "task": null,
            "code": "NO_AVAILABLE_TASKS",
            "message": next.reason,
            "reviews": next.reviews.iter().map(TaskId::as_str).collect::<Vec<_>>(),
        })));
    };
    let shown = shape::task(
        TaskJson::left_by(call.ctx, task),
        task,
        query.is_on("compact"),
    );
    let mut value = json!({"task": shown, "message": next.reason});
    if let Some(claim) = &next.claim {
        value["claimed"] = json!(true);
        value["claim"] = json!(ClaimJson::left_by(call.ctx, claim));
    }
    Ok(Reply::json(value))
}

pub fn show(call: &Call) -> Result<Reply, Problem> {
    let id = call.id()?;
    let found = ops::show(call.ctx, &id).map_err(about(&id))?;
    let task = &found.row.task;
    let compact = call.received.query.is_on("compact");
    let mut shown = shape::task(TaskJson::from(&found.row), task, compact);
    let comments = found
        .events
        .iter()
        .filter(|it| matches!(it.2, TaskEvent::Commented { .. }));
    shown["commentCount"] = json!(comments.count());
    if !compact {
        let mut whole = json!(ShownJson::from(&found));
        for name in ["body", "path", "quarantined", "checked", "events"] {
            shown[name] = whole[name].take();
        }
    }
    let exact = id.exact() == Some(task.id);
    Ok(Reply::json(json!({
        "resolvedId": task.id.as_str(),
        "matchType": if exact { "exact" } else { "prefix" },
        "task": shown,
    })))
}

pub fn comments(call: &Call) -> Result<Reply, Problem> {
    let id = call.id()?;
    let found = ops::show(call.ctx, &id).map_err(about(&id))?;
    let task = found.row.task.id;
    let comments: Vec<Value> = (found.events.iter())
        .filter_map(|(stamp, by, event, _)| match event {
            TaskEvent::Commented { text } => {
                let id = stamp.to_string();
                Some(shape::comment(&id, task.as_str(), by, text, stamp.at()))
            }
            _ => None,
        })
        .collect();
    Ok(Reply::json(json!({
        "count": comments.len(),
        "comments": comments,
        "resolvedId": task.as_str(),
    })))
}

pub fn comment(call: &Call) -> Result<Reply, Problem> {
    let id = call.id()?;
    let text = call.received.args.whole("content");
    let task = ops::comment(call.ctx, &id, &text).map_err(about(&id))?;
    // What was just added is the last one of whoever acts.
    let found = ops::show(call.ctx, &task.id.into())?;
    let me = call.ctx.me()?;
    let added = found
        .events
        .iter()
        .rev()
        .find(|(_, by, event, _)| by.is(me) && matches!(event, TaskEvent::Commented { .. }));
    let comment = added.map(|(stamp, by, event, void)| {
        let event = json!(EventJson::new(*stamp, by, event, void.as_deref()));
        let text = event["text"].as_str().unwrap_or_default();
        shape::comment(&stamp.to_string(), task.id.as_str(), by, text, stamp.at())
    });
    Ok(Reply::json(json!({
        "success": true,
        "comment": comment.unwrap_or_default(),
        "resolvedId": task.id.as_str(),
    })))
}
