//! Whether new commits on a branch are what they are said to be, and nothing else.
//!
//! A merge from a wrong base silently reverts what others have landed, and its diff shows it: it
//! touches what the landed work did not. So before a branch moves, the new tip is compared with the
//! old one, whichever way it was made.

use std::collections::{BTreeSet, HashMap};

use super::{GitError, Oid, Repo};

/// New commits on a branch, and the work they bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing<'l> {
    /// What the branch holds.
    pub tip: Oid,
    /// What it is to hold.
    pub new: Oid,
    /// Of each piece of work its head and its own commits.
    pub pieces: &'l [(Oid, &'l [Oid])],
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Soundness {
    Sound,
    /// Following first parents from the new commit, the tip is not reached.
    NotOnTip,
    /// Paths are changed that the work does not touch.
    Beyond {
        paths: Vec<Vec<u8>>,
    },
}

impl Repo {
    /// Checks that new commits are on a tip, by their first parents, and touch only what the own
    /// commits of the landed work touch.
    ///
    /// Where the branch has renamed a file meanwhile that the work changes under its old name, git
    /// merges the change into the file of the new name: such a path counts as touched.
    pub fn soundness(&self, landing: &Landing) -> Result<Soundness, GitError> {
        if !self.is_on(landing)? {
            return Ok(Soundness::NotOnTip);
        }
        let own: Vec<Oid> = landing
            .pieces
            .iter()
            .flat_map(|(_, own)| *own)
            .copied()
            .collect();
        let touched: BTreeSet<Vec<u8>> = self.touched(&own)?.into_iter().collect();
        let mut paths = self.differing(landing.tip, landing.new)?;
        paths.retain(|path| !touched.contains(path));
        // Of each piece its own base: the branch may have renamed the file before or after.
        for (head, _) in landing.pieces {
            if paths.is_empty() {
                break;
            }
            let Some(base) = self.merge_base(landing.tip, *head)? else {
                continue;
            };
            let renamed = self.renamed(base, landing.tip)?;
            paths.retain(|path| renamed.get(path).is_none_or(|old| !touched.contains(old)));
        }
        Ok(match paths.is_empty() {
            true => Soundness::Sound,
            false => Soundness::Beyond { paths },
        })
    }

    fn is_on(&self, landing: &Landing) -> Result<bool, GitError> {
        // No more commits than the work has, and one merge for each piece.
        let most: usize = landing.pieces.iter().map(|(_, own)| own.len() + 1).sum();
        for next in self.first_parents(landing.new)?.take(most + 1) {
            if next?.0 == landing.tip {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the old name of each file that was renamed between two commits, by its new one.
    fn renamed(&self, old: Oid, new: Oid) -> Result<HashMap<Vec<u8>, Vec<u8>>, GitError> {
        let output = self
            .git([
                "diff-tree",
                "-r",
                "-z",
                "-M",
                "--diff-filter=R",
                "--name-status",
            ])
            .args(["--no-ext-diff", "--no-relative"])
            .args([old.to_string(), new.to_string()])
            .checked()?;
        let mut fields = output.split(|byte| *byte == 0).map(<[u8]>::to_vec);
        let mut renamed = HashMap::new();
        // A status, the old name, the new name.
        while let (Some(_), Some(old), Some(new)) = (fields.next(), fields.next(), fields.next()) {
            renamed.insert(new, old);
        }
        Ok(renamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::TestRepo;

    #[test]
    fn what_a_wrong_base_reverts_is_found() {
        for test in TestRepo::of_every_format() {
            let base = test.commit_files("base", &[("a", "1\n"), ("b", "1\n"), ("run", "#!\n")]);
            test.git(&["checkout", "-q", "-b", "work"]);
            let head = test.commit_files("work", &[("a", "2\n")]);
            test.git(&["checkout", "-q", "main"]);
            let tip = test.commit_files("others", &[("b", "2\n")]);
            let repo = test.open();
            let commit = |tree: &str, parent: Oid| {
                let made = test.git(&["commit-tree", tree, "-p", &parent.to_string(), "-m", "x"]);
                Oid::parse(&made).unwrap()
            };
            let judge = |new: Oid| {
                let landing = Landing {
                    tip,
                    new,
                    pieces: &[(head, &[head])],
                };
                repo.soundness(&landing).unwrap()
            };
            test.git(&["checkout", "-q", "-b", "good"]);
            test.git(&["merge", "-q", "--no-edit", "work"]);
            let good = repo.resolve("HEAD").unwrap().unwrap();
            assert_eq!(judge(good), Soundness::Sound);
            // The work's tree as it is: a squash on a stale base.
            let stale = commit(&format!("{head}^{{tree}}"), tip);
            let beyond = |path: &[u8]| Soundness::Beyond {
                paths: vec![path.to_vec()],
            };
            assert_eq!(judge(stale), beyond(b"b"));
            assert_eq!(
                judge(commit(&format!("{good}^{{tree}}"), base)),
                Soundness::NotOnTip
            );
            // Nor may a mode change unseen.
            test.git(&["update-index", "--chmod=+x", "run"]);
            test.git(&["commit", "-q", "--amend", "--no-edit"]);
            let mode = repo.resolve("HEAD").unwrap().unwrap();
            assert_eq!(judge(mode), beyond(b"run"));
        }
    }

    #[test]
    fn a_change_follows_a_file_that_was_renamed() {
        let test = TestRepo::init(&[]);
        let text = "1\n2\n3\n4\n5\n6\n";
        test.commit_files("base", &[("old", text)]);
        test.git(&["checkout", "-q", "-b", "work"]);
        let head = test.commit_files("work", &[("old", &format!("{text}7\n"))]);
        test.git(&["checkout", "-q", "main"]);
        test.git(&["mv", "old", "new"]);
        let tip = test.commit("renamed");
        test.git(&["merge", "-q", "--no-edit", "work"]);
        let repo = test.open();
        let new = repo.resolve("HEAD").unwrap().unwrap();
        assert_eq!(repo.differing(tip, new).unwrap(), [b"new".to_vec()]);
        let own = [head];
        let landing = Landing {
            tip,
            new,
            pieces: &[(head, &own)],
        };
        assert_eq!(repo.soundness(&landing).unwrap(), Soundness::Sound);
        let nothing = Landing {
            pieces: &[(tip, &[])],
            ..landing
        };
        assert!(matches!(
            repo.soundness(&nothing).unwrap(),
            Soundness::Beyond { .. }
        ));
    }
}
