//! `reflectt doctor`

use clap::Args;

use crate::answer::{DiagnosisJson, DoctorJson, FactsJson, command_line};
use crate::cli::error::{CliError, Kind};
use crate::cli::session::{self, Session};
use crate::cli::text::{CYAN, DIM, GREEN, RED, Text, YELLOW};
use crate::hooks;
use crate::model::advice::{Advice, Call};
use crate::ops::{self, Diagnosis, Finding, Mending, Severity, Thing};
use crate::setup::{self, Flaw, Place};

/// Find and explain what is wrong, and mend what is safe with --fix.
///
/// Exits with 1 while there is an error that was not mended. Without --fix nothing is changed.
#[derive(Debug, Args)]
#[command(after_help = "\
Mended with --fix: locks of killed processes, damaged files of which a good version exists (the
damaged bytes are kept below quarantine/), tasks with one id or at two places, a claims table that
cannot be read, a record that does not follow the table, heartbeats of unknown agents, git's hooks
that another tool has overwritten.")]
pub struct DoctorArgs {
    /// Mend what is safe to mend.
    #[arg(long)]
    fix: bool,
}

impl DoctorArgs {
    /// Returns the exit code: what is found is an answer, and not a failure to look.
    pub fn run(&self, session: &Session) -> Result<u8, CliError> {
        let mending = match self.fix {
            true => Mending::Mend,
            false => Mending::Look,
        };
        let context = session.context()?;
        let mut diagnosis = ops::doctor(context, mending)?;
        let (program, search) = (session::program()?, session.variable("PATH"));
        let hooks = hooks::diagnose(context.repo(), mending, &program, search)?;
        diagnosis.add(hooks);
        if let Some(top) = context.repo().work_dir() {
            let place = Place::Tree(top.to_owned());
            let flaws = setup::verify(&place, search);
            diagnosis.add(flaws.into_iter().map(|flaw| finding(flaw, &place)));
        }
        if session.ui.is_json() {
            session.ui.json(&DoctorJson {
                findings: diagnosis.findings.iter().map(DiagnosisJson::from).collect(),
                facts: FactsJson::from(&diagnosis.facts),
            });
        } else {
            print(session, &diagnosis);
        }
        Ok(match diagnosis.has_errors() {
            true => Kind::Failed.exit_code(),
            false => 0,
        })
    }
}

/// Words what does not work of what is set up for harnesses.
fn finding(flaw: Flaw, place: &Place) -> Finding {
    let set_up = |harness| Advice::from(Call::to("setup").on("harness", harness));
    let (severity, what, reason, fix) = match flaw {
        Flaw::NotOnPath { harnesses } => {
            let titles: Vec<&str> = harnesses.iter().map(|harness| harness.title()).collect();
            let reason = format!(
                "{} run `reflectt`, which is not on the PATH: most let every edit through then",
                titles.join(", ")
            );
            let fix = "put the directory of `reflectt` on the PATH".into();
            (Severity::Error, "harness_program", reason, Some(fix))
        }
        Flaw::BadFile { harness, reason } => {
            let reason = format!("{}: {reason}", harness.title());
            (Severity::Error, "harness_file", reason, None)
        }
        Flaw::Outdated { harness, files } => {
            let reason = format!(
                "{}: missing or out of date: {}",
                harness.title(),
                files.join(", ")
            );
            let fix = Some(set_up(harness));
            (Severity::Warning, "harness_outdated", reason, fix)
        }
        Flaw::Dumb {
            harness,
            command,
            reason,
        } => {
            let reason = format!("{}: `{command}`: {reason}", harness.title());
            let fix = Some(set_up(harness));
            (Severity::Error, "harness_hook", reason, fix)
        }
        Flaw::NeedsTrust { harness } => {
            let reason = format!(
                "{} passes over hooks in silence until a person has trusted them: run `/hooks` in it",
                harness.title()
            );
            (Severity::Info, "harness_trust", reason, None)
        }
    };
    Finding {
        severity,
        what,
        thing: Thing::Local(place.base().to_owned()),
        reason,
        fix,
        fixed: false,
    }
}

fn print(session: &Session, diagnosis: &Diagnosis) {
    let ui = &session.ui;
    for finding in &diagnosis.findings {
        ui.line(line(finding));
    }
    let is_wrong = |finding: &Finding| finding.severity > Severity::Info && !finding.fixed;
    if !diagnosis.findings.iter().any(is_wrong) {
        ui.line(Text::new().styled(GREEN, "everything is in order"));
    }
    let facts = FactsJson::from(&diagnosis.facts);
    ui.line(Text::new().dim(format!(
        "git {}, refs in {}, {} objects; tasks: {} open, {} archived; agents: {}; claims: {}",
        facts.git.as_deref().unwrap_or("?"),
        facts.refs,
        facts.objects,
        facts.open_tasks,
        facts.archived_tasks,
        facts.agents,
        facts.claims.map_or("?".to_owned(), |n| n.to_string()),
    )));
}

fn line(finding: &Finding) -> Text {
    let (style, word) = match (finding.fixed, finding.severity) {
        (true, _) => (GREEN, "mended"),
        (false, Severity::Error) => (RED, "error"),
        (false, Severity::Warning) => (YELLOW, "warning"),
        (false, Severity::Info) => (DIM, "info"),
    };
    let line = Text::new()
        .styled(style, format!("{word:<9}"))
        .bold(name(&finding.thing))
        .plain(format!(": {}", finding.reason));
    match &finding.fix {
        Some(fix) if !finding.fixed => line.plain(" → ").styled(CYAN, command_line(fix)),
        _ => line,
    }
}

fn name(thing: &Thing) -> String {
    match thing {
        Thing::File(path) => path.clone(),
        Thing::Local(path) => path.display().to_string(),
        Thing::Task(id) => id.to_string(),
        Thing::Agent(name) => name.clone(),
        Thing::Setting => "settings".to_owned(),
        Thing::Table => "claims table".to_owned(),
        Thing::Git => "git".to_owned(),
    }
}
