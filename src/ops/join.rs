//! Joining the team.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::model::agent::{AgentEvent, AgentKind, AgentLog, Profile};
use crate::model::event::Log;
use crate::model::name::{AgentName, Author, Lane};
use crate::model::time::Timestamp;
use crate::store::{Changes, Origin, StoreError, Turn};

use super::who::{Seat, seat};
use super::{Context, OpsError, sync};

/// The key under which a worktree keeps the name of its agent.
pub const AGENT_KEY: &str = "reflectt.agent";

/// What an agent says of itself; `None` keeps what it said before.
#[derive(Debug, Default)]
pub struct Join {
    pub role: Option<String>,
    pub lanes: BTreeSet<Lane>,
    pub kind: Option<AgentKind>,
    pub wip: Option<u32>,
}

#[derive(Debug)]
pub struct Joined {
    pub seat: Seat,
    /// Whether it was on the team before.
    pub again: bool,
    /// The worktree that now acts as this agent.
    pub worktree: PathBuf,
    /// Another worktree that does so too.
    pub also_in: Option<PathBuf>,
    /// When somebody of that name was last active in another clone, by that clone's clock.
    pub active_elsewhere: Option<Timestamp>,
    /// The remote whose team this clone takes part in from now on.
    pub team_on: Option<String>,
}

/// Puts an agent on the team and makes this worktree act as it.
pub fn join(ctx: &Context, name: &AgentName, join: &Join) -> Result<Joined, OpsError> {
    let said = Profile {
        kind: join.kind.unwrap_or_default(),
        role: join.role.clone(),
        lanes: join.lanes.clone(),
        wip: join.wip,
    };
    let said = said.checked()?;
    let team_on = begin(ctx)?;
    let (agent, again) = ctx.store().transact(|snapshot| -> Result<_, OpsError> {
        let now = ctx.now();
        let author = Author::from(name);
        let before = snapshot.agent_log(name)?;
        let old = before.as_ref().and_then(AgentLog::fold);
        let mut log = before.unwrap_or(AgentLog {
            name: name.clone(),
            log: Log::default(),
        });
        let profile = Profile {
            kind: join
                .kind
                .or(old.as_ref().map(|a| a.kind))
                .unwrap_or_default(),
            role: said.role.clone().or_else(|| old.as_ref()?.role.clone()),
            lanes: match &old {
                Some(old) if said.lanes.is_empty() => old.lanes.clone(),
                _ => said.lanes.clone(),
            },
            wip: said.wip.or_else(|| old.as_ref()?.wip),
        };
        let again = old.is_some();
        let origin = Origin {
            author: author.clone(),
            now,
        };
        if let Some(old) = old
            && (old.kind, &old.role, &old.lanes, old.wip)
                == (profile.kind, &profile.role, &profile.lanes, profile.wip)
        {
            return Ok((Turn::Answer((old, again)), origin));
        }
        let moment = snapshot.moment(now);
        ctx.random(|rng| (log.log).append(moment, rng, author, AgentEvent::Joined(profile)));
        let agent = log.fold().expect("an event that it joined was just added");
        let changes = Changes {
            subject: format!("join: {name}"),
            agents: vec![log],
            ..Changes::default()
        };
        Ok((Turn::Publish(Box::new(changes), (agent, again)), origin))
    })?;
    ctx.note_work();
    ctx.store().presence().beat(name, ctx.now(), None)?;
    ctx.note_place(name);
    let also_in = other_worktree(ctx, name);
    let active_elsewhere = other_clone(ctx, name)?;
    ctx.repo()
        .set_worktree_config(AGENT_KEY, Some(name.as_str()))?;
    let worktree = ctx
        .repo()
        .work_dir()
        .unwrap_or(ctx.repo().git_dir())
        .to_owned();
    let seat = seat(ctx, &ctx.store().snapshot()?, &agent)?;
    Ok(Joined {
        seat,
        again,
        worktree,
        also_in,
        active_elsewhere,
        team_on,
    })
}

/// Takes part in the team that the remote has, on a clone that only git has made so far; elsewhere
/// adopts edits by hand, as before any write.
///
/// Returns the remote's name if the clone takes part from now on.
fn begin(ctx: &Context) -> Result<Option<String>, OpsError> {
    let known = match ctx.store().snapshot() {
        Err(StoreError::NotInitialised { remote, .. }) => remote,
        Err(error) => return Err(error.into()),
        Ok(_) => return sync::adopt_here(ctx).map(|()| None),
    };
    // What the user chose goes before what was fetched.
    let known = known.filter(|_| ctx.store().link().is_none());
    match sync::team_on_remote(ctx, known.as_deref())? {
        Some(team) if team.exists => {
            let report = sync::take_part(ctx, &team)?;
            ctx.note_warnings(report.remarks());
            Ok(Some(team.link.name))
        }
        _ => Err(StoreError::NotInitialised {
            remote: None,
            unseen: None,
        }
        .into()),
    }
}

/// Returns another worktree bound to the same name: two processes would then share one identity.
fn other_worktree(ctx: &Context, name: &AgentName) -> Option<PathBuf> {
    let worktrees = ctx.repo().worktrees().ok()?;
    worktrees
        .into_iter()
        .filter(|worktree| worktree.git_dir != ctx.repo().git_dir())
        .find(|worktree| {
            std::fs::read_to_string(worktree.git_dir.join("config.worktree"))
                .is_ok_and(|text| text.lines().any(|line| is_binding(line, name)))
        })
        .map(|worktree| worktree.path)
}

/// Returns when another clone last said that it has an agent of the same name at work.
///
/// Good enough for a warning: it goes by the clock of that clone.
fn other_clone(ctx: &Context, name: &AgentName) -> Result<Option<Timestamp>, OpsError> {
    let store = ctx.store();
    let Some(link) = store.link() else {
        return Ok(None);
    };
    let idle_after = store.snapshot()?.settings()?.idle_after;
    let others = store.signs_of_others(&link, &ctx.clone_id()?)?;
    let signs = others.values().filter_map(|signs| signs.agents.get(name));
    let active = signs.filter(|sign| !sign.signed_off && ctx.now().since(sign.at) < idle_after);
    Ok(active.map(|sign| sign.at).max())
}

/// Good enough for a warning: the line that `git config --worktree` writes.
fn is_binding(line: &str, name: &AgentName) -> bool {
    line.split_once('=')
        .is_some_and(|(key, value)| key.trim() == "agent" && value.trim() == name.as_str())
}
