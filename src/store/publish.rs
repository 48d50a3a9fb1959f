//! Publishing: objects first, then one transaction of refs that either happens or does not.

use std::time::Duration;

use crate::git::{
    Acquired, Advisory, AdvisoryLock, NewCommit, Oid, RefOutcome, RefStore, RefUpdate, Signature,
    Step,
};
use crate::model::name::Author;
use crate::model::settings::SettingsLog;

use super::{Changes, Origin, Snapshot, Store, StoreError, table};

/// The longest pause before an operation is decided anew because others were faster.
const PAUSE: Duration = Duration::from_millis(50);

/// How long to queue for the advisory lock before going on without it.
const QUEUE: Duration = Duration::from_secs(10);

/// Marks commits made by reflectt. Those without it may have been made by hand.
pub const VERSION_TRAILER: &str = "Reflectt-Version";

/// The longest subject of a commit, in characters.
const SUBJECT_MAX: usize = 100;

/// How publishing ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Published {
    /// The refs moved; the new tip of the record.
    Moved(Oid),
    /// There was nothing to write.
    Unchanged,
    /// Somebody else moved a ref first.
    Lost,
}

/// New commits, and where they go.
struct Written {
    table: Option<Step>,
    record: Option<Step>,
}

/// What an operation wants done after it has looked at a snapshot.
pub enum Turn<T> {
    /// Nothing is written.
    Answer(T),
    /// Write this, and answer if it worked.
    Publish(Box<Changes>, T),
}

impl Store {
    /// Reads, decides and publishes, again and again until what was decided is published.
    ///
    /// `act` is called with the state as it stands and must depend on nothing else. The lock
    /// around it makes writers on this machine queue, which saves the work of those that would
    /// lose; whether it is held changes nothing about the result, because the refs are moved by
    /// compare-and-swap. So a lock that cannot be had is not an error, and one that a killed
    /// process held is freed by the kernel.
    ///
    pub fn transact<T, E: From<StoreError>>(
        &self,
        mut act: impl FnMut(&Snapshot) -> Result<(Turn<T>, Origin), E>,
    ) -> Result<T, E> {
        let lock = self.queue();
        let mut patience = self.patience();
        loop {
            let snapshot = self.snapshot()?;
            let (turn, origin) = act(&snapshot)?;
            let (changes, answer) = match turn {
                Turn::Answer(answer) => return Ok(answer),
                Turn::Publish(changes, answer) => (changes, answer),
            };
            match self.publish(&snapshot, &changes, &origin, advisory(lock.as_ref()))? {
                Published::Moved(_) | Published::Unchanged => return Ok(answer),
                Published::Lost => patience.lost_with_pause(PAUSE)?,
            }
        }
    }

    /// Waits for this clone's advisory lock; `None` if it cannot be had.
    ///
    /// On a file system that is full or read-only there is none. Then the write itself fails, and
    /// says why better than the lock could.
    pub fn queue(&self) -> Option<AdvisoryLock> {
        match AdvisoryLock::acquire(&self.dir.join("lock"), QUEUE) {
            Ok(Acquired::Held(lock)) => Some(lock),
            // Some file systems of networks know no locks.
            Ok(Acquired::TimedOut) | Err(_) => None,
        }
    }

    /// Writes `changes` on top of `snapshot`, and moves the refs of this clone.
    pub fn publish(
        &self,
        snapshot: &Snapshot,
        changes: &Changes,
        origin: &Origin,
        advisory: Advisory,
    ) -> Result<Published, StoreError> {
        let written = self.write(snapshot, changes, origin)?;
        let tip = written.record.map_or(snapshot.tip, |step| step.to);
        if written.table.is_none() && written.record.is_none() {
            return Ok(Published::Unchanged);
        }
        let mut updates = Vec::new();
        // The table comes first: a process killed between the two refs leaves a claim without
        // its record, which the next command mends, and never a record that lies.
        for (step, name) in [
            (written.table, &self.claims),
            (written.record, &self.record),
        ] {
            updates.extend(step.map(|step| step.of(name.clone())));
        }
        // What goes into the table was decided by the record, too. Read between the two refs of
        // another's transaction, an old record could have its way over a new table.
        if written.record.is_none() {
            let stays = Some(snapshot.tip);
            updates.push(RefUpdate {
                name: self.record.clone(),
                from: stays,
                to: stays,
            });
        }
        match self.move_refs(&updates, &changes.subject, advisory)? {
            RefOutcome::Moved => Ok(Published::Moved(tip)),
            RefOutcome::Lost { .. } => Ok(Published::Lost),
        }
    }

    /// Writes the objects of `changes`, and says which refs they are for.
    fn write(
        &self,
        snapshot: &Snapshot,
        changes: &Changes,
        origin: &Origin,
    ) -> Result<Written, StoreError> {
        let mut written = Written {
            table: None,
            record: None,
        };
        if let Some(new) = &changes.table {
            let old = match snapshot.table_tip {
                Some(tip) => Some((tip, snapshot.table()?)),
                None => None,
            };
            let tree = table::write(&self.repo, old, new)?;
            let message = table_message(&changes.subject);
            let parents = snapshot.table_tip.into_iter().collect();
            written.table = Some(Step {
                from: snapshot.table_tip,
                to: self.commit(tree, parents, message, origin)?,
            });
        }
        if changes.touches_record() {
            let edits = changes.edits(snapshot)?;
            let edits = edits.iter().map(|(path, blob)| (path.as_str(), *blob));
            let mut tree = self.repo.edit_tree(Some(snapshot.tree), edits)?;
            if changes.drop_unnamed {
                tree = self.repo.without_unnamed(tree)?;
            }
            if tree != snapshot.tree {
                let message = message(&changes.subject);
                written.record = Some(Step {
                    from: Some(snapshot.tip),
                    to: self.commit(tree, vec![snapshot.tip], message, origin)?,
                });
            }
        }
        Ok(written)
    }

