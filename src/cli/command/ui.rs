//! `reflectt ui`

use std::io::IsTerminal as _;

use clap::Args;

use crate::answer::visible::escape;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::text::Color;
use crate::ops::Exchange;
use crate::tui::{self, Start};

/// Look at the team on the terminal, live, and act as whoever acts here.
///
/// Who is stuck, what waits for you, what has landed; a task with its criteria, evidence, checks
/// and history; messages and the log. `?` shows the keys. Approving, requesting changes,
/// commenting, sending, planning and landing ask before they write, and are the same as the
/// commands. Where nobody acts it only shows.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  reflectt ui
  reflectt --as ann ui
  NO_COLOR=1 reflectt ui")]
pub struct UiArgs {}

impl UiArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let ui = &session.ui;
        let is_dumb = session.variable("TERM").is_none_or(|term| term == "dumb");
        if ui.is_json() || !std::io::stdout().is_terminal() || is_dumb {
            let why = match (ui.is_json(), is_dumb && std::io::stdout().is_terminal()) {
                (true, _) => "a board on a terminal has no JSON",
                (false, true) => "this terminal cannot move its cursor (TERM is dumb or not set)",
                (false, false) => "standard output is not a terminal",
            };
            return Err(CliError::usage(why)
                .hint("reflectt board (the same as a page)")
                .hint("reflectt log --follow (what happens, line by line)"));
        }
        let place = session.directory();
        let place = place.canonicalize().unwrap_or(place);
        let team = place
            .file_name()
            .unwrap_or(place.as_os_str())
            .to_string_lossy();
        let start = Start {
            opener: session.opener_for_calls(),
            team: escape(&team).into_owned(),
            exchange: match session.global.no_sync {
                true => Exchange::Later,
                false => Exchange::Now,
            },
            has_colors: ui.options().color.on(true) == Color::On,
        };
        if let Some(signal) = tui::run(start)? {
            // As if it had not been caught, now that the terminal is as it was.
            signal_hook::low_level::emulate_default_handler(signal).ok();
        }
        Ok(())
    }
}
