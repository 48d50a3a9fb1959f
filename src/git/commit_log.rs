//! Commits of a range with the paths each of them changes, from one process.

use std::collections::HashSet;
use std::time::Duration;

use super::staged::split_names;
use super::{GitError, ObjectKind, Oid, Repo};

/// Which commits to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitRange {
    pub include: Vec<Oid>,
    pub exclude: Vec<Oid>,
    /// Leaves out what the tracking branches of this remote have.
    pub not_on_remote: Option<String>,
}

/// A commit as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCommit {
    pub oid: Oid,
    pub parents: Vec<Oid>,
    pub author: String,
    pub email: String,
    pub subject: String,
    /// When it was committed, in seconds since 1970, by the clock of whoever did.
    pub committed: i64,
    /// The values of each trailer that was asked for, in that order.
    pub trailers: Vec<Vec<String>>,
    /// The paths it changes; those of a merge that differ from all its parents.
    pub paths: Vec<Vec<u8>>,
    /// Whether a shallow clone lacks its parents, so that nobody can tell what it changes: then it
    /// has no paths, where git would name all files there are.
    pub cut_off: bool,
}

/// Returns the value of a trailer, if the line is one of this kind.
pub fn trailer_value<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    let (name, value) = line.split_once(':')?;
    name.trim().eq_ignore_ascii_case(key).then(|| value.trim())
}

impl CommitRange {
    /// Returns the commits as `rev-list --stdin` reads them.
    fn lines(&self) -> String {
        let include = self.include.iter().map(|oid| format!("{oid}\n"));
        let exclude = self.exclude.iter().map(|oid| format!("^{oid}\n"));
        include.chain(exclude).collect()
    }
}

/// Begins the head of a commit among the names of files. No path begins so.
const HEAD: u8 = b'/';

impl Repo {
    /// Lists the commits of a range, children before their parents, with the values of `trailers`.
    ///
    /// Trailers count wherever in a message they are: a forge that squashes puts the messages of
    /// all commits one below the other, `git merge --squash` indents them as well, and to git only
    /// the last paragraph has trailers.
    ///
    /// One process, whatever the number of commits.
    pub fn log_paths(
        &self,
        range: &CommitRange,
        trailers: &[&str],
        time_limit: Duration,
    ) -> Result<Vec<LoggedCommit>, GitError> {
        if range.include.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = self
            .git(["-c", "log.showRoot=true", "log"])
            .args([
                "-z",
                "-c",
                "--name-only",
                "--no-renames",
                "--no-ext-diff",
                "--no-relative",
                "--no-show-signature",
                "--no-color",
                "--ignore-submodules=none",
                "--encoding=UTF-8",
                "--topo-order",
            ])
            .arg("--format=/%H%x00%P%x00%an%x00%ae%x00%ct%x00%s%x00%B")
            .arg("--stdin");
        if let Some(remote) = &range.not_on_remote {
            let escaped = remote.replace(['*', '?', '['], "?");
            command = command.arg("--not").arg(format!("--remotes={escaped}"));
        }
        let output = command
            .stdin(range.lines())
            .time_limit(time_limit)
            .checked()?;
        let mut commits = parse(&output, trailers)?;
        let ends = self.history_ends();
        for commit in commits.iter_mut().filter(|c| ends.contains(&c.oid)) {
            commit.cut_off = true;
            commit.paths.clear();
        }
        Ok(commits)
    }

    /// Returns the commits whose parents a shallow clone lacks on purpose.
    fn history_ends(&self) -> HashSet<Oid> {
        let text = std::fs::read_to_string(self.common_dir().join("shallow"));
        let text = text.unwrap_or_default();
        text.lines()
            .filter_map(|oid| Oid::parse(oid).ok())
            .collect()
    }

    /// Lists the commits of a range that cannot be reached from `base`; `None` if that is not here.
    pub fn list_beyond(
        &self,
        range: &CommitRange,
        base: Oid,
        time_limit: Duration,
    ) -> Result<Option<HashSet<Oid>>, GitError> {
        if self.kind(base)? != Some(ObjectKind::Commit) {
            return Ok(None);
        }
        let mut input = range.lines();
        input.push_str(&format!("^{base}\n"));
        let command = self.git(["rev-list", "--stdin"]).stdin(input);
        let output = command.time_limit(time_limit).checked()?;
        let lines = String::from_utf8_lossy(&output);
        let oids: Result<_, _> = lines.lines().map(Oid::parse).collect();
        oids.map(Some)
    }

