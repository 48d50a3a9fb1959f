//! Objects: reading blobs, trees and commits, and writing new ones.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use gix::prelude::Write as _;

use super::{GitError, Oid, Repo};

/// How often to look again for an object that should be there.
///
/// While `git gc` runs, an object moves from a file of its own into a pack, and a reader can find
/// it at neither place for a moment.
const LOOKS: u32 = 4;

/// The largest compressed object that is read without asking for its size, in bytes.
///
/// Deflate packs 1,032 bytes into one at most (zlib's technical notes), so it unpacks to no more
/// than 16 MiB.
const SMALL: u64 = 16 * 1024;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    Blob,
    Tree,
    Commit,
    Tag,
}

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    Blob,
    Executable,
    Symlink,
    Tree,
    /// A commit of another repository: a submodule.
    Submodule,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    pub mode: Mode,
    pub name: Vec<u8>,
    pub oid: Oid,
}

impl Mode {
    /// Tells whether it is a file with bytes of its own, and neither a link nor what holds others.
    pub fn is_file(self) -> bool {
        matches!(self, Mode::Blob | Mode::Executable)
    }
}

impl TreeEntry {
    /// Tells whether a path can name it. Git makes no other, but anybody can write a tree that has.
    pub fn is_named(&self) -> bool {
        let name = str::from_utf8(&self.name);
        name.is_ok_and(|name| is_name(name) && !name.contains('/'))
    }
}

/// Tells whether git would check out a part of a path that is called so.
pub(super) fn is_name(name: &str) -> bool {
    let is_git = name.eq_ignore_ascii_case(".git") || name.eq_ignore_ascii_case("git~1");
    !(matches!(name, "" | "." | "..") || is_git || name.contains('\0'))
}

/// Who wrote a commit, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub name: String,
    pub email: String,
    /// Seconds since 1970.
    pub time: i64,
    /// Seconds east of Greenwich.
    pub offset: i32,
}

/// A commit as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub tree: Oid,
    pub parents: Vec<Oid>,
    pub author: Signature,
    pub committer: Signature,
    pub message: String,
}

/// A commit to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommit {
    pub tree: Oid,
    pub parents: Vec<Oid>,
    pub author: Signature,
    pub committer: Signature,
    pub message: String,
}

impl Repo {
    /// Tells what an object is; `None` when there is no such object.
    pub fn kind(&self, oid: Oid) -> Result<Option<ObjectKind>, GitError> {
        Ok(self.header(oid)?.map(|(kind, _)| kind))
    }

    /// Tells whether there is such an object.
    pub fn exists(&self, oid: Oid) -> bool {
        oid.0.kind() == self.inner.object_hash() && self.inner.has_object(oid.0)
    }

    /// Returns the contents of a blob.
    pub fn read_blob(&self, oid: Oid) -> Result<Vec<u8>, GitError> {
        self.read(oid, ObjectKind::Blob)
    }

    /// Returns the contents of a blob of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// A larger one is [`GitError::TooLarge`]; no more than some megabytes are read to find that
    /// out.
    pub fn read_blob_limited(&self, oid: Oid, limit: u64) -> Result<Vec<u8>, GitError> {
        // Most are small files of their own. To ask for the size first would open each twice.
        let loose = loose_path(&self.common_dir().join("objects"), &oid);
        if loose
            .symlink_metadata()
            .is_ok_and(|file| file.len() <= SMALL)
        {
            let bytes = self.read_blob(oid)?;
            let size = bytes.len() as u64;
            return match size > limit {
                true => Err(GitError::TooLarge { oid, size, limit }),
                false => Ok(bytes),
            };
        }
        match self.header(oid)? {
            Some((_, size)) if size > limit => Err(GitError::TooLarge { oid, size, limit }),
            _ => self.read_blob(oid),
        }
    }

    /// Returns the entries of a tree, in git's order.
    pub fn read_tree(&self, oid: Oid) -> Result<Vec<TreeEntry>, GitError> {
        let data = self.read(oid, ObjectKind::Tree)?;
        gix::objs::TreeRefIter::from_bytes(&data, self.inner.object_hash())
            .map(|entry| {
                entry.map(|entry| TreeEntry {
                    mode: entry.mode.kind().into(),
                    name: entry.filename.to_vec(),
                    oid: Oid(entry.oid.to_owned()),
                })
            })
            .collect::<Result<_, _>>()
            .map_err(|error| corrupt(oid, error))
    }

    /// Returns a commit.
    pub fn read_commit(&self, oid: Oid) -> Result<Commit, GitError> {
        let data = self.read(oid, ObjectKind::Commit)?;
        let commit = gix::objs::CommitRef::from_bytes(&data, self.inner.object_hash())
            .map_err(|error| corrupt(oid, error))?;
        Ok(Commit {
            tree: Oid(commit.tree()),
            parents: commit.parents().map(Oid).collect(),
            author: signature(commit.author().map_err(|error| corrupt(oid, error))?),
            committer: signature(commit.committer().map_err(|error| corrupt(oid, error))?),
            message: String::from_utf8_lossy(commit.message).into_owned(),
        })
    }

