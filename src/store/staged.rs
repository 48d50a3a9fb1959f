//! The staged chain: what processes of this clone have decided and the remote has not yet taken.
//!
//! A push takes as long as the remote wants, a decision some milliseconds. So each process decides
//! for itself, on top of what those before it have decided, and whoever holds the turn to push
//! pushes all of it at once: the commits build upon each other, and the last has them all. Nothing
//! of it is in the refs before the remote has it.
//!
//! The file of the chain is a matter of speed. Where it is lost, damaged or overwritten, whoever
//! finds itself neither in it nor confirmed decides again. What was confirmed, the refs tell.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::git::{Acquired, AdvisoryLock, GitError, Oid, Pushed, Relation, Step};

use super::local::{load, save};
use super::{Link, Store, StoreError, Tips};

/// The file of the chain, and its shape.
pub(super) const STAGED: &str = "staged.json";
const SHAPE: u32 = 1;

/// What was decided on top of the remote's tips, in order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Staged {
    /// What the remote is expected to hold.
    pub onto: Tips,
    links: Vec<StagedLink>,
    /// What was pushed for whom when the remote did not answer, and why it did not.
    failed: BTreeMap<String, Unanswered>,
}

/// A push of which it is not known whether the remote has taken it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Unanswered {
    tips: Tips,
    reason: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct StagedLink {
    ticket: String,
    tips: Tips,
}

/// Shows that whoever staged something still waits for it: a lock that ends with its process.
pub struct Ticket {
    name: String,
    path: PathBuf,
    _lock: AdvisoryLock,
}

/// What has become of something staged.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    Waiting,
    Confirmed,
    /// The remote had something else by then, or one of the chain had died: decide again.
    Dropped,
    /// The remote did not answer, so it is not known whether it has taken it.
    Unanswered(String),
}

/// How a turn at pushing ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Led {
    Moved,
    /// There is nothing to push any more.
    Nothing,
    /// The remote has something else: it has to be asked, and then the chain dropped.
    Behind,
}

impl Staged {
    /// Returns what the next decision builds upon; `None` if nothing is staged.
    pub fn tip(&self) -> Option<Tips> {
        self.links.last().map(|link| link.tips)
    }

    /// Returns what was pushed for this ticket, with all that was staged beside it, if the remote
    /// did not answer.
    pub fn unanswered(&self, ticket: &Ticket) -> Option<Tips> {
        self.failed.get(&ticket.name).map(|it| it.tips)
    }

    fn has_ticket(&self, ticket: &Ticket) -> bool {
        self.links.iter().any(|link| link.ticket == ticket.name)
    }

