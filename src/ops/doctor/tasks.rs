//! What is wrong with what the record says: ids, dependencies, people, clocks, claims.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::advice::Call;
use crate::model::event::{Kind, Log};
use crate::model::id::{Stamp, TaskId, digest};
use crate::model::merge::merge_tasks;
use crate::model::name::Author;
use crate::model::queue::{self, Dependency};
use crate::model::task::{Task, TaskEvent, TaskLog};
use crate::model::time::{Span, Timestamp};
use crate::ops::OpsError;
use crate::ops::tx::coarse;
use crate::store::{Entry, layout};

use super::{Exam, Finding, Severity, Thing};

/// How far the clock of whoever wrote something may be ahead of this one.
const AHEAD_MAX: Span = Span::from_mins(5);

impl Exam<'_, '_> {
    pub(super) fn tasks(&mut self) -> Result<(), OpsError> {
        self.places()?;
        self.ids()?;
        let snapshot = self.snapshot;
        for task in snapshot.open_tasks()? {
            self.waiting(task)?;
            self.people(task)?;
        }
        self.circles()?;
        self.far()?;
        self.fences()?;
        self.clocks()
    }

    /// Finds tasks that lie at several places, and unites them.
    fn places(&mut self) -> Result<(), OpsError> {
        let snapshot = self.snapshot;
        for entry in snapshot.open()?.iter().chain(snapshot.archived()?) {
            if let Some(twin) = snapshot.twins(entry)?.next() {
                let log = snapshot.log_of(entry)?;
                self.two_places(entry.path(), twin.path(), log);
            }
        }
        for open in snapshot.open()? {
            let Some(closed) = snapshot.archived_entry(open.id())? else {
                continue;
            };
            let (a, b) = (snapshot.log_of(open)?, snapshot.log_of(closed)?);
            if a.origin() == b.origin() {
                self.two_places(open.path(), closed.path(), merge_tasks(a, b));
                self.changes.remove.push(closed.path().to_owned());
            } else if a.origin() < b.origin() {
                self.same_id(closed, b)?;
            } else {
                self.same_id(open, a)?;
            }
        }
        Ok(())
    }

    fn two_places(&mut self, a: &str, b: &str, log: TaskLog) {
        let reason = format!("the task lies at `{a}` and at `{b}`");
        let finding = Finding::new(Severity::Warning, "two_places", Thing::Task(log.id), reason);
        self.add(finding.mends(self.mending));
        self.changes.tasks.insert(log.id, log);
    }

    /// Finds tasks that drew an id which an older one has, and gives them a new one.
    fn ids(&mut self) -> Result<(), OpsError> {
        for rival in self.snapshot.rivals()? {
            let log = self.snapshot.log_in(rival)?;
            self.same_id(rival, log)?;
        }
        Ok(())
    }

    fn same_id(&mut self, entry: &Entry, mut log: TaskLog) -> Result<(), OpsError> {
        let old = log.id;
        // A function of the task alone, so that two clones which mend it apart agree.
        let origin = log.origin().map_or(0, Stamp::to_bits).to_be_bytes();
        let mut tries = 0_u32;
        let new = loop {
            let id = TaskId::of_digest(digest(origin.into_iter().chain(tries.to_be_bytes())));
            tries += 1;
            if self.snapshot.entry(id)?.is_none() && !self.changes.tasks.contains_key(&id) {
                break id;
            }
        };
        let title = &entry.task().title;
        let reason = format!(
            "`{title}`, at `{}`, has the id of an older task; its new one is `{new}`",
            entry.path()
        );
        let finding = Finding::new(Severity::Error, "same_id", Thing::Task(old), reason);
        self.add(finding.mends(self.mending));
        log.id = new;
        let text = format!("this was task `{old}`, an id that an older task has");
        let event = TaskEvent::Commented { text };
        let moment = self.snapshot.moment(self.now);
        (self.ctx).random(|rng| (log.log).append(moment, rng, Author::reflectt(), event));
        self.changes.tasks.insert(new, log);
        self.changes.remove.push(entry.path().to_owned());
        Ok(())
    }

    /// Checks that what a task waits for can still happen.
    fn waiting(&mut self, task: &Task) -> Result<(), OpsError> {
        let on = task.block.as_ref().and_then(|block| block.on);
        for id in task.blocked_by.iter().copied().chain(on) {
            let why = match self.snapshot.dependency(id)? {
                Dependency::Cancelled => "was cancelled",
                Dependency::Unknown => "is unknown",
                Dependency::Done | Dependency::Open => continue,
            };
            let fix = if Some(id) == on {
                Call::to("unblock").on("id", task.id)
            } else {
                edit(task.id).set("drop_after", id)
            };
            self.add(
                Finding::new(
                    Severity::Warning,
                    "waits_in_vain",
                    Thing::Task(task.id),
                    format!("it waits for `{id}`, which {why}"),
                )
                .fix(fix),
            );
        }
        Ok(())
    }

