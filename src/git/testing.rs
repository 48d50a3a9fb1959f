//! Repositories for tests: real git, an own HOME, no configuration but their own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{
    Advisory, ConfigScope, Git, NewCommit, Oid, OpenOptions, RefName, RefOutcome, RefStore,
    RefUpdate, Repo, Signature,
};

/// A repository in a directory that goes away with it.
pub(crate) struct TestRepo {
    pub(crate) dir: TempDir,
    /// The repository's directory: `repo` in `dir`.
    pub(crate) path: PathBuf,
}

impl TestRepo {
    /// Makes a repository with `git init` and these arguments.
    pub(crate) fn init(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("repo");
        std::fs::create_dir(&path).unwrap();
        let repo = Self { dir, path };
        repo.git(&[&["init", "-q", "-b", "main"], args].concat());
        repo
    }

    /// Makes a plain one with one commit.
    pub(crate) fn with_commit() -> Self {
        let repo = Self::init(&[]);
        repo.commit("first");
        repo
    }

    /// Makes one of each kind: files and reftable, SHA-1 and SHA-256.
    pub(crate) fn of_every_format() -> Vec<Self> {
        let mut repos = Vec::new();
        for refs in ["--ref-format=files", "--ref-format=reftable"] {
            for objects in ["--object-format=sha1", "--object-format=sha256"] {
                repos.push(Self::init(&[refs, objects]));
            }
        }
        repos
    }

    pub(crate) fn commit(&self, message: &str) -> Oid {
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        Oid::parse(&self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    /// Commits these contents of files.
    pub(crate) fn commit_files(&self, message: &str, files: &[(&str, &str)]) -> Oid {
        for (path, text) in files {
            let path = self.path.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.git(&["add", "-A"]);
        self.commit(message)
    }

    /// Runs git in the repository and returns what it printed; it must succeed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.path, args)
    }

    pub(crate) fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        let command = Git::new().envs(self.env()).command(args).current_dir(dir);
        let output = command.checked().unwrap();
        String::from_utf8(output).unwrap().trim_end().to_owned()
    }

    pub(crate) fn open(&self) -> Repo {
        self.open_at(&self.path)
    }

    pub(crate) fn open_at(&self, dir: &Path) -> Repo {
        Repo::open(self.options(dir)).unwrap()
    }

    pub(crate) fn options(&self, dir: &Path) -> OpenOptions {
        OpenOptions {
            dir: dir.to_owned(),
            git_dir: None,
            config: ConfigScope::Repository,
            env: self.env(),
        }
    }

    pub(crate) fn env(&self) -> Vec<(OsString, OsString)> {
        let home = self.dir.path().as_os_str().to_owned();
        [
            ("HOME", home),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
            ("GIT_AUTHOR_NAME", "Ann".into()),
            ("GIT_AUTHOR_EMAIL", "ann@example.com".into()),
            ("GIT_COMMITTER_NAME", "Ann".into()),
            ("GIT_COMMITTER_EMAIL", "ann@example.com".into()),
        ]
        .map(|(name, value)| (name.into(), value))
        .into()
    }
}

pub(crate) fn name(name: &str) -> RefName {
    RefName::new(name).unwrap()
}

pub(crate) fn signature(time: i64) -> Signature {
    Signature {
        name: "Kai".into(),
        email: "kai@example.com".into(),
        time,
        offset: 0,
    }
}

/// Writes a commit of the empty tree.
pub(crate) fn write_commit(repo: &Repo, parents: &[Oid], message: &str, time: i64) -> Oid {
    let commit = NewCommit {
        tree: repo.edit_tree(None, []).unwrap(),
        parents: parents.to_vec(),
        author: signature(time),
        committer: signature(time),
        message: message.into(),
    };
    repo.write_commit(&commit).unwrap()
}

/// Moves one ref.
pub(crate) fn swap(repo: &Repo, name: &RefName, from: Option<Oid>, to: Option<Oid>) -> RefOutcome {
    let update = RefUpdate {
        name: name.clone(),
        from,
        to,
    };
    let store = repo.ref_store(Advisory::NotHeld);
    store.update(&[update], "test").unwrap()
}
