//! What goes on top of the merged record before it is pushed: the outcome of provisional claims,
//! what had to be mended, and the board.

use crate::git::Oid;
use crate::model::claim::{Claim, Table};
use crate::model::id::Stamp;
use crate::model::message::Notice;
use crate::model::name::{AgentName, Author};
use crate::model::replay::{self, Lost};
use crate::model::task::TaskEvent;
use crate::model::text;
use crate::store::{Changes, Origin, Snapshot, Store, StoreError, Tips, layout};

use super::adopt::changes_on;
use super::plan::{Plan, RecordStep, TableStep, View};
use super::{BoardToo, SyncOptions};
use crate::ops::silence::Silence;
use crate::ops::tx::{Contact, Tx};
use crate::ops::{Context, OpsError, board, mend};

/// What both sides shall have.
pub struct Composed {
    /// Without a table, it stays as it is on either side.
    pub tips: Tips,
    pub lost: Vec<Lost>,
    pub warnings: Vec<String>,
}

/// Computes what both sides shall have. Objects are written; no ref moves.
pub fn compose(
    ctx: &Context,
    record: Oid,
    view: &View,
    plan: &Plan,
    options: SyncOptions,
) -> Result<Composed, OpsError> {
    let mut on = Top {
        ctx,
        record,
        table: match plan.table {
            TableStep::Nothing => view.local.table,
            TableStep::Follow(tip) | TableStep::Push(tip) => Some(tip),
            TableStep::Replay { onto, .. } => Some(onto),
        },
    };
    let mut lost = Vec::new();
    let warnings = on.adopt(view, plan)?;
    if let TableStep::Replay { here, onto } = plan.table {
        lost = on.replay(here, onto)?;
        on.tell(&lost)?;
        on.mend()?;
    }
    // Only whoever brings something writes the board, or two versions of reflectt that draw it
    // differently would write it in turns for ever.
    let brings = on.record != record
        || matches!(plan.record, RecordStep::Push(_) | RecordStep::Merge(_, _))
        || matches!(plan.table, TableStep::Push(_));
    if options.board == BoardToo::Yes && (brings || !on.is_board()?) {
        on.board()?;
    }
    Ok(Composed {
        tips: Tips {
            record: Some(on.record),
            table: on.table.filter(|_| plan.table != TableStep::Nothing),
        },
        lost,
        warnings,
    })
}

/// The tips as they grow.
struct Top<'c> {
    ctx: &'c Context,
    record: Oid,
    table: Option<Oid>,
}

