//! Claiming a task, or paths without one.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::agent::Agent;
use crate::model::claim::{Claim, Pause, Table};
use crate::model::decide::{Request, Take};
use crate::model::id::{IdPrefix, TaskId};
use crate::model::message::Notice;
use crate::model::name::{AgentName, ResourceName};
use crate::model::path::PathPattern;
use crate::model::presence::Liveness;
use crate::model::queue;
use crate::model::rule::Refusal;
use crate::model::share::is_common;
use crate::model::task::{Task, TaskEvent};
use crate::model::text;
use crate::model::time::Timestamp;

use super::requests::{self, Act, Look, WorkPlace};
use super::tx::{Granted, Tx, transact};
use super::work_branch::{self, Branch, WorkBranch};
use super::{Context, OpsError, find, task_new};

#[derive(Debug, Default, Clone)]
pub struct ClaimRequest {
    /// Paths beside those of the task.
    pub paths: Vec<PathPattern>,
    /// Paths that others may hold at the same time, beside those of the task.
    pub shared: Vec<PathPattern>,
    pub resources: BTreeSet<ResourceName>,
    /// Take it from its holder, with a reason.
    pub take_over: Option<String>,
    /// The branch to work on.
    pub branch: Branch,
    /// Whether the agent goes on where it is now, though it holds the task already.
    pub moves: bool,
}

#[derive(Debug)]
pub struct Claimed {
    pub claim: Claim,
    /// The task as it is now; a claim of paths alone has none.
    pub task: Option<Task>,
    /// Whether anything changed: claiming what one holds does not.
    pub new: bool,
    /// The branch that its holder works on from now on.
    pub branch: Option<WorkBranch>,
}

/// Claims a task with its paths and resources, in one step or not at all.
pub fn claim(ctx: &Context, id: &IdPrefix, request: &ClaimRequest) -> Result<Claimed, OpsError> {
    let reason = match &request.take_over {
        Some(reason) => Some(text::note("reason", reason)?),
        None => None,
    };
    let claimed = transact(ctx, |tx| {
        tx.check_fenced()?;
        let id = find::task_id(tx.snapshot, id)?;
        take(tx, id, request, reason.as_deref())
    })?;
    if let Some(branch) = &claimed.branch {
        branch.check_out(ctx, claimed.claim.id)?;
    }
    Ok(claimed)
}

/// What tells an agent that a task is its to do.
const TURNS: [Notice; 4] = [
    Notice::HandedOff,
    Notice::Ready,
    Notice::Reviewed,
    Notice::SentBack,
];

/// Tells whether anybody may have been told that the task is theirs to do.
fn was_ones_turn(task: &Task) -> bool {
    task.last_holder.is_some() || task.assignee.is_some() || !task.blocked_by.is_empty()
}

