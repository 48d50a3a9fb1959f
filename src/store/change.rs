//! What an operation writes, and the edits of the tree that this means.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::format;
use crate::git::{ObjectKind, Oid};
use crate::model::agent::AgentLog;
use crate::model::claim::Table;
use crate::model::id::TaskId;
use crate::model::message::Message;
use crate::model::name::{AgentName, Author};
use crate::model::reflection::Reflection;
use crate::model::settings::SettingsLog;
use crate::model::task::TaskLog;
use crate::model::time::Timestamp;

use super::entry::Entry;
use super::fanout::Spread;
use super::shelf::{self, RecordFile};
use super::{Mail, Quarantined, Snapshot, StoreError, layout};

/// Who publishes, and when.
#[derive(Debug, Clone)]
pub struct Origin {
    pub author: Author,
    pub now: Timestamp,
}

/// Everything one operation writes; it happens in one commit or not at all.
#[derive(Debug, Default)]
pub struct Changes {
    /// What happened, as the subject of the commit.
    pub subject: String,
    pub tasks: BTreeMap<TaskId, TaskLog>,
    pub agents: Vec<AgentLog>,
    pub settings: Option<SettingsLog>,
    /// New messages; each goes into the inboxes it is addressed to, and its channel.
    pub messages: Vec<Message>,
    /// Messages that were read, and by whom.
    pub read: Vec<(AgentName, Mail)>,
    pub reflections: Vec<Reflection>,
    /// The text of the branch's `README.md`.
    pub board: Option<String>,
    /// Damaged files to be set aside.
    pub set_aside: Vec<(String, Oid)>,
    /// Earlier versions of files, to be put in the place of damaged ones.
    pub put_back: Vec<(String, Oid)>,
    /// Drops what no path can name.
    pub drop_unnamed: bool,
    /// Files whose contents are elsewhere.
    pub remove: Vec<String>,
    /// The new claims table.
    pub table: Option<Table>,
}

impl Changes {
    /// Returns whether anything is written to the record.
    pub fn touches_record(&self) -> bool {
        !(self.tasks.is_empty()
            && self.agents.is_empty()
            && self.settings.is_none()
            && self.messages.is_empty()
            && self.read.is_empty()
            && self.reflections.is_empty()
            && self.board.is_none()
            && self.set_aside.is_empty()
            && self.put_back.is_empty()
            && !self.drop_unnamed
            && self.remove.is_empty())
    }

    /// Writes the blobs and returns the edits that lead from the snapshot's tree to the new one.
    pub(super) fn edits(
        &self,
        snapshot: &Snapshot,
    ) -> Result<BTreeMap<String, Option<Oid>>, StoreError> {
        let repo = snapshot.store().repo();
        let mut edits = Edits {
            snapshot,
            paths: BTreeMap::new(),
            directories: BTreeMap::new(),
            bad_ids: snapshot.bad_ids()?,
        };
        // First, so that nobody sets aside what is elsewhere.
        for path in &self.remove {
            edits.remove(path);
        }
        for log in self.tasks.values() {
            edits.task(log)?;
        }
        for (path, blob) in &self.set_aside {
            edits.set_aside(path, *blob)?;
        }
        for agent in &self.agents {
            let (path, text) = (layout::agent_path(&agent.name), format::print_agent(agent));
            let parsed = format::parse_agent(text.as_bytes());
            read_back(&path, &agent.log, &parsed.map(|parsed| parsed.log))?;
            edits.replace(path, &text)?;
        }
        if let Some(settings) = &self.settings {
            let text = format::print_settings(settings);
            let parsed = format::parse_settings(text.as_bytes());
            read_back(layout::CONFIG, settings, &parsed.map(|parsed| parsed.log))?;
            edits.replace(layout::CONFIG.to_owned(), &text)?;
        }
        for message in &self.messages {
            edits.message(message)?;
        }
        for (agent, mail) in &self.read {
            edits.remove(&mail.path);
            let id = mail.message.id;
            edits.add(
                layout::read_dir(agent, id),
                layout::stamp_file(id),
                mail.blob,
                Spread::Back,
            );
        }
        for reflection in &self.reflections {
            let text = format::print_reflection(reflection);
            let file = layout::stamp_file(reflection.id);
            read_back(
                &file,
                reflection,
                &format::parse_reflection(text.as_bytes()),
            )?;
            let blob = repo.write_blob(text.as_bytes())?;
            let directory = layout::reflection_dir(reflection.id);
            edits.add(directory, file, blob, Spread::Back);
        }
        if let Some(board) = &self.board {
            let blob = repo.write_blob(board.as_bytes())?;
            edits.paths.insert(layout::README.to_owned(), Some(blob));
        }
        for (path, blob) in &self.put_back {
            edits.paths.insert(path.clone(), Some(*blob));
        }
        edits.arrange()
    }
}

