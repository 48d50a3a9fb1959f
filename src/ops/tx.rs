//! One turn of an operation: what it has read, and what it will write.

mod remote;
mod run;
mod table;

pub use remote::{Remote, Seen};
pub use run::{transact, transact_as, transact_itself};

use std::cell::Cell;
use std::collections::BTreeSet;

use crate::git::Oid;
use crate::model::claim::{Claim, Table};
use crate::model::event::Decided;
use crate::model::id::{Fence, Stamp, TaskId};
use crate::model::message::{Message, Notice};
use crate::model::moment::Moment;
use crate::model::name::{AgentName, Author};
use crate::model::queue::Dependency;
use crate::model::rule::Refusal;
use crate::model::task::{Folded, Task, TaskEvent, TaskLog};
use crate::model::time::Timestamp;
use crate::store::{Changes, Mail, Snapshot};

use super::requests::{Act, Wanted, WorkPlace};
use super::taken_for::Checkout;
use super::{Context, OpsError};

/// What came of a request to the claims table.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one answer exists at a time, and is taken apart at once"
)]
pub enum Granted {
    Unchanged(Option<Claim>),
    Changed {
        claim: Option<Claim>,
        before: Option<Claim>,
    },
}

/// An operation in progress on one snapshot.
pub struct Tx<'t, 's> {
    pub ctx: &'t Context,
    pub snapshot: &'t Snapshot<'s>,
    pub me: AgentName,
    pub now: Timestamp,
    changes: Changes,
    pub contact: Contact,
    /// Whether anything was made dependent on the table.
    asked: Cell<bool>,
    /// The number of the version of the table that this makes, once something was decided: that
    /// moves the table even if nothing in it changes.
    epoch: Option<u64>,
    /// The same as a request, for when the remote cannot be asked.
    act: Option<Act>,
    /// Where the agent works, if it is not where this process is.
    pub place: Option<WorkPlace>,
    /// What tells a claim that is made now from all others.
    pub nonce: u64,
}

/// How much is known of the remote in an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// What it was when it was last asked. Good enough to try: the remote refuses if it moved.
    Old,
    /// It took a push of this clone during this operation, so its table is known.
    Told,
    /// It was asked during this operation.
    Fresh,
    /// It cannot be asked; what is decided is this clone's view of a request.
    None,
}

impl<'t, 's> Tx<'t, 's> {
    pub fn new(ctx: &'t Context, snapshot: &'t Snapshot<'s>, me: AgentName) -> Tx<'t, 's> {
        Tx {
            ctx,
            snapshot,
            me,
            now: ctx.now(),
            changes: Changes::default(),
            contact: Contact::Old,
            asked: Cell::new(false),
            epoch: None,
            act: None,
            place: None,
            nonce: ctx.random(|rng| rng.u64(..)),
        }
    }

    fn has_changes(&self) -> bool {
        self.changes.touches_record() || self.changes.table.is_some() || self.epoch.is_some()
    }

    /// Tells whether a claim is that of whoever acts, and not of a namesake in another clone.
    pub fn holds(&self, claim: &Claim) -> Result<bool, OpsError> {
        Ok(claim.agent == self.me && !self.silence()?.is_elsewhere(claim))
    }

    /// Returns what is to be written. Whatever was decided is one version of the table, so that
    /// all decisions stand in one line.
    pub fn into_changes(mut self) -> Result<Changes, OpsError> {
        if self.epoch.is_some() || self.changes.table.is_some() {
            let before = self.snapshot.table()?;
            let mut table = match self.changes.table.take() {
                Some(table) => table,
                None => before.clone(),
            };
            table.epoch = before.next_epoch().max(self.epoch.unwrap_or_default());
            self.changes.table = Some(table);
        }
        Ok(self.changes)
    }

    /// Says that what follows is decided. No refusal of it is believed on an old view.
    pub fn deciding(&self) {
        self.asked.set(true);
    }

