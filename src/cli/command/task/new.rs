//! `reflectt task new`

use clap::Args;

use crate::answer::TaskJson;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::text::Text;
use crate::cli::{input, view};
use crate::model::id::IdPrefix;
use crate::model::name::{AgentName, CheckName, Lane, ResourceName, Tag};
use crate::model::task::{Priority, Task};
use crate::ops::{self, NewTask};

/// Plan a task.
///
/// It needs a criterion that another agent can check before anyone can claim it.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt task new \"Keep the return path after login\" \\
    --criterion \"login from /app returns to /app\" --path src/auth --priority P1")]
pub struct New {
    /// What is to be done, in one line.
    title: String,
    /// When it is done: something another agent can check; may be repeated.
    #[arg(long = "criterion", value_name = "TEXT")]
    criteria: Vec<String>,
    /// When it is done: a check of `reflectt.toml` passes; may be repeated.
    #[arg(long = "check", value_name = "NAME")]
    checks: Vec<CheckName>,
    /// How soon: P0 (first), P1, P2 or P3 [default: P2].
    #[arg(long, value_name = "P")]
    priority: Option<Priority>,
    /// Reserve it for this agent.
    #[arg(long, value_name = "NAME")]
    assignee: Option<AgentName>,
    /// Let this agent review it.
    #[arg(long, value_name = "NAME")]
    reviewer: Option<AgentName>,
    /// What kind of work it is; agents with lanes are offered theirs.
    #[arg(long)]
    lane: Option<Lane>,
    /// A file, directory or glob that is claimed with it; may be repeated.
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,
    /// A file, directory or glob that is claimed with it, and that others who share it may hold as
    /// well; may be repeated.
    #[arg(long = "share", value_name = "PATH")]
    shared: Vec<String>,
    /// A resource of which it needs a share; may be repeated.
    #[arg(long = "resource", value_name = "NAME")]
    resources: Vec<ResourceName>,
    /// Wait for this task; may be repeated.
    #[arg(long, value_name = "ID")]
    after: Vec<IdPrefix>,
    /// Let this task wait for it; may be repeated.
    #[arg(long, value_name = "ID")]
    before: Vec<IdPrefix>,
    /// A label; may be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<Tag>,
    /// All there is to know, in Markdown; `-` reads standard input.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    body: Option<String>,
}

impl New {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let body = match &self.body {
            Some(body) => Some(input::read_text(body)?),
            None => None,
        };
        let new = NewTask {
            title: self.title.clone(),
            body,
            criteria: self.criteria.clone(),
            checks: self.checks.iter().cloned().collect(),
            priority: self.priority,
            assignee: self.assignee.clone(),
            reviewer: self.reviewer.clone(),
            lane: self.lane.clone(),
            paths: session.paths(&self.paths)?,
            shared: session.paths(&self.shared)?,
            resources: self.resources.iter().cloned().collect(),
            after: self.after.clone(),
            before: self.before.clone(),
            tags: self.tags.iter().cloned().collect(),
        };
        let task = ops::new_task(session.context()?, &new)?;
        print(session, &task);
        Ok(())
    }
}

fn print(session: &Session, task: &Task) {
    let ui = &session.ui;
    if ui.is_json() {
        ui.json(&TaskJson::from(task));
        return view::advice(ui, task);
    }
    ui.line(
        Text::new()
            .bold(task.id.as_str())
            .plain("  ")
            .plain(&task.title),
    );
    if task.has_concrete_criteria() && task.blocked_by.is_empty() && task.assignee.is_none() {
        ui.hint(format!("reflectt claim {}", task.id));
    }
    view::advice(ui, task);
}
