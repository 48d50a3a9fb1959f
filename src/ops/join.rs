//! Joining the team.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::model::agent::{Agent, AgentEvent, AgentKind, AgentLog, Profile};
use crate::model::decide::Request;
use crate::model::event::Log;
use crate::model::id::TaskId;
use crate::model::name::{AgentName, Lane};
use crate::store::StoreError;

use super::home::{self, Elsewhere};
use super::tx::{Tx, transact_as};
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
    /// Moves the seat here, with what the agent holds, though somebody lives where it is.
    pub here: bool,
    /// Asks the remote first who is alive where.
    pub ask: bool,
}

#[derive(Debug)]
pub struct Joined {
    pub seat: Seat,
    /// Whether it was on the team before.
    pub again: bool,
    /// The worktree that now acts as this agent.
    pub worktree: PathBuf,
    /// Another worktree that does so too, and the nearest free name for one of them.
    pub also_in: Option<(PathBuf, AgentName)>,
    /// Who had the seat that was moved here.
    pub moved: Option<Elsewhere>,
    /// What somebody of that name holds in another clone, and is not its own here.
    pub held_elsewhere: Vec<TaskId>,
    /// The remote whose team this clone takes part in from now on.
    pub team_on: Option<String>,
}

/// Puts an agent on the team and makes this worktree act as it.
///
/// # Errors
///
/// [`OpsError::Elsewhere`] if an agent of that name is alive in another clone, unless its seat is
/// to be moved.
pub fn join(ctx: &Context, name: &AgentName, join: &Join) -> Result<Joined, OpsError> {
    let said = Profile {
        kind: join.kind.unwrap_or_default(),
        role: join.role.clone(),
        lanes: join.lanes.clone(),
        wip: join.wip,
        clone: None,
    };
    let said = said.checked()?;
    let team_on = begin(ctx)?;
    if join.ask && team_on.is_none() {
        hear_of_others(ctx)?;
    }
    let (agent, again, moved) = transact_as(ctx, name, |tx| sit(tx, &said, join))?;
    ctx.presence().beat(name, ctx.now(), None)?;
    ctx.note_place(name);
    // The others shall hear of it now, and not in a minute.
    ctx.store().publish_signs_soon();
    let snapshot = ctx.store().snapshot()?;
    let also_in = match other_worktree(ctx, name)? {
        Some(path) => Some((path, home::free_name(&snapshot, name)?)),
        None => None,
    };
    ctx.repo()
        .set_worktree_config(AGENT_KEY, Some(name.as_str()))?;
    let worktree = ctx
        .repo()
        .work_dir()
        .unwrap_or(ctx.repo().git_dir())
        .to_owned();
    let tx = Tx::new(ctx, &snapshot, name.clone());
    let silence = tx.silence()?;
    let (table, _) = snapshot.table_in_force()?;
    let claims = table.of_agent(name);
    let held_elsewhere = claims.filter(|claim| silence.is_elsewhere(claim));
    Ok(Joined {
        seat: seat(ctx, &snapshot, &agent)?,
        again,
        worktree,
        also_in,
        moved,
        held_elsewhere: held_elsewhere.map(|claim| claim.id).collect(),
        team_on,
    })
}

/// Writes down what an agent says of itself and where its seat is.
fn sit(
    tx: &mut Tx,
    said: &Profile,
    join: &Join,
) -> Result<(Agent, bool, Option<Elsewhere>), OpsError> {
    let name = tx.me.clone();
    let before = tx.snapshot.agent_log(&name)?;
    let old = before.as_ref().and_then(AgentLog::fold);
    let kind = join.kind.or(old.as_ref().map(|a| a.kind));
    let kind = kind.unwrap_or_default();
    let here = tx.ctx.here()?;
    let mut moved = None;
    if let Some(old) = &old
        && kind == AgentKind::Agent
    {
        moved = home::elsewhere(tx.ctx, tx.snapshot, old)?;
    }
    if join.here {
        let (agent, clone) = (name.clone(), here.id.clone());
        let (table, _) = tx.snapshot.table_in_force()?;
        let mut held = table.of_agent(&name);
        if held.any(|claim| !here.made(&claim.clone)) {
            tx.ask(&Request::Move { agent, clone })?;
        }
    } else if let Some(elsewhere) = moved {
        return Err(OpsError::Elsewhere(Box::new(elsewhere)));
    }
    let profile = Profile {
        kind,
        role: said.role.clone().or_else(|| old.as_ref()?.role.clone()),
        lanes: match &old {
            Some(old) if said.lanes.is_empty() => old.lanes.clone(),
            _ => said.lanes.clone(),
        },
        wip: said.wip.or_else(|| old.as_ref()?.wip),
        clone: (kind == AgentKind::Agent).then(|| here.id.clone()),
    };
    let again = old.is_some();
    tx.subject(format!("join: {name}"));
    if let Some(old) = old {
        let sits = match &old.home {
            Some(home) => here.made(&home.clone),
            None => profile.clone.is_none(),
        };
        if sits && old.profile_in(here.id) == profile {
            return Ok((old, again, moved));
        }
    }
    let mut log = before.unwrap_or(AgentLog {
        name,
        log: Log::default(),
    });
    let (moment, author) = (tx.moment(), tx.author());
    (tx.ctx).random(|rng| (log.log).append(moment, rng, author, AgentEvent::Joined(profile)));
    let agent = log.fold().expect("an event that it joined was just added");
    tx.changes().agents.push(log);
    Ok((agent, again, moved))
}

/// Asks the remote who is alive where. One that does not answer keeps nobody from joining.
fn hear_of_others(ctx: &Context) -> Result<(), OpsError> {
    let link = ctx.store().link().filter(|_| !ctx.is_offline());
    let Some(link) = link else {
        return Ok(());
    };
    match sync::ask(ctx, &link).and_then(|_| sync::follow(ctx, &link)) {
        Err(OpsError::Unreachable { .. }) => Ok(()),
        heard => heard,
    }
}

/// Takes part in the team that the remote has, on a clone that only git has made so far.
///
/// Returns the remote's name if the clone takes part from now on.
fn begin(ctx: &Context) -> Result<Option<String>, OpsError> {
    let known = match ctx.store().snapshot() {
        Err(StoreError::NotInitialised { remote, .. }) => remote,
        Err(error) => return Err(error.into()),
        Ok(_) => return Ok(None),
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
fn other_worktree(ctx: &Context, name: &AgentName) -> Result<Option<PathBuf>, OpsError> {
    let repo = ctx.repo();
    for worktree in repo.worktrees()? {
        let id = repo.worktree_id(&worktree.git_dir);
        let bound = repo.worktree_config_of(&worktree.git_dir, AGENT_KEY)?;
        if worktree.git_dir != repo.git_dir()
            && bound.as_deref() == Some(name.as_str())
            && !repo.is_worktree_gone(&id, Some(&worktree.path))
        {
            return Ok(Some(worktree.path));
        }
    }
    Ok(None)
}
