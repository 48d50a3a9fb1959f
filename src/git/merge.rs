//! Merges in memory: trees are written, no file, index or ref is touched.

use super::staged::split_names;
use super::{GitCommand, GitError, GitOutput, GitVersion, NewCommit, ObjectKind, Oid, Repo};

/// The oldest version that merges in memory.
pub const GIT_MERGES: GitVersion = GitVersion {
    major: 2,
    minor: 38,
    patch: 0,
};

/// What comes of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// The merged tree.
    Clean(Oid),
    /// The paths that somebody has to merge.
    Conflict { paths: Vec<Vec<u8>> },
    /// The two histories have no commit in common.
    Unrelated,
}

/// What git says when it does not know an option.
const USAGE: i32 = 129;

impl Repo {
    /// Merges two commits from their merge base, as `git merge` would.
    pub fn merge_in_memory(&self, ours: Oid, theirs: Oid) -> Result<Merged, GitError> {
        let command = self
            .merge_tree()
            .args([ours.to_string(), theirs.to_string()]);
        self.merged(command.run()?)
    }

    /// Merges into `ours` what leads from `base` to `theirs`, whatever their histories have in
    /// common: how git picks a commit.
    pub fn merge_from(&self, base: Oid, ours: Oid, theirs: Oid) -> Result<Merged, GitError> {
        let output = self
            .merge_tree()
            .arg(format!("--merge-base={base}"))
            .args([ours.to_string(), theirs.to_string()])
            .run()?;
        match output.code {
            // Git before 2.40 has no such option.
            Some(USAGE) => self.merge_from_by_history(base, ours, theirs),
            _ => self.merged(output),
        }
    }

    /// Does the same with commits made for it, whose history is as it has to be.
    fn merge_from_by_history(&self, base: Oid, ours: Oid, theirs: Oid) -> Result<Merged, GitError> {
        let stand_in = |of: Oid, parents: Vec<Oid>| {
            let commit = self.read_commit(of)?;
            self.write_commit(&NewCommit {
                tree: commit.tree,
                parents,
                author: commit.committer.clone(),
                committer: commit.committer,
                // Two of the same tree must not be one commit.
                message: format!("stand-in for {of}\n"),
            })
        };
        let base = stand_in(base, Vec::new())?;
        let [ours, theirs] = [stand_in(ours, vec![base])?, stand_in(theirs, vec![base])?];
        self.merge_in_memory(ours, theirs)
    }

    /// Merges each of these pairs from their merge base, in one process where git can.
    pub fn merge_pairs(&self, pairs: &[(Oid, Oid)]) -> Result<Vec<Merged>, GitError> {
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        let lines = pairs
            .iter()
            .map(|(ours, theirs)| format!("{ours} {theirs}\n"));
        let command = self
            .merge_tree()
            .arg("--stdin")
            .stdin(lines.collect::<String>());
        let output = command.run()?;
        if output.code == Some(0)
            && let Some(merged) = records(&output.stdout)
            && merged.len() == pairs.len()
        {
            return Ok(merged);
        }
        // Git 2.38 takes one at a time, and unrelated histories end the process.
        let one = |(ours, theirs): &(Oid, Oid)| self.merge_in_memory(*ours, *theirs);
        pairs.iter().map(one).collect()
    }

    fn merge_tree(&self) -> GitCommand {
        // A directory that was renamed takes no files along by itself: somebody has to say.
        self.git(["-c", "merge.directoryRenames=conflict"]).args([
            "merge-tree",
            "--write-tree",
            "--name-only",
            "--no-messages",
            "-z",
        ])
    }

    fn merged(&self, output: GitOutput) -> Result<Merged, GitError> {
        let mut fields = output.stdout.split(|byte| *byte == 0);
        let tree = fields.next().and_then(oid);
        match (output.code, tree) {
            (Some(0), Some(tree)) => Ok(Merged::Clean(tree)),
            (Some(1), Some(_)) => {
                let rest: Vec<&[u8]> = fields.collect();
                let paths = split_names(&rest.join(&0));
                Ok(Merged::Conflict { paths })
            }
            _ if output.stderr.contains("unrelated histories") => Ok(Merged::Unrelated),
            _ => Err(self.merge_failure(output)),
        }
    }

    fn merge_failure(&self, output: GitOutput) -> GitError {
        match self.runner().version() {
            Ok(found) if found < GIT_MERGES => GitError::TooOld {
                task: "merge in memory",
                found,
                needed: GIT_MERGES,
            },
            _ => {
                let dir = self.common_dir();
                GitError::of_write(dir, output.into_failure().into(), |source| {
                    GitError::WriteObject {
                        kind: ObjectKind::Tree,
                        dir: dir.to_owned(),
                        source,
                    }
                })
            }
        }
    }
}

fn oid(hex: &[u8]) -> Option<Oid> {
    Oid::parse(str::from_utf8(hex).ok()?).ok()
}

/// Reads what `--stdin` prints: of each merge whether it is clean, the tree, the paths that
/// conflict, and an empty name.
fn records(output: &[u8]) -> Option<Vec<Merged>> {
    let mut merged = Vec::new();
    let mut fields = output.split(|byte| *byte == 0);
    loop {
        let clean = match fields.next() {
            None | Some(b"") => return Some(merged),
            Some(b"1") => true,
            Some(b"0") => false,
            Some(_) => return None,
        };
        let tree = fields.next().and_then(oid)?;
        let paths = fields.by_ref().take_while(|name| !name.is_empty());
        let paths: Vec<Vec<u8>> = paths.map(<[u8]>::to_vec).collect();
        merged.push(match clean {
            true => Merged::Clean(tree),
            false => Merged::Conflict { paths },
        });
    }
}

#[cfg(test)]
mod tests;
