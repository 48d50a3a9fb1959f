//! `reflectt board`

use clap::Args;
use serde::Serialize;

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

#[derive(Serialize)]
struct Shown<'a> {
    /// The page, in Markdown.
    board: &'a str,
}

#[derive(Serialize)]
struct Written {
    /// False if it had not changed.
    written: bool,
}

impl BoardArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let context = session.context()?;
        let ui = &session.ui;
        if !self.write {
            let board = ops::board(context)?;
            if ui.is_json() {
                ui.json(&Shown { board: &board });
            } else {
                ui.data(&board);
            }
            return Ok(());
        }
        let written = ops::write_board(context)?;
        if ui.is_json() {
            ui.json(&Written { written });
        } else if written {
            ui.line("wrote README.md on the branch `reflectt`");
        } else {
            ui.line("README.md on the branch `reflectt` is up to date");
        }
        Ok(())
    }
}
