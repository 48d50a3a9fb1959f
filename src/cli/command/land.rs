//! `reflectt land`

use clap::Args;

use crate::answer::LandJson;
use crate::cli::error::{CliError, Kind};
use crate::cli::interrupt;
use crate::cli::meter::Meter;
use crate::cli::session::Session;
use crate::cli::text::{GREEN, Text, YELLOW};
use crate::cli::ui::Ui;
use crate::model::id::IdPrefix;
use crate::model::text::short_commit;
use crate::ops::{self, Awaited, LandReport, ReturnedTask, Wish};

/// Bring approved work onto the landing branch.
///
/// One lander at a time for the whole team. Several tasks are merged in memory and checked as one,
/// by the checks that `[land]` in `reflectt.toml` names; the branch moves only to what has passed,
/// and never by force. What conflicts or breaks a check goes back to its author, who is told what
/// with and how to see it.
///
/// Exits with 3 if somebody else is landing, with 4 if something was sent back or waits, with 5 if
/// nothing that is approved waits to land.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  reflectt land
  reflectt land k3f9 --dry-run")]
pub struct Land {
    /// The tasks to land, with what lies beneath them [default: all that are approved].
    ids: Vec<IdPrefix>,
    /// Only tell what would land and what conflicts; nothing is checked or moved.
    #[arg(long)]
    dry_run: bool,
}

impl Land {
    pub fn run(&self, session: &Session) -> Result<u8, CliError> {
        let context = session.context()?;
        interrupt::cancels(context.repo().runner().cancel()).map_err(|error| {
            CliError::failed("cannot wait for signals, which would leave checks behind")
                .caused_by(error)
        })?;
        let wish = Wish {
            ids: self.ids.clone(),
            dry_run: self.dry_run,
        };
        let meter = Meter::new(session.ui.clone());
        let report = ops::land(context, &wish, &|step| meter.see_check(&step))?;
        if session.ui.is_json() {
            session.ui.json(&LandJson::from(&report));
        } else {
            print(&session.ui, &report);
            if !report.dry_run {
                session.hint_next();
            }
        }
        Ok(match report.is_complete() {
            true => 0,
            false => Kind::Refused.exit_code(),
        })
    }
}

fn print(ui: &Ui, report: &LandReport) {
    let verb = if report.dry_run {
        "would land"
    } else {
        "landed"
    };
    for (id, commit) in &report.landed {
        let as_what = match report.dry_run {
            true => String::new(),
            false => format!(" as {}", commit.short()),
        };
        ui.line(
            Text::new()
                .styled(GREEN, verb)
                .plain(" ")
                .bold(id.as_str())
                .plain(as_what),
        );
    }
    for returned in &report.sent_back {
        sent_back(ui, returned, report.dry_run);
    }
    for (id, awaited) in &report.waiting {
        let words: Vec<String> = awaited.iter().map(words).collect();
        ui.line(
            Text::new()
                .styled(YELLOW, "waits")
                .plain("  ")
                .bold(id.as_str())
                .plain(format!(" {}", words.join(", "))),
        );
    }
    for check in &report.flaky {
        ui.warn(format!(
            "the check `{check}` failed and then passed on the very same files: it is flaky"
        ));
    }
    if let Some(offer) = &report.offer {
        ui.line(format!(
            "`{}` is for others to merge; this is what has to become of `{}`:",
            offer.branch, report.branch
        ));
        for line in &offer.said {
            ui.line(format!("  {line}"));
        }
    }
    if !report.landed.is_empty() && !report.dry_run {
        ui.line(format!("{} is at {}", report.branch, report.tip.short()));
    }
}

fn sent_back(ui: &Ui, returned: &ReturnedTask, dry_run: bool) {
    let verb = if dry_run { "conflicts" } else { "sent back" };
    let mut lines = returned.back.note.lines();
    ui.line(
        Text::new()
            .styled(YELLOW, verb)
            .plain(" ")
            .bold(returned.task.as_str())
            .plain(format!(": {}", lines.next().unwrap_or_default())),
    );
    for line in lines {
        ui.line(format!("  {line}"));
    }
}

fn words(awaited: &Awaited) -> String {
    match awaited {
        Awaited::Task(id) => format!("for {id}"),
        Awaited::Review => "for its review".to_owned(),
        Awaited::Commit(commit) => {
            format!(
                "for its commit {}, which is not in this clone",
                short_commit(commit)
            )
        }
        Awaited::Branch(name) => format!("for `{name}` to be merged"),
        Awaited::Person(what) => format!("for a person: {what}"),
    }
}
