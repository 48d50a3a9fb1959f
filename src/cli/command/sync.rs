//! `reflectt sync`

use clap::Args;

use crate::answer::{LostJson, SyncJson};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::ops::OpsError;
use crate::ops::sync::{self, SyncOptions};

/// Exchange tasks, messages, claims and presence with the remote.
///
/// Commands that write do this at their end, and the daemon does it all the time. What two
/// machines wrote apart is merged; nothing is lost and nobody is asked.
#[derive(Debug, Args)]
pub struct SyncArgs {}

impl SyncArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let context = session.context()?;
        let report = sync::sync(context, SyncOptions::FULL).map_err(not_synchronised)?;
        if session.ui.is_json() {
            session.ui.json(&SyncJson {
                pulled: report.pulled,
                pushed: report.pushed,
                merged: report.merged,
                lost_claims: report
                    .lost
                    .iter()
                    .filter(|lost| lost.is_claim)
                    .map(|lost| LostJson {
                        id: lost.id.map(|id| id.to_string()).unwrap_or_default(),
                        agent: lost.agent.to_string(),
                        reason: lost.reason.clone(),
                    })
                    .collect(),
                warnings: report.warnings,
            });
            return Ok(());
        }
        context.note_warnings(report.remarks());
        if report.pulled == 0 && report.pushed == 0 {
            session.ui.line("nothing new on either side");
            return Ok(());
        }
        let mut line = format!("{} came, {} went", report.pulled, report.pushed);
        if report.merged > 0 {
            line.push_str(&format!("; {} files merged", report.merged));
        }
        session.ui.line(line);
        Ok(())
    }
}

/// What is here is kept in any case, so there is nothing to do offline.
fn not_synchronised(error: OpsError) -> CliError {
    match error {
        OpsError::Unreachable { .. } => CliError::unreachable(error.to_string())
            .hint("run it again when the remote answers; what is here is kept until then"),
        other => other.into(),
    }
}
