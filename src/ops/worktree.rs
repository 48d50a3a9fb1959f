//! Agents of worktrees that are gone: whoever removes a worktree ends the agent that works in it.
//!
//! Its claims stay until they expire, as for every agent that was signed off.

use std::path::{Path, PathBuf};

use crate::git::{Fate, Repo};
use crate::model::name::AgentName;
use crate::model::presence::{Haunt, gone_with};

use super::{AGENT_KEY, Context, OpsError};

/// An agent that was signed off because its worktree is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    pub agent: AgentName,
    /// Where the worktree was.
    pub path: String,
}

/// Signs off agents whose worktree is gone, unless there is a sign that they live elsewhere: a
/// process, another worktree they were in not long ago, one that is bound to them.
pub fn look_after_worktrees(ctx: &Context) -> Result<Vec<Gone>, OpsError> {
    let presence = ctx.presence();
    let agents = presence.haunting();
    if agents.is_empty() {
        return Ok(Vec::new());
    }
    let snapshot = ctx.store().snapshot()?;
    let settings = snapshot.settings()?;
    let tied = presence.tied()?;
    let mut gone = Vec::new();
    for agent in agents {
        let now = ctx.now();
        let before = presence.get(&agent, now)?;
        let haunts = presence.haunts(&agent);
        let is_gone = |haunt: &Haunt| {
            let seen = Some(Path::new(&haunt.path)).filter(|_| !haunt.path.is_empty());
            ctx.repo().is_worktree_gone(&haunt.worktree, seen)
        };
        let Some(haunt) = gone_with(&haunts, is_gone, now, settings) else {
            continue;
        };
        let runs = tied
            .iter()
            .any(|(name, process)| *name == agent && process.fate() != Fate::Ended);
        if runs || is_bound(ctx, &agent)? {
            continue;
        }
        match before {
            Some(before) if !before.signed_off => {
                // It may have come back while we looked.
                if presence.get(&agent, now)?.as_ref() != Some(&before)
                    || presence.haunts(&agent) != haunts
                {
                    continue;
                }
                presence.sign_off(&agent, now)?;
                gone.push(Gone {
                    agent: agent.clone(),
                    path: haunt.path.clone(),
                });
            }
            _ => {}
        }
        presence.forget_haunts(&agent)?;
    }
    Ok(gone)
}

/// Returns the agents as which worktrees of this clone act, and where, as far as can be read.
pub fn bound(ctx: &Context) -> Vec<(AgentName, PathBuf)> {
    let repo = ctx.repo();
    let worktrees = repo.worktrees().unwrap_or_default().into_iter();
    worktrees
        .filter_map(|worktree| {
            let name = repo.worktree_config_of(&worktree.git_dir, AGENT_KEY);
            Some((name.ok()??.parse().ok()?, worktree.path))
        })
        .collect()
}

/// Returns the worktree of an agent; `None` if there is none, or more than one.
pub fn worktree_of(repo: &Repo, agent: &AgentName) -> Option<PathBuf> {
    let mut found = repo.worktrees().ok()?.into_iter().filter(|worktree| {
        let bound = repo.worktree_config_of(&worktree.git_dir, AGENT_KEY);
        let is_bound = bound.is_ok_and(|bound| bound.as_deref() == Some(agent.as_str()));
        is_bound && worktree.path.is_dir()
    });
    match (found.next(), found.next()) {
        (Some(one), None) => Some(one.path),
        _ => None,
    }
}

/// Tells whether a worktree that is there acts as this agent.
fn is_bound(ctx: &Context, agent: &AgentName) -> Result<bool, OpsError> {
    let repo = ctx.repo();
    for worktree in repo.worktrees()? {
        let id = repo.worktree_id(&worktree.git_dir);
        let bound = repo.worktree_config_of(&worktree.git_dir, AGENT_KEY)?;
        if bound.as_deref() == Some(agent.as_str())
            && !repo.is_worktree_gone(&id, Some(&worktree.path))
        {
            return Ok(true);
        }
    }
    Ok(false)
}
