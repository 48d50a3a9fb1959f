//! The remote through which clones share a team: its refs, our copies of them, and moving both.
//!
//! Three values of each ref matter: what is here, what the remote had when it was last asked
//! (the tracking ref), and what it has now. A push names the tracking ref's value as what it
//! replaces, so that it fails where the last two differ.

use std::fs;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::git::{
    Advisory, FetchSpec, GitError, Oid, Pushed, RefName, RefOutcome, RefUpdate, Relation, Step,
    Together,
};
use crate::model::observe::Uptime;

use super::local::{write_whole, written_ago};
use super::signs::uptime;
use super::{Store, StoreError, layout};

/// The key that names the remote, in this clone's configuration.
pub const REMOTE_KEY: &str = "reflectt.remote";
/// The key that tells where on it the refs are.
pub const PLACES_KEY: &str = "reflectt.remoteRefs";

/// Where on the remote the claims table and presence are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    /// Below `refs/reflectt/`, where nobody checks them out.
    Hidden,
    /// Among the branches, because the host refuses others.
    Branches,
}

/// The remote of this clone's team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub name: String,
    pub places: Places,
}

/// What the two refs hold, at one place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tips {
    pub record: Option<Oid>,
    pub table: Option<Oid>,
}

impl Tips {
    /// Returns the steps that lead the table and the record to `to`, as far as there are any.
    pub fn steps_to(self, to: Tips) -> (Option<Step>, Option<Step>) {
        (
            Step::between(self.table, to.table),
            Step::between(self.record, to.record),
        )
    }
}

/// What became of a push of the two refs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedTips {
    /// `None` if it was not to be moved.
    pub table: Option<Pushed>,
    pub record: Option<Pushed>,
}

impl Link {
    fn below(&self, rest: &str) -> RefName {
        RefName::new(layout::tracking(&self.name, rest))
            .expect("made of a name that a ref can have")
    }

    pub fn record_on_remote(&self) -> RefName {
        layout::record_ref()
    }

    pub fn claims_on_remote(&self) -> RefName {
        match self.places {
            Places::Hidden => layout::claims_ref(),
            Places::Branches => RefName::new(layout::CLAIMS_BRANCH).expect("a valid constant"),
        }
    }

    /// Returns the directory of presence refs on the remote, with a `/` at its end.
    pub fn presence_on_remote(&self) -> &'static str {
        match self.places {
            Places::Hidden => layout::PRESENCE,
            Places::Branches => layout::PRESENCE_BRANCHES,
        }
    }

    pub fn record_tracking(&self) -> RefName {
        self.below("heads/reflectt")
    }

    pub fn claims_tracking(&self) -> RefName {
        match self.places {
            Places::Hidden => self.below("claims"),
            Places::Branches => self.below("heads/reflectt-claims"),
        }
    }

    /// Returns the directory of our copies of presence refs, with a `/` at its end.
    pub fn presence_tracking(&self) -> String {
        let rest = match self.places {
            Places::Hidden => "presence",
            Places::Branches => "heads/reflectt-presence",
        };
        layout::tracking(&self.name, &format!("{rest}/"))
    }

    /// Returns what to fetch: both places, because another clone may have had to move.
    ///
    /// A pattern that matches nothing is no error, where a plain name would be. Branches that
    /// somebody else has below `reflectt/` are none of ours.
    fn specs(&self) -> Vec<FetchSpec> {
        [
            ("refs/heads/reflectt*", Some("heads/reflectt*")),
            ("refs/heads/reflectt/*", None),
            ("refs/reflectt/claims*", Some("claims*")),
            ("refs/reflectt/presence/*", Some("presence/*")),
            ("refs/reflectt/work/*", Some("work/*")),
        ]
        .map(|(from, rest)| FetchSpec {
            from: from.to_owned(),
            to: rest.map(|rest| layout::tracking(&self.name, rest)),
        })
        .into()
    }
}

impl Store {
    /// Returns the remote of this clone's team, if it has one.
    pub fn link(&self) -> Option<Link> {
        self.link.borrow().clone()
    }

