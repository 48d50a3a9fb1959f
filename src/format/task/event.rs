//! The fields of each kind of event in a task's file.

use std::fmt::Display;

use crate::format::FormatError;
use crate::format::check;
use crate::format::field;
use crate::format::reader::Reader;
use crate::format::writer::Writer;
use crate::model::id::Fence;
use crate::model::task::{Draft, Edit, SentBack, Submission, TaskEvent};

/// Reads the fields of an event; `None` if the kind is one we do not know.
pub fn read(kind: &str, table: &mut Reader) -> Result<Option<TaskEvent>, FormatError> {
    let event = match kind {
        "created" => TaskEvent::Created(Box::new(read_draft(table)?)),
        "edited" => TaskEvent::Edited(Box::new(read_edit(table)?)),
        "commented" => TaskEvent::Commented {
            text: table.need("text", field::body)?,
        },
        "claimed" => TaskEvent::Claimed {
            agent: table.need("agent", field::parsed)?,
            fence: table.need("fence", field::count).map(Fence)?,
            paths: table
                .opt("paths", field::list(field::parsed))?
                .unwrap_or_default(),
            shared: table
                .opt("shared", field::list(field::parsed))?
                .unwrap_or_default(),
            resources: table
                .opt("resources", field::list(field::parsed))?
                .unwrap_or_default(),
            branch: table.opt("branch", field::note)?,
            taken_over: table.opt("taken_over", field::note)?,
        },
        "extended" => TaskEvent::Extended {
            paths: table
                .opt("paths", field::list(field::parsed))?
                .unwrap_or_default(),
            shared: table
                .opt("shared", field::list(field::parsed))?
                .unwrap_or_default(),
            resources: table
                .opt("resources", field::list(field::parsed))?
                .unwrap_or_default(),
            branch: table.opt("branch", field::note)?,
        },
        "blocked" => TaskEvent::Blocked {
            reason: table.need("reason", field::note)?,
            on: table.opt("on", field::parsed)?,
            needs_human: table.opt("needs_human", field::flag)?.unwrap_or_default(),
        },
        "unblocked" => TaskEvent::Unblocked,
        "submitted" => TaskEvent::Submitted(Box::new(Submission {
            summary: table.need("summary", field::note)?,
            evidence: table
                .opt("evidence", field::list(field::note))?
                .unwrap_or_default(),
            commit: table.opt("commit", field::note)?,
            base: table.opt("base", field::note)?,
            own: table
                .opt("own", field::list(field::note))?
                .unwrap_or_default(),
            commits: table.opt("commits", field::count)?.unwrap_or_default(),
            beneath: table
                .opt("beneath", field::list(field::parsed))?
                .unwrap_or_default(),
            branch: table.opt("branch", field::note)?,
            pr: table.opt("pr", field::note)?,
            caveat: table.opt("caveat", field::note)?,
            no_check: table.opt("no_check", field::flag)?.unwrap_or_default(),
            reviewer: table.opt("reviewer", field::parsed)?,
        })),
        "approved" => TaskEvent::Approved {
            submission: table.need("submission", field::parsed)?,
            commit: table.opt("commit", field::note)?,
            note: table.opt("note", field::note)?,
            lands: table.opt("lands", field::flag)?.unwrap_or_default(),
        },
        "landed" => TaskEvent::Landed {
            submission: table.need("submission", field::parsed)?,
            commit: table.need("commit", field::note)?,
        },
        "sent_back" => TaskEvent::SentBack(Box::new(SentBack {
            submission: table.need("submission", field::parsed)?,
            fault: table.need("reason", field::parsed)?,
            note: table.need("note", field::body)?,
            paths: table
                .opt("paths", field::list(field::note))?
                .unwrap_or_default(),
            with: table
                .opt("with", field::list(field::parsed))?
                .unwrap_or_default(),
            tip: table.need("tip", field::note)?,
        })),
        "changes_requested" => TaskEvent::ChangesRequested {
            submission: table.need("submission", field::parsed)?,
            note: table.need("note", field::note)?,
        },
        "corrected" => TaskEvent::Corrected {
            submission: table.need("submission", field::parsed)?,
            note: table.need("note", field::note)?,
        },
        "reminded" => TaskEvent::Reminded {
            reviewer: table.need("reviewer", field::parsed)?,
            alone: table.opt("alone", field::flag)?.unwrap_or_default(),
        },
        "released" => TaskEvent::Released {
            note: table.opt("note", field::note)?,
        },
        "handed_off" => TaskEvent::HandedOff {
            to: table.need("to", field::parsed)?,
            note: table.need("note", field::note)?,
            fence: table.opt("fence", field::count)?.map(Fence),
        },
        "lapsed" => TaskEvent::Lapsed {
            agent: table.need("agent", field::parsed)?,
            fence: table.need("fence", field::count).map(Fence)?,
            note: table.need("note", field::note)?,
        },
        "cancelled" => TaskEvent::Cancelled {
            reason: table.need("reason", field::note)?,
        },
        "reopened" => TaskEvent::Reopened {
            reason: table.need("reason", field::note)?,
        },
        "checked" => TaskEvent::Checked(Box::new(check::read_result(table)?)),
        "overridden" => TaskEvent::Overridden {
            reason: table.need("reason", field::note)?,
            paths: table
                .opt("paths", field::list(field::note))?
                .unwrap_or_default(),
        },
        _ => return Ok(None),
    };
    Ok(Some(event))
}