    /// Says what is being done, should it have to wait for the remote.
    pub fn doing(&mut self, act: impl FnOnce() -> Act) {
        if self.snapshot.store().link().is_some() {
            self.act = Some(act());
        }
    }

    /// Returns the same as a request, if it can be one.
    fn wanted(&mut self) -> Option<Wanted> {
        Some(Wanted {
            by: self.me.clone(),
            nonce: self.nonce,
            act: self.act.take()?,
        })
    }

    /// Tells whether what is decided is only this clone's view for now.
    pub fn is_provisional(&self) -> bool {
        self.contact == Contact::None
    }

    /// Returns where the agent works.
    pub fn place(&self) -> Result<WorkPlace, OpsError> {
        if let Some(place) = &self.place {
            return Ok(place.clone());
        }
        let head = self.ctx.repo().head()?;
        let base = head.as_ref().and_then(|head| head.commit);
        Ok(WorkPlace {
            branch: head.and_then(|head| head.branch),
            base: base.map(|commit| commit.to_string()),
        })
    }

    /// Returns the tree that the agent has checked out.
    pub fn checkout(&self) -> Result<Checkout<'t>, OpsError> {
        let base = self.place()?.base;
        let base = base.map(|base| Oid::parse(&base)).transpose()?;
        match (Checkout::of(self.ctx, base), &self.place) {
            // What was checked out when it was asked for may be gone by now.
            (Err(_), Some(_)) => Checkout::of(self.ctx, None),
            (checkout, _) => checkout,
        }
    }

    /// Says what happens, as the subject of the commit.
    pub fn subject(&mut self, subject: impl Into<String>) {
        self.changes.subject = subject.into();
    }

    pub fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    pub fn author(&self) -> Author {
        Author::from(&self.me)
    }

    /// Returns an id for something that happens now, after `after`.
    pub fn stamp(&self, after: Option<Stamp>) -> Stamp {
        self.ctx.random(|rng| self.moment().stamp(rng, after))
    }

    pub fn moment(&self) -> Moment {
        self.snapshot.moment(self.now)
    }

    /// Returns the table as this operation leaves it.
    pub fn table(&self) -> Result<&Table, OpsError> {
        self.asked.set(true);
        match &self.changes.table {
            Some(table) => Ok(table),
            None => Ok(self.snapshot.table()?),
        }
    }

    /// Returns the table to look at: where it cannot be read, what was last known of it.
    pub fn table_in_force(&self) -> Result<&Table, OpsError> {
        self.asked.set(true);
        match &self.changes.table {
            Some(table) => Ok(table),
            None => Ok(self.snapshot.table_in_force()?.0),
        }
    }

    /// Returns the log of a task as this operation leaves it.
    pub fn log(&self, id: TaskId) -> Result<TaskLog, OpsError> {
        if let Some(log) = self.changes.tasks.get(&id) {
            return Ok(log.clone());
        }
        let entry = self.snapshot.entry(id)?;
        let entry = entry.ok_or_else(|| super::find::missing("task", id.as_str(), [""; 0]))?;
        Ok(self.snapshot.log_of(entry)?)
    }

    /// Returns a task as this operation leaves it.
    pub fn task(&self, id: TaskId) -> Result<Task, OpsError> {
        Ok(fold(&self.log(id)?)?.task)
    }

    /// Tells whether this operation changes a task, or makes it.
    pub fn has_changed(&self, id: TaskId) -> bool {
        self.changes.tasks.contains_key(&id)
    }

    pub fn dependency(&self, id: TaskId) -> Dependency {
        self.snapshot.dependency(id).unwrap_or(Dependency::Unknown)
    }

    /// Adds a new task.
    pub fn add_task(&mut self, log: TaskLog) {
        self.changes.tasks.insert(log.id, log);
    }

    /// Adds an event of this agent's to a task.
    ///
    /// # Errors
    ///
    /// Refused by the rule the event would break; [`OpsError::Fenced`] if the agent had the task
    /// and lost it without its doing; [`OpsError::Void`] if the log then says that nothing
    /// happened.
    pub fn event(&mut self, id: TaskId, event: TaskEvent) -> Result<Task, OpsError> {
        self.event_by(id, self.author(), event)
    }

    fn event_by(&mut self, id: TaskId, by: Author, event: TaskEvent) -> Result<Task, OpsError> {
        let mut log = self.log(id)?;
        let moment = self.moment();
        self.ctx.random(|rng| log.log.disown(moment, rng));
        let task = fold(&log)?.task;
        if let Err(refusal) = task.allows(&by, &event) {
            return Err(self.lost(&task, &log).unwrap_or(refusal.into()));
        }
        let lands = matches!(event, TaskEvent::Landed { .. } | TaskEvent::SentBack(_));
        let decided = match event.decides() {
            true => Some(Decided {
                epoch: self.next_epoch(&log)?,
                under: self.claim_of(&task)?,
            }),
            false => None,
        };
        let stamp = self
            .ctx
            .random(|rng| log.log.append_decided(moment, rng, by, event, decided));
        let folded = fold(&log)?;
        // What is not in force is not recorded, whatever it was allowed by.
        if let Some((_, reason)) = folded.void.into_iter().find(|(void, _)| *void == stamp) {
            return Err(OpsError::Void { task: id, reason });
        }
        if !lands && task.waits_to_land() && !folded.task.waits_to_land() {
            self.check_not_landing(id)?;
        }
        self.changes.tasks.insert(id, log);
        Ok(folded.task)
    }

    /// Checks that nobody is about to move the landing branch to the work of a task.
    ///
    /// An approval that is taken back after that comes too late: the branch may have it already.
    fn check_not_landing(&self, id: TaskId) -> Result<(), OpsError> {
        let lane = self.table_in_force()?.claims.get(&TaskId::LANE);
        let is_about_to = |claim: &&Claim| {
            let intent = claim.intent.as_ref();
            intent.is_some_and(|intent| intent.tasks.iter().any(|(task, _)| *task == id))
        };
        match lane.filter(is_about_to) {
            Some(lane) => Err(Refusal::IsLanding {
                task: id,
                by: lane.agent.clone(),
            }
            .into()),
            None => Ok(()),
        }
    }

    /// Returns the claim that what is decided of a task is about: that of the table, which decides.
    ///
    /// What follows in the same decision is about what came of the first.
    fn claim_of(&self, task: &Task) -> Result<Option<Fence>, OpsError> {
        if self.has_changed(task.id) {
            return Ok(task.fence);
        }
        let claim = self.snapshot.table()?.claims.get(&task.id);
        Ok(claim.map(|claim| claim.fence))
    }

    /// Returns the number for what is decided now of a task: that of the table's next version.
    ///
    /// A table that was lost and began anew goes on above what the task has seen.
    fn next_epoch(&mut self, log: &TaskLog) -> Result<u64, OpsError> {
        self.asked.set(true);
        let next = self.snapshot.table()?.next_epoch();
        let epoch = next
            .max(log.log.last_epoch() + 1)
            .max(self.epoch.unwrap_or_default());
        self.epoch = Some(epoch);
        Ok(epoch)
    }

    /// Tells whether this agent held a task until it was taken from it.
    pub fn lost(&self, task: &Task, log: &TaskLog) -> Option<OpsError> {
        let holder = task.holder();
        if holder == Some(&self.me) {
            return None;
        }
        let loss = log.loss_of(&self.me)?;
        let now_held = match holder {
            Some(holder) => format!("; `{holder}` holds it now"),
            None => format!("; it is `{}` now", task.told()),
        };
        Some(OpsError::Fenced {
            task: task.id,
            holder: holder.cloned(),
            message: format!("task `{}` is no longer yours: {loss}{now_held}", task.id),
        })
    }

    /// Takes notice, for whoever acts, of messages about a task that ask for what is done now.
    pub fn resolve(&mut self, task: TaskId, notices: &[Notice]) -> Result<(), OpsError> {
        let me = self.me.clone();
        self.take_notice(&me, task, notices)
    }

    /// Takes notice, for everybody, of messages about a task that what is done now makes moot.
    pub fn settle_mail(&mut self, task: TaskId, notices: &[Notice]) -> Result<(), OpsError> {
        let names: Vec<AgentName> = self.snapshot.agents()?.keys().cloned().collect();
        for name in names {
            self.take_notice(&name, task, notices)?;
        }
        Ok(())
    }

    fn take_notice(
        &mut self,
        who: &AgentName,
        task: TaskId,
        notices: &[Notice],
    ) -> Result<(), OpsError> {
        let asks = |mail: &Mail| {
            let message = &mail.message;
            message.task == Some(task) && message.notice.is_some_and(|it| notices.contains(&it))
        };
        let unread = self.snapshot.unread(who)?.into_iter().filter(asks);
        let read = unread.map(|mail| (who.clone(), mail));
        self.changes.read.extend(read);
        Ok(())
    }

    /// Sends a message that reflectt itself causes. Nobody is told of their own doing.
    pub fn notify(
        &mut self,
        to: impl IntoIterator<Item = AgentName>,
        notice: Notice,
        task: Option<TaskId>,
        body: String,
    ) {
        let me = self.me.clone();
        let to = to.into_iter().filter(|name| *name != me);
        self.tell(to, Some(notice), task, body);
    }

    /// Sends a message that reflectt itself causes, to whoever it is for.
    pub fn tell(
        &mut self,
        to: impl IntoIterator<Item = AgentName>,
        notice: Option<Notice>,
        task: Option<TaskId>,
        body: String,
    ) {
        let to: BTreeSet<AgentName> = to.into_iter().collect();
        if to.is_empty() {
            return;
        }
        let message = Message {
            id: self.stamp(None),
            from: self.author(),
            to: to.into_iter().collect(),
            channel: None,
            task,
            reply_to: None,
            urgent: matches!(notice, Some(Notice::ClaimLost | Notice::NeedsHuman)),
            notice,
            body,
            extra: crate::model::extra::Extra::default(),
        };
        self.changes.messages.push(message);
    }

    /// Refuses to go on for an agent that has not taken notice of the loss of a claim.
    ///
    /// # Errors
    ///
    /// [`OpsError::Fenced`] while such a message is unread.
    pub fn check_fenced(&self) -> Result<(), OpsError> {
        check_fenced(self.snapshot, &self.me)
    }
}

