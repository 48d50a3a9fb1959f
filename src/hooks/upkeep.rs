//! Seeing to it that hooks go on firing: other tools write git's hooks anew, and a new worktree
//! lacks scripts that git ignores.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::git::{OpenOptions, Repo};
use crate::model::advice::Call;
use crate::ops::{AGENT_KEY, Finding, Mending, Severity, Thing};

use super::block;
use super::install::{HookDir, file_error, install};
use super::status::{Layer, State, git_hooks, status};
use super::{HookError, HookName, Manager};

/// What was found to be wrong with the hooks of a worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upkeep {
    pub place: PathBuf,
    /// The hooks that did not fire.
    pub hooks: Vec<&'static str>,
    pub outcome: Mended,
    /// A tool whose configuration is in the worktree, and does not call us.
    pub manager: Option<Manager>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mended {
    /// They were put back.
    PutBack,
    /// The scripts that git runs were copied from this worktree.
    Lent(PathBuf),
    /// They do not fire, for this reason.
    No(String),
}

/// Looks whether hooks that were installed in this clone fire in this worktree, and mends what can
/// be mended without changing anybody's files. Says nothing where all is well.
///
/// Reads a few small files and starts no process: every command of an agent asks.
pub fn look_after(
    repo: &Repo,
    program: &str,
    search: Option<&OsStr>,
) -> Result<Option<Upkeep>, HookError> {
    let Some(mut found) = look(repo, search)? else {
        return Ok(None);
    };
    let done = install(repo, program)?;
    let left = look(repo, search)?;
    found.outcome = match (left, done.lent_by) {
        (Some(left), _) => {
            found.hooks = left.hooks;
            left.outcome
        }
        (None, Some(from)) => Mended::Lent(from),
        (None, None) => Mended::PutBack,
    };
    Ok(Some(found))
}

/// Does so in every worktree of the clone that an agent works in, and returns what is to be said.
pub fn look_after_all(
    repo: &Repo,
    program: &str,
    search: Option<&OsStr>,
) -> Result<Vec<String>, HookError> {
    let mut said = Vec::new();
    for tree in repo.worktrees()? {
        let agent = repo.worktree_config_of(&tree.git_dir, AGENT_KEY)?;
        if agent.is_none() || !tree.path.is_dir() {
            continue;
        }
        let here = Repo::open(OpenOptions {
            dir: tree.path.clone(),
            git_dir: None,
            ..repo.options().clone()
        })?;
        let found = look_after(&here, program, search)?;
        said.extend(found.map(|found| format!("{}: {found}", tree.path.display())));
    }
    Ok(said)
}

/// Looks, and changes nothing.
pub fn look(repo: &Repo, search: Option<&OsStr>) -> Result<Option<Upkeep>, HookError> {
    if repo.is_bare() || !are_wanted(repo) {
        return Ok(None);
    }
    let dir = HookDir::find(repo)?;
    let layers = git_hooks(repo, &dir, search);
    let dead: Vec<&Layer> = layers.iter().filter(|l| l.state != State::Active).collect();
    let Some(first) = dead.first() else {
        return Ok(None);
    };
    let top = repo.work_dir().unwrap_or(repo.git_dir());
    Ok(Some(Upkeep {
        hooks: dead.iter().map(|layer| layer.name).collect(),
        outcome: Mended::No(first.detail.clone()),
        manager: manager_without_us(top, &dir),
        place: dir.path,
    }))
}

/// Returns what `doctor` says about the hooks of this worktree, and mends what it is told to.
pub fn diagnose(
    repo: &Repo,
    mending: Mending,
    program: &str,
    search: Option<&OsStr>,
) -> Result<Option<Finding>, HookError> {
    let found = match mending {
        Mending::Mend => look_after(repo, program, search)?,
        Mending::Look => look(repo, search)?,
    };
    Ok(match found {
        Some(found) => Some(Finding {
            severity: Severity::Warning,
            what: "hooks",
            thing: Thing::Local(found.place.clone()),
            reason: found.to_string(),
            fix: Some(found.fix().into()),
            fixed: !matches!(found.outcome, Mended::No(_)),
        }),
        None => unreached(repo, program, search)?,
    })
}

