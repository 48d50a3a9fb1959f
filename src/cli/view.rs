//! How tasks look to people and agents, in every command that prints one.

mod checks;
mod history;
pub mod inspection;
#[cfg(test)]
mod tests;

pub use checks::{checks, passing, results};
pub use history::history;

use std::collections::BTreeSet;

use crate::answer;
use crate::model::fit::{self, Missing};
use crate::model::id::TaskId;
use crate::model::path::PathPattern;
use crate::model::queue::Dependency;
use crate::model::share::Cover;
use crate::model::task::{Status, Task};
use crate::model::text;
use crate::ops::TaskRow;

use super::text::{DIM, Text, YELLOW};
use super::ui::Ui;

/// The column in which the values of facts start.
const KEY_WIDTH: usize = 11;

/// Says what was done to a task: `released k3f9x2  Keep the return path`.
pub fn done(ui: &Ui, verb: &str, task: &Task) {
    ui.line(
        Text::new()
            .plain(format!("{verb} "))
            .bold(task.id.as_str())
            .plain("  ")
            .plain(&task.title),
    );
}

/// Says what stands in the way of a planned task: criteria that are none, and what they name that
/// its paths cannot hold.
pub fn advice(ui: &Ui, task: &Task) {
    let id = task.id;
    let vague: Vec<String> = (task.done_criteria.iter())
        .filter(|criterion| !text::is_concrete(criterion))
        .map(|criterion| format!("`{criterion}`"))
        .collect();
    if !task.has_concrete_criteria() {
        let none = match vague.as_slice() {
            [] => String::new(),
            [one] => format!("; {one} is none"),
            many => format!("; {} are none", many.join(", ")),
        };
        ui.warn(format!(
            "nobody can claim it before it has a criterion that another agent can check, in two words or more{none}"
        ));
        ui.hint(format!("reflectt task edit {id} --criterion TEXT"));
    } else if !vague.is_empty() {
        ui.warn(format!(
            "no other agent can check {}: say what must be true, in two words or more",
            vague.join(", ")
        ));
    }
    for missing in fit::missing(&task.done_criteria, &task.paths) {
        ui.hint(match missing {
            Missing::File { number, path } => format!(
                "reflectt task edit {id} --path {path} (criterion {number} names it, and none of the paths covers it)"
            ),
            Missing::Test { number } => format!(
                "reflectt task edit {id} --path PATH (criterion {number} asks for a test, and none of the paths is one for tests)"
            ),
        });
    }
}

/// Names the command that ends the work on a task, with as many criteria as it has, and says which
/// checks it will run.
pub fn hint_submit(ui: &Ui, task: &Task) {
    let evidence: String = (1..=task.done_criteria.len())
        .map(|number| format!(" --evidence {number}=TEXT"))
        .collect();
    ui.hint(format!(
        "reflectt submit {} --summary TEXT{evidence} ({})",
        task.id,
        answer::when_done(task)
    ));
}

/// Whether a task is so for everybody, or only in this clone until the remote has decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Confirmed,
    Provisional,
}

impl Standing {
    pub fn of(provisional: bool) -> Standing {
        match provisional {
            true => Standing::Provisional,
            false => Standing::Confirmed,
        }
    }
}

/// Prints what one needs to know to work on a task.
pub fn task(ui: &Ui, task: &Task, waits: &[(TaskId, Dependency)], standing: Standing) {
    ui.line(
        Text::new()
            .bold(task.id.as_str())
            .plain("  ")
            .bold(&task.title),
    );
    facts(ui, task, waits, standing);
    if !task.done_criteria.is_empty() || !task.checks.is_empty() {
        heading(ui, "done when");
        for (index, criterion) in task.done_criteria.iter().enumerate() {
            ui.line(format!("  {}. {criterion}", index + 1));
        }
        for check in &task.checks {
            ui.line(format!("  the check {check} passes"));
        }
    }
    if let Some(changes) = &task.changes {
        let by = task.reviewer.as_ref().map(|name| format!(" by {name}"));
        match task.fault {
            Some(_) => important(ui, "sent back from landing"),
            None => important(ui, &format!("changes asked for{}", by.unwrap_or_default())),
        }
        ui.block(2, changes);
    }
    if let Some(handoff) = task.handoff.as_ref().filter(|_| task.status.is_open()) {
        let mut from = format!("left by {} {}", handoff.from, ui.relative(handoff.at.0));
        if let Some(branch) = &handoff.branch {
            from.push_str(&format!(" on the branch {branch}"));
        }
        important(ui, &from);
        ui.block(2, &handoff.note);
    }
    if !task.body.is_empty() {
        heading(ui, "description");
        ui.block(2, &task.body);
    }
}

/// Returns paths as they are shown: those that others may hold too are marked.
pub fn paths(paths: &[PathPattern], shared: &BTreeSet<PathPattern>) -> Vec<String> {
    Cover { paths, shared }.told()
}

