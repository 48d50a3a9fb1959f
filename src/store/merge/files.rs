//! Files merged by their path: agents, settings, and whatever people put on the branch.

use crate::format;
use crate::git::{Change, Oid};
use crate::model::agent::AgentLog;
use crate::model::settings::SettingsLog;

use super::Merge;
use crate::store::{StoreError, layout};

impl Merge<'_> {
    pub(super) fn agent(&mut self, path: &str, change: &Change) -> Result<(), StoreError> {
        // A person may have left the name out: the file is called by it.
        let named = || layout::agent_at(path)?.parse().ok();
        let parse = |bytes: &[u8]| {
            let parsed = format::parse_agent(bytes).ok()?;
            Some(AgentLog {
                name: parsed.name.or_else(named)?,
                log: parsed.log,
            })
        };
        let merge = |a: AgentLog, b: AgentLog| AgentLog {
            log: a.log.merge(b.log),
            ..a
        };
        self.by_path(path, change, &parse, &merge, &format::print_agent)
    }

    pub(super) fn settings(&mut self, path: &str, change: &Change) -> Result<(), StoreError> {
        let parse = |bytes: &[u8]| format::parse_settings(bytes).ok().map(|parsed| parsed.log);
        let merge = |a: SettingsLog, b: SettingsLog| SettingsLog {
            log: a.log.merge(b.log),
        };
        self.by_path(path, change, &parse, &merge, &format::print_settings)
    }

    fn by_path<T: PartialEq>(
        &mut self,
        path: &str,
        change: &Change,
        parse: &dyn Fn(&[u8]) -> Option<T>,
        merge: &dyn Fn(T, T) -> T,
        print: &dyn Fn(&T) -> String,
    ) -> Result<(), StoreError> {
        let (Some(left), Some(right)) = (change.old, change.new) else {
            // Made on one side; or removed by hand on the other, which takes nobody off the team.
            self.greater(path, change);
            return Ok(());
        };
        let value = |blob: Oid| -> Result<Option<T>, StoreError> {
            Ok(self.bytes(blob)?.and_then(|bytes| parse(&bytes)))
        };
        let blob = match (value(left)?, value(right)?) {
            (Some(a), Some(b)) => {
                let text = print(&merge(a, b));
                self.repo().write_blob(text.as_bytes())?
            }
            // Damaged on one side: that side's file has nothing that could be merged.
            (Some(_), None) => return self.damaged(path, left, right),
            (None, Some(_)) => return self.damaged(path, right, left),
            (None, None) => {
                self.aside(path, left.min(right));
                left.max(right)
            }
        };
        self.edits.insert(path.to_owned(), Some(blob));
        Ok(())
    }

    /// Lets the good version stand and keeps the damaged one beside, to be looked at.
    fn damaged(&mut self, path: &str, good: Oid, bad: Oid) -> Result<(), StoreError> {
        if self.base_blob(path)? != Some(bad) {
            self.aside(path, bad);
        }
        self.edits.insert(path.to_owned(), Some(good));
        Ok(())
    }

    /// Merges a file that reflectt knows nothing of: whoever changed it wins.
    pub(super) fn other(&mut self, path: &str, change: &Change) -> Result<(), StoreError> {
        let base = self.base_blob(path)?;
        let winner = if change.old == base {
            change.new
        } else if change.new == base {
            change.old
        } else {
            if let (Some(left), Some(right)) = (change.old, change.new) {
                self.aside(path, left.min(right));
            }
            change.old.max(change.new)
        };
        self.edits.insert(path.to_owned(), winner);
        Ok(())
    }

    /// Returns a file's bytes, or `None` if it is too large to be one of ours.
    pub(super) fn bytes(&self, blob: Oid) -> Result<Option<Vec<u8>>, StoreError> {
        use crate::git::GitError;
        match self.repo().read_blob_limited(blob, layout::FILE_MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(GitError::TooLarge { .. } | GitError::WrongKind { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
