//! What this clone knows of the landing branch. All of it can be lost: then it is found out again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::git::Oid;

use super::local::{load, save, write_whole};
use super::{Store, StoreError};

/// The shape of each of these files.
const SHAPE: u32 = 1;

/// What could not land, and on what.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Failed {
    tip: String,
    heads: BTreeSet<String>,
}

impl Store {
    /// Tells whether these commits were looked for on the landing branch when it held `tip`.
    pub fn landing_seen(&self, tip: Oid, heads: &BTreeSet<String>) -> bool {
        let Ok(text) = std::fs::read_to_string(self.seen_path()) else {
            return false;
        };
        let mut lines = text.lines();
        let is_tip = lines.next() == Some(tip.to_string().as_str());
        let seen: BTreeSet<&str> = lines.collect();
        is_tip && heads.iter().all(|head| seen.contains(head.as_str()))
    }

    /// Notes that these commits were looked for when it held `tip`.
    pub fn note_landing_seen(&self, tip: Oid, heads: &BTreeSet<String>) -> Result<(), StoreError> {
        let heads: String = heads.iter().map(|head| format!("{head}\n")).collect();
        write_whole(&self.seen_path(), &format!("{tip}\n{heads}"))
    }

    fn seen_path(&self) -> PathBuf {
        self.dir.join("landing-seen")
    }

    /// Returns the commits that could not land on this tip for a reason that a person has to see to.
    pub fn landing_failed(&self, tip: Option<Oid>) -> BTreeSet<String> {
        let kept: Option<Failed> = load(&self.failed_path(), SHAPE);
        let tip = tip.map(|tip| tip.to_string()).unwrap_or_default();
        let kept = kept.filter(|failed| failed.tip == tip);
        kept.map(|failed| failed.heads).unwrap_or_default()
    }

    /// Notes that these commits could not.
    pub fn note_landing_failed(
        &self,
        tip: Oid,
        heads: impl IntoIterator<Item = String>,
    ) -> Result<(), StoreError> {
        let mut all = self.landing_failed(Some(tip));
        all.extend(heads);
        let failed = Failed {
            tip: tip.to_string(),
            heads: all,
        };
        save(&self.failed_path(), SHAPE, &failed)
    }

    fn failed_path(&self) -> PathBuf {
        self.dir.join("landing-failed.json")
    }

    /// Returns how often each check failed and then passed on the very same files, in this clone.
    pub fn flaky(&self) -> BTreeMap<String, u32> {
        load(&self.flaky_path(), SHAPE)
    }

    /// Counts that a check did so.
    pub fn note_flaky(&self, check: &str) -> Result<(), StoreError> {
        let mut all = self.flaky();
        *all.entry(check.to_owned()).or_default() += 1;
        save(&self.flaky_path(), SHAPE, &all)
    }

    /// Returns where that is kept.
    pub fn flaky_path(&self) -> PathBuf {
        self.dir.join("flaky.json")
    }
}
