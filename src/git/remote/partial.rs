//! Partial clones: what they leave out is fetched where it is needed whole.
//!
//! A clone made with `--filter=blob:none` has commits without their files; git fetches each when
//! it is read. Here objects are read without git, so they must be there before.

use super::{GitError, Oid, Remote, Way, reason};

/// How often to look again for what is missing: below a tree that came there may be more.
const ROUNDS: u32 = 8;

impl Remote<'_> {
    /// Tells whether this clone left something out that this remote promises to give later.
    pub(super) fn is_promisor(&self) -> bool {
        let key = format!("remote.{}.promisor", self.name);
        self.repo.config(&key).as_deref() == Some("true")
    }

    /// Fetches all that the commits `tips` need and this clone left out; `complete` are commits
    /// that are known to lack nothing.
    ///
    /// Costs nothing in a clone that is not partial.
    ///
    /// # Errors
    ///
    /// [`GitError::Unreachable`] if the remote does not give it.
    pub fn fill_in(&self, tips: &[Oid], complete: &[Oid]) -> Result<(), GitError> {
        if tips.is_empty() || !self.is_promisor() {
            return Ok(());
        }
        for _ in 0..ROUNDS {
            let missing = self.missing(tips, complete)?;
            if missing.is_empty() {
                return Ok(());
            }
            // As git itself fetches what was promised.
            let command = self
                .fetching()
                .args(["--no-filter", "--stdin", "--", &self.name])
                .stdin(missing);
            let output = self.transfer(command, Way::Fetch)?;
            if output.code != Some(0) {
                return Err(self.unreachable(reason(&output.stderr)));
            }
        }
        Err(self.unreachable("it does not give what this partial clone left out".to_owned()))
    }

    /// Returns the names of objects that are not here, one a line.
    fn missing(&self, tips: &[Oid], complete: &[Oid]) -> Result<String, GitError> {
        let complete = complete.iter().map(|oid| format!("^{oid}"));
        let output = self
            .repo
            .git(["rev-list", "--objects", "--missing=print"])
            .arg("--no-object-names")
            .args(tips.iter().map(Oid::to_string).chain(complete))
            .checked()?;
        let text = String::from_utf8_lossy(&output);
        let missing = text.lines().filter_map(|line| line.strip_prefix('?'));
        Ok(missing.map(|name| format!("{name}\n")).collect())
    }
}
