//! Going back to a claims table that can be read.
//!
//! The table is a straight line of versions, and a damaged one stops every claim. What can be
//! known is its last sound version, which is put on top of the line: no version is taken away, so
//! that clones which have the damaged one follow. Where there is none, the record says which tasks
//! are held.

use crate::git::{Oid, RefOutcome, Step};
use crate::model::claim::Table;
use crate::model::id::{FENCES_UNKNOWN, Fence};

use super::publish::{advisory, table_message};
use super::{Origin, Store, StoreError, table};

/// The last version of the claims table that can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readable {
    /// Its commit; `None` if no version can be read.
    pub commit: Option<Oid>,
    pub table: Table,
    /// How many damaged versions came after it.
    pub damaged: u64,
    /// The highest fence that may have been given out.
    pub fence: Fence,
}

impl Store {
    /// Looks for the last version at or before `tip` that can be read, and has numbers that can be
    /// believed. A later version of which only the numbers cannot be tells who holds what.
    pub fn readable_table(&self, tip: Oid) -> Result<Readable, StoreError> {
        let mut damaged = 0;
        let mut spoken = Vec::new();
        let mut claims = None;
        let mut ended = None;
        for step in self.repo().first_parents(tip)? {
            // A version that is gone ends the line: nothing is known of what was before it.
            let Ok((commit, _)) = step else { break };
            match table::read(self.repo(), commit) {
                Ok(table) if table.is_plausible() => {
                    ended = Some((commit, table));
                    break;
                }
                Ok(table) => {
                    damaged += 1;
                    claims.get_or_insert((commit, table.claims));
                }
                Err(error) if error.is_table() => {
                    damaged += 1;
                    spoken.extend(table::fence(self.repo(), commit));
                }
                Err(error) => return Err(error),
            }
        }
        let (mut commit, mut table) = match ended {
            Some((commit, table)) => (Some(commit), table),
            None => (None, Table::default()),
        };
        if let Some((later, claims)) = claims {
            (commit, table.claims) = (Some(later), claims);
        }
        // Of a version that says nothing at all: most give out one fence, or none.
        let silent = table.fence.plus(damaged);
        Ok(Readable {
            commit,
            fence: highest_within(silent, spoken),
            table,
            damaged,
        })
    }

    /// Puts the last readable version of a damaged table on top of it, or makes one of what the
    /// record knows.
    ///
    /// The damaged versions, and the record, may know of higher fences. The new table begins above
    /// all of them: a fence is never given out twice. Those that no table can have given out count
    /// for nothing.
    ///
    /// Returns `None` if the table can be read and believed, by now or from the start.
    ///
    /// # Errors
    ///
    /// [`StoreError::is_newer_table`] if a later version of reflectt wrote it.
    pub fn restore_table(&self, origin: &Origin) -> Result<Option<Readable>, StoreError> {
        let lock = self.queue();
        let advisory = advisory(lock.as_ref());
        let mut patience = self.patience();
        loop {
            let snapshot = self.snapshot()?;
            if let Err(error) = snapshot.table()
                && error.is_newer_table()
            {
                return Err(error);
            }
            if snapshot.known_table()?.is_some_and(Table::is_plausible) {
                return Ok(None);
            }
            let mut found = snapshot.last_table()?.clone();
            let table = &mut found.table;
            table.epoch += found.damaged + 1;
            table.fence = found.fence;
            for id in table.misnumbered() {
                table.fence = table.fence.next();
                if let Some(claim) = table.claims.get_mut(&id) {
                    claim.fence = table.fence;
                }
            }
            let subject = "restore the claims table: it could not be read";
            let tree = table::write(self.repo(), None, table)?;
            let parents = snapshot.table_tip.into_iter().collect();
            let commit = self.commit(tree, parents, table_message(subject), origin)?;
            let step = Step {
                from: snapshot.table_tip,
                to: commit,
            };
            let update = step.of(self.claims_ref().clone());
            if self.move_refs(&[update], subject, advisory)? == RefOutcome::Moved {
                return Ok(Some(found));
            }
            patience.lost()?;
        }
    }
}

/// Returns the highest of some fences that can have been given out where `sure` is known of.
pub(super) fn highest_within(sure: Fence, fences: impl IntoIterator<Item = Fence>) -> Fence {
    let reach = sure.plus(FENCES_UNKNOWN);
    let fences = fences.into_iter().filter(|fence| *fence <= reach);
    fences.fold(sure, Fence::max)
}
