//! `reflectt reflect`

use clap::Args;

use crate::answer::ReflectionJson;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::model::id::IdPrefix;
use crate::model::name::Tag;
use crate::model::reflection::Severity;
use crate::ops::{self, NewReflection};

/// Write down what you learned from a piece of work.
#[derive(Debug, Args)]
pub struct ReflectArgs {
    /// The task it is about.
    #[arg(long, value_name = "ID")]
    task: Option<IdPrefix>,
    /// What went well.
    #[arg(long, value_name = "TEXT")]
    worked: String,
    /// What cost time or went wrong.
    #[arg(long, value_name = "TEXT")]
    pain: String,
    /// What should be done differently.
    #[arg(long, value_name = "TEXT")]
    change: String,
    /// How much the pain cost: low, medium or high.
    #[arg(long, value_name = "SEVERITY", default_value_t)]
    severity: Severity,
    /// What it is about, to find patterns by; may be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<Tag>,
}

impl ReflectArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let reflection = ops::reflect(
            session.context()?,
            &NewReflection {
                task: self.task.clone(),
                worked: self.worked.clone(),
                pain: self.pain.clone(),
                change: self.change.clone(),
                severity: self.severity,
                tags: self.tags.iter().cloned().collect(),
            },
        )?;
        if session.ui.is_json() {
            session.ui.json(&ReflectionJson::from(&reflection));
        } else {
            let about = match &reflection.task {
                Some(task) => format!(" on task {task}"),
                None => String::new(),
            };
            session
                .ui
                .line(format!("noted reflection {}{about}", reflection.id));
        }
        Ok(())
    }
}
