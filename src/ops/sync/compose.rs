//! What goes on top of the merged record before it is pushed: edits by hand, what had to be mended,
//! and the board.

use crate::git::Oid;
use crate::model::claim::{Claim, Table};
use crate::model::decide::{Decision, Facts, Take, decide};
use crate::model::name::{AgentName, Author};
use crate::store::{Changes, Origin, Snapshot, Store, StoreError, Tips, layout};

use super::BoardToo;
use super::adopt::changes_on;
use super::plan::{Plan, RecordStep, TableStep, View};
use crate::ops::silence::Silence;
use crate::ops::tx::Contact;
use crate::ops::{Context, OpsError, board, mend};

/// What both sides shall have.
pub struct Composed {
    /// Without a table, it stays as it is on either side.
    pub tips: Tips,
    pub warnings: Vec<String>,
}

/// Computes what both sides shall have. Objects are written; no ref moves.
pub fn compose(
    ctx: &Context,
    record: Oid,
    view: &View,
    plan: &Plan,
    board: BoardToo,
) -> Result<Composed, OpsError> {
    let mut on = Top {
        ctx,
        record,
        table: match plan.table {
            TableStep::Nothing => view.local.table,
            TableStep::Follow(tip) | TableStep::Push(tip) => Some(tip),
            TableStep::Reunite { onto, .. } => Some(onto),
        },
    };
    let warnings = on.adopt(view, plan)?;
    if let TableStep::Reunite { here, .. } = plan.table {
        on.reunite(here)?;
        on.mend()?;
    }
    // Only whoever brings something writes the board, or two versions of reflectt that draw it
    // differently would write it in turns for ever.
    let brings = on.record != record
        || matches!(plan.record, RecordStep::Push(_) | RecordStep::Merge(_, _))
        || matches!(plan.table, TableStep::Push(_));
    if board == BoardToo::Yes && (brings || !on.is_board()?) {
        on.board()?;
    }
    Ok(Composed {
        tips: Tips {
            record: Some(on.record),
            table: on.table.filter(|_| plan.table != TableStep::Nothing),
        },
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

    /// Asks again, on the remote's table, for what is held by a table here that has gone another
    /// way: two teams became one, or somebody set the remote's table back.
    ///
    /// What is not granted ends by mending, which tells whoever had it.
    fn reunite(&mut self, here: Oid) -> Result<(), OpsError> {
        let before = self.store().snapshot_at(self.record, Some(here))?;
        let (before, _) = before.table_in_force()?;
        let snapshot = self.snapshot()?;
        let theirs = snapshot.table()?;
        let settings = snapshot.settings()?;
        let agents = snapshot.agents()?;
        let wip = |agent: &AgentName| {
            let own = agents.get(agent).and_then(|agent| agent.wip);
            own.unwrap_or(settings.wip_agent)
        };
        let silence = Silence::new(self.ctx, &snapshot, Contact::Fresh)?;
        let facts = Facts {
            now: self.ctx.now(),
            settings,
            expired: &|_| false,
            elsewhere: &|claim| silence.is_elsewhere(claim),
            wip: &wip,
        };
        let mut table = Table {
            epoch: theirs.epoch.max(before.epoch),
            // The record knows the fences of both.
            fence: theirs.fence.max(before.fence),
            ..theirs.clone()
        };
        for (clone, number) in &before.served {
            let served = table.served.entry(clone.clone()).or_default();
            *served = (*served).max(*number);
        }
        let mut claims: Vec<&Claim> = before.claims.values().collect();
        claims.sort_by_key(|claim| claim.fence);
        for claim in claims {
            if let Decision::Changed(change) = decide(&table, &facts, &Take::again(claim)) {
                let is_free = table
                    .claims
                    .values()
                    .all(|other| other.fence != claim.fence);
                table = change.table;
                // What the record says of it stays true, unless another claim has its number.
                if is_free && let Some(granted) = table.claims.get_mut(&claim.id) {
                    granted.clone_from(claim);
                }
            }
        }
        table.epoch = table
            .epoch
            .max(before.next_epoch())
            .max(theirs.next_epoch());
        let changes = Changes {
            subject: "bring two claims tables together".to_owned(),
            table: Some(table),
            ..Changes::default()
        };
        self.add(&snapshot, &changes)
    }

    /// Makes the record follow the table.
    fn mend(&mut self) -> Result<(), OpsError> {
        let snapshot = self.snapshot()?;
        let now = self.ctx.now();
        if let Some(changes) = mend::changes(self.ctx, &snapshot, now)? {
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

/// The subject of commits that change the board alone.
const BOARD: &str = "board";
