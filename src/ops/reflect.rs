//! Writing down what was learned.

use std::collections::BTreeSet;

use crate::model::extra::Extra;
use crate::model::id::IdPrefix;
use crate::model::name::Tag;
use crate::model::reflection::{Reflection, Severity};
use crate::model::text;

use super::tx::transact;
use super::{Context, OpsError, find};

#[derive(Debug, Clone)]
pub struct NewReflection {
    pub task: Option<IdPrefix>,
    pub worked: String,
    pub pain: String,
    pub change: String,
    pub severity: Severity,
    pub tags: BTreeSet<Tag>,
}

/// Adds a reflection to the record and returns it.
pub fn reflect(ctx: &Context, new: &NewReflection) -> Result<Reflection, OpsError> {
    let worked = text::note("text of --worked", &new.worked)?;
    let pain = text::note("text of --pain", &new.pain)?;
    let change = text::note("text of --change", &new.change)?;
    transact(ctx, |tx| {
        let task = match &new.task {
            Some(task) => Some(find::task_id(tx.snapshot, task)?),
            None => None,
        };
        let reflection = Reflection {
            id: tx.stamp(None),
            by: tx.author(),
            task,
            worked: worked.clone(),
            pain: pain.clone(),
            change: change.clone(),
            severity: new.severity,
            tags: new.tags.clone(),
            extra: Extra::default(),
        };
        let about = task.map(|id| format!(" on {id}")).unwrap_or_default();
        tx.subject(format!("reflect{about}: {change}"));
        tx.changes().reflections.push(reflection.clone());
        Ok(reflection)
    })
}
