//! `reflectt who`

use clap::Args;

use crate::answer::{AgentsJson, texts};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::text::{BOLD, DIM, GREEN, PLAIN, YELLOW};
use crate::cli::ui::Ui;
use crate::model::agent::AgentKind;
use crate::model::claim::{Claim, Phase};
use crate::model::presence::Liveness;
use crate::ops::{self, Seat};

/// Show who is on the team, how alive they are and what they hold.
#[derive(Debug, Args)]
pub struct WhoArgs {}

impl WhoArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let seats = ops::who(session.context()?)?;
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&seats.iter().collect::<AgentsJson>());
        } else if seats.is_empty() {
            ui.line("nobody is on the team yet");
            ui.hint("reflectt join NAME");
        } else {
            ui.table(&table(ui, &seats));
        }
        Ok(())
    }
}

fn table(ui: &Ui, seats: &[Seat]) -> Table {
    let mut table = Table::new([
        Column::left("NAME"),
        Column::left("STATUS"),
        Column::left("SEEN"),
        Column::left("HOLDS").shrink(3).min_width(8),
        Column::left("ROLE").shrink(1).min_width(8),
        Column::left("LANES").shrink(2).min_width(8),
        Column::left("NOTE").shrink(0).min_width(12),
    ]);
    for seat in seats {
        let agent = &seat.agent;
        let (style, seen) = match seat.last_seen {
            Some(seen) => (PLAIN, ui.relative(seen.0)),
            None => (DIM, "never".to_owned()),
        };
        let liveness = match seat.liveness {
            Liveness::Active => GREEN,
            Liveness::Idle => PLAIN,
            Liveness::Stale => YELLOW,
            Liveness::Offline => DIM,
        };
        let role = match (agent.kind, &agent.role) {
            (AgentKind::Agent, role) => role.clone().unwrap_or_default(),
            (AgentKind::Human, None) => "person".to_owned(),
            (AgentKind::Human, Some(role)) => format!("{role} (person)"),
        };
        table.row([
            Cell::styled(BOLD, agent.name.as_str()),
            Cell::styled(liveness, seat.liveness.as_str()),
            Cell::styled(style, seen),
            holds(&seat.claims).into(),
            role.into(),
            texts(&agent.lanes).join(", ").into(),
            seat.note.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}

/// Returns the ids of what is held, and why it stands still if it does.
fn holds(claims: &[Claim]) -> String {
    let shown = claims
        .iter()
        .map(|claim| match (claim.task(), claim.phase) {
            (None, _) => format!("{} (paths)", claim.id),
            (Some(task), Phase::Working) => task.to_string(),
            (Some(task), Phase::Blocked) => format!("{task} (blocked)"),
            (Some(task), Phase::InReview) => format!("{task} (in review)"),
            (Some(task), Phase::Approved) => format!("{task} (approved)"),
        });
    shown.collect::<Vec<_>>().join(", ")
}
