//! What came of landing.

use std::collections::BTreeMap;

use crate::git::Oid;
use crate::model::batch::Flaky;
use crate::model::id::TaskId;
use crate::model::task::SentBack;

use super::Lands;
use super::bench::Failure;
use super::line::Awaited;

#[derive(Debug)]
pub struct LandReport {
    pub branch: String,
    /// What the branch holds now.
    pub tip: Oid,
    /// In the order in which they landed, each with the commit it landed as.
    pub landed: Vec<(TaskId, Oid)>,
    pub sent_back: Vec<ReturnedTask>,
    pub waiting: BTreeMap<TaskId, Vec<Awaited>>,
    /// Checks that failed and then passed on the very same tree.
    pub flaky: Vec<String>,
    /// Why nothing more could be decided.
    pub stopped: Option<String>,
    pub offer: Option<Offer>,
    pub dry_run: bool,
}

/// A task that could not land and is its author's again.
#[derive(Debug, Clone)]
pub struct ReturnedTask {
    pub task: TaskId,
    pub back: SentBack,
}

/// What was made and checked, on a branch for others to merge.
#[derive(Debug, Clone)]
pub struct Offer {
    pub branch: String,
    /// What the remote said.
    pub said: Vec<String>,
}

impl LandReport {
    pub(super) fn new(branch: String, tip: Oid) -> LandReport {
        LandReport {
            branch,
            tip,
            landed: Vec::new(),
            sent_back: Vec::new(),
            waiting: BTreeMap::new(),
            flaky: Vec::new(),
            stopped: None,
            offer: None,
            dry_run: false,
        }
    }

    /// Notes that these have landed, whatever they waited for.
    pub(super) fn land(&mut self, landed: &[Lands]) {
        for it in landed {
            self.waiting.remove(&it.task);
            self.landed.push((it.task, it.commit));
        }
    }

    /// Notes what these wait for.
    pub(super) fn wait(&mut self, waiting: BTreeMap<TaskId, Vec<Awaited>>) {
        let landed = |id: &TaskId| self.landed.iter().any(|(it, _)| it == id);
        let waiting: Vec<_> = waiting.into_iter().filter(|(id, _)| !landed(id)).collect();
        self.waiting.extend(waiting);
    }

    pub(super) fn note_flaky(&mut self, flaky: &[Flaky<Oid, Failure>]) {
        for flaky in flaky {
            let name = flaky.detail.check.to_string();
            if !self.flaky.contains(&name) {
                self.flaky.push(name);
            }
        }
    }

    /// Tells whether all that was asked for has landed.
    pub fn is_complete(&self) -> bool {
        self.sent_back.is_empty() && self.waiting.is_empty()
    }
}
