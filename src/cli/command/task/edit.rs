//! `reflectt task edit`

use std::str::FromStr;

use clap::Args;

use crate::answer::{self};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::{criterion, input, view};
use crate::model::id::IdPrefix;
use crate::model::name::{AgentName, CheckName, Lane, Tag};
use crate::model::task::{Priority, Status};
use crate::ops::{self, TaskChanges};

/// Change what a task says.
///
/// What is not named stays as it is. The paths of a claimed task change by `claim --path` alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt task edit k3f9 --priority P0 --criterion \"a test covers it\" --assignee none")]
pub struct Edit {
    /// The task's id, or its first characters.
    id: IdPrefix,
    #[command(flatten)]
    fields: Fields,
}

#[derive(Debug, Args)]
struct Fields {
    /// Set what is to be done, in one line.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Set the long text; `-` reads standard input, an empty one clears it.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    body: Option<String>,
    /// Set how soon: P0 (first), P1, P2 or P3.
    #[arg(long, value_name = "P")]
    priority: Option<Priority>,
    /// Reserve it for this agent; `none` frees it for all.
    #[arg(long, value_name = "NAME|none")]
    assignee: Option<Clearable<AgentName>>,
    /// Let this agent review it; `none` leaves that open.
    #[arg(long, value_name = "NAME|none")]
    reviewer: Option<Clearable<AgentName>>,
    /// Set what kind of work it is.
    #[arg(long, value_name = "LANE|none")]
    lane: Option<Clearable<Lane>>,
    /// Add a criterion.
    #[arg(long = "criterion", value_name = "TEXT")]
    add_criteria: Vec<String>,
    /// Drop the criterion with this number.
    #[arg(long = "drop-criterion", value_name = "N", value_parser = criterion::number)]
    drop_criteria: Vec<usize>,
    /// Let passing this check of `reflectt.toml` be a criterion.
    #[arg(long = "check", value_name = "NAME")]
    add_checks: Vec<CheckName>,
    /// Drop a check.
    #[arg(long = "drop-check", value_name = "NAME")]
    drop_checks: Vec<CheckName>,
    /// Add a file, directory or glob.
    #[arg(long = "path", value_name = "PATH")]
    add_paths: Vec<String>,
    /// Add a file, directory or glob that others who share it may hold as well.
    #[arg(long = "share", value_name = "PATH")]
    share_paths: Vec<String>,
    /// Drop a path.
    #[arg(long = "drop-path", value_name = "PATH")]
    drop_paths: Vec<String>,
    /// Wait for this task too.
    #[arg(long = "after", value_name = "ID")]
    add_after: Vec<IdPrefix>,
    /// Wait for this task no more.
    #[arg(long = "drop-after", value_name = "ID")]
    drop_after: Vec<IdPrefix>,
    /// Let this task wait for it.
    #[arg(long, value_name = "ID")]
    before: Vec<IdPrefix>,
    /// Add a label.
    #[arg(long = "tag", value_name = "TAG")]
    add_tags: Vec<Tag>,
    /// Drop a label.
    #[arg(long = "drop-tag", value_name = "TAG")]
    drop_tags: Vec<Tag>,
}

/// A value, or `none` to clear the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clearable<T>(Option<T>);

impl<T: FromStr> FromStr for Clearable<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        match text {
            "none" => Ok(Clearable(None)),
            value => value.parse().map(Some).map(Clearable),
        }
    }
}

impl Edit {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let fields = &self.fields;
        let body = match &fields.body {
            Some(body) => Some(input::read_text(body)?),
            None => None,
        };
        let changes = TaskChanges {
            title: fields.title.clone(),
            body,
            priority: fields.priority,
            assignee: cleared(&fields.assignee),
            reviewer: cleared(&fields.reviewer),
            lane: cleared(&fields.lane),
            add_criteria: fields.add_criteria.clone(),
            drop_criteria: fields.drop_criteria.iter().copied().collect(),
            add_checks: fields.add_checks.iter().cloned().collect(),
            drop_checks: fields.drop_checks.iter().cloned().collect(),
            add_paths: session.paths(&fields.add_paths)?,
            share_paths: session.paths(&fields.share_paths)?,
            drop_paths: session.paths(&fields.drop_paths)?,
            add_after: fields.add_after.clone(),
            drop_after: fields.drop_after.clone(),
            before: fields.before.clone(),
            add_tags: fields.add_tags.iter().cloned().collect(),
            drop_tags: fields.drop_tags.iter().cloned().collect(),
        };
        if changes == TaskChanges::default() {
            return Err(CliError::usage("it is not said what to change")
                .hint("reflectt task edit --help (lists what can be changed)"));
        }
        let task =
            ops::edit(session.context()?, &self.id, &changes).map_err(answer::on(&self.id))?;
        if session.ui.is_json() {
            session.ui.json(&session.task_json(&task));
        } else {
            view::done(&session.ui, "edited", &task);
        }
        if task.status == Status::Todo {
            view::advice(&session.ui, &task);
        }
        Ok(())
    }
}

fn cleared<T: Clone>(field: &Option<Clearable<T>>) -> Option<Option<T>> {
    field.as_ref().map(|Clearable(value)| value.clone())
}
