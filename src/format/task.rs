//! A task's file: its state first, for people and queries, and the events it is computed from.

mod event;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::event::Log;
use crate::model::id::{Stamp, TaskId};
use crate::model::name::{AgentName, CheckName, Lane, ResourceName, Tag};
use crate::model::path::PathPattern;
use crate::model::task::{Priority, Status, Task, TaskEvent, TaskLog};

use super::FormatError;
use super::field;
use super::reader::Reader;
use super::writer::Writer;

/// Keys that follow from the events; an edit by hand of these says nothing.
const COMPUTED: [&str; 14] = [
    "fence",
    "branch",
    "reason",
    "changes",
    "created_by",
    "created",
    "updated",
    "claimed",
    "closed",
    "block",
    "submission",
    "approved",
    "landed",
    "handoff",
];

/// A task's file, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedTask {
    /// Missing only from a file that a person wrote, which has no events.
    pub id: Option<TaskId>,
    pub log: Log<TaskEvent>,
    pub shown: Shown,
}

impl ParsedTask {
    /// Returns the task, or `None` for a file that a person wrote without an id.
    pub fn into_log(self) -> Option<TaskLog> {
        Some(TaskLog {
            id: self.id?,
            log: self.log,
        })
    }
}

/// The state as a file shows it, which a person may have edited. What is empty is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    pub title: Option<String>,
    pub status: Option<Status>,
    pub priority: Option<Priority>,
    pub assignee: Option<AgentName>,
    pub reviewer: Option<AgentName>,
    pub lane: Option<Lane>,
    pub tags: Option<BTreeSet<Tag>>,
    pub done_criteria: Option<Vec<String>>,
    pub checks: Option<BTreeSet<CheckName>>,
    pub paths: Option<Vec<PathPattern>>,
    pub shared: Option<BTreeSet<PathPattern>>,
    pub resources: Option<BTreeSet<ResourceName>>,
    pub blocked_by: Option<BTreeSet<TaskId>>,
    pub body: Option<String>,
}

impl Shown {
    /// Returns what the file of `task` shows if nobody edited it.
    pub fn of(task: &Task) -> Shown {
        Shown {
            title: Some(task.title.clone()),
            status: Some(task.status),
            priority: Some(task.priority),
            assignee: task.assignee.clone(),
            reviewer: task.reviewer.clone(),
            lane: task.lane.clone(),
            tags: Some(task.tags.clone()).filter(|tags| !tags.is_empty()),
            done_criteria: Some(task.done_criteria.clone()).filter(|list| !list.is_empty()),
            checks: Some(task.checks.clone()).filter(|names| !names.is_empty()),
            paths: Some(task.paths.clone()).filter(|paths| !paths.is_empty()),
            shared: Some(task.shared.clone()).filter(|paths| !paths.is_empty()),
            resources: Some(task.resources.clone()).filter(|names| !names.is_empty()),
            blocked_by: Some(task.blocked_by.clone()).filter(|ids| !ids.is_empty()),
            body: Some(task.body.clone()).filter(|body| !body.is_empty()),
        }
    }

    fn read(file: &mut Reader) -> Result<Shown, FormatError> {
        Ok(Shown {
            title: file.opt("title", field::title)?,
            status: file.opt("status", field::parsed)?,
            priority: file.opt("priority", field::parsed)?,
            assignee: file.opt("assignee", field::clearable)?.flatten(),
            reviewer: file.opt("reviewer", field::clearable)?.flatten(),
            lane: file.opt("lane", field::clearable)?.flatten(),
            tags: file
                .opt("tags", field::list(field::parsed))?
                .filter(|tags: &BTreeSet<Tag>| !tags.is_empty()),
            done_criteria: file
                .opt("done_criteria", field::list(field::note))?
                .filter(|list: &Vec<String>| !list.is_empty()),
            checks: file
                .opt("checks", field::list(field::parsed))?
                .filter(|names: &BTreeSet<CheckName>| !names.is_empty()),
            paths: file
                .opt("paths", field::list(field::parsed))?
                .filter(|paths: &Vec<PathPattern>| !paths.is_empty()),
            shared: file
                .opt("shared", field::list(field::parsed))?
                .filter(|paths: &BTreeSet<PathPattern>| !paths.is_empty()),
            resources: file
                .opt("resources", field::list(field::parsed))?
                .filter(|names: &BTreeSet<ResourceName>| !names.is_empty()),
            blocked_by: file
                .opt("blocked_by", field::list(field::parsed))?
                .filter(|ids: &BTreeSet<TaskId>| !ids.is_empty()),
            body: file
                .opt("body", field::body)?
                .filter(|body| !body.is_empty()),
        })
    }
}

