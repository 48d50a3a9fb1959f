//! Landing several pieces of work as one: what is tried, and what follows from how it went.
//!
//! All are tried as one. If that fails, the very same once more: passes it then, the check is flaky.
//! If it goes on failing, halves are tried, each on top of what is known to pass, until one entry is
//! left that fails on top of what passes. It is put aside, and all the rest is tried as one again. So
//! a culprit among `n` is found in `2 + log2 n` runs, and what lands was run as a whole.
//!
//! Nobody is blamed for what ran once: an entry whose failure was seen once is tried again, unless
//! all but it have passed as one, which says the same. Nor is anybody blamed for a tip that fails
//! without them.

use std::collections::{BTreeMap, BTreeSet};

use super::id::TaskId;

#[cfg(test)]
mod tests;

/// A piece of work to be landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: TaskId,
    /// What it lies on: lands it or not decides whether this one can.
    pub beneath: BTreeSet<TaskId>,
}

/// What came of making one entry on a tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made<T, P> {
    /// The new tip; the same as before if there was nothing to make.
    Clean(T),
    Conflict(P),
}

/// How a run of the checks went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran<D> {
    Passed,
    Failed(D),
    CouldNotRun(D),
}

/// A tip to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial<T> {
    pub tip: T,
    /// What is in it beyond the tip that the batch began with, in order.
    pub tasks: Vec<TaskId>,
    /// Whether this very tip has failed just now, so that no result of before will do.
    pub again: bool,
}

/// What makes and checks tips.
pub trait Bench {
    /// Names a made state: a commit.
    type Tip: Clone;
    /// Which paths conflict.
    type Paths;
    /// What a run has to tell.
    type Detail;
    type Error;

    fn make(
        &mut self,
        tip: &Self::Tip,
        id: TaskId,
    ) -> Result<Made<Self::Tip, Self::Paths>, Self::Error>;

    fn check(&mut self, trial: &Trial<Self::Tip>) -> Result<Ran<Self::Detail>, Self::Error>;
}

/// An entry that fails on top of what passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Culprit<T, D> {
    pub id: TaskId,
    /// The tasks of the batch it was tried on top of; they passed without it. If there are none,
    /// it fails alone, else it fails alone or together with some of them.
    pub with: Vec<TaskId>,
    /// What failed: the tip with the tasks of `with` and this one.
    pub tip: T,
    pub detail: D,
}

/// An entry that cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash<T, P> {
    pub id: TaskId,
    pub paths: P,
    /// On which tip, and which tasks of the batch were in it.
    pub tip: T,
    pub with: Vec<TaskId>,
}

/// The same tip failed, and then passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaky<T, D> {
    pub tip: T,
    pub tasks: Vec<TaskId>,
    pub detail: D,
}

/// Why a batch ended before all was decided. Nobody is sent back for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop<D> {
    CouldNotRun(D),
    /// The tip fails that the batch began with, with nothing on it.
    TipFails(D),
}

/// What became of a batch. Each entry is in one of `landed`, `culprits`, `clashes`, `waiting` and
/// `undecided`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome<T, P, D> {
    /// What passed as a whole; what the batch began with if nothing lands.
    pub tip: T,
    /// What lands, in order, each with the tip its making gave.
    pub landed: Vec<(TaskId, T)>,
    pub culprits: Vec<Culprit<T, D>>,
    pub clashes: Vec<Clash<T, P>>,
    /// What cannot land because of others of the batch that do not.
    pub waiting: BTreeMap<TaskId, BTreeSet<TaskId>>,
    /// What was not decided, in order: only where the batch was stopped.
    pub undecided: Vec<TaskId>,
    pub flaky: Vec<Flaky<T, D>>,
    pub stopped: Option<Stop<D>>,
    /// How often the checks ran.
    pub runs: usize,
}

type OutcomeOf<B> = Outcome<<B as Bench>::Tip, <B as Bench>::Paths, <B as Bench>::Detail>;

/// Lands what can be landed of `entries` on `tip`. What lies beneath another comes before it.
///
/// # Errors
///
/// Those of the bench, at once.
pub fn run<B: Bench>(
    bench: &mut B,
    tip: B::Tip,
    entries: &[Entry],
) -> Result<OutcomeOf<B>, B::Error> {
    let mut batch = Batch {
        bench,
        entries,
        outcome: Outcome {
            tip,
            landed: Vec::new(),
            culprits: Vec::new(),
            clashes: Vec::new(),
            waiting: BTreeMap::new(),
            undecided: Vec::new(),
            flaky: Vec::new(),
            stopped: None,
            runs: 0,
        },
        suspect: None,
        tip_is_good: false,
    };
    match batch.work() {
        Ok(()) => batch.outcome.waiting = batch.waiting(),
        Err(End::Stopped(stop)) => batch.stop(stop),
        Err(End::Bench(error)) => return Err(error),
    }
    Ok(batch.outcome)
}

