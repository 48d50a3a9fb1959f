//! Tasks, edited or written by hand.

use crate::format::{self, ParsedTask, Shown};
use crate::model::task::{Draft, Edit as TaskEdit, Status, Task, TaskEvent, TaskLog};
use crate::ops::OpsError;
use crate::store::layout;

use super::{Adopted, Edit, edited};

impl Adopted {
    pub(super) fn task(&mut self, edit: &Edit) -> Result<(), OpsError> {
        let parsed = match edit.read(format::parse_task)? {
            Ok(parsed) => parsed,
            Err(reason) => {
                self.unreadable(edit, &reason);
                return Ok(());
            }
        };
        let before = edit.read_before(format::parse_task)?;
        let shown = parsed.shown.clone();
        let shown_before = before.as_ref().map(|before| before.shown.clone());
        let before = before
            .and_then(ParsedTask::into_log)
            .filter(|before| !before.log.is_empty());
        let seen = match (parsed.into_log(), before) {
            (Some(log), Some(before)) if log.id == before.id => TaskLog {
                log: log.log.merge(before.log),
                ..log
            },
            // All events were taken out, and the id with them.
            (None, Some(before)) => before,
            (Some(log), _) if !log.log.is_empty() => {
                // A file that came with its events was not edited: it was brought from elsewhere.
                if edit.file.before.is_none() {
                    return Ok(());
                }
                log
            }
            _ => return self.new_task(edit, &shown),
        };
        let Some(folded) = seen.fold() else {
            return Ok(());
        };
        let said = Shown::of(&folded.task);
        let untrue = said != shown;
        let wanted = meant(shown, shown_before.as_ref(), said);
        let (events, unsaid) = difference(&folded.task, &wanted);
        for (reason, next) in unsaid {
            let next = format!("use `reflectt {next}`").replace("ID", seen.id.as_str());
            self.refuse(edit, reason, next);
        }
        let had = self.changes.tasks.remove(&seen.id);
        let kept = had.is_some();
        let mut log = match (had, edit.snapshot.entry(seen.id)?) {
            (Some(log), _) => log,
            (None, Some(entry)) => edit.snapshot.log_of(entry)?,
            (None, None) => return Ok(()),
        };
        let id = seen.id;
        let added = edit.add(&mut log.log, &seen.log, events, |log, event| {
            let now = TaskLog {
                id,
                log: log.clone(),
            };
            match now.fold().map(|now| now.task.allows(&edit.file.by, event)) {
                Some(Err(refusal)) => Err(refusal.to_string()),
                Some(Ok(())) | None => Ok(()),
            }
        });
        for reason in added.refused {
            self.refuse(edit, reason, format_args!("see `reflectt task show {id}`"));
        }
        // The file shows what a person wrote until it is written anew.
        if kept || added.changed || untrue && edit.here {
            if edit.here {
                // What it says is in the events by then.
                self.changes.remove.push(edit.file.path.clone());
            }
            self.changes.tasks.insert(id, log);
        }
        Ok(())
    }

    /// A file with a title and no events is a new task.
    fn new_task(&mut self, edit: &Edit, shown: &Shown) -> Result<(), OpsError> {
        if !edit.here {
            return Ok(());
        }
        let file = edit.file;
        let id = match layout::id_in_file_name(&file.path) {
            Some(id) if edit.snapshot.entry(id)?.is_none() => id,
            _ => file.task_id(),
        };
        let draft = Draft {
            title: shown.title.clone().unwrap_or_default(),
            body: shown.body.clone().unwrap_or_default(),
            priority: shown.priority.unwrap_or_default(),
            assignee: shown.assignee.clone(),
            reviewer: shown.reviewer.clone(),
            lane: shown.lane.clone(),
            tags: shown.tags.clone().unwrap_or_default(),
            done_criteria: shown.done_criteria.clone().unwrap_or_default(),
            checks: shown.checks.clone().unwrap_or_default(),
            paths: shown.paths.clone().unwrap_or_default(),
            shared: shown.shared.clone().unwrap_or_default(),
            resources: shown.resources.clone().unwrap_or_default(),
            blocked_by: shown.blocked_by.clone().unwrap_or_default(),
        };
        let mut stamps = file.stamps(None);
        let stamp = stamps.next().expect("an edit has any number of ids");
        let log = TaskLog::created(id, stamp, file.by.clone(), draft);
        self.changes.remove.push(file.path.clone());
        self.changes.tasks.insert(id, log);
        Ok(())
    }
}

