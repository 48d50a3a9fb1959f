//! Installing hooks as a good guest: what is there keeps running, and can be had back as it was.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::git::{Acquired, AdvisoryLock, Repo};

use super::block::{self, Kind};
use super::manager::{husky_dir, is_of_pre_commit};
use super::{HookError, HookName, Manager, upkeep};

/// Where links are kept that stood where a hook of ours is: they keep their names, by which a
/// program behind several hooks tells them apart.
const KEPT: &str = "reflectt.d";
/// What is put behind the name of a file that is run after ours.
const SUFFIX: &str = ".before-reflectt";
/// How long to wait for another that installs.
const PATIENCE: Duration = Duration::from_secs(10);

/// The directory git runs hooks from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookDir {
    pub path: PathBuf,
    pub placement: Placement,
}

/// Whose directory it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// The repository's own.
    Repository,
    /// One that `core.hooksPath` names outside of it; other repositories may use it as well.
    Elsewhere,
    /// One in a working tree, where files are tracked, or made by a tool such as husky.
    InWorkTree,
}

impl HookDir {
    pub fn find(repo: &Repo) -> Result<HookDir, HookError> {
        let path = repo.hooks_dir();
        let inside = |top: &Path| path.starts_with(top);
        let placement = if inside(repo.common_dir()) || inside(repo.git_dir()) {
            Placement::Repository
        } else if repo.work_dir().is_some_and(inside)
            || repo.worktrees()?.iter().any(|tree| inside(&tree.path))
        {
            Placement::InWorkTree
        } else {
            Placement::Elsewhere
        };
        Ok(HookDir { path, placement })
    }
}

/// What was done about one hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// There was none; now there is.
    Made,
    /// A block was added to a shell script.
    Added,
    /// The hook that was there runs after ours.
    Wrapped,
    /// A hook that git did not run, as it is not executable, was kept beside ours.
    SetAside,
    /// Ours was written anew.
    Updated,
    Unchanged,
    /// Ours is gone, and what was there before is back.
    Removed,
    /// Nothing of ours is there.
    Absent,
}

#[derive(Debug)]
pub struct Installation {
    pub dir: HookDir,
    /// Empty where nothing may be changed.
    pub hooks: Vec<(HookName, Done)>,
    /// The worktree that has lent its scripts: those of husky are ignored by git, so that a new
    /// worktree has none.
    pub lent_by: Option<PathBuf>,
}

/// Installs all hooks; `program` is what they call. Repeating it changes nothing.
///
/// In a working tree no script is changed: whose files these are, only a person knows.
pub fn install(repo: &Repo, program: &str) -> Result<Installation, HookError> {
    let dir = HookDir::find(repo)?;
    let _alone = alone(repo)?;
    upkeep::want(repo)?;
    let mut hooks = Vec::new();
    let mut lent_by = None;
    if dir.placement == Placement::InWorkTree {
        lent_by = upkeep::borrow(repo, &dir.path)?;
    } else {
        fs::create_dir_all(&dir.path).map_err(|e| file_error("create", &dir.path, e))?;
        for name in HookName::ALL {
            hooks.push((name, install_one(repo, &dir.path, name, program)?));
        }
    }
    Ok(Installation {
        dir,
        hooks,
        lent_by,
    })
}

/// Takes our part out of every hook. Repeating it changes nothing.
pub fn uninstall(repo: &Repo) -> Result<Installation, HookError> {
    let dir = HookDir::find(repo)?;
    let _alone = alone(repo)?;
    upkeep::want_none(repo)?;
    let mut hooks = Vec::new();
    let top = repo.work_dir().unwrap_or(repo.git_dir());
    if Manager::Husky.config(top).is_some() {
        let place = husky_dir(top, &dir.path);
        for name in HookName::ALL {
            hooks.push((name, uninstall_one(&place, name.as_str())?));
        }
    }
    if dir.placement != Placement::InWorkTree {
        hooks.retain(|(_, done)| *done == Done::Removed);
        for name in HookName::ALL {
            let beside = uninstall_one(&dir.path, &legacy(name))?;
            let done = uninstall_one(&dir.path, name.as_str())?;
            if !hooks.iter().any(|(other, _)| *other == name) {
                hooks.push((name, if done == Done::Absent { beside } else { done }));
            }
        }
        // Only if nothing is left in it.
        drop(fs::remove_dir(dir.path.join(KEPT)));
    }
    Ok(Installation {
        dir,
        hooks,
        lent_by: None,
    })
}

