//! One repository, found and opened.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use gix::bstr::ByteSlice;
use gix::sec::trust::Mapping;

use super::{Git, GitCommand, GitError, Oid, RefName, RemovedLock, Sharing, Transfer};

/// Is told what calls to remotes are at.
pub(super) type Watcher = Box<dyn Fn(Transfer)>;

/// A repository as seen from one directory: its paths, objects, refs and configuration.
///
/// Opening takes a fraction of a millisecond and starts no process. The configuration is read once,
/// when opening; objects and refs are read as they are at each call. A `Repo` stays on its thread:
/// another thread opens its own with [`Repo::reopen`]'s options.
pub struct Repo {
    pub(super) inner: gix::Repository,
    options: OpenOptions,
    git_dir: PathBuf,
    common_dir: PathBuf,
    work_dir: Option<PathBuf>,
    /// `None` if it is not UTF-8.
    prefix: Option<String>,
    ref_format: RefFormat,
    sharing: Sharing,
    git: Git,
    pub(super) removed_locks: RefCell<Vec<RemovedLock>>,
    pub(super) watcher: Option<Watcher>,
}

/// Where to look for a repository, and with which environment.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The directory to start from: the working directory, or what `-C` names.
    pub dir: PathBuf,
    /// The value of `$GIT_DIR`, for hooks, which run with it set. No search is made then.
    pub git_dir: Option<PathBuf>,
    /// Which configuration files count.
    pub config: ConfigScope,
    /// Variables for every git process, on top of the cleaned inherited environment.
    pub env: Vec<(OsString, OsString)>,
}

/// Which configuration files count when [`Repo::config`] is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigScope {
    /// All that git reads: the system's, the user's, the repository's.
    All,
    /// The repository's own only. For tests, which must not see the user's.
    Repository,
}

/// How a repository stores its refs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefFormat {
    Files,
    Reftable,
}

/// Which hash names a repository's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectFormat {
    Sha1,
    Sha256,
}

/// What is checked out: `branch` without a commit is an unborn branch, `commit` without a branch
/// a detached `HEAD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The branch's name below `refs/heads/`.
    pub branch: Option<String>,
    pub commit: Option<Oid>,
}

impl OpenOptions {
    /// Looks from `dir` upwards, and reads all configuration.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            git_dir: None,
            config: ConfigScope::All,
            env: Vec::new(),
        }
    }
}

impl Repo {
    /// Finds the repository that `dir` is in: plain, bare, or a linked worktree.
    ///
    /// `$GIT_DIR` is not looked at; see [`OpenOptions::git_dir`].
    pub fn discover(dir: &Path) -> Result<Self, GitError> {
        Self::open(OpenOptions::new(dir))
    }

    /// Finds the repository that the options describe.
    pub fn open(options: OpenOptions) -> Result<Self, GitError> {
        let dir = &options.dir;
        let inner = match &options.git_dir {
            Some(git_dir) => {
                let path = dir.join(git_dir);
                gix::ThreadSafeRepository::open_opts(
                    path,
                    gix_options(&options).open_path_as_is(true),
                )
            }
            None => gix::ThreadSafeRepository::discover_opts(
                canonical(dir),
                gix::discover::upwards::Options::default(),
                Mapping {
                    full: gix_options(&options),
                    reduced: gix_options(&options),
                },
            ),
        };
        let mut inner = inner
            .map_err(|error| open_error(dir, error))?
            .to_thread_local();
        // A namespace would hide all refs but its own; git's is for serving repositories.
        inner.clear_namespace();
        let git_dir = canonical(inner.git_dir());
        let common_dir = canonical(inner.common_dir());
        let work_dir = inner.workdir().map(canonical);
        let prefix = work_dir.as_deref().map_or(Some(String::new()), |top| {
            prefix_below(top, &canonical(dir))
        });
        let ref_format = match inner.config_snapshot().string("extensions.refStorage") {
            Some(name) if name.eq_ignore_ascii_case(b"reftable") => RefFormat::Reftable,
            _ => RefFormat::Files,
        };
        let sharing = Sharing::of(&inner);
        let mut git = Git::new().envs(options.env.iter().cloned());
        if inner.config_snapshot().string("user.email").is_none() {
            git = git.without_identity();
        }
        Ok(Self {
            inner,
            git_dir,
            common_dir,
            work_dir,
            prefix,
            ref_format,
            sharing,
            git,
            options,
            removed_locks: RefCell::default(),
            watcher: None,
        })
    }

