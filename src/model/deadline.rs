//! When a review is overdue, and who is asked instead.
//!
//! A reviewer that does not answer is reminded, and later somebody else is asked; at once, if the
//! reviewer is gone. A person is reminded and keeps the review: nobody is left to ask after people.

use std::collections::BTreeSet;

use super::agent::{Agent, AgentKind};
use super::name::AgentName;
use super::presence::Liveness;
use super::review::{Candidate, pick};
use super::settings::Settings;
use super::task::{Status, Task};
use super::time::{Span, Timestamp};

/// The reviewer of a task, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct Reviewer<'a> {
    /// None if it has left the team.
    pub agent: Option<&'a Agent>,
    /// None if it was never seen here.
    pub liveness: Option<Liveness>,
}

/// What is overdue in a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// The reviewer has not answered for so long.
    Reminder(Span),
    /// Somebody else is to be asked.
    Change(Why),
}

/// Why somebody else is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The reviewer has not answered for so long.
    Late(Span),
    /// It gives no sign of life any more, or has signed off.
    Gone,
    /// It has left the team.
    Left,
}

/// Returns what is overdue in the review of a task.
pub fn overdue(
    task: &Task,
    reviewer: Reviewer,
    now: Timestamp,
    settings: &Settings,
) -> Option<Overdue> {
    let asked = task.asked.filter(|_| task.status == Status::Validating)?;
    let Some(agent) = reviewer.agent else {
        return Some(Overdue::Change(Why::Left));
    };
    let age = now.since(asked.since);
    if agent.kind == AgentKind::Agent {
        if reviewer.liveness == Some(Liveness::Offline) {
            return Some(Overdue::Change(Why::Gone));
        }
        if age >= settings.reassign_after {
            return Some(Overdue::Change(Why::Late(age)));
        }
    }
    let late = age >= settings.remind_after && !asked.reminded;
    late.then_some(Overdue::Reminder(age))
}

