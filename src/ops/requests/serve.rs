//! Having the remote's table decide what waits in the queue of this clone.

use std::collections::BTreeSet;

use crate::model::message::Notice;
use crate::model::name::{AgentName, Author};
use crate::model::text;
use crate::ops::sync::{self, Ground, OnTop};
use crate::ops::tx::{Contact, Remote, Seen, Tx};
use crate::ops::{Context, OpsError, chain, mend};
use crate::store::{Changes, Link, Origin, Queued, Snapshot, StoreError, Tips};

use super::{NotGranted, Request, note_served, read, served};

/// Has the remote's table decide what this clone has asked for, in order; returns what was not
/// granted. All of it is one push.
///
/// # Errors
///
/// [`OpsError::Unreachable`] if the remote does not answer; the requests go on waiting.
pub fn serve(ctx: &Context, link: &Link) -> Result<Vec<NotGranted>, OpsError> {
    let store = ctx.store();
    let mut remote = Remote::new(ctx, link);
    let mut patience = store.patience();
    loop {
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
            patience.lost()?;
            continue;
        }
        let Some(mut serving) = Serving::begin(ctx, &ground)? else {
            return Ok(Vec::new());
        };
        serving.mend()?;
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
        patience.lost()?;
    }
}

/// The requests of this clone while they are decided.
struct Serving<'c> {
    ctx: &'c Context,
    tips: Tips,
    requests: Vec<Queued>,
    refused: Vec<NotGranted>,
    /// The claims that were not granted, by their nonces.
    lost: BTreeSet<u64>,
}

/// Tells whether it is decided by this error that something is not done.
fn is_refusal(error: &OpsError) -> bool {
    match error {
        OpsError::Unreachable { .. } => false,
        OpsError::Store(error) => matches!(
            error,
            StoreError::TooLarge { .. } | StoreError::ReadBack { .. } | StoreError::Newer { .. }
        ),
        _ => true,
    }
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
            lost: BTreeSet::new(),
        }))
    }

    /// Makes record and table agree, as before any decision.
    fn mend(&mut self) -> Result<(), OpsError> {
        let snapshot = self.snapshot()?;
        let now = self.ctx.now();
        if let Some(changes) = mend::changes(self.ctx, &snapshot, now)? {
            let author = Author::reflectt();
            let origin = Origin { author, now };
            self.tips = self.ctx.store().compose(&snapshot, &changes, &origin)?;
        }
        Ok(())
    }

    fn decide_all(&mut self, contact: Contact) -> Result<(), OpsError> {
        for queued in self.requests.clone() {
            let request = read(&queued).and_then(|it| Some((it.by.parse().ok()?, it)));
            match request {
                Some((by, request)) => self.decide(queued.number, by, &request, contact)?,
                None => {
                    self.ctx.note_warnings([format!(
                        "the request {} of this clone cannot be read and is left out: {}",
                        queued.number, queued.text
                    )]);
                    let nothing = Changes::default();
                    let snapshot = self.snapshot()?;
                    self.write(&snapshot, nothing, queued.number, Author::reflectt())?;
                }
            }
        }
        Ok(())
    }

    fn decide(
        &mut self,
        number: u64,
        by: AgentName,
        request: &Request,
        contact: Contact,
    ) -> Result<(), OpsError> {
        let (ctx, act) = (self.ctx, &request.act);
        let snapshot = self.snapshot()?;
        let mut tx = Tx::new(ctx, &snapshot, by.clone());
        tx.contact = contact;
        let done = request.perform(&mut tx).and_then(|()| {
            let changes = tx.into_changes()?;
            self.write(&snapshot, changes, number, Author::from(&by))
        });
        let reason = match done {
            Ok(()) => return Ok(()),
            Err(error) if !is_refusal(&error) => return Err(error),
            Err(refusal) => chain(&refusal),
        };
        let claim = request.about.claim;
        if claim.is_some_and(|claim| self.lost.contains(&claim)) {
            // It was told with the claim that it rested on.
            let nothing = Changes::default();
            return self.write(&snapshot, nothing, number, Author::reflectt());
        }
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
        let mut body = format!(
            "without the remote you wanted to {what}. Now that it could be asked, it was not granted: {} {then}",
            text::sentence(reason)
        );
        if refused.is_claim {
            self.lost.insert(request.nonce);
            let waiting = self.requests.iter().filter(|it| it.number > number);
            let rests = |it: &Request| it.about.claim == Some(request.nonce);
            let resting = waiting.filter_map(read).filter(rests);
            let resting: Vec<String> = resting.map(|it| it.act.to_string()).collect();
            if !resting.is_empty() {
                let resting = resting.join(", ");
                body.push_str(&format!(" With it went what rested on it: {resting}."));
            }
        }
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
        note_served(self.ctx, table, number)?;
        let now = self.ctx.now();
        let origin = Origin { author, now };
        self.tips = self.ctx.store().compose(snapshot, &changes, &origin)?;
        Ok(())
    }
}
