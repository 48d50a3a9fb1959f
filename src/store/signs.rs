//! Presence among clones: what this one says on the remote, and what it has observed of others.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use rustix::time::{ClockId, clock_gettime};

use crate::format;
use crate::git::{AdvisoryLock, NewCommit, Oid, Pushed, RefName, RefUpdate, Together, boot_id};
use crate::model::claim::{Claim, CloneId};
use crate::model::name::{AgentName, Author};
use crate::model::observe::{Observed, Seen, Uptime};
use crate::model::presence::{Sign, Signs};
use crate::model::time::{Span, Timestamp};

use super::local::{load, save, write_whole, written_ago};
use super::publish::signature;
use super::{Link, Places, Snapshot, Store, StoreError, layout};

/// Heartbeats older than this are not worth telling others of.
const OLD: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a clone said is taken away when it has said nothing for so long: clones that lived for
/// one task would otherwise be fetched by everybody for ever.
const DEAD: Duration = Duration::from_secs(30 * 24 * 3600);
/// How many such are taken away at once.
const DEAD_MAX: usize = 100;

/// How much of what this clone has said is remembered.
const SAID_MAX: usize = 64;

/// How long to wait for another process of this clone that is at the same for a moment.
const PATIENCE: Duration = Duration::from_secs(2);

/// The name of the file in a presence commit.
const FILE: &str = "presence.toml";

impl Store {
    /// Returns what this clone has to say of its agents.
    pub fn own_signs(&self, now: Timestamp) -> Result<Signs, StoreError> {
        let presence = self.presence(Uptime::default());
        let mut signs = Signs::default();
        for name in presence.names()? {
            let Ok(name) = name.parse::<AgentName>() else {
                continue;
            };
            // As it was noted: for others it is a value, which must not change by itself.
            let Some(beat) = presence.peek(name.as_str())? else {
                continue;
            };
            if Duration::from(now.since(beat.seen)) < OLD {
                let sign = Sign {
                    at: beat.seen,
                    note: beat.note,
                    signed_off: beat.signed_off,
                };
                signs.agents.insert(name, sign);
            }
        }
        Ok(signs)
    }

    /// Says on the remote what this clone has to say, if that changed and it has not been said
    /// within `every`. Tells whether it was said now.
    pub fn publish_signs(
        &self,
        link: &Link,
        clone: &CloneId,
        now: Timestamp,
        every: Duration,
        limit: Duration,
    ) -> Result<bool, StoreError> {
        let mark = self.dir.join("published");
        if written_ago(&mark).is_some_and(|ago| ago < every) {
            return Ok(false);
        }
        let text = format::print_signs(&self.own_signs(now)?);
        let blob = self.repo.write_blob(text.as_bytes())?;
        let tracking = RefName::new(format!("{}{clone}", link.presence_tracking()))?;
        let known = self.repo.read_ref(&tracking)?;
        if let Some(known) = known
            && self.signs_blob(link, known)? == Some(blob)
        {
            return Ok(false);
        }
        let new = match link.places {
            Places::Hidden => blob,
            // A branch can only be a commit.
            Places::Branches => {
                let tree = self.repo.edit_tree(None, [(FILE, Some(blob))])?;
                let author = signature(&Author::reflectt(), now.0.div_euclid(1000));
                self.repo.write_commit(&NewCommit {
                    tree,
                    parents: Vec::new(),
                    author: author.clone(),
                    committer: author,
                    message: "who is here\n\n[skip ci]\n".to_owned(),
                })?
            }
        };
        // Before it can be there: whatever else is found there, another clone has said.
        if !self.note_said(new)? {
            return Ok(false);
        }
        let push = RefUpdate {
            name: RefName::new(format!("{}{clone}", link.presence_on_remote()))?,
            from: known,
            to: Some(new),
        };
        let mut pushes = vec![push];
        for (name, oid) in self.dead_signs(link, clone, now)? {
            pushes.push(RefUpdate {
                name,
                from: Some(oid),
                to: None,
            });
        }
        let pushed = self.repo.remote(&link.name, limit);
        let pushed = pushed.push(&pushes, Together::Each)?;
        // Anything else: another process of this clone said it, or the remote will not have it.
        let moved = pushed.first() == Some(&Pushed::Moved);
        if moved {
            self.overwrite(&tracking, new)?;
        }
        write_whole(&mark, "").ok();
        Ok(moved)
    }

