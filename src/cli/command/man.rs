//! `reflectt man`

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use crate::cli::args::Cli;
use crate::cli::error::CliError;
use crate::cli::session::Session;

/// Write a manual page for every command into a directory, for packagers.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The directory; made if it is not there.
    #[arg(value_name = "DIR")]
    pages: PathBuf,
}

impl ManArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let directory = session.directory().join(&self.pages);
        let write = || {
            std::fs::create_dir_all(&directory)?;
            clap_mangen::generate_to(Cli::command(), &directory)
        };
        write().map_err(|error| {
            let message = format!("cannot write manual pages to `{}`", directory.display());
            CliError::failed(message).caused_by(error)
        })?;
        session
            .ui
            .note(format!("wrote manual pages to {}", directory.display()));
        Ok(())
    }
}
