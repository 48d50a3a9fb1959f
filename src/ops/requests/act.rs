//! The operations that can wait for the remote, as values that can be kept.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::id::{IdPrefix, TaskId};
use crate::model::time::Timestamp;
use crate::ops::block::{self, Blocking};
use crate::ops::claim::{self, ClaimRequest};
use crate::ops::review::{self, Verdict};
use crate::ops::submit::{self, Checking, NewSubmission, Passed};
use crate::ops::task_edit::{self, TaskChanges};
use crate::ops::tx::Tx;
use crate::ops::work_branch::Branch;
use crate::ops::{OpsError, cancel, handoff, pause, release};

/// Where an agent worked when it asked: what it has there is not what whoever serves it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkPlace {
    pub branch: Option<String>,
    /// The commit that was checked out, in hexadecimal.
    pub base: Option<String>,
}

/// What is asked for. Ids, names and paths are texts as they are printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Claim {
        id: String,
        paths: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shared: Vec<String>,
        resources: Vec<String>,
        take_over: Option<String>,
        /// Whether whoever holds it already works in `place` from then on.
        #[serde(default)]
        moves: bool,
        place: WorkPlace,
    },
    ClaimPaths {
        id: String,
        paths: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shared: Vec<String>,
        resources: Vec<String>,
        why: String,
        place: WorkPlace,
    },
    Release {
        id: String,
        note: Option<String>,
    },
    Block {
        id: String,
        reason: String,
        on: Option<String>,
        needs_human: bool,
    },
    Unblock {
        id: String,
    },
    Submit {
        id: String,
        summary: String,
        evidence: BTreeMap<usize, String>,
        commit: Option<String>,
        pr: Option<String>,
        caveat: Option<String>,
        #[serde(default)]
        branch: Option<String>,
        reviewer: Option<String>,
        #[serde(default)]
        no_check: bool,
        /// What has passed on the commit.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        passed: Vec<Passed>,
    },
    Review {
        id: String,
        verdict: Verdict,
    },
    /// Names who shall review; nobody in particular if it is empty.
    Reviewer {
        id: String,
        name: Option<String>,
    },
    HandOff {
        id: String,
        to: String,
        note: String,
    },
    Cancel {
        id: String,
        reason: String,
    },
    Reopen {
        id: String,
        reason: String,
    },
    Pause {
        reason: String,
        /// When it ends by itself, in milliseconds since 1970.
        until: Option<i64>,
    },
    /// Ends the pause that was seen, and no other.
    Resume {
        by: String,
        since: i64,
    },
}

impl Act {
    /// Does it in a turn of an operation.
    pub fn perform(&self, tx: &mut Tx) -> Result<(), OpsError> {
        match self {
            Act::Claim {
                id,
                paths,
                shared,
                resources,
                take_over,
                moves,
                place,
            } => {
                let request = ClaimRequest {
                    paths: list(paths)?,
                    shared: list(shared)?,
                    resources: list(resources)?,
                    take_over: None,
                    branch: Branch::AsItIs,
                    moves: *moves,
                };
                tx.place = Some(place.clone());
                claim::take(tx, parse(id)?, &request, take_over.as_deref())?;
            }
            Act::ClaimPaths {
                id,
                paths,
                shared,
                resources,
                why,
                place,
            } => {
                tx.place = Some(place.clone());
                let request = ClaimRequest {
                    paths: list(paths)?,
                    shared: list(shared)?,
                    resources: list(resources)?,
                    ..ClaimRequest::default()
                };
                claim::take_paths(tx, &request, why, Some(parse(id)?))?;
            }
            Act::Release { id, note } => {
                release::give_back(tx, &prefix(id)?, note.as_deref())?;
            }
            Act::Block {
                id,
                reason,
                on,
                needs_human,
            } => {
                let blocking = Blocking {
                    reason: reason.clone(),
                    on: on.as_deref().map(prefix).transpose()?,
                    needs_human: *needs_human,
                };
                block::mark(tx, &prefix(id)?, &blocking)?;
            }
            Act::Unblock { id } => {
                block::unmark(tx, &prefix(id)?)?;
            }
            Act::Submit {
                id,
                summary,
                evidence,
                commit,
                pr,
                caveat,
                branch,
                reviewer,
                no_check,
                passed,
            } => {
                let new = NewSubmission {
                    summary: summary.clone(),
                    evidence: evidence.clone(),
                    commit: commit.clone(),
                    pr: pr.clone(),
                    caveat: caveat.clone(),
                    branch: branch.clone(),
                    reviewer: reviewer.as_deref().map(parse).transpose()?,
                    checking: match no_check {
                        true => Checking::Without,
                        false => Checking::AsNeeded,
                    },
                };
                let passed = passed.iter().map(|it| it.on(commit.as_deref()));
                let passed = passed.collect::<Result<Vec<_>, _>>()?;
                submit::hand_in(tx, &prefix(id)?, &new, &passed)?;
            }
            Act::Review { id, verdict } => {
                review::judge(tx, &prefix(id)?, verdict)?;
            }
            Act::Reviewer { id, name } => {
                let changes = TaskChanges {
                    reviewer: Some(name.as_deref().map(parse).transpose()?),
                    ..TaskChanges::default()
                };
                task_edit::change(tx, &prefix(id)?, &changes)?;
            }
            Act::HandOff { id, to, note } => {
                handoff::pass(tx, &prefix(id)?, &parse(to)?, note)?;
            }
            Act::Cancel { id, reason } => {
                cancel::give_up(tx, &prefix(id)?, reason)?;
            }
            Act::Reopen { id, reason } => {
                cancel::open_again(tx, &prefix(id)?, reason)?;
            }
            Act::Pause { reason, until } => {
                pause::stop(tx, reason, until.map(Timestamp))?;
            }
            Act::Resume { by, since } => {
                pause::go_on(tx, Some((&parse(by)?, Timestamp(*since))))?;
            }
        }
        Ok(())
    }

