//! What is to be done to which file, found out before anything is done.

use std::path::Path;

use crate::model::harness::{AgentEvent, Harness};

use super::draft::{Draft, Drafts};
use super::entries::Strictness;
use super::error::SetupError;
use super::instructions;
use super::place::{Part, Place};
use super::table;

/// Files as they are to be.
#[derive(Debug)]
pub struct Plan {
    pub place: Place,
    /// In the order of the harnesses; one that several share comes once.
    pub files: Vec<Draft>,
}

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Install,
    /// To say what would have to be done.
    Check,
    Remove,
}

/// What becomes of a file, or has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Made,
    Changed,
    Unchanged,
    /// It lacks what is to be in it.
    Missing,
    /// What is in it is of an older version, or was changed.
    Outdated,
    /// The file was for this alone, and is gone.
    Removed,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Made => "made",
            State::Changed => "changed",
            State::Unchanged => "unchanged",
            State::Missing => "missing",
            State::Outdated => "outdated",
            State::Removed => "removed",
        }
    }

    /// Returns what a draft comes to.
    pub fn of(draft: &Draft, purpose: Purpose) -> State {
        if !draft.is_changed() {
            return State::Unchanged;
        }
        match purpose {
            Purpose::Install if draft.before.is_none() => State::Made,
            Purpose::Remove if draft.after().is_none() => State::Removed,
            Purpose::Install | Purpose::Remove => State::Changed,
            Purpose::Check if draft.done.added.is_empty() => State::Outdated,
            Purpose::Check => State::Missing,
        }
    }
}

/// Plans to set up these harnesses.
///
/// # Errors
///
/// If a file cannot be read, is not what the harness takes, or leads elsewhere.
pub fn install(
    place: &Place,
    harnesses: &[Harness],
    strictness: Strictness,
) -> Result<Plan, SetupError> {
    let mut drafts = Drafts::new(place);
    for harness in harnesses.iter().copied() {
        for (file, parts) in place.files(harness) {
            let draft = drafts.open_for(&file, harness)?;
            for part in parts {
                draft.install(part, harness, strictness)?;
            }
        }
        instructions::install(&mut drafts, harness)?;
    }
    Ok(finish(drafts))
}

/// Plans to take out what is ours of these harnesses.
///
/// # Errors
///
/// As [`install`], for files that are there.
pub fn remove(place: &Place, harnesses: &[Harness]) -> Result<Plan, SetupError> {
    let is_other = |other: &Harness| !harnesses.contains(other) && is_set_up(place, *other);
    let others: Vec<Harness> = Harness::ALL.into_iter().filter(is_other).collect();
    let mut drafts = Drafts::new(place);
    // What was put in last goes first.
    instructions::remove(&mut drafts, harnesses, &others)?;
    for harness in harnesses.iter().copied() {
        remove_parts(&mut drafts, harness)?;
    }
    let mut plan = finish(drafts);
    plan.files.retain(Draft::is_changed);
    Ok(plan)
}

fn remove_parts(drafts: &mut Drafts, harness: Harness) -> Result<(), SetupError> {
    let place = drafts.place;
    for (file, parts) in place.all_files(harness) {
        // Nothing of ours is written behind a link that leads elsewhere.
        if place.resolve(&file).is_err() {
            continue;
        }
        let draft = drafts.open_for(&file, harness)?;
        for part in parts.into_iter().rev() {
            draft.remove(part, harness)?;
        }
    }
    Ok(())
}

/// Tells whether a harness has anything of ours in its files, instructions aside.
pub fn is_set_up(place: &Place, harness: Harness) -> bool {
    place.all_files(harness).into_iter().any(|(file, parts)| {
        let mut drafts = Drafts::new(place);
        // In what cannot be read nothing is found, which says nothing about the other files.
        let Ok(draft) = drafts.open_for(&file, harness) else {
            return false;
        };
        let removed = parts
            .into_iter()
            .try_for_each(|part| draft.remove(part, harness));
        removed.is_ok() && draft.is_changed()
    })
}

/// Returns what a harness's hook before edits runs, where it is set up.
pub fn edit_command(place: &Place, harness: Harness) -> Option<String> {
    if harness == Harness::OpenCode {
        // Its plugin is ours, and runs just this.
        return Some(table::command(harness, AgentEvent::BeforeEdit));
    }
    let mut files = place.files(harness).into_iter();
    let (file, _) = files.find(|(_, parts)| parts.contains(&Part::Hooks))?;
    let mut drafts = Drafts::new(place);
    let document = drafts.open(&file).ok()?.json().ok()?;
    super::entries::edit_command(&document, harness)
}

fn finish(drafts: Drafts) -> Plan {
    let place = drafts.place.clone();
    let mut files = drafts.all;
    files.retain(|draft| !draft.harnesses.is_empty());
    Plan { place, files }
}

impl Plan {
    /// Tells whether there is nothing to do.
    pub fn is_done(&self) -> bool {
        !self.files.iter().any(Draft::is_changed)
    }

    /// Returns the files of the repository, from its root.
    pub fn paths(&self) -> Vec<&Path> {
        let base = self.place.base();
        let real = self.files.iter().map(|draft| draft.real.as_path());
        real.filter_map(|real| real.strip_prefix(base).ok())
            .collect()
    }
}
