//! `reflectt checks`

use clap::{Args, Subcommand};

use crate::answer::{CheckListJson, ChecksJson};
use crate::cli::error::CliError;
use crate::cli::meter::Meter;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::text::BOLD;
use crate::cli::{interrupt, view};
use crate::format::CHECKS_FILE;
use crate::model::id::IdPrefix;
use crate::model::name::CheckName;
use crate::ops::checks::{self, Report, Wanted};

/// Run the repository's own checks, such as its tests, on a commit; or list them.
///
/// They are defined by `reflectt.toml` in the root of the landing branch: `[checks.NAME]` with
/// `run = "COMMAND"` and, if ten minutes are not right for it, `time_limit = "20m"`. (Whether
/// commits change what others have claimed is another matter: `reflectt check RANGE`.)
#[derive(Debug, Args)]
pub struct ChecksArgs {
    #[command(subcommand)]
    command: Option<ChecksCommand>,
}

#[derive(Debug, Subcommand)]
enum ChecksCommand {
    Run(Run),
    /// List the checks that there are.
    List,
}

/// Run checks on a commit, in a clean worktree beside the repository.
///
/// The worktree is kept for the next run, with what git ignores in it, so that build outputs need
/// not be made anew. Commands get a clean environment with CI=true and no standard input. What has
/// passed on the same files with the same command does not run again.
///
/// Exits with 4 if a check failed, with 6 if none failed but one could not run: no such command,
/// its time limit, a full disk.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  reflectt checks run                        all of them, on HEAD
  reflectt checks run test --commit main
  reflectt checks run --task k3f9            what was submitted; kept in its history")]
struct Run {
    /// The checks to run [default: all; those of the task, if one is named].
    names: Vec<CheckName>,
    /// The commit to check [default: what was submitted for the task, else HEAD].
    #[arg(long, value_name = "REV")]
    commit: Option<String>,
    /// Keep the results in this task's history.
    #[arg(long, value_name = "ID")]
    task: Option<IdPrefix>,
    /// Run those, too, that have passed on the same files.
    #[arg(long)]
    again: bool,
}

impl ChecksArgs {
    pub fn run(&self, session: &Session) -> Result<u8, CliError> {
        match &self.command {
            Some(ChecksCommand::Run(run)) => run.run(session),
            Some(ChecksCommand::List) | None => list(session).map(|()| 0),
        }
    }
}

impl Run {
    fn run(&self, session: &Session) -> Result<u8, CliError> {
        let context = session.context()?;
        let wanted = Wanted {
            names: self.names.clone(),
            commit: self.commit.clone(),
            task: self.task.clone(),
            again: self.again,
        };
        let cancel = context.repo().runner().cancel();
        interrupt::cancels(cancel).map_err(|error| {
            CliError::failed("cannot wait for signals, which would leave checks behind")
                .caused_by(error)
        })?;
        let meter = Meter::new(session.ui.clone());
        let mut report = checks::run_wanted(context, &wanted, &|step| meter.see_check(&step))?;
        let error = report.take_error().map(CliError::from);
        print(session, &report, error.as_ref());
        Ok(error.map_or(0, |error| error.kind().exit_code()))
    }
}

fn print(session: &Session, report: &Report, error: Option<&CliError>) {
    let ui = &session.ui;
    if ui.is_json() {
        return ui.json(&ChecksJson::of(&report.results, error));
    }
    view::results(ui, &report.results);
    if let Some(error) = error {
        ui.error(error);
    }
}

fn list(session: &Session) -> Result<(), CliError> {
    let file = checks::check_file(session.context()?)?;
    let ui = &session.ui;
    if ui.is_json() {
        ui.json(&CheckListJson::from(&file));
        return Ok(());
    }
    if file.checks.all.is_empty() {
        let branch = &file.branch.name;
        ui.note(format!("`{CHECKS_FILE}` on `{branch}` defines no checks"));
        return Ok(());
    }
    let mut table = Table::new([
        Column::left("NAME"),
        Column::left("TIME LIMIT"),
        Column::left("TO LAND"),
        Column::left("COMMAND").shrink(0).min_width(20),
    ]);
    for check in &file.checks.all {
        let must = match file.checks.landing.contains(&check.name) {
            true => "must pass",
            false => "",
        };
        table.row([
            Cell::styled(BOLD, check.name.as_str()),
            check.time_limit.to_string().into(),
            must.into(),
            check.command.replace('\n', "; ").into(),
        ]);
    }
    ui.table(&table);
    Ok(())
}
