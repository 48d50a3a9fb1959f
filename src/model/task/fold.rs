//! From a log to a state: which event is legal when, and what it does.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::check::{CheckResult, RUNS_MAX};
use crate::model::event::Event;
use crate::model::id::{Fence, Stamp, TaskId};
use crate::model::moment::Moment;
use crate::model::name::{AgentName, Author};
use crate::model::path::PathPattern;
use crate::model::time::Timestamp;

use super::{
    Approval, Asked, Block, Checked, Draft, Edit, Fault, Folded, Handoff, Landed, Status, Task,
    TaskEvent, TaskLog,
};

/// How much of an earlier note is kept beside that of a claim that lapsed, in characters. A task
/// may lapse again and again, and its note must not grow with it.
const KEPT_OF_EARLIER_NOTE: usize = 300;

impl TaskLog {
    /// Computes the state, event by event in the order in which they count.
    ///
    /// Returns `None` if no event created the task: such a file was written by hand.
    pub fn fold(&self) -> Option<Folded> {
        let mut void = Vec::new();
        let retracted = self.retracted();
        // Every task was made once, whatever somebody did to the id of that event.
        let made = self
            .origin()
            .filter(|origin| retracted.contains_key(origin));
        let mut task = made.and_then(|made| self.made_by(made, &retracted));
        let events = self.log.in_order().into_iter();
        for (stamp, event) in events.filter(|(stamp, _)| Some(*stamp) != made) {
            if let Some(note) = retracted.get(&stamp) {
                void.push((stamp, (*note).to_owned()));
                continue;
            }
            match (&mut task, &event.kind) {
                (None, TaskEvent::Created(draft)) => {
                    task = Some(Task::from_draft(self.id, stamp.at(), &event.by, draft));
                }
                (None, _) => void.push((stamp, "came before the task was created".to_owned())),
                (Some(task), _) => match task.allows_event(event) {
                    Ok(()) => task.apply(stamp, event),
                    Err(refusal) => void.push((stamp, refusal.to_string())),
                },
            }
        }
        task.map(|task| Folded { task, void })
    }
}

impl TaskLog {
    /// Returns the task as an event made it whose id is of no time at all: it is as old as what
    /// is known of it else.
    fn made_by(&self, made: Stamp, retracted: &BTreeMap<Stamp, &str>) -> Option<Task> {
        let event = self.log.get(made)?;
        let mut known = self.log.iter().map(|(stamp, _)| stamp);
        let first = known.find(|stamp| !retracted.contains_key(stamp))?;
        match &event.kind {
            TaskEvent::Created(draft) => {
                Some(Task::from_draft(self.id, first.at(), &event.by, draft))
            }
            _ => None,
        }
    }

    /// Returns the events that count for nothing, and why: those that are disowned, and those that
    /// gave somebody the task until it was decided otherwise.
    fn retracted(&self) -> BTreeMap<Stamp, &str> {
        let itself = Author::reflectt();
        let notes = self.log.iter().filter_map(|(_, event)| match &event.kind {
            TaskEvent::Retracted { event: of, note } if event.by == itself => {
                Some((*of, note.as_str()))
            }
            _ => None,
        });
        let gives = |stamp: &Stamp| {
            let event = self.log.get(*stamp);
            event.is_some_and(|event| event.kind.grants().is_some())
        };
        let mut retracted = self.log.disowned();
        retracted.extend(notes.filter(|(stamp, _)| gives(stamp)));
        retracted
    }

    /// Takes back the claims whose fences the table cannot have given out.
    ///
    /// Such a fence would stand above all that follow, and no claim of the task would count again.
    pub fn take_back_beyond(&mut self, reach: Fence, moment: Moment, rng: &mut fastrand::Rng) {
        let retracted = self.retracted();
        let claims = self
            .log
            .iter()
            .filter(|(id, _)| !retracted.contains_key(id));
        let beyond: Vec<(Stamp, Fence)> = claims
            .filter_map(|(id, event)| Some((id, event.kind.grants()?.0)))
            .filter(|(_, fence)| *fence > reach)
            .collect();
        for (event, fence) in beyond {
            let note = format!("the claims table cannot have given out claim {fence}");
            let taken_back = TaskEvent::Retracted { event, note };
            (self.log).append(moment, rng, Author::reflectt(), taken_back);
        }
    }
}

