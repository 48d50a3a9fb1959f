//! `reflectt board`

use clap::Args;

use crate::answer::{BoardJson, WrittenJson};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::ops;

/// Show the state of the team, as Markdown.
#[derive(Debug, Args)]
pub struct BoardArgs {
    /// Write it to README.md on the branch `reflectt`, for people who browse it.
    #[arg(long)]
    write: bool,
}

impl BoardArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let context = session.context()?;
        let ui = &session.ui;
        if !self.write {
            let board = ops::board(context)?;
            if ui.is_json() {
                ui.json(&BoardJson { board: &board });
            } else {
                ui.data(&board);
            }
            return Ok(());
        }
        let written = ops::write_board(context)?;
        if ui.is_json() {
            ui.json(&WrittenJson { written });
        } else if written {
            ui.line("wrote README.md on the branch `reflectt`");
        } else {
            ui.line("README.md on the branch `reflectt` is up to date");
        }
        Ok(())
    }
}