/// Claims a task in a turn of an operation.
pub fn take(
    tx: &mut Tx,
    id: TaskId,
    options: &ClaimRequest,
    take_over: Option<&str>,
) -> Result<Claimed, OpsError> {
    let task = tx.task(id)?;
    let agent = find::agent(tx.snapshot, &tx.me)?.clone();
    let mine = match tx.table()?.claims.get(&id) {
        Some(claim) => tx.holds(claim)?,
        None => false,
    };
    if !mine {
        queue::admit(&agent, &task, &|id| tx.dependency(id))?;
    }
    let branch = match work_branch::plan(tx, &task, &options.branch) {
        Ok(branch) => branch,
        // It may be in the way that somebody has claimed the task a moment ago, and its branch is
        // checked out there. That says more.
        Err(error) => {
            tx.ask(&Request::Take(Take {
                take_over: take_over.is_some(),
                ..new_take(tx, &agent, id)?
            }))?;
            return Err(error);
        }
    };
    if let Some(branch) = &branch {
        tx.place = Some(branch.place());
    }
    let moves = branch.is_some() || options.moves;
    let named = task.paths.iter().chain(&options.paths);
    let paths = tx.checkout()?.taken_for(named.chain(&options.shared));
    // What is asked for now goes before what the task says.
    let by_task =
        (task.shared.iter()).filter(|path| !options.paths.iter().any(|it| is_one(it, path)));
    let request = Request::Take(Take {
        shared: among(&paths, by_task.chain(&options.shared)),
        paths,
        resources: task.resources.union(&options.resources).cloned().collect(),
        take_over: take_over.is_some(),
        moves,
        ..new_take(tx, &agent, id)?
    });
    let place = tx.place()?;
    tx.doing(|| Act::Claim {
        id: id.to_string(),
        paths: texts(&options.paths),
        shared: texts(&options.shared),
        resources: texts(&options.resources),
        take_over: take_over.map(str::to_owned),
        moves,
        place,
    });
    match mine {
        true => tx.resolve(id, &TURNS[..2])?,
        // It is nobody else's turn any more.
        false if was_ones_turn(&task) => tx.settle_mail(id, &TURNS)?,
        false => {}
    }
    let (claim, before) = match tx.ask(&request)? {
        Granted::Unchanged(claim) => {
            let claim = claim.ok_or_else(|| OpsError::Nothing(format!("`{id}` is not claimed")))?;
            return Ok(Claimed {
                claim,
                task: Some(task),
                new: false,
                branch,
            });
        }
        Granted::Changed { claim, before } => (
            claim.expect("a claim that was taken is in the answer"),
            before,
        ),
    };
    let event = if mine {
        TaskEvent::Extended {
            paths: claim.paths.clone(),
            shared: claim.shared.clone(),
            resources: claim.resources.clone(),
            branch: claim.branch.clone().filter(|_| moves),
        }
    } else {
        TaskEvent::Claimed {
            agent: tx.me.clone(),
            fence: claim.fence,
            paths: claim.paths.clone(),
            shared: claim.shared.clone(),
            resources: claim.resources.clone(),
            branch: claim.branch.clone(),
            taken_over: before.as_ref().and(take_over).map(str::to_owned),
        }
    };
    let task = tx.event(id, event)?;
    if let (Some(before), Some(reason), false) = (&before, take_over, mine) {
        let body = format!(
            "`{}` took over `{id}` ({}) from you: {} Stop work on it; what you have not committed is yours to hand over by message.",
            tx.me,
            task.title,
            text::sentence(reason)
        );
        tx.notify([before.agent.clone()], Notice::ClaimLost, Some(id), body);
        tx.subject(format!(
            "take over {id} from {}: {}",
            before.agent, task.title
        ));
    } else if mine {
        tx.subject(format!("extend {id}: {}", task.title));
    } else {
        tx.subject(format!("claim {id}: {}", task.title));
    }
    Ok(Claimed {
        claim,
        task: Some(task),
        new: true,
        branch,
    })
}

/// Returns a request for a task as this agent would make it, still without paths.
pub fn new_take(tx: &Tx, agent: &Agent, id: TaskId) -> Result<Take, OpsError> {
    let WorkPlace { branch, base } = tx.place()?;
    Ok(Take {
        id,
        of_task: true,
        agent: agent.name.clone(),
        clone: tx.ctx.clone_id()?,
        paths: Vec::new(),
        shared: BTreeSet::new(),
        resources: BTreeSet::new(),
        branch,
        base,
        why: None,
        nonce: tx.nonce,
        take_over: false,
        moves: false,
    })
}

/// Returns those of `paths` that `named` names.
pub fn among<'p>(
    paths: &[PathPattern],
    named: impl IntoIterator<Item = &'p PathPattern>,
) -> BTreeSet<PathPattern> {
    let named: Vec<&PathPattern> = named.into_iter().collect();
    let is_named = |path: &&PathPattern| named.iter().any(|it| is_one(path, it));
    paths.iter().filter(is_named).cloned().collect()
}

/// Tells whether two patterns name the same.
fn is_one(one: &PathPattern, other: &PathPattern) -> bool {
    one.includes(other) || other.includes(one)
}

fn texts<'t, T: ToString + 't>(items: impl IntoIterator<Item = &'t T>) -> Vec<String> {
    items.into_iter().map(ToString::to_string).collect()
}

/// Claims paths and resources without a task, and says why.
pub fn claim_paths(ctx: &Context, request: &ClaimRequest, why: &str) -> Result<Claimed, OpsError> {
    let why = text::title(why)?;
    if request.paths.is_empty() && request.shared.is_empty() && request.resources.is_empty() {
        return Err(OpsError::Usage(
            "a claim without a task needs a path or a resource".to_owned(),
        ));
    }
    transact(ctx, |tx| {
        tx.check_fenced()?;
        take_paths(tx, request, &why, None)
    })
}

