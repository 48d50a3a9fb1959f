//! Bringing one piece of work onto a tip, as new commits: merged, squashed or rebased, in memory.
//!
//! What a piece brings is what its own commits change, and no more: where what lay beneath has
//! landed as other commits, squashed or rebased, the own ones are picked from where they began.

use std::collections::{BTreeMap, HashSet};

use super::merge::Merged;
use super::{Commit, GitError, NewCommit, Oid, Relation, Repo, Signature, trailer_value};

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub email: String,
}

/// What a piece of work becomes on the tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeaveAs {
    /// One commit with the tip and the head as parents.
    Merge,
    /// One commit on the tip.
    Squash,
    /// A commit for each of its own.
    Rebase,
}

/// A piece of work to be brought onto a tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weaving<'w> {
    pub tip: Oid,
    pub head: Oid,
    /// The own commits of the piece, parents first. The head is among them.
    pub own: &'w [Oid],
    /// The message of a merge or squash: its subject, and a body if there is one.
    pub message: &'w str,
    /// Keys and values that every new commit gets at the end of its message.
    pub trailers: &'w [(&'w str, &'w str)],
    /// Whose a merge is; whoever git takes the user for, if not given.
    pub author: Option<Person>,
    pub strategy: WeaveAs,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Woven {
    /// The new commits, the first on the tip. Of a piece with merges in it, or whose commits do not
    /// apply one by one while the whole does, a rebase makes one.
    Made(Vec<Oid>),
    /// There is nothing to bring: the tip has it.
    Contained,
    /// The paths that somebody has to merge.
    Conflict { paths: Vec<Vec<u8>> },
    /// The two histories have no commit in common.
    Unrelated,
}

impl Woven {
    /// Returns the tip that comes of it, which is the old one if there was nothing to bring.
    pub fn tip(&self, old: Oid) -> Option<Oid> {
        match self {
            Woven::Made(commits) => commits.last().copied(),
            Woven::Contained => Some(old),
            Woven::Conflict { .. } | Woven::Unrelated => None,
        }
    }
}

impl Repo {
    /// Makes the commits that bring a piece of work onto a tip. No ref moves.
    pub fn weave(&self, weaving: &Weaving) -> Result<Woven, GitError> {
        let related = self.relation(weaving.tip, weaving.head)?;
        if matches!(related, Relation::Same | Relation::Ahead) {
            return Ok(Woven::Contained);
        }
        if weaving.strategy == WeaveAs::Rebase
            && let Some(done) = self.rebase(weaving)?
        {
            return Ok(done);
        }
        let tree = match self.bring(weaving)? {
            Merged::Clean(tree) => tree,
            Merged::Conflict { paths } => return Ok(Woven::Conflict { paths }),
            Merged::Unrelated => return Ok(Woven::Unrelated),
        };
        let commit = match weaving.strategy {
            WeaveAs::Merge => self.merge_commit(weaving, tree)?,
            WeaveAs::Squash | WeaveAs::Rebase => {
                if tree == self.read_commit(weaving.tip)?.tree {
                    return Ok(Woven::Contained);
                }
                self.squash_commit(weaving, tree)?
            }
        };
        Ok(Woven::Made(vec![commit]))
    }

    /// Returns the tree of the tip with what the own commits change.
    fn bring(&self, weaving: &Weaving) -> Result<Merged, GitError> {
        let Weaving { tip, head, own, .. } = *weaving;
        let beyond = self.commits_beyond(Some(tip), head)?;
        let own: HashSet<Oid> = own.iter().copied().collect();
        let stale: HashSet<Oid> = beyond.into_iter().filter(|it| !own.contains(it)).collect();
        if stale.is_empty() || !own.contains(&head) {
            return self.merge_in_memory(tip, head);
        }
        match self.beginning(weaving.own, &stale)? {
            Some(base) => self.merge_from(base, tip, head),
            None => self.merge_in_memory(tip, head),
        }
    }

