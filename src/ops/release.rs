//! Giving a task back.

use crate::model::decide::Request;
use crate::model::id::{IdPrefix, TaskId};
use crate::model::message::Notice;
use crate::model::task::{Task, TaskEvent};
use crate::model::text;

use super::requests::Act;
use super::tx::{Tx, transact};
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
    transact(ctx, |tx| give_back(tx, id, note.as_deref()))
}

/// What asks the holder of a task for something.
pub const ASKED: [Notice; 3] = [Notice::HandedOff, Notice::Reviewed, Notice::SentBack];

/// The same, in a turn of an operation.
pub fn give_back(tx: &mut Tx, id: &IdPrefix, note: Option<&str>) -> Result<Released, OpsError> {
    tx.deciding();
    let id = find::task_or_claim(tx.snapshot, id)?;
    let of_task = tx.snapshot.entry(id)?.is_some();
    let note = note.map(str::to_owned);
    tx.doing(|| Act::Release {
        id: id.to_string(),
        note: note.clone(),
    });
    tx.ask(&Request::Release {
        id,
        agent: tx.me.clone(),
    })?;
    let task = match of_task {
        true => {
            let task = tx.event(id, TaskEvent::Released { note })?;
            tx.resolve(id, &ASKED)?;
            Some(task)
        }
        false => None,
    };
    tx.subject(match &task {
        Some(task) => format!("release {id}: {}", task.title),
        None => format!("release {id}"),
    });
    Ok(Released { id, task })
}
