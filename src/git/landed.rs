//! Work that came onto a branch without us: merged, squashed or rebased by a forge or by hand.
//!
//! All that is asked about is answered by the same few processes, and they read no more history than
//! since the oldest of it began, or since where the caller has looked before.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{GitError, Oid, Repo, trailer_value};

/// A submission that may have landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sought<'s> {
    /// What the trailer of a squash would name.
    pub task: &'s str,
    pub commit: Oid,
    /// Where it left the branch; found out if not given or not here.
    pub base: Option<Oid>,
    pub own: &'s [Oid],
    /// The commits of older submissions of the same task: those name it too, and are no squash.
    pub older: &'s [Oid],
}

/// How work came onto a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The branch has the commit itself.
    Ancestor,
    /// A commit on the branch says that it is this task.
    Squash,
    /// The branch has a commit with the same patch for each of its own.
    Patches,
}

/// Work that was found on a branch, and as which commit: for several patches, the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub how: How,
    pub commit: Oid,
}

/// A branch to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looked<'l> {
    pub tip: Oid,
    /// An earlier tip of the branch, up to which squashes and patches have been looked for.
    pub since: Option<Oid>,
    /// The key of the trailer that names a task.
    pub trailer: &'l str,
}

/// How many commits are turned into patches at once: their texts are all in memory.
const PATCHES_AT_ONCE: usize = 100;

/// A commit of the branch.
struct OnBranch {
    oid: Oid,
    parents: Vec<Oid>,
    /// What its trailers name.
    tasks: Vec<String>,
}

impl Repo {
    /// Looks for submissions on a branch; one answer for each, in their order.
    ///
    /// What was reverted later has landed all the same. A submission whose commit is not in this
    /// clone is not looked for.
    pub fn find_landed(
        &self,
        branch: &Looked,
        sought: &[Sought],
    ) -> Result<Vec<Option<Found>>, GitError> {
        let here: Vec<bool> = sought.iter().map(|it| self.exists(it.commit)).collect();
        let commits: Vec<Oid> = sought.iter().map(|it| it.commit).collect();
        let graph = self.unlanded(&commits, branch.tip)?;
        let beyond: HashSet<Oid> = graph.iter().map(|(commit, _)| *commit).collect();
        let mut found: Vec<Option<Found>> = vec![None; sought.len()];
        let mut bases: HashMap<usize, Oid> = HashMap::new();
        for (at, it) in sought.iter().enumerate().filter(|(at, _)| here[*at]) {
            if beyond.contains(&it.commit) {
                bases.extend(self.base_of(it, branch.tip)?.map(|base| (at, base)));
            } else {
                found[at] = Some(Found {
                    how: How::Ancestor,
                    commit: it.commit,
                });
            }
        }
        if bases.is_empty() {
            return Ok(found);
        }
        let bounds = self.bounds(branch, bases.values().copied().collect())?;
        let range = Range::new(self.read_range(branch, &bounds)?);
        let mut open: Vec<(usize, HashSet<Oid>)> = Vec::new();
        for (at, base) in bases {
            let before = range.reach(base);
            match range.squash(&sought[at], &before) {
                Some(commit) => {
                    let how = How::Squash;
                    found[at] = Some(Found { how, commit });
                }
                None => open.push((at, before)),
            }
        }
        if range.commits.is_empty() {
            return Ok(found);
        }
        self.find_patches(branch, &bounds, sought, open, &range, &mut found)?;
        Ok(found)
    }

    fn base_of(&self, sought: &Sought, tip: Oid) -> Result<Option<Oid>, GitError> {
        match sought.base.filter(|base| self.exists(*base)) {
            Some(base) => Ok(Some(base)),
            None => self.merge_base(sought.commit, tip),
        }
    }