impl Task {
    fn from_draft(id: TaskId, at: Timestamp, by: &Author, draft: &Draft) -> Task {
        Task {
            id,
            title: draft.title.clone(),
            body: draft.body.clone(),
            status: Status::Todo,
            priority: draft.priority,
            assignee: draft.assignee.clone(),
            reviewer: draft.reviewer.clone(),
            lane: draft.lane.clone(),
            tags: draft.tags.clone(),
            done_criteria: draft.done_criteria.clone(),
            checks: draft.checks.clone(),
            paths: draft.paths.clone(),
            shared: within(&draft.paths, &draft.shared),
            resources: draft.resources.clone(),
            blocked_by: draft.blocked_by.clone(),
            fence: None,
            last_fence: Fence::default(),
            last_holder: None,
            branch: None,
            claimed_at: None,
            block: None,
            submission: None,
            approved: None,
            landed: None,
            checked: Vec::new(),
            asked: None,
            changes: None,
            fault: None,
            handoff: None,
            reason: None,
            created_by: by.clone(),
            created: at,
            updated: at,
            closed: None,
        }
    }

    fn apply(&mut self, stamp: Stamp, event: &Event<TaskEvent>) {
        // Whoever decided may have a clock that is behind.
        let at = stamp.at().max(self.created);
        self.updated = self.updated.max(at);
        match &event.kind {
            TaskEvent::Created(_)
            | TaskEvent::Commented { .. }
            | TaskEvent::Overridden { .. }
            | TaskEvent::Retracted { .. }
            | TaskEvent::Unknown { .. } => {}
            TaskEvent::Edited(edit) => self.edit(edit, at),
            TaskEvent::Checked(result) => self.note_check(stamp, &event.by, result),
            TaskEvent::Claimed {
                agent,
                fence,
                paths,
                shared,
                resources,
                branch,
                ..
            } => {
                self.hold(agent, *fence, at);
                self.add_paths(paths, shared);
                self.resources.extend(resources.iter().cloned());
                self.branch.clone_from(branch);
            }
            TaskEvent::Extended {
                paths,
                shared,
                resources,
                branch,
            } => {
                self.add_paths(paths, shared);
                self.resources.extend(resources.iter().cloned());
                if branch.is_some() {
                    self.branch.clone_from(branch);
                }
            }
            TaskEvent::Blocked {
                reason,
                on,
                needs_human,
            } => {
                self.status = Status::Blocked;
                self.block = Some(Block {
                    reason: reason.clone(),
                    on: *on,
                    needs_human: *needs_human,
                    since: at,
                });
            }
            TaskEvent::Unblocked => {
                self.status = Status::Doing;
                self.block = None;
            }
            TaskEvent::Submitted(submission) => {
                self.status = Status::Validating;
                self.block = None;
                self.closed = None;
                // What was asked for is made, for all one knows; the reviewer will say.
                self.changes = None;
                self.approved = None;
                self.submission = Some((stamp, (**submission).clone()));
                if submission.reviewer.is_some() {
                    self.reviewer.clone_from(&submission.reviewer);
                    self.asked = Some(Asked::at(at));
                } else {
                    // Nobody is to review it, so nothing is left to wait for.
                    self.close(Status::Done, at);
                }
            }
            TaskEvent::Approved { commit, lands, .. } => {
                self.changes = None;
                self.asked = None;
                self.approved = Some(Approval {
                    by: event.by.clone(),
                    commit: commit.clone(),
                    at,
                });
                if !lands {
                    self.close(Status::Done, at);
                }
            }
            TaskEvent::Landed { commit, .. } => {
                let commit = commit.clone();
                self.landed = Some(Landed { commit, at });
                self.close(Status::Done, at);
            }
            TaskEvent::ChangesRequested { note, .. } => self.give_back(note, None),
            TaskEvent::SentBack(back) => self.give_back(&back.note, Some(back.fault)),
            TaskEvent::Reminded { alone, .. } => {
                if let Some(asked) = &mut self.asked {
                    asked.reminded = true;
                    asked.alone |= alone;
                }
            }
            // The note of an approval is in the history alone.
            TaskEvent::Corrected { note, .. } => {
                if let Some(changes) = &mut self.changes {
                    changes.clone_from(note);
                }
            }
            TaskEvent::Released { note } => {
                self.leave_note(note.as_deref(), at);
                self.let_go(None);
            }
            TaskEvent::HandedOff { to, note, fence } => {
                self.leave_note(Some(note), at);
                match fence {
                    Some(fence) => self.hold(to, *fence, at),
                    None => self.let_go(Some(to.clone())),
                }
            }
            TaskEvent::Lapsed { note, .. } => {
                // Whoever went silent said nothing about the work; what was said before still holds.
                let before = self
                    .handoff
                    .as_ref()
                    .filter(|before| !before.note.is_empty());
                let note = match before {
                    Some(before) => {
                        let said: String = before.note.chars().take(KEPT_OF_EARLIER_NOTE).collect();
                        format!("{note}; before that, `{}`: {said}", before.from)
                    }
                    None => note.clone(),
                };
                self.leave_note(Some(&note), at);
                self.let_go(None);
            }
            TaskEvent::Cancelled { reason } => {
                self.reason = Some(reason.clone());
                self.close(Status::Cancelled, at);
            }
            TaskEvent::Reopened { reason } => {
                self.reason = Some(reason.clone());
                self.closed = None;
                self.submission = None;
                self.landed = None;
                self.let_go(None);
            }
        }
    }