/// Makes sure that a file says what it was written to say, before anything points to it.
///
/// What an operation answers with success is what others read; a file that they cannot read, or
/// read as something else, would have recorded nothing.
pub(super) fn read_back<T: PartialEq, E: std::fmt::Display>(
    path: &str,
    written: &T,
    read: &Result<T, E>,
) -> Result<(), StoreError> {
    let reason = match read {
        Ok(read) if read == written => return Ok(()),
        Ok(_) => "it would say something else".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(StoreError::ReadBack {
        path: path.to_owned(),
        reason,
    })
}

/// The edits of one commit as they come together.
struct Edits<'s> {
    snapshot: &'s Snapshot<'s>,
    paths: BTreeMap<String, Option<Oid>>,
    /// New files of directories that fan out, to be placed when all are known.
    directories: BTreeMap<String, (Spread, BTreeMap<String, Oid>)>,
    /// The tasks that have a damaged file.
    bad_ids: HashSet<TaskId>,
}

impl Edits<'_> {
    fn add(&mut self, directory: String, file: String, blob: Oid, spread: Spread) {
        let entry = self.directories.entry(directory);
        entry
            .or_insert_with(|| (spread, BTreeMap::new()))
            .1
            .insert(file, blob);
    }

    fn task(&mut self, log: &TaskLog) -> Result<(), StoreError> {
        let Some(folded) = log.fold() else {
            return Ok(());
        };
        if self.bad_ids.contains(&log.id) {
            for bad in self.snapshot.bad_files_of(log.id)? {
                self.make_way(bad)?;
            }
        }
        if let Some(entry) = self.snapshot.entry(log.id)? {
            self.remove(entry.path());
            for twin in self.snapshot.twins(entry)? {
                self.remove(twin.path());
            }
        }
        let text = format::print_task(log);
        let (directory, file) = layout::task_place(&folded.task);
        // A larger file would be quarantined by whoever reads it next.
        if text.len() as u64 > layout::FILE_MAX {
            let path = format!("{directory}/{file}");
            return Err(StoreError::TooLarge {
                path,
                bytes: text.len(),
            });
        }
        let parsed = shelf::task_in(&file, text.as_bytes());
        read_back(&format!("{directory}/{file}"), log, &parsed)?;
        let blob = self.snapshot.store().repo().write_blob(text.as_bytes())?;
        self.add(directory, file, blob, Spread::Front);
        Ok(())
    }

    fn message(&mut self, message: &Message) -> Result<(), StoreError> {
        let text = format::print_message(message);
        let file = layout::stamp_file(message.id);
        read_back(&file, message, &format::parse_message(text.as_bytes()))?;
        let blob = self.snapshot.store().repo().write_blob(text.as_bytes())?;
        for agent in &message.to {
            self.add(layout::unread_dir(agent), file.clone(), blob, Spread::Back);
        }
        if let Some(channel) = &message.channel {
            self.add(
                layout::channel_dir(channel, message.id),
                file,
                blob,
                Spread::Back,
            );
        }
        Ok(())
    }

    /// Removes a file; what is left in its directory may lie flatter then.
    fn remove(&mut self, path: &str) {
        self.paths.insert(path.to_owned(), None);
        let mut parts = path.split('/');
        let directory = match (parts.next(), parts.next(), parts.next()) {
            (Some(layout::TASKS), _, _) => (layout::TASKS.to_owned(), Spread::Front),
            (Some(layout::ARCHIVE), Some(month), _) => {
                (format!("{}/{month}", layout::ARCHIVE), Spread::Front)
            }
            (Some(layout::INBOX), Some(agent), Some(next)) if next != layout::READ => {
                (format!("{}/{agent}", layout::INBOX), Spread::Back)
            }
            _ => return,
        };
        self.directories
            .entry(directory.0)
            .or_insert_with(|| (directory.1, BTreeMap::new()));
    }

    /// Writes a file whose place never changes, and keeps the bytes of a damaged one there.
    fn replace(&mut self, path: String, text: &str) -> Result<(), StoreError> {
        if let Some(bad) = self.snapshot.damage_at(&path)? {
            self.make_way(bad)?;
        }
        let blob = self.snapshot.store().repo().write_blob(text.as_bytes())?;
        self.paths.insert(path, Some(blob));
        Ok(())
    }

    /// Keeps the bytes of a damaged file that is about to be written anew.
    fn make_way(&mut self, bad: &Quarantined) -> Result<(), StoreError> {
        if self.paths.get(&bad.path) == Some(&None) {
            return Ok(());
        }
        if self.snapshot.is_newer(bad)? {
            let path = bad.path.clone();
            return Err(StoreError::Newer { path });
        }
        self.set_aside(&bad.path, bad.blob)
    }

    /// Keeps the bytes of a damaged file, out of the way.
    fn set_aside(&mut self, path: &str, blob: Oid) -> Result<(), StoreError> {
        self.paths.insert(path.to_owned(), None);
        // A submodule has no bytes to keep.
        let repo = self.snapshot.store().repo();
        if repo.kind(blob)? == Some(ObjectKind::Blob) {
            let place = format!("{}/{path}", layout::QUARANTINE);
            self.paths.insert(place, Some(blob));
        }
        Ok(())
    }

    /// Places the new files, and moves old ones where a directory grew or shrank past its limit.
    ///
    /// A damaged file stays where it is, and so do files of one name: they would take each
    /// other's place.
    fn arrange(mut self) -> Result<BTreeMap<String, Option<Oid>>, StoreError> {
        for (directory, (spread, new)) in std::mem::take(&mut self.directories) {
            let listed;
            let mut old: Vec<Old> = if directory == layout::TASKS {
                self.snapshot.open()?.iter().map(Old::Task).collect()
            } else {
                listed = self.list(&directory)?;
                listed.iter().map(Old::File).collect()
            };
            let touched: BTreeSet<TaskId> = self
                .paths
                .keys()
                .chain(new.keys())
                .filter_map(|path| layout::id_in_file_name(path))
                .collect();
            old.retain(|file| {
                !file.may_be_of(&touched)
                    || (self.paths.get(file.path()) != Some(&None)
                        && !new.contains_key(file_name(file.path())))
            });
            let mut names: Vec<&str> = old.iter().map(Old::spread_by).collect();
            names.extend(new.keys().map(String::as_str));
            names.sort();
            names.dedup();
            let depth = spread.depth(names.iter().copied());
            let levels = directory.split('/').count() + depth;
            // Mostly nothing has to move.
            if old.iter().any(|file| file.levels() != levels) {
                let mut places: HashMap<&str, usize> = HashMap::new();
                for file in &old {
                    *places.entry(file_name(file.path())).or_default() += 1;
                }
                for old in old.iter().filter(|file| file.levels() != levels) {
                    let (path, file) = (old.path(), file_name(old.path()));
                    if places.get(file) == Some(&1) && !self.snapshot.is_damaged(path)? {
                        self.paths.insert(path.to_owned(), None);
                        let place = format!("{directory}/{}", spread.place(file, depth));
                        self.paths.insert(place, Some(old.blob()));
                    }
                }
            }
            for (file, blob) in &new {
                let place = format!("{directory}/{}", spread.place(file, depth));
                self.paths.insert(place, Some(*blob));
            }
        }
        Ok(self.paths)
    }

    /// Lists what a directory that fans out holds now.
    fn list(&self, directory: &str) -> Result<Vec<RecordFile>, StoreError> {
        let mut files = match directory.strip_prefix("inbox/") {
            Some(agent) if !agent.contains('/') => self.snapshot.unread_files(directory)?,
            _ => self.snapshot.files(directory)?,
        };
        files.retain(|file| file.mode.is_file());
        Ok(files)
    }
}

/// A file that a directory holds already.
enum Old<'a> {
    Task(&'a Entry),
    File(&'a RecordFile),
}

impl Old<'_> {
    fn path(&self) -> &str {
        match self {
            Old::Task(entry) => entry.path(),
            Old::File(file) => &file.path,
        }
    }

    fn blob(&self) -> Oid {
        match self {
            Old::Task(entry) => entry.blob(),
            Old::File(file) => file.blob,
        }
    }

    /// Returns how many directories it is in.
    fn levels(&self) -> usize {
        match self {
            Old::Task(entry) => usize::from(entry.place().levels),
            Old::File(file) => file.path.matches('/').count(),
        }
    }

    /// Tells whether its name may be that of a file with one of these ids.
    fn may_be_of(&self, ids: &BTreeSet<TaskId>) -> bool {
        match self {
            Old::Task(entry) if entry.place().named => ids.contains(&entry.id()),
            _ => true,
        }
    }

    /// Returns a text that begins, or for other files ends, as the name does: the id is enough.
    fn spread_by(&self) -> &str {
        match self {
            Old::Task(entry) if entry.place().named => entry.glance().id.as_str(),
            _ => file_name(self.path()),
        }
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
