//! `reflectt task …`

pub mod comment;
pub mod edit;
pub mod list;
pub mod new;
pub mod show;

use clap::{Args, Subcommand};

use crate::cli::error::CliError;
use crate::cli::session::Session;

/// Plan tasks and look at them.
#[derive(Debug, Args)]
pub struct TaskArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::New),
    List(list::List),
    Show(show::Show),
    Edit(edit::Edit),
    Comment(comment::Comment),
}

impl TaskArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        match &self.command {
            Command::New(command) => command.run(session),
            Command::List(command) => command.run(session),
            Command::Show(command) => command.run(session),
            Command::Edit(command) => command.run(session),
            Command::Comment(command) => command.run(session),
        }
    }
}