    /// Writes a blob and returns its name.
    pub fn write_blob(&self, bytes: &[u8]) -> Result<Oid, GitError> {
        self.write(ObjectKind::Blob, bytes)
    }

    /// Writes a tree of these entries, in any order, and returns its name.
    pub fn write_tree(&self, mut entries: Vec<TreeEntry>) -> Result<Oid, GitError> {
        let bad = |entry: &&TreeEntry| {
            entry.name.is_empty() || entry.name.iter().any(|b| matches!(b, 0 | b'/'))
        };
        if let Some(entry) = entries.iter().find(bad) {
            let path = String::from_utf8_lossy(&entry.name).into_owned();
            return Err(GitError::InvalidPath { path });
        }
        entries.sort_by(|a, b| a.sort_key().cmp(b.sort_key()));
        self.write_sorted_tree(&entries)
    }

    /// Writes a tree of entries that are in git's order, with whatever names the tree had that
    /// they come from.
    pub(super) fn write_sorted_tree<'a>(
        &self,
        entries: impl IntoIterator<Item = &'a TreeEntry>,
    ) -> Result<Oid, GitError> {
        let mut data = Vec::new();
        for entry in entries {
            data.extend_from_slice(entry.mode.octal().as_bytes());
            data.push(b' ');
            data.extend_from_slice(&entry.name);
            data.push(0);
            data.extend_from_slice(entry.oid.as_bytes());
        }
        self.write(ObjectKind::Tree, &data)
    }

    /// Writes a commit and returns its name. No ref moves.
    pub fn write_commit(&self, commit: &NewCommit) -> Result<Oid, GitError> {
        self.write(ObjectKind::Commit, commit.text().as_bytes())
    }

    /// Returns the name a commit would have, and writes nothing.
    pub fn name_commit(&self, commit: &NewCommit) -> Result<Oid, GitError> {
        let (kind, text) = (gix::objs::Kind::Commit, commit.text());
        gix::objs::compute_hash(self.inner.object_hash(), kind, text.as_bytes())
            .map(Oid)
            .map_err(|error| GitError::WriteObject {
                kind: ObjectKind::Commit,
                dir: self.common_dir().join("objects"),
                source: error.into(),
            })
    }

    /// Returns the name of the tree without entries.
    pub fn empty_tree(&self) -> Oid {
        Oid(gix::ObjectId::empty_tree(self.inner.object_hash()))
    }

    /// Returns the object's bytes, looked for again if a running `git gc` hides them.
    pub(super) fn read(&self, oid: Oid, expected: ObjectKind) -> Result<Vec<u8>, GitError> {
        if oid.0.kind() != self.inner.object_hash() {
            return Err(GitError::MissingObject { oid });
        }
        let mut look = 0;
        let mut object = loop {
            match self.inner.try_find_object(oid.0) {
                Ok(Some(object)) => break object,
                Ok(None) if is_empty_tree(oid) => return Ok(Vec::new()),
                outcome => {
                    look += 1;
                    if look < LOOKS {
                        std::thread::sleep(Duration::from_millis(1 << look));
                        continue;
                    }
                    return Err(match outcome {
                        Ok(_) => GitError::MissingObject { oid },
                        Err(error) => read_error(oid, error),
                    });
                }
            }
        };
        let found = object.kind.into();
        if found == expected {
            Ok(std::mem::take(&mut object.data))
        } else {
            Err(GitError::WrongKind {
                oid,
                expected,
                found,
            })
        }
    }

    fn header(&self, oid: Oid) -> Result<Option<(ObjectKind, u64)>, GitError> {
        if oid.0.kind() != self.inner.object_hash() {
            return Ok(None);
        }
        let header = self.inner.try_find_header(oid.0);
        let header = header.map_err(|error| read_error(oid, error))?;
        Ok(header.map(|header| (header.kind().into(), header.size())))
    }

    fn write(&self, kind: ObjectKind, bytes: &[u8]) -> Result<Oid, GitError> {
        let objects = self.common_dir().join("objects");
        let gix_kind = kind.into();
        let mut look = 0;
        loop {
            let written = gix::objs::compute_hash(self.inner.object_hash(), gix_kind, bytes)
                .and_then(|id| {
                    if freshen(&loose_path(&objects, &Oid(id))) {
                        return Ok(id);
                    }
                    self.inner
                        .objects
                        .write_buf_with_known_id(gix_kind, bytes, id)
                });
            match written {
                Ok(id) => {
                    let path = loose_path(&objects, &Oid(id));
                    path.parent()
                        .into_iter()
                        .for_each(|dir| self.sharing().apply(dir));
                    self.sharing().apply(&path);
                    return Ok(Oid(id));
                }
                // `git gc` removes empty fan-out directories, at times between our making one and
                // our moving the object into it.
                Err(error) if error.is_not_found() && look < LOOKS => look += 1,
                Err(error) => {
                    return Err(GitError::of_write(&objects, error.into(), |source| {
                        GitError::WriteObject {
                            kind,
                            dir: objects.clone(),
                            source,
                        }
                    }));
                }
            }
        }
    }
}