    /// Returns a commit with all that the own ones began from: the only one, or a merge of them.
    ///
    /// `None` if nothing of what they began from is off the branch, or if it cannot be merged.
    fn beginning(&self, own: &[Oid], stale: &HashSet<Oid>) -> Result<Option<Oid>, GitError> {
        let ours: HashSet<Oid> = own.iter().copied().collect();
        let mut found: Vec<Oid> = Vec::new();
        for commit in own {
            let parents = self.read_commit(*commit)?.parents;
            found.extend(parents.iter().filter(|parent| !ours.contains(parent)));
        }
        // What is off the branch comes first: the merge is then as if the branch came into it.
        found.sort_by_key(|parent| !stale.contains(parent));
        found.dedup();
        let mut parents = found.into_iter();
        let Some(mut base) = parents.next().filter(|first| stale.contains(first)) else {
            return Ok(None);
        };
        for parent in parents {
            base = match self.relation(base, parent)? {
                Relation::Same | Relation::Ahead => base,
                Relation::Behind => parent,
                Relation::Diverged => match self.merge_in_memory(base, parent)? {
                    Merged::Clean(tree) => self.join(tree, base, parent)?,
                    Merged::Conflict { .. } | Merged::Unrelated => return Ok(None),
                },
            };
        }
        Ok(Some(base))
    }

    /// Writes a commit that only serves as the base of a merge.
    fn join(&self, tree: Oid, one: Oid, other: Oid) -> Result<Oid, GitError> {
        let committer = self.read_commit(one)?.committer;
        self.write_commit(&NewCommit {
            tree,
            parents: vec![one, other],
            author: committer.clone(),
            committer,
            message: "base of a merge\n".to_owned(),
        })
    }

    fn merge_commit(&self, weaving: &Weaving, tree: Oid) -> Result<Oid, GitError> {
        let message = self.with_trailers(weaving.message, weaving.trailers)?;
        let author = weaving.author.as_ref().map(|person| Author {
            name: &person.name,
            email: &person.email,
            date: None,
        });
        self.commit_tree(tree, &[weaving.tip, weaving.head], author, &message)
    }

    fn squash_commit(&self, weaving: &Weaving, tree: Oid) -> Result<Oid, GitError> {
        let commits = self.read_commits(weaving.own)?;
        let (author, others) = authors(&commits);
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        let others = others.iter().map(|it| (CO_AUTHOR, it.as_str()));
        let trailers: Vec<(&str, &str)> = others.chain(weaving.trailers.iter().copied()).collect();
        let message = self.with_trailers(weaving.message, &trailers)?;
        self.commit_tree(tree, &[weaving.tip], author.map(Author::of), &message)
    }

    /// Makes the own commits anew one by one; `None` where they have to become one.
    fn rebase(&self, weaving: &Weaving) -> Result<Option<Woven>, GitError> {
        let mut tip = weaving.tip;
        let mut tree = self.read_commit(tip)?.tree;
        let mut made = Vec::new();
        for (oid, commit) in weaving.own.iter().zip(self.read_commits(weaving.own)?) {
            let base = match commit.parents.as_slice() {
                [only] => *only,
                [ours, theirs] if self.only_brings_landed(weaving, &commit, *ours, *theirs)? => {
                    continue;
                }
                _ => return Ok(None),
            };
            let new = if self.read_commit(base)?.tree == tree {
                commit.tree
            } else {
                match self.merge_from(base, tip, *oid)? {
                    Merged::Clean(tree) => tree,
                    Merged::Conflict { .. } | Merged::Unrelated => return Ok(None),
                }
            };
            if new == tree {
                continue;
            }
            let message = self.with_trailers(&commit.message, weaving.trailers)?;
            let author = Some(Author::of(&commit.author));
            tip = self.commit_tree(new, &[tip], author, &message)?;
            tree = new;
            made.push(tip);
        }
        Ok(Some(match made.is_empty() {
            true => Woven::Contained,
            false => Woven::Made(made),
        }))
    }

    /// Tells whether a merge among the own commits brings nothing but what is on the branch, just as
    /// git merged it.
    fn only_brings_landed(
        &self,
        weaving: &Weaving,
        merge: &Commit,
        ours: Oid,
        theirs: Oid,
    ) -> Result<bool, GitError> {
        let landed = self.relation(weaving.tip, theirs)?;
        if !matches!(landed, Relation::Same | Relation::Ahead) {
            return Ok(false);
        }
        Ok(self.merge_in_memory(ours, theirs)? == Merged::Clean(merge.tree))
    }

    fn read_commits(&self, oids: &[Oid]) -> Result<Vec<Commit>, GitError> {
        oids.iter().map(|oid| self.read_commit(*oid)).collect()
    }

