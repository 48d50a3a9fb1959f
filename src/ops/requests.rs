//! What was asked for while the remote could not be: this clone's requests, its own view of what
//! they come to, and having them decided.
//!
//! Nothing of a request is in the record or the claims table before the remote's table granted it.
//! Then it is decided by the same operation that would have run, on what there is by then. The
//! table knows the number of the last request of each clone that was decided, so none is decided
//! twice, whoever dies on the way.

mod act;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::git::Oid;
use crate::model::id::TaskId;
use crate::model::message::Notice;
use crate::model::name::{AgentName, Author};
use crate::model::time::Timestamp;
use crate::store::{Changes, Link, Origin, Queued, Snapshot, StoreError, Tips};

pub use act::{Act, WorkPlace};

use super::sync::{self, Ground, OnTop};
use super::tx::{Contact, Remote, Seen, Tx};
use super::{Context, OpsError, chain};

/// A request as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Request {
    by: String,
    /// When it was made, in milliseconds since 1970.
    at: i64,
    #[serde(flatten)]
    act: Act,
}

/// A request that the remote's table did not grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotGranted {
    /// The task or claim it was about.
    pub id: Option<TaskId>,
    pub agent: AgentName,
    /// Whether it was to give its agent a claim.
    pub is_claim: bool,
    /// What was wanted.
    pub what: String,
    pub reason: String,
}

impl fmt::Display for NotGranted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotGranted {
            agent,
            what,
            reason,
            ..
        } = self;
        write!(
            f,
            "`{agent}` wanted to {what} and it was not granted: {reason}"
        )
    }
}

/// What this clone would have if all its requests were granted.
pub struct View {
    pub record: Oid,
    pub table: Option<Oid>,
    /// What it was made on.
    local: Tips,
    requests: Vec<Queued>,
}

/// Returns what there is, with what this clone has asked for as if it were granted.
///
/// What of it is provisional can be told by its claims' fences.
pub fn look(ctx: &Context) -> Result<Snapshot<'_>, OpsError> {
    let store = ctx.store();
    if !store.has_requests() {
        return Ok(store.snapshot()?);
    }
    let view = view(ctx)?;
    Ok(store.snapshot_at(view.record, view.table)?)
}

/// Computes the view of this clone.
pub fn view(ctx: &Context) -> Result<View, OpsError> {
    let store = ctx.store();
    let local = store.local_tips()?;
    let record = local.record.ok_or_else(|| store.not_initialised())?;
    let requests = store.requests()?;
    let known = store.view(local, &requests).and_then(|tips| {
        // What no ref leads to may have been collected as garbage.
        let record = tips.record?;
        let snapshot = store.snapshot_at(record, tips.table).ok()?;
        snapshot.table().ok()?;
        Some((record, tips.table))
    });
    if let Some((record, table)) = known {
        return Ok(View {
            record,
            table,
            local,
            requests,
        });
    }
    let mut view = View {
        record,
        table: local.table,
        local,
        requests: Vec::new(),
    };
    for queued in requests {
        let mut next = View {
            requests: std::mem::take(&mut view.requests),
            ..view
        };
        if let Some(request) = read(&queued) {
            let snapshot = store.snapshot_at(next.record, next.table)?;
            let by = request.by.parse::<AgentName>();
            if let Ok(by) = by
                && queued.number > served(ctx, &snapshot)?
            {
                let mut tx = Tx::new(ctx, &snapshot, by.clone());
                tx.contact = Contact::None;
                // What is not granted by what is known here waits for its refusal all the same.
                if request.act.perform(&mut tx).is_ok() {
                    let origin = Origin {
                        author: Author::from(&by),
                        now: Timestamp(request.at),
                    };
                    let changes = tx.into_changes()?;
                    next.extend(ctx, &snapshot, changes, &origin)?;
                }
            }
        }
        next.requests.push(queued);
        view = next;
    }
    view.note(ctx);
    Ok(view)
}

impl View {
    fn extend(
        &mut self,
        ctx: &Context,
        snapshot: &Snapshot,
        mut changes: Changes,
        origin: &Origin,
    ) -> Result<(), OpsError> {
        // They are sent when what they tell of has happened.
        changes.messages.clear();
        let tips = ctx.store().compose(snapshot, &changes, origin)?;
        self.record = tips.record.unwrap_or(self.record);
        self.table = tips.table;
        Ok(())
    }