    /// Reads anew which remote the team has: whoever runs for long would miss a change.
    pub fn refresh_link(&self) -> Result<(), StoreError> {
        let link = Self::configured_link(&self.repo.reopen()?);
        self.link.replace(link);
        Ok(())
    }

    pub(super) fn configured_link(repo: &crate::git::Repo) -> Option<Link> {
        let name = repo.config(REMOTE_KEY).filter(|name| !name.is_empty())?;
        let places = match repo.config(PLACES_KEY).as_deref() {
            Some("branches") => Places::Branches,
            _ => Places::Hidden,
        };
        Some(Link { name, places })
    }

    /// Makes `link` the remote of this clone's team.
    pub fn set_link(&self, link: &Link) -> Result<(), StoreError> {
        if self.link().as_ref() == Some(link) {
            return Ok(());
        }
        let places = match link.places {
            Places::Hidden => "hidden",
            Places::Branches => "branches",
        };
        self.repo.set_config(PLACES_KEY, Some(places))?;
        self.repo.set_config(REMOTE_KEY, Some(&link.name))?;
        self.link.replace(Some(link.clone()));
        Ok(())
    }

    /// Returns what the refs hold here.
    pub fn local_tips(&self) -> Result<Tips, GitError> {
        // The table first: it is then never newer than the record read after it by a step that
        // moved both.
        let table = self.repo.read_ref(&self.claims)?;
        let record = self.repo.read_ref(&self.record)?;
        Ok(Tips { record, table })
    }

    /// Returns what the remote's refs held when it was last asked.
    pub fn tracking_tips(&self, link: &Link) -> Result<Tips, GitError> {
        let table = self.repo.read_ref(&link.claims_tracking())?;
        let record = self.repo.read_ref(&link.record_tracking())?;
        Ok(Tips { record, table })
    }

    /// Asks the remote for its refs and returns what they hold.
    ///
    /// The record and the table come in one exchange, the record's name first, so that the table
    /// is at least as new as the record. With them come the branch that work lands on, and the work
    /// that is submitted.
    ///
    /// # Errors
    ///
    /// [`GitError::Unreachable`] if it does not answer.
    pub fn fetch(
        &self,
        link: &Link,
        landing: Option<&str>,
        limit: Duration,
    ) -> Result<Tips, StoreError> {
        let remote = self.repo.remote(&link.name, limit);
        let mut specs = link.specs();
        specs.extend(landing.map(|branch| FetchSpec {
            from: format!("refs/heads/{branch}"),
            to: Some(layout::tracking(&link.name, &format!("heads/{branch}"))),
        }));
        let done = remote.fetch(&specs);
        self.note_contact(done.is_ok());
        done?;
        let tips = self.tracking_tips(link)?;
        // A fetch of the user's may have brought commits without their files.
        let here = self.local_tips()?;
        let all = |tips: Tips| -> Vec<Oid> { tips.record.into_iter().chain(tips.table).collect() };
        remote.fill_in(&all(tips), &all(here))?;
        Ok(tips)
    }

    /// Checks that the remote's branch is a record: one of somebody else's must be neither
    /// followed, merged nor pushed to.
    ///
    /// # Errors
    ///
    /// [`StoreError::ForeignOn`] if it is not.
    pub fn check_theirs(&self, link: &Link, tip: Oid) -> Result<(), StoreError> {
        match self.snapshot_at(tip, None) {
            Ok(_) => Ok(()),
            Err(StoreError::Foreign { reason }) => Err(StoreError::ForeignOn {
                remote: link.name.clone(),
                name: link.record_on_remote().to_string(),
                tip: tip.to_string(),
                reason,
            }),
            Err(error) => Err(error),
        }
    }

    /// Returns how long ago the remote was last fetched from; `None` if never, or if the last
    /// attempt failed.
    pub fn fetched_ago(&self) -> Option<Duration> {
        written_ago(&self.dir.join("fetched"))
    }