    /// Tells `watcher` what fetches and pushes are at. It is called often, and must be quick.
    pub fn watch_transfers(mut self, watcher: impl Fn(Transfer) + 'static) -> Self {
        self.watcher = Some(Box::new(watcher));
        self
    }

    /// Returns the abandoned locks on configuration files that were removed since the last call.
    pub fn take_removed_locks(&self) -> Vec<RemovedLock> {
        self.removed_locks.take()
    }

    /// Opens the same repository anew: for another thread, or after its configuration changed.
    pub fn reopen(&self) -> Result<Self, GitError> {
        Self::open(self.options.clone())
    }

    /// Opens the repository without the worktree it was found from, which may be removed.
    pub fn reopen_for_all_worktrees(&self) -> Result<Self, GitError> {
        Self::open(OpenOptions {
            dir: self.common_dir.clone(),
            git_dir: Some(self.common_dir.clone()),
            ..self.options.clone()
        })
    }

    /// Returns the options it was opened with, to open it again on another thread.
    pub fn options(&self) -> &OpenOptions {
        &self.options
    }

    /// Returns the git directory of this worktree, canonical.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Tells whether the repository is where it was when it was opened.
    ///
    /// Of one that was moved or deleted there may be directories left, or made again by a process
    /// that was writing to them.
    pub fn is_there(&self) -> bool {
        // It may be a link to a branch that has no commit yet.
        self.common_dir.join("HEAD").symlink_metadata().is_ok()
    }

    /// Returns the git directory that all worktrees share, canonical.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Returns the root of the working tree, canonical; `None` when bare.
    pub fn work_dir(&self) -> Option<&Path> {
        self.work_dir.as_deref()
    }

    /// Returns where the starting directory is below the working tree's root.
    ///
    /// Separated by `/`, without one at the end; empty at the root and outside of a working tree.
    ///
    /// # Errors
    ///
    /// [`GitError::NotText`] if it is not UTF-8.
    pub fn prefix(&self) -> Result<&str, GitError> {
        self.prefix.as_deref().ok_or_else(|| GitError::NotText {
            dir: self.options.dir.clone(),
        })
    }

    /// Tells whether there is no working tree here.
    pub fn is_bare(&self) -> bool {
        self.work_dir.is_none()
    }

    /// Returns which hash names the objects.
    pub fn object_format(&self) -> ObjectFormat {
        match self.inner.object_hash() {
            gix::hash::Kind::Sha256 => ObjectFormat::Sha256,
            _ => ObjectFormat::Sha1,
        }
    }

    /// Returns how refs are stored.
    pub fn ref_format(&self) -> RefFormat {
        self.ref_format
    }

    /// Returns who may use the repository beside its owner.
    pub fn sharing(&self) -> Sharing {
        self.sharing
    }

    /// Returns a git process on this repository, to be filled in and run.
    ///
    /// It runs at the root of the working tree.
    pub fn git(&self, args: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>) -> GitCommand {
        self.git
            .command(args)
            .git_dir(&self.git_dir)
            .current_dir(self.work_dir.as_deref().unwrap_or(&self.git_dir))
    }

    /// Returns the runner for processes that are not about this repository.
    pub fn runner(&self) -> &Git {
        &self.git
    }

    /// Returns the directory whose hooks git runs here, which need not exist: `core.hooksPath`, or
    /// the one all worktrees share.
    ///
    /// As `git rev-parse --git-path hooks`, but without a process: every command asks.
    pub fn hooks_dir(&self) -> PathBuf {
        let here = self.work_dir.as_deref().unwrap_or(&self.git_dir);
        let set = self.inner.config_snapshot().trusted_path("core.hooksPath");
        match set.ok().flatten() {
            Some(set) => canonical(&here.join(set)),
            None => canonical(&self.common_dir.join("hooks")),
        }
    }

