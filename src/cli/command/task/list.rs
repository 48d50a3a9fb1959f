//! `reflectt task list`

use clap::Args;

use crate::answer::{TaskJson, TasksJson};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::text::BOLD;
use crate::cli::view;
use crate::model::name::{AgentName, Lane};
use crate::model::task::{ChoiceError, Status};
use crate::ops::{self, TaskFilter, TaskRow};

/// List tasks, most urgent first.
///
/// Open ones, if nothing else is asked for.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt task list --status todo --status blocked --lane backend")]
pub struct List {
    /// Only these: todo, doing, blocked, in-review, done, cancelled; may be repeated.
    #[arg(long = "status", value_name = "STATUS", value_parser = status)]
    statuses: Vec<Status>,
    /// Only those of this agent, held or reserved.
    #[arg(long, value_name = "NAME")]
    assignee: Option<AgentName>,
    /// Only those of this kind of work.
    #[arg(long)]
    lane: Option<Lane>,
    /// Done and cancelled ones too.
    #[arg(long)]
    all: bool,
}

/// Reads a status by the name it has for people, or for programs (`validating`).
fn status(text: &str) -> Result<Status, ChoiceError> {
    let plain = text.replace(['-', '_'], " ");
    let told = |status: &Status| status.told().eq_ignore_ascii_case(&plain);
    match Status::ALL.into_iter().find(told) {
        Some(status) => Ok(status),
        None => text.parse(),
    }
}

impl List {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let filter = TaskFilter {
            statuses: self.statuses.clone(),
            assignee: self.assignee.clone(),
            lane: self.lane.clone(),
            all: self.all,
        };
        let rows = ops::list(session.context()?, &filter)?;
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&TasksJson {
                tasks: rows.iter().map(TaskJson::from).collect(),
            });
        } else if rows.is_empty() {
            self.say_empty(session);
        } else {
            ui.table(&table(&rows));
        }
        Ok(())
    }

    fn say_empty(&self, session: &Session) {
        let filtered = !self.statuses.is_empty() || self.assignee.is_some() || self.lane.is_some();
        let ui = &session.ui;
        if filtered {
            ui.note("no task fits");
            ui.hint("reflectt task list --all");
        } else if self.all {
            ui.note("there are no tasks yet");
            ui.hint("reflectt task new TITLE --criterion TEXT");
        } else {
            ui.note("there are no open tasks");
            ui.hint("reflectt task new TITLE --criterion TEXT");
        }
    }
}

fn table(rows: &[TaskRow]) -> Table {
    let mut table = Table::new([
        Column::left("ID"),
        Column::left("PRI"),
        Column::left("STATUS"),
        Column::left("ASSIGNEE"),
        Column::left("TITLE").shrink(1).min_width(20),
        Column::left("WAITS FOR").shrink(0).min_width(12),
    ]);
    for row in rows {
        let task = &row.task;
        table.row([
            Cell::styled(BOLD, task.id.as_str()),
            task.priority.as_str().into(),
            match row.provisional {
                true => format!("{}, provisional", task.told()).into(),
                false => task.told().into(),
            },
            task.assignee
                .as_ref()
                .map_or("", |name| name.as_str())
                .into(),
            (&task.title).into(),
            view::waits_for(row).into(),
        ]);
    }
    table
}