/// See [`Tx::check_fenced`].
pub fn check_fenced(snapshot: &Snapshot, me: &AgentName) -> Result<(), OpsError> {
    let unread = snapshot.unread(me)?;
    let lost = unread
        .iter()
        .find(|mail| mail.message.notice == Some(Notice::ClaimLost));
    match lost {
        Some(mail) => {
            let Some(task) = mail.message.task else {
                return Ok(());
            };
            // Forgotten, it is only shown again.
            (snapshot.store().note_message_shown(me, mail.message.id)).ok();
            let holder = snapshot
                .table_in_force()?
                .0
                .claims
                .get(&task)
                .map(|claim| claim.agent.clone());
            Err(OpsError::Fenced {
                task,
                holder,
                message: mail.message.body.clone(),
            })
        }
        None => Ok(()),
    }
}

fn fold(log: &TaskLog) -> Result<Folded, OpsError> {
    let folded = log.fold();
    folded.ok_or_else(|| super::find::missing("task", log.id.as_str(), [""; 0]))
}

/// Returns a span without the parts nobody reads: `1h30m`, not `1h30m12s`.
pub fn coarse(span: crate::model::time::Span) -> String {
    use crate::model::time::Span;
    let millis = span.as_millis();
    let step = match millis {
        0..60_000 => 1000,
        60_000..3_600_000 => 60_000,
        _ => 600_000,
    };
    Span::from_millis(millis / step * step).to_string()
}
