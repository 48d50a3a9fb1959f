//! Leaving the team.

use crate::model::agent::{Agent, AgentEvent, AgentKind};
use crate::model::id::TaskId;
use crate::model::name::AgentName;
use crate::model::presence::Liveness;
use crate::model::rule::Refusal;

use super::overdue::{Done, see_to_reviews_on_the_way};
use super::tx::{Tx, transact};
use super::{AGENT_KEY, Context, OpsError, find};

#[derive(Debug)]
pub struct Left {
    pub agent: Agent,
    /// Open tasks that are assigned to it.
    pub assigned: Vec<TaskId>,
    /// Open tasks that it was to review, and that nobody else was asked to.
    pub reviews: Vec<TaskId>,
}

/// Takes an agent off the team. Its history stays, and its name is free for whoever joins next.
///
/// Of two tables the last one that can be read is good enough: what an agent gains after it has
/// left, it loses as any silent one does.
pub fn leave(ctx: &Context, name: &AgentName) -> Result<Left, OpsError> {
    let mut left = transact(ctx, |tx| {
        let agent = find::agent(tx.snapshot, name)?.clone();
        check(tx, &agent)?;
        let named = |who: fn(&crate::model::task::Task) -> &Option<AgentName>| {
            let open = tx.snapshot.open_tasks()?;
            let named = open.filter(|task| who(task).as_ref() == Some(name));
            Ok::<_, OpsError>(named.map(|task| task.id).collect())
        };
        let left = Left {
            assigned: named(|task| &task.assignee)?,
            reviews: named(|task| &task.reviewer)?,
            agent,
        };
        let Some(mut log) = tx.snapshot.agent_log(name)? else {
            return Ok(left);
        };
        let (moment, author) = (tx.moment(), tx.author());
        (tx.ctx).random(|rng| (log.log).append(moment, rng, author, AgentEvent::Left));
        tx.changes().agents.push(log);
        tx.subject(format!("leave: {name}"));
        Ok(left)
    })?;
    // There may be none.
    drop(ctx.presence().forget(name.as_str()));
    if ctx.repo().worktree_config(AGENT_KEY)?.as_deref() == Some(name.as_str()) {
        ctx.repo().set_worktree_config(AGENT_KEY, None)?;
    }
    if !left.reviews.is_empty() {
        let seen_to = see_to_reviews_on_the_way(ctx);
        let given = |id: &TaskId| {
            let mut given = seen_to.iter();
            given.any(|it| it.task == *id && matches!(it.done, Done::Gave { .. }))
        };
        left.reviews.retain(|id| !given(id));
    }
    Ok(left)
}

/// Who leaves holds nothing. Others say so of an agent only if it is gone, people of anyone.
fn check(tx: &Tx, agent: &Agent) -> Result<(), OpsError> {
    let name = &agent.name;
    let (table, _) = tx.snapshot.table_in_force()?;
    if let Some(claim) = table.of_agent(name).next() {
        let refusal = Refusal::StillHolds {
            agent: name.clone(),
            id: claim.id,
            of_task: claim.of_task,
        };
        return Err(refusal.into());
    }
    let by = find::agent(tx.snapshot, &tx.me)?;
    if by.name == *name || by.kind == AgentKind::Human {
        return Ok(());
    }
    match tx.ctx.liveness(name, tx.snapshot.settings()?)? {
        None | Some((Liveness::Offline, _)) => Ok(()),
        Some((liveness, _)) => {
            let agent = name.clone();
            Err(Refusal::AtWork { agent, liveness }.into())
        }
    }
}
