//! `reflectt claims`

use clap::Args;

use crate::answer::ClaimsJson;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::text::BOLD;
use crate::cli::view;
use crate::model::claim::{Claim, Phase};
use crate::ops::{self, ClaimsView};

/// Show who holds which tasks and paths.
#[derive(Debug, Args)]
pub struct Claims {}

impl Claims {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let view = ops::claims(session.context()?)?;
        let ui = &session.ui;
        if ui.is_json() {
            ui.json(&ClaimsJson::from(&view));
            return Ok(());
        }
        if let Some(pause) = &view.pause {
            ui.line(format!(
                "paused by {} {}: {}",
                pause.by,
                ui.relative(pause.since.0),
                pause.reason
            ));
        }
        if view.table.claims.is_empty() {
            ui.note("nobody holds anything");
            ui.hint("reflectt next --claim --branch");
        } else {
            ui.table(&table(session, &view));
        }
        Ok(())
    }
}

fn table(session: &Session, view: &ClaimsView) -> Table {
    let mut table = Table::new([
        Column::left("ID"),
        Column::left("AGENT"),
        Column::left("PHASE"),
        Column::left("SINCE"),
        Column::left("LAST SEEN"),
        Column::left("PATHS").shrink(1).min_width(16),
        Column::left("WHAT").shrink(0).min_width(16),
    ]);
    let mut claims: Vec<&Claim> = view.table.claims.values().collect();
    claims.sort_by_key(|claim| (claim.since, claim.id));
    for claim in claims {
        let seen = view.seen.get(&claim.agent);
        let what = match view.titles.get(&claim.id) {
            Some(title) => title.clone(),
            None => claim.why.clone().unwrap_or_default(),
        };
        table.row([
            Cell::styled(BOLD, claim.id.as_str()),
            claim.agent.as_str().into(),
            if view.provisional.contains(&claim.id) {
                format!("{}, provisional", phase(claim.phase)).into()
            } else {
                phase(claim.phase).into()
            },
            session.ui.relative(claim.since.0).into(),
            seen.map_or_else(String::new, |(_, at)| session.ui.relative(at.0))
                .into(),
            covers(claim).into(),
            what.into(),
        ]);
    }
    table
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Working => "working",
        Phase::Blocked => "blocked",
        Phase::InReview => "in review",
        Phase::Approved => "approved",
    }
}

/// Returns paths and resources in one text.
fn covers(claim: &Claim) -> String {
    let paths = view::paths(&claim.paths, &claim.shared);
    let resources = claim
        .resources
        .iter()
        .map(|name| format!("{name} (resource)"));
    paths
        .into_iter()
        .chain(resources)
        .collect::<Vec<_>>()
        .join(", ")
}