fn read_draft(table: &mut Reader) -> Result<Draft, FormatError> {
    Ok(Draft {
        title: table.need("title", field::title)?,
        priority: table.opt("priority", field::parsed)?.unwrap_or_default(),
        assignee: table.opt("assignee", field::parsed)?,
        reviewer: table.opt("reviewer", field::parsed)?,
        lane: table.opt("lane", field::parsed)?,
        tags: table
            .opt("tags", field::list(field::parsed))?
            .unwrap_or_default(),
        done_criteria: table
            .opt("done_criteria", field::list(field::note))?
            .unwrap_or_default(),
        checks: table
            .opt("checks", field::list(field::parsed))?
            .unwrap_or_default(),
        paths: table
            .opt("paths", field::list(field::parsed))?
            .unwrap_or_default(),
        shared: table
            .opt("shared", field::list(field::parsed))?
            .unwrap_or_default(),
        resources: table
            .opt("resources", field::list(field::parsed))?
            .unwrap_or_default(),
        blocked_by: table
            .opt("blocked_by", field::list(field::parsed))?
            .unwrap_or_default(),
        body: table.opt("body", field::body)?.unwrap_or_default(),
    })
}

fn read_edit(table: &mut Reader) -> Result<Edit, FormatError> {
    Ok(Edit {
        title: table.opt("title", field::title)?,
        priority: table.opt("priority", field::parsed)?,
        assignee: table.opt("assignee", field::clearable)?,
        reviewer: table.opt("reviewer", field::clearable)?,
        lane: table.opt("lane", field::clearable)?,
        tags: table.opt("tags", field::list(field::parsed))?,
        done_criteria: table.opt("done_criteria", field::list(field::note))?,
        checks: table.opt("checks", field::list(field::parsed))?,
        paths: table.opt("paths", field::list(field::parsed))?,
        shared: table.opt("shared", field::list(field::parsed))?,
        resources: table.opt("resources", field::list(field::parsed))?,
        blocked_by: table.opt("blocked_by", field::list(field::parsed))?,
        body: table.opt("body", field::body)?,
    })
}

