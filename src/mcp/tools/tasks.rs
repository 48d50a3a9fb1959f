//! Tools that look at tasks, and add to them.

use serde_json::json;

use crate::answer::{Cut, Fault, ShownJson, TaskJson, TasksJson, of, on};
use crate::model::advice::Call as Next;
use crate::model::id::IdPrefix;
use crate::ops::{self, NewTask, TaskFilter};

use super::{Answer, Call};

/// How many tasks are listed.
const LISTED: usize = 40;
/// How much of a text of a task is shown, and of its history.
const SHOWN: Cut = Cut {
    text: 4_000,
    list: 30,
    whole: &["body", "done_criteria"],
    lines: &[],
};

pub fn list(call: &Call) -> Result<Answer, Fault> {
    let args = &call.args;
    let filter = TaskFilter {
        statuses: args.all("status")?,
        assignee: args.parsed("assignee")?,
        lane: args.parsed("lane")?,
        all: args.is_on("all"),
    };
    let rows = ops::list(call.ctx, &filter).map_err(of)?;
    let found = TasksJson {
        tasks: rows.iter().map(TaskJson::from).collect(),
    };
    let answer = Answer::new(found).cut(Cut {
        list: LISTED,
        ..Cut::default()
    });
    let answer = match rows.len() > LISTED {
        true => answer.hint("narrow it by `status`, `assignee` or `lane` to see the others"),
        false => answer,
    };
    Ok(with_list(answer))
}

/// An empty list is an answer, too.
fn with_list(mut answer: Answer) -> Answer {
    answer.cut.whole = match answer.value["tasks"].as_array() {
        Some(tasks) if tasks.is_empty() => &["tasks"],
        _ => answer.cut.whole,
    };
    answer
}

pub fn show(call: &Call) -> Result<Answer, Fault> {
    let id: IdPrefix = required(call)?;
    let mut shown = ops::show(call.ctx, &id).map_err(on(&id))?;
    // The end of a long history matters.
    let skipped = shown.events.len().saturating_sub(SHOWN.list);
    shown.events.drain(..skipped);
    let mut value = json!(ShownJson::from(&shown));
    for event in value["events"].as_array_mut().into_iter().flatten() {
        if let Some(event) = event.as_object_mut() {
            // What it was created with is what it has, but for what was changed since.
            let created = event["kind"] == "created";
            event.retain(|name, _| match created {
                true => ["kind", "by", "at"].contains(&name.as_str()),
                false => name != "id",
            });
        }
    }
    let mut answer = Answer::new(value).cut(SHOWN);
    if skipped > 0 {
        answer.value["events_left_out"] = skipped.into();
        let all = format!(
            "reflectt --json task show {} (in a shell; all of it)",
            shown.row.task.id
        );
        answer = answer.hint(all);
    }
    Ok(answer)
}

fn required(call: &Call) -> Result<IdPrefix, Fault> {
    let id = call.args.parsed("id")?;
    id.ok_or_else(|| Fault::usage("`id` is empty"))
}

pub fn new_task(call: &Call) -> Result<Answer, Fault> {
    let (ctx, args) = (call.ctx, &call.args);
    let new = NewTask {
        title: args.whole("title"),
        body: args.owned("body"),
        criteria: args.all("criteria")?,
        checks: args.all("checks")?,
        priority: args.parsed("priority")?,
        assignee: args.parsed("assignee")?,
        reviewer: args.parsed("reviewer")?,
        lane: args.parsed("lane")?,
        paths: args.paths(ctx, "paths")?,
        shared: args.paths(ctx, "shared")?,
        after: args.all("after")?,
        tags: args.all("tags")?,
        ..NewTask::default()
    };
    let task = ops::new_task(ctx, &new).map_err(of)?;
    let answer = Answer::new(TaskJson::left_by(ctx, &task));
    let free = task.has_concrete_criteria() && task.blocked_by.is_empty();
    Ok(match free && task.assignee.is_none() {
        true => answer.hint(Next::to("claim").on("id", task.id).flag("branch")),
        false => answer,
    })
}