/// Looks with a probe, where files say that all is well.
fn unreached(
    repo: &Repo,
    program: &str,
    search: Option<&OsStr>,
) -> Result<Option<Finding>, HookError> {
    if repo.is_bare() || !are_wanted(repo) {
        return Ok(None);
    }
    let status = status(repo, program, search)?;
    let layers = status.layers.iter().take(HookName::ALL.len());
    let mut dead = layers.filter(|layer| layer.state == State::Broken);
    Ok(dead.next().map(|layer| Finding {
        severity: Severity::Warning,
        what: "hooks",
        thing: Thing::Local(layer.file.clone().unwrap_or_default()),
        reason: format!(
            "claims are not enforced by `{}` here: {}",
            layer.name, layer.detail
        ),
        fix: Some(Call::to("hooks status").into()),
        fixed: false,
    }))
}

/// Returns a tool that is configured in a worktree, and not told to call us.
pub fn manager_without_us(top: &Path, dir: &HookDir) -> Option<Manager> {
    let is_told = |manager: &Manager| {
        let calls = |name| manager.call(top, &dir.path, name).is_some();
        HookName::ALL.into_iter().all(calls)
    };
    Manager::all_of(top).find(|manager| !is_told(manager))
}

impl Upkeep {
    /// Returns what to do next.
    pub fn fix(&self) -> Call {
        let install = Call::to("hooks install");
        match self.manager {
            Some(manager) => install.set("into", manager.as_str()),
            None => install,
        }
    }
}

impl fmt::Display for Upkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks: Vec<String> = self.hooks.iter().map(|name| format!("`{name}`")).collect();
        let hooks = hooks.join(", ");
        match &self.outcome {
            Mended::PutBack => write!(
                f,
                "{hooks} did not call reflectt any more; it is put back in `{}`",
                self.place.display()
            ),
            Mended::Lent(from) => write!(
                f,
                "this worktree had no hooks in `{}`; they are copied from `{}`",
                self.place.display(),
                from.display()
            ),
            Mended::No(why) => write!(f, "claims are not enforced by {hooks} here: {why}"),
        }
    }
}

/// The file that says that hooks were installed in this clone, and not taken out since.
fn wanted(repo: &Repo) -> PathBuf {
    repo.common_dir().join("reflectt/hooks")
}

pub(super) fn want(repo: &Repo) -> Result<(), HookError> {
    let path = wanted(repo);
    fs::write(&path, "").map_err(|e| file_error("write", &path, e))
}

pub(super) fn want_none(repo: &Repo) -> Result<(), HookError> {
    let path = wanted(repo);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(file_error("remove", &path, error))
        }
        _ => Ok(()),
    }
}

/// Tells whether this clone is to have hooks: they were installed, maybe by a version that did not
/// write that down.
pub fn are_wanted(repo: &Repo) -> bool {
    let shared = repo.common_dir().join("hooks");
    let has_block = |name: HookName| {
        let text = fs::read(shared.join(name.as_str())).unwrap_or_default();
        matches!(block::find(&text), Ok(Some(_)))
    };
    wanted(repo).exists() || HookName::ALL.into_iter().any(has_block)
}

/// Copies the scripts that git is to run here from another worktree, if they are missing here, and
/// there are files that a tool has made and git ignores.
pub(super) fn borrow(repo: &Repo, dir: &Path) -> Result<Option<PathBuf>, HookError> {
    let Some(below) = repo.work_dir().and_then(|top| dir.strip_prefix(top).ok()) else {
        return Ok(None);
    };
    // What they run has to be in this branch.
    let Some(parent) = dir
        .parent()
        .filter(|parent| parent.is_dir() && !dir.exists())
    else {
        return Ok(None);
    };
    for tree in repo.worktrees()? {
        let from = tree.path.join(below);
        let ignored = || {
            let script = HookName::PreCommit.as_str();
            let asked = repo.runner().command(["check-ignore", "-q", script]);
            let asked = asked.current_dir(&from).run();
            asked.is_ok_and(|output| output.code == Some(0))
        };
        if !from.is_dir() || !ignored() {
            continue;
        }
        // All at once: git may be about to run them.
        let made = tempfile::tempdir_in(parent).map_err(|e| file_error("create", dir, e))?;
        let entries = fs::read_dir(&from).map_err(|e| file_error("read", &from, e))?;
        for file in entries.flatten().filter(|entry| entry.path().is_file()) {
            let copy = made.path().join(file.file_name());
            fs::copy(file.path(), &copy).map_err(|e| file_error("write", &copy, e))?;
        }
        fs::set_permissions(made.path(), fs::Permissions::from_mode(0o755))
            .and_then(|()| fs::rename(made.path(), dir))
            .map_err(|e| file_error("create", dir, e))?;
        return Ok(Some(tree.path));
    }
    Ok(None)
}