    /// Returns the task or claim it is about.
    pub fn id(&self) -> Option<TaskId> {
        match self {
            Act::Claim { id, .. }
            | Act::ClaimPaths { id, .. }
            | Act::Release { id, .. }
            | Act::Block { id, .. }
            | Act::Unblock { id }
            | Act::Submit { id, .. }
            | Act::Review { id, .. }
            | Act::Reviewer { id, .. }
            | Act::HandOff { id, .. }
            | Act::Cancel { id, .. }
            | Act::Reopen { id, .. } => id.parse().ok(),
            Act::Pause { .. } | Act::Resume { .. } => None,
        }
    }

    /// Tells whether it gives its agent a claim, which it works under meanwhile.
    pub fn is_claim(&self) -> bool {
        matches!(self, Act::Claim { .. } | Act::ClaimPaths { .. })
    }

    /// Tells whether it is about the claim that somebody has, and about no other. A claim is about
    /// what anybody may have by then, unless it takes somebody's over.
    pub fn is_about_a_claim(&self) -> bool {
        match self {
            Act::Claim { take_over, .. } => take_over.is_some(),
            Act::ClaimPaths { .. } | Act::Pause { .. } | Act::Resume { .. } => false,
            _ => true,
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Act::Claim { id, .. } => write!(f, "claim `{id}`"),
            Act::ClaimPaths { paths, shared, .. } => {
                let paths = paths.iter().chain(shared);
                let paths: Vec<String> = paths.map(|path| format!("`{path}`")).collect();
                write!(f, "claim {}", paths.join(", "))
            }
            Act::Release { id, .. } => write!(f, "release `{id}`"),
            Act::Block { id, .. } => write!(f, "block `{id}`"),
            Act::Unblock { id } => write!(f, "unblock `{id}`"),
            Act::Submit { id, .. } => write!(f, "submit `{id}`"),
            Act::Review { id, verdict } => match verdict {
                Verdict::Approve { .. } => write!(f, "approve `{id}`"),
                Verdict::RequestChanges { .. } => write!(f, "request changes of `{id}`"),
                Verdict::Correct { .. } => write!(f, "correct the review of `{id}`"),
            },
            Act::Reviewer { id, .. } => write!(f, "name a reviewer of `{id}`"),
            Act::HandOff { id, to, .. } => write!(f, "hand `{id}` to `{to}`"),
            Act::Cancel { id, .. } => write!(f, "cancel `{id}`"),
            Act::Reopen { id, .. } => write!(f, "reopen `{id}`"),
            Act::Pause { .. } => f.write_str("pause the team"),
            Act::Resume { .. } => f.write_str("resume the team"),
        }
    }
}

fn parse<T>(text: &str) -> Result<T, OpsError>
where
    T: FromStr,
    OpsError: From<T::Err>,
{
    Ok(text.parse()?)
}

fn prefix(id: &str) -> Result<IdPrefix, OpsError> {
    parse(id)
}

fn list<T, L>(texts: &[String]) -> Result<L, OpsError>
where
    T: FromStr,
    OpsError: From<T::Err>,
    L: FromIterator<T>,
{
    texts.iter().map(|text| parse(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_can_be_read_again() {
        let id = || "aaaaaa".to_owned();
        let text = || "x".to_owned();
        let place = || WorkPlace {
            branch: Some(text()),
            base: None,
        };
        let note = || Some(text());
        let acts = [
            Act::Claim {
                id: id(),
                paths: vec![text()],
                shared: Vec::new(),
                resources: Vec::new(),
                take_over: note(),
                moves: true,
                place: place(),
            },
            Act::ClaimPaths {
                id: id(),
                paths: Vec::new(),
                shared: vec![text()],
                resources: vec![text()],
                why: text(),
                place: place(),
            },
            Act::Release {
                id: id(),
                note: note(),
            },
            Act::Block {
                id: id(),
                reason: text(),
                on: None,
                needs_human: true,
            },
            Act::Unblock { id: id() },
            Act::Submit {
                id: id(),
                summary: text(),
                evidence: [(1, text())].into(),
                commit: None,
                pr: note(),
                caveat: None,
                branch: note(),
                reviewer: note(),
                no_check: true,
                passed: vec![Passed {
                    name: text(),
                    command: text(),
                    tree: text(),
                    took: 1,
                    at: -1,
                    cached: true,
                    output: vec![text()],
                }],
            },
            Act::Review {
                id: id(),
                verdict: Verdict::RequestChanges { note: text() },
            },
            Act::Reviewer {
                id: id(),
                name: None,
            },
            Act::HandOff {
                id: id(),
                to: text(),
                note: text(),
            },
            Act::Cancel {
                id: id(),
                reason: text(),
            },
            Act::Reopen {
                id: id(),
                reason: text(),
            },
            Act::Pause {
                reason: text(),
                until: Some(-1),
            },
            Act::Resume {
                by: text(),
                since: 7,
            },
        ];
        for act in acts {
            let written = serde_json::to_string(&act).unwrap();
            assert_eq!(serde_json::from_str::<Act>(&written).unwrap(), act);
        }
    }
}
