//! The board: the state of the team as Markdown.

use crate::model::board::{Board, Seat};
use crate::model::claim::Table;
use crate::model::queue::Dependency;
use crate::model::task::Task;
use crate::store::{Entry, Snapshot, layout};

use super::tx::transact;
use super::{Context, OpsError};

/// How many closed tasks are shown.
const RECENT: usize = 10;

/// Returns the board as it stands.
pub fn board(ctx: &Context) -> Result<String, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    ctx.beat(&snapshot)?;
    render(ctx, &snapshot, true)
}

/// Publishes the board as the branch's `README.md`. Tells whether it had changed.
pub fn write_board(ctx: &Context) -> Result<bool, OpsError> {
    transact(ctx, |tx| {
        let board = render(tx.ctx, tx.snapshot, false)?;
        if tx.snapshot.root_file(layout::README)?.as_deref() == Some(board.as_bytes()) {
            return Ok(false);
        }
        tx.subject("board");
        tx.changes().board = Some(board);
        Ok(true)
    })
}

/// Returns the board as it belongs on the branch.
pub fn published(ctx: &Context, snapshot: &Snapshot) -> Result<String, OpsError> {
    render(ctx, snapshot, false)
}

/// Tells whether the board on the branch is older than what it shows.
pub fn is_stale(ctx: &Context, snapshot: &Snapshot) -> Result<bool, OpsError> {
    let board = render(ctx, snapshot, false)?;
    Ok(snapshot.root_file(layout::README)?.as_deref() != Some(board.as_bytes()))
}

/// Renders the board; `live` adds what changes by itself and does not belong on the branch.
fn render(ctx: &Context, snapshot: &Snapshot, live: bool) -> Result<String, OpsError> {
    let settings = snapshot.settings()?;
    let mut recent: Vec<&Entry> = snapshot.archived()?.iter().collect();
    recent.sort_by_key(|entry| std::cmp::Reverse((entry.glance().closed, entry.id())));
    recent.truncate(RECENT);
    let mut agents = Vec::new();
    for agent in snapshot.agents()?.values() {
        agents.push(Seat {
            agent,
            seen: if live {
                ctx.liveness(&agent.name, settings)?
            } else {
                None
            },
            unread: if live {
                Some(snapshot.unread_count(&agent.name)?)
            } else {
                None
            },
        });
    }
    let path_of = |task: &Task| match snapshot.entry(task.id) {
        Ok(Some(entry)) => entry.path().to_owned(),
        _ => String::new(),
    };
    let board = Board {
        open: snapshot.open_tasks()?.collect(),
        recent: recent.into_iter().map(Entry::task).collect(),
        agents,
        table: snapshot.table_in_force()?.0,
        quarantined: snapshot
            .quarantined()?
            .into_iter()
            .map(|bad| (bad.path, bad.reason))
            .collect(),
        dependency: &|id| snapshot.dependency(id).unwrap_or(Dependency::Unknown),
        path_of: &path_of,
    };
    Ok(board.render())
}

/// Returns the board of a team that has just been founded.
pub fn empty() -> String {
    let board = Board {
        open: Vec::new(),
        recent: Vec::new(),
        agents: Vec::new(),
        table: &Table::default(),
        quarantined: Vec::new(),
        dependency: &|_| Dependency::Unknown,
        path_of: &|_| String::new(),
    };
    board.render()
}
