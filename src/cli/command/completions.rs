//! `reflectt completions`

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::args::Cli;
use crate::cli::error::CliError;
use crate::cli::session::Session;

/// Print a script that completes commands and flags in your shell.
///
/// For bash: `reflectt completions bash > ~/.local/share/bash-completion/completions/reflectt`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    shell: Shell,
}

impl CompletionsArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "reflectt", &mut script);
        session.ui.data(&String::from_utf8_lossy(&script));
        Ok(())
    }
}
