//! Changing paths in a tree without a working tree or an index.

use std::collections::BTreeMap;

use super::objects::is_name;
use super::{GitError, Mode, Oid, Repo, TreeEntry};

/// The wanted changes below one directory.
#[derive(Default)]
struct Edits<'p> {
    /// What becomes of names here: a new blob, or removal.
    here: BTreeMap<&'p [u8], Option<Oid>>,
    below: BTreeMap<&'p [u8], Edits<'p>>,
    /// An earlier edit removed or replaced what the base has here.
    emptied: bool,
    /// An edit put something below, so that no file is left here even if that was removed again.
    filled: bool,
}

impl Repo {
    /// Returns the tree that has these blobs at these paths, and else what `base` has.
    ///
    /// `None` in place of a blob removes the path, whatever it is; removing what is not there does
    /// nothing. The last edit of a path counts. A directory that becomes empty disappears, a blob
    /// takes the place of a directory at its path, and a directory that of a blob. Sub-directories
    /// without an edit are neither read nor written, and each changed one is written once.
    pub fn edit_tree<'p>(
        &self,
        base: Option<Oid>,
        edits: impl IntoIterator<Item = (&'p str, Option<Oid>)>,
    ) -> Result<Oid, GitError> {
        let mut root = Edits::default();
        for (path, blob) in edits {
            root.add(path, blob)?;
        }
        if let (Some(base), true) = (base, root.is_empty()) {
            return Ok(base);
        }
        let entries = match base {
            Some(base) => self.read_tree(base)?,
            None => Vec::new(),
        };
        let entries = self.apply(entries, root)?;
        match (base, entries) {
            (Some(base), None) => Ok(base),
            (None, None) => self.write_sorted_tree(&[]),
            (_, Some(entries)) => self.write_sorted_tree(&entries),
        }
    }

