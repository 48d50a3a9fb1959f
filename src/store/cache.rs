//! The cache file of a shelf: a base and a tail of changes.
//!
//! The base holds every entry for one tree; each record of the tail says how to get from one
//! tree to the next. A command that finds the shelf changed appends one record of a few hundred
//! bytes instead of writing megabytes; when the tail has grown, the whole is written anew.
//!
//! Everything carries a checksum and names the tree it is for, so a torn write, two processes
//! appending at once or a file of another version are all the same: what does not fit is ignored
//! and computed again. Deleting the file is always safe.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::git::{Oid, OpenOptions, Repo, write_whole};
use crate::model::task::Task;

use super::shelf::{self, Shelf, Slot};

pub(super) mod row;
mod task_row;

use row::Rows;

/// Changes with every change of what is written, and when a value that was valid is not any more.
/// A file of another version is ignored.
const MAGIC: &[u8; 8] = b"rflt\x00\x00\x00\x08";

/// The bytes of a row of usual length, to make room for the entries at once.
const TYPICAL_ROW: usize = 200;

/// The tail is folded into the base when it has more bytes than this and than a quarter of it.
const TAIL_MAX: usize = 64 * 1024;

/// One part of the file: how to get from the tree `from` to `to`.
///
/// The base starts from nothing: its `from` is empty. The rows follow, to the end of the part;
/// they are read one by one, because a list of ten thousand of them is slow to build.
#[derive(Serialize, Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    from: &'a [u8],
    #[serde(borrow)]
    to: &'a [u8],
}

/// A shelf as read from the cache, and the tree it is for.
pub struct Cached {
    pub shelf: Shelf,
    pub tree: Option<Oid>,
    /// Whether the file should be written anew instead of appended to.
    rewrite: bool,
    /// Whether not all of the file could be read.
    torn: bool,
}

/// The cache of one shelf.
pub struct Cache<'r> {
    path: PathBuf,
    repo: &'r Repo,
}

/// The bytes of a cache file, and where to find what they cannot tell.
///
/// The checksum says that they are as they were written, and by this version. Who writes something
/// else under a right checksum costs others time, and no more.
pub struct Source {
    pub bytes: Vec<u8>,
    path: PathBuf,
    repo: OpenOptions,
}

impl Source {
    pub fn new(bytes: Vec<u8>, path: &Path, repo: &Repo) -> Source {
        Source {
            bytes,
            path: path.to_owned(),
            repo: repo.options().clone(),
        }
    }

    /// Reads a task from its file, as if there were no cache; from now on there is none.
    pub fn read_anew(&self, path: &str, blob: Oid) -> Option<Task> {
        // Whoever comes next builds another.
        fs::remove_file(&self.path).ok();
        let repo = Repo::open(self.repo.clone()).ok()?;
        let log = shelf::read_task(&repo, path, blob).ok()?.ok()?;
        Some(shelf::entry(path, blob, &log)?.to_task())
    }
}

/// What a cache file is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheState {
    Sound,
    Missing,
    /// It cannot be used, or not all of it.
    Damaged,
}

