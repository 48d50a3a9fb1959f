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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{TestRepo, write_commit};

    #[test]
    fn what_is_not_on_the_branch_hangs_together() {
        for test in TestRepo::of_every_format() {
            test.commit("landed");
            let repo = test.open();
            let tip = repo.resolve("HEAD").unwrap().unwrap();
            let one = write_commit(&repo, &[tip], "one", 10);
            let two = write_commit(&repo, &[one], "two", 20);
            let merge = write_commit(&repo, &[two, tip], "merge", 30);
            let other = write_commit(&repo, &[], "other", 40);
            let gone = write_commit(&test_elsewhere(&test).open(), &[], "elsewhere", 1);
            let graph = repo.unlanded(&[merge, other, tip, two, gone], tip).unwrap();
            let place = |oid: Oid| graph.iter().position(|(it, _)| *it == oid);
            assert_eq!(graph.len(), 4);
            assert!(place(merge) < place(two) && place(two) < place(one));
            assert_eq!(graph[place(merge).unwrap()].1, [two, tip]);
            assert_eq!(graph[place(other).unwrap()].1, []);
            assert_eq!(repo.unlanded(&[], tip).unwrap(), []);
        }
    }

    fn test_elsewhere(test: &TestRepo) -> TestRepo {
        match test.open().object_format() {
            crate::git::ObjectFormat::Sha1 => TestRepo::init(&[]),
            crate::git::ObjectFormat::Sha256 => TestRepo::init(&["--object-format=sha256"]),
        }
    }

    #[test]
    fn what_commits_touch() {
        let test = TestRepo::init(&[]);
        let root = test.commit_files("root", &[("a", "1"), ("old name", "2\n3\n4\n5\n")]);
        test.git(&["mv", "old name", "new\nname"]);
        let renamed = test.commit("renamed");
        test.git(&["checkout", "-q", "-b", "side", &root.to_string()]);
        test.commit_files("side", &[("b", "1")]);
        test.git(&["merge", "-q", "--no-edit", "main"]);
        let merge = repo_head(&test);
        let paths = |commits: &[Oid]| {
            let found = test.open().touched(commits).unwrap();
            let text = |path: Vec<u8>| String::from_utf8(path).unwrap();
            found.into_iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(paths(&[root]), ["a", "old name"]);
        assert_eq!(paths(&[renamed, root]), ["a", "new\nname", "old name"]);
        assert!(paths(&[merge]).is_empty());
        let differ = test.open().differing(root, merge).unwrap();
        assert_eq!(
            differ,
            [b"b".to_vec(), b"new\nname".to_vec(), b"old name".to_vec()]
        );
    }

    fn repo_head(test: &TestRepo) -> Oid {
        test.open().resolve("HEAD").unwrap().unwrap()
    }
}
