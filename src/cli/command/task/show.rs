//! `reflectt task show`

use clap::Args;

use crate::answer::{self, ShownJson};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::ui::Ui;
use crate::cli::view;
use crate::model::id::IdPrefix;
use crate::model::name::AgentName;
use crate::model::task::Status;
use crate::ops::{self, Shown};

/// Show a task: its criteria, notes and history.
#[derive(Debug, Args)]
pub struct Show {
    /// The task's id, or its first characters.
    id: IdPrefix,
}

impl Show {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let context = session.context()?;
        let shown = ops::show(context, &self.id).map_err(answer::on(&self.id))?;
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&ShownJson::from(&shown));
            return Ok(());
        }
        let row = &shown.row;
        let standing = view::Standing::of(row.provisional);
        view::task(ui, &row.task, &row.waits_for, standing);
        view::submission(ui, &shown.row);
        view::checks(ui, &shown.row.task);
        view::history(ui, &shown.events);
        if let Some(me) = context.identity() {
            hint(ui, &shown, me);
        }
        if let Some(reason) = &shown.quarantined {
            ui.warn(format!(
                "the file `{}` cannot be read, so its last good version is shown: {reason}",
                shown.path
            ));
            ui.hint("reflectt doctor");
        }
        Ok(())
    }
}

/// Names what `me` can do with the task now.
fn hint(ui: &Ui, shown: &Shown, me: &AgentName) {
    let task = &shown.row.task;
    let (id, mine) = (task.id, task.holder() == Some(me));
    let free = task.reserved_for().is_none_or(|name| name == me);
    match task.status {
        Status::Todo if !task.has_concrete_criteria() => {
            ui.hint(format!("reflectt task edit {id} --criterion TEXT"));
        }
        Status::Todo if free && shown.row.waits_for.is_empty() => {
            ui.hint(format!("reflectt claim {id}"));
        }
        Status::Doing if mine => view::hint_submit(ui, task),
        Status::Blocked if mine => ui.hint(format!("reflectt unblock {id}")),
        Status::Validating if task.reviewer.as_ref() == Some(me) => {
            ui.hint(format!("reflectt review {id} --approve"));
            ui.hint(format!("reflectt review {id} --request-changes TEXT"));
        }
        _ => {}
    }
}
