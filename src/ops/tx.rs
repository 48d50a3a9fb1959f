//! One turn of an operation: what it has read, and what it will write.

mod table;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::model::claim::{Claim, Table};
use crate::model::id::{Stamp, TaskId};
use crate::model::message::{Message, Notice};
use crate::model::moment::Moment;
use crate::model::name::{AgentName, Author};
use crate::model::queue::Dependency;
use crate::model::settings::OfflineClaims;
use crate::model::task::{Folded, Task, TaskEvent, TaskLog};
use crate::model::time::Timestamp;
use crate::store::{Authority, Changes, IfUnreachable, Origin, Snapshot, StoreError, Turn};

use super::{Context, OpsError, mend, sync};

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
    contact: Contact,
    /// Whether anything was made dependent on the table.
    asked: Cell<bool>,
}

/// How much is known of the remote's table in an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// What it was when it was last asked. Good enough to try: the remote refuses if it moved.
    Old,
    /// It was asked during this operation.
    Fresh,
    /// It cannot be asked; what is done to the table is provisional.
    None,
}

/// How often, and for how long, an operation is decided anew because the remote's table had moved.
///
/// Whoever moved it last knows what it holds and is faster than those who have to ask first, so
/// where many work without a pause, losing dozens of times in a row is no sign of anything wrong.
const ROUNDS: u32 = 1000;
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `act` on the present state and publishes what it wrote, as one agent's doing.
///
/// If others are faster, `act` runs again on the new state. If table and record disagree, because
/// a process died between the two, that is mended first, in a commit of its own, so that it is
/// mended even if `act` is refused.
///
/// With a remote, changes of the table are what it confirms in a push. What was decided on an old
/// table and needs no push (a refusal, or that nothing is to be done) is not believed before the
/// remote was asked.
///
/// # Errors
///
/// [`OpsError::Unreachable`] if the remote has to decide and does not answer.
pub fn transact<T>(
    ctx: &Context,
    act: impl FnMut(&mut Tx) -> Result<T, OpsError>,
) -> Result<T, OpsError> {
    run(ctx, ctx.me()?, Seat::OfTheTeam, act)
}

/// Runs `act` as what reflectt does by itself.
pub fn transact_itself<T>(
    ctx: &Context,
    act: impl FnMut(&mut Tx) -> Result<T, OpsError>,
) -> Result<T, OpsError> {
    run(ctx, &AgentName::reflectt(), Seat::Unasked, act)
}

