//! `reflectt radar`

use clap::Args;

use crate::answer::{RadarJson, show};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::text::{BOLD, PLAIN, YELLOW};
use crate::ops::{self, Pair, Side};

/// Show which unfinished work touches the same files, and which conflicts.
///
/// Compares submissions, and the branches of what is claimed, as far as their commits are in this
/// clone. The authors of two that conflict are told once, by message.
#[derive(Debug, Args)]
pub struct RadarArgs {}

impl RadarArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let context = session.context()?;
        let radar = ops::radar(context)?;
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&RadarJson::from(&radar));
        } else if radar.pairs.is_empty() {
            ui.note("no unfinished work touches the same files");
        } else {
            ui.table(&table(&radar.pairs));
        }
        // Whoever asks has the answer, whether others can be told or not.
        match ops::tell_of_clashes(context, &radar) {
            Ok(told) => {
                for (a, b) in told {
                    ui.note(format!("told the authors of {a} and {b}"));
                }
            }
            Err(error) => ui.warn(format!("the authors were not told: {error}")),
        }
        Ok(())
    }
}

fn table(pairs: &[Pair]) -> Table {
    let mut table = Table::new([
        Column::left("A"),
        Column::left("B"),
        Column::left("MERGE"),
        Column::left("PATHS").shrink(0).min_width(16),
    ]);
    for pair in pairs {
        let paths: Vec<String> = pair.paths.iter().map(|path| show(path)).collect();
        table.row([
            side(&pair.a),
            side(&pair.b),
            match pair.conflict {
                true => Cell::styled(YELLOW, "conflict"),
                false => Cell::styled(PLAIN, "clean"),
            },
            paths.join(", ").into(),
        ]);
    }
    table
}

fn side(side: &Side) -> Cell {
    Cell::styled(BOLD, format!("{} {}", side.id, side.agent))
}