    /// Returns what need not be looked at: all that is older than every base, or was seen before.
    fn bounds(&self, branch: &Looked, bases: BTreeSet<Oid>) -> Result<Vec<Oid>, GitError> {
        let mut bounds: Vec<Oid> = branch
            .since
            .filter(|it| self.exists(*it))
            .into_iter()
            .collect();
        let names = bases.iter().map(ToString::to_string);
        let command = self.git(["merge-base", "--octopus"]).args(names);
        let output = command.run()?;
        match output.code {
            Some(0) => {
                let lines = String::from_utf8_lossy(&output.stdout).into_owned();
                for line in lines.lines() {
                    bounds.push(Oid::parse(line)?);
                }
                Ok(bounds)
            }
            Some(1) => Ok(bounds),
            _ => Err(output.into_failure().into()),
        }
    }

    fn read_range(&self, branch: &Looked, bounds: &[Oid]) -> Result<Vec<OnBranch>, GitError> {
        let output = self
            .git([
                "log",
                "-z",
                "--topo-order",
                "--no-show-signature",
                "--no-color",
            ])
            .args([
                "--encoding=UTF-8",
                "--format=%H%x00%P%x00%B",
                "--no-patch",
                "--stdin",
            ])
            .stdin(range_lines(branch.tip, bounds))
            .checked()?;
        let text = String::from_utf8_lossy(&output);
        let mut fields = text.split('\0');
        let mut commits = Vec::new();
        while let (Some(oid), Some(parents), Some(message)) =
            (fields.next(), fields.next(), fields.next())
        {
            let values = message
                .lines()
                .filter_map(|line| trailer_value(line, branch.trailer));
            let parents = parents.split_ascii_whitespace().map(Oid::parse);
            commits.push(OnBranch {
                oid: Oid::parse(oid)?,
                parents: parents.collect::<Result<_, _>>()?,
                tasks: values.map(str::to_owned).collect(),
            });
        }
        Ok(commits)
    }

    /// Looks for the patches of all that is still open.
    fn find_patches(
        &self,
        branch: &Looked,
        bounds: &[Oid],
        sought: &[Sought],
        mut open: Vec<(usize, HashSet<Oid>)>,
        range: &Range,
        found: &mut [Option<Found>],
    ) -> Result<(), GitError> {
        // A shallow clone may lack some, and nothing is known of those.
        open.retain(|(at, _)| sought[*at].own.iter().all(|oid| self.exists(*oid)));
        let own = open.iter().flat_map(|(at, _)| sought[*at].own);
        let own: Vec<Oid> = own.copied().collect();
        let paths = self.touched(&own)?;
        if paths.is_empty() {
            return Ok(());
        }
        let candidates = self.commits_on_paths(branch.tip, bounds, &paths)?;
        if candidates.is_empty() {
            return Ok(());
        }
        let ours = self.patch_ids(&own)?;
        let theirs = self.patch_ids(&candidates)?;
        for (at, before) in open {
            // By patch, the last commit that makes it.
            let mut by_patch: HashMap<&str, usize> = HashMap::new();
            for (commit, patch) in &theirs {
                if let Some(place) = range.place(*commit).filter(|_| !before.contains(commit)) {
                    let last = by_patch.entry(patch).or_insert(place);
                    *last = place.min(*last);
                }
            }
            // A merge has no patch, nor has a commit that changes nothing.
            let own = sought[at].own.iter();
            let patches: Vec<&String> = own.filter_map(|oid| ours.get(oid)).collect();
            let places: Option<Vec<usize>> = patches
                .iter()
                .map(|patch| by_patch.get(patch.as_str()).copied())
                .collect();
            let last = places.and_then(|places| places.into_iter().min());
            found[at] = last.map(|place| Found {
                how: How::Patches,
                commit: range.commits[place].oid,
            });
        }
        Ok(())
    }

