//! Which of the work that was submitted is still worth keeping.

use crate::model::id::TaskId;
use crate::ops::{Context, OpsError};
use crate::store::{Link, Snapshot};

/// Forgets what was submitted here where somebody else has submitted the task since: it would be
/// given to the remote in place of the newer.
pub fn forget_older(ctx: &Context, theirs: &Snapshot) -> Result<(), OpsError> {
    let store = ctx.store();
    let Some(link) = store.link() else {
        return Ok(());
    };
    for (id, there) in store.works_that_differ(&link)? {
        let submitted = match theirs.entry(id)? {
            Some(entry) => entry
                .task()
                .submission
                .as_ref()
                .and_then(|it| it.1.commit.clone()),
            None => None,
        };
        if submitted == Some(there.to_string()) {
            store.forget_work(id)?;
        }
    }
    Ok(())
}

/// Drops the work of tasks that are over, here and on the remote.
pub fn tidy(ctx: &Context, link: Option<&Link>) -> Result<(), OpsError> {
    let store = ctx.store();
    let kept = store.works()?;
    if kept.is_empty() {
        return Ok(());
    }
    let snapshot = store.snapshot()?;
    let mut over: Vec<TaskId> = Vec::new();
    for id in kept {
        // A task that is not known here may be open elsewhere.
        let entry = snapshot.entry(id)?;
        over.extend(
            entry
                .filter(|entry| !entry.glance().status.is_open())
                .map(|_| id),
        );
    }
    if !over.is_empty() {
        store.drop_works(link, &over, super::time_limit(ctx))?;
    }
    Ok(())
}
