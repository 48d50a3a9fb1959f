//! Edits by hand become events.
//!
//! A person may change the state at the top of a file, or add a file with only a title. The
//! difference to what the events say is what they meant, and is recorded as their doing. Reading
//! goes by the events, so an edit by hand has no effect before it is adopted, and what cannot be
//! adopted is said and leaves things as they were.

use crate::format::{self, Shown};
use crate::git::Oid;
use crate::model::settings::{Setting, SettingsEvent};
use crate::model::task::{Draft, Edit, Priority, Status, Task, TaskEvent, TaskLog};
use crate::store::{Changes, HandMade, Origin, Snapshot, Step, Store, StoreError, layout};

use crate::model::name::Author;
use crate::ops::{Context, OpsError};

/// What edits by hand come to.
#[derive(Debug, Default)]
pub struct Adopted {
    pub changes: Changes,
    /// What could not be adopted, and why.
    pub warnings: Vec<String>,
}

/// Adopts what was made by hand on the record of this clone, if its last commit was.
///
/// Every command does so before it writes: writing a file anew would undo what a person wrote in it.
pub fn adopt_here(ctx: &Context) -> Result<Vec<String>, OpsError> {
    let store = ctx.store();
    loop {
        let local = store.local_tips()?;
        let Some(tip) = local.record else {
            return Err(store.not_initialised().into());
        };
        if !store.is_hand_made(tip)? {
            return Ok(Vec::new());
        }
        let snapshot = store.snapshot_at(tip, local.table)?;
        let adopted = adopt(&snapshot, &store.hand_made(tip)?)?;
        let origin = Origin {
            author: Author::reflectt(),
            now: ctx.now(),
        };
        let tips = store.compose(&snapshot, &adopted.changes, &origin)?;
        let to = tips.record.unwrap_or(tip);
        let step = Step {
            from: Some(tip),
            to,
        };
        if store.move_local(None, Some(step), "adopt edits by hand")? {
            store.note_adopted(to);
            return Ok(adopted.warnings);
        }
    }
}

/// Returns the changes that follow from files made by hand, on top of `snapshot`.
pub fn adopt(snapshot: &Snapshot, files: &[HandMade]) -> Result<Adopted, OpsError> {
    let mut adopted = Adopted::default();
    for file in files {
        let bytes = match snapshot
            .store()
            .repo()
            .read_blob_limited(file.blob, layout::FILE_MAX)
        {
            Ok(bytes) => bytes,
            // Not a file of ours; `doctor` names it.
            Err(_) => continue,
        };
        if file.path == layout::CONFIG {
            adopted.settings(snapshot, file, &bytes)?;
        } else {
            adopted.task(snapshot, file, &bytes)?;
        }
    }
    let count = adopted.changes.tasks.len() + usize::from(adopted.changes.settings.is_some());
    adopted.changes.subject = match count {
        1 => "adopt an edit by hand".to_owned(),
        count => format!("adopt {count} edits by hand"),
    };
    Ok(adopted)
}

impl Adopted {
    fn task(&mut self, snapshot: &Snapshot, file: &HandMade, bytes: &[u8]) -> Result<(), OpsError> {
        // A file that cannot be read is quarantined, and named by `doctor`.
        let Ok(parsed) = format::parse_task(bytes) else {
            return Ok(());
        };
        if parsed.log.is_empty() {
            return self.new_task(snapshot, file, &parsed.shown);
        }
        let shown = parsed.shown.clone();
        // A file that came with its events was not edited: it was brought from elsewhere.
        if file.new {
            return Ok(());
        }
        let Some(written) = parsed.into_log() else {
            return Ok(());
        };
        let Some(folded) = written.fold() else {
            return Ok(());
        };
        let (events, unsaid) = difference(&folded.task, &shown);
        for what in unsaid {
            self.warnings.push(format!(
                "`{}` was edited by hand, but {what} is changed by commands alone",
                file.path
            ));
        }
        let mut log = match self.changes.tasks.remove(&written.id) {
            Some(log) => log,
            None => match snapshot.entry(written.id)? {
                Some(entry) => snapshot.log_of(entry)?,
                None => return Ok(()),
            },
        };
        let mut stamp = file.stamp(written.log.last());
        let mut changed = false;
        for event in events {
            if log.log.get(stamp).is_none() {
                let allowed = log.fold().map(|now| now.task.allows(&file.by, &event));
                match allowed {
                    Some(Ok(())) | None => {
                        log.log.push(stamp, file.by.clone(), event);
                        changed = true;
                    }
                    Some(Err(refusal)) => self.warnings.push(format!(
                        "the edit of `{}` by hand is not adopted: {}",
                        file.path, refusal.message
                    )),
                }
            }
            stamp = file.stamp(Some(stamp));
        }
        // The file shows what a person wrote until it is written anew.
        let edited = Shown::of(&folded.task) != shown;
        if changed || edited && is_at(snapshot, file)? {
            self.changes.tasks.insert(log.id, log);
        }
        Ok(())
    }