    /// Checks that whoever a task names is on the team.
    fn people(&mut self, task: &Task) -> Result<(), OpsError> {
        let named = [("assignee", &task.assignee), ("reviewer", &task.reviewer)];
        for (role, name) in named {
            if let Some(name) = name
                && !self.is_on_team(name)?
            {
                self.add(
                    Finding::new(
                        Severity::Warning,
                        "unknown_agent",
                        Thing::Task(task.id),
                        format!("its {role}, `{name}`, is not on the team"),
                    )
                    .fix(edit(task.id).ask(role, "NAME")),
                );
            }
        }
        Ok(())
    }

    /// Finds tasks that wait for each other: two clones can close a circle that neither sees.
    fn circles(&mut self) -> Result<(), OpsError> {
        let waits_for = |task: &Task| -> BTreeSet<TaskId> {
            let on = task.block.as_ref().and_then(|block| block.on);
            task.blocked_by.iter().copied().chain(on).collect()
        };
        // What waits for nothing open is in no circle, nor is what then waits for nothing else.
        let mut left: BTreeMap<TaskId, BTreeSet<TaskId>> = self
            .snapshot
            .open_tasks()?
            .map(|task| (task.id, waits_for(task)))
            .collect();
        loop {
            let free: Vec<TaskId> = left
                .iter()
                .filter(|(_, on)| !on.iter().any(|id| left.contains_key(id)))
                .map(|(id, _)| *id)
                .collect();
            if free.is_empty() {
                break;
            }
            for id in free {
                left.remove(&id);
            }
        }
        let waits = |id: TaskId| -> Vec<TaskId> {
            left.get(&id)
                .map(|on| on.iter().copied().collect())
                .unwrap_or_default()
        };
        let mut told: BTreeSet<TaskId> = BTreeSet::new();
        for (id, on) in &left {
            if told.contains(id) {
                continue;
            }
            if let Some(circle) = queue::cycle(*id, on.iter().copied(), &waits) {
                let names: Vec<&str> = circle.iter().map(TaskId::as_str).collect();
                let next = circle.get(1).copied().unwrap_or(*id);
                self.findings.push(
                    Finding::new(
                        Severity::Error,
                        "circle",
                        Thing::Task(*id),
                        format!("tasks wait for each other: `{}`", names.join("`, `")),
                    )
                    .fix(edit(*id).set("drop_after", next)),
                );
                told.extend(circle);
            }
        }
        Ok(())
    }

    /// Finds events whose ids no clock can have given, and disowns them.
    fn far(&mut self) -> Result<(), OpsError> {
        let snapshot = self.snapshot;
        let limit = self.now.plus(AHEAD_MAX);
        for entry in snapshot.open()?.iter().chain(snapshot.archived()?) {
            // Nothing that is in force is later than that.
            if entry.task().updated <= limit {
                continue;
            }
            let mut log = self.log_of(entry)?;
            if self.disown(Thing::Task(entry.id()), &mut log.log) {
                self.changes.tasks.insert(log.id, log);
            }
        }
        // Who has left is among them: it may be that which was forged.
        for file in snapshot.files(layout::AGENTS)? {
            if let Some(Ok(name)) = layout::agent_at(&file.path).map(str::parse)
                && let Some(mut log) = snapshot.agent_log(&name)?
                && self.disown(Thing::File(file.path), &mut log.log)
            {
                self.changes.agents.push(log);
            }
        }
        let mut settings = snapshot.settings_log()?.clone();
        if self.disown(Thing::File(layout::CONFIG.to_owned()), &mut settings.log) {
            self.changes.settings = Some(settings);
        }
        Ok(())
    }

    /// Returns the log of a task as it is when all that was found so far is mended.
    fn log_of(&self, entry: &Entry) -> Result<TaskLog, OpsError> {
        match self.changes.tasks.get(&entry.id()) {
            Some(log) => Ok(log.clone()),
            None => Ok(self.snapshot.log_of(entry)?),
        }
    }