    fn edit(&mut self, edit: &Edit, at: Timestamp) {
        fn set<T: Clone>(field: &mut T, to: Option<&T>) {
            if let Some(to) = to {
                field.clone_from(to);
            }
        }
        set(&mut self.title, edit.title.as_ref());
        set(&mut self.body, edit.body.as_ref());
        set(&mut self.priority, edit.priority.as_ref());
        set(&mut self.assignee, edit.assignee.as_ref());
        let named = edit.reviewer.as_ref();
        if self.asked.is_some() && named.is_some_and(|named| *named != self.reviewer) {
            self.asked = Some(Asked::at(at));
        }
        set(&mut self.reviewer, named);
        set(&mut self.lane, edit.lane.as_ref());
        set(&mut self.tags, edit.tags.as_ref());
        set(&mut self.done_criteria, edit.done_criteria.as_ref());
        set(&mut self.checks, edit.checks.as_ref());
        set(&mut self.paths, edit.paths.as_ref());
        set(&mut self.shared, edit.shared.as_ref());
        self.shared = within(&self.paths, &self.shared);
        set(&mut self.resources, edit.resources.as_ref());
        set(&mut self.blocked_by, edit.blocked_by.as_ref());
    }

    /// Adds what a claim covers, as it is covered: for its holder alone, or shared.
    fn add_paths(&mut self, paths: &[PathPattern], shared: &BTreeSet<PathPattern>) {
        for path in paths {
            if !self.paths.contains(path) {
                self.paths.push(path.clone());
            }
            match shared.contains(path) {
                true => self.shared.insert(path.clone()),
                false => self.shared.remove(path),
            };
        }
    }

    /// Keeps the latest run of each check on each commit, and of those the latest.
    fn note_check(&mut self, stamp: Stamp, by: &Author, result: &CheckResult) {
        let same =
            |run: &Checked| run.result.name == result.name && run.result.commit == result.commit;
        self.checked.retain(|run| !same(run));
        self.checked.push(Checked {
            stamp,
            by: by.clone(),
            result: result.without_output(),
        });
        let surplus = self.checked.len().saturating_sub(RUNS_MAX);
        self.checked.drain(..surplus);
    }

    fn hold(&mut self, agent: &AgentName, fence: Fence, at: Timestamp) {
        self.status = Status::Doing;
        self.assignee = Some(agent.clone());
        self.fence = Some(fence);
        self.last_fence = fence;
        self.last_holder = Some(agent.clone());
        self.claimed_at = Some(at);
        self.block = None;
        self.approved = None;
        self.asked = None;
        if self.reviewer.as_ref() == Some(agent) {
            self.reviewer = None;
        }
    }

    /// Puts the task back into `todo`, free or reserved.
    fn let_go(&mut self, reserved_for: Option<AgentName>) {
        self.status = Status::Todo;
        self.assignee = reserved_for;
        self.fence = None;
        self.claimed_at = None;
        self.block = None;
        self.approved = None;
        self.asked = None;
    }

    /// Lets the author of a submission work on it again.
    fn give_back(&mut self, note: &str, fault: Option<Fault>) {
        self.changes = Some(note.to_owned());
        self.fault = fault;
        self.approved = None;
        self.asked = None;
        match self.fence {
            Some(_) => self.status = Status::Doing,
            // A submission that outlived its claim has nobody to go back to but its author.
            None => self.let_go(self.assignee.clone()),
        }
    }

    fn close(&mut self, status: Status, at: Timestamp) {
        self.status = status;
        self.fence = None;
        self.claimed_at = None;
        self.block = None;
        self.asked = None;
        self.closed = Some(at);
    }

    fn leave_note(&mut self, note: Option<&str>, at: Timestamp) {
        if let Some(from) = self.assignee.clone()
            && (note.is_some() || self.branch.is_some())
        {
            self.handoff = Some(Handoff {
                from,
                note: note.unwrap_or_default().to_owned(),
                branch: self.branch.clone(),
                at,
            });
        }
    }
}

/// Returns what of `shared` is among the paths.
fn within(paths: &[PathPattern], shared: &BTreeSet<PathPattern>) -> BTreeSet<PathPattern> {
    let known = shared.iter().filter(|path| paths.contains(path));
    known.cloned().collect()
}
