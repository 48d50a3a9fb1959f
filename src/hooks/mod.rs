//! Git's hooks, those of coding agents, and the installation of git's.
//!
//! What may be changed is decided by [`crate::ops::enforce`]; here is when it is asked, what it is
//! asked about, and what becomes of the answer.

pub mod agent;
mod block;
mod commit;
mod error;
mod install;
mod into;
mod manager;
mod message;
pub mod probe;
mod push;
mod status;
mod time_limit;
mod upkeep;
mod yaml;

pub use commit::{CommitEnv, check_commit};
pub use error::HookError;
pub use install::{Done, HookDir, Installation, Placement, install, uninstall};
pub use into::{Edited, install_into};
pub use manager::Manager;
pub use message::add_trailers;
pub use push::{PushEnv, check_push};
pub use status::{Layer, State, Status, asked_by_legacy, status};
pub use time_limit::TimeLimit;
pub use upkeep::{Mended, Upkeep, diagnose, look, look_after, look_after_all, manager_without_us};

use std::time::Duration;

use crate::git::GitError;
use crate::ops::enforce::{Finding, Verdict};
use crate::ops::{Context, OpsError, Repeat, chain, overrule};
use crate::store::StoreError;

use crate::model::settings::EnforceMode;

/// Git's hooks that reflectt has a part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HookName {
    PreCommit,
    PreMergeCommit,
    CommitMsg,
    PrePush,
}

impl HookName {
    pub const ALL: [HookName; 4] = [
        HookName::PreCommit,
        HookName::PreMergeCommit,
        HookName::CommitMsg,
        HookName::PrePush,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            HookName::PreCommit => "pre-commit",
            HookName::PreMergeCommit => "pre-merge-commit",
            HookName::CommitMsg => "commit-msg",
            HookName::PrePush => "pre-push",
        }
    }
}

/// How a hook ends. These are never confused with each other.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing stands against it, or the team does not enforce claims.
    Allow(Verdict),
    /// Something does, and the team wants to be told and no more.
    Warn(Verdict),
    /// Something does, and whoever acts goes on with a reason that is on the record now.
    Overridden(Verdict),
    Block(Verdict),
    /// It would have been overridden, but that could not be recorded.
    Unrecorded(Verdict, OpsError),
    /// No team works in this repository: none of our business.
    NotManaged,
    /// It could not be found out. Git goes on, with one line of warning.
    CannotDecide(String),
}

/// A deadline of the work that leads to an answer, and the reason to go on with, if any.
pub struct Asked<'a> {
    pub limit: &'a TimeLimit,
    /// `REFLECTT_OVERRIDE`.
    pub reason: Option<&'a str>,
    pub repeat: Repeat,
}

impl Asked<'_> {
    /// How long one git process may take.
    fn process_limit(&self) -> Duration {
        self.limit.left()
    }
}

/// Turns a verdict into what is done about it, and records an override.
fn conclude(ctx: &Context, asked: &Asked, verdict: Result<Verdict, OpsError>) -> Outcome {
    let verdict = match verdict {
        Ok(verdict) => verdict,
        Err(error) => return unknown_here(ctx, error),
    };
    // Decided: from here on no time limit may turn the answer into another.
    asked.limit.lift();
    if verdict.findings.is_empty() || verdict.mode == EnforceMode::Off {
        return Outcome::Allow(verdict);
    }
    if verdict.mode == EnforceMode::Warn {
        return Outcome::Warn(verdict);
    }
    match asked.reason {
        Some(reason) if verdict.findings.iter().all(Finding::may_be_overridden) => {
            match overrule(ctx, &verdict.findings, reason, asked.repeat) {
                Ok(()) => Outcome::Overridden(verdict),
                Err(error) => Outcome::Unrecorded(verdict, error),
            }
        }
        _ => Outcome::Block(verdict),
    }
}

/// Tells a repository without a team from one whose state cannot be read.
pub fn unknown(error: OpsError) -> Outcome {
    match error {
        OpsError::Store(
            StoreError::NotInitialised { .. }
            | StoreError::Foreign { .. }
            | StoreError::Git(GitError::NotARepository { .. }),
        ) => Outcome::NotManaged,
        other => Outcome::CannotDecide(chain(&other)),
    }
}

/// The same where the repository is at hand: with a claims table there is a team, and if its
/// record is gone or another's, that must not go unnoticed.
fn unknown_here(ctx: &Context, error: OpsError) -> Outcome {
    let text = chain(&error);
    match unknown(error) {
        Outcome::NotManaged if has_claims(ctx) => Outcome::CannotDecide(text),
        outcome => outcome,
    }
}

fn has_claims(ctx: &Context) -> bool {
    matches!(ctx.repo().read_ref(ctx.store().claims_ref()), Ok(Some(_)))
}

/// Tells whether a team works here, or did: then its record or its claims are there.
fn is_managed(ctx: &Context) -> Result<bool, OpsError> {
    Ok(ctx.repo().read_ref(ctx.store().record_ref())?.is_some() || has_claims(ctx))
}