    fn note(&self, ctx: &Context) {
        let view = Tips {
            record: Some(self.record),
            table: self.table,
        };
        ctx.store().note_view(self.local, &self.requests, view);
    }
}

/// Adds a request to the queue, and to the view. To be called with the lock of this clone.
///
/// `pushed` is what was given to the remote as the doing of this request, and its number, if it
/// did not say whether it took that.
pub fn add(
    ctx: &Context,
    mut view: View,
    (by, act): (&AgentName, Act),
    pushed: Option<(Tips, u64)>,
    (snapshot, changes, origin): (&Snapshot, Changes, &Origin),
) -> Result<(), OpsError> {
    let store = ctx.store();
    let served = served(ctx, snapshot)?;
    let number = match pushed {
        // It is known by now that the remote took it.
        Some((tips, _)) if is_confirmed(ctx, tips)? => return Ok(()),
        // Should the remote have taken it, its table says so by this number.
        Some((_, number)) if number > served => number,
        _ => store.next_request(served)?,
    };
    let request = Request {
        by: by.to_string(),
        at: origin.now.0,
        act,
    };
    let text = serde_json::to_string(&request).expect("texts and numbers are always JSON");
    let queued = Queued { number, text };
    store.enqueue(&queued)?;
    view.extend(ctx, snapshot, changes, origin)?;
    view.requests.push(queued);
    view.requests.sort_by_key(|queued| queued.number);
    view.note(ctx);
    Ok(())
}

fn is_confirmed(ctx: &Context, tips: Tips) -> Result<bool, OpsError> {
    let store = ctx.store();
    match store.link() {
        Some(link) => Ok(store.is_confirmed(&link, tips)?),
        None => Ok(false),
    }
}

/// Draws a number for what is about to be pushed, and notes it in the table that goes along: the
/// remote may take it without saying so.
pub fn number(ctx: &Context, snapshot: &Snapshot, changes: &mut Changes) -> Result<u64, OpsError> {
    let number = ctx.store().next_request(served(ctx, snapshot)?)?;
    if let Some(table) = &mut changes.table {
        table.served.insert(ctx.clone_id()?, number);
    }
    Ok(number)
}

/// Returns the number of the last request of this clone that was decided.
fn served(ctx: &Context, snapshot: &Snapshot) -> Result<u64, OpsError> {
    let here = ctx.clone_id()?;
    let served = snapshot.table()?.served.get(&here).copied();
    Ok(served.unwrap_or_default())
}

fn read(queued: &Queued) -> Option<Request> {
    serde_json::from_str(&queued.text).ok()
}

/// How often to begin anew because others were faster.
const ROUNDS: u32 = 200;

/// Has the remote's table decide what this clone has asked for, in order; returns what was not
/// granted. All of it is one push.
///
/// # Errors
///
/// [`OpsError::Unreachable`] if the remote does not answer; the requests go on waiting.
pub fn serve(ctx: &Context, link: &Link) -> Result<Vec<NotGranted>, OpsError> {
    let store = ctx.store();
    let mut remote = Remote::new(ctx, link);
    for _ in 0..ROUNDS {
        if !store.has_requests() {
            return Ok(Vec::new());
        }
        // Who went silent meanwhile, and what was decided, is asked first.
        if remote.contact() != Contact::Fresh {
            remote.ask()?;
        }
        let lock = store.queue();
        let ground = sync::ground(ctx, link, OnTop::OfWhatIsConfirmed)?;
        if ground.staged.is_some() {
            drop(lock);
            remote.wait_for_others(&ground)?;
            continue;
        }
        let Some(mut serving) = Serving::begin(ctx, &ground)? else {
            return Ok(Vec::new());
        };
        serving.decide_all(remote.contact())?;
        remote.stage(ground.onto, serving.tips)?;
        drop(lock);
        let seen = remote.see_through(serving.tips, "what was asked for offline")?;
        if matches!(seen, Seen::Confirmed) {
            for queued in &serving.requests {
                store.remove_request(queued.number)?;
            }
            return Ok(serving.refused);
        }
    }
    Err(StoreError::Busy { tries: ROUNDS }.into())
}