impl NewCommit {
    /// Returns the bytes of the object.
    fn text(&self) -> String {
        let mut text = format!("tree {}\n", self.tree);
        for parent in &self.parents {
            text.push_str(&format!("parent {parent}\n"));
        }
        text.push_str(&format!("author {}\n", self.author));
        text.push_str(&format!("committer {}\n\n", self.committer));
        // A NUL ends the message for many readers of commits.
        text.push_str(&self.message.replace('\0', "\u{fffd}"));
        text
    }
}

/// Marks a loose object as new, as git does when it writes one that exists; false if there is none.
///
/// Otherwise a `git gc` may prune an old unreachable object just when we begin to rely on it.
fn freshen(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else {
        return false;
    };
    file.set_modified(SystemTime::now()).is_ok()
}

fn loose_path(objects: &Path, oid: &Oid) -> PathBuf {
    let hex = oid.to_string();
    objects.join(&hex[..2]).join(&hex[2..])
}

fn is_empty_tree(oid: Oid) -> bool {
    oid.0 == gix::ObjectId::empty_tree(oid.0.kind())
}

fn corrupt(oid: Oid, error: gix::Error) -> GitError {
    GitError::CorruptObject {
        oid,
        source: error.into(),
    }
}

fn read_error(oid: Oid, error: gix::Error) -> GitError {
    if error.is_corrupted() {
        corrupt(oid, error)
    } else {
        GitError::ReadObject {
            oid,
            source: error.into(),
        }
    }
}

fn signature(from: gix::actor::SignatureRef<'_>) -> Signature {
    let time = from.time().unwrap_or_default();
    Signature {
        name: String::from_utf8_lossy(from.name).trim().to_owned(),
        email: String::from_utf8_lossy(from.email).trim().to_owned(),
        time: time.seconds,
        offset: time.offset,
    }
}

impl TreeEntry {
    /// Git sorts a directory as if its name ended in `/`.
    pub(super) fn sort_key(&self) -> impl Iterator<Item = u8> + '_ {
        let slash = (self.mode == Mode::Tree).then_some(b'/');
        self.name.iter().copied().chain(slash)
    }
}

impl Mode {
    fn octal(self) -> &'static str {
        match self {
            Self::Blob => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Tree => "40000",
            Self::Submodule => "160000",
        }
    }
}

impl fmt::Display for Signature {
    /// Writes the form of a commit's header; what would break that form is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clean = |text: &str| -> String {
            let text: String = text
                .chars()
                .filter(|c| !matches!(c, '<' | '>') && !c.is_control())
                .collect();
            text.trim().to_owned()
        };
        let (name, email) = (clean(&self.name), clean(&self.email));
        let minutes = self.offset.unsigned_abs() / 60;
        let sign = if self.offset < 0 { '-' } else { '+' };
        let (hours, minutes) = (minutes / 60, minutes % 60);
        // A commit dated before 1970 is one that git refuses to read.
        let time = self.time.max(0);
        write!(f, "{name} <{email}> {time} {sign}{hours:02}{minutes:02}")
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blob => "blob",
            Self::Tree => "tree",
            Self::Commit => "commit",
            Self::Tag => "tag",
        })
    }
}

impl From<gix::objs::Kind> for ObjectKind {
    fn from(kind: gix::objs::Kind) -> Self {
        match kind {
            gix::objs::Kind::Blob => Self::Blob,
            gix::objs::Kind::Tree => Self::Tree,
            gix::objs::Kind::Commit => Self::Commit,
            gix::objs::Kind::Tag => Self::Tag,
        }
    }
}

impl From<ObjectKind> for gix::objs::Kind {
    fn from(kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Blob => Self::Blob,
            ObjectKind::Tree => Self::Tree,
            ObjectKind::Commit => Self::Commit,
            ObjectKind::Tag => Self::Tag,
        }
    }
}

impl From<gix::objs::tree::EntryKind> for Mode {
    fn from(kind: gix::objs::tree::EntryKind) -> Self {
        use gix::objs::tree::EntryKind;
        match kind {
            EntryKind::Blob => Self::Blob,
            EntryKind::BlobExecutable => Self::Executable,
            EntryKind::Link => Self::Symlink,
            EntryKind::Tree => Self::Tree,
            EntryKind::Commit => Self::Submodule,
        }
    }
}

#[cfg(test)]
mod tests;
