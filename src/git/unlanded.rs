//! Commits that are not on a branch yet: how they hang together, and what they change.

use super::staged::split_names;
use super::{GitError, Oid, Repo};

/// Commits with their parents, children first.
pub type Graph = Vec<(Oid, Vec<Oid>)>;

impl Repo {
    /// Returns all that can be reached from `commits` and not from `tip`, children first.
    ///
    /// What is not in this clone is left out. A commit that is here and not in the answer is on the
    /// branch. One process, whatever the number of commits.
    pub fn unlanded(&self, commits: &[Oid], tip: Oid) -> Result<Graph, GitError> {
        let here = commits.iter().filter(|commit| self.exists(**commit));
        let mut input: String = here.map(|commit| format!("{commit}\n")).collect();
        if input.is_empty() {
            return Ok(Graph::new());
        }
        input.push_str(&format!("^{tip}\n"));
        let command = self.git(["rev-list", "--topo-order", "--parents", "--stdin"]);
        let output = command.stdin(input).checked()?;
        let lines = String::from_utf8_lossy(&output);
        lines.lines().map(commit_line).collect()
    }

    /// Returns the paths that any of these commits changes, in order: both names of a rename, and of
    /// a merge those that differ from all its parents.
    pub fn touched(&self, commits: &[Oid]) -> Result<Vec<Vec<u8>>, GitError> {
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        let input: String = commits.iter().map(|oid| format!("{oid}\n")).collect();
        let command = self
            .git([
                "diff-tree",
                "--stdin",
                "--no-commit-id",
                "--root",
                "-r",
                "-c",
                "-z",
            ])
            .args(NAMES_ONLY);
        let mut paths = split_names(&command.stdin(input).checked()?);
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    /// Returns the paths that differ between two commits, changes of mode included.
    pub fn differing(&self, old: Oid, new: Oid) -> Result<Vec<Vec<u8>>, GitError> {
        let command = self.git(["diff-tree", "-r", "-z"]).args(NAMES_ONLY);
        let command = command.args([old.to_string(), new.to_string()]);
        Ok(split_names(&command.checked()?))
    }
}

/// Nothing of the user's configuration may leave out a path.
pub(super) const NAMES_ONLY: [&str; 5] = [
    "--name-only",
    "--no-renames",
    "--no-ext-diff",
    "--no-relative",
    "--ignore-submodules=none",
];

/// Reads a commit and its parents.
fn commit_line(line: &str) -> Result<(Oid, Vec<Oid>), GitError> {
    let mut oids = line.split_ascii_whitespace().map(Oid::parse);
    let commit = oids.next().unwrap_or_else(|| Oid::parse(line))?;
    Ok((commit, oids.collect::<Result<_, _>>()?))
}
