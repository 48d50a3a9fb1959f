//! What is wrong, and what was mended.

use serde::Serialize;

use crate::git::{ObjectFormat, RefFormat};
use crate::ops::{Facts, Finding, Thing};

use super::command_line;

#[derive(Debug, Serialize)]
pub struct DoctorJson<'a> {
    pub findings: Vec<DiagnosisJson<'a>>,
    pub facts: FactsJson,
}

#[derive(Debug, Serialize)]
pub struct DiagnosisJson<'a> {
    pub severity: &'static str,
    pub what: &'static str,
    /// On the branch, or, where it is absolute, on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<&'a str>,
    pub reason: &'a str,
    /// The next command, or what a person has to do.
    pub fix: Option<String>,
    pub fixed: bool,
}

#[derive(Debug, Serialize)]
pub struct FactsJson {
    pub git: Option<String>,
    pub refs: &'static str,
    pub objects: &'static str,
    pub open_tasks: usize,
    pub archived_tasks: usize,
    pub agents: usize,
    pub claims: Option<usize>,
}

impl<'a> From<&'a Finding> for DiagnosisJson<'a> {
    fn from(finding: &'a Finding) -> DiagnosisJson<'a> {
        DiagnosisJson {
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
            fix: finding.fix.as_ref().map(command_line),
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