fn facts(ui: &Ui, task: &Task, waits: &[(TaskId, Dependency)], standing: Standing) {
    fact(ui, "status", &status(ui, task, standing));
    fact(ui, "priority", task.priority.as_str());
    let some = |key, value: Option<&str>| {
        if let Some(value) = value {
            fact(ui, key, value);
        }
    };
    some(
        "reviewer",
        task.reviewer
            .as_ref()
            .map(super::super::model::name::AgentName::as_str),
    );
    some(
        "lane",
        task.lane
            .as_ref()
            .map(super::super::model::name::Lane::as_str),
    );
    some("tags", list(&task.tags).as_deref());
    some("paths", list(&paths(&task.paths, &task.shared)).as_deref());
    some("resources", list(&task.resources).as_deref());
    some(
        "waits for",
        list(waits.iter().map(waited).collect::<Vec<_>>().iter()).as_deref(),
    );
    if let Some(block) = &task.block {
        let mut why = block.reason.clone();
        if let Some(on) = block.on {
            why.push_str(&format!(" (waits for {on})"));
        }
        if block.needs_human {
            why.push_str(" (needs a person)");
        }
        fact(ui, "blocked", &why);
    }
    some(
        "branch",
        task.branch.as_deref().filter(|_| task.status.is_open()),
    );
    fact(
        ui,
        "created",
        &format!("{} by {}", ui.relative(task.created.0), task.created_by),
    );
    let key = if task.status == Status::Cancelled {
        "reason"
    } else {
        "reopened"
    };
    some(key, task.reason.as_deref());
}

/// Returns the status with who is behind it and since when.
fn status(ui: &Ui, task: &Task, standing: Standing) -> String {
    let mut text = task.told().to_owned();
    if let Some(name) = &task.assignee {
        text.push_str(&match task.status {
            Status::Todo => format!(", reserved for {name}"),
            Status::Done => format!(" by {name}"),
            Status::Cancelled => String::new(),
            Status::Doing | Status::Blocked | Status::Validating => format!(", held by {name}"),
        });
    }
    if standing == Standing::Provisional {
        text.push_str(", provisional until the remote has decided");
    }
    if let Some(approved) = task.approved.as_ref().filter(|_| task.waits_to_land()) {
        let at = ui.relative(approved.at.0);
        text.push_str(&format!(" (approved by {} {at})", approved.by));
    } else if let Some(at) = task.claimed_at {
        text.push_str(&format!(" (claimed {})", ui.relative(at.0)));
    }
    if let Some(landed) = &task.landed {
        text.push_str(&format!(
            ", landed as {}",
            text::short_commit(&landed.commit)
        ));
    }
    if let Some(at) = task.closed {
        text.push_str(&format!(" ({})", ui.relative(at.0)));
    }
    text
}

/// Prints the latest submission, if there is one.
pub fn submission(ui: &Ui, row: &TaskRow) {
    let task = &row.task;
    let Some((stamp, bundle)) = &task.submission else {
        return;
    };
    heading(ui, &format!("submitted {}", ui.relative(stamp.at().0)));
    ui.block(2, &bundle.summary);
    for (index, evidence) in bundle.evidence.iter().enumerate() {
        ui.block(2, &format!("{}. {evidence}", index + 1));
    }
    let some = |key, value: Option<&String>| {
        if let Some(value) = value {
            ui.block(2, &format!("{key:<9}{value}"));
        }
    };
    some("commit", bundle.commit.as_ref());
    if let (Some(base), Some(commit)) = (&bundle.base, &bundle.commit) {
        let (base, commit) = (text::short_commit(base), text::short_commit(commit));
        some("range", Some(&format!("git diff {base}...{commit}")));
    }
    if !bundle.beneath.is_empty() {
        some("on", list(&bundle.beneath).as_ref());
    }
    if task.status.is_open() && bundle.commit.is_some() {
        if !row.is_here {
            important(ui, "  not in this clone yet: reflectt sync");
        }
        if !row.published {
            important(ui, "  not published yet: the author's next sync does that");
        }
    }
    some("pr", bundle.pr.as_ref());
    some("caveat", bundle.caveat.as_ref());
    if bundle.no_check {
        ui.block(2, "checks   did not run (--no-check)");
    }
}

fn fact(ui: &Ui, key: &str, value: &str) {
    ui.line(Text::new().dim(format!("{key:<KEY_WIDTH$}")).plain(value));
}

fn heading(ui: &Ui, heading: &str) {
    ui.line(Text::new().styled(DIM, heading));
}

fn important(ui: &Ui, heading: &str) {
    ui.line(Text::new().styled(YELLOW, heading));
}

fn list<'t, T: ToString + 't>(items: impl IntoIterator<Item = &'t T>) -> Option<String> {
    let items: Vec<String> = items.into_iter().map(ToString::to_string).collect();
    (!items.is_empty()).then(|| items.join(", "))
}

/// Returns what a task in a list waits for, in a few words.
pub fn waits_for(row: &TaskRow) -> String {
    let task = &row.task;
    match task.status {
        Status::Validating if task.waits_to_land() => "to land".to_owned(),
        Status::Validating => match &task.reviewer {
            Some(reviewer) => format!("review by {reviewer}"),
            None => "a reviewer".to_owned(),
        },
        Status::Blocked => match &task.block {
            Some(block) => {
                let on = block.on.map(|on| on.to_string());
                let human = block.needs_human.then(|| "a person".to_owned());
                let who: Vec<String> = on.into_iter().chain(human).collect();
                if who.is_empty() {
                    block.reason.clone()
                } else {
                    format!("{}: {}", who.join(", "), block.reason)
                }
            }
            None => String::new(),
        },
        Status::Todo => {
            let vague = (!task.has_concrete_criteria()).then(|| "a criterion".to_owned());
            let tasks = row.waits_for.iter().map(waited);
            vague
                .into_iter()
                .chain(tasks)
                .collect::<Vec<_>>()
                .join(", ")
        }
        Status::Doing if task.changes.is_some() => "changes".to_owned(),
        Status::Doing | Status::Done | Status::Cancelled => String::new(),
    }
}

fn waited((id, state): &(TaskId, Dependency)) -> String {
    match state {
        Dependency::Cancelled => format!("{id} (cancelled)"),
        Dependency::Unknown => format!("{id} (unknown here)"),
        Dependency::Open | Dependency::Done => id.to_string(),
    }
}