/// The requests of this clone while they are decided.
struct Serving<'c> {
    ctx: &'c Context,
    tips: Tips,
    requests: Vec<Queued>,
    refused: Vec<NotGranted>,
}

impl<'c> Serving<'c> {
    /// Returns `None` if all that is left was decided already.
    fn begin(ctx: &'c Context, ground: &Ground) -> Result<Option<Serving<'c>>, OpsError> {
        let store = ctx.store();
        let done = served(ctx, &ground.snapshot(store)?)?;
        let mut requests = store.requests()?;
        for queued in requests.iter().filter(|queued| queued.number <= done) {
            store.remove_request(queued.number)?;
        }
        requests.retain(|queued| queued.number > done);
        Ok((!requests.is_empty()).then_some(Serving {
            ctx,
            tips: ground.tips,
            requests,
            refused: Vec::new(),
        }))
    }

    fn decide_all(&mut self, contact: Contact) -> Result<(), OpsError> {
        for queued in self.requests.clone() {
            let request = read(&queued).and_then(|it| Some((it.by.parse().ok()?, it.act)));
            match request {
                Some((by, act)) => self.decide(queued.number, by, &act, contact)?,
                None => self.ctx.note_warnings([format!(
                    "the request {} of this clone cannot be read and is left out: {}",
                    queued.number, queued.text
                )]),
            }
        }
        Ok(())
    }

    fn decide(
        &mut self,
        number: u64,
        by: AgentName,
        act: &Act,
        contact: Contact,
    ) -> Result<(), OpsError> {
        let ctx = self.ctx;
        let snapshot = self.snapshot()?;
        let mut tx = Tx::new(ctx, &snapshot, by.clone());
        tx.contact = contact;
        let reason = match act.perform(&mut tx) {
            Ok(()) => {
                let changes = tx.into_changes()?;
                return self.write(&snapshot, changes, number, Author::from(&by));
            }
            // That is no decision.
            Err(error @ (OpsError::Store(_) | OpsError::Unreachable { .. })) => return Err(error),
            Err(refusal) => chain(&refusal),
        };
        let refused = NotGranted {
            id: act.id(),
            agent: by.clone(),
            is_claim: act.is_claim(),
            what: act.to_string(),
            reason,
        };
        let mut tx = Tx::new(ctx, &snapshot, AgentName::reflectt());
        let (what, reason) = (&refused.what, &refused.reason);
        let (notice, then) = match refused.is_claim {
            true => (
                Some(Notice::ClaimLost),
                "Stop work on it; what you have not handed in is yours to offer by message.",
            ),
            false => (None, "It was not done."),
        };
        let body = format!(
            "without the remote you wanted to {what}. Now that it could be asked, it was not granted: {reason}. {then}"
        );
        let task = act
            .id()
            .filter(|id| snapshot.entry(*id).is_ok_and(|it| it.is_some()));
        tx.tell([by], notice, task, body);
        tx.subject(format!("not granted: {what}"));
        let changes = tx.into_changes()?;
        self.refused.push(refused);
        self.write(&snapshot, changes, number, Author::reflectt())
    }

    fn snapshot(&self) -> Result<Snapshot<'c>, OpsError> {
        let store = self.ctx.store();
        let record = self.tips.record.ok_or_else(|| store.not_initialised())?;
        Ok(store.snapshot_at(record, self.tips.table)?)
    }

    /// Writes what came of a request, and in the same version of the table that it was decided.
    fn write(
        &mut self,
        snapshot: &Snapshot,
        mut changes: Changes,
        number: u64,
        author: Author,
    ) -> Result<(), OpsError> {
        let before = snapshot.table()?;
        let table = changes.table.get_or_insert_with(|| {
            let mut table = before.clone();
            table.epoch = before.next_epoch();
            table
        });
        table.served.insert(self.ctx.clone_id()?, number);
        let now = self.ctx.now();
        let origin = Origin { author, now };
        self.tips = self.ctx.store().compose(snapshot, &changes, &origin)?;
        Ok(())
    }
}
