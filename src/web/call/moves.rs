//! Moves of a task: claimed, given back, blocked, submitted, judged, cancelled.
//!
//! A `PATCH` says which status a task is to have; here is which operation that is. Whether it may
//! be is said by the operation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::answer::{Args, ClaimJson, TaskJson};
use crate::model::id::IdPrefix;
use crate::model::name::{AgentName, Lane, Tag};
use crate::model::task::{Status, Task};
use crate::ops::{
    self, AGENT_KEY, Blocking, Checking, ClaimRequest, NewSubmission, TaskChanges, Verdict,
};

use super::tasks::{paths, status};
use super::{Call, Reply, moved};
use crate::web::problem::{Problem, about};
use crate::web::shape;

fn told(call: &Call, task: &Task, more: Value) -> Reply {
    let task = shape::task(TaskJson::left_by(call.ctx, task), task, false);
    moved(task, more)
}

pub fn claim(call: &Call) -> Result<Reply, Problem> {
    let id = call.id()?;
    let request = ClaimRequest {
        paths: paths(call, "paths")?,
        shared: paths(call, "shared")?,
        take_over: call.received.args.owned("take_over"),
        ..ClaimRequest::default()
    };
    let claimed = ops::claim(call.ctx, &id, &request).map_err(about(&id))?;
    let claim = json!({"claim": ClaimJson::left_by(call.ctx, &claimed.claim)});
    let task = match claimed.task {
        Some(task) => task,
        None => ops::show(call.ctx, &id).map_err(about(&id))?.row.task,
    };
    Ok(told(call, &task, claim))
}

pub fn release(call: &Call) -> Result<Reply, Problem> {
    let id = call.id()?;
    let note = call.received.args.text("note");
    let released = ops::release(call.ctx, &id, note).map_err(about(&id))?;
    match released.task {
        Some(task) => Ok(told(call, &task, Value::Null)),
        None => Ok(moved(json!({"id": released.id.as_str()}), Value::Null)),
    }
}

pub fn submit(call: &Call) -> Result<Reply, Problem> {
    let id = call.id()?;
    let summary = call.received.args.whole("summary");
    let new = submission(call, &id, summary)?;
    let task = ops::submit(call.ctx, &id, &new, &|_| {}).map_err(about(&id))?;
    Ok(told(call, &task, Value::Null))
}

/// Reads what is submitted. Without a commit it is what the agent's own worktree has checked out,
/// else what the task's branch has: what this server's worktree has is somebody else's.
fn submission(call: &Call, id: &IdPrefix, summary: String) -> Result<NewSubmission, Problem> {
    let args = &call.received.args;
    let ctx = call.ctx;
    let own = ctx.repo().worktree_config(AGENT_KEY).ok().flatten();
    let is_own = own.is_some_and(|name| ctx.identity().is_some_and(|me| me.as_str() == name));
    let commit = match args.owned("commit") {
        None if !is_own => {
            let task = ops::show(ctx, id).map_err(about(id))?.row.task;
            let branch = task.branch.ok_or_else(|| {
                let missing =
                    "`commit` is missing: the agent has no worktree here, and the task no branch";
                Problem::bad(missing)
            })?;
            Some(branch)
        }
        given => given,
    };
    let evidence = args.texts("evidence").into_iter().enumerate();
    let evidence: BTreeMap<usize, String> = evidence
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(at, text)| (at + 1, text.to_owned()))
        .collect();
    Ok(NewSubmission {
        summary,
        evidence,
        commit,
        pr: args.owned("pr").or(meta(args, "pr_url")),
        caveat: args.owned("caveat"),
        branch: None,
        reviewer: args.parsed("reviewer")?,
        checking: match args.is_on("no_check") {
            true => Checking::Without,
            false => Checking::AsNeeded,
        },
    })
}

