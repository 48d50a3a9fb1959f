//! The commits that are submitted, as refs: so that they travel to whoever reviews them, and are
//! kept as long as somebody may ask for them.

use std::collections::BTreeMap;

use crate::git::{Advisory, GitError, Oid, Pushed, RefName, RefUpdate, Together};
use crate::model::id::TaskId;

use super::link::{Link, Places};
use super::{Store, StoreError, layout};

impl Link {
    fn work_on_remote(&self, id: TaskId) -> RefName {
        let below = match self.places {
            Places::Hidden => layout::WORK,
            Places::Branches => layout::WORK_BRANCHES,
        };
        RefName::new(format!("{below}{id}")).expect("made of a constant and an id")
    }

    fn works_tracking(&self) -> String {
        let rest = match self.places {
            Places::Hidden => "work",
            Places::Branches => "heads/reflectt-work",
        };
        layout::tracking(&self.name, &format!("{rest}/"))
    }

    fn work_tracking(&self, id: TaskId) -> RefName {
        let name = format!("{}{id}", self.works_tracking());
        RefName::new(name).expect("made of a name that a ref can have")
    }
}

impl Store {
    /// Keeps a submitted commit, and gives it to the remote with the next push.
    pub fn keep_work(&self, id: TaskId, commit: Oid) -> Result<(), StoreError> {
        self.set_work(&work_ref(id), Some(commit))
    }

    /// Tells whether everybody of the team can have `commit` of a task: the remote has it, or
    /// there is none and all work in this clone.
    pub fn is_published(&self, id: TaskId, commit: Oid) -> Result<bool, GitError> {
        match self.link() {
            Some(link) => Ok(self.repo.read_ref(&link.work_tracking(id))? == Some(commit)),
            None => Ok(true),
        }
    }

    /// Returns the tasks of which work is kept, here or on the remote as far as is known.
    pub fn works(&self) -> Result<Vec<TaskId>, GitError> {
        let mut found: Vec<TaskId> = self.works_below(layout::WORK)?.into_keys().collect();
        if let Some(link) = self.link() {
            found.extend(self.works_below(&link.works_tracking())?.into_keys());
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn works_below(&self, below: &str) -> Result<BTreeMap<TaskId, Oid>, GitError> {
        let refs = self.repo.list_refs(below)?.into_iter();
        let named = refs.filter_map(|(name, oid)| {
            let id = name.as_str().strip_prefix(below)?.parse().ok()?;
            Some((id, oid))
        });
        Ok(named.collect())
    }

    /// Returns what the remote lacks of the work that was submitted here.
    pub(super) fn works_to_push(
        &self,
        link: &Link,
    ) -> Result<Vec<(TaskId, RefUpdate)>, StoreError> {
        if self.works_refused.borrow().is_some() {
            return Ok(Vec::new());
        }
        let here = self.works_below(layout::WORK)?;
        if here.is_empty() {
            return Ok(Vec::new());
        }
        let there = self.works_below(&link.works_tracking())?;
        let update = |(id, commit): (TaskId, Oid)| {
            let known = there.get(&id).copied();
            let update = RefUpdate {
                name: link.work_on_remote(id),
                from: known,
                to: Some(commit),
            };
            (known != Some(commit)).then_some((id, update))
        };
        Ok(here.into_iter().filter_map(update).collect())
    }

    /// Returns the tasks of which the remote has other work than was submitted here, with what it
    /// has.
    pub fn works_that_differ(&self, link: &Link) -> Result<Vec<(TaskId, Oid)>, StoreError> {
        let here = self.works_below(layout::WORK)?;
        if here.is_empty() {
            return Ok(Vec::new());
        }
        let there = self.works_below(&link.works_tracking())?.into_iter();
        Ok(there
            .filter(|(id, commit)| here.get(id).is_some_and(|here| here != commit))
            .collect())
    }

    /// Forgets what was submitted here of a task.
    pub fn forget_work(&self, id: TaskId) -> Result<(), StoreError> {
        self.set_work(&work_ref(id), None)
    }

    /// Tells whether the remote lacks anything of the work that was submitted here.
    pub fn has_works_to_push(&self, link: &Link) -> Result<bool, StoreError> {
        Ok(!self.works_to_push(link)?.is_empty())
    }

    /// Notes what a push has done to the work it gave the remote.
    pub(super) fn note_works(
        &self,
        link: &Link,
        works: &[(TaskId, RefUpdate)],
        results: &[Pushed],
    ) -> Result<(), StoreError> {
        for ((id, update), result) in works.iter().zip(results) {
            match result {
                Pushed::Moved => self.set_work(&link.work_tracking(*id), update.to)?,
                Pushed::Refused { reason } => {
                    self.works_refused.replace(Some(reason.clone()));
                }
                Pushed::Stale | Pushed::Together => {}
            }
        }
        Ok(())
    }

    /// Returns why the remote does not take the work of submissions, if it said so.
    pub fn works_refused(&self) -> Option<String> {
        self.works_refused.borrow().clone()
    }

    /// Forgets the work of tasks that are over, here and on the remote.
    pub fn drop_works(
        &self,
        link: Option<&Link>,
        over: &[TaskId],
        limit: std::time::Duration,
    ) -> Result<(), StoreError> {
        for id in over {
            self.set_work(&work_ref(*id), None)?;
        }
        let Some(link) = link else {
            return Ok(());
        };
        let there = self.works_below(&link.works_tracking())?;
        let gone: Vec<(TaskId, RefUpdate)> = (over.iter())
            .filter_map(|id| {
                let update = RefUpdate {
                    name: link.work_on_remote(*id),
                    from: Some(*there.get(id)?),
                    to: None,
                };
                Some((*id, update))
            })
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        let updates: Vec<RefUpdate> = gone.iter().map(|(_, update)| update.clone()).collect();
        let results = self
            .repo
            .remote(&link.name, limit)
            .push(&updates, Together::Each)?;
        for ((id, _), result) in gone.iter().zip(results) {
            // What somebody else has dropped is gone as well; the next fetch says what is there.
            if result == Pushed::Moved {
                self.set_work(&link.work_tracking(*id), None)?;
            }
        }
        Ok(())
    }

    fn set_work(&self, name: &RefName, to: Option<Oid>) -> Result<(), StoreError> {
        let from = self.repo.read_ref(name)?;
        if from == to {
            return Ok(());
        }
        let name = name.clone();
        // Lost to another process, that knew better.
        self.move_refs(&[RefUpdate { name, from, to }], "work", Advisory::NotHeld)?;
        Ok(())
    }
}

fn work_ref(id: TaskId) -> RefName {
    RefName::new(format!("{}{id}", layout::WORK)).expect("made of a constant and an id")
}
