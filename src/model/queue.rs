//! What an agent should do next, and why there may be nothing.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use super::agent::Agent;
use super::claim::Table;
use super::decide::{self, Decision, Facts, Request, Take};
use super::glance::{Glance, Listed};
use super::id::TaskId;
use super::rule::{Refusal, Rule};
use super::task::{Status, Task};

/// Why a free task cannot be taken by this agent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hindrance {
    /// It waits for tasks that are not done.
    Waits,
    /// It has no concrete acceptance criterion.
    Vague,
    /// It is reserved for somebody else.
    Reserved,
    /// It is outside the agent's lanes.
    OtherLane,
    /// Somebody holds its paths or resources.
    Occupied,
    /// The agent is the reviewer, so it must not be the author.
    Reviewer,
}

impl Hindrance {
    /// Returns the words after a count: `3 wait for other tasks`.
    pub fn phrase(self, one: bool) -> &'static str {
        match (self, one) {
            (Hindrance::Waits, true) => "waits for other tasks",
            (Hindrance::Waits, false) => "wait for other tasks",
            (Hindrance::Vague, true) => "has no concrete acceptance criterion",
            (Hindrance::Vague, false) => "have no concrete acceptance criterion",
            (Hindrance::Reserved, true) => "is reserved for others",
            (Hindrance::Reserved, false) => "are reserved for others",
            (Hindrance::OtherLane, true) => "is outside your lanes",
            (Hindrance::OtherLane, false) => "are outside your lanes",
            (Hindrance::Occupied, true) => "needs paths or resources that others hold",
            (Hindrance::Occupied, false) => "need paths or resources that others hold",
            (Hindrance::Reviewer, true) => "is yours to review",
            (Hindrance::Reviewer, false) => "are yours to review",
        }
    }
}

/// How a dependency stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    Done,
    Open,
    /// It will never be done: whoever waits must be told.
    Cancelled,
    Unknown,
}

/// Returns what `task` waits for and how each stands, without those that are done.
pub fn waits_for(
    task: &Task,
    dependency: &dyn Fn(TaskId) -> Dependency,
) -> Vec<(TaskId, Dependency)> {
    task.blocked_by
        .iter()
        .map(|id| (*id, dependency(*id)))
        .filter(|(_, state)| *state != Dependency::Done)
        .collect()
}

/// Returns why a free task cannot be taken yet by anybody, judged from the record alone.
pub fn unready(task: &Task, dependency: &dyn Fn(TaskId) -> Dependency) -> Option<Hindrance> {
    if !task.has_concrete_criteria() {
        Some(Hindrance::Vague)
    } else if !waits_for(task, dependency).is_empty() {
        Some(Hindrance::Waits)
    } else {
        None
    }
}

/// Checks whether `agent` may claim `task`, judged from the record alone.
///
/// Lanes guide `next` and forbid nothing: whoever names a task outside its lanes means it.
pub fn admit(
    agent: &Agent,
    task: &Task,
    dependency: &dyn Fn(TaskId) -> Dependency,
) -> Result<(), Refusal> {
    let status = task.status;
    let id = task.id;
    if !status.is_open() {
        let by = task.assignee.clone().filter(|_| status == Status::Done);
        return Err(Refusal::Closed {
            task: id,
            status,
            by,
        });
    }
    if let Some(name) = task.reserved_for().filter(|name| **name != agent.name) {
        return Err(Refusal::Reserved {
            task: id,
            agent: name.clone(),
        });
    }
    if !task.has_concrete_criteria() {
        return Err(Refusal::Criteria { task: id });
    }
    match waits_for(task, dependency) {
        on if on.is_empty() => Ok(()),
        on => Err(Refusal::Waits { task: id, on }),
    }
}

/// The order of the queue: priority, then age, then id.
pub fn order(a: &Task, b: &Task) -> Ordering {
    (a.priority, a.created, a.id).cmp(&(b.priority, b.created, b.id))
}

/// What there is to do for an agent.
#[derive(Debug)]
pub struct Queue<'a> {
    /// Its own tasks in progress, most urgent first.
    pub unfinished: Vec<&'a Task>,
    /// The best task that it could claim now.
    pub best: Option<&'a Task>,
    /// Why it can claim nothing at all, though something may be ready.
    pub refused: Option<Refusal>,
    /// How many free tasks are hindered by what, most frequent first.
    pub hindered: Vec<(Hindrance, usize)>,
    pub ready: usize,
}

