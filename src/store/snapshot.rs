//! The record and the claims table as they were at one moment.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use crate::format;
use crate::git::{Mode, Oid, TreeEntry};
use crate::model::claim::Table;
use crate::model::id::{Fence, IdPrefix, TaskId};
use crate::model::moment::Moment;
use crate::model::queue::Dependency;
use crate::model::task::{Status, Task};
use crate::model::time::Timestamp;

use super::cache::Cache;
use super::entry::Entry;
use super::restore::{Readable, highest_within};
use super::shelf::{self, Quarantined, RecordFile, Shelf, Slot};
use super::team::{Rules, Team};
use super::{Store, StoreError, layout, table};

/// One version of everything, read as far as it is asked for.
pub struct Snapshot<'s> {
    store: &'s Store,
    /// The tip of the record.
    pub tip: Oid,
    /// The tree of the record's tip.
    pub tree: Oid,
    /// The date of the record's tip.
    committed: Timestamp,
    /// The tip of the claims table; a new team has none.
    pub table_tip: Option<Oid>,
    root: BTreeMap<Vec<u8>, (Mode, Oid)>,
    open: OnceCell<Shelf>,
    archive: OnceCell<Shelf>,
    pub(super) team: OnceCell<Team>,
    pub(super) rules: OnceCell<Rules>,
    table: OnceCell<Table>,
    /// What the table was when it could last be read, if it cannot be now.
    last_table: OnceCell<Readable>,
}

/// What an id or its beginning stands for.
#[derive(Debug)]
pub enum Found<'s> {
    One(&'s Entry),
    /// Several; their ids and titles.
    Many(Vec<(TaskId, String)>),
    None,
}

impl Store {
    /// Reads both refs and returns what they stand for.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotInitialised`] if there is no record, [`StoreError::Foreign`] if there is
    /// a branch of that name which is not ours.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, StoreError> {
        let tip = self
            .repo
            .read_ref(&self.record)?
            .ok_or_else(|| self.not_initialised())?;
        let table_tip = self.repo.read_ref(&self.claims)?;
        self.snapshot_at(tip, table_tip)
    }

    /// Returns what these two commits stand for.
    pub fn snapshot_at(
        &self,
        tip: Oid,
        table_tip: Option<Oid>,
    ) -> Result<Snapshot<'_>, StoreError> {
        let commit = self.repo.read_commit(tip)?;
        let tree = commit.tree;
        let root: BTreeMap<Vec<u8>, (Mode, Oid)> = self
            .repo
            .read_tree(tree)?
            .into_iter()
            .filter(TreeEntry::is_named)
            .map(|entry| (entry.name, (entry.mode, entry.oid)))
            .collect();
        let snapshot = Snapshot {
            store: self,
            tip,
            tree,
            committed: Timestamp(commit.committer.time.saturating_mul(1000)),
            table_tip,
            root,
            open: OnceCell::new(),
            archive: OnceCell::new(),
            team: OnceCell::new(),
            rules: OnceCell::new(),
            table: OnceCell::new(),
            last_table: OnceCell::new(),
        };
        snapshot.check_ours()?;
        Ok(snapshot)
    }
}

