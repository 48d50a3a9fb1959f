//! Sees to it that the demo leaves the user's repository alone.
//!
//! Others may be at work in it while the demo plays, in other worktrees: their commits are told
//! from what the demo could have done, so that neither is taken for the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::cli::error::CliError;
use crate::git::{GitError, Head, Repo};
use crate::ops::OpsError;
use crate::store::layout;

/// What no command for everyday work changes, as branches that track others do.
const LASTING: [&str; 5] = ["core.", "extensions.", "reflectt.", "remote.", "user."];

/// A repository, and what it looked like before the demo.
pub struct Witness {
    repo: Repo,
    before: Look,
}

/// What a repository looks like from outside.
#[derive(Debug, Clone, Default)]
struct Look {
    head: Option<Head>,
    status: String,
    config: Vec<String>,
    refs: BTreeMap<String, String>,
    worktrees: BTreeSet<String>,
}

/// How a repository has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// What the demo must not have done.
    pub faults: Vec<String>,
    /// Refs that others moved meanwhile.
    pub meanwhile: usize,
}

impl Witness {
    pub fn of(repo: Repo) -> Result<Witness, CliError> {
        let before = look(&repo).map_err(OpsError::from)?;
        Ok(Witness { repo, before })
    }

    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// Returns what has changed since, given the directory of the demo and its commits.
    pub fn changed(&self, root: &Path, made: &BTreeSet<&str>) -> Result<Changed, CliError> {
        let now = look(&self.repo).map_err(OpsError::from)?;
        Ok(compare(&self.before, &now, root, made))
    }
}

fn look(repo: &Repo) -> Result<Look, GitError> {
    let text = |args: &[&str]| -> Result<String, GitError> {
        let bytes = repo.git(args).checked()?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let refs = text(&["for-each-ref", "--format=%(refname) %(objectname)"])?;
    let config = text(&["config", "--local", "--list"])?;
    let lasting = |line: &&str| LASTING.iter().any(|start| line.starts_with(start));
    Ok(Look {
        head: repo.head()?,
        status: match repo.is_bare() {
            true => String::new(),
            // Without the daemon that git may be configured to start, or ask.
            false => text(&["-c", "core.fsmonitor=false", "status", "--porcelain"])?,
        },
        config: config.lines().filter(lasting).map(str::to_owned).collect(),
        refs: refs
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, oid)| (name.to_owned(), oid.to_owned()))
            .collect(),
        worktrees: repo
            .worktrees()?
            .into_iter()
            .map(|worktree| worktree.path.to_string_lossy().into_owned())
            .collect(),
    })
}

fn compare(before: &Look, now: &Look, root: &Path, made: &BTreeSet<&str>) -> Changed {
    let mut changed = Changed::default();
    let mut fault = |text: &str| changed.faults.push(text.to_owned());
    if before.head != now.head {
        fault("another commit is checked out");
    }
    if before.status != now.status {
        fault("its status is another one");
    }
    if before.config != now.config {
        fault("its configuration is another one");
    }
    let added = now.worktrees.difference(&before.worktrees);
    for path in added.filter(|path| Path::new(path).starts_with(root)) {
        fault(&format!("it has the worktree `{path}`"));
    }
    for (name, oid) in &now.refs {
        let was = before.refs.get(name);
        let ours = name == layout::RECORD || name == layout::CLAIMS;
        if was == Some(oid) {
            continue;
        }
        if made.contains(oid.as_str()) || (ours && was.is_none()) {
            fault(&format!("`{name}` is a commit of the demo"));
        } else {
            changed.meanwhile += 1;
        }
    }
    let gone = before
        .refs
        .keys()
        .filter(|name| !now.refs.contains_key(*name));
    changed.meanwhile += gone.count();
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(change: impl FnOnce(&mut Look)) -> Changed {
        let mut before = Look::default();
        before.refs.insert("refs/heads/main".into(), "a1".into());
        let mut now = before.clone();
        change(&mut now);
        compare(
            &before,
            &now,
            Path::new("/tmp/demo"),
            &BTreeSet::from(["d1"]),
        )
    }

    #[test]
    fn work_of_others_is_no_fault() {
        let changed = compared(|now| {
            now.refs.insert("refs/heads/main".into(), "a2".into());
            now.refs.insert("refs/heads/topic".into(), "a3".into());
            now.worktrees.insert("/home/ann/topic".into());
        });
        assert_eq!((changed.faults, changed.meanwhile), (vec![], 2));
        assert_eq!(compared(|now| now.refs.clear()).meanwhile, 1);
    }

    #[test]
    fn what_the_demo_could_have_done_is_a_fault() {
        let faults: [fn(&mut Look); 6] = [
            |now| now.status.push_str("?? new"),
            |now| now.config.push("core.hooksPath=x".into()),
            |now| {
                now.head = Some(Head {
                    branch: None,
                    commit: None,
                });
            },
            |now| now.worktrees.extend(["/tmp/demo/kai".into()]),
            |now| now.refs.extend([("refs/heads/main".into(), "d1".into())]),
            |now| now.refs.extend([(layout::CLAIMS.into(), "a9".into())]),
        ];
        for change in faults {
            let changed = compared(change);
            assert_eq!(changed.faults.len(), 1, "{changed:?}");
        }
    }
}