    /// Adds trailers to a message, those that it does not have, as git writes them.
    pub fn with_trailers(
        &self,
        message: &str,
        trailers: &[(&str, &str)],
    ) -> Result<String, GitError> {
        let missing = |(key, value): &&(&str, &str)| {
            let mut lines = message.lines();
            lines.all(|line| trailer_value(line, key) != Some(*value))
        };
        let missing: Vec<_> = trailers.iter().filter(missing).collect();
        if missing.is_empty() {
            return Ok(message.to_owned());
        }
        let mut command = self.git([
            "-c",
            "trailer.separators=:",
            "interpret-trailers",
            "--no-divider",
            "--where=end",
            "--if-missing=add",
            "--if-exists=addIfDifferent",
        ]);
        for (key, value) in missing {
            let line: Vec<&str> = value.split_whitespace().collect();
            command = command
                .arg("--trailer")
                .arg(format!("{key}: {}", line.join(" ")));
        }
        let message = format!("{}\n", message.trim_end());
        let output = command.stdin(message).checked()?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    /// Writes a commit as the user's git does, signed if it is told to sign.
    fn commit_tree(
        &self,
        tree: Oid,
        parents: &[Oid],
        author: Option<Author>,
        message: &str,
    ) -> Result<Oid, GitError> {
        let mut command = self.git(["commit-tree"]).arg(tree.to_string());
        for parent in parents {
            command = command.args(["-p", &parent.to_string()]);
        }
        if self.signs_commits() {
            command = command.arg("-S");
        }
        if let Some(author) = author {
            // Git refuses to write an author without a name.
            let name = [author.name, author.email, "unknown"];
            let name = name.into_iter().find(|name| !name.trim().is_empty());
            command = command
                .env("GIT_AUTHOR_NAME", name.unwrap_or_default())
                .env("GIT_AUTHOR_EMAIL", author.email);
            if let Some((time, offset)) = author.date {
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.unsigned_abs() / 60;
                let zone = format!("{sign}{:02}{:02}", minutes / 60, minutes % 60);
                command = command.env("GIT_AUTHOR_DATE", format!("@{} {zone}", time.max(0)));
            }
        }
        let output = command.stdin(message).checked()?;
        Oid::parse(&String::from_utf8_lossy(&output))
    }

    fn signs_commits(&self) -> bool {
        let config = self.inner.config_snapshot();
        config.boolean("commit.gpgSign").unwrap_or(false)
    }
}

const CO_AUTHOR: &str = "Co-authored-by";

struct Author<'a> {
    name: &'a str,
    email: &'a str,
    /// Seconds since 1970, and east of Greenwich; now, if not given.
    date: Option<(i64, i32)>,
}

impl<'a> Author<'a> {
    fn of(signature: &'a Signature) -> Author<'a> {
        Author {
            name: &signature.name,
            email: &signature.email,
            date: Some((signature.time, signature.offset)),
        }
    }
}

impl std::fmt::Display for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} <{}>", self.name, self.email)
    }
}

/// Returns who wrote most of the commits, of several the last, as they wrote their last one; and
/// all others who had a part, authors or named as such.
fn authors(commits: &[Commit]) -> (Option<&Signature>, Vec<Person>) {
    let key = |email: &str| email.to_lowercase();
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (at, commit) in commits.iter().enumerate() {
        let of = counts.entry(key(&commit.author.email)).or_default();
        *of = (of.0 + 1, at);
    }
    let most = counts.values().max().map(|(_, last)| *last);
    let Some(author) = most.and_then(|at| commits.get(at)).map(|it| &it.author) else {
        return (None, Vec::new());
    };
    let mut seen = HashSet::from([key(&author.email)]);
    let mut others = Vec::new();
    for commit in commits {
        let wrote = Person {
            name: commit.author.name.clone(),
            email: commit.author.email.clone(),
        };
        let lines = commit.message.lines();
        let named = lines.filter_map(|line| person(trailer_value(line, CO_AUTHOR)?));
        for person in [wrote].into_iter().chain(named) {
            if seen.insert(key(&person.email)) {
                others.push(person);
            }
        }
    }
    (Some(author), others)
}

fn person(text: &str) -> Option<Person> {
    let (name, rest) = text.split_once('<')?;
    Some(Person {
        name: name.trim().to_owned(),
        email: rest.split_once('>')?.0.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests;
