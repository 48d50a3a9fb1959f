//! How an operation can end without having done what was asked.

use std::fmt;
use std::path::PathBuf;

use crate::format::CHECKS_FILE;
use crate::git::{GitError, Oid};
use crate::model::agent::ProfileError;
use crate::model::check::CheckResult;
use crate::model::claim::Claim;
use crate::model::id::{IdError, TaskId};
use crate::model::name::{AgentName, NameError};
use crate::model::path::{PathError, PathPattern};
use crate::model::presence::Liveness;
use crate::model::review::EvidenceError;
use crate::model::rule::Refusal;
use crate::model::settings::SettingError;
use crate::model::text::TextError;
use crate::model::time::Timestamp;
use crate::store::{BadFile, StoreError};

use super::home::Elsewhere;

#[derive(Debug, thiserror::Error)]
pub enum OpsError {
    #[error(transparent)]
    Store(StoreError),
    /// The remote has to decide, and does not answer.
    #[error("cannot reach the remote `{remote}`: {reason}")]
    Unreachable { remote: String, reason: String },
    #[error("this clone has no remote to share its team through")]
    NoRemote,
    #[error("it is not known who asks")]
    NoIdentity {
        /// Who is known in the clone's other worktrees.
        elsewhere: Vec<(AgentName, PathBuf)>,
    },
    #[error("there is no {what} `{name}`")]
    NotFound {
        what: &'static str,
        name: String,
        near: Vec<String>,
    },
    #[error("`{prefix}` is the beginning of {} ids", matches.len())]
    Ambiguous {
        prefix: String,
        matches: Vec<(TaskId, String)>,
    },
    /// Somebody else holds the task, or paths that overlap.
    #[error("{0}")]
    Held(Box<Held>),
    /// An agent of that name is alive in another clone.
    #[error(transparent)]
    Elsewhere(Box<Elsewhere>),
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The agent worked under a claim that is not its own any more.
    #[error("{message}")]
    Fenced {
        task: TaskId,
        holder: Option<AgentName>,
        message: String,
    },
    /// The event would stand in the log and change nothing. Nothing was written.
    #[error("task `{task}` would not take it up: {reason}")]
    Void { task: TaskId, reason: String },
    /// The task was claimed, and git has not checked out its branch.
    #[error("`{task}` is yours, but this worktree is not on `{branch}`")]
    NotSwitched {
        task: TaskId,
        branch: String,
        #[source]
        source: GitError,
    },
    #[error("{0}")]
    Nothing(String),
    /// The file that defines checks is no such file.
    #[error("`{CHECKS_FILE}` on `{branch}` cannot be read")]
    ChecksFile {
        branch: String,
        #[source]
        source: BadFile,
    },
    /// These checks say nothing about what they were to check.
    #[error("{}", could_not_run(.0))]
    CouldNotRun(Vec<CheckResult>),
    /// The same, of a commit that was to be submitted.
    #[error("`{task}` is not submitted: {}", could_not_run(.stopped))]
    NotSubmitted {
        task: TaskId,
        stopped: Vec<CheckResult>,
    },
    #[error("{}", no_checks(branch.as_deref()))]
    NoChecks {
        /// `None` if there is no landing branch.
        branch: Option<String>,
    },
    /// There is nowhere to land.
    #[error("{}", no_landing_branch(name.as_deref()))]
    NoLandingBranch {
        /// `None` if the team has switched landing off.
        name: Option<String>,
    },
    /// What was made to land is not what it must be. Nothing was moved.
    #[error("nothing has landed: {detail}; this is a fault of reflectt")]
    Unsound { detail: String },
    /// Somebody else does the same at this moment, and nothing says who.
    #[error("somebody else is {what}")]
    Busy { what: &'static str },
    /// The remote takes a commit nowhere.
    #[error("`{remote}` does not take `{branch}` either: {said}")]
    NotTaken {
        remote: String,
        branch: String,
        said: String,
    },
    /// A shallow clone lacks what a commit was built upon.
    #[error("this clone is shallow: what commit {} changes cannot be told from what was there before", .0.short())]
    Shallow(Oid),
    /// The words of the command do not fit together.
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    Path(#[from] PathError),
    #[error(transparent)]
    Setting(#[from] SettingError),
}

impl From<EvidenceError> for OpsError {
    fn from(error: EvidenceError) -> OpsError {
        match error {
            EvidenceError::Refused(refusal) => refusal.into(),
            EvidenceError::Text(error) => error.into(),
        }
    }
}

impl From<StoreError> for OpsError {
    fn from(error: StoreError) -> OpsError {
        match error {
            StoreError::Git(GitError::Unreachable { remote, reason }) => {
                OpsError::Unreachable { remote, reason }
            }
            other => OpsError::Store(other),
        }
    }
}

impl From<GitError> for OpsError {
    fn from(error: GitError) -> OpsError {
        StoreError::from(error).into()
    }
}

fn could_not_run(stopped: &[CheckResult]) -> String {
    let of = |result: &CheckResult| {
        let detail = result.outcome.detail().unwrap_or_default();
        format!("check `{}` could not run: {detail}", result.name)
    };
    stopped.iter().map(of).collect::<Vec<_>>().join("; ")
}

fn no_checks(branch: Option<&str>) -> String {
    match branch {
        Some(branch) => format!("there are no checks: `{CHECKS_FILE}` on `{branch}` defines none"),
        None => {
            "there are no checks: this repository has no branch `main` or `master` to define them"
                .to_owned()
        }
    }
}

/// Who is in the way.
#[derive(Debug)]
pub struct Held {
    pub by: Claim,
    /// What was asked for, if it was a task.
    pub wanted: Option<TaskId>,
    /// The holder's paths that overlap those asked for.
    pub paths: Vec<PathPattern>,
    /// The holder is somebody of the same name in another clone; then, the nearest free name.
    pub namesake: Option<AgentName>,
    /// The best task that is free, if a task was asked for, and its title.
    pub instead: Option<(TaskId, String)>,
    /// How alive the holder is and when it was last seen, if it was ever seen here.
    pub seen: Option<(Liveness, Timestamp)>,
}

impl Held {
    /// Returns the holder's paths in the way if it lets others hold them too, who share them.
    pub fn shared(&self) -> Option<&[PathPattern]> {
        let all = self.paths.iter().all(|it| self.by.shared.contains(it));
        (all && !self.paths.is_empty()).then_some(&self.paths)
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&held_message(self))
    }
}

fn held_message(held: &Held) -> String {
    let claim = &held.by;
    let place = match &held.namesake {
        Some(_) => " in another clone",
        None => "",
    };
    if held.wanted == Some(claim.id) {
        return format!("task `{}` is held by `{}`{place}", claim.id, claim.agent);
    }
    if claim.id == TaskId::LANE {
        return format!("`{}` is landing{place}", claim.agent);
    }
    let paths: Vec<String> = held.paths.iter().map(|path| format!("`{path}`")).collect();
    let under = if claim.of_task {
        "for task"
    } else {
        "under claim"
    };
    let how = match held.shared() {
        Some(_) => "shared",
        None => "claimed",
    };
    format!(
        "{} {how} by `{}`{place} {under} `{}`",
        are(&paths),
        claim.agent,
        claim.id
    )
}

fn are(paths: &[String]) -> String {
    match paths {
        [one] => format!("{one} is"),
        many => format!("{} are", many.join(", ")),
    }
}

/// Says that it cannot be known who holds what, and what is gone by instead.
pub fn unknown_claims(damage: &StoreError) -> String {
    let why = chain(damage);
    if damage.is_newer_table() {
        return format!("{why}; what was last known of it counts until reflectt is updated");
    }
    format!("{why}; what was last known of it counts until `reflectt doctor --fix` restores it")
}

fn no_landing_branch(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("there is no commit on the landing branch `{name}` yet"),
        None => "this team has no landing branch: what is approved is done".to_owned(),
    }
}

/// Returns an error with all its causes, in one line; what was said already is not said again.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text.lines().collect::<Vec<_>>().join(" ")
}
