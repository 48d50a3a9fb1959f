//! What a look over thousands of tasks needs to know of each.
//!
//! Nearly every rule passes over nearly every task, and what it passes over it can tell from
//! a few fields. A store can keep those apart and read the rest of a task when it is asked for.

use super::id::{Fence, TaskId};
use super::task::{Priority, Status, Task};
use super::time::Timestamp;

/// A few fields of a task, of a fixed size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    pub id: TaskId,
    pub status: Status,
    pub priority: Priority,
    pub created: Timestamp,
    pub closed: Option<Timestamp>,
    /// The highest fence any claim of it had.
    pub last_fence: Fence,
    /// It has a fence: somebody holds it.
    pub held: bool,
    /// It has a concrete acceptance criterion.
    pub concrete: bool,
    /// It names no assignee, no reviewer, no lane and nothing to wait for, so that it is the
    /// same to every agent.
    pub plain: bool,
}

impl Glance {
    pub fn of(task: &Task) -> Glance {
        Glance {
            id: task.id,
            status: task.status,
            priority: task.priority,
            created: task.created,
            closed: task.closed,
            last_fence: task.last_fence,
            held: task.fence.is_some(),
            concrete: task.has_concrete_criteria(),
            plain: task.assignee.is_none()
                && task.reviewer.is_none()
                && task.lane.is_none()
                && task.blocked_by.is_empty(),
        }
    }

    /// Returns what the queue is ordered by, least first: priority, then age, then id.
    pub fn urgency(&self) -> (Priority, Timestamp, TaskId) {
        (self.priority, self.created, self.id)
    }
}

/// Something that is a task when it is looked at closely.
///
/// `glance` may be called for every task; `task` may cost the reading of one.
pub trait Listed {
    fn glance(&self) -> Glance;
    fn task(&self) -> &Task;
}

impl Listed for Task {
    fn glance(&self) -> Glance {
        Glance::of(self)
    }

    fn task(&self) -> &Task {
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::agent::{Agent, AgentKind};
    use crate::model::arbitrary;
    use crate::model::claim::Table;
    use crate::model::decide::{Facts, Take};
    use crate::model::mend;
    use crate::model::name::AgentName;
    use crate::model::queue::{self, Dependency, Queue};
    use crate::model::settings::Settings;

    /// A task of which a glance says that one has to look closely.
    struct Close(Task);

    impl Listed for Close {
        fn glance(&self) -> Glance {
            Glance {
                held: true,
                plain: false,
                concrete: false,
                ..self.0.glance()
            }
        }

        fn task(&self) -> &Task {
            &self.0
        }
    }

    fn look<'a, T: Listed>(me: &AgentName, open: &'a [T], table: &Table) -> Queue<'a> {
        let agent = Agent {
            name: me.clone(),
            kind: AgentKind::Agent,
            role: None,
            lanes: ["api".parse().unwrap()].into(),
            wip: None,
            joined: Timestamp(0),
            home: None,
        };
        let facts = Facts {
            now: Timestamp(1_000),
            settings: &Settings::default(),
            expired: &|claim| claim.fence.0.is_multiple_of(2),
            elsewhere: &|_| false,
            wip: &|_| 2,
        };
        let dependency = |id: TaskId| match id.as_str().as_bytes()[0] % 2 {
            0 => Dependency::Open,
            _ => Dependency::Done,
        };
        let take = |task: &Task| Take {
            id: task.id,
            of_task: true,
            agent: me.clone(),
            clone: "0123456789ab".parse().unwrap(),
            paths: task.paths.clone(),
            shared: task.shared.clone(),
            resources: task.resources.clone(),
            branch: None,
            base: None,
            why: None,
            nonce: 0,
            take_over: false,
            moves: false,
        };
        queue::look(&agent, open.iter(), table, &facts, &dependency, &take)
    }

    proptest! {
        #[test]
        fn a_glance_leads_to_what_a_close_look_does(
            logs in prop::collection::vec(arbitrary::lived_log(), 0..12),
            mut table in arbitrary::table(),
            held in prop::collection::vec((any::<prop::sample::Index>(), arbitrary::claim()), 0..4),
            me in arbitrary::agent(),
            mine in any::<bool>(),
        ) {
            let tasks = logs.iter().filter_map(|log| Some(log.fold()?.task));
            let tasks: Vec<Task> = tasks.filter(|task| task.status.is_open()).collect();
            if !tasks.is_empty() {
                for (which, claim) in held {
                    let id = which.get(&tasks).id;
                    table.claims.insert(id, crate::model::claim::Claim { id, of_task: true, ..claim });
                }
            }
            let holder = tasks.iter().find_map(|task| task.holder().filter(|_| mine).cloned());
            let me = holder.unwrap_or(me);
            let close: Vec<Close> = tasks.iter().cloned().map(Close).collect();
            prop_assert_eq!(
                format!("{:?}", look(&me, &tasks, &table)),
                format!("{:?}", look(&me, &close, &table))
            );
            let closed = |id: TaskId| id.as_str().as_bytes()[0].is_multiple_of(2);
            prop_assert_eq!(
                mend::compare(&table, tasks.iter(), closed),
                mend::compare(&table, close.iter(), closed)
            );
        }
    }
}