    /// Notes that the remote answered, or did not.
    fn note_contact(&self, answered: bool) {
        let path = self.dir.join("fetched");
        // Forgotten, it is only fetched from sooner than needed.
        if answered {
            write_whole(&path, "").ok();
        } else {
            fs::remove_file(path).ok();
            // It stays: each of those that observe others compares it with its own last look.
            let now = uptime().to_string();
            write_whole(&self.dir.join("interrupted"), &now).ok();
        }
    }

    /// Returns when the remote last failed to answer.
    pub(super) fn interrupted(&self) -> Option<Uptime> {
        let text = fs::read_to_string(self.dir.join("interrupted")).ok()?;
        text.parse().ok()
    }

    /// Notes that the remote took a push of this clone: its table is known.
    pub(super) fn note_pushed(&self) {
        write_whole(&self.dir.join("pushed"), "").ok();
    }

    /// Returns how long ago the remote last took a push of the table from this clone.
    pub fn pushed_ago(&self) -> Option<Duration> {
        written_ago(&self.dir.join("pushed"))
    }

    /// Moves the remote's refs, each only from what it is expected to hold.
    ///
    /// The two move together or not at all: what was decided and what is recorded of it are one.
    pub(super) fn push_untracked(
        &self,
        link: &Link,
        table: Option<Step>,
        record: Option<Step>,
        limit: Duration,
    ) -> Result<PushedTips, StoreError> {
        let table_push = table.map(|step| step.of(link.claims_on_remote()));
        let record_push = record.map(|step| step.of(link.record_on_remote()));
        let all: Vec<RefUpdate> = table_push.iter().chain(&record_push).cloned().collect();
        let works = self.works_to_push(link)?;
        if all.is_empty() && works.is_empty() {
            return Ok(PushedTips {
                table: None,
                record: None,
            });
        }
        let remote = self.repo.remote(&link.name, limit);
        let named = all.len();
        let updates = works.iter().map(|(_, update)| update.clone());
        let with_works: Vec<RefUpdate> = all.iter().cloned().chain(updates).collect();
        let done = remote.push(&with_works, Together::AllOrNone);
        if done.is_err() {
            self.note_contact(false);
        }
        let mut results = done?;
        let of_works = results.split_off(named);
        self.note_works(link, &works, &of_works)?;
        // The work can wait, and what was decided cannot.
        let refused = |result: &Pushed| matches!(result, Pushed::Refused { .. });
        if of_works.iter().any(refused) && !all.is_empty() {
            results = remote.push(&all, Together::AllOrNone)?;
        }
        let mut results = results.into_iter();
        Ok(PushedTips {
            table: table_push.and_then(|_| results.next()),
            record: record_push.and_then(|_| results.next()),
        })
    }

    /// Moves the remote's refs, and our copies of them after them.
    pub fn push(
        &self,
        link: &Link,
        table: Option<Step>,
        record: Option<Step>,
        limit: Duration,
    ) -> Result<PushedTips, StoreError> {
        let pushed = self.push_untracked(link, table, record, limit)?;
        self.track_all(link, &pushed, table, record)?;
        Ok(pushed)
    }

    /// Notes what a push has moved.
    fn track_all(
        &self,
        link: &Link,
        pushed: &PushedTips,
        table: Option<Step>,
        record: Option<Step>,
    ) -> Result<(), StoreError> {
        for (result, step, name) in [
            (&pushed.table, table, link.claims_tracking()),
            (&pushed.record, record, link.record_tracking()),
        ] {
            if let (Some(Pushed::Moved), Some(step)) = (result, step) {
                self.track(&name, step.to)?;
            }
        }
        Ok(())
    }