    fn disown<K: Kind>(&mut self, thing: Thing, log: &mut Log<K>) -> bool {
        let moment = self.snapshot.moment(self.now);
        let far = self.ctx.random(|rng| log.disown(moment, rng));
        for id in &far {
            let by = log.get(*id).map_or("", |event| event.by.as_str());
            let reason =
                format!("the event `{id}` by `{by}` has an id that no clock can have given");
            let finding = Finding::new(Severity::Error, "far_future", thing.clone(), reason);
            self.add(finding.mends(self.mending));
        }
        !far.is_empty()
    }

    /// Finds claims in the record that the table cannot have given out, and takes them back.
    fn fences(&mut self) -> Result<(), OpsError> {
        let snapshot = self.snapshot;
        let Ok(table) = snapshot.table() else {
            return Ok(());
        };
        let (reach, moment) = (table.reach(), snapshot.moment(self.now));
        for entry in snapshot.open()?.iter().chain(snapshot.archived()?) {
            let fence = entry.glance().last_fence;
            if fence <= reach {
                continue;
            }
            let reason = format!(
                "its record has a claim {fence}, and the claims table has given out {} so far",
                table.fence
            );
            let thing = Thing::Task(entry.id());
            let finding = Finding::new(Severity::Error, "forged_fence", thing, reason);
            self.add(finding.mends(self.mending));
            let mut log = self.log_of(entry)?;
            (self.ctx).random(|rng| log.take_back_beyond(reach, moment, rng));
            self.changes.tasks.insert(log.id, log);
        }
        Ok(())
    }

    /// Finds what was written by a clock far ahead of this one: it sorts after all that follows.
    fn clocks(&mut self) -> Result<(), OpsError> {
        let snapshot = self.snapshot;
        let limit = self.now.plus(AHEAD_MAX);
        let mut worst: BTreeMap<String, (Timestamp, Thing)> = BTreeMap::new();
        let mut see = |by: String, at: Timestamp, thing: Thing| {
            let known = worst.entry(by).or_insert((at, thing.clone()));
            if at > known.0 {
                *known = (at, thing);
            }
        };
        for entry in snapshot.open()?.iter().chain(snapshot.archived()?) {
            if entry.task().updated <= limit {
                continue;
            }
            for (stamp, event) in snapshot.log_of(entry)?.log.in_force() {
                if stamp.at() > limit && snapshot.moment(self.now).believes(stamp) {
                    see(event.by.to_string(), stamp.at(), Thing::Task(entry.id()));
                }
            }
        }
        for mail in snapshot.mail_after(limit)? {
            see(
                mail.message.from.to_string(),
                mail.message.id.at(),
                Thing::File(mail.path),
            );
        }
        for (by, (at, thing)) in worst {
            let ahead = coarse(at.since(self.now));
            self.findings.push(
                Finding::new(
                    Severity::Warning,
                    "clock_ahead",
                    thing,
                    format!("`{by}` wrote with a clock {ahead} ahead of this one"),
                )
                .fix("set the clocks of both machines (NTP)"),
            );
        }
        Ok(())
    }

    /// Checks who holds claims.
    pub(super) fn claims(&mut self) -> Result<(), OpsError> {
        let Ok(table) = self.snapshot.table() else {
            return Ok(());
        };
        let common = &self.snapshot.settings()?.shared_paths;
        for (earlier, later, path) in table.overlaps(common) {
            let (id, agent) = (later.id, &later.agent);
            let reason = format!(
                "`{agent}` holds `{path}` under it and `{}` under `{}`, taken before: a hand has written both, or `paths.shared` named it until lately",
                earlier.agent, earlier.id
            );
            self.add(
                Finding::new(Severity::Error, "claims_overlap", Thing::Task(id), reason)
                    .fix(Call::to("release").on("id", id).set("as", agent)),
            );
        }
        for claim in table.claims.values() {
            let (id, agent) = (claim.id, &claim.agent);
            if !self.is_on_team(agent)? {
                let take = Call::to("claim").on("id", id).flag("take_over");
                self.add(
                    Finding::new(
                        Severity::Warning,
                        "claim_of_unknown",
                        Thing::Task(id),
                        format!("it is held by `{agent}`, who is not on the team"),
                    )
                    .fix(take.ask("reason", "TEXT")),
                );
            }
            if claim.of_task && self.snapshot.dependency(id)? == Dependency::Unknown {
                self.add(
                    Finding::new(
                        Severity::Warning,
                        "claim_of_nothing",
                        Thing::File(layout::claim_path(id)),
                        format!("`{agent}` holds task `{id}`, which the record does not have"),
                    )
                    .fix(Call::to("sync").so("if the task is on its way")),
                );
            }
        }
        Ok(())
    }
}

fn edit(task: TaskId) -> Call {
    Call::to("task edit").on("id", task)
}
