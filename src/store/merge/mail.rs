//! Messages and reflections: files that never change, at places that do.

use std::collections::{BTreeMap, BTreeSet};

use crate::format;
use crate::git::{Change, Oid};
use crate::model::merge::{merge_messages, merge_reflections};

use super::{Merge, Side, file_name};
use crate::store::fanout::Spread;
use crate::store::{StoreError, layout};

type Files = BTreeMap<String, Oid>;

impl Merge<'_> {
    /// Merges the messages of one agent: all of both sides, and read if either side has read it.
    pub(super) fn mail(&mut self, agent: &str, changes: &[&Change]) -> Result<(), StoreError> {
        let unread_dir = format!("{}/{agent}", layout::INBOX);
        let read_dir = format!("{unread_dir}/{}", layout::READ);
        let months: BTreeSet<String> = changes
            .iter()
            .filter_map(|change| layout::stamp_in_file_name(file_name(&change.path_text())))
            .map(|id| layout::month(id.at()))
            .collect();
        let mut read_names = BTreeSet::new();
        for month in &months {
            let directory = format!("{read_dir}/{month}");
            let (left, right) = self.both(&directory)?;
            let merged = self.union(&left, &right, true)?;
            read_names.extend(merged.keys().cloned());
            self.arrange(&directory, Spread::Back, &left, &merged);
        }
        let (left, right) = (
            self.unread(self.left, &unread_dir, &read_dir)?,
            self.unread(self.right, &unread_dir, &read_dir)?,
        );
        let mut merged = self.union(&left, &right, true)?;
        merged.retain(|file, _| !read_names.contains(file));
        self.arrange(&unread_dir, Spread::Back, &left, &merged);
        Ok(())
    }

    fn unread(&self, side: Side, directory: &str, read: &str) -> Result<Files, StoreError> {
        let mut files = self.list(side, directory)?;
        let read = format!("{read}/");
        files.retain(|path, _| !path.starts_with(&read));
        Ok(files)
    }

    /// Merges a directory of files that never change: those of a channel, or reflections.
    pub(super) fn immutable(&mut self, directory: &str, channel: bool) -> Result<(), StoreError> {
        let (left, right) = self.both(directory)?;
        let merged = self.union(&left, &right, channel)?;
        self.arrange(directory, Spread::Back, &left, &merged);
        Ok(())
    }

    fn both(&self, directory: &str) -> Result<(Files, Files), StoreError> {
        Ok((
            self.list(self.left, directory)?,
            self.list(self.right, directory)?,
        ))
    }

    /// Returns every file of both sides by its name, without the directories it is fanned out to.
    fn union(&mut self, left: &Files, right: &Files, message: bool) -> Result<Files, StoreError> {
        let mut merged: Files = BTreeMap::new();
        for (path, blob) in left.iter().chain(right) {
            let name = file_name(path).to_owned();
            let blob = match merged.get(&name) {
                Some(other) if other != blob => self.pick(path, *other, *blob, message)?,
                _ => *blob,
            };
            merged.insert(name, blob);
        }
        Ok(merged)
    }

    /// Picks one of two files under one id, which no honest writer makes: the same everywhere.
    fn pick(&mut self, path: &str, a: Oid, b: Oid, message: bool) -> Result<Oid, StoreError> {
        let (one, two) = (self.bytes(a)?, self.bytes(b)?);
        let winner = if message {
            let parse = |bytes: &Option<Vec<u8>>| format::parse_message(bytes.as_deref()?).ok();
            match (parse(&one), parse(&two)) {
                (Some(x), Some(y)) if merge_messages(x.clone(), y.clone()) == x => Some(a),
                (Some(_), Some(_)) => Some(b),
                (Some(_), None) => Some(a),
                (None, Some(_)) => Some(b),
                (None, None) => None,
            }
        } else {
            let parse = |bytes: &Option<Vec<u8>>| format::parse_reflection(bytes.as_deref()?).ok();
            match (parse(&one), parse(&two)) {
                (Some(x), Some(y)) if merge_reflections(x.clone(), y.clone()) == x => Some(a),
                (Some(_), Some(_)) => Some(b),
                (Some(_), None) => Some(a),
                (None, Some(_)) => Some(b),
                (None, None) => None,
            }
        };
        let winner = winner.unwrap_or(a.max(b));
        self.aside(path, if winner == a { b } else { a });
        Ok(winner)
    }
}