    /// Does in one transaction what follows from a push: our copies and the refs here move.
    ///
    /// `pushed` was a step of our copies to `here`, which are the steps of the refs here.
    pub(super) fn settle(
        &self,
        link: &Link,
        pushed: &PushedTips,
        (table, record): (Option<Step>, Option<Step>),
        here: (Option<Step>, Option<Step>),
        reason: &str,
    ) -> Result<bool, StoreError> {
        let moved = |result: &Option<Pushed>| *result == Some(Pushed::Moved);
        let steps = [
            (
                table.filter(|_| moved(&pushed.table)),
                link.claims_tracking(),
            ),
            (
                record.filter(|_| moved(&pushed.record)),
                link.record_tracking(),
            ),
            (here.0, self.claims.clone()),
            (here.1, self.record.clone()),
        ];
        let updates: Vec<RefUpdate> = steps
            .into_iter()
            .filter_map(|(step, name)| {
                let step = step.filter(|step| step.from != Some(step.to))?;
                Some(step.of(name))
            })
            .collect();
        if self.move_refs(&updates, reason, Advisory::NotHeld)? == RefOutcome::Moved {
            return Ok(true);
        }
        // Somebody fetched meanwhile, or moved a ref here.
        self.track_all(link, pushed, table, record)?;
        self.move_local(here.0, here.1, reason)
    }

    /// Notes what the remote's ref holds. Another process may note something newer meanwhile.
    fn track(&self, name: &RefName, to: Oid) -> Result<(), StoreError> {
        let mut patience = self.patience();
        loop {
            let found = self.repo.read_ref(name)?;
            if let Some(found) = found
                && matches!(
                    self.repo.relation(found, to)?,
                    Relation::Same | Relation::Ahead
                )
            {
                return Ok(());
            }
            let update = Step { from: found, to }.of(name.clone());
            if self.move_refs(&[update], "push", Advisory::NotHeld)? == RefOutcome::Moved {
                return Ok(());
            }
            patience.lost()?;
        }
    }

    /// Notes what a ref of the remote holds, as the remote has just said.
    pub fn set_copy(&self, name: &RefName, to: Oid) -> Result<(), StoreError> {
        self.overwrite(name, to)
    }

    /// Sets one of our copies, which nobody but a fetch writes, to what the remote holds now.
    pub(super) fn overwrite(&self, name: &RefName, to: Oid) -> Result<(), StoreError> {
        let found = self.repo.read_ref(name)?;
        let update = Step { from: found, to }.of(name.clone());
        // Lost to a fetch: that saw the same, or something newer.
        self.move_refs(&[update], "presence", Advisory::NotHeld)?;
        Ok(())
    }

    /// Moves the refs here, together and each only from what it is expected to hold.
    pub fn move_local(
        &self,
        table: Option<Step>,
        record: Option<Step>,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let mut updates = Vec::new();
        for (step, name) in [(table, &self.claims), (record, &self.record)] {
            if let Some(step) = step.filter(|step| step.from != Some(step.to)) {
                updates.push(step.of(name.clone()));
            }
        }
        if updates.is_empty() {
            return Ok(true);
        }
        let outcome = self.move_refs(&updates, reason, Advisory::NotHeld)?;
        Ok(outcome == RefOutcome::Moved)
    }

    /// Makes the refs here have all that `table` and `record` have, whatever others did meanwhile.
    ///
    /// For what is published already: it must arrive here too.
    pub fn bring_in(
        &self,
        table: Option<Oid>,
        record: Oid,
        reason: &str,
    ) -> Result<(), StoreError> {
        let mut patience = self.patience();
        loop {
            let local = self.local_tips()?;
            let table_step = match (local.table, table) {
                (_, None) => None,
                (Some(here), Some(table)) if self.has(here, table)? => None,
                (here, Some(table)) => Some(Step {
                    from: here,
                    to: table,
                }),
            };
            let record_step = match local.record {
                None => Some(record),
                Some(here) => match self.repo.relation(here, record)? {
                    Relation::Same | Relation::Ahead => None,
                    Relation::Behind => Some(record),
                    Relation::Diverged => Some(self.merge_records(here, record)?.commit),
                },
            };
            let record_step = record_step.map(|to| Step {
                from: local.record,
                to,
            });
            if self.move_local(table_step, record_step, reason)? {
                return Ok(());
            }
            patience.lost()?;
        }
    }

    /// Tells whether `tip` has all that `older` has.
    fn has(&self, tip: Oid, older: Oid) -> Result<bool, GitError> {
        let relation = self.repo.relation(tip, older)?;
        Ok(matches!(relation, Relation::Same | Relation::Ahead))
    }
}
