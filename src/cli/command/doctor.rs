//! `reflectt doctor`

use clap::Args;
use serde::Serialize;

use crate::cli::error::{CliError, Kind};
use crate::cli::session::{self, Session};
use crate::cli::text::{CYAN, DIM, GREEN, RED, Text, YELLOW};
use crate::git::{ObjectFormat, RefFormat};
use crate::hooks;
use crate::ops::{self, Diagnosis, Facts, Finding, Mending, Severity, Thing};

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

#[derive(Serialize)]
struct DoctorJson<'a> {
    findings: Vec<FindingJson<'a>>,
    facts: FactsJson,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    severity: &'static str,
    what: &'static str,
    /// On the branch, or, where it is absolute, on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    reason: &'a str,
    fix: Option<&'a str>,
    fixed: bool,
}

#[derive(Serialize)]
struct FactsJson {
    git: Option<String>,
    refs: &'static str,
    objects: &'static str,
    open_tasks: usize,
    archived_tasks: usize,
    agents: usize,
    claims: Option<usize>,
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
        if session.ui.is_json() {
            session.ui.json(&DoctorJson {
                findings: diagnosis.findings.iter().map(FindingJson::from).collect(),
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
        Some(fix) if !finding.fixed => line.plain(" → ").styled(CYAN, fix),
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

impl<'a> From<&'a Finding> for FindingJson<'a> {
    fn from(finding: &'a Finding) -> FindingJson<'a> {
        FindingJson {
            severity: finding.severity.as_str(),
            what: finding.what,
            path: match &finding.thing {
                Thing::File(path) => Some(path.clone()),
                Thing::Local(path) => Some(path.display().to_string()),
                Thing::Table => Some(crate::store::layout::CLAIMS.to_owned()),
                _ => None,
            },
            task: match &finding.thing {
                Thing::Task(id) => Some(id.to_string()),
                _ => None,
            },
            agent: match &finding.thing {
                Thing::Agent(name) => Some(name),
                _ => None,
            },
            reason: &finding.reason,
            fix: finding.fix.as_deref(),
            fixed: finding.fixed,
        }
    }
}

impl From<&Facts> for FactsJson {
    fn from(facts: &Facts) -> FactsJson {
        FactsJson {
            git: facts.git.map(|version| version.to_string()),
            refs: match facts.refs {
                RefFormat::Files => "files",
                RefFormat::Reftable => "reftable",
            },
            objects: match facts.objects {
                ObjectFormat::Sha1 => "sha1",
                ObjectFormat::Sha256 => "sha256",
            },
            open_tasks: facts.open,
            archived_tasks: facts.archived,
            agents: facts.agents,
            claims: facts.claims,
        }
    }
}