impl Cache<'_> {
    pub fn new<'r>(repo: &'r Repo, dir: &Path, name: &str) -> Cache<'r> {
        Cache {
            path: dir.join("cache").join(name),
            repo,
        }
    }

    fn source(&self, bytes: Vec<u8>) -> Rc<Source> {
        Rc::new(Source::new(bytes, &self.path, self.repo))
    }

    /// Reads what there is; nothing that is wrong with the file is an error.
    pub fn load(&self) -> Cached {
        let bytes = fs::read(&self.path).unwrap_or_default();
        decode(&self.source(bytes)).unwrap_or(Cached {
            shelf: Shelf::default(),
            tree: None,
            rewrite: true,
            torn: true,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells what the file is worth.
    pub fn state(&self) -> CacheState {
        match fs::read(&self.path) {
            Err(_) => CacheState::Missing,
            Ok(bytes) => match decode(&self.source(bytes)) {
                Some(cached) if !cached.torn => CacheState::Sound,
                _ => CacheState::Damaged,
            },
        }
    }

    /// Saves that `changes` lead from the cached tree to `tree`, where `shelf` is the result.
    ///
    /// A cache that cannot be written costs time and nothing else, so failures are silent.
    pub fn save(&self, cached: &Cached, shelf: &Shelf, tree: Oid, changes: &[(String, Slot)]) {
        let saved = match cached.tree {
            Some(from) if !cached.rewrite => self.append(from, tree, changes),
            _ => self.rewrite(shelf, tree),
        };
        // Reported nowhere: the next command finds an old cache and does the same work again.
        drop(saved);
    }

    fn append(&self, from: Oid, to: Oid, changes: &[(String, Slot)]) -> std::io::Result<()> {
        let head = Part {
            from: from.as_bytes(),
            to: to.as_bytes(),
        };
        let part = frame(&head, |out| {
            let mut changes = changes.iter();
            changes.try_for_each(|(path, slot)| row::write_slot(path, slot, out))
        })?;
        // One write in append mode: a record of another process cannot land inside it.
        fs::OpenOptions::new()
            .append(true)
            .open(&self.path)?
            .write_all(&part)
    }

    fn rewrite(&self, shelf: &Shelf, tree: Oid) -> std::io::Result<()> {
        let head = Part {
            from: &[],
            to: tree.as_bytes(),
        };
        let part = frame(&head, |out| {
            for entry in &shelf.entries {
                row::write_entry(entry, out)?;
            }
            let mut bad = shelf.bad.iter();
            bad.try_for_each(|bad| row::write_bad(bad, out))
        })?;
        write_whole(&self.path, &[MAGIC.as_slice(), &part].concat())
    }
}

/// Returns a part with its length and checksum before it; `rows` appends what follows the head.
fn frame(
    head: &Part,
    rows: impl FnOnce(&mut Vec<u8>) -> postcard::Result<()>,
) -> std::io::Result<Vec<u8>> {
    let framed = postcard::to_extend(head, vec![0; 8]);
    let mut framed = framed.map_err(std::io::Error::other)?;
    rows(&mut framed).map_err(std::io::Error::other)?;
    let length = u32::try_from(framed.len() - 8).map_err(std::io::Error::other)?;
    let checksum = crc32fast::hash(&framed[8..]);
    framed[..4].copy_from_slice(&length.to_le_bytes());
    framed[4..8].copy_from_slice(&checksum.to_le_bytes());
    Ok(framed)
}

/// Takes the first part off the rest of `bytes` and returns where it lies; `None` at the end or
/// where the bytes are not sound.
fn unframe(bytes: &[u8], rest: &mut Range<usize>) -> Option<Range<usize>> {
    let (length, after) = bytes.get(rest.clone())?.split_first_chunk::<4>()?;
    let (checksum, after) = after.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    if crc32fast::hash(after.get(..length)?) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let start = rest.start + 8;
    rest.start = start + length;
    Some(start..rest.start)
}

/// Returns the head of a part and where its rows lie.
fn head(bytes: &[u8], part: Range<usize>) -> Option<(Part<'_>, Range<usize>)> {
    let (head, rows) = postcard::take_from_bytes::<Part>(&bytes[part.clone()]).ok()?;
    Some((head, part.end - rows.len()..part.end))
}

fn decode(source: &Rc<Source>) -> Option<Cached> {
    let bytes = &source.bytes;
    if !bytes.starts_with(MAGIC) {
        return None;
    }
    let mut rest = MAGIC.len()..bytes.len();
    let (base, rows) = head(bytes, unframe(bytes, &mut rest)?)?;
    let base_size = rest.start;
    let mut tree = Oid::from_bytes(base.to).ok()?;
    let mut shelf = Shelf::default();
    shelf.entries.reserve(rows.len() / TYPICAL_ROW);
    let mut rows = Rows::new(source, rows);
    while let Some((_, slot)) = rows.next()? {
        match slot {
            Slot::Task(entry) => shelf.entries.push(entry),
            Slot::Bad(bad) => shelf.bad.push(bad),
            Slot::Empty => {}
        }
    }
    // The checksum says that the rows are as they were written. Whether by a version that writes
    // them as this one reads them, one of them tells.
    if let Some(entry) = shelf.entries.first()
        && !entry.is_sound()
    {
        return None;
    }
    let tail_size = rest.len();
    // Changes are gathered and applied at once; the last one of a path counts.
    let mut changes: BTreeMap<String, Slot> = BTreeMap::new();
    while let Some(part) = unframe(bytes, &mut rest) {
        let (part, rows) = head(bytes, part)?;
        if part.from != tree.as_bytes() {
            continue;
        }
        let mut rows = Rows::new(source, rows);
        while let Some((path, slot)) = rows.next()? {
            let path = match (path, &slot) {
                (Some(path), _) => path,
                (None, Slot::Task(entry)) => entry.path().to_owned(),
                (None, _) => return None,
            };
            changes.insert(path, slot);
        }
        tree = Oid::from_bytes(part.to).ok()?;
    }
    shelf.apply(changes.into_iter().collect());
    // A torn record would hide all that is appended after it.
    let torn = !rest.is_empty();
    let rewrite = torn || tail_size > TAIL_MAX.max(base_size / 4);
    Some(Cached {
        shelf,
        tree: Some(tree),
        rewrite,
        torn,
    })
}