    /// Returns the entry at a path, or `None` if there is nothing.
    pub fn find_path(&self, tree: Oid, path: &str) -> Result<Option<TreeEntry>, GitError> {
        let mut tree = tree;
        let mut parts = path.split('/').peekable();
        while let Some(name) = parts.next() {
            let found = self
                .read_tree(tree)?
                .into_iter()
                .find(|entry| entry.name == name.as_bytes());
            match found {
                Some(entry) if parts.peek().is_none() => return Ok(Some(entry)),
                Some(entry) if entry.mode == Mode::Tree => tree = entry.oid,
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Returns what no path can name below `tree`, as text; see [`TreeEntry::is_named`].
    pub fn unnamed(&self, tree: Oid) -> Result<Vec<String>, GitError> {
        let mut found = Vec::new();
        let mut waiting = vec![(String::new(), tree)];
        while let Some((directory, tree)) = waiting.pop() {
            for entry in self.read_tree(tree)? {
                let path = format!("{directory}{}", String::from_utf8_lossy(&entry.name));
                if !entry.is_named() {
                    found.push(path);
                } else if entry.mode == Mode::Tree {
                    waiting.push((format!("{path}/"), entry.oid));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Returns `tree` without what no path can name.
    pub fn without_unnamed(&self, tree: Oid) -> Result<Oid, GitError> {
        let mut kept = self.read_tree(tree)?;
        let before = kept.clone();
        kept.retain(TreeEntry::is_named);
        for entry in kept.iter_mut().filter(|entry| entry.mode == Mode::Tree) {
            entry.oid = self.without_unnamed(entry.oid)?;
        }
        let empty = self.empty_tree();
        kept.retain(|entry| entry.mode != Mode::Tree || entry.oid != empty);
        match kept == before {
            true => Ok(tree),
            false => self.write_sorted_tree(&kept),
        }
    }

    /// Returns the entries after the edits, in order; `None` when nothing changed.
    fn apply(
        &self,
        entries: Vec<TreeEntry>,
        edits: Edits<'_>,
    ) -> Result<Option<Vec<TreeEntry>>, GitError> {
        let mut here = edits.here;
        let mut below = edits.below;
        let mut changed = false;
        let mut added = Vec::new();
        let mut kept = Vec::with_capacity(entries.len() + here.len() + below.len());
        for entry in entries {
            let name = entry.name.as_slice();
            match (here.remove(name), below.remove(name)) {
                (None, None) => kept.push(entry),
                // A file that is there already keeps its mode.
                (Some(Some(blob)), None) if entry.mode.is_file() && entry.oid == blob => {
                    kept.push(entry);
                }
                (Some(Some(blob)), None) => {
                    changed = true;
                    let entry = TreeEntry {
                        mode: match entry.mode {
                            Mode::Executable => Mode::Executable,
                            _ => Mode::Blob,
                        },
                        name: entry.name,
                        oid: blob,
                    };
                    added.push(entry);
                }
                (Some(None), None) => changed = true,
                // A file and a path below it cannot both be: `Edits::add` keeps the last.
                (_, Some(edits)) if edits.emptied => {
                    changed = true;
                    if let Some(inside) = self.apply(Vec::new(), edits)?
                        && !inside.is_empty()
                    {
                        added.push(self.new_directory(&entry.name, &inside)?);
                    }
                }
                (_, Some(edits)) if entry.mode == Mode::Tree => {
                    match self.apply(self.read_tree(entry.oid)?, edits)? {
                        None => kept.push(entry),
                        Some(inside) => {
                            changed = true;
                            if !inside.is_empty() {
                                let oid = self.write_sorted_tree(&inside)?;
                                kept.push(TreeEntry { oid, ..entry });
                            }
                        }
                    }
                }
                (_, Some(edits)) => {
                    let filled = edits.filled;
                    match self.apply(Vec::new(), edits)? {
                        Some(inside) if !inside.is_empty() => {
                            changed = true;
                            added.push(self.new_directory(&entry.name, &inside)?);
                        }
                        _ if filled => changed = true,
                        // Only removals below a file: nothing is there to remove.
                        _ => kept.push(entry),
                    }
                }
            }
        }
        for (name, blob) in here {
            let Some(oid) = blob else { continue };
            added.push(TreeEntry {
                mode: Mode::Blob,
                name: name.to_vec(),
                oid,
            });
        }
        for (name, edits) in below {
            if let Some(inside) = self.apply(Vec::new(), edits)?
                && !inside.is_empty()
            {
                added.push(self.new_directory(name, &inside)?);
            }
        }
        changed |= !added.is_empty();
        if !added.is_empty() {
            kept.append(&mut added);
            // Nearly sorted already, which a stable sort makes cheap use of.
            kept.sort_by(|a, b| a.sort_key().cmp(b.sort_key()));
        }
        Ok(changed.then_some(kept))
    }

    fn new_directory(&self, name: &[u8], inside: &[TreeEntry]) -> Result<TreeEntry, GitError> {
        Ok(TreeEntry {
            mode: Mode::Tree,
            name: name.to_vec(),
            oid: self.write_sorted_tree(inside)?,
        })
    }
}

impl<'p> Edits<'p> {
    fn is_empty(&self) -> bool {
        self.here.is_empty() && self.below.is_empty()
    }

    fn add(&mut self, path: &'p str, blob: Option<Oid>) -> Result<(), GitError> {
        let mut at = self;
        let mut parts = path.split('/').peekable();
        while let Some(name) = parts.next() {
            // What git refuses to check out must not come into the record.
            if !is_name(name) {
                return Err(GitError::InvalidPath {
                    path: path.to_owned(),
                });
            }
            let name = name.as_bytes();
            if parts.peek().is_some() {
                let replaced = at.here.contains_key(name);
                if replaced && blob.is_none() {
                    // A file, or nothing, has nothing below it to remove.
                    return Ok(());
                }
                at.here.remove(name);
                at = at.below.entry(name).or_default();
                at.emptied |= replaced;
                at.filled |= blob.is_some();
            } else {
                at.below.remove(name);
                at.here.insert(name, blob);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
