//! What differs between two trees.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{GitError, Mode, Oid, Repo, TreeEntry};

/// One path that differs. Directories are not named, only what is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path from the root, separated by `/`.
    pub path: Vec<u8>,
    pub old: Option<Oid>,
    pub new: Option<Oid>,
    /// What the path held in the old tree.
    pub old_mode: Option<Mode>,
    /// What the path holds in the new tree.
    pub mode: Option<Mode>,
}

impl Change {
    /// Returns what the path held if that was a file; see [`Mode::is_file`].
    pub fn old_file(&self) -> Option<Oid> {
        self.old
            .filter(|_| self.old_mode.is_some_and(Mode::is_file))
    }

    /// Returns what the path holds if that is a file.
    pub fn new_file(&self) -> Option<Oid> {
        self.new.filter(|_| self.mode.is_some_and(Mode::is_file))
    }

    /// Returns the path as text, with a replacement character where it is not UTF-8.
    pub fn path_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.path)
    }
}

impl Repo {
    /// Returns what differs between two trees, ordered as in the trees.
    ///
    /// Sub-directories that are the same in both are not read, so the cost grows with what changed
    /// and not with what there is. A change of mode alone is none, unless a file becomes something else.
    pub fn diff_trees(&self, old: Option<Oid>, new: Oid) -> Result<Vec<Change>, GitError> {
        self.diff_of(old, new, |_| true)
    }

    /// Does the same, and leaves out what no path can name; see [`TreeEntry::is_named`].
    pub fn diff_named(&self, old: Option<Oid>, new: Oid) -> Result<Vec<Change>, GitError> {
        self.diff_of(old, new, TreeEntry::is_named)
    }

    fn diff_of(
        &self,
        old: Option<Oid>,
        new: Oid,
        keep: fn(&TreeEntry) -> bool,
    ) -> Result<Vec<Change>, GitError> {
        let mut changes = Vec::new();
        if old != Some(new) {
            self.compare(&mut Vec::new(), old, Some(new), keep, &mut changes)?;
        }
        Ok(changes)
    }

    fn compare(
        &self,
        path: &mut Vec<u8>,
        old: Option<Oid>,
        new: Option<Oid>,
        keep: fn(&TreeEntry) -> bool,
        changes: &mut Vec<Change>,
    ) -> Result<(), GitError> {
        let entries = |tree: Option<Oid>| match tree {
            Some(tree) => self.read_tree(tree),
            None => Ok(Vec::new()),
        };
        let (old, new) = (entries(old)?, entries(new)?);
        let mut old = old.iter().filter(|entry| keep(entry)).peekable();
        let mut new = new.iter().filter(|entry| keep(entry)).peekable();
        loop {
            // A file and a directory of one name sort apart, and so are a removal and an addition.
            let (before, after) = match (old.peek(), new.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => (old.next(), None),
                (None, Some(_)) => (None, new.next()),
                (Some(a), Some(b)) => match a.sort_key().cmp(b.sort_key()) {
                    Ordering::Less => (old.next(), None),
                    Ordering::Greater => (None, new.next()),
                    Ordering::Equal => (old.next(), new.next()),
                },
            };
            let kind = |entry: &TreeEntry| (entry.oid, entry.mode.is_file());
            if before.map(kind) == after.map(kind) {
                continue;
            }
            let old_mode = before.map(|entry| entry.mode);
            let Some(name) = before.or(after).map(|entry| &entry.name) else {
                continue;
            };
            let length = path.len();
            path.extend_from_slice(name);
            let is_tree = |entry: Option<&TreeEntry>| entry.is_some_and(|e| e.mode == Mode::Tree);
            let (old, new) = (before.map(|e| e.oid), after.map(|e| e.oid));
            let mode = after.map(|entry| entry.mode);
            if is_tree(before) || is_tree(after) {
                path.push(b'/');
                self.compare(path, old, new, keep, changes)?;
            } else {
                changes.push(Change {
                    path: path.clone(),
                    old,
                    new,
                    old_mode,
                    mode,
                });
            }
            path.truncate(length);
        }
    }
}