    /// Returns what is checked out, or `None` where `HEAD` cannot be made sense of.
    pub fn head(&self) -> Result<Option<Head>, GitError> {
        match self.symbolic_head()? {
            HeadTarget::Branch(name) => {
                let commit = self.read_ref(&name)?;
                let branch = name.as_str().strip_prefix("refs/heads/");
                Ok(Some(Head {
                    branch: Some(branch.unwrap_or(name.as_str()).to_owned()),
                    commit,
                }))
            }
            HeadTarget::Commit(oid) => Ok(Some(Head {
                branch: None,
                commit: Some(oid),
            })),
            HeadTarget::Unknown => Ok(None),
        }
    }

    /// Returns the commit that a revision names, in git's own syntax, or `None` if nothing has
    /// that name.
    ///
    /// Whatever `rev` looks like, it is never taken for an option.
    pub fn resolve(&self, rev: &str) -> Result<Option<Oid>, GitError> {
        if let Ok(oid) = Oid::parse(rev)
            && self.kind(oid).ok().flatten() == Some(super::ObjectKind::Commit)
        {
            return Ok(Some(oid));
        }
        if rev.contains('\0') {
            return Ok(None);
        }
        let command = self
            .git(["rev-parse", "--verify", "--quiet", "--end-of-options"])
            .arg(format!("{rev}^{{commit}}"));
        let output = command.run()?;
        match output.code {
            Some(0) => Oid::parse(&String::from_utf8_lossy(&output.stdout)).map(Some),
            Some(1 | 128) => Ok(None),
            _ => Err(output.into_failure().into()),
        }
    }

    fn symbolic_head(&self) -> Result<HeadTarget, GitError> {
        if self.ref_format == RefFormat::Reftable {
            return self.symbolic_head_by_git();
        }
        let error = |source: gix::Error| GitError::ReadRef {
            name: "HEAD".into(),
            source: source.into(),
        };
        let found = self.inner.refs.try_find_loose("HEAD").map_err(error)?;
        Ok(match found.map(|head| head.target) {
            Some(gix::refs::Target::Object(id)) => HeadTarget::Commit(Oid(id)),
            Some(gix::refs::Target::Symbolic(name)) => {
                match name.as_bstr().to_str().map(RefName::new) {
                    Ok(Ok(name)) => HeadTarget::Branch(name),
                    _ => HeadTarget::Unknown,
                }
            }
            None => HeadTarget::Unknown,
        })
    }

    /// In a reftable repository the file `HEAD` is a stub that names no real branch.
    fn symbolic_head_by_git(&self) -> Result<HeadTarget, GitError> {
        let output = self.git(["symbolic-ref", "--quiet", "HEAD"]).run()?;
        if output.code == Some(0) {
            let name = String::from_utf8_lossy(&output.stdout);
            return Ok(RefName::new(name.trim()).map_or(HeadTarget::Unknown, HeadTarget::Branch));
        }
        let found = self.resolve("HEAD")?;
        Ok(found.map_or(HeadTarget::Unknown, HeadTarget::Commit))
    }
}

enum HeadTarget {
    Branch(RefName),
    Commit(Oid),
    Unknown,
}

fn gix_options(options: &OpenOptions) -> gix::open::Options {
    let permissions = match options.config {
        ConfigScope::All => gix::open::Permissions::all(),
        ConfigScope::Repository => gix::open::Permissions::isolated(),
    };
    gix::open::Options::default()
        .permissions(permissions)
        .bail_if_untrusted(true)
        .lossy_config(true)
        // Replacement objects would show other contents than the ref's object has, and looking
        // for them reads all refs.
        .config_overrides(["core.useReplaceRefs=false"])
}

fn open_error(dir: &Path, error: gix::Error) -> GitError {
    let dir = dir.to_owned();
    if error.is_permission_denied() && error.to_string().contains("not owned") {
        GitError::UnsafeOwnership { dir }
    } else if error.is_not_found() {
        GitError::NotARepository { dir }
    } else {
        GitError::Open {
            dir,
            source: error.into(),
        }
    }
}

/// Returns the path with all symbolic links resolved, or as it is where that fails.
pub(super) fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Returns where `dir` is below `top`, empty if it is elsewhere; `None` if that is not UTF-8.
fn prefix_below(top: &Path, dir: &Path) -> Option<String> {
    let below = dir.strip_prefix(top).unwrap_or(Path::new(""));
    let names = below.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_str()),
        _ => None,
    });
    let names: Option<Vec<&str>> = names.collect();
    Some(names?.join("/"))
}
