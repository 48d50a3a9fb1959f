//! Going back to a claims table that can be read.
//!
//! The table is a straight line of versions, and a damaged one stops every claim. What can be
//! known is its last sound version, which is put on top of the line: no version is taken away, so
//! that clones which have the damaged one follow.

use crate::git::{Expected, GitError, Oid, RefOutcome, RefUpdate};
use crate::model::claim::Table;
use crate::model::id::Fence;

use super::publish::{advisory, table_message};
use super::{Origin, Store, StoreError, table};

/// The last version of the claims table that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Looks for the last version at or before `tip` that can be read.
    pub fn readable_table(&self, tip: Oid) -> Result<Readable, StoreError> {
        let mut damaged = 0;
        let mut highest = Fence::default();
        for step in self.repo().first_parents(tip)? {
            // A version that is gone ends the line: nothing is known of what was before it.
            let Ok((commit, _)) = step else { break };
            match table::read(self.repo(), commit) {
                Ok(table) => {
                    // Of a version that says nothing at all: most give out one fence, or none.
                    let silent = Fence(table.fence.0.saturating_add(damaged));
                    return Ok(Readable {
                        commit: Some(commit),
                        fence: highest.max(silent),
                        table,
                        damaged,
                    });
                }
                Err(error) if is_damage(&error) => {
                    damaged += 1;
                    highest = highest.max(table::fence(self.repo(), commit).unwrap_or_default());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Readable {
            commit: None,
            table: Table::default(),
            fence: highest,
            damaged,
        })
    }

    /// Puts the last readable version of a damaged table on top of it.
    ///
    /// `seen` is the highest fence the record knows. The damaged versions may have given out more,
    /// so the new table begins above all of them: a fence is never given out twice.
    ///
    /// Returns `None` if the table can be read, by now or from the start.
    pub fn restore_table(
        &self,
        seen: Fence,
        origin: &Origin,
    ) -> Result<Option<Readable>, StoreError> {
        let lock = self.queue();
        let advisory = advisory(lock.as_ref());
        loop {
            let Some(tip) = self.repo().read_ref(self.claims_ref())? else {
                return Ok(None);
            };
            match table::read(self.repo(), tip) {
                Ok(_) => return Ok(None),
                Err(error) if is_damage(&error) => {}
                Err(error) => return Err(error),
            }
            let mut found = self.readable_table(tip)?;
            let table = &mut found.table;
            table.epoch = table.epoch.saturating_add(found.damaged).saturating_add(1);
            table.fence = found.fence.max(seen);
            let subject = "restore the claims table: it could not be read";
            let tree = table::write(self.repo(), None, table)?;
            let commit = self.commit(tree, vec![tip], table_message(subject), origin)?;
            let update = RefUpdate {
                name: self.claims_ref().clone(),
                expected: Expected::At(tip),
                new: Some(commit),
            };
            if self.move_refs(&[update], subject, advisory)? == RefOutcome::Moved {
                return Ok(Some(found));
            }
        }
    }
}

/// Tells whether a table cannot be read because of what it is, and not for want of a disk.
pub(super) fn is_damage(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Table { .. }
            | StoreError::NoTable { .. }
            | StoreError::Git(
                GitError::MissingObject { .. }
                    | GitError::CorruptObject { .. }
                    | GitError::WrongKind { .. }
            )
    )
}