/// Returns who is asked instead: an agent at work that was not asked before, else a person, and,
/// where the reviewer is not there any more, an agent at work that is.
///
/// Candidates must include neither the author nor the reviewer.
pub fn instead(
    task: &Task,
    why: Why,
    candidates: Vec<Candidate>,
    asked_before: &BTreeSet<AgentName>,
) -> Option<AgentName> {
    let is_person = |it: &Candidate| it.agent.kind == AgentKind::Human;
    let (people, agents): (Vec<_>, Vec<_>) = candidates.into_iter().partition(is_person);
    let active = agents
        .into_iter()
        .filter(|it| it.liveness == Liveness::Active);
    let (again, fresh): (Vec<_>, Vec<_>) =
        active.partition(|it| asked_before.contains(&it.agent.name));
    let back = || match why {
        Why::Late(_) => None,
        Why::Gone | Why::Left => pick(task, &again),
    };
    pick(task, &fresh)
        .or_else(|| pick(task, &people))
        .or_else(back)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::Stamp;
    use crate::model::name::Author;
    use crate::model::task::{Asked, Draft, TaskLog};

    fn agent(name: &str, kind: AgentKind) -> Agent {
        Agent {
            name: name.parse().unwrap(),
            kind,
            role: None,
            lanes: BTreeSet::new(),
            wip: None,
            joined: Timestamp(0),
            home: None,
        }
    }

    fn task(asked: Asked) -> Task {
        let stamp = Stamp::new(Timestamp(1), &mut fastrand::Rng::with_seed(1), None);
        let id = "aaaaaa".parse().unwrap();
        let log = TaskLog::created(id, stamp, Author::reflectt(), Draft::default());
        Task {
            status: Status::Validating,
            reviewer: Some("kai".parse().unwrap()),
            asked: Some(asked),
            ..log.fold().unwrap().task
        }
    }

    fn minutes(minutes: i64) -> Timestamp {
        Timestamp(minutes * 60_000)
    }

    #[test]
    fn an_agent_is_reminded_and_then_replaced() {
        let settings = Settings::default();
        let kai = agent("kai", AgentKind::Agent);
        let fresh = Asked::at(minutes(0));
        let reminded = Asked {
            reminded: true,
            ..fresh
        };
        let due = |asked, liveness, now| {
            let reviewer = Reviewer {
                agent: Some(&kai),
                liveness,
            };
            overdue(&task(asked), reviewer, minutes(now), &settings)
        };
        let late = |minutes| Some(Overdue::Change(Why::Late(Span::from_mins(minutes))));
        let active = Some(Liveness::Active);
        for alive in [active, Some(Liveness::Stale), None] {
            assert_eq!(due(fresh, alive, 19), None);
            let reminder = Overdue::Reminder(Span::from_mins(20));
            assert_eq!(due(fresh, alive, 20), Some(reminder));
            assert_eq!(due(reminded, alive, 39), None);
            assert_eq!(due(reminded, alive, 40), late(40));
            assert_eq!(due(fresh, alive, 50), late(50));
        }
        let gone = Some(Overdue::Change(Why::Gone));
        assert_eq!(due(fresh, Some(Liveness::Offline), 0), gone);
        let left = Reviewer {
            agent: None,
            liveness: active,
        };
        let now = minutes(0);
        let due = overdue(&task(fresh), left, now, &settings);
        assert_eq!(due, Some(Overdue::Change(Why::Left)));
        let doing = Task {
            status: Status::Doing,
            ..task(fresh)
        };
        assert_eq!(overdue(&doing, left, now, &settings), None);
    }

    #[test]
    fn a_person_is_reminded_once_and_keeps_the_review() {
        let jane = agent("jane", AgentKind::Human);
        let due = |reminded| {
            let asked = Asked {
                reminded,
                ..Asked::at(minutes(0))
            };
            let reviewer = Reviewer {
                agent: Some(&jane),
                liveness: Some(Liveness::Offline),
            };
            overdue(&task(asked), reviewer, minutes(600), &Settings::default())
        };
        assert_eq!(due(false), Some(Overdue::Reminder(Span::from_mins(600))));
        assert_eq!(due(true), None);
    }

    #[test]
    fn the_least_loaded_agent_at_work_is_asked_then_a_person() {
        let team = ["link", "mira", "sage"].map(|name| agent(name, AgentKind::Agent));
        let jane = agent("jane", AgentKind::Human);
        let chosen = |alive: [Liveness; 3], with_jane: bool, before: &[&str], why| {
            let loads = [2, 0, 1];
            let agents = team.iter().zip(alive).zip(loads);
            let mut candidates: Vec<Candidate> = agents
                .map(|((agent, liveness), reviews)| Candidate {
                    agent,
                    liveness,
                    reviews,
                })
                .collect();
            candidates.extend(with_jane.then_some(Candidate {
                agent: &jane,
                liveness: Liveness::Offline,
                reviews: 0,
            }));
            let before = before.iter().map(|name| name.parse().unwrap()).collect();
            let found = instead(&task(Asked::at(minutes(0))), why, candidates, &before);
            found.map(|name| name.to_string())
        };
        let name = |name: &str| Some(name.to_owned());
        let late = Why::Late(Span::from_mins(40));
        let (on, idle) = (Liveness::Active, Liveness::Idle);
        assert_eq!(chosen([on; 3], true, &[], late), name("mira"));
        assert_eq!(chosen([on, idle, on], true, &[], late), name("sage"));
        assert_eq!(chosen([on; 3], true, &["mira", "sage"], late), name("link"));
        assert_eq!(chosen([idle; 3], true, &[], late), name("jane"));
        let all = ["link", "mira", "sage"];
        assert_eq!(chosen([on; 3], true, &all, Why::Gone), name("jane"));
        // Nobody is left; of those that were asked before, one is better than nobody at all.
        assert_eq!(chosen([on; 3], false, &all, late), None);
        assert_eq!(chosen([on; 3], false, &all, Why::Gone), name("mira"));
        assert_eq!(chosen([idle; 3], false, &all, Why::Left), None);
    }
}
