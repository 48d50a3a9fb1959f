//! What came of landing, as `--json` prints it.

use serde::Serialize;

use crate::model::id::TaskId;
use crate::ops::{Awaited, LandReport};

#[derive(Debug, Serialize)]
pub struct LandJson<'a> {
    pub branch: &'a str,
    /// What the branch holds now.
    pub tip: String,
    pub landed: Vec<LandedTaskJson<'a>>,
    pub sent_back: Vec<SentBackJson<'a>>,
    pub waiting: Vec<WaitingJson<'a>>,
    /// Checks that failed and then passed on the very same files.
    pub flaky: &'a [String],
    /// Where others are to merge what was made.
    pub offer: Option<OfferJson<'a>>,
    /// Whether it was only looked at.
    pub dry_run: bool,
}

#[derive(Debug, Serialize)]
pub struct LandedTaskJson<'a> {
    pub task: &'a str,
    pub commit: String,
}

#[derive(Debug, Serialize)]
pub struct SentBackJson<'a> {
    pub task: &'a str,
    pub reason: &'static str,
    pub paths: &'a [String],
    pub with: Vec<&'a str>,
    pub detail: &'a str,
}

#[derive(Debug, Serialize)]
pub struct WaitingJson<'a> {
    pub task: &'a str,
    /// Ids of tasks, `review`, `commit`, the name of a branch, or what a person has to see to.
    #[serde(rename = "for")]
    pub awaited: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct OfferJson<'a> {
    pub branch: &'a str,
    /// What the remote said, a line each.
    pub said: &'a [String],
}

impl<'a> From<&'a LandReport> for LandJson<'a> {
    fn from(report: &'a LandReport) -> LandJson<'a> {
        LandJson {
            branch: &report.branch,
            tip: report.tip.to_string(),
            landed: (report.landed.iter())
                .map(|(id, commit)| LandedTaskJson {
                    task: id.as_str(),
                    commit: commit.to_string(),
                })
                .collect(),
            sent_back: (report.sent_back.iter())
                .map(|it| SentBackJson {
                    task: it.task.as_str(),
                    reason: it.back.fault.as_str(),
                    paths: &it.back.paths,
                    with: it.back.with.iter().map(TaskId::as_str).collect(),
                    detail: &it.back.note,
                })
                .collect(),
            waiting: (report.waiting.iter())
                .map(|(id, awaited)| WaitingJson {
                    task: id.as_str(),
                    awaited: awaited.iter().map(word).collect(),
                })
                .collect(),
            flaky: &report.flaky,
            offer: report.offer.as_ref().map(|offer| OfferJson {
                branch: &offer.branch,
                said: &offer.said,
            }),
            dry_run: report.dry_run,
        }
    }
}

fn word(awaited: &Awaited) -> String {
    match awaited {
        Awaited::Task(id) => id.to_string(),
        Awaited::Review => "review".to_owned(),
        Awaited::Commit(_) => "commit".to_owned(),
        Awaited::Branch(name) => name.clone(),
        Awaited::Person(what) => what.clone(),
    }
}