    /// Tells whether a version of the table is part of the chain.
    pub fn has(&self, table: Option<Oid>) -> bool {
        self.links.iter().any(|link| link.tips.table == table)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

impl Store {
    fn waiting_dir(&self) -> PathBuf {
        self.dir.join("waiting")
    }

    /// Draws a ticket: as long as it is there, what is staged with it is wanted.
    pub fn ticket(&self) -> Result<Ticket, StoreError> {
        loop {
            let name = format!("{:016x}", fastrand::u64(..));
            let path = self.waiting_dir().join(&name);
            if path.exists() {
                continue;
            }
            if let Some(lock) = AdvisoryLock::try_acquire(&path)? {
                return Ok(Ticket {
                    name,
                    path,
                    _lock: lock,
                });
            }
        }
    }

    fn is_waiting(&self, ticket: &str) -> bool {
        let path = self.waiting_dir().join(ticket);
        // Asking must not make the file.
        path.exists() && AdvisoryLock::is_held(&path).unwrap_or(false)
    }

    /// Tells whether anything is staged by a process that is gone.
    pub fn is_abandoned(&self) -> bool {
        let staged = self.staged();
        staged.links.iter().any(|it| !self.is_waiting(&it.ticket))
    }

    /// Reads the chain; an empty one if there is none, or none that can be read.
    pub fn staged(&self) -> Staged {
        load(&self.staged_path(), SHAPE)
    }

    fn staged_path(&self) -> PathBuf {
        self.dir.join(STAGED)
    }

    fn write_staged(&self, staged: &Staged) -> Result<(), StoreError> {
        let path = self.staged_path();
        if staged.links.is_empty() && staged.failed.is_empty() {
            return match fs::remove_file(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => Err(StoreError::Local {
                    doing: "remove",
                    path,
                    source,
                }),
                _ => Ok(()),
            };
        }
        save(&path, SHAPE, staged)
    }

    /// Adds what was decided on top of the chain, or of `onto` if nothing is staged.
    ///
    /// To be called with the lock that decisions are made under.
    pub fn stage(&self, ticket: &Ticket, onto: Tips, tips: Tips) -> Result<(), StoreError> {
        let mut staged = self.staged();
        if staged.onto != onto {
            staged.onto = onto;
            staged.links.clear();
        }
        staged.failed.retain(|ticket, _| self.is_waiting(ticket));
        staged.links.push(StagedLink {
            ticket: ticket.name.clone(),
            tips,
        });
        self.write_staged(&staged)
    }

    /// Forgets what is staged; whoever waits for it decides again.
    pub fn drop_staged(&self) -> Result<(), StoreError> {
        let mut staged = self.staged();
        staged.links.clear();
        self.write_staged(&staged)
    }

    /// Tells what has become of what was staged with `ticket`.
    pub fn fate(&self, link: &Link, ticket: &Ticket, tips: Tips) -> Result<Fate, StoreError> {
        // The chain first: what leaves it because it was confirmed is in the refs by then.
        let staged = self.staged();
        if staged.has_ticket(ticket) {
            return Ok(Fate::Waiting);
        }
        if self.is_confirmed(link, tips)? {
            return Ok(Fate::Confirmed);
        }
        Ok(match staged.failed.get(&ticket.name) {
            Some(failed) => Fate::Unanswered(failed.reason.clone()),
            None => Fate::Dropped,
        })
    }

    /// Tells whether the remote has this version of the table, or one that follows it.
    pub fn is_confirmed(&self, link: &Link, tips: Tips) -> Result<bool, StoreError> {
        let known = self.tracking_tips(link)?;
        match (known.table, tips.table) {
            (Some(known), Some(ours)) => {
                let relation = self.repo.relation(known, ours)?;
                Ok(matches!(relation, Relation::Same | Relation::Ahead))
            }
            _ => Ok(false),
        }
    }

    /// Takes the turn to push, if nobody has it.
    pub fn turn_to_push(&self) -> Result<Option<AdvisoryLock>, StoreError> {
        Ok(AdvisoryLock::try_acquire(&self.dir.join("push.lock"))?)
    }

    /// Waits at most `limit` for the turn to push; goes on without it then.
    pub fn wait_for_turn(&self, limit: Duration) -> Result<Acquired, StoreError> {
        Ok(AdvisoryLock::acquire(&self.dir.join("push.lock"), limit)?)
    }

    /// Pushes what is staged, and moves the refs here once the remote has it.
    ///
    /// For whoever has the turn to push. Nobody is served who does not wait any more: a chain with
    /// such a link is dropped, and the others decide again.
    ///
    /// # Errors
    ///
    /// [`GitError::Unreachable`] if the remote does not answer; all that were in the chain are
    /// told the same.
    pub fn lead(&self, link: &Link, limit: Duration, subject: &str) -> Result<Led, StoreError> {
        let lock = self.queue();
        let staged = self.staged();
        let Some(tip) = staged.tip() else {
            return Ok(Led::Nothing);
        };
        let wanted = staged.links.iter().all(|it| self.is_waiting(&it.ticket));
        if !wanted || staged.onto != self.tracking_tips(link)? {
            self.drop_staged()?;
            return Ok(Led::Nothing);
        }
        drop(lock);
        let (table, record) = staged.onto.steps_to(tip);
        let done = self.push_untracked(link, table, record, limit);
        let _lock = self.queue();
        let pushed = match done {
            Ok(pushed) => pushed,
            Err(error) => {
                if let StoreError::Git(GitError::Unreachable { reason, .. }) = &error {
                    self.tell_unanswered(&staged, reason)?;
                } else {
                    self.drop_staged()?;
                }
                return Err(error);
            }
        };
        for (result, name) in [
            (&pushed.table, link.claims_on_remote()),
            (&pushed.record, link.record_on_remote()),
        ] {
            match result {
                None | Some(Pushed::Moved | Pushed::Together) => {}
                Some(Pushed::Stale) => return Ok(Led::Behind),
                Some(Pushed::Refused { reason }) => {
                    self.drop_staged()?;
                    return Err(StoreError::RemoteRefuses {
                        remote: link.name.clone(),
                        name: name.to_string(),
                        reason: reason.clone(),
                    });
                }
            }
        }
        if pushed.table != Some(Pushed::Moved) {
            return Ok(Led::Behind);
        }
        self.arrive(link, &pushed, (table, record), tip, subject)?;
        self.note_pushed();
        // What was staged meanwhile builds upon what the remote has now.
        let mut rest = self.staged();
        let done = staged.links.len();
        let same = rest.onto == staged.onto && rest.links.len() >= done;
        rest.onto = tip;
        rest.links
            .drain(..if same { done } else { rest.links.len() });
        self.write_staged(&rest)?;
        Ok(Led::Moved)
    }

    /// Makes the refs here follow what the remote has taken.
    fn arrive(
        &self,
        link: &Link,
        pushed: &super::PushedTips,
        (table, record): (Option<Step>, Option<Step>),
        tip: Tips,
        subject: &str,
    ) -> Result<(), StoreError> {
        let local = self.local_tips()?;
        let here = match (local.record, tip.record) {
            (Some(here), Some(tip)) => match self.repo.relation(here, tip)? {
                Relation::Behind => Some(tip),
                Relation::Same | Relation::Ahead => None,
                Relation::Diverged => Some(self.merge_records(here, tip)?.commit),
            },
            (_, tip) => tip,
        };
        let here = (
            Step::between(local.table, tip.table),
            Step::between(local.record, here),
        );
        if !self.settle(link, pushed, (table, record), here, subject)?
            && let Some(record) = tip.record
        {
            self.bring_in(tip.table, record, subject)?;
        }
        Ok(())
    }

    fn tell_unanswered(&self, told: &Staged, reason: &str) -> Result<(), StoreError> {
        let mut staged = self.staged();
        staged.links.clear();
        for link in &told.links {
            let failed = Unanswered {
                tips: told.tip().unwrap_or(link.tips),
                reason: reason.to_owned(),
            };
            staged.failed.insert(link.ticket.clone(), failed);
        }
        self.write_staged(&staged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::TestRepo;

    #[test]
    fn whoever_gets_no_answer_knows_what_was_pushed_with_its_own() {
        let repo = TestRepo::init(&[]);
        let store = Store::new(repo.open());
        let tips = |digit: &str| Tips {
            record: None,
            table: Some(Oid::parse(&digit.repeat(40)).unwrap()),
        };
        let [first, second, late] = [(); 3].map(|()| store.ticket().unwrap());
        store.stage(&first, Tips::default(), tips("1")).unwrap();
        store.stage(&second, Tips::default(), tips("2")).unwrap();
        store.tell_unanswered(&store.staged(), "silence").unwrap();
        let staged = store.staged();
        assert_eq!(staged.unanswered(&first), Some(tips("2")));
        assert_eq!(staged.unanswered(&second), Some(tips("2")));
        assert_eq!(staged.unanswered(&late), None);
        assert_eq!(staged.tip(), None);
    }
}
