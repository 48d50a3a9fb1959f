//! What each agent of this clone has been shown: so that nothing is taken notice of, or approved,
//! that nobody has seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::id::{Stamp, TaskId};
use crate::model::name::AgentName;

use super::local::{load, save};
use super::{Store, StoreError};

const SHAPE: u32 = 1;

/// How many submissions are remembered; nobody has more reviews open.
const SUBMISSIONS_MAX: usize = 100;

/// Ids are texts as they are printed.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Shown {
    /// Messages that are still unread.
    messages: BTreeSet<String>,
    /// The latest submission of each task.
    submissions: BTreeMap<String, String>,
    /// Where a worktree was made to review a task.
    checkouts: BTreeMap<String, PathBuf>,
}

impl Store {
    fn shown_path(&self, agent: &AgentName) -> PathBuf {
        self.dir.join("shown").join(format!("{agent}.json"))
    }

    fn shown(&self, agent: &AgentName) -> Shown {
        load(&self.shown_path(agent), SHAPE)
    }

    /// Notes which unread messages an agent sees now; what was seen before and is unread no more
    /// is forgotten.
    pub fn note_messages_shown(
        &self,
        agent: &AgentName,
        unread: impl IntoIterator<Item = Stamp>,
    ) -> Result<(), StoreError> {
        let mut shown = self.shown(agent);
        let unread: BTreeSet<String> = unread.into_iter().map(|id| id.to_string()).collect();
        if shown.messages == unread {
            return Ok(());
        }
        shown.messages = unread;
        save(&self.shown_path(agent), SHAPE, &shown)
    }

    /// Notes that an agent sees this message now, whatever else it has been shown.
    pub fn note_message_shown(&self, agent: &AgentName, id: Stamp) -> Result<(), StoreError> {
        let mut shown = self.shown(agent);
        match shown.messages.insert(id.to_string()) {
            true => save(&self.shown_path(agent), SHAPE, &shown),
            false => Ok(()),
        }
    }

    /// Tells whether an agent has been shown a message.
    pub fn is_message_shown(&self, agent: &AgentName) -> impl Fn(Stamp) -> bool {
        let shown = self.shown(agent).messages;
        move |id| shown.contains(&id.to_string())
    }

    /// Notes which submission of a task an agent was shown.
    pub fn note_submission_shown(
        &self,
        agent: &AgentName,
        task: TaskId,
        submission: Stamp,
    ) -> Result<(), StoreError> {
        let mut shown = self.shown(agent);
        let submission = submission.to_string();
        let before = (shown.submissions).insert(task.to_string(), submission.clone());
        if before == Some(submission) {
            return Ok(());
        }
        while shown.submissions.len() > SUBMISSIONS_MAX {
            let oldest = shown.submissions.iter().min_by_key(|(_, stamp)| *stamp);
            let oldest = oldest.map(|(task, _)| task.clone());
            oldest.and_then(|task| shown.submissions.remove(&task));
        }
        save(&self.shown_path(agent), SHAPE, &shown)
    }

    /// Returns the submission of a task that an agent was shown last.
    pub fn submission_shown(&self, agent: &AgentName, task: TaskId) -> Option<Stamp> {
        let shown = self.shown(agent);
        shown.submissions.get(task.as_str())?.parse().ok()
    }

    /// Notes where a worktree was made for an agent to review a task; `None` if it is gone.
    pub fn note_checkout(
        &self,
        agent: &AgentName,
        task: TaskId,
        at: Option<PathBuf>,
    ) -> Result<(), StoreError> {
        let mut shown = self.shown(agent);
        match at {
            Some(at) => shown.checkouts.insert(task.to_string(), at),
            None => shown.checkouts.remove(task.as_str()),
        };
        save(&self.shown_path(agent), SHAPE, &shown)
    }

    /// Returns the worktree that was made for an agent to review a task.
    pub fn checkout_of(&self, agent: &AgentName, task: TaskId) -> Option<PathBuf> {
        self.shown(agent).checkouts.remove(task.as_str())
    }
}