/// Claims paths and resources without a task in a turn of an operation, under an id of its own.
pub fn take_paths(
    tx: &mut Tx,
    request: &ClaimRequest,
    why: &str,
    id: Option<TaskId>,
) -> Result<Claimed, OpsError> {
    let agent = find::agent(tx.snapshot, &tx.me)?.clone();
    let common = &tx.snapshot.settings()?.shared_paths;
    // Whoever holds a path alone has no less than a share of it.
    let same = |claim: &&Claim| {
        let has = |path: &PathPattern, alone: bool| {
            let mut have = claim.paths.iter().filter(|have| have.includes(path));
            have.any(|have| !alone || !claim.shared.contains(have))
        };
        !claim.of_task
            && (request.paths.iter()).all(|path| has(path, !is_common(common, path)))
            && (request.shared.iter()).all(|path| has(path, false))
            && request.resources.is_subset(&claim.resources)
    };
    if let Some(claim) = tx.table()?.of_agent(&agent.name).find(same)
        && tx.holds(claim)?
    {
        return Ok(Claimed {
            claim: claim.clone(),
            task: None,
            new: false,
            branch: None,
        });
    }
    let id = match id {
        Some(id) => id,
        None => task_new::free_id(tx.ctx, tx.snapshot)?,
    };
    let paths = (tx.checkout()?).taken_for(request.paths.iter().chain(&request.shared));
    let take = Take {
        of_task: false,
        shared: among(&paths, &request.shared),
        paths,
        resources: request.resources.clone(),
        why: Some(why.to_owned()),
        ..new_take(tx, &agent, id)?
    };
    let place = tx.place()?;
    tx.doing(|| Act::ClaimPaths {
        id: id.to_string(),
        paths: texts(&request.paths),
        shared: texts(&request.shared),
        resources: texts(&request.resources),
        why: why.to_owned(),
        place,
    });
    tx.subject(format!("claim {id}: {why}"));
    match tx.ask(&Request::Take(take))? {
        Granted::Changed {
            claim: Some(claim), ..
        } => Ok(Claimed {
            claim,
            task: None,
            new: true,
            branch: None,
        }),
        _ => Err(Refusal::IdTaken { id }.into()),
    }
}

/// The claims table, and what people want to know beside it.
#[derive(Debug)]
pub struct ClaimsView {
    pub table: Table,
    /// The pause in force.
    pub pause: Option<Pause>,
    /// Titles of the claimed tasks.
    pub titles: BTreeMap<TaskId, String>,
    /// How alive the holders are, as far as this clone has seen them.
    pub seen: BTreeMap<AgentName, (Liveness, Timestamp)>,
    /// Claims of which something waits for the remote's decision.
    pub provisional: BTreeSet<TaskId>,
}

/// Returns the claims table.
pub fn claims(ctx: &Context) -> Result<ClaimsView, OpsError> {
    let snapshot = requests::look(ctx)?;
    ctx.beat(&snapshot)?;
    claims_of(ctx, &snapshot)
}

/// Returns the claims table as one snapshot has it.
pub fn claims_of(ctx: &Context, snapshot: &Look) -> Result<ClaimsView, OpsError> {
    let (table, damage) = snapshot.table_in_force()?;
    let table = table.clone();
    ctx.note_warnings(damage.map(|damage| super::unknown_claims(&damage)));
    let settings = snapshot.settings()?;
    let mut titles = BTreeMap::new();
    let mut seen = BTreeMap::new();
    for claim in table.claims.values() {
        if claim.of_task
            && let Some(entry) = snapshot.entry(claim.id)?
        {
            titles.insert(claim.id, entry.task().title.clone());
        }
        if !seen.contains_key(&claim.agent)
            && let Some(alive) = ctx.liveness(&claim.agent, settings)?
        {
            seen.insert(claim.agent.clone(), alive);
        }
    }
    Ok(ClaimsView {
        pause: table
            .pause
            .clone()
            .filter(|pause| !pause.is_over(ctx.now())),
        table,
        titles,
        seen,
        provisional: snapshot.provisional.clone(),
    })
}
