//! Saying something about a task.

use crate::model::id::IdPrefix;
use crate::model::message::Notice;
use crate::model::task::{Task, TaskEvent};
use crate::model::text;

use super::tx::transact;
use super::{Context, OpsError, find};

/// Adds a comment to a task and returns the task. Agents mentioned in it get a message.
pub fn comment(ctx: &Context, id: &IdPrefix, words: &str) -> Result<Task, OpsError> {
    let words = text::body("comment", words)?;
    transact(ctx, |tx| {
        let id = find::task_id(tx.snapshot, id)?;
        let task = tx.event(
            id,
            TaskEvent::Commented {
                text: words.clone(),
            },
        )?;
        let agents = tx.snapshot.agents()?;
        let mentioned: Vec<_> = text::mentions(&words)
            .into_iter()
            .filter(|name| agents.contains_key(name))
            .collect();
        let body = format!("{} on `{id}` ({}): {words}", tx.me, task.title);
        tx.notify(mentioned, Notice::Mentioned, Some(id), body);
        tx.subject(format!("comment {id}: {}", task.title));
        Ok(task)
    })
}
