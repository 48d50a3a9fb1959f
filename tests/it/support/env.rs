//! A place for one test: own directories, own HOME, no configuration, no inherited variables.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::Repo;

/// The environment of one test. Its directory goes away with the last repository in it.
#[derive(Clone)]
pub struct TestEnv {
    inner: Arc<Inner>,
}

struct Inner {
    _temp: TempDir,
    dir: PathBuf,
    /// Task ids in the order in which output showed them, for their placeholders.
    ids: Mutex<Vec<String>>,
}

impl TestEnv {
    pub fn new() -> TestEnv {
        let temp = TempDir::with_prefix("reflectt-it-").unwrap();
        let dir = temp.path().canonicalize().unwrap();
        std::fs::create_dir(dir.join("home")).unwrap();
        std::fs::write(dir.join("home/gitconfig"), "").unwrap();
        let inner = Inner {
            _temp: temp,
            dir,
            ids: Mutex::default(),
        };
        TestEnv {
            inner: Arc::new(inner),
        }
    }

    /// Returns the directory everything of this test is in.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    pub fn home(&self) -> PathBuf {
        self.dir().join("home")
    }

    /// Makes a repository with one commit on `main`.
    pub fn repo(&self, name: &str) -> Repo {
        let repo = self.empty_repo(name, &[]);
        repo.git(["commit", "-q", "--allow-empty", "-m", "first"]);
        repo
    }

    /// Makes a repository with `git init` and these arguments, and no commit.
    pub fn empty_repo(&self, name: &str, args: &[&str]) -> Repo {
        let repo = Repo::at(self.clone(), self.dir().join(name));
        std::fs::create_dir_all(repo.path()).unwrap();
        repo.git([&["init", "-q", "-b", "main"], args].concat());
        repo
    }

    /// Makes a bare repository without commits.
    pub fn bare(&self, name: &str) -> Repo {
        self.empty_repo(name, &["--bare"])
    }

    /// Makes a repository with a team of these agents.
    pub fn team<const N: usize>(&self, agents: [&str; N]) -> Repo {
        let repo = self.repo("repo");
        repo.found(&agents);
        repo
    }

    /// Clones a repository with plain git.
    pub fn clone_of(&self, from: &Repo, name: &str) -> Repo {
        let repo = Repo::at(self.clone(), self.dir().join(name));
        from.git(["clone", "-q", "--", path(from.path()), path(repo.path())]);
        repo
    }

    /// Returns a directory that is no repository, to run commands in.
    pub fn outside(&self) -> Repo {
        let dir = self.dir().join("outside");
        std::fs::create_dir_all(&dir).unwrap();
        Repo::at(self.clone(), dir)
    }

    /// Gives a command the environment of this test, and nothing of the one the tests run in.
    pub fn prepare(&self, command: &mut Command) {
        command.env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
            .env("HOME", self.home())
            .env("XDG_CONFIG_HOME", self.home().join("config"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.home().join("gitconfig"))
            .env("GIT_CEILING_DIRECTORIES", self.dir())
            .env("TZ", "UTC")
            .env("LC_ALL", "C");
    }

    /// Returns the number of a task id in this test: the first that was shown is 1.
    pub fn id_number(&self, id: &str) -> usize {
        let mut ids = self.inner.ids.lock().unwrap();
        let at = ids.iter().position(|known| known == id).unwrap_or_else(|| {
            ids.push(id.to_owned());
            ids.len() - 1
        });
        at + 1
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
