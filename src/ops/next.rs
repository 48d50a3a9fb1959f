//! What to do next.

use crate::model::claim::Claim;
use crate::model::decide::Facts;
use crate::model::id::TaskId;
use crate::model::name::AgentName;
use crate::model::queue::{self, Queue};
use crate::model::rule::Refusal;
use crate::model::task::{Status, Task};
use crate::store::Entry;

use super::claim::{ClaimRequest, new_take, take};
use super::tx::{Tx, transact};
use super::work_branch::{Branch, WorkBranch};
use super::{Context, OpsError, find, overdue, requests};

#[derive(Debug)]
pub struct NextUp {
    pub task: Option<Task>,
    /// The claim on it, if it is held.
    pub claim: Option<Claim>,
    pub reason: String,
    /// Tasks that wait for the agent's review.
    pub reviews: Vec<TaskId>,
}

/// Returns the agent's own unfinished work, else the best task it may take.
///
/// With `claim`, that task is claimed in the same step, so that what one is told one also has, and
/// this worktree is switched to its branch, if one is wanted: to that of one's unfinished work, too.
pub fn next(ctx: &Context, claim: Option<&Branch>) -> Result<NextUp, OpsError> {
    let Some(branch) = claim else {
        let snapshot = requests::look(ctx)?;
        ctx.my_seat(&snapshot)?;
        ctx.beat(&snapshot)?;
        let tx = Tx::new(ctx, &snapshot, ctx.me()?.clone());
        tx.check_fenced()?;
        return look(&tx);
    };
    let request = ClaimRequest {
        branch: branch.clone(),
        ..ClaimRequest::default()
    };
    // A review that has waited in vain may be what is next.
    let done = transact(ctx, |tx| match overdue::is_review_overdue(tx)? {
        true => Ok(None),
        false => claim_next(tx, &request).map(Some),
    })?;
    let (next, branch) = match done {
        Some(done) => done,
        None => {
            overdue::see_to_reviews_on_the_way(ctx);
            transact(ctx, |tx| claim_next(tx, &request))?
        }
    };
    if let (Some(branch), Some(task)) = (branch, &next.task) {
        branch.check_out(ctx, task.id)?;
    }
    Ok(next)
}

fn claim_next(
    tx: &mut Tx,
    request: &ClaimRequest,
) -> Result<(NextUp, Option<WorkBranch>), OpsError> {
    tx.check_fenced()?;
    let next = look(tx)?;
    let Some(task) = &next.task else {
        return Ok((next, None));
    };
    if let Some(claim) = &next.claim
        && (request.branch == Branch::AsItIs || claim.branch == tx.place()?.branch)
    {
        return Ok((next, None));
    }
    let claimed = take(tx, task.id, request, None)?;
    let next = NextUp {
        task: claimed.task,
        claim: Some(claimed.claim),
        ..next
    };
    Ok((next, claimed.branch))
}

/// Looks at the queue as one agent sees it.
pub fn look(tx: &Tx) -> Result<NextUp, OpsError> {
    let open = tx.snapshot.open()?.iter();
    let reviews = open.filter(|entry| is_review_for(entry, &tx.me));
    let reviews = reviews.map(Entry::id).collect();
    with_queue(tx, |queue| {
        if let Some(task) = queue.unfinished.first() {
            let task = (*task).clone();
            let claim = tx.table_in_force()?.claims.get(&task.id).cloned();
            let reason = match &task.changes {
                Some(_) => "your own work, with changes asked for",
                None => "your own unfinished work",
            };
            return Ok(NextUp {
                task: Some(task),
                claim,
                reason: reason.to_owned(),
                reviews,
            });
        }
        let reason = match (&queue.best, &queue.refused) {
            (Some(task), _) if task.reserved_for().is_some() => {
                "the best task ready for you, and reserved for you".to_owned()
            }
            (Some(_), _) => format!("the best of {} ready", count(queue.ready, "task")),
            (None, refused) => why_nothing(queue, refused.as_ref()),
        };
        Ok(NextUp {
            task: queue.best.cloned(),
            claim: None,
            reason,
            reviews,
        })
    })
}

/// Tells whether a task waits for this agent's review.
pub fn is_review_for(entry: &Entry, agent: &AgentName) -> bool {
    entry.glance().status == Status::Validating
        && entry.task().reviewer.as_ref() == Some(agent)
        && !entry.task().waits_to_land()
}

/// Runs `act` on the queue of the agent of `tx`.
pub fn with_queue<T>(
    tx: &Tx,
    act: impl FnOnce(&Queue) -> Result<T, OpsError>,
) -> Result<T, OpsError> {
    let snapshot = tx.snapshot;
    let settings = snapshot.settings()?;
    let agents = snapshot.agents()?;
    let agent = find::agent(snapshot, &tx.me)?;
    let silence = tx.silence()?;
    let expired = |claim: &Claim| silence.is_expired(claim);
    let elsewhere = |claim: &Claim| silence.is_elsewhere(claim);
    let wip = |name: &AgentName| {
        agents
            .get(name)
            .and_then(|a| a.wip)
            .unwrap_or(settings.wip_agent)
    };
    let facts = Facts {
        now: tx.now,
        settings,
        expired: &expired,
        elsewhere: &elsewhere,
        wip: &wip,
    };
    let any = snapshot.open()?.first().map(Entry::id);
    let pattern = match any {
        Some(id) => Some(new_take(tx, agent, id)?),
        None => None,
    };
    let checkout = tx.checkout()?;
    let take = |task: &Task| {
        let paths = checkout.taken_for(&task.paths);
        crate::model::decide::Take {
            id: task.id,
            shared: super::claim::among(&paths, &task.shared),
            paths,
            resources: task.resources.clone(),
            ..pattern
                .clone()
                .expect("asked only about a task, so there is one")
        }
    };
    let dependency = |id| tx.dependency(id);
    let queue = queue::look(
        agent,
        snapshot.open()?.iter(),
        tx.table_in_force()?,
        &facts,
        &dependency,
        &take,
    );
    act(&queue)
}

fn why_nothing(queue: &Queue, refused: Option<&Refusal>) -> String {
    if let Some(refusal) = refused {
        return format!("{} ready, but {refusal}", are(queue.ready, "task"));
    }
    if queue.hindered.is_empty() {
        return "there is no free task".to_owned();
    }
    let parts: Vec<String> = queue
        .hindered
        .iter()
        .map(|(hindrance, n)| format!("{n} {}", hindrance.phrase(*n == 1)))
        .collect();
    format!("no task is ready for you: {}", parts.join(", "))
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

fn are(n: usize, noun: &str) -> String {
    format!("{} {}", count(n, noun), if n == 1 { "is" } else { "are" })
}