    /// Leaves of the `paths` of a merge those that were edited by hand; see
    /// [`Repo::staged_by_hand`].
    pub fn merged_by_hand(
        &self,
        commit: &LoggedCommit,
        mut paths: Vec<Vec<u8>>,
        time_limit: Duration,
    ) -> Result<Vec<Vec<u8>>, GitError> {
        if let [ours, theirs] = commit.parents.as_slice()
            && let Some(merged) = self.merge_automatically(*ours, *theirs, time_limit)?
        {
            let tree = self.read_commit(commit.oid)?.tree;
            let differ = self.diff_trees(Some(merged), tree)?;
            paths.retain(|path| differ.iter().any(|change| change.path == *path));
        }
        Ok(paths)
    }

    /// Returns what a range as git writes it (`A..B`, `A...B`, or one commit) stands for; `None`
    /// if a name in it is unknown.
    pub fn parse_range(&self, text: &str) -> Result<Option<CommitRange>, GitError> {
        if text.starts_with('-') || text.contains('\0') {
            return Ok(None);
        }
        if !text.contains("..")
            && let Some(only) = self.resolve(text)?
        {
            return Ok(Some(CommitRange {
                include: vec![only],
                exclude: self.parents_here(only)?,
                not_on_remote: None,
            }));
        }
        let output = self.git(["rev-parse", "--revs-only", text]).run()?;
        if output.code != Some(0) {
            return Ok(None);
        }
        let mut range = CommitRange::default();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let (side, oid) = match line.strip_prefix('^') {
                Some(oid) => (&mut range.exclude, oid),
                None => (&mut range.include, line),
            };
            let oid = Oid::parse(oid)?;
            // To git, any forty digits name something.
            if !self.exists(oid) {
                return Ok(None);
            }
            side.push(oid);
        }
        Ok((!range.include.is_empty()).then_some(range))
    }

    fn parents_here(&self, commit: Oid) -> Result<Vec<Oid>, GitError> {
        let mut parents = self.read_commit(commit)?.parents;
        parents.retain(|parent| self.exists(*parent));
        Ok(parents)
    }
}

fn parse(output: &[u8], trailers: &[&str]) -> Result<Vec<LoggedCommit>, GitError> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut tokens = output.split(|byte| *byte == 0).peekable();
    let mut commits: Vec<LoggedCommit> = Vec::new();
    while let Some(token) = tokens.next() {
        if token.first() != Some(&HEAD) {
            if let Some(commit) = commits.last_mut() {
                // The first name of a commit comes after a line break.
                let name = if commit.paths.is_empty() {
                    token.strip_prefix(b"\n").unwrap_or(token)
                } else {
                    token
                };
                commit.paths.extend(split_names(name));
            }
            continue;
        }
        let mut field = || tokens.next().map(text).unwrap_or_default();
        let mut commit = LoggedCommit {
            oid: Oid::parse(&text(&token[1..]))?,
            parents: Vec::new(),
            author: String::new(),
            email: String::new(),
            subject: String::new(),
            committed: 0,
            trailers: Vec::with_capacity(trailers.len()),
            paths: Vec::new(),
            cut_off: false,
        };
        let parents = field();
        commit.parents = parents
            .split_ascii_whitespace()
            .map(Oid::parse)
            .collect::<Result<_, _>>()?;
        commit.author = field();
        commit.email = field();
        commit.committed = field().parse().unwrap_or(0);
        commit.subject = field();
        let message = field();
        for key in trailers {
            let values = message.lines().filter_map(|line| trailer_value(line, key));
            let values = values.filter(|value| !value.is_empty());
            commit.trailers.push(values.map(str::to_owned).collect());
        }
        commits.push(commit);
    }
    Ok(commits)
}

#[cfg(test)]
mod tests;
