//! What there is to judge in a submission, as `--json` prints it.

use serde::Serialize;

use crate::model::task::Task;
use crate::ops::Inspection;

use super::{PassingJson, SubmissionJson, TaskJson};

#[derive(Debug, Serialize)]
pub struct InspectionJson<'a> {
    pub task: TaskJson<'a>,
    /// `git diff` with this shows the work; left out if the commit is not in this clone.
    pub range: Option<&'a str>,
    pub commits: Vec<CommitJson<'a>>,
    pub files: Vec<FileJson<'a>>,
    /// `git range-diff` with this shows what is new since the submission before.
    pub range_diff: Option<&'a str>,
    pub evidence: Vec<EvidenceJson<'a>>,
    /// What ran on its commit: the task's checks, and others.
    pub checks: Vec<PassingJson<'a>>,
    /// What has to land before it.
    pub beneath: Vec<BeneathJson<'a>>,
    /// The worktree that was made to look at it.
    pub checkout: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct CommitJson<'a> {
    pub commit: String,
    pub author: &'a str,
    pub subject: &'a str,
}

#[derive(Debug, Serialize)]
pub struct FileJson<'a> {
    pub path: &'a str,
    /// Lines; left out of what is no text.
    pub added: Option<u64>,
    pub deleted: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct EvidenceJson<'a> {
    pub criterion: &'a str,
    pub evidence: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub struct BeneathJson<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub status: &'static str,
    pub approved: bool,
}

impl<'a> From<&'a Inspection> for InspectionJson<'a> {
    fn from(found: &'a Inspection) -> InspectionJson<'a> {
        let (task, bundle) = (&found.task, &found.submission.1);
        let work = found.work.as_ref();
        let criteria = task.done_criteria.iter().enumerate();
        let submission = SubmissionJson::of(task).map(|submission| SubmissionJson {
            published: Some(found.published),
            ..submission
        });
        InspectionJson {
            task: TaskJson {
                body: Some(&task.body),
                submission,
                ..TaskJson::from(task)
            },
            range: work.map(|work| work.range.as_str()),
            commits: (work.iter().flat_map(|work| &work.commits))
                .map(|line| CommitJson {
                    commit: line.oid.to_string(),
                    author: &line.author,
                    subject: &line.subject,
                })
                .collect(),
            files: (work.iter().flat_map(|work| &work.files))
                .map(|file| FileJson {
                    path: &file.path,
                    added: file.lines.map(|(added, _)| added),
                    deleted: file.lines.map(|(_, deleted)| deleted),
                })
                .collect(),
            range_diff: work.and_then(|work| work.since_last.as_deref()),
            evidence: criteria
                .map(|(at, criterion)| EvidenceJson {
                    criterion,
                    evidence: bundle.evidence.get(at).map(String::as_str),
                })
                .collect(),
            checks: found.checks().iter().map(PassingJson::from).collect(),
            beneath: found.beneath.iter().map(BeneathJson::from).collect(),
            checkout: (found.checkout.as_ref()).map(|path| path.display().to_string()),
        }
    }
}

impl<'a> From<&'a Task> for BeneathJson<'a> {
    fn from(task: &'a Task) -> BeneathJson<'a> {
        BeneathJson {
            id: task.id.as_str(),
            title: &task.title,
            status: task.status.as_str(),
            approved: task.waits_to_land(),
        }
    }
}