impl<'c> Top<'c> {
    fn store(&self) -> &'c Store {
        self.ctx.store()
    }

    fn snapshot(&self) -> Result<Snapshot<'c>, StoreError> {
        self.store().snapshot_at(self.record, self.table)
    }

    /// Writes the commits of `changes`, as reflectt's own doing.
    fn add(&mut self, snapshot: &Snapshot, changes: &Changes) -> Result<(), OpsError> {
        let origin = Origin {
            author: Author::reflectt(),
            now: self.ctx.now(),
        };
        let tips = self.store().compose(snapshot, changes, &origin)?;
        self.record = tips.record.unwrap_or(self.record);
        self.table = tips.table;
        Ok(())
    }

    /// Makes events of what people edited by hand.
    fn adopt(&mut self, view: &View, plan: &Plan) -> Result<Vec<String>, OpsError> {
        let snapshot = self.snapshot()?;
        let tips = [view.local.record, view.remote.record];
        let tips: Vec<Oid> = tips.into_iter().flatten().collect();
        // A merge keeps what either side has.
        let had = match plan.record {
            RecordStep::Follow(_) => view.local.record,
            _ => None,
        };
        let adopted = changes_on(self.store(), &snapshot, &tips, had)?;
        if adopted.changes.touches_record() {
            self.add(&snapshot, &adopted.changes)?;
        }
        let mut warnings = adopted.unreadable;
        warnings.extend(adopted.warnings);
        Ok(warnings)
    }

    /// Asks again, on the remote's table, for what was done here without it.
    fn replay(&mut self, here: Oid, onto: Oid) -> Result<Vec<Lost>, OpsError> {
        let versions = self.store().table_versions_since(here, onto)?;
        let snapshot = self.snapshot()?;
        let table = snapshot.table()?.clone();
        let settings = snapshot.settings()?;
        let agents = snapshot.agents()?;
        let wip = |agent: &AgentName| {
            let own = agents.get(agent).and_then(|agent| agent.wip);
            own.unwrap_or(settings.wip_agent)
        };
        let silence = Silence::new(self.ctx, &snapshot, Contact::Fresh)?;
        let facts = crate::model::decide::Facts {
            now: self.ctx.now(),
            settings,
            expired: &|_| false,
            elsewhere: &|claim| silence.is_elsewhere(claim),
            wip: &wip,
        };
        let done = replay::replay(&versions, &table, &facts);
        if done.table != table {
            let next = Table {
                epoch: done.table.epoch.max(table.epoch + 1),
                ..done.table
            };
            let changes = Changes {
                subject: "confirm what was claimed without the remote".to_owned(),
                table: Some(next),
                ..Changes::default()
            };
            self.add(&snapshot, &changes)?;
        }
        Ok(done.lost)
    }

    /// Ends lost claims in the record, and tells their agents.
    fn tell(&mut self, lost: &[Lost]) -> Result<(), OpsError> {
        if lost.is_empty() {
            return Ok(());
        }
        let snapshot = self.snapshot()?;
        let mut tx = Tx::new(self.ctx, &snapshot, AgentName::reflectt());
        let mut ids = Vec::new();
        for Lost { claim, reason } in lost {
            if claim.of_task
                && let Some(event) = given(&tx, claim)?
            {
                let note = format!("the provisional claim was not confirmed: {reason}");
                tx.event(claim.id, TaskEvent::Retracted { event, note })?;
            }
            let body = format!(
                "your provisional claim `{}` was not confirmed: {} Stop work on it; what you have not handed in is yours to offer by message.",
                claim.id,
                text::sentence(reason)
            );
            let task = Some(claim.id).filter(|_| claim.of_task);
            tx.notify([claim.agent.clone()], Notice::ClaimLost, task, body);
            ids.push(claim.id.to_string());
        }
        tx.subject(format!("not confirmed: {}", ids.join(", ")));
        let changes = tx.into_changes();
        self.add(&snapshot, &changes)
    }

    /// Makes the record follow the table for the claims of this clone.
    fn mend(&mut self) -> Result<(), OpsError> {
        let snapshot = self.snapshot()?;
        let now = self.ctx.now();
        if let Some(changes) = mend::changes(self.ctx, &snapshot, now, Contact::Fresh)? {
            self.add(&snapshot, &changes)?;
        }
        Ok(())
    }

    fn is_board(&self) -> Result<bool, OpsError> {
        let tip = self.store().repo().read_commit(self.record)?;
        Ok(tip.message.starts_with(BOARD))
    }

    /// Brings the board up to date if it is not.
    fn board(&mut self) -> Result<(), OpsError> {
        let snapshot = self.snapshot()?;
        let text = board::published(self.ctx, &snapshot)?;
        if snapshot.root_file(layout::README)?.as_deref() == Some(text.as_bytes()) {
            return Ok(());
        }
        let changes = Changes {
            subject: BOARD.to_owned(),
            board: Some(text),
            ..Changes::default()
        };
        self.add(&snapshot, &changes)
    }
}

/// Finds the event that recorded a claim.
fn given(tx: &Tx, claim: &Claim) -> Result<Option<Stamp>, OpsError> {
    let log = match tx.log(claim.id) {
        Ok(log) => log,
        Err(OpsError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut events = log.log.iter();
    let found = events.find(|(_, event)| match &event.kind {
        TaskEvent::Claimed { agent, fence, .. } => (agent, *fence) == (&claim.agent, claim.fence),
        TaskEvent::HandedOff { to, fence, .. } => (to, *fence) == (&claim.agent, Some(claim.fence)),
        _ => false,
    });
    Ok(found.map(|(stamp, _)| stamp))
}

/// The subject of commits that change the board alone.
const BOARD: &str = "board";