pub fn review(call: &Call) -> Result<Reply, Problem> {
    let id = call.id()?;
    let args = &call.received.args;
    let note = args.owned("comment");
    let approves = matches!(args.text("decision"), Some("approve" | "approved"));
    let task = match (approves, note.clone()) {
        (true, note) => ops::approve(call.ctx, &id, note, args.text("commit")),
        (false, Some(note)) => ops::review(call.ctx, &id, &Verdict::RequestChanges { note }),
        (false, None) => return Err(Problem::bad("to ask for changes needs `comment`")),
    };
    let task = task.map_err(about(&id))?;
    let decision = json!({
        "taskId": task.id.as_str(),
        "reviewer": call.ctx.me()?.as_str(),
        "decision": if approves { "approve" } else { "reject" },
        "comment": note,
        "decidedAt": call.ctx.now().0,
    });
    Ok(told(call, &task, json!({"decision": decision})))
}

pub fn patch(call: &Call) -> Result<Reply, Problem> {
    let id = call.id()?;
    let args = &call.received.args;
    let wanted = args.text("status").map(status).transpose()?;
    let now = ops::show(call.ctx, &id).map_err(about(&id))?.row.task;
    let id: IdPrefix = now.id.into();
    let turn = match wanted {
        Some(wanted) => Turn::read(call, &now, wanted)?,
        None => Turn::Stay,
    };
    let changes = changes(call, &now, &turn)?;
    let edits = changes != TaskChanges::default();
    let mut task = match edits {
        true => ops::edit(call.ctx, &id, &changes).map_err(about(&id))?,
        false => now,
    };
    if let Some(moved) = turn.make(call, &id).transpose() {
        // What was changed before stays changed.
        task = moved.map_err(|problem| problem.with("changed", edits))?;
    }
    Ok(told(call, &task, Value::Null))
}

/// The operation that gives a task the status asked for.
enum Turn {
    Stay,
    Claim,
    Unblock,
    Release(Option<String>),
    Block(Blocking),
    Submit(Box<NewSubmission>),
    Approve(Option<String>),
    SendBack(String),
    Cancel(String),
    Reopen(String),
}

impl Turn {
    fn read(call: &Call, task: &Task, wanted: Status) -> Result<Turn, Problem> {
        let args = &call.received.args;
        let note = args.owned("note");
        let reason = |also: &str| {
            let said = args
                .owned("reason")
                .or(meta(args, also))
                .or(args.owned("note"));
            let missing = || Problem::bad(format!("`{wanted}` needs `reason`"));
            said.ok_or_else(missing)
        };
        let closed = !task.status.is_open();
        let me = call.ctx.identity();
        Ok(match (wanted, task.status) {
            (Status::Todo, Status::Todo) => Turn::Stay,
            (Status::Todo | Status::Doing, _) if closed => Turn::Reopen(reason("reopen_reason")?),
            (Status::Todo, _) => Turn::Release(note.or(args.owned("reason"))),
            (Status::Doing, Status::Blocked) if task.holder() == me => Turn::Unblock,
            (Status::Doing, Status::Validating) if task.holder() != me => {
                Turn::SendBack(reason("reason")?)
            }
            (Status::Doing, _) => Turn::Claim,
            (Status::Blocked, _) => Turn::Block(Blocking {
                reason: reason("blocked_reason")?,
                on: args.parsed("on")?,
                needs_human: args.is_on("needs_human"),
            }),
            (Status::Validating, _) => {
                let summary = args.owned("summary").or(meta(args, "summary")).or(note);
                let missing = || Problem::bad("`validating` is a submission, and needs `summary`");
                let id = task.id.into();
                Turn::Submit(Box::new(submission(
                    call,
                    &id,
                    summary.ok_or_else(missing)?,
                )?))
            }
            (Status::Done, Status::Done) => Turn::Stay,
            (Status::Done, _) => Turn::Approve(note),
            (Status::Cancelled, Status::Cancelled) => Turn::Stay,
            (Status::Cancelled, _) => Turn::Cancel(reason("cancel_reason")?),
        })
    }