/// The name under which the tool pre-commit keeps, and runs, the hook that was there before it.
pub(super) fn legacy(name: HookName) -> String {
    format!("{}.legacy", name.as_str())
}

/// Keeps others of this clone from doing the same at once.
///
/// Two that look, and then act, would each take the other's new hook for one that was there before,
/// and wrap it in itself. The kernel frees the lock when a process is killed.
fn alone(repo: &Repo) -> Result<AdvisoryLock, HookError> {
    let dir = repo.common_dir().join("reflectt");
    let path = dir.join("hooks.lock");
    match AdvisoryLock::acquire(&path, PATIENCE)? {
        Acquired::Held(lock) => Ok(lock),
        Acquired::TimedOut => {
            let source = io::ErrorKind::TimedOut.into();
            Err(file_error("lock", &path, source))
        }
    }
}

/// What is at the place of a hook.
enum There {
    Nothing,
    /// A regular file with its mode.
    File(Vec<u8>, u32),
    /// The text of a link.
    Link(PathBuf),
}

fn look(path: &Path) -> Result<There, HookError> {
    let read = |e| file_error("read", path, e);
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(There::Nothing),
        Err(error) => return Err(read(error)),
    };
    if meta.is_symlink() {
        return Ok(There::Link(fs::read_link(path).map_err(read)?));
    }
    let text = fs::read(path).map_err(read)?;
    Ok(There::File(text, meta.permissions().mode()))
}

fn is_executable(mode: u32) -> bool {
    mode & 0o111 != 0
}

/// Installs one hook where it lasts: beside the script of the tool pre-commit, which is written
/// anew at will, and in the place of a hook otherwise.
fn install_one(repo: &Repo, dir: &Path, name: HookName, program: &str) -> Result<Done, HookError> {
    let path = dir.join(name.as_str());
    let text = match look(&path)? {
        There::File(text, mode) if is_executable(mode) => text,
        _ => return put(dir, name.as_str(), name, program),
    };
    // What a tool's configuration names needs nothing here. But of a push, pre-commit shows only
    // one of the refs to what it runs by its configuration.
    let called = |manager: &Manager| {
        let top = repo.work_dir().filter(|_| manager.is_run_by(&text));
        let shown = (*manager, name) != (Manager::PreCommit, HookName::PrePush);
        shown && top.is_some_and(|top| manager.call(top, dir, name).is_some())
    };
    let ours = block::find(&text).map_err(|_| damaged(&path))?.is_some();
    if !ours && Manager::ALL.iter().any(called) {
        return Ok(Done::Unchanged);
    }
    if !is_of_pre_commit(&text) {
        return put(dir, name.as_str(), name, program);
    }
    let moved = ours && uninstall_one(dir, name.as_str())? == Done::Removed;
    let done = put(dir, &legacy(name), name, program)?;
    Ok(if moved { Done::Updated } else { done })
}

