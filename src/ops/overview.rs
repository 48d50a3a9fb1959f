//! All that a page or a board on a screen shows, from one moment.

use std::cmp::Reverse;

use crate::model::message::Message;
use crate::store::{Entry, Snapshot};

use super::changes::Point;
use super::claim::{ClaimsView, claims_of};
use super::task_list::{TaskFilter, TaskRow, row, rows};
use super::who::{Seat, seats};
use super::{Context, OpsError, requests};

/// How many closed tasks are shown.
const RECENT: usize = 20;
/// How many messages of each channel are shown.
const MESSAGES: usize = 20;

/// The team as one version of the record and of the claims table has it.
#[derive(Debug)]
pub struct Overview {
    /// Where to follow from, to miss nothing that comes after this.
    pub at: Point,
    pub agents: Vec<Seat>,
    /// Open tasks, most urgent first, then those that were closed last.
    pub tasks: Vec<TaskRow>,
    pub claims: ClaimsView,
    /// The last messages of each channel, oldest first.
    pub messages: Vec<Message>,
}

/// Returns everything at a glance. Whoever looks for somebody else gives no sign of life.
pub fn overview(ctx: &Context) -> Result<Overview, OpsError> {
    let snapshot = requests::look(ctx)?;
    ctx.beat(&snapshot)?;
    let mut closed: Vec<&Entry> = snapshot.archived()?.iter().collect();
    closed.sort_by_key(|entry| Reverse(entry.glance().closed));
    let mut tasks = rows(&snapshot, &TaskFilter::default())?;
    tasks.extend(
        closed
            .into_iter()
            .take(RECENT)
            .map(|entry| row(&snapshot, entry)),
    );
    Ok(Overview {
        at: Point::of(&snapshot),
        agents: seats(ctx, &snapshot)?,
        tasks,
        claims: claims_of(ctx, &snapshot)?,
        messages: messages(&snapshot)?,
    })
}

fn messages(snapshot: &Snapshot) -> Result<Vec<Message>, OpsError> {
    let mut found = Vec::new();
    for channel in snapshot.channels()? {
        found.extend(snapshot.channel(&channel, MESSAGES)?);
    }
    found.sort_by_key(|message| message.id);
    Ok(found)
}
