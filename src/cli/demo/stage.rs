//! Where the demo plays: a temporary clone with a worktree for each agent.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::answer;
use crate::cli::error::CliError;
use crate::git::{Git, GitCommand, GitError, GitOutput, Repo};

/// From how many files on a worktree checks out only the top level and what the demo adds.
const MANY_FILES: usize = 3000;

/// The branch that all work starts from, and is merged into.
pub const BASE: &str = "main";

/// What [`BASE`] was before anything landed.
pub const START: &str = "refs/demo/start";

/// The directory the agents work in.
pub const FOLDER: &str = "guestbook";

/// Variables that keep git to its own defaults, and to this machine.
///
/// The user's identity, signing, hooks and aliases would make the demo a different one on each
/// machine, and stop it on some.
const OWN_DEFAULTS: [(&str, &str); 4] = [
    ("GIT_ALLOW_PROTOCOL", "file"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_TEMPLATE_DIR", ""),
];

/// How long to try to delete the directory.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// What the clone was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Clone(PathBuf),
    /// A small repository, as there was none to clone, or why it could not be.
    MadeUp(String),
}

pub struct Stage {
    temp: TempDir,
    root: PathBuf,
    source: Source,
    git: Git,
    sparse: bool,
}

impl Stage {
    /// Clones `repo`, or makes up a repository where there is none, for the reason given.
    pub fn set(repo: Result<&Repo, &str>) -> Result<Stage, CliError> {
        let temp = tempfile::Builder::new()
            .prefix("reflectt-demo-")
            .tempdir()
            .map_err(|error| {
                CliError::failed("cannot make a temporary directory").caused_by(error)
            })?;
        let root = temp
            .path()
            .canonicalize()
            .unwrap_or_else(|_| temp.path().to_owned());
        let mut stage = Stage {
            temp,
            root,
            source: Source::MadeUp(String::new()),
            git: Git::new().envs(environment().map(|(name, value)| (name.into(), value.into()))),
            sparse: false,
        };
        let cloned = repo.map_err(str::to_owned).and_then(|repo| {
            let failed = |error| format!("yours cannot be cloned: {error}");
            stage.clone(repo).map_err(failed)?
        });
        let why = match cloned {
            Ok(from) => {
                stage.source = Source::Clone(from);
                return Ok(stage);
            }
            Err(why) => why,
        };
        stage.source = Source::MadeUp(why);
        stage.make_up()?;
        Ok(stage)
    }

    /// Clones what is checked out in `repo`, and returns where that is; or says why that would
    /// not do.
    ///
    /// Objects are shared and not copied, so that a large repository takes no time; only the
    /// branch that is checked out comes along. The remote is taken out, so that nothing can find
    /// its way back.
    fn clone(&mut self, repo: &Repo) -> Result<Result<PathBuf, String>, GitError> {
        let Some(head) = repo.head()?.and_then(|head| head.commit) else {
            return Ok(Err("yours has no commit yet".to_owned()));
        };
        // A link of that name would lead out of the clone.
        if repo
            .find_path(repo.read_commit(head)?.tree, FOLDER)?
            .is_some()
        {
            return Ok(Err(format!("yours has a `{FOLDER}` of its own")));
        }
        let from = repo.work_dir().unwrap_or(repo.git_dir());
        let project = self.project();
        // With the user's configuration, which may say that this repository can be trusted.
        repo.runner()
            .command(["-c", "core.hooksPath=/dev/null", "clone", "--quiet"])
            .args(["--shared", "--no-checkout"])
            .args(["--single-branch", "--no-tags", "--template=", "--"])
            .arg(from)
            .arg(&project)
            .env("GIT_NO_LAZY_FETCH", "1")
            .current_dir(&self.root)
            .checked()?;
        let head = head.to_string();
        self.checked(&project, &["remote", "remove", "origin"])?;
        self.checked(&project, &["update-ref", "--no-deref", "HEAD", &head])?;
        let heads = self.checked(
            &project,
            &["for-each-ref", "--format=%(refname:short)", "refs/heads"],
        )?;
        for name in heads.lines() {
            self.checked(&project, &["branch", "--quiet", "-D", "--", name])?;
        }
        let files = self.checked(&project, &["ls-tree", "-r", "--name-only", &head])?;
        self.sparse = files.lines().count() > MANY_FILES;
        self.checked(
            &project,
            &["update-ref", &format!("refs/heads/{BASE}"), &head],
        )?;
        self.checked(
            &project,
            &["symbolic-ref", "HEAD", &format!("refs/heads/{BASE}")],
        )?;
        self.check_out(&project)?;
        Ok(Ok(from.to_owned()))
    }

