//! The claims table as a commit: one file for each claim, one for the rest.

use std::collections::BTreeMap;

use crate::format;
use crate::git::{Oid, Repo, TreeEntry};
use crate::model::claim::Table;
use crate::model::id::Fence;

use super::change::read_back;
use super::shelf::{BadFile, RecordFile};
use super::{StoreError, layout};

/// Reads the table at a commit.
///
/// A table that cannot be read is an error: it is written by reflectt alone, and guessing who
/// holds what would let two agents win.
pub fn read(repo: &Repo, tip: Oid) -> Result<Table, StoreError> {
    let commit = repo.read_commit(tip)?;
    let damaged = |path: &str, source: BadFile| StoreError::Table {
        path: path.to_owned(),
        commit: tip.short(),
        source,
    };
    let mut table = Table::default();
    let mut claims = BTreeMap::new();
    let mut found = false;
    let read = |path: &str, entry: &TreeEntry| -> Result<Vec<u8>, StoreError> {
        let file = RecordFile {
            path: path.to_owned(),
            mode: entry.mode,
            blob: entry.oid,
        };
        file.read(repo)?.map_err(|reason| damaged(path, reason))
    };
    for entry in repo.read_tree(commit.tree)? {
        let path = String::from_utf8_lossy(&entry.name);
        if path == layout::TABLE {
            let bytes = read(&path, &entry)?;
            table = format::parse_table(&bytes).map_err(|e| damaged(&path, e.into()))?;
            found = true;
        } else if path.ends_with(".toml") {
            let bytes = read(&path, &entry)?;
            let claim = format::parse_claim(&bytes).map_err(|e| damaged(&path, e.into()))?;
            if layout::claim_path(claim.id) != path {
                let named = claim.id.to_string();
                return Err(damaged(&path, BadFile::OtherName { named }));
            }
            claims.insert(claim.id, claim);
        } else {
            // A claim that this version cannot see would be a claim that does not hold.
            return Err(damaged(&path, BadFile::Stranger));
        }
    }
    if !found {
        return Err(StoreError::NoTable {
            commit: tip.short(),
        });
    }
    Ok(Table { claims, ..table })
}

/// Returns the highest fence that a version of the table speaks of, if that much can be read.
pub fn fence(repo: &Repo, tip: Oid) -> Option<Fence> {
    let tree = repo.read_commit(tip).ok()?.tree;
    let entry = repo.find_path(tree, layout::TABLE).ok()??;
    let bytes = repo.read_blob_limited(entry.oid, layout::FILE_MAX).ok()?;
    Some(format::parse_table(&bytes).ok()?.fence)
}

/// Writes the files in which `new` differs from `old`, and returns the tree.
pub fn write(repo: &Repo, old: Option<(Oid, &Table)>, new: &Table) -> Result<Oid, StoreError> {
    let mut edits: BTreeMap<String, Option<Oid>> = BTreeMap::new();
    let none = BTreeMap::new();
    let before = old.map_or(&none, |(_, table)| &table.claims);
    for id in before.keys().filter(|id| !new.claims.contains_key(id)) {
        edits.insert(layout::claim_path(*id), None);
    }
    for (id, claim) in &new.claims {
        if before.get(id) != Some(claim) {
            let (path, text) = (layout::claim_path(*id), format::print_claim(claim));
            read_back(&path, claim, &format::parse_claim(text.as_bytes()))?;
            edits.insert(path, Some(repo.write_blob(text.as_bytes())?));
        }
    }
    let rest = format::print_table(new);
    let alone = format::parse_table(rest.as_bytes()).map(|table| (table.epoch, table.fence));
    read_back(layout::TABLE, &(new.epoch, new.fence), &alone)?;
    let rest = repo.write_blob(rest.as_bytes())?;
    edits.insert(layout::TABLE.to_owned(), Some(rest));
    let base = match old {
        Some((tip, _)) => Some(repo.read_commit(tip)?.tree),
        None => None,
    };
    Ok(repo.edit_tree(
        base,
        edits.iter().map(|(path, blob)| (path.as_str(), *blob)),
    )?)
}