    /// Lets the next publication be made however short a time ago the last one was.
    pub fn publish_signs_soon(&self) {
        // If it cannot be, it is made when it is due.
        fs::remove_file(self.dir.join("published")).ok();
    }

    /// Keeps what this clone is about to say. Tells whether it could; else somebody else is at it.
    fn note_said(&self, new: Oid) -> Result<bool, StoreError> {
        let lock = AdvisoryLock::acquire(&self.dir.join("said.lock"), PATIENCE)?;
        if !lock.is_held() {
            return Ok(false);
        }
        let mut said = self.said();
        said.retain(|old| *old != new.to_string());
        said.push(new.to_string());
        let surplus = said.len().saturating_sub(SAID_MAX);
        said.drain(..surplus);
        write_whole(&self.dir.join("said"), &(said.join("\n") + "\n"))?;
        Ok(true)
    }

    /// Returns what this clone has said last.
    fn said(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.join("said")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Tells whether another clone says who is here under this one's id: one is a copy of the
    /// other, made where neither can see it.
    pub fn is_doubled(&self, link: &Link, own: &CloneId) -> Result<bool, StoreError> {
        let name = RefName::new(format!("{}{own}", link.presence_tracking()))?;
        let there = self.repo.read_ref(&name)?;
        // Read after what is there: it is noted before it gets there.
        let said = self.said();
        Ok(!said.is_empty() && there.is_some_and(|oid| !said.contains(&oid.to_string())))
    }

    /// Returns the refs of clones that have said nothing for very long.
    ///
    /// Long since by our clock, and long before the last that anybody else said, so that no wrong
    /// clock takes away what a living clone says.
    fn dead_signs(
        &self,
        link: &Link,
        own: &CloneId,
        now: Timestamp,
    ) -> Result<Vec<(RefName, Oid)>, StoreError> {
        let last_words = |signs: &Signs| signs.agents.values().map(|sign| sign.at).max();
        let others = self.signs_of_others(link, own)?;
        let newest = others.values().filter_map(last_words).max();
        let is_over = |at: Timestamp, then: Timestamp| Duration::from(then.since(at)) > DEAD;
        let mut dead = Vec::new();
        for (clone, signs) in &others {
            if let (Some(at), Some(newest)) = (last_words(signs), newest)
                && is_over(at, now)
                && is_over(at, newest)
                && dead.len() < DEAD_MAX
            {
                let tracking = RefName::new(format!("{}{clone}", link.presence_tracking()))?;
                let name = RefName::new(format!("{}{clone}", link.presence_on_remote()))?;
                dead.extend(self.repo.read_ref(&tracking)?.map(|oid| (name, oid)));
            }
        }
        Ok(dead)
    }

    /// Returns the clones that share the remote, `own` among them, as far as they are known.
    pub fn clones_on(&self, link: &Link, own: &CloneId) -> Result<Vec<CloneId>, StoreError> {
        let others = self.signs_of_others(link, own)?;
        Ok(others.into_keys().chain([own.clone()]).collect())
    }

    /// Returns what other clones said, as far as it was fetched.
    pub fn signs_of_others(
        &self,
        link: &Link,
        own: &CloneId,
    ) -> Result<BTreeMap<CloneId, Signs>, StoreError> {
        let directory = link.presence_tracking();
        let mut found = BTreeMap::new();
        for (name, oid) in self.repo.list_refs(&directory)? {
            let clone = name.as_str().strip_prefix(&directory);
            let Some(Ok(clone)) = clone.map(str::parse::<CloneId>) else {
                continue;
            };
            if clone == *own {
                continue;
            }
            if let Some(blob) = self.signs_blob(link, oid)?
                && let Ok(bytes) = self.repo.read_blob_limited(blob, layout::FILE_MAX)
                && let Ok(signs) = format::parse_signs(&bytes)
            {
                found.insert(clone, signs);
            }
        }
        Ok(found)
    }

    /// Returns what one clone said of one agent.
    pub fn sign_of(
        &self,
        link: &Link,
        clone: &CloneId,
        agent: &AgentName,
    ) -> Result<Option<Sign>, StoreError> {
        let name = RefName::new(format!("{}{clone}", link.presence_tracking()))?;
        let Some(oid) = self.repo.read_ref(&name)? else {
            return Ok(None);
        };
        let Some(blob) = self.signs_blob(link, oid)? else {
            return Ok(None);
        };
        let bytes = self.repo.read_blob_limited(blob, layout::FILE_MAX)?;
        let signs = format::parse_signs(&bytes).ok();
        Ok(signs.and_then(|mut signs| signs.agents.remove(agent)))
    }

    fn signs_blob(&self, link: &Link, oid: Oid) -> Result<Option<Oid>, StoreError> {
        match link.places {
            Places::Hidden => Ok(Some(oid)),
            Places::Branches => {
                let tree = self.repo.read_commit(oid)?.tree;
                Ok(self.repo.find_path(tree, FILE)?.map(|entry| entry.oid))
            }
        }
    }

    /// Returns what was observed so far.
    pub fn observed(&self) -> Observed {
        // Damaged, it is observed anew: nobody expires sooner for that.
        let file: ObservedFile = load(&self.dir.join("observed"), OBSERVED);
        let seen = file.seen.into_iter().map(|(key, (millis, value))| {
            let age = Span::from_millis(millis);
            (key, Seen { value, age })
        });
        Observed {
            last: file.last.and_then(|last| last.parse().ok()),
            seen: seen.collect(),
        }
    }

    /// Takes in what the remote's presence refs and table say now, right after a fetch.
    pub fn observe(
        &self,
        link: &Link,
        own: &CloneId,
        snapshot: &Snapshot,
        now: Uptime,
    ) -> Result<(), StoreError> {
        // One after the other, or what was seen first might be written last. Whoever cannot wait
        // leaves it to the others: the time is counted by the next look.
        let lock = AdvisoryLock::acquire(&self.dir.join("observed.lock"), PATIENCE)?;
        if !lock.is_held() {
            return Ok(());
        }
        let mut values = BTreeMap::new();
        for (clone, signs) in self.signs_of_others(link, own)? {
            for (agent, sign) in signs.agents {
                let value = value_of(&sign);
                values.insert(agent_key(&agent, &clone), value);
            }
        }
        // Of a table that cannot be read nobody expires: what was observed of it goes on.
        for claim in snapshot.table_in_force()?.0.claims.values() {
            values.insert(claim_key(claim), claim.fence.to_string());
            // Of its own agents this clone has the heartbeats. What it says on the remote changes
            // with every other agent of it, and would keep a silent one alive.
            if claim.clone == *own {
                continue;
            }
            // A clone whose words cannot be read, as of a later version, is still heard.
            let key = agent_key(&claim.agent, &claim.clone);
            let name = RefName::new(format!("{}{}", link.presence_tracking(), claim.clone))?;
            if !values.contains_key(&key)
                && let Some(said) = self.repo.read_ref(&name)?
            {
                values.insert(key, said.to_string());
            }
        }
        let mut observed = self.observed();
        observed.look(now, self.interrupted().as_ref(), values);
        self.write_observed(&observed)
    }

    fn write_observed(&self, observed: &Observed) -> Result<(), StoreError> {
        let seen = observed.seen.iter();
        let file = ObservedFile {
            last: observed.last.as_ref().map(ToString::to_string),
            seen: seen
                .map(|(key, seen)| (key.clone(), (seen.age.as_millis(), seen.value.clone())))
                .collect(),
        };
        save(&self.dir.join("observed"), OBSERVED, &file)
    }
}

/// The shape of the file of what was observed.
const OBSERVED: u32 = 1;

#[derive(Default, Serialize, Deserialize)]
struct ObservedFile {
    last: Option<String>,
    /// For how many milliseconds each value was seen unchanged, and the value.
    seen: BTreeMap<String, (u64, String)>,
}

/// The key under which an agent's sign in one clone is observed.
pub fn agent_key(agent: &AgentName, clone: &CloneId) -> String {
    format!("{agent}@{clone}")
}

fn value_of(sign: &Sign) -> String {
    format!("{} {}", sign.at.0, u8::from(sign.signed_off))
}

/// Tells whether an observed sign says that its agent has signed off.
pub fn says_goodbye(seen: &Seen) -> bool {
    seen.value.ends_with(" 1")
}

/// The key under which a claim is observed.
pub fn claim_key(claim: &Claim) -> String {
    format!("claim {} {:016x}", claim.id, claim.nonce)
}

/// Returns the time since this machine was started, sleep included.
pub fn uptime() -> Uptime {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    let time = clock_gettime(clock);
    let millis = time.tv_sec.unsigned_abs() * 1000 + time.tv_nsec.unsigned_abs() / 1_000_000;
    Uptime {
        boot: boot_id().unwrap_or_default().to_owned(),
        millis,
    }
}