    /// Writes the commits of `changes` on top of `snapshot`, and moves no ref.
    ///
    /// Returns the tips that would follow: of the record, and of the table.
    pub fn compose(
        &self,
        snapshot: &Snapshot,
        changes: &Changes,
        origin: &Origin,
    ) -> Result<super::Tips, StoreError> {
        let written = self.write(snapshot, changes, origin)?;
        Ok(super::Tips {
            record: Some(written.record.map_or(snapshot.tip, |step| step.to)),
            table: written.table.map(|step| step.to).or(snapshot.table_tip),
        })
    }

    pub(super) fn move_refs(
        &self,
        updates: &[RefUpdate],
        subject: &str,
        advisory: Advisory,
    ) -> Result<RefOutcome, StoreError> {
        let refs = self.repo.ref_store(advisory);
        let outcome = refs.update(updates, &format!("reflectt: {}", one_line(subject)));
        self.removed_locks
            .borrow_mut()
            .extend(refs.take_removed_locks());
        Ok(outcome?)
    }

    pub(super) fn commit(
        &self,
        tree: Oid,
        parents: Vec<Oid>,
        message: String,
        origin: &Origin,
    ) -> Result<Oid, StoreError> {
        let mut time = origin.now.0.div_euclid(1000);
        // Never before its parents: a clock that is behind must not make history hard to walk.
        for parent in &parents {
            time = time.max(self.repo.read_commit(*parent)?.committer.time);
        }
        let signature = signature(&origin.author, time);
        let committer = signature.clone();
        Ok(self.repo.write_commit(&NewCommit {
            tree,
            parents,
            author: signature,
            committer,
            message,
        })?)
    }

    /// Returns the first commit of every record: the same bytes in every repository, so that
    /// records which were founded apart share their history.
    pub(super) fn root(&self) -> NewCommit {
        let signature = signature(&Author::reflectt(), 1_577_836_800);
        NewCommit {
            tree: self.repo.empty_tree(),
            parents: Vec::new(),
            author: signature.clone(),
            committer: signature,
            message: "the record of a team, kept by reflectt\n".to_owned(),
        }
    }

    /// Writes the first commit of every record.
    pub fn root_commit(&self) -> Result<Oid, StoreError> {
        self.repo.edit_tree(None, [])?;
        Ok(self.repo.write_commit(&self.root())?)
    }

    /// Founds the record. Does nothing if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Foreign`] if the branch exists and is not a record; it is left alone.
    pub fn found(
        &self,
        log: SettingsLog,
        board: String,
        origin: &Origin,
    ) -> Result<bool, StoreError> {
        let lock = self.queue();
        let advisory = advisory(lock.as_ref());
        let mut patience = self.patience();
        loop {
            match self.snapshot() {
                Ok(_) => return Ok(false),
                Err(StoreError::NotInitialised { .. }) => {}
                Err(error) => return Err(error),
            }
            debug_assert!(log.is_founded());
            let root = self.root_commit()?;
            let config = crate::format::print_settings(&log);
            let config = self.repo.write_blob(config.as_bytes())?;
            let readme = self.repo.write_blob(board.as_bytes())?;
            let files = [
                (super::layout::CONFIG, Some(config)),
                (super::layout::README, Some(readme)),
            ];
            let tree = self.repo.edit_tree(None, files)?;
            let tip = self.commit(tree, vec![root], message("init: a team starts"), origin)?;
            let made = Step {
                from: None,
                to: tip,
            };
            let update = made.of(self.record.clone());
            if self.move_refs(&[update], "init", advisory)? == RefOutcome::Moved {
                return Ok(true);
            }
            patience.lost()?;
        }
    }
}

/// Says whether the refs are moved with the lock of this clone held.
pub fn advisory(lock: Option<&AdvisoryLock>) -> Advisory {
    match lock {
        Some(_) => Advisory::Held,
        None => Advisory::NotHeld,
    }
}

/// Agents have no address; `.invalid` promises that none will ever answer (RFC 2606).
pub(super) fn signature(author: &Author, seconds: i64) -> Signature {
    let local: String = author
        .as_str()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                c
            } else {
                '.'
            }
        })
        .collect();
    Signature {
        name: author.to_string(),
        email: format!("{}@reflectt.invalid", local.trim_matches('.')),
        time: seconds,
        offset: 0,
    }
}

/// Two writers with the same words would make the same object, and both be told that it is in
/// place. The nonce makes every version of the table its own.
///
/// No forge builds this ref and few people read it, so the rest is short: every claim stays in
/// the history for ever.
pub(super) fn table_message(subject: &str) -> String {
    let what = subject.split(':').next().unwrap_or_default();
    let nonce = fastrand::u64(..);
    format!("{}\n\nNonce: {nonce:016x}\n", one_line(what))
}

/// Nobody wants a build for a message between agents, hence `[skip ci]`.
fn message(subject: &str) -> String {
    format!(
        "{}\n\n[skip ci]\n\n{VERSION_TRAILER}: {}\n",
        one_line(subject),
        env!("CARGO_PKG_VERSION")
    )
}

fn one_line(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match clean.char_indices().nth(SUBJECT_MAX) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}
