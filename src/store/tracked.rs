//! The state as a remote had it, for clones that only look: a build server's, for example.

use crate::git::RefName;

use super::{Snapshot, Store, StoreError, layout};

impl Store {
    /// Returns the state of this clone, with what it lacks taken from its copies of the remote's.
    ///
    /// A plain `git clone` has the record as `refs/remotes/<remote>/reflectt` and no branch.
    pub fn snapshot_or_tracked(&self, remote: &str) -> Result<Snapshot<'_>, StoreError> {
        let tip = match self.repo.read_ref(&self.record)? {
            Some(tip) => Some(tip),
            None => self.tracked(&layout::tracked_record(remote))?,
        };
        let mut table = self.repo.read_ref(&self.claims)?;
        for name in layout::tracked_claims(remote) {
            table = match table {
                Some(table) => Some(table),
                None => self.tracked(&name)?,
            };
        }
        self.snapshot_at(tip.ok_or_else(|| self.not_initialised())?, table)
    }

    /// Returns the error for a clone without a record, which may have fetched somebody's.
    pub fn not_initialised(&self) -> StoreError {
        let mut names = self.repo.remote_names().into_iter();
        let remote = names.find(|name| {
            let tip = self.tracked(&layout::tracked_record(name));
            // A partial clone may lack what would tell for sure.
            let found = tip.ok().flatten().map(|tip| self.snapshot_at(tip, None));
            found.is_some_and(|found| !matches!(found, Err(StoreError::Foreign { .. })))
        });
        // Where `join` and `init` would ask.
        let names = self.repo.remote_names();
        let place = self.link().map_or("origin".to_owned(), |link| link.name);
        let unseen = Some(place).filter(|place| remote.is_none() && names.contains(place));
        StoreError::NotInitialised { remote, unseen }
    }

    /// Tells whether git's own copies of a remote's branches have a record.
    pub fn has_tracked(&self, remote: &str) -> bool {
        matches!(self.tracked(&layout::tracked_record(remote)), Ok(Some(_)))
    }

    fn tracked(&self, name: &str) -> Result<Option<crate::git::Oid>, StoreError> {
        // A remote may have a name that no ref can have.
        match RefName::new(name) {
            Ok(name) => Ok(self.repo.read_ref(&name)?),
            Err(_) => Ok(None),
        }
    }
}