/// Returns what a person meant a file to show: what they left alone is what the events say.
fn meant(shown: Shown, before: Option<&Shown>, said: Shown) -> Shown {
    Shown {
        title: edited(shown.title, before.map(|it| &it.title), said.title),
        status: edited(shown.status, before.map(|it| &it.status), said.status),
        priority: edited(shown.priority, before.map(|it| &it.priority), said.priority),
        assignee: edited(shown.assignee, before.map(|it| &it.assignee), said.assignee),
        reviewer: edited(shown.reviewer, before.map(|it| &it.reviewer), said.reviewer),
        lane: edited(shown.lane, before.map(|it| &it.lane), said.lane),
        tags: edited(shown.tags, before.map(|it| &it.tags), said.tags),
        done_criteria: edited(
            shown.done_criteria,
            before.map(|it| &it.done_criteria),
            said.done_criteria,
        ),
        checks: edited(shown.checks, before.map(|it| &it.checks), said.checks),
        paths: edited(shown.paths, before.map(|it| &it.paths), said.paths),
        shared: edited(shown.shared, before.map(|it| &it.shared), said.shared),
        resources: edited(
            shown.resources,
            before.map(|it| &it.resources),
            said.resources,
        ),
        blocked_by: edited(
            shown.blocked_by,
            before.map(|it| &it.blocked_by),
            said.blocked_by,
        ),
        body: edited(shown.body, before.map(|it| &it.body), said.body),
    }
}

/// Why something cannot be said by an event of a person's, and the command that does it.
type Unsaid = (&'static str, &'static str);

/// Returns the events that lead from a task to what a file shows, and what no event can bring.
fn difference(task: &Task, shown: &Shown) -> (Vec<TaskEvent>, Vec<Unsaid>) {
    fn other<T: PartialEq + Clone>(now: &T, wanted: Option<&T>) -> Option<T> {
        wanted.filter(|wanted| *wanted != now).cloned()
    }
    fn all<T: PartialEq + Clone + Default>(now: &T, wanted: Option<&T>) -> Option<T> {
        let wanted = wanted.cloned().unwrap_or_default();
        Some(wanted).filter(|wanted| wanted != now)
    }
    fn maybe<T: PartialEq + Clone>(now: &Option<T>, wanted: &Option<T>) -> Option<Option<T>> {
        (now != wanted).then(|| wanted.clone())
    }
    let mut unsaid = Vec::new();
    let mut edit = TaskEdit {
        title: other(&task.title, shown.title.as_ref()),
        body: all(&task.body, shown.body.as_ref()),
        priority: other(&task.priority, shown.priority.as_ref()),
        assignee: None,
        reviewer: maybe(&task.reviewer, &shown.reviewer),
        lane: maybe(&task.lane, &shown.lane),
        tags: all(&task.tags, shown.tags.as_ref()),
        done_criteria: all(&task.done_criteria, shown.done_criteria.as_ref()),
        checks: all(&task.checks, shown.checks.as_ref()),
        paths: all(&task.paths, shown.paths.as_ref()),
        shared: all(&task.shared, shown.shared.as_ref()),
        resources: all(&task.resources, shown.resources.as_ref()),
        blocked_by: all(&task.blocked_by, shown.blocked_by.as_ref()),
    };
    match maybe(&task.assignee, &shown.assignee) {
        // Whose work it is, is decided by the claims table.
        Some(_) if task.fence.is_some() => unsaid.push((
            "who holds a task is changed by commands alone",
            "handoff ID --to NAME",
        )),
        assignee => edit.assignee = assignee,
    }
    let mut events = Vec::new();
    if !edit.is_empty() {
        events.push(TaskEvent::Edited(Box::new(edit)));
    }
    let reason = || "the status was edited by hand".to_owned();
    match shown.status {
        Some(wanted) if wanted == task.status => {}
        Some(Status::Cancelled) if task.status.is_open() => {
            events.push(TaskEvent::Cancelled { reason: reason() });
        }
        Some(Status::Todo) if !task.status.is_open() => {
            events.insert(0, TaskEvent::Reopened { reason: reason() });
        }
        Some(wanted) => unsaid.push((
            "this status follows from what is done",
            match wanted {
                Status::Todo => "release ID",
                Status::Doing => "claim ID",
                Status::Blocked => "block ID --reason WHY",
                Status::Validating => "submit ID",
                Status::Done => "review ID --approve",
                Status::Cancelled => "cancel ID --reason WHY",
            },
        )),
        None => {}
    }
    (events, unsaid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_edit_left_in_a_file_is_not_meant_again() {
        let shown = |title: &str, lane: &str| Shown {
            title: Some(title.to_owned()),
            lane: Some(lane.parse().unwrap()),
            ..Shown::default()
        };
        let said = shown("dull", "docs");
        let before = shown("telling", "docs");
        let now = shown("telling", "backend");
        let wanted = meant(now.clone(), Some(&before), said.clone());
        assert_eq!(wanted, shown("dull", "backend"));
        assert_eq!(meant(now.clone(), None, said), now);
    }
}
