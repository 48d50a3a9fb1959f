//! `reflectt unblock`

use clap::Args;

use crate::answer::{self};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::view;
use crate::model::id::IdPrefix;
use crate::ops;

/// Go on with a task that was blocked.
#[derive(Debug, Args)]
pub struct Unblock {
    /// The task's id, or its first characters.
    id: IdPrefix,
}

impl Unblock {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let task = ops::unblock(session.context()?, &self.id).map_err(answer::on(&self.id))?;
        if session.ui.is_json() {
            session.ui.json(&session.task_json(&task));
        } else {
            view::done(&session.ui, "unblocked", &task);
        }
        Ok(())
    }
}
