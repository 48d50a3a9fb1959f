//! Moving a branch of a remote that people work on.

use crate::git::advance::{Advance, Advanced};
use crate::git::{GitError, Oid, Pushed, RefName, RefUpdate, Relation, Way};

use super::{Remote, Together};

impl Remote<'_> {
    /// Moves a branch of the remote forward, and reads back what it has before it says so.
    ///
    /// The tracking ref here moves as after every push. A local branch of that name stays where it
    /// is, checked out or not.
    pub fn advance(&self, advance: &Advance) -> Result<Advanced, GitError> {
        if !self.repo.leads_forward(advance)? {
            return Ok(Advanced::NotForward);
        }
        self.settle(&advance.branch, Some(advance.from), advance.to)
    }

    /// Puts a commit on a branch of our own there, whatever that holds.
    pub fn put(&self, branch: &RefName, commit: Oid) -> Result<Advanced, GitError> {
        match self.look(branch) {
            Ok(Some(found)) if found == commit => Ok(Advanced::Moved),
            Ok(found) => self.settle(branch, found, commit),
            Err(error) => unreachable_or(error),
        }
    }

    fn settle(&self, branch: &RefName, from: Option<Oid>, to: Oid) -> Result<Advanced, GitError> {
        let update = RefUpdate {
            name: branch.clone(),
            from,
            to: Some(to),
        };
        let (pushed, said) = match self.push_and_hear(&[update], Together::Each) {
            Ok((pushed, said)) => (pushed.into_iter().next(), said),
            // An answer that was lost on its way may be of a push that worked.
            Err(error) => {
                return match self.look(branch) {
                    Ok(found) if found == Some(to) => Ok(Advanced::Moved),
                    _ => unreachable_or(error),
                };
            }
        };
        if let Some(Pushed::Refused { reason }) = pushed {
            return Ok(Advanced::Protected {
                said: words(reason, said),
            });
        }
        match self.look(branch) {
            Ok(found) => self.judge(branch, to, found),
            Err(error) => unreachable_or(error),
        }
    }

    /// Judges what the remote has after a push: others may have gone on from our commit since.
    fn judge(&self, branch: &RefName, to: Oid, found: Option<Oid>) -> Result<Advanced, GitError> {
        let Some(now) = found else {
            return Ok(Advanced::Elsewhere(None));
        };
        if now != to && !self.repo.exists(now) {
            // It comes with the tracking ref, where there is one.
            let command = self.fetching().args(["--", &self.name, branch.as_str()]);
            let output = self.transfer(command, Way::Fetch)?;
            if output.code != Some(0) {
                return unreachable_or(self.failure(output));
            }
        }
        // It may have moved again while we fetched it.
        if !self.repo.exists(now) {
            return Ok(Advanced::Elsewhere(found));
        }
        Ok(match self.repo.relation(now, to)? {
            Relation::Same | Relation::Ahead => Advanced::Moved,
            Relation::Behind | Relation::Diverged => Advanced::Elsewhere(found),
        })
    }

    fn look(&self, branch: &RefName) -> Result<Option<Oid>, GitError> {
        let found = self.list(&[branch.as_str()])?;
        // A pattern also matches the end of longer names.
        let exact = found.into_iter().find(|(name, _)| name == branch);
        Ok(exact.map(|(_, oid)| oid))
    }
}

/// Returns what the remote said, and first of all how git sums it up.
fn words(reason: String, said: Vec<String>) -> Vec<String> {
    // The first line is in the reason already.
    let sum = match said.first() {
        Some(first) => reason
            .trim_end_matches(first.as_str())
            .trim_end_matches(": ")
            .to_owned(),
        None => reason,
    };
    [sum].into_iter().chain(said).collect()
}

fn unreachable_or(error: GitError) -> Result<Advanced, GitError> {
    match error {
        GitError::Unreachable { reason, .. } => Ok(Advanced::Unreachable { reason }),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests;