/// Prints the fields of an event.
pub fn print(out: &mut Writer, event: &TaskEvent) {
    match event {
        TaskEvent::Created(draft) => print_draft(out, draft),
        TaskEvent::Edited(edit) => print_edit(out, edit),
        TaskEvent::Commented { text } => out.text("text", text),
        TaskEvent::Claimed {
            agent,
            fence,
            paths,
            shared,
            resources,
            branch,
            taken_over,
        } => {
            out.word("agent", agent);
            out.number("fence", fence.0);
            out.list("paths", paths);
            out.list("shared", shared);
            out.list("resources", resources);
            out.opt_text("branch", branch.as_deref());
            out.opt_text("taken_over", taken_over.as_deref());
        }
        TaskEvent::Extended {
            paths,
            shared,
            resources,
            branch,
        } => {
            out.list("paths", paths);
            out.list("shared", shared);
            out.list("resources", resources);
            out.opt_text("branch", branch.as_deref());
        }
        TaskEvent::Blocked {
            reason,
            on,
            needs_human,
        } => {
            out.text("reason", reason);
            out.opt_word("on", *on);
            out.flag("needs_human", *needs_human);
        }
        TaskEvent::Unblocked | TaskEvent::Unknown { .. } => {}
        TaskEvent::Submitted(submission) => {
            out.text("summary", &submission.summary);
            out.list("evidence", &submission.evidence);
            print_range(out, submission);
            out.opt_text("pr", submission.pr.as_deref());
            out.opt_text("caveat", submission.caveat.as_deref());
            out.flag("no_check", submission.no_check);
            out.opt_word("reviewer", submission.reviewer.as_ref());
        }
        TaskEvent::Approved {
            submission,
            commit,
            note,
            lands,
        } => {
            out.word("submission", submission);
            out.opt_text("commit", commit.as_deref());
            out.opt_text("note", note.as_deref());
            out.flag("lands", *lands);
        }
        TaskEvent::Landed { submission, commit } => {
            out.word("submission", submission);
            out.text("commit", commit);
        }
        TaskEvent::SentBack(back) => {
            out.word("submission", back.submission);
            out.word("reason", back.fault);
            out.text("note", &back.note);
            out.list("paths", &back.paths);
            out.list("with", &back.with);
            out.text("tip", &back.tip);
        }
        TaskEvent::ChangesRequested { submission, note }
        | TaskEvent::Corrected { submission, note } => {
            out.word("submission", submission);
            out.text("note", note);
        }
        TaskEvent::Reminded { reviewer, alone } => {
            out.word("reviewer", reviewer);
            out.flag("alone", *alone);
        }
        TaskEvent::Released { note } => out.opt_text("note", note.as_deref()),
        TaskEvent::HandedOff { to, note, fence } => {
            out.word("to", to);
            out.text("note", note);
            if let Some(fence) = fence {
                out.number("fence", fence.0);
            }
        }
        TaskEvent::Lapsed { agent, fence, note } => {
            out.word("agent", agent);
            out.number("fence", fence.0);
            out.text("note", note);
        }
        TaskEvent::Cancelled { reason } | TaskEvent::Reopened { reason } => {
            out.text("reason", reason);
        }
        TaskEvent::Retracted { .. } => out.retracted(event),
        TaskEvent::Checked(result) => check::print_result(out, result),
        TaskEvent::Overridden { reason, paths } => {
            out.text("reason", reason);
            out.list("paths", paths);
        }
    }
}

/// Prints what a submission is of.
pub fn print_range(out: &mut Writer, submission: &Submission) {
    out.opt_text("commit", submission.commit.as_deref());
    out.opt_text("base", submission.base.as_deref());
    if submission.commits > 0 {
        out.number("commits", submission.commits);
    }
    out.list("own", &submission.own);
    out.list("beneath", &submission.beneath);
    out.opt_text("branch", submission.branch.as_deref());
}

fn print_draft(out: &mut Writer, draft: &Draft) {
    out.text("title", &draft.title);
    let priority = Some(draft.priority).filter(|priority| *priority != Default::default());
    out.opt_word("priority", priority);
    out.opt_word("assignee", draft.assignee.as_ref());
    out.opt_word("reviewer", draft.reviewer.as_ref());
    out.opt_word("lane", draft.lane.as_ref());
    out.list("tags", &draft.tags);
    out.list("done_criteria", &draft.done_criteria);
    out.list("checks", &draft.checks);
    out.list("paths", &draft.paths);
    out.list("shared", &draft.shared);
    out.list("resources", &draft.resources);
    out.list("blocked_by", &draft.blocked_by);
    out.some_text("body", &draft.body);
}

/// Prints what was changed; the empty string and the empty list clear a field.
fn print_edit(out: &mut Writer, edit: &Edit) {
    fn word(out: &mut Writer, key: &str, to: Option<&Option<impl Display>>) {
        match to {
            Some(Some(word)) => out.word(key, word),
            Some(None) => out.word(key, ""),
            None => {}
        }
    }
    fn list<'a, T: Display + 'a>(
        out: &mut Writer,
        key: &str,
        to: Option<impl IntoIterator<Item = &'a T>>,
    ) {
        if let Some(items) = to {
            out.whole_list(key, items);
        }
    }
    out.opt_text("title", edit.title.as_deref());
    out.opt_word("priority", edit.priority);
    word(out, "assignee", edit.assignee.as_ref());
    word(out, "reviewer", edit.reviewer.as_ref());
    word(out, "lane", edit.lane.as_ref());
    list(out, "tags", edit.tags.as_ref());
    list(out, "done_criteria", edit.done_criteria.as_ref());
    list(out, "checks", edit.checks.as_ref());
    list(out, "paths", edit.paths.as_ref());
    list(out, "shared", edit.shared.as_ref());
    list(out, "resources", edit.resources.as_ref());
    list(out, "blocked_by", edit.blocked_by.as_ref());
    out.opt_text("body", edit.body.as_deref());
}