    /// Returns the commits of a range, no merges, that change any of the paths.
    fn commits_on_paths(
        &self,
        tip: Oid,
        bounds: &[Oid],
        paths: &[Vec<u8>],
    ) -> Result<Vec<Oid>, GitError> {
        let mut input = range_lines(tip, bounds).into_bytes();
        input.extend_from_slice(b"--\n");
        // A line break cannot be told from the end of a path: then all commits are looked at.
        if paths.iter().all(|path| !path.contains(&b'\n')) {
            for path in paths {
                input.extend_from_slice(path);
                input.push(b'\n');
            }
        }
        let output = self
            .git([
                "--literal-pathspecs",
                "rev-list",
                "--no-merges",
                "--full-history",
            ])
            .arg("--stdin")
            .stdin(input)
            .checked()?;
        let lines = String::from_utf8_lossy(&output);
        lines.lines().map(Oid::parse).collect()
    }

    /// Returns what identifies the patch of each commit; of those that have none, nothing.
    fn patch_ids(&self, commits: &[Oid]) -> Result<HashMap<Oid, String>, GitError> {
        let mut ids = HashMap::new();
        for some in commits.chunks(PATCHES_AT_ONCE) {
            let input: String = some.iter().map(|oid| format!("{oid}\n")).collect();
            let patches = self
                .git(["diff-tree", "--stdin", "-p", "-r", "--root"])
                .args(["--binary", "--full-index", "--no-renames", "--no-textconv"])
                .args([
                    "--no-ext-diff",
                    "--no-relative",
                    "--src-prefix=a/",
                    "--dst-prefix=b/",
                ])
                .stdin(input)
                .checked()?;
            let command = self.git(["patch-id", "--stable"]).stdin(patches);
            let output = command.checked()?;
            for line in String::from_utf8_lossy(&output).lines() {
                if let Some((patch, commit)) = line.split_once(' ') {
                    ids.insert(Oid::parse(commit)?, patch.to_owned());
                }
            }
        }
        Ok(ids)
    }
}

/// Returns a range as git reads it.
fn range_lines(tip: Oid, bounds: &[Oid]) -> String {
    let bounds = bounds.iter().map(|bound| format!("^{bound}\n"));
    [format!("{tip}\n")].into_iter().chain(bounds).collect()
}

/// The commits of a branch that are looked at, newest first.
struct Range {
    commits: Vec<OnBranch>,
    places: HashMap<Oid, usize>,
    /// Along first parents.
    chain: Vec<usize>,
}

impl Range {
    fn new(commits: Vec<OnBranch>) -> Range {
        let places: HashMap<Oid, usize> = (commits.iter().enumerate())
            .map(|(at, commit)| (commit.oid, at))
            .collect();
        let first_parent = |at: &usize| places.get(commits[*at].parents.first()?).copied();
        let start = (!commits.is_empty()).then_some(0);
        let chain = std::iter::successors(start, first_parent).collect();
        Range {
            commits,
            places,
            chain,
        }
    }

    fn place(&self, commit: Oid) -> Option<usize> {
        self.places.get(&commit).copied()
    }

    /// Returns the commits of the range that can be reached from one of it.
    fn reach(&self, from: Oid) -> HashSet<Oid> {
        let mut found = HashSet::new();
        let mut waiting = vec![from];
        while let Some(oid) = waiting.pop() {
            if let Some(at) = self.place(oid)
                && found.insert(oid)
            {
                waiting.extend(&self.commits[at].parents);
            }
        }
        found
    }

    /// Returns the last commit of the branch that says it is the task, and is neither a commit of
    /// one of its submissions nor the merge of an older one. `before` was there when it began.
    fn squash(&self, sought: &Sought, before: &HashSet<Oid>) -> Option<Oid> {
        let submitted = |oid: &Oid| {
            *oid == sought.commit || sought.own.contains(oid) || sought.older.contains(oid)
        };
        let says = |commit: &&OnBranch| {
            commit.tasks.iter().any(|task| task == sought.task)
                && !before.contains(&commit.oid)
                && !submitted(&commit.oid)
                && !commit.parents.iter().skip(1).any(submitted)
        };
        let mut chain = self.chain.iter().map(|at| &self.commits[*at]);
        chain.find(says).map(|commit| commit.oid)
    }
}

#[cfg(test)]
mod tests;