struct Batch<'b, B: Bench> {
    bench: &'b mut B,
    entries: &'b [Entry],
    outcome: OutcomeOf<B>,
    suspect: Option<Suspect<B>>,
    /// Whether anything has passed: then the tip that the batch began with does not fail by itself.
    tip_is_good: bool,
}

/// A culprit that may still turn out to be none.
struct Suspect<B: Bench> {
    culprit: Culprit<B::Tip, B::Detail>,
    /// Whether what failed has failed twice.
    twice: bool,
    /// What was tried when it failed: if all of that passes without it, it was this one.
    company: BTreeSet<TaskId>,
}

enum End<E, D> {
    Bench(E),
    Stopped(Stop<D>),
}

type Ended<B, T> = Result<T, End<<B as Bench>::Error, <B as Bench>::Detail>>;

/// Entries made one on the other, each with the tip it gave.
type Chain<T> = Vec<(TaskId, T)>;

impl<B: Bench> Batch<'_, B> {
    fn work(&mut self) -> Ended<B, ()> {
        loop {
            let chain = self.make_rest()?;
            if chain.is_empty() {
                if self.suspect.is_none() || self.judge_suspect()? {
                    return Ok(());
                }
                continue;
            }
            let failure = self.try_twice(&chain)?;
            if failure.is_none() {
                self.convict_by(&chain);
            }
            // Where the suspect is acquitted, it lands, and the rest is made anew on top of it.
            if self.suspect.is_some() && !self.judge_suspect()? {
                continue;
            }
            match failure {
                None => self.land(chain),
                Some(detail) => self.search(chain, detail)?,
            }
        }
    }

    /// Makes all that is undecided on what has passed, without what conflicts there.
    fn make_rest(&mut self) -> Ended<B, Chain<B::Tip>> {
        self.outcome.clashes.clear();
        let mut left: BTreeSet<TaskId> = self.undecided().collect();
        let mut chain: Chain<B::Tip> = Vec::new();
        let entries = self.entries;
        for entry in entries {
            let out = self.aside(entry.id) || !left.contains(&entry.id);
            let blocked = |id: &TaskId| left.contains(id) || self.aside(*id);
            if out
                || entry
                    .beneath
                    .iter()
                    .any(|id| *id != entry.id && blocked(id))
            {
                continue;
            }
            let tip = chain.last().map_or(&self.outcome.tip, |(_, tip)| tip);
            match self.bench.make(tip, entry.id).map_err(End::Bench)? {
                Made::Clean(tip) => {
                    left.remove(&entry.id);
                    chain.push((entry.id, tip));
                }
                Made::Conflict(paths) => self.outcome.clashes.push(Clash {
                    id: entry.id,
                    paths,
                    tip: tip.clone(),
                    with: self.tasks_with(&chain),
                }),
            }
        }
        Ok(chain)
    }

    /// Tries the whole of a chain, and once more if it fails. Returns what went wrong, if it failed
    /// twice.
    fn try_twice(&mut self, chain: &[(TaskId, B::Tip)]) -> Ended<B, Option<B::Detail>> {
        match self.try_chain(chain, false)? {
            None => Ok(None),
            Some(first) => match self.try_chain(chain, true)? {
                Some(detail) => Ok(Some(detail)),
                None => {
                    let (tip, tasks) = (self.tip_of(chain), self.tasks_with(chain));
                    self.outcome.flaky.push(Flaky {
                        tip,
                        tasks,
                        detail: first,
                    });
                    Ok(None)
                }
            },
        }
    }

    /// Finds in a chain that fails the first entry to fail on top of those before it, which land.
    fn search(&mut self, mut chain: Chain<B::Tip>, detail: B::Detail) -> Ended<B, ()> {
        let company = chain.iter().map(|(id, _)| *id).collect();
        let (mut good, mut bad, mut detail) = (0, chain.len(), detail);
        while bad - good > 1 {
            let middle = good.midpoint(bad);
            match self.try_chain(&chain[..middle], false)? {
                None => good = middle,
                Some(said) => (bad, detail) = (middle, said),
            }
        }
        let twice = bad == chain.len();
        chain.truncate(bad);
        let Some((id, tip)) = chain.pop() else {
            return Ok(());
        };
        self.land(chain);
        let culprit = Culprit {
            id,
            with: self.tasks_with(&[]),
            tip,
            detail,
        };
        self.suspect = Some(Suspect {
            culprit,
            twice,
            company,
        });
        Ok(())
    }

    /// Finds the suspect guilty if all it was tried with has passed without it.
    fn convict_by(&mut self, passed: &[(TaskId, B::Tip)]) {
        let Some(suspect) = &self.suspect else { return };
        let passed: BTreeSet<TaskId> = (self.outcome.landed.iter().chain(passed))
            .map(|(id, _)| *id)
            .chain([suspect.culprit.id])
            .collect();
        if suspect.twice || suspect.company.is_subset(&passed) {
            self.convict();
        }
    }

    fn convict(&mut self) {
        let culprit = self.suspect.take().map(|suspect| suspect.culprit);
        self.outcome.culprits.extend(culprit);
    }

    /// Decides about the suspect; tells whether it is guilty. If it is not, it has landed.
    fn judge_suspect(&mut self) -> Ended<B, bool> {
        let Some(suspect) = self.suspect.take() else {
            return Ok(true);
        };
        if !suspect.twice {
            let Culprit { id, tip, .. } = &suspect.culprit;
            let chain = [(*id, tip.clone())];
            if self.try_chain(&chain, true)?.is_none() {
                let tasks = self.tasks_with(&chain);
                self.land(chain.into());
                let Culprit { tip, detail, .. } = suspect.culprit;
                self.outcome.flaky.push(Flaky { tip, tasks, detail });
                return Ok(false);
            }
        }
        if !self.tip_is_good
            && let Some(detail) = self.try_chain(&[], false)?
        {
            return Err(End::Stopped(Stop::TipFails(detail)));
        }
        self.outcome.culprits.push(suspect.culprit);
        Ok(true)
    }

    /// Checks a chain; returns what went wrong, if it failed.
    fn try_chain(
        &mut self,
        chain: &[(TaskId, B::Tip)],
        again: bool,
    ) -> Ended<B, Option<B::Detail>> {
        let trial = Trial {
            tip: self.tip_of(chain),
            tasks: self.tasks_with(chain),
            again,
        };
        self.outcome.runs += 1;
        match self.bench.check(&trial).map_err(End::Bench)? {
            Ran::Passed => {
                self.tip_is_good = true;
                Ok(None)
            }
            Ran::Failed(detail) => Ok(Some(detail)),
            Ran::CouldNotRun(detail) => Err(End::Stopped(Stop::CouldNotRun(detail))),
        }
    }

    fn land(&mut self, chain: Chain<B::Tip>) {
        self.outcome.tip = self.tip_of(&chain);
        self.outcome.landed.extend(chain);
    }

    fn tip_of(&self, chain: &[(TaskId, B::Tip)]) -> B::Tip {
        let last = chain.last().map(|(_, tip)| tip);
        last.unwrap_or(&self.outcome.tip).clone()
    }

    /// Returns what lands, and then what is in the chain.
    fn tasks_with(&self, chain: &[(TaskId, B::Tip)]) -> Vec<TaskId> {
        let all = self.outcome.landed.iter().chain(chain);
        all.map(|(id, _)| *id).collect()
    }

    /// Tells whether an entry is held for a culprit.
    fn aside(&self, id: TaskId) -> bool {
        let suspect = self.suspect.iter().map(|suspect| &suspect.culprit);
        let culprits = self.outcome.culprits.iter();
        culprits.chain(suspect).any(|culprit| culprit.id == id)
    }

    fn undecided(&self) -> impl Iterator<Item = TaskId> {
        let landed = &self.outcome.landed;
        let open = |id: &TaskId| !self.aside(*id) && landed.iter().all(|(other, _)| other != id);
        self.entries.iter().map(|entry| entry.id).filter(open)
    }

    /// Returns which others of the batch those wait for that are neither landed nor to blame.
    fn waiting(&self) -> BTreeMap<TaskId, BTreeSet<TaskId>> {
        let clashes = |id: TaskId| self.outcome.clashes.iter().any(|clash| clash.id == id);
        let left: BTreeSet<TaskId> = self.undecided().collect();
        let entries = self.entries.iter();
        let waits = entries.filter(|entry| left.contains(&entry.id) && !clashes(entry.id));
        let for_whom = |entry: &Entry| {
            let held = |id: &&TaskId| left.contains(*id) || self.aside(**id);
            entry.beneath.iter().filter(held).copied().collect()
        };
        waits.map(|entry| (entry.id, for_whom(entry))).collect()
    }

    /// Ends the batch: what has passed lands, nobody else is decided about.
    fn stop(&mut self, stop: Stop<B::Detail>) {
        self.suspect = None;
        self.outcome.culprits.clear();
        self.outcome.clashes.clear();
        self.outcome.undecided = self.undecided().collect();
        self.outcome.stopped = Some(stop);
    }
}
