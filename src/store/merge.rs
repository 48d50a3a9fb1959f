//! Merging two versions of the record, tree against tree.
//!
//! Only what differs between the two trees is read. Tasks, agents and settings are merged event
//! by event with [`crate::model::merge`]; of a message, *read* wins; everything is placed by its
//! merged state. No common ancestor is needed for that, and which side is whose makes no
//! difference: the same two versions give the same commit on every clone.
//!
//! Nothing is dropped: what cannot be merged because it cannot be read stays where it is, or is
//! set aside below `quarantine/`.

mod files;
mod mail;
mod tasks;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::git::{Change, GitError, Mode, NewCommit, Oid, Repo};
use crate::model::name::Author;

use super::fanout::Spread;
use super::publish::{VERSION_TRAILER, signature};
use super::{Store, StoreError, layout};

/// The commit in which two versions of the record come together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedRecord {
    pub commit: Oid,
    /// How many files differed.
    pub files: usize,
    /// Files that were set aside because something else had to take their place.
    pub set_aside: Vec<String>,
}

impl Store {
    /// Merges two versions of the record into a commit that follows both. No ref moves.
    ///
    /// The commit is a function of the two alone: its parents are ordered by name, and its date is
    /// the later of theirs.
    pub fn merge_records(&self, a: Oid, b: Oid) -> Result<MergedRecord, StoreError> {
        let (left, right) = if a < b { (a, b) } else { (b, a) };
        let (one, two) = (self.repo.read_commit(left)?, self.repo.read_commit(right)?);
        let changes = self.repo.diff_named(Some(one.tree), two.tree)?;
        let mut merge = Merge {
            store: self,
            left: Side {
                tip: left,
                tree: one.tree,
            },
            right: Side {
                tip: right,
                tree: two.tree,
            },
            base: OnceCell::new(),
            edits: BTreeMap::new(),
            set_aside: Vec::new(),
        };
        merge.run(&changes)?;
        let edits = merge.edits.iter();
        let edits = edits.map(|(path, blob)| (path.as_str(), *blob));
        let tree = self.repo.edit_tree(Some(one.tree), edits)?;
        let time = one.committer.time.max(two.committer.time);
        let author = signature(&Author::reflectt(), time);
        let version = env!("CARGO_PKG_VERSION");
        let commit = self.repo.write_commit(&NewCommit {
            tree,
            parents: vec![left, right],
            author: author.clone(),
            committer: author,
            message: format!(
                "merge what two clones wrote\n\n[skip ci]\n\n{VERSION_TRAILER}: {version}\n"
            ),
        })?;
        Ok(MergedRecord {
            commit,
            files: changes.len(),
            set_aside: merge.set_aside,
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct Side {
    tip: Oid,
    tree: Oid,
}

/// A merge in progress: edits that lead from the left tree to the merged one.
struct Merge<'s> {
    store: &'s Store,
    left: Side,
    right: Side,
    /// The tree of the last common version; needed only for files that are not ours to judge.
    base: OnceCell<Option<Oid>>,
    edits: BTreeMap<String, Option<Oid>>,
    set_aside: Vec<String>,
}

/// What a path of the record holds.
enum Place<'p> {
    Task,
    Mail { agent: &'p str },
    Immutable { directory: String, channel: bool },
    Agent,
    Settings,
    Board,
    Other,
}

impl Merge<'_> {
    fn repo(&self) -> &Repo {
        &self.store.repo
    }

    fn run(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let mut tasks = Vec::new();
        let mut mail: BTreeMap<String, Vec<&Change>> = BTreeMap::new();
        let mut immutable: BTreeMap<(String, bool), Vec<&Change>> = BTreeMap::new();
        for change in changes {
            let path = change.path_text().into_owned();
            // A directory of the record gives way to nothing.
            if layout::DIRECTORIES.contains(&path.as_str()) {
                continue;
            }
            let is_file = |mode: Option<Mode>| mode.is_none_or(Mode::is_file);
            if !is_file(change.old_mode) || !is_file(change.mode) {
                self.keep_file(&path, change);
                continue;
            }
            match place(&path) {
                Place::Task => tasks.push(path),
                Place::Mail { agent } => mail.entry(agent.to_owned()).or_default().push(change),
                Place::Immutable { directory, channel } => {
                    let entry = immutable.entry((directory, channel));
                    entry.or_default().push(change);
                }
                Place::Agent => self.agent(&path, change)?,
                Place::Settings => self.settings(&path, change)?,
                // It is rendered anew by whoever publishes next.
                Place::Board => self.greater(&path, change),
                Place::Other => self.other(&path, change)?,
            }
        }
        if !tasks.is_empty() {
            self.tasks(&tasks)?;
        }
        for (agent, changes) in mail {
            self.mail(&agent, &changes)?;
        }
        for ((directory, channel), _) in immutable {
            self.immutable(&directory, channel)?;
        }
        Ok(())
    }

    /// Takes the file, where the other side has something that is none: nobody can merge that.
    fn keep_file(&mut self, path: &str, change: &Change) {
        if change.old_file().is_none()
            && let Some(blob) = change.new_file()
        {
            self.edits.insert(path.to_owned(), Some(blob));
        }
    }

    /// Takes the greater of two versions, or the only one.
    fn greater(&mut self, path: &str, change: &Change) {
        let winner = change.old.max(change.new);
        self.edits.insert(path.to_owned(), winner);
    }

    /// Keeps the bytes of a file that another one takes the place of.
    fn aside(&mut self, path: &str, blob: Oid) {
        let place = format!("{}/{path}~{}", layout::QUARANTINE, blob.short());
        self.edits.insert(place.clone(), Some(blob));
        self.set_aside.push(place);
    }

    /// Returns the tree of the last version that both sides have seen.
    fn base(&self) -> Result<Option<Oid>, GitError> {
        if let Some(base) = self.base.get() {
            return Ok(*base);
        }
        let base = match self.repo().merge_base(self.left.tip, self.right.tip)? {
            Some(base) => Some(self.repo().read_commit(base)?.tree),
            None => None,
        };
        Ok(*self.base.get_or_init(|| base))
    }

    /// Returns what a path held in the last version that both sides have seen.
    fn base_blob(&self, path: &str) -> Result<Option<Oid>, GitError> {
        match self.base()? {
            Some(tree) => Ok(self.repo().find_path(tree, path)?.map(|entry| entry.oid)),
            None => Ok(None),
        }
    }

    /// Lists the files below a directory of one side.
    fn list(&self, side: Side, directory: &str) -> Result<BTreeMap<String, Oid>, GitError> {
        let found = self.repo().find_path(side.tree, directory)?;
        match found.filter(|entry| entry.mode == Mode::Tree) {
            Some(entry) => Ok(super::shelf::list(self.repo(), directory, entry.oid)?
                .into_iter()
                .filter(|file| file.mode.is_file())
                .map(|file| (file.path, file.blob))
                .collect()),
            None => Ok(BTreeMap::new()),
        }
    }

    /// Makes `directory` hold exactly these files, fanned out as their number asks for.
    ///
    /// `left` is what the left side has below it.
    fn arrange(
        &mut self,
        directory: &str,
        spread: Spread,
        left: &BTreeMap<String, Oid>,
        files: &BTreeMap<String, Oid>,
    ) {
        let depth = spread.depth(files.keys().map(String::as_str));
        let mut wanted: BTreeMap<String, Oid> = BTreeMap::new();
        for (file, blob) in files {
            wanted.insert(format!("{directory}/{}", spread.place(file, depth)), *blob);
        }
        for path in left.keys().filter(|path| !wanted.contains_key(*path)) {
            self.edits.entry(path.clone()).or_insert(None);
        }
        for (path, blob) in wanted {
            if left.get(&path) != Some(&blob) {
                self.edits.insert(path, Some(blob));
            }
        }
    }
}

fn place(path: &str) -> Place<'_> {
    let mut parts = path.split('/');
    let (top, second) = (parts.next().unwrap_or_default(), parts.next());
    let toml = path.ends_with(".toml");
    match (top, second, parts.next()) {
        (layout::README, None, _) => Place::Board,
        (layout::CONFIG, None, _) => Place::Settings,
        (layout::TASKS | layout::ARCHIVE, Some(_), _) if toml => Place::Task,
        (layout::AGENTS, Some(_), None) if toml => Place::Agent,
        (layout::INBOX, Some(agent), Some(_)) if is_stamped(path) => Place::Mail { agent },
        (layout::CHANNELS, Some(channel), Some(month)) if is_stamped(path) => Place::Immutable {
            directory: format!("{top}/{channel}/{month}"),
            channel: true,
        },
        (layout::REFLECTIONS, Some(month), Some(_)) if is_stamped(path) => Place::Immutable {
            directory: format!("{top}/{month}"),
            channel: false,
        },
        _ => Place::Other,
    }
}

fn is_stamped(path: &str) -> bool {
    layout::stamp_in_file_name(file_name(path)).is_some()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
