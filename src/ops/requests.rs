//! What was asked for while the remote could not be: this clone's requests, its own view of what
//! they come to, and having them decided.
//!
//! Nothing of a request is in the record or the claims table before the remote's table granted it.
//! Then it is decided by the same operation that would have run, on what there is by then. The
//! table knows the number of the last request of each clone that was decided, so none is decided
//! twice, whoever dies on the way.

mod act;
mod serve;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::git::Oid;
use crate::model::claim::Table;
use crate::model::id::TaskId;
use crate::model::name::{AgentName, Author};
use crate::model::rule::Refusal;
use crate::model::time::Timestamp;
use crate::store::{Changes, Origin, Queued, Snapshot, Tips};

pub use act::{Act, WorkPlace};
pub use serve::serve;

use super::tx::{Contact, Tx};
use super::{Context, OpsError};

/// A request as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Request {
    by: String,
    /// When it was made, in milliseconds since 1970.
    at: i64,
    /// Tells the claim that it makes from all others, before that has a fence.
    nonce: u64,
    about: About,
    act: Act,
}

/// What somebody wants who cannot be answered yet.
pub struct Wanted {
    pub by: AgentName,
    pub nonce: u64,
    pub act: Act,
}

/// What was given to the remote as the doing of a request, if it did not say whether it took it.
#[derive(Clone, Copy)]
pub struct Pushed {
    pub tips: Tips,
    /// The same with what others of this clone have decided on top of it.
    pub with: Tips,
    pub number: u64,
}

/// What whoever asked for something had before its eyes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    /// The claim, by its nonce: one that is itself in the queue has no fence.
    claim: Option<u64>,
    /// The submission, if it is in the record.
    submission: Option<String>,
}

impl About {
    fn of(snapshot: &Snapshot, act: &Act) -> Result<About, OpsError> {
        let Some(id) = act.id().filter(|_| act.is_about_a_claim()) else {
            return Ok(About::default());
        };
        let entry = snapshot.entry(id)?;
        let submission = entry.and_then(|entry| entry.task().submission.as_ref());
        Ok(About {
            claim: snapshot.table()?.claims.get(&id).map(|claim| claim.nonce),
            submission: submission.map(|(stamp, _)| stamp.to_string()),
        })
    }
}

impl Request {
    /// Does it in a turn of an operation, if what it is about is still there.
    fn perform(&self, tx: &mut Tx) -> Result<(), OpsError> {
        let now = About::of(tx.snapshot, &self.act)?;
        let about = &self.about;
        if let Some(id) = self.act.id() {
            if about.claim != now.claim && self.act.is_about_a_claim() {
                return Err(over(tx, id)?);
            }
            if about.submission.is_some() && about.submission != now.submission {
                return Err(Refusal::SubmittedAnew { task: id }.into());
            }
        }
        tx.nonce = self.nonce;
        self.act.perform(tx)
    }
}

/// Says what became of the claim that a request was about.
fn over(tx: &Tx, id: TaskId) -> Result<OpsError, OpsError> {
    if let Some(entry) = tx.snapshot.entry(id)? {
        let log = tx.snapshot.log_of(entry)?;
        if let Some(lost) = tx.lost(entry.task(), &log) {
            return Ok(lost);
        }
    }
    let claim = tx.snapshot.table()?.claims.get(&id);
    let holder = claim.map(|claim| claim.agent.clone());
    Ok(Refusal::Overtaken { id, holder }.into())
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

/// What there is, with what this clone has asked for as if it were granted.
pub struct Look<'s> {
    snapshot: Snapshot<'s>,
    /// The tasks and claims of which something waits for the remote's decision.
    pub provisional: BTreeSet<TaskId>,
}

impl<'s> Deref for Look<'s> {
    type Target = Snapshot<'s>;

    fn deref(&self) -> &Snapshot<'s> {
        &self.snapshot
    }
}

/// Looks at what there is.
pub fn look(ctx: &Context) -> Result<Look<'_>, OpsError> {
    let store = ctx.store();
    let (tips, requests) = match store.has_requests() {
        false => (None, Vec::new()),
        true => match view(ctx) {
            Ok(view) => (Some((view.record, view.table)), view.requests),
            // What cannot be decided here is not shown as if it were.
            Err(OpsError::Store(damage)) if damage.is_table() => (None, Vec::new()),
            Err(error) => return Err(error),
        },
    };
    let ids = requests.iter().filter_map(|queued| read(queued)?.act.id());
    Ok(Look {
        snapshot: match tips {
            Some((record, table)) => store.snapshot_at(record, table)?,
            None => store.snapshot()?,
        },
        provisional: ids.collect(),
    })
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
                if request.perform(&mut tx).is_ok() {
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
pub fn add(
    ctx: &Context,
    mut view: View,
    wanted: Wanted,
    pushed: Option<Pushed>,
    (snapshot, changes, origin): (&Snapshot, Changes, &Origin),
) -> Result<(), OpsError> {
    let store = ctx.store();
    let served = served(ctx, snapshot)?;
    let number = match pushed {
        // It is known by now that the remote took it.
        Some(pushed) if is_confirmed(ctx, pushed.tips)? => return Ok(()),
        // Should the remote have taken it, its table says so by this number. So would that of a
        // later push, which had it not: then it needs one of its own.
        Some(pushed) if pushed.number > served && pushed.is_last(ctx, snapshot)? => pushed.number,
        _ => store.next_request(served)?,
    };
    let Wanted { by, nonce, act } = wanted;
    let mut about = About::of(snapshot, &act)?;
    // One that waits itself has another id when it is granted.
    let here = About::of(&store.snapshot()?, &act)?.submission;
    about.submission = about.submission.filter(|seen| here.as_ref() == Some(seen));
    let request = Request {
        by: by.to_string(),
        at: origin.now.0,
        nonce,
        about,
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

impl Pushed {
    /// Tells whether nothing was pushed after it.
    fn is_last(&self, ctx: &Context, view: &Snapshot) -> Result<bool, OpsError> {
        let with = ctx.store().snapshot_at(view.tip, self.with.table)?;
        Ok(ctx.store().is_last_request(served(ctx, &with)?))
    }
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
        note_served(ctx, table, number)?;
    }
    Ok(number)
}

/// How many clones the table may know of, those that are long gone among them.
const SERVED_MAX: usize = 200;

/// Notes in the table what the last request of this clone was that was decided.
fn note_served(ctx: &Context, table: &mut Table, number: u64) -> Result<(), OpsError> {
    let here = ctx.clone_id()?;
    if table.served.len() >= SERVED_MAX
        && let Some(link) = ctx.store().link()
    {
        // Clones come and go, and each of them once.
        let alive = ctx.store().clones_on(&link, &here)?;
        table.served.retain(|clone, _| alive.contains(clone));
    }
    table.served.insert(here, number);
    Ok(())
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
