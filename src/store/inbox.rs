//! Messages as the record has them: unread, read, and in channels.

use crate::format;
use crate::git::{Mode, Oid};
use crate::model::id::Stamp;
use crate::model::message::{Message, Notice};
use crate::model::name::{AgentName, ChannelName};
use crate::model::time::Timestamp;

use super::shelf::{BadFile, RecordFile};
use super::{Quarantined, Snapshot, StoreError, layout, shelf};

/// A message and the file it is in.
#[derive(Debug, Clone)]
pub struct Mail {
    pub message: Message,
    pub path: String,
    pub blob: Oid,
}

impl Snapshot<'_> {
    /// Returns the unread messages of an agent, oldest first.
    ///
    /// Files that cannot be read are left out; `doctor` names them.
    pub fn unread(&self, agent: &AgentName) -> Result<Vec<Mail>, StoreError> {
        let files = self.unread_files(&layout::unread_dir(agent))?;
        self.messages(files)
    }

    /// Lists the files of unread messages below an agent's `directory`.
    pub(super) fn unread_files(&self, directory: &str) -> Result<Vec<RecordFile>, StoreError> {
        let Some(tree) = self.directory(directory)? else {
            return Ok(Vec::new());
        };
        let mut files = Vec::new();
        for entry in self.store().repo.read_tree(tree)? {
            let path = format!("{directory}/{}", String::from_utf8_lossy(&entry.name));
            if !entry.is_named() {
                continue;
            }
            if entry.mode != Mode::Tree {
                files.push(RecordFile {
                    path,
                    mode: entry.mode,
                    blob: entry.oid,
                });
            } else if entry.name != layout::READ.as_bytes() {
                files.extend(shelf::list(&self.store().repo, &path, entry.oid)?);
            }
        }
        Ok(files)
    }

    /// Tells whether an agent was sent this message, read or not.
    pub fn was_sent(&self, agent: &AgentName, id: Stamp) -> Result<bool, StoreError> {
        let is_it =
            |file: &RecordFile| layout::stamp_in_file_name(file_name(&file.path)) == Some(id);
        let unread = self.unread_files(&layout::unread_dir(agent))?;
        if unread.iter().any(is_it) {
            return Ok(true);
        }
        let read = self.files(&layout::read_dir(agent, id))?;
        Ok(read.iter().any(is_it))
    }

    /// Counts the unread messages of an agent without reading them.
    pub fn unread_count(&self, agent: &AgentName) -> Result<usize, StoreError> {
        let files = self.unread_files(&layout::unread_dir(agent))?;
        Ok(files.iter().filter(|file| file.mode.is_file()).count())
    }

    /// Tells whether an agent was told, since then, that somebody changed files it has claimed.
    pub fn was_told_of_override(
        &self,
        agent: &AgentName,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        // Read ones, too.
        let files = self.files(&layout::unread_dir(agent))?;
        let told = |found: &Mail| {
            found.message.notice == Some(Notice::Overridden) && found.message.id.at() >= since
        };
        Ok(self.messages(files)?.iter().any(told))
    }

    /// Returns the last `limit` messages of a channel, oldest first.
    pub fn channel(&self, channel: &ChannelName, limit: usize) -> Result<Vec<Message>, StoreError> {
        let directory = format!("{}/{channel}", layout::CHANNELS);
        let mut files = self.files(&directory)?;
        files.sort_by(|a, b| file_name(&a.path).cmp(file_name(&b.path)));
        let surplus = files.len().saturating_sub(limit);
        let boxes = self.messages(files.split_off(surplus))?;
        Ok(boxes.into_iter().map(|found| found.message).collect())
    }

    /// Returns the names of whoever has an inbox.
    pub fn inboxes(&self) -> Result<Vec<String>, StoreError> {
        let Some(tree) = self.directory(layout::INBOX)? else {
            return Ok(Vec::new());
        };
        let names = self.store().repo.read_tree(tree)?.into_iter();
        Ok(names
            .filter(|entry| entry.is_named() && entry.mode == Mode::Tree)
            .map(|entry| String::from_utf8_lossy(&entry.name).into_owned())
            .collect())
    }

    /// Returns the messages whose ids are of a time after `limit`.
    pub fn mail_after(&self, limit: Timestamp) -> Result<Vec<Mail>, StoreError> {
        let mut files = self.files(layout::INBOX)?;
        files.extend(self.files(layout::CHANNELS)?);
        files.retain(|file| {
            layout::stamp_in_file_name(file_name(&file.path)).is_some_and(|id| id.at() > limit)
        });
        self.messages(files)
    }

    /// Returns every message in an inbox, read or not, and whose inbox it is.
    pub fn all_mail(&self) -> Result<Vec<(AgentName, Message)>, StoreError> {
        let owner = |path: &str| {
            let rest = path.strip_prefix(layout::INBOX)?.strip_prefix('/')?;
            rest.split('/').next()?.parse().ok()
        };
        let boxes = self.messages(self.files(layout::INBOX)?)?.into_iter();
        Ok(boxes
            .filter_map(|found| Some((owner(&found.path)?, found.message)))
            .collect())
    }

    /// Returns every message in a channel.
    pub fn all_of_channels(&self) -> Result<Vec<Message>, StoreError> {
        let boxes = self.messages(self.files(layout::CHANNELS)?)?.into_iter();
        Ok(boxes.map(|found| found.message).collect())
    }

    /// Returns the channels that have messages.
    pub fn channels(&self) -> Result<Vec<ChannelName>, StoreError> {
        let Some(tree) = self.directory(layout::CHANNELS)? else {
            return Ok(Vec::new());
        };
        Ok(self
            .store()
            .repo
            .read_tree(tree)?
            .iter()
            .filter_map(|entry| str::from_utf8(&entry.name).ok()?.parse().ok())
            .collect())
    }

    fn messages(&self, files: Vec<RecordFile>) -> Result<Vec<Mail>, StoreError> {
        let mut found = Vec::with_capacity(files.len());
        for file in files {
            if let Ok(message) = self.message(&file)? {
                found.push(Mail {
                    message,
                    path: file.path,
                    blob: file.blob,
                });
            }
        }
        found.sort_by_key(|found| found.message.id);
        Ok(found)
    }

    /// Reads a message's file; the inner error is the file's fault.
    fn message(&self, file: &RecordFile) -> Result<Result<Message, BadFile>, StoreError> {
        let bytes = match file.read(&self.store().repo)? {
            Ok(bytes) => bytes,
            Err(reason) => return Ok(Err(reason)),
        };
        Ok(match format::parse_message(&bytes) {
            Ok(message) if named(&file.path, message.id) => Ok(message),
            Ok(message) => Err(BadFile::OtherName {
                named: message.id.to_string(),
            }),
            Err(error) => Err(error.into()),
        })
    }

    /// Returns the messages and reflections that cannot be read.
    ///
    /// This reads every one of them, so only `doctor` asks.
    pub fn unreadable(&self) -> Result<Vec<Quarantined>, StoreError> {
        let mut bad = Vec::new();
        let mut add = |file: RecordFile, reason: BadFile, good: &dyn Fn(&[u8]) -> bool| {
            let last_good = self.store().last_version(self.tip, &file.path, good)?;
            bad.push(Quarantined {
                path: file.path,
                blob: file.blob,
                reason: reason.to_string(),
                last_good,
            });
            Ok::<(), StoreError>(())
        };
        for directory in [layout::INBOX, layout::CHANNELS] {
            for file in self.files(directory)? {
                if let Err(reason) = self.message(&file)? {
                    let path = file.path.clone();
                    let good = |bytes: &[u8]| {
                        format::parse_message(bytes).is_ok_and(|m| named(&path, m.id))
                    };
                    add(file, reason, &good)?;
                }
            }
        }
        for file in self.files(layout::REFLECTIONS)? {
            let path = file.path.clone();
            let parse = |bytes: &[u8]| match format::parse_reflection(bytes) {
                Ok(reflection) if named(&path, reflection.id) => Ok(()),
                Ok(reflection) => Err(BadFile::OtherName {
                    named: reflection.id.to_string(),
                }),
                Err(error) => Err(error.into()),
            };
            let read = file.read(&self.store().repo)?;
            if let Err(reason) = read.and_then(|bytes| parse(&bytes)) {
                add(file, reason, &|bytes| parse(bytes).is_ok())?;
            }
        }
        Ok(bad)
    }
}

fn named(path: &str, id: Stamp) -> bool {
    layout::stamp_in_file_name(file_name(path)) == Some(id)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