/// Puts our part into a file, or a file of ours in its place.
fn put(dir: &Path, file: &str, name: HookName, program: &str) -> Result<Done, HookError> {
    let path = dir.join(file);
    let (text, mode) = match look(&path)? {
        There::Nothing => {
            write(&path, &block::file(name, program, &Kind::Made), 0o755)?;
            return Ok(Done::Made);
        }
        There::Link(target) => {
            let kept = format!("{KEPT}/{file}");
            let kept = free_name(dir, &kept);
            keep_link(dir, &kept, &target)?;
            write(
                &path,
                &block::file(name, program, &Kind::Wraps(kept)),
                0o755,
            )?;
            return Ok(Done::Wrapped);
        }
        There::File(text, mode) => (text, mode),
    };
    let found = block::find(&text).map_err(|_| damaged(&path))?;
    if let Some(found) = found {
        let new = found.updated(name, program);
        // A block of ours that git does not run would be of no use.
        let runs = mode | if found.removed().is_none() { 0o755 } else { 0 };
        if new == text && runs == mode {
            return Ok(Done::Unchanged);
        }
        write(&path, &new, runs)?;
        return Ok(Done::Updated);
    }
    if is_executable(mode) && block::is_shell_script(&text) {
        write(&path, &block::insert(&text, name, program), mode)?;
        return Ok(Done::Added);
    }
    let kept = free_name(dir, &format!("{file}{SUFFIX}"));
    // A second name first, and then ours over the old one: at no moment is there no hook.
    let original = dir.join(&kept);
    fs::hard_link(&path, &original).map_err(|e| file_error("create", &original, e))?;
    let (kind, done) = if is_executable(mode) {
        (Kind::Wraps(kept), Done::Wrapped)
    } else {
        (Kind::SetAside(kept), Done::SetAside)
    };
    write(&path, &block::file(name, program, &kind), 0o755)?;
    Ok(done)
}

fn free_name(dir: &Path, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut number = 2;
    while fs::symlink_metadata(dir.join(&name)).is_ok() {
        name = format!("{wanted}-{number}");
        number += 1;
    }
    name
}

/// Makes a link in a directory below that points where the one above did.
fn keep_link(dir: &Path, kept: &str, target: &Path) -> Result<(), HookError> {
    let path = dir.join(kept);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|e| file_error("create", parent, e))?;
    }
    let target = if target.is_absolute() {
        target.to_owned()
    } else {
        Path::new("..").join(target)
    };
    symlink(target, &path).map_err(|e| file_error("create", &path, e))
}

pub(super) fn uninstall_one(dir: &Path, file: &str) -> Result<Done, HookError> {
    let path = dir.join(file);
    let There::File(text, mode) = look(&path)? else {
        return Ok(Done::Absent);
    };
    let Some(found) = block::find(&text).map_err(|_| damaged(&path))? else {
        return Ok(Done::Absent);
    };
    let left = found.removed();
    let Some(kept) = found.kind.original() else {
        match left {
            Some(left) => write(&path, &left, mode)?,
            None => fs::remove_file(&path).map_err(|e| file_error("remove", &path, e))?,
        }
        return Ok(Done::Removed);
    };
    let original = dir.join(kept);
    if left.is_some() {
        return Err(HookError::Changed { path, original });
    }
    match look(&original)? {
        There::Nothing => return Err(HookError::OriginalGone { path, original }),
        There::File(..) => {
            fs::rename(&original, &path).map_err(|e| file_error("restore", &path, e))?;
        }
        There::Link(target) => {
            let above = target.strip_prefix("..").unwrap_or(&target);
            let beside = dir.join(free_name(dir, &format!("{file}.new")));
            symlink(above, &beside).map_err(|e| file_error("create", &beside, e))?;
            fs::rename(&beside, &path).map_err(|e| file_error("restore", &path, e))?;
            fs::remove_file(&original).map_err(|e| file_error("remove", &original, e))?;
        }
    }
    Ok(Done::Removed)
}

/// Replaces a file at once: git may be about to run it.
pub(super) fn write(path: &Path, text: &[u8], mode: u32) -> Result<(), HookError> {
    let error = |e| file_error("write", path, e);
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(error)?;
    io::Write::write_all(&mut file, text).map_err(error)?;
    let mode = fs::Permissions::from_mode(mode & 0o7777);
    file.as_file().set_permissions(mode).map_err(error)?;
    file.persist(path).map_err(|e| error(e.error))?;
    Ok(())
}

fn damaged(path: &Path) -> HookError {
    HookError::Damaged {
        path: path.to_owned(),
    }
}

pub(super) fn file_error(doing: &'static str, path: &Path, source: io::Error) -> HookError {
    HookError::File {
        doing,
        path: path.to_owned(),
        source,
    }
}