    /// A file with a title and no events is a new task.
    fn new_task(
        &mut self,
        snapshot: &Snapshot,
        file: &HandMade,
        shown: &Shown,
    ) -> Result<(), OpsError> {
        if !is_at(snapshot, file)? {
            return Ok(());
        }
        let id = match layout::id_in_file_name(&file.path) {
            Some(id) if snapshot.entry(id)?.is_none() => id,
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
            paths: shown.paths.clone().unwrap_or_default(),
            resources: shown.resources.clone().unwrap_or_default(),
            blocked_by: shown.blocked_by.clone().unwrap_or_default(),
        };
        let log = TaskLog::created(id, file.stamp(None), file.by.clone(), draft);
        self.changes.remove.push(file.path.clone());
        self.changes.tasks.insert(id, log);
        Ok(())
    }

    fn settings(
        &mut self,
        snapshot: &Snapshot,
        file: &HandMade,
        bytes: &[u8],
    ) -> Result<(), OpsError> {
        let Ok(parsed) = format::parse_settings(bytes) else {
            return Ok(());
        };
        let written = parsed.log.values();
        let mut log = match self.changes.settings.take() {
            Some(log) => log,
            None => snapshot.settings_log()?.clone(),
        };
        let mut stamp = file.stamp(parsed.log.log.last());
        let mut changed = false;
        for (key, value) in &parsed.shown {
            if written.get(key.as_str()) == Some(&value.as_str()) {
                continue;
            }
            let checked = Setting::parse(key, value).and_then(|setting| log.check(&[setting]));
            match checked {
                Ok(()) if log.log.get(stamp).is_none() => {
                    let (key, value) = (key.clone(), value.clone());
                    let event = SettingsEvent::Set { key, value };
                    log.log.push(stamp, file.by.clone(), event);
                    changed = true;
                }
                Ok(()) => {}
                Err(error) => self.warnings.push(format!(
                    "the setting `{key}`, edited by hand, is not adopted: {error}"
                )),
            }
            stamp = file.stamp(Some(stamp));
        }
        if changed {
            self.changes.settings = Some(log);
        }
        Ok(())
    }
}

/// Tells whether the record still has the file as it was left by hand.
fn is_at(snapshot: &Snapshot, file: &HandMade) -> Result<bool, StoreError> {
    let found = snapshot
        .store()
        .repo()
        .find_path(snapshot.tree, &file.path)?;
    Ok(found.map(|entry| entry.oid) == Some(file.blob))
}

/// Returns the events that lead from a task to what a file shows, and what no event can bring.
fn difference(task: &Task, shown: &Shown) -> (Vec<TaskEvent>, Vec<&'static str>) {
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
    let mut edit = Edit {
        title: other(&task.title, shown.title.as_ref()),
        body: all(&task.body, shown.body.as_ref()),
        priority: other::<Priority>(&task.priority, shown.priority.as_ref()),
        assignee: None,
        reviewer: maybe(&task.reviewer, &shown.reviewer),
        lane: maybe(&task.lane, &shown.lane),
        tags: all(&task.tags, shown.tags.as_ref()),
        done_criteria: all(&task.done_criteria, shown.done_criteria.as_ref()),
        paths: all(&task.paths, shown.paths.as_ref()),
        resources: all(&task.resources, shown.resources.as_ref()),
        blocked_by: all(&task.blocked_by, shown.blocked_by.as_ref()),
    };
    match maybe(&task.assignee, &shown.assignee) {
        // Whose work it is, is decided by the claims table.
        Some(_) if task.fence.is_some() => unsaid.push("who holds a task"),
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
        Some(_) => unsaid.push("this status"),
        None => {}
    }
    (events, unsaid)
}

/// Returns the tip that follows `record` once edits by hand are adopted, for a sync to go on with.
pub fn changes_on(store: &Store, snapshot: &Snapshot, record: Oid) -> Result<Adopted, OpsError> {
    adopt(snapshot, &store.hand_made(record)?)
}
