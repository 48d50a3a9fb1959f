//! What happened to a task, one line an event.

use crate::cli::text::Text;
use crate::cli::ui::Ui;
use crate::cli::width;
use crate::model::check::CheckResult;
use crate::model::id::{Fence, Stamp};
use crate::model::name::Author;
use crate::model::task::{Edit, Fault, TaskEvent};
use crate::model::text::short_commit;

/// Prints events, oldest first: when, who, what, and what was written on the way.
pub fn history(ui: &Ui, events: &[(Stamp, Author, TaskEvent, Option<String>)]) {
    ui.line(Text::new().dim("history"));
    let whens: Vec<String> = (events.iter())
        .map(|(stamp, ..)| ui.relative(stamp.at().0))
        .collect();
    let when_width = whens.iter().map(|when| width::of(when)).max().unwrap_or(0);
    let who_width = (events.iter())
        .map(|(_, by, ..)| Text::from(by.as_str()).width())
        .max()
        .unwrap_or(0);
    for ((_, by, event, void), when) in events.iter().zip(&whens) {
        let (what, words) = describe(event);
        let pad = who_width.saturating_sub(Text::from(by.as_str()).width());
        let mut line = Text::new()
            .dim(format!("  {when:<when_width$}  "))
            .plain(by.as_str())
            .plain(" ".repeat(pad + 2))
            .plain(what);
        let words = words.unwrap_or_default();
        let mut words = words.trim_end().lines();
        if let Some(first) = words.next() {
            line = line.plain(": ").plain(first);
        }
        if let Some(why) = void {
            line = line.plain(format!(" (void: {why})"));
        }
        ui.line(line);
        let rest: Vec<&str> = words.collect();
        ui.block(4, &rest.join("\n"));
    }
}

/// Returns the fence of a claim, as far as the remote's table gave it one.
fn under(fence: Fence) -> String {
    match fence.given() {
        Some(fence) => format!(", fence {fence}"),
        None => " provisionally".to_owned(),
    }
}

/// Returns what happened, and the words that came with it.
pub fn describe(event: &TaskEvent) -> (String, Option<String>) {
    let said = |what: &str, words: &str| (what.to_owned(), Some(words.to_owned()));
    match event {
        TaskEvent::Created(_) => ("created it".to_owned(), None),
        TaskEvent::Edited(edit) => (format!("changed {}", changed(edit).join(", ")), None),
        TaskEvent::Commented { text } => said("commented", text),
        TaskEvent::Claimed {
            fence, taken_over, ..
        } => match taken_over {
            Some(reason) => said(&format!("took it over{}", under(*fence)), reason),
            None => (format!("claimed it{}", under(*fence)), None),
        },
        TaskEvent::Extended { paths, shared, .. } => {
            let paths = super::paths(paths, shared).join(", ");
            (format!("changed the claim to {paths}"), None)
        }
        TaskEvent::Blocked {
            reason,
            on,
            needs_human,
        } => {
            let mut what = "blocked it".to_owned();
            if let Some(on) = on {
                what.push_str(&format!(" on {on}"));
            }
            if *needs_human {
                what.push_str(", needs a person");
            }
            said(&what, reason)
        }
        TaskEvent::Unblocked => ("unblocked it".to_owned(), None),
        TaskEvent::Submitted(bundle) => {
            let mut what = "submitted".to_owned();
            if let Some(commit) = &bundle.commit {
                what.push_str(&format!(" {}", short_commit(commit)));
            }
            if let Some(reviewer) = &bundle.reviewer {
                what.push_str(&format!(" to {reviewer}"));
            }
            said(&what, &bundle.summary)
        }
        TaskEvent::Approved { note, .. } => ("approved it".to_owned(), note.clone()),
        TaskEvent::Landed { commit, .. } => (format!("landed as {}", short_commit(commit)), None),
        TaskEvent::SentBack(back) => said(
            match back.fault {
                Fault::Conflict => "sent it back, as it conflicts",
                Fault::Check => "sent it back, as it breaks a check",
            },
            &back.note,
        ),
        TaskEvent::ChangesRequested { note, .. } => said("asked for changes", note),
        TaskEvent::Corrected { note, .. } => said("corrected what the review says", note),
        TaskEvent::Reminded { reviewer, alone } => {
            let what = match alone {
                true => format!("found nobody to ask instead of {reviewer}"),
                false => format!("reminded {reviewer} of the review"),
            };
            (what, None)
        }
        TaskEvent::Released { note } => ("released it".to_owned(), note.clone()),
        TaskEvent::HandedOff { to, note, fence } => match fence {
            Some(fence) => said(&format!("handed it to {to}{}", under(*fence)), note),
            None => said(&format!("reserved it for {to}"), note),
        },
        TaskEvent::Lapsed { agent, fence, note } => {
            said(&format!("ended the claim {fence} of {agent}"), note)
        }
        TaskEvent::Cancelled { reason } => said("cancelled it", reason),
        TaskEvent::Reopened { reason } => said("reopened it", reason),
        TaskEvent::Checked(result) => checked(result),
        TaskEvent::Overridden { reason, paths } => said(
            &format!("changed {} all the same", paths.join(", ")),
            reason,
        ),
        TaskEvent::Retracted { note, .. } => said("took back an event", note),
        TaskEvent::Unknown { kind } => (
            format!("did something this version does not know (`{kind}`)"),
            None,
        ),
    }
}

/// Returns what came of a check; of one that did not pass, with the end of what it printed.
fn checked(result: &CheckResult) -> (String, Option<String>) {
    let commit = short_commit(&result.commit);
    let what = format!("ran check {} on {commit}", result.name);
    let words = super::checked(result);
    let lines = match result.passed() {
        true => Vec::new(),
        false => result.output.clone(),
    };
    (what, Some([vec![words], lines].concat().join("\n")))
}

fn changed(edit: &Edit) -> Vec<String> {
    fn to<T: ToString>(name: &str, value: Option<&T>) -> Option<String> {
        value.map(|value| format!("{name} to {}", value.to_string()))
    }
    fn or_none<T: ToString>(name: &str, value: Option<&Option<T>>) -> Option<String> {
        value.map(|value| match value {
            Some(value) => format!("{name} to {}", value.to_string()),
            None => format!("{name} to none"),
        })
    }
    fn list<'t, T: ToString + 't>(
        name: &str,
        items: Option<impl IntoIterator<Item = &'t T>>,
    ) -> Option<String> {
        let items: Vec<String> = items?.into_iter().map(ToString::to_string).collect();
        Some(if items.is_empty() {
            format!("{name} to none")
        } else {
            format!("{name} to {}", items.join(" "))
        })
    }
    [
        to("title", edit.title.as_ref()),
        edit.body.as_ref().map(|_| "description".to_owned()),
        to("priority", edit.priority.as_ref()),
        or_none("assignee", edit.assignee.as_ref()),
        or_none("reviewer", edit.reviewer.as_ref()),
        or_none("lane", edit.lane.as_ref()),
        list("tags", edit.tags.as_ref()),
        edit.done_criteria
            .as_ref()
            .map(|all| format!("criteria to {} in all", all.len())),
        list("checks", edit.checks.as_ref()),
        list("paths", edit.paths.as_ref()),
        list("shared paths", edit.shared.as_ref()),
        list("resources", edit.resources.as_ref()),
        list("dependencies", edit.blocked_by.as_ref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}
