//! What happened, in the words that people read: one event, one check.

use crate::model::agent::AgentEvent;
use crate::model::check::{CheckResult, Outcome};
use crate::model::id::{Fence, TaskId};
use crate::model::name::AgentName;
use crate::model::share::Cover;
use crate::model::task::{Edit, Fault, TaskEvent};
use crate::model::text::short_commit;
use crate::model::time::Span;
use crate::ops::{HistoryEvent, HistorySubject};

use super::excerpt::first_line;

/// One thing that happened, as a line says it after when and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// The task it is about.
    pub task: Option<TaskId>,
    pub what: String,
    /// The task's title, where it is not clear from the words.
    pub title: Option<String>,
}

/// Returns what happened, with at most `max` characters of what somebody wrote.
pub fn happening(event: &HistoryEvent, max: usize) -> Happening {
    let plain = |what: String| Happening {
        task: None,
        what,
        title: None,
    };
    match &event.subject {
        HistorySubject::Task { id, title, event } => {
            let (what, words) = describe(event);
            let what = match words {
                Some(words) => format!("{what}: {}", first_line(&words, max)),
                None => what,
            };
            Happening {
                task: Some(*id),
                what,
                title: Some(title.clone()),
            }
        }
        HistorySubject::Message(message) => {
            let names = message.to.iter().map(AgentName::to_string);
            let channel = message.channel.iter().map(|channel| format!("#{channel}"));
            let to: Vec<String> = channel.chain(names).collect();
            let to = to.join(", ");
            match (message.notice, message.task) {
                // What it says is what the event that caused it says.
                (Some(notice), task) => Happening {
                    task,
                    ..plain(format!("told {to} [{notice}]"))
                },
                (None, _) => plain(format!("to {to}: {}", first_line(&message.body, max))),
            }
        }
        HistorySubject::Reflection(reflection) => plain(format!(
            "reflected: {}",
            first_line(&reflection.change, max)
        )),
        HistorySubject::Agent { name, event: what } => {
            let own = name.as_str() == event.by.as_str();
            plain(match (what, own) {
                (AgentEvent::Joined(_), true) => "joined the team".to_owned(),
                (AgentEvent::Joined(_), false) => format!("put {name} on the team"),
                (AgentEvent::Left, true) => "left the team".to_owned(),
                (AgentEvent::Left, false) => format!("took {name} off the team"),
                (AgentEvent::Retracted { .. }, _) => format!("took back an event of {name}"),
                (AgentEvent::Unknown { kind }, _) => format!("{kind} {name}"),
            })
        }
        HistorySubject::Settings { key, value } => plain(format!("set {key} to {value}")),
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
            let paths = Cover { paths, shared }.told().join(", ");
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
        TaskEvent::Checked(result) => ran(result),
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
fn ran(result: &CheckResult) -> (String, Option<String>) {
    let commit = short_commit(&result.commit);
    let what = format!("ran check {} on {commit}", result.name);
    let words = checked(result);
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

/// Says in a few words what came of a check.
pub fn checked(result: &CheckResult) -> String {
    let took = tenths(result.took);
    match &result.outcome {
        Outcome::Passed if result.cached => "passed before on the same files".to_owned(),
        Outcome::Passed => format!("passed in {took}"),
        Outcome::Failed { code } => format!("failed with exit code {code} after {took}"),
        Outcome::CouldNotRun { detail, .. } => format!("could not run: {detail}"),
    }
}

/// Returns a time as people read it: with tenths of a second as long as these matter.
fn tenths(span: Span) -> String {
    let millis = span.as_millis();
    match millis {
        0..60_000 => format!("{}.{}s", millis / 1000, millis % 1000 / 100),
        _ => Span::from_secs(millis / 1000).to_string(),
    }
}