/// Runs `act` as the doing of an agent that may not be on the team yet.
pub fn transact_as<T>(
    ctx: &Context,
    name: &AgentName,
    act: impl FnMut(&mut Tx) -> Result<T, OpsError>,
) -> Result<T, OpsError> {
    run(ctx, name, Seat::Unasked, act)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seat {
    OfTheTeam,
    /// It is not asked whether there is one.
    Unasked,
}

/// What one turn came to.
enum Did<T> {
    Mended,
    /// There is something to mend, but not by an old table.
    Unmended,
    /// It may be otherwise by now: the remote has to be asked.
    Doubted(Option<OpsError>),
    Answered(T),
}

fn run<T>(
    ctx: &Context,
    me: &AgentName,
    seat: Seat,
    mut act: impl FnMut(&mut Tx) -> Result<T, OpsError>,
) -> Result<T, OpsError> {
    sync::adopt_here(ctx)?;
    let link = ctx.store().link();
    let mut contact = match &link {
        Some(_) if !ctx.is_offline() => Contact::Old,
        _ => Contact::None,
    };
    let mut offline = IfUnreachable::Refuse;
    let remote = link.map(|link| {
        offline = if_unreachable(ctx);
        Authority::Remote {
            link,
            limit: sync::time_limit(ctx),
            unreachable: offline,
        }
    });
    let mut mending = true;
    let begun = Instant::now();
    let mut standstill = sync::Standstill::default();
    for round in 0..ROUNDS {
        let tried = Instant::now();
        let authority = match &remote {
            Some(remote) if contact != Contact::None => remote,
            _ => &Authority::Here,
        };
        let done = ctx.store().transact_under(authority, |snapshot| {
            if seat == Seat::OfTheTeam {
                ctx.my_seat(snapshot)?;
                ctx.beat(snapshot)?;
            }
            turn(ctx, snapshot, me, contact, mending, &mut |tx: &mut Tx| {
                let answer = act(tx)?;
                if seat == Seat::OfTheTeam && tx.has_changes() {
                    tx.sit_down()?;
                }
                Ok(answer)
            })
        });
        let (mut unmended, mut refused) = (false, false);
        let (failed, refusal) = match done {
            Ok(Some(Did::Answered(answer))) => {
                ctx.note_work();
                return Ok(answer);
            }
            Ok(Some(Did::Mended)) => continue,
            Ok(Some(Did::Unmended)) => {
                unmended = true;
                (None, None)
            }
            Ok(Some(Did::Doubted(refusal))) => (None, refusal),
            Ok(None) => {
                refused = true;
                (None, None)
            }
            Err(error @ OpsError::Unreachable { .. }) => (Some(error), None),
            Err(error) => return Err(error),
        };
        let failed = match failed {
            Some(error) => Some(error),
            None => {
                if round > 1 {
                    if begun.elapsed() > PATIENCE {
                        break;
                    }
                    // By as much as the lost push took, on average: that leaves the remote to half
                    // of those who want it. Pausing for longer, and the longer the more often one
                    // lost, costs less still and leaves everything to whoever moved it last.
                    let share = 2.0 * ctx.random(fastrand::Rng::f64);
                    std::thread::sleep(tried.elapsed().mul_f64(share));
                }
                match catch_up(ctx, refused.then_some(&mut standstill)) {
                    Ok(()) => {
                        contact = Contact::Fresh;
                        None
                    }
                    Err(error @ OpsError::Unreachable { .. }) => Some(error),
                    Err(error) => return Err(error),
                }
            }
        };
        match (failed, refusal) {
            (None, _) => {}
            // Mending can wait; a message must not.
            (Some(_), None) if unmended => mending = false,
            // Refused by what is known here; the remote could only add to that.
            (Some(_), Some(refusal)) => return Err(refusal),
            (Some(_), None) if offline == IfUnreachable::Provisional => {
                contact = Contact::None;
            }
            (Some(error), None) => return Err(error),
        }
    }
    Err(StoreError::Busy { tries: ROUNDS }.into())
}

/// Exchanges with the remote, because it has another table, or may have.
///
/// # Errors
///
/// [`StoreError::is_table`] if it refused for a table that nobody here can read: it would again.
fn catch_up(ctx: &Context, refused: Option<&mut sync::Standstill>) -> Result<(), OpsError> {
    let report = sync::sync(ctx, sync::SyncOptions::CATCH_UP)?;
    ctx.note_warnings(report.remarks());
    if let (Some(standstill), Some(link)) = (refused, ctx.store().link()) {
        let store = ctx.store();
        let there = store.tracking_tips(&link)?;
        standstill.refused(&link, there)?;
        if let Some(record) = store.local_tips()?.record {
            store.snapshot_at(record, there.table)?.table()?;
        }
    }
    Ok(())
}

/// Returns what the team wants done while the remote does not answer.
fn if_unreachable(ctx: &Context) -> IfUnreachable {
    let snapshot = ctx.store().snapshot();
    let settings = snapshot.as_ref().map(|snapshot| snapshot.settings());
    match settings {
        Ok(Ok(settings)) if settings.offline == OfflineClaims::Provisional => {
            IfUnreachable::Provisional
        }
        // Whoever cannot read them is told so in a moment.
        _ => IfUnreachable::Refuse,
    }
}

/// Decides once, on one snapshot.
fn turn<T>(
    ctx: &Context,
    snapshot: &Snapshot,
    me: &AgentName,
    contact: Contact,
    mending: bool,
    act: &mut impl FnMut(&mut Tx) -> Result<T, OpsError>,
) -> Result<(Turn<Did<T>>, Origin), OpsError> {
    let mut tx = Tx::new(ctx, snapshot, me.clone());
    tx.contact = contact;
    let origin = Origin {
        author: Author::from(me),
        now: tx.now,
    };
    if mending && let Some(changes) = mend::changes(ctx, snapshot, tx.now, contact)? {
        let turn = match contact {
            Contact::Old => Turn::Answer(Did::Unmended),
            _ => Turn::Publish(Box::new(changes), Did::Mended),
        };
        return Ok((turn, origin));
    }
    let answer = act(&mut tx);
    let doubtful = contact == Contact::Old && tx.asked.get() && tx.changes.table.is_none();
    let turn = match answer {
        // What is not here may have come into being elsewhere.
        Err(refusal)
            if contact == Contact::Old
                && (tx.asked.get() || matches!(refusal, OpsError::NotFound { .. })) =>
        {
            Turn::Answer(Did::Doubted(Some(refusal)))
        }
        Err(error) => return Err(error),
        Ok(_) if doubtful => Turn::Answer(Did::Doubted(None)),
        Ok(answer) if tx.has_changes() => {
            Turn::Publish(Box::new(tx.changes), Did::Answered(answer))
        }
        Ok(answer) => Turn::Answer(Did::Answered(answer)),
    };
    Ok((turn, origin))
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
        }
    }

    fn has_changes(&self) -> bool {
        self.changes.touches_record() || self.changes.table.is_some()
    }

    /// Tells whether a claim is that of whoever acts, and not of a namesake in another clone.
    pub fn holds(&self, claim: &Claim) -> Result<bool, OpsError> {
        Ok(claim.agent == self.me && !self.silence()?.is_elsewhere(claim))
    }

    pub fn into_changes(self) -> Changes {
        self.changes
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
        let stamp = self
            .ctx
            .random(|rng| log.log.append(moment, rng, by, event));
        let folded = fold(&log)?;
        // What is not in force is not recorded, whatever it was allowed by.
        if let Some((_, reason)) = folded.void.into_iter().find(|(void, _)| *void == stamp) {
            return Err(OpsError::Void { task: id, reason });
        }
        self.changes.tasks.insert(id, log);
        Ok(folded.task)
    }

    /// Tells whether this agent held a task until it was taken from it.
    fn lost(&self, task: &Task, log: &TaskLog) -> Option<OpsError> {
        let holder = task.holder();
        if holder == Some(&self.me) {
            return None;
        }
        let loss = log.loss_of(&self.me)?;
        let now_held = match holder {
            Some(holder) => format!("; `{holder}` holds it now"),
            None => format!("; it is `{}` now", task.status),
        };
        Some(OpsError::Fenced {
            task: task.id,
            holder: holder.cloned(),
            message: format!("task `{}` is no longer yours: {loss}{now_held}", task.id),
        })
    }

    /// Sends a message that reflectt itself causes. Nobody is told of their own doing.
    pub fn notify(
        &mut self,
        to: impl IntoIterator<Item = AgentName>,
        notice: Notice,
        task: Option<TaskId>,
        body: String,
    ) {
        let to: BTreeSet<AgentName> = to.into_iter().filter(|name| *name != self.me).collect();
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
            urgent: matches!(notice, Notice::ClaimLost | Notice::NeedsHuman),
            notice: Some(notice),
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
