//! `reflectt leave`

use clap::Args;

use crate::answer::{LeftJson, texts};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::text::Text;
use crate::model::id::TaskId;
use crate::model::name::AgentName;
use crate::ops;

/// Take NAME off the team.
///
/// What it did stays on record, and the name is free for whoever joins next. It must hold nothing:
/// `release` or `handoff` first. What it was to review goes to others. An agent leaves by itself, or once it is offline; a person may
/// take anyone off.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt leave kai")]
pub struct Leave {
    /// Who leaves.
    name: AgentName,
}

impl Leave {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let left = ops::leave(session.context()?, &self.name)?;
        let (ui, name) = (&session.ui, &left.agent.name);
        if ui.is_json() {
            ui.json(&LeftJson {
                left: name.to_string(),
                assigned: texts(&left.assigned),
                reviews: texts(&left.reviews),
            });
            return Ok(());
        }
        let line = Text::new().bold(name.as_str());
        ui.line(line.plain(" is not on the team any more"));
        let hint = |tasks: &[TaskId], role: &str| {
            for id in tasks {
                ui.hint(format!(
                    "reflectt task edit {id} --{role} NAME (its {role} was {name})"
                ));
            }
        };
        hint(&left.assigned, "assignee");
        hint(&left.reviews, "reviewer");
        Ok(())
    }
}
