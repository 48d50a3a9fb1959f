//! What stands against a change, as JSON.

use serde::Serialize;

use crate::format::rfc3339;
use crate::ops::enforce::{Finding, Why};

use super::{show, text};

#[derive(Debug, Serialize)]
pub struct FindingJson {
    /// `held`, `unclaimed`, `lost` or `outdated`.
    pub kind: &'static str,
    /// None while the commit is still to be made.
    pub commit: Option<String>,
    pub subject: Option<String>,
    pub author: Option<String>,
    /// As git prints them: quoted where they are no plain text.
    pub paths: Vec<String>,
    pub holder: Option<String>,
    /// How alive the holder is, if it was ever seen here.
    pub status: Option<&'static str>,
    pub last_seen: Option<String>,
    /// The task; the claim's own id where there is none.
    pub id: Option<String>,
    pub task: Option<String>,
    pub title: Option<String>,
    pub since: Option<String>,
    /// The fence of the claim that counts now.
    pub fence: Option<u64>,
    /// The fences under which the commit was made.
    pub made_under: Vec<u64>,
    pub message: Option<String>,
}

impl From<&Finding> for FindingJson {
    fn from(finding: &Finding) -> FindingJson {
        let commit = finding.commit.as_ref();
        let holder = finding.holder();
        let claim = holder.map(|holder| &holder.claim);
        let seen = holder.and_then(|holder| holder.seen.as_ref());
        let mut json = FindingJson {
            kind: "held",
            commit: commit.map(|commit| commit.oid.to_string()),
            subject: commit.map(|commit| commit.subject.clone()),
            author: commit.map(|commit| commit.author.clone()),
            paths: finding.paths.iter().map(|path| show(path)).collect(),
            holder: claim.map(|claim| claim.agent.to_string()),
            status: seen.map(|(liveness, _)| liveness.as_str()),
            last_seen: seen.map(|(_, at)| rfc3339(*at)),
            id: claim.map(|claim| claim.id.to_string()),
            task: claim.and_then(|claim| text(claim.task().as_ref())),
            title: holder.and_then(|holder| holder.title.clone()),
            since: claim.map(|claim| rfc3339(claim.since)),
            fence: claim.and_then(|claim| claim.fence.given()),
            made_under: Vec::new(),
            message: None,
        };
        match &finding.why {
            Why::Held(_) => {}
            Why::Unclaimed => json.kind = "unclaimed",
            Why::Lost {
                task,
                holder,
                message,
            } => {
                json.kind = "lost";
                json.task = text(task.as_ref());
                json.id.clone_from(&json.task);
                json.holder = text(holder.as_ref());
                json.message = Some(message.clone());
            }
            Why::Outdated {
                task,
                fences,
                now,
                holder,
                ..
            } => {
                json.kind = "outdated";
                json.task = Some(task.to_string());
                json.id.clone_from(&json.task);
                json.holder = Some(holder.to_string());
                json.fence = Some(now.0);
                json.made_under = fences.iter().map(|fence| fence.0).collect();
            }
        }
        json
    }
}
