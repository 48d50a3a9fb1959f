//! What differs from the last commit in a worktree, below some paths.

use std::time::Duration;

use super::staged::split_names;
use super::{GitError, Repo};

impl Repo {
    /// Returns the paths below `roots` that are changed, staged, deleted or new in this worktree:
    /// both names of a rename. A root is plain text; an empty one is the whole worktree.
    ///
    /// What git ignores is left out. Takes no lock, so that nothing stands in the way of whoever
    /// works here.
    pub fn changed_below<'p>(
        &self,
        roots: impl IntoIterator<Item = &'p str>,
        time_limit: Duration,
    ) -> Result<Vec<Vec<u8>>, GitError> {
        let mut command = self
            .git([
                "status",
                "--porcelain",
                "-z",
                "--no-renames",
                "--untracked-files=all",
                "--ignore-submodules=dirty",
                "--",
            ])
            .time_limit(time_limit);
        for root in roots {
            command = command.arg(match root {
                "" => ":(top)".to_owned(),
                root => format!(":(top,literal){root}"),
            });
        }
        // Two letters and a blank come before each name.
        let names = split_names(&command.checked()?);
        let names = names.into_iter().filter(|line| line.len() > 3);
        Ok(names.map(|line| line[3..].to_vec()).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::git::testing::TestRepo;

    use super::*;

    #[test]
    fn what_is_changed_below_the_roots_is_found() {
        let test = TestRepo::init(&[]);
        let files = ["a/old", "a/same", "a[1]/b", "b/c"].map(|path| (path, "one"));
        test.commit_files("files", &files);
        test.commit_files("ignored", &[(".gitignore", "ignored\n")]);
        for path in ["a/new/deep", "a/ignored", "a[1]/b", "b/c"] {
            let path = test.path.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "two").unwrap();
        }
        test.git(&["mv", "a/old", "a/moved"]);
        let changed = |roots: &[&str]| {
            let found = test
                .open()
                .changed_below(roots.iter().copied(), Duration::from_secs(60));
            let mut found: Vec<String> = found
                .unwrap()
                .into_iter()
                .map(|path| String::from_utf8(path).unwrap())
                .collect();
            found.sort();
            found
        };
        assert_eq!(changed(&["a"]), ["a/moved", "a/new/deep", "a/old"]);
        assert_eq!(changed(&["a[1]", "nothing"]), ["a[1]/b"]);
        let all = ["a/moved", "a/new/deep", "a/old", "a[1]/b", "b/c"];
        assert_eq!(changed(&[""]), all);
        assert_eq!(changed(&["nothing"]), Vec::<String>::new());
    }
}