impl<'s> Snapshot<'s> {
    pub fn store(&self) -> &'s Store {
        self.store
    }

    /// Returns the moment of what happens on top of this at `now`.
    pub fn moment(&self, now: Timestamp) -> Moment {
        Moment::new(now, self.committed)
    }

    /// A branch that somebody else named `reflectt` must never be written to.
    fn check_ours(&self) -> Result<(), StoreError> {
        if let Some(config) = self.root_entry(layout::CONFIG)
            && let Ok(bytes) = config.read(&self.store.repo)?
            && format::parse_settings(&bytes).is_ok_and(|config| config.log.is_founded())
        {
            return Ok(());
        }
        // The settings may have been damaged by hand, so ask the history: every record has the
        // same first commit. It is named and not written, as this may be no record.
        let root = self.store.repo.name_commit(&self.store.root())?;
        if self.store.repo.is_ancestor(root, self.tip)? {
            return Ok(());
        }
        let reason = "it does not start with reflectt's first commit".to_owned();
        Err(StoreError::Foreign { reason })
    }

    fn root_dir(&self, name: &str) -> Option<Oid> {
        match self.root.get(name.as_bytes()) {
            Some((Mode::Tree, oid)) => Some(*oid),
            _ => None,
        }
    }

    /// Returns the names at the root of the record.
    pub fn root_names(&self) -> impl Iterator<Item = (String, Mode)> {
        let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        self.root
            .iter()
            .map(move |(name, (mode, _))| (text(name), *mode))
    }

    pub(super) fn root_entry(&self, name: &str) -> Option<RecordFile> {
        let (mode, blob) = self.root.get(name.as_bytes())?;
        Some(RecordFile {
            path: name.to_owned(),
            mode: *mode,
            blob: *blob,
        })
    }

    /// Returns the bytes of a file at the root of the record; `None` if it cannot be read.
    pub fn root_file(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.root_entry(name) {
            Some(file) => Ok(file.read(&self.store.repo)?.ok()),
            None => Ok(None),
        }
    }

    /// Returns the tree at a path of directories.
    pub fn directory(&self, path: &str) -> Result<Option<Oid>, StoreError> {
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let Some(tree) = self.root_dir(first) else {
            return Ok(None);
        };
        if rest.is_empty() {
            return Ok(Some(tree));
        }
        let found = self.store.repo.find_path(tree, rest)?;
        Ok(found
            .filter(|entry| entry.mode == Mode::Tree)
            .map(|entry| entry.oid))
    }

    /// Tells whether a path holds a file: neither a link nor a submodule.
    pub fn is_file(&self, path: &str) -> Result<bool, StoreError> {
        let found = self.store.repo.find_path(self.tree, path)?;
        Ok(found.is_some_and(|entry| entry.mode.is_file()))
    }

    /// Lists the files below a directory, at any depth.
    pub fn files(&self, path: &str) -> Result<Vec<RecordFile>, StoreError> {
        match self.directory(path)? {
            Some(tree) => Ok(shelf::list(&self.store.repo, path, tree)?),
            None => Ok(Vec::new()),
        }
    }

    fn shelf(&self, directory: &str) -> Result<Shelf, StoreError> {
        let Some(tree) = self.root_dir(directory) else {
            return Ok(Shelf::default());
        };
        let cache = Cache::new(&self.store.repo, &self.store.dir, directory);
        let mut cached = cache.load();
        if cached.tree == Some(tree) {
            return Ok(cached.shelf);
        }
        let changes = self.changes_since(directory, &cached.shelf, cached.tree, tree)?;
        let mut fresh = std::mem::take(&mut cached.shelf);
        fresh.apply(changes.clone());
        cache.save(&cached, &fresh, tree, &changes);
        Ok(fresh)
    }

    /// Reads what differs between the cached shelf and the wanted one.
    fn changes_since(
        &self,
        directory: &str,
        have: &Shelf,
        from: Option<Oid>,
        to: Oid,
    ) -> Result<Vec<(String, Slot)>, StoreError> {
        let repo = &self.store.repo;
        let diff = match from {
            Some(from) => repo.diff_named(Some(from), to).ok(),
            None => None,
        };
        let mut changes = Vec::new();
        if let Some(diff) = diff {
            for change in diff {
                let slot = match RecordFile::after(directory, &change) {
                    Some(file) => shelf::read_slot(repo, &file)?,
                    None => Slot::Empty,
                };
                changes.push((format!("{directory}/{}", change.path_text()), slot));
            }
            self.find_good(directory, &mut changes)?;
            return Ok(changes);
        }
        // The cached tree is gone, as after a `git gc`: what has the same blob is still right.
        let known: BTreeMap<&str, Oid> = (have.entries.iter().map(|e| (e.path(), e.blob())))
            .chain(have.bad.iter().map(|b| (b.path.as_str(), b.blob)))
            .collect();
        let mut left = known.clone();
        for file in shelf::list(repo, directory, to)? {
            left.remove(file.path.as_str());
            if known.get(file.path.as_str()) != Some(&file.blob) {
                let slot = shelf::read_slot(repo, &file)?;
                changes.push((file.path, slot));
            }
        }
        changes.extend(left.into_keys().map(|path| (path.to_owned(), Slot::Empty)));
        self.find_good(directory, &mut changes)?;
        Ok(changes)
    }

    /// Finds the last good versions of what is bad among the changes, all in one look at history.
    fn find_good(&self, directory: &str, changes: &mut [(String, Slot)]) -> Result<(), StoreError> {
        let mut bad: HashMap<&str, &mut Quarantined> = HashMap::new();
        for (path, slot) in changes {
            if let Slot::Bad(found) = slot {
                bad.insert(path, found);
            }
        }
        self.store.find_good(self.tip, directory, bad)
    }

    pub(super) fn open_shelf(&self) -> Result<&Shelf, StoreError> {
        get_or_try(&self.open, || self.settle(self.shelf(layout::TASKS)?))
    }

    pub(super) fn archive_shelf(&self) -> Result<&Shelf, StoreError> {
        get_or_try(&self.archive, || self.settle(self.shelf(layout::ARCHIVE)?))
    }

    /// Returns the open tasks, in the order of their ids. Their bodies are left out.
    pub fn open(&self) -> Result<&[Entry], StoreError> {
        Ok(&self.open_shelf()?.entries)
    }

    /// Returns all of every open task. Where a glance at most of them will do, [`Snapshot::open`]
    /// costs a tenth.
    pub fn open_tasks(&self) -> Result<impl Iterator<Item = &Task> + Clone, StoreError> {
        Ok(self.open()?.iter().map(Entry::task))
    }

    /// Returns the tasks that are done or cancelled.
    pub fn archived(&self) -> Result<&[Entry], StoreError> {
        Ok(&self.archive_shelf()?.entries)
    }

    /// Returns the task with this very id.
    pub fn entry(&self, id: TaskId) -> Result<Option<&Entry>, StoreError> {
        match self.open_shelf()?.get(id) {
            Some(entry) => Ok(Some(entry)),
            None => Ok(self.archive_shelf()?.get(id)),
        }
    }

    /// Returns the task whose id starts with `prefix`.
    pub fn find(&self, prefix: &IdPrefix) -> Result<Found<'_>, StoreError> {
        if let Some(id) = prefix.exact() {
            return Ok(self.entry(id)?.map_or(Found::None, Found::One));
        }
        let open = self.open_shelf()?;
        let mut all: Vec<&Entry> = open.matching(prefix);
        let closed = self.archive_shelf()?.matching(prefix);
        // One that lies at both places is still one.
        all.extend(closed.iter().filter(|entry| open.get(entry.id()).is_none()));
        match all.as_slice() {
            [] => Ok(Found::None),
            [one] => Ok(Found::One(one)),
            many => {
                let name = |entry: &&Entry| (entry.id(), entry.task().title.clone());
                Ok(Found::Many(many.iter().map(name).collect()))
            }
        }
    }

    /// Returns how a task that another waits for stands.
    pub fn dependency(&self, id: TaskId) -> Result<Dependency, StoreError> {
        Ok(match self.entry(id)?.map(|entry| entry.glance().status) {
            Some(Status::Done) => Dependency::Done,
            Some(Status::Cancelled) => Dependency::Cancelled,
            Some(_) => Dependency::Open,
            None => Dependency::Unknown,
        })
    }

    /// Returns who holds what.
    ///
    /// # Errors
    ///
    /// [`StoreError::is_table`] if it cannot be known: whatever follows from the table waits until
    /// it is mended.
    pub fn table(&self) -> Result<&Table, StoreError> {
        get_or_try(&self.table, || match self.table_tip {
            Some(tip) => table::read(&self.store.repo, tip),
            None => self.first_table(),
        })
    }

    /// Returns who holds what, or `None` if that cannot be known: for what can wait until it can.
    pub fn known_table(&self) -> Result<Option<&Table>, StoreError> {
        match self.table() {
            Ok(table) => Ok(Some(table)),
            Err(damage) if damage.is_table() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns who holds what by the last version of the table that can be read, and why that is
    /// not the present one.
    ///
    /// For whoever only shows it, and for enforcement: nothing may be granted by it.
    pub fn table_in_force(&self) -> Result<(&Table, Option<StoreError>), StoreError> {
        match self.table() {
            Ok(table) => Ok((table, None)),
            Err(damage) if damage.is_table() => Ok((&self.last_table()?.table, Some(damage))),
            Err(error) => Err(error),
        }
    }

    /// Returns the last version of the table that can be read and believed; without one, what the
    /// record knows.
    pub fn last_table(&self) -> Result<&Readable, StoreError> {
        get_or_try(&self.last_table, || {
            let mut found = match self.table_tip {
                Some(tip) => self.store.readable_table(tip)?,
                None => Readable::default(),
            };
            found.fence = self.highest_fence(found.fence)?;
            if found.commit.is_none() {
                found.table = Table::of_record(self.open_tasks()?, found.fence);
            }
            Ok(found)
        })
    }

    /// Returns the table of a team in which nobody has claimed anything yet.
    ///
    /// Where the record knows of claims, somebody deleted the table, or this clone never had it:
    /// taken for empty, what is held would be given to somebody else.
    fn first_table(&self) -> Result<Table, StoreError> {
        match self.highest_fence(Fence::default())? {
            Fence(0) => Ok(Table::default()),
            fence => Err(StoreError::TableLost { fence }),
        }
    }

    /// Returns the highest fence that the record knows and that can have been given out, where
    /// `sure` was.
    fn highest_fence(&self, sure: Fence) -> Result<Fence, StoreError> {
        let all = self.open()?.iter().chain(self.archived()?);
        let fences = all.map(|entry| entry.glance().last_fence);
        Ok(highest_within(sure, fences))
    }
}

/// `OnceCell::get_or_try_init`, which is not stable yet.
pub(super) fn get_or_try<T, E>(
    cell: &OnceCell<T>,
    init: impl FnOnce() -> Result<T, E>,
) -> Result<&T, E> {
    if cell.get().is_none() {
        let value = init()?;
        return Ok(cell.get_or_init(|| value));
    }
    Ok(cell.get().expect("it was found to be set"))
}
