//! Giving a task back.

use crate::model::decide::Request;
use crate::model::id::{IdPrefix, TaskId};
use crate::model::task::{Task, TaskEvent};
use crate::model::text;

use super::tx::transact;
use super::{Context, OpsError, find};

#[derive(Debug)]
pub struct Released {
    pub id: TaskId,
    /// The task as it is now; a claim of paths alone had none.
    pub task: Option<Task>,
}

/// Releases a task, or a claim of paths. The note is kept for whoever takes it up.
pub fn release(ctx: &Context, id: &IdPrefix, note: Option<&str>) -> Result<Released, OpsError> {
    let note = note.map(|note| text::note("note", note)).transpose()?;
    transact(ctx, |tx| {
        let id = find::task_or_claim(tx.snapshot, id)?;
        let of_task = tx.snapshot.entry(id)?.is_some();
        tx.ask(&Request::Release {
            id,
            agent: tx.me.clone(),
        })?;
        if !of_task {
            tx.subject(format!("release {id}"));
            return Ok(Released { id, task: None });
        }
        let task = tx.event(id, TaskEvent::Released { note: note.clone() })?;
        tx.subject(format!("release {id}: {}", task.title));
        Ok(Released {
            id,
            task: Some(task),
        })
    })
}