/// Looks through the open tasks for `agent`.
///
/// Most tasks are only glanced at: those that are the same to every agent, and those that others
/// hold.
pub fn look<'a, T: Listed + 'a>(
    agent: &Agent,
    open: impl Iterator<Item = &'a T>,
    table: &Table,
    facts: &Facts,
    dependency: &dyn Fn(TaskId) -> Dependency,
    take: &dyn Fn(&Task) -> Take,
) -> Queue<'a> {
    // The silent are swept once and not for every task.
    let (swept, _) = decide::sweep(table, facts.expired);
    let facts = Facts {
        expired: &|_| false,
        ..*facts
    };
    let mut unfinished = Vec::new();
    let mut hindered = BTreeMap::new();
    let mut ready = Vec::new();
    for listed in open {
        let glance = listed.glance();
        // The table may know already that somebody else took it over, and the record not yet.
        let claim = table.claims.get(&glance.id);
        let lost = claim.is_some_and(|claim| claim.agent != agent.name || (facts.elsewhere)(claim));
        let doing = glance.held && glance.status == Status::Doing && !lost;
        if doing && listed.task().holder() == Some(&agent.name) {
            unfinished.push(listed.task());
        } else if glance.status == Status::Todo || holder_is_gone(&glance, table, &swept) {
            let hindrance = if glance.plain {
                (!glance.concrete).then_some(Hindrance::Vague)
            } else {
                hindrance(agent, listed.task(), dependency)
            };
            match hindrance {
                Some(hindrance) => *hindered.entry(hindrance).or_insert(0) += 1,
                None => ready.push(InOrder(glance, listed)),
            }
        }
    }
    unfinished.sort_by(|a, b| order(a, b));

    let mut queue = Queue {
        unfinished,
        best: None,
        refused: None,
        hindered: Vec::new(),
        ready: ready.len(),
    };
    // Mostly the first one is free, so a heap: the others need not be sorted.
    let mut ready = BinaryHeap::from(ready);
    while let Some(InOrder(_, listed)) = ready.pop() {
        let task = listed.task();
        match decide::decide(&swept, &facts, &Request::Take(take(task))) {
            Decision::Changed(_) | Decision::Unchanged(_) => {
                queue.best = Some(task);
                break;
            }
            Decision::Refused(refusal) if refusal.rule() != Rule::Resource => {
                queue.refused = Some(refusal);
                break;
            }
            _ => {
                queue.ready -= 1;
                *hindered.entry(Hindrance::Occupied).or_insert(0) += 1;
            }
        }
    }
    queue.hindered = hindered.into_iter().collect();
    queue
        .hindered
        .sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    queue
}

/// Whether a held task would be free once its silent holder's claim is swept.
fn holder_is_gone(task: &Glance, table: &Table, swept: &Table) -> bool {
    matches!(task.status, Status::Doing | Status::Blocked)
        && table.claims.contains_key(&task.id)
        && !swept.claims.contains_key(&task.id)
}

/// A task that is greater than those after it in the queue.
struct InOrder<'a, T>(Glance, &'a T);

impl<T> Ord for InOrder<'_, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.urgency().cmp(&self.0.urgency())
    }
}

impl<T> PartialOrd for InOrder<'_, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for InOrder<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for InOrder<'_, T> {}

fn hindrance(
    agent: &Agent,
    task: &Task,
    dependency: &dyn Fn(TaskId) -> Dependency,
) -> Option<Hindrance> {
    match task.reserved_for() {
        Some(name) if *name != agent.name => return Some(Hindrance::Reserved),
        _ => {}
    }
    let reserved = task.reserved_for().is_some();
    if task.reviewer.as_ref() == Some(&agent.name) && !reserved {
        return Some(Hindrance::Reviewer);
    }
    match &task.lane {
        Some(lane) if !reserved && !agent.lanes.is_empty() && !agent.lanes.contains(lane) => {
            return Some(Hindrance::OtherLane);
        }
        _ => {}
    }
    unready(task, dependency)
}

/// Returns a circle of tasks waiting for each other, if `from` waiting for `on` would close one.
///
/// The shortest one is returned, from `from` through what it waits for back to `from`. Every
/// task is asked once for what it waits for.
pub fn cycle(
    from: TaskId,
    on: impl IntoIterator<Item = TaskId>,
    waits: &dyn Fn(TaskId) -> Vec<TaskId>,
) -> Option<Vec<TaskId>> {
    // Who was found first to wait for whom; also says who has been seen.
    let mut waiter: BTreeMap<TaskId, TaskId> = BTreeMap::new();
    let mut next: VecDeque<(TaskId, TaskId)> = on.into_iter().map(|id| (from, id)).collect();
    while let Some((before, id)) = next.pop_front() {
        if id == from {
            let mut path = vec![from];
            let mut at = before;
            while at != from {
                path.push(at);
                at = *waiter.get(&at)?;
            }
            path.push(from);
            path.reverse();
            return Some(path);
        }
        if let Entry::Vacant(unseen) = waiter.entry(id) {
            unseen.insert(before);
            next.extend(waits(id).into_iter().map(|on| (id, on)));
        }
    }
    None
}