    /// Fills a new worktree; of a large repository with the top level and the demo's directory
    /// alone, as five whole checkouts would take longer than the demo.
    fn check_out(&self, dir: &Path) -> Result<(), GitError> {
        if self.sparse {
            self.checked(dir, &["sparse-checkout", "init", "--cone"])?;
            self.checked(dir, &["sparse-checkout", "set", FOLDER])?;
        }
        self.checked(dir, &["reset", "--quiet", "--hard"])?;
        Ok(())
    }

    fn make_up(&self) -> Result<(), CliError> {
        let project = self.project();
        if project.exists() {
            let cannot = |error| CliError::failed("cannot start anew").caused_by(error);
            std::fs::remove_dir_all(&project).map_err(cannot)?;
        }
        let text = project.to_string_lossy();
        let init = ["init", "--quiet", "--template=", "-b", BASE, &text];
        self.checked(&self.root, &init).map_err(of_git)?;
        self.write(&project, "README.md", "# A small project\n")?;
        self.checked(&project, &["add", "--all"]).map_err(of_git)?;
        self.checked(&project, &["commit", "--quiet", "-m", "A small project"])
            .map_err(of_git)?;
        Ok(())
    }

    /// Commits these files on the branch that all work lands on.
    pub fn begin_with(&self, files: &[(&str, &str)]) -> Result<(), CliError> {
        let project = self.project();
        let mut add = vec!["add", "--force", "--"];
        for (path, text) in files {
            self.write(&project, path, text)?;
            add.push(path);
        }
        let commit = ["commit", "--quiet", "--no-verify", "-m", "Checks"];
        let mark = ["update-ref", START, "HEAD"];
        for args in [&add[..], &commit, &mark] {
            self.checked(&project, args).map_err(of_git)?;
        }
        Ok(())
    }

    /// Gives an agent a worktree on a branch of its own.
    pub fn worktree(&self, name: &str) -> Result<(), CliError> {
        let place = format!("../{name}");
        let add = [
            "worktree",
            "add",
            "--quiet",
            "--no-checkout",
            "-b",
            name,
            &place,
        ];
        self.checked(&self.project(), &add)
            .and_then(|_| self.check_out(&self.of(name)))
            .map_err(of_git)
    }

    /// Tells whether the worktrees lack most of the repository's files.
    pub fn is_sparse(&self) -> bool {
        self.sparse
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Returns the directory that everything is in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the clone's own checkout.
    pub fn project(&self) -> PathBuf {
        self.root.join("project")
    }

    /// Returns the directory of an agent's worktree.
    pub fn of(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Keeps the directory, and returns where it is.
    pub fn keep(self) -> PathBuf {
        let _ = self.temp.keep();
        self.root
    }

    /// Deletes the directory.
    pub fn strike(self) {
        // A git process of a command that was killed may write for a moment longer.
        let deadline = Instant::now() + LAST_WRITES;
        while std::fs::remove_dir_all(&self.root).is_err()
            && self.root.exists()
            && Instant::now() < deadline
        {
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Runs git in a directory, whatever comes of it; commits are by the agent.
    pub fn git(
        &self,
        agent: Option<&str>,
        dir: &Path,
        args: &[&str],
    ) -> Result<GitOutput, CliError> {
        self.command(agent, dir, args).run().map_err(of_git)
    }

    fn command(&self, agent: Option<&str>, dir: &Path, args: &[&str]) -> GitCommand {
        let name = agent.unwrap_or("reflectt demo");
        let mail = format!("{}@demo.invalid", agent.unwrap_or("reflectt"));
        let command = self.git.command(args).current_dir(dir);
        // Hooks run below git, and must not take the agent for whoever started the demo.
        let command = command
            .env("REFLECTT_AGENT", agent.unwrap_or_default())
            .env("REFLECTT_OVERRIDE", "");
        ["AUTHOR", "COMMITTER"]
            .into_iter()
            .fold(command, |command, role| {
                command
                    .env(&format!("GIT_{role}_NAME"), name)
                    .env(&format!("GIT_{role}_EMAIL"), &mail)
            })
    }

    fn checked(&self, dir: &Path, args: &[&str]) -> Result<String, GitError> {
        let bytes = self.command(None, dir, args).checked()?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes a file of a worktree.
    pub fn write(&self, dir: &Path, path: &str, text: &str) -> Result<(), CliError> {
        let path = dir.join(path);
        let written = match path.parent() {
            Some(parent) => std::fs::create_dir_all(parent),
            None => Ok(()),
        };
        written
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| {
                CliError::failed(format!("cannot write `{}`", path.display())).caused_by(error)
            })
    }
}

/// Returns the variables that every process of the demo is given.
pub fn environment() -> impl Iterator<Item = (&'static str, &'static str)> {
    OWN_DEFAULTS.into_iter().chain([("NO_COLOR", "1")])
}

fn of_git(error: GitError) -> CliError {
    answer::of(error.into())
}
