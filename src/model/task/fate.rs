//! What became of one claim of a task: who held it, how it ended, who came after.

use crate::model::id::Fence;
use crate::model::name::AgentName;

use super::{TaskEvent, TaskLog};

/// The fate of the claim under one fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    pub agent: AgentName,
    /// Whether it ended without its holder's doing: expired, or taken over.
    pub lost: bool,
    /// The latest claim of the task after it.
    pub later: Option<(Fence, AgentName)>,
}

impl TaskLog {
    /// Returns what became of the claim under `fence`; `None` if the task never had it.
    pub fn fate_of(&self, fence: Fence) -> Option<Fate> {
        let mut fate: Option<Fate> = None;
        let mut holds = false;
        for (_, event) in self.log.in_force() {
            let granted = event.kind.grants();
            let Some(fate) = &mut fate else {
                if let Some((_, agent)) = granted.filter(|(given, _)| *given == fence) {
                    holds = true;
                    fate = Some(Fate {
                        agent: agent.clone(),
                        lost: false,
                        later: None,
                    });
                }
                continue;
            };
            match &event.kind {
                TaskEvent::Lapsed { fence: over, .. } if *over == fence => fate.lost = true,
                TaskEvent::Claimed { .. } if holds => fate.lost = true,
                _ => {}
            }
            // A claim that superseded this one counts, whatever the order they arrived in.
            if let Some((given, agent)) = granted.filter(|(given, _)| *given > fence)
                && fate.later.as_ref().is_none_or(|(last, _)| *last < given)
            {
                fate.later = Some((given, agent.clone()));
            }
            if granted.is_some()
                || matches!(
                    event.kind,
                    TaskEvent::Released { .. }
                        | TaskEvent::HandedOff { .. }
                        | TaskEvent::Lapsed { .. }
                        | TaskEvent::Approved { lands: false, .. }
                        | TaskEvent::Landed { .. }
                        | TaskEvent::Cancelled { .. }
                )
            {
                holds = false;
            }
        }
        fate
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::id::{Stamp, TaskId};
    use crate::model::name::Author;
    use crate::model::task::Draft;
    use crate::model::time::Timestamp;

    fn claimed(agent: &str, fence: u64) -> TaskEvent {
        TaskEvent::Claimed {
            agent: agent.parse().unwrap(),
            fence: Fence(fence),
            paths: Vec::new(),
            shared: BTreeSet::new(),
            resources: BTreeSet::new(),
            branch: None,
            taken_over: None,
        }
    }

    fn lapsed(agent: &str, fence: u64) -> TaskEvent {
        TaskEvent::Lapsed {
            agent: agent.parse().unwrap(),
            fence: Fence(fence),
            note: "silent".to_owned(),
        }
    }

    fn fate(events: &[TaskEvent], fence: u64) -> Option<(bool, Option<u64>)> {
        let mut rng = fastrand::Rng::with_seed(1);
        let id: TaskId = "k3f9x2".parse().unwrap();
        let by = Author::lossy("kai");
        let first = Stamp::new(Timestamp(1), &mut rng, None);
        let mut log = TaskLog::created(id, first, by.clone(), Draft::default());
        for event in events {
            let stamp = Stamp::new(Timestamp(1), &mut rng, log.log.last());
            log.log.push(stamp, by.clone(), event.clone());
        }
        let fate = log.fate_of(Fence(fence))?;
        assert_eq!(fate.agent.as_str(), "kai");
        Some((fate.lost, fate.later.map(|(fence, _)| fence.0)))
    }

    #[test]
    fn what_is_given_back_was_not_lost() {
        let released = TaskEvent::Released { note: None };
        assert_eq!(fate(&[claimed("kai", 5)], 4), None);
        assert_eq!(fate(&[claimed("kai", 5)], 5), Some((false, None)));
        let events = [claimed("kai", 5), released, claimed("link", 6)];
        assert_eq!(fate(&events, 5), Some((false, Some(6))));
        let handed = TaskEvent::HandedOff {
            to: "link".parse().unwrap(),
            note: "yours".to_owned(),
            fence: Some(Fence(7)),
        };
        assert_eq!(
            fate(&[claimed("kai", 5), handed], 5),
            Some((false, Some(7)))
        );
    }

    #[test]
    fn what_expired_or_was_taken_over_was_lost() {
        let expired = [claimed("kai", 5), lapsed("kai", 5), claimed("link", 9)];
        assert_eq!(fate(&expired, 5), Some((true, Some(9))));
        assert_eq!(fate(&expired[..2], 5), Some((true, None)));
        let taken = [claimed("kai", 5), claimed("link", 6)];
        assert_eq!(fate(&taken, 5), Some((true, Some(6))));
    }
}