/// Reads a task's file. Without events, only a title is required.
pub fn parse_task(bytes: &[u8]) -> Result<ParsedTask, FormatError> {
    let mut file = Reader::open(bytes)?;
    let id = file.opt("id", field::parsed)?;
    let shown = Shown::read(&mut file)?;
    let mut log = file.events(event::read, |kind| TaskEvent::Unknown { kind })?;
    if log.is_empty() && shown.title.is_none() {
        return Err(file.missing("title"));
    }
    if !log.is_empty() && id.is_none() {
        return Err(file.missing("id"));
    }
    file.skip(&COMPUTED);
    log.extra = file.extra()?;
    Ok(ParsedTask { id, log, shown })
}

/// Prints a task: the state its events fold into, and the events.
///
/// A log in which no event creates the task has no state to show. One without any event does
/// not print as a file that can be read.
pub fn print_task(log: &TaskLog) -> String {
    let folded = log.fold();
    let mut out = Writer::new();
    out.word("id", log.id);
    if let Some(folded) = &folded {
        print_state(&mut out, &folded.task);
    }
    out.extra(&log.log.extra);
    if let Some(folded) = &folded {
        print_tables(&mut out, &folded.task);
    }
    let void: BTreeMap<Stamp, &str> = (folded.iter().flat_map(|folded| &folded.void))
        .map(|(id, reason)| (*id, reason.as_str()))
        .collect();
    for (id, event) in log.log.iter() {
        out.event(id, event, event.kind.name());
        event::print(&mut out, &event.kind);
        out.extra(&event.extra);
        if let Some(reason) = void.get(&id) {
            out.text("void", reason);
        }
    }
    out.finish()
}

fn print_state(out: &mut Writer, task: &Task) {
    out.text("title", &task.title);
    out.word("status", task.status);
    out.word("priority", task.priority);
    out.opt_word("assignee", task.assignee.as_ref());
    out.opt_word("reviewer", task.reviewer.as_ref());
    out.opt_word("lane", task.lane.as_ref());
    out.list("tags", &task.tags);
    out.list("done_criteria", &task.done_criteria);
    out.list("checks", &task.checks);
    out.list("paths", &task.paths);
    out.list("shared", &task.shared);
    out.list("resources", &task.resources);
    out.list("blocked_by", &task.blocked_by);
    if let Some(fence) = task.fence {
        out.number("fence", fence.0);
    }
    out.opt_text("branch", task.branch.as_deref());
    out.opt_text("reason", task.reason.as_deref());
    out.opt_text("changes", task.changes.as_deref());
    out.word("created_by", &task.created_by);
    out.time("created", task.created);
    out.time("updated", task.updated);
    out.opt_time("claimed", task.claimed_at);
    out.opt_time("closed", task.closed);
    out.some_text("body", &task.body);
}

fn print_tables(out: &mut Writer, task: &Task) {
    if let Some(block) = &task.block {
        out.table("block");
        out.text("reason", &block.reason);
        out.opt_word("on", block.on);
        out.flag("needs_human", block.needs_human);
        out.time("since", block.since);
    }
    if let Some((id, submission)) = &task.submission {
        out.table("submission");
        out.word("id", id);
        out.text("summary", &submission.summary);
        out.list("evidence", &submission.evidence);
        event::print_range(out, submission);
        out.opt_text("pr", submission.pr.as_deref());
        out.opt_text("caveat", submission.caveat.as_deref());
        out.flag("no_check", submission.no_check);
    }
    // Where nothing has to land, the history says it.
    if let Some(approved) = &task.approved
        && (task.waits_to_land() || task.landed.is_some())
    {
        out.table("approved");
        out.word("by", &approved.by);
        out.opt_text("commit", approved.commit.as_deref());
        out.time("at", approved.at);
    }
    if let Some(landed) = &task.landed {
        out.table("landed");
        out.text("commit", &landed.commit);
        out.time("at", landed.at);
    }
    if let Some(handoff) = &task.handoff {
        out.table("handoff");
        out.word("from", &handoff.from);
        out.some_text("note", &handoff.note);
        out.opt_text("branch", handoff.branch.as_deref());
        out.time("at", handoff.at);
    }
}
