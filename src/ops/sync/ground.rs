//! What a decision is made on where a remote has a say in it.

use crate::git::{Oid, Relation};
use crate::store::{Link, Snapshot, Store, StoreError, Tips};

use super::plan::plan;
use super::run::{Met, meet, view};
use super::{BoardToo, SyncReport};
use crate::ops::{Context, OpsError};

/// Whether a decision builds upon what this clone has decided and the remote has not yet taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTop {
    OfWhatIsStaged,
    OfWhatIsConfirmed,
}

/// All that this clone, and as far as it knows the remote, has.
pub struct Ground {
    pub tips: Tips,
    /// What the refs here hold.
    local: Tips,
    /// What the remote is expected to hold.
    pub onto: Tips,
    /// The table that was decided in this clone and is not yet confirmed, whether this ground has
    /// it or not.
    pub staged: Option<Oid>,
    /// Whether it has it.
    pub is_staged: bool,
}

/// Brings together, without moving any ref, what this clone has and what the remote had when it
/// was last asked.
pub fn ground(ctx: &Context, link: &Link, on: OnTop) -> Result<Ground, OpsError> {
    let store = ctx.store();
    let local = store.local_tips()?;
    let here = local.record.ok_or_else(|| store.not_initialised())?;
    let onto = store.tracking_tips(link)?;
    let staged = store.staged();
    let tip = staged.tip().filter(|_| staged.onto == onto);
    let mut ground = Ground {
        tips: local,
        local,
        onto,
        staged: tip.and_then(|tip| tip.table),
        is_staged: false,
    };
    if let Some(tip) = tip.filter(|_| on == OnTop::OfWhatIsStaged) {
        let record = match tip.record {
            Some(tip) if !has(store, tip, here)? => store.merge_records(tip, here)?.commit,
            tip => tip.unwrap_or(here),
        };
        let record = Some(record);
        ground.tips = Tips { record, ..tip };
        ground.is_staged = true;
        return Ok(ground);
    }
    let is_ahead = match onto.record {
        Some(theirs) => has(store, here, theirs)?,
        None => true,
    };
    if local.table != onto.table || !is_ahead {
        let view = view(store, onto, onto)?;
        let mut report = SyncReport::default();
        let met = meet(ctx, link, &view, &plan(&view), BoardToo::No, &mut report)?;
        ctx.note_warnings(report.remarks());
        if let Some(Met { tips, .. }) = met {
            // Where neither side's table can be built upon, nothing is decided.
            let table = tips.table.or(onto.table).or(local.table);
            ground.tips = Tips { table, ..tips };
        }
    }
    Ok(ground)
}

impl Ground {
    /// Tells whether it is what the refs here hold.
    pub fn is_here(&self) -> bool {
        self.tips == self.local
    }

    pub fn snapshot<'s>(&self, store: &'s Store) -> Result<Snapshot<'s>, StoreError> {
        let record = self.tips.record.ok_or_else(|| store.not_initialised())?;
        store.snapshot_at(record, self.tips.table)
    }
}

/// Takes over what the remote had when it was last asked, without giving it anything.
///
/// For whoever needs to know it and has nothing to decide. Lost to somebody else here, it is done.
pub fn follow(ctx: &Context, link: &Link) -> Result<(), OpsError> {
    let _lock = ctx.store().queue();
    let ground = ground(ctx, link, OnTop::OfWhatIsConfirmed)?;
    // What the remote has not confirmed must not be here either.
    if ground.tips.table == ground.onto.table {
        let (table, record) = ground.local.steps_to(ground.tips);
        ctx.store().move_local(table, record, "follow")?;
    }
    Ok(())
}

/// Tells whether `tip` has all that `older` has.
fn has(store: &Store, tip: Oid, older: Oid) -> Result<bool, StoreError> {
    let relation = store.repo().relation(tip, older)?;
    Ok(matches!(relation, Relation::Same | Relation::Ahead))
}