    fn make(self, call: &Call, id: &IdPrefix) -> Result<Option<Task>, Problem> {
        let ctx = call.ctx;
        let task = match self {
            Turn::Stay => return Ok(None),
            Turn::Claim => {
                let claimed = ops::claim(ctx, id, &ClaimRequest::default()).map_err(about(id))?;
                return Ok(claimed.task);
            }
            Turn::Release(note) => {
                return Ok(ops::release(ctx, id, note.as_deref())
                    .map_err(about(id))?
                    .task);
            }
            Turn::Cancel(reason) => {
                let cancelled = ops::cancel(ctx, id, &reason).map_err(about(id))?;
                for waiting in &cancelled.waiting {
                    call.note(format!("`{waiting}` waits for it, and would for ever"));
                }
                return Ok(Some(cancelled.task));
            }
            Turn::Unblock => ops::unblock(ctx, id),
            Turn::Block(blocking) => ops::block(ctx, id, &blocking),
            Turn::Submit(new) => ops::submit(ctx, id, &new, &|_| {}),
            Turn::Approve(note) => ops::approve(ctx, id, note, call.received.args.text("commit")),
            Turn::SendBack(note) => ops::review(ctx, id, &Verdict::RequestChanges { note }),
            Turn::Reopen(reason) => ops::reopen(ctx, id, &reason),
        };
        task.map(Some).map_err(about(id))
    }
}

/// Returns what of the original's free-form facts says something here.
fn meta(args: &Args, name: &str) -> Option<String> {
    let text = args.object("metadata")?.get(name)?.as_str()?;
    Some(text.to_owned()).filter(|text| !text.trim().is_empty())
}

/// Reads which fields are to change. Lists are given whole, so it is what differs that changes.
fn changes(call: &Call, now: &Task, turn: &Turn) -> Result<TaskChanges, Problem> {
    let args = &call.received.args;
    let cleared = |name: &str| call.received.cleared.contains(name);
    let mut changes = TaskChanges {
        title: args.owned("title"),
        body: match cleared("body") {
            true => Some(String::new()),
            false => args.owned("body"),
        },
        priority: args.parsed("priority")?,
        assignee: match cleared("assignee") {
            // Whoever gives a task back has it no more.
            true if matches!(turn, Turn::Release(_)) => None,
            true => Some(None),
            false => args.parsed::<AgentName>("assignee")?.map(Some),
        },
        lane: match cleared("lane") {
            true => Some(None),
            false => args.parsed::<Lane>("lane")?.map(Some),
        },
        ..TaskChanges::default()
    };
    // Of a submission it is part.
    if !matches!(turn, Turn::Submit(_)) {
        changes.reviewer = match cleared("reviewer") {
            true => Some(None),
            false => args.parsed::<AgentName>("reviewer")?.map(Some),
        };
    }
    if args.has("done_criteria") || cleared("done_criteria") {
        let wanted = args.texts("done_criteria");
        let have = now.done_criteria.iter();
        if !have.clone().map(String::as_str).eq(wanted.iter().copied()) {
            changes.drop_criteria = (1..=now.done_criteria.len()).collect();
            changes.add_criteria = wanted.into_iter().map(str::to_owned).collect();
        }
    }
    if args.has("tags") || cleared("tags") {
        let wanted: BTreeSet<Tag> = args.all("tags")?;
        changes.add_tags = wanted.difference(&now.tags).cloned().collect();
        changes.drop_tags = now.tags.difference(&wanted).cloned().collect();
    }
    if args.has("after") || cleared("after") {
        let wanted: Vec<IdPrefix> = args.all("after")?;
        let stays = |id: &crate::model::id::TaskId| wanted.iter().any(|it| it.matches(*id));
        let dropped = now.blocked_by.iter().filter(|id| !stays(id));
        changes.drop_after = dropped.map(|id| (*id).into()).collect();
        changes.add_after = wanted;
    }
    Ok(changes)
}
