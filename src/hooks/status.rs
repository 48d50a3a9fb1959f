//! Whether each layer of enforcement is there, and would really fire.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::git::Repo;

use super::block::{self, Found};
use super::install::legacy;
use super::manager::{calls, is_of_pre_commit};
use super::{HookDir, HookError, HookName, Manager, Placement, probe};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It fires.
    Active,
    /// It is there, but does not fire.
    Broken,
    Absent,
}

/// One layer of enforcement.
#[derive(Debug)]
pub struct Layer {
    pub name: &'static str,
    pub state: State,
    /// Where it is, or would be.
    pub file: Option<PathBuf>,
    /// Why it does not fire, or what to do about it; nothing to say where it is empty.
    pub detail: String,
}

#[derive(Debug)]
pub struct Status {
    pub dir: HookDir,
    pub layers: Vec<Layer>,
}

/// Looks at every layer. `program` is this one, `search` the value of `PATH`.
pub fn status(repo: &Repo, program: &str, search: Option<&OsStr>) -> Result<Status, HookError> {
    let dir = HookDir::find(repo)?;
    let mut layers = git_hooks(repo, &dir, search);
    for layer in layers
        .iter_mut()
        .filter(|layer| layer.state == State::Active)
    {
        if probe::is_safe(repo, &dir, layer, Path::new(program))
            && let Err(why) = probe::fires(repo, layer.name)
        {
            layer.state = State::Broken;
            layer.detail = why;
        }
    }
    let top = repo.work_dir();
    layers.push(agent_edit(top));
    layers.push(build(top));
    Ok(Status { dir, layers })
}

/// Follows each of git's hooks from the file that git runs to the call of reflectt.
pub(super) fn git_hooks(repo: &Repo, dir: &HookDir, search: Option<&OsStr>) -> Vec<Layer> {
    let place = Place { repo, dir, search };
    HookName::ALL
        .into_iter()
        .map(|name| place.look(name))
        .collect()
}

struct Place<'p> {
    repo: &'p Repo,
    dir: &'p HookDir,
    search: Option<&'p OsStr>,
}

impl Place<'_> {
    fn look(&self, name: HookName) -> Layer {
        let path = self.dir.path.join(name.as_str());
        let Ok(text) = fs::read(&path) else {
            let detail = match self.dir.path.is_dir() {
                true => "there is no such hook".to_owned(),
                false => format!(
                    "there is no `{}`, where git looks for it",
                    self.dir.path.display()
                ),
            };
            return layer(name, State::Absent, path, &detail);
        };
        if !is_program(&path) {
            let detail = "git does not run it: it is not executable";
            return layer(name, State::Broken, path, detail);
        }
        match self.in_file(name, &path, &text, "") {
            Some(layer) => layer,
            None => self.behind(name, path, &text),
        }
    }

    /// Looks for a block of ours, or a call that somebody has added.
    fn in_file(&self, name: HookName, path: &Path, text: &[u8], detail: &str) -> Option<Layer> {
        let path = path.to_owned();
        Some(match block::find(text) {
            Ok(Some(found)) => match fault(&found, path.parent()?, self.search) {
                Some(fault) => layer(name, State::Broken, path, &fault),
                None => layer(name, State::Active, path, detail),
            },
            Err(block::Damaged) => {
                layer(name, State::Broken, path, "the part of reflectt has no end")
            }
            Ok(None) if calls(&path, name) => self.by_hand(name, path, "added by hand"),
            Ok(None) => return None,
        })
    }

    fn by_hand(&self, name: HookName, path: PathBuf, detail: &str) -> Layer {
        match in_path(self.search) {
            true => layer(name, State::Active, path, detail),
            false => layer(name, State::Broken, path, "`reflectt` is not on the PATH"),
        }
    }

    /// Looks at what the hook hands over to.
    fn behind(&self, name: HookName, path: PathBuf, text: &[u8]) -> Layer {
        let old = self.dir.path.join(legacy(name));
        if is_of_pre_commit(text)
            && is_program(&old)
            && let Some(found) = self.in_file(
                name,
                &old,
                &fs::read(&old).unwrap_or_default(),
                "run by pre-commit, before what its configuration names",
            )
        {
            return found;
        }
        let absent = |detail: &str| layer(name, State::Absent, path.clone(), detail);
        let Some(top) = self.repo.work_dir() else {
            return absent("the hook does not call reflectt");
        };
        let in_husky = |manager: &Manager| {
            *manager == Manager::Husky
                && self.dir.placement == Placement::InWorkTree
                && self.dir.path.ends_with("_")
        };
        let runs = |manager: &Manager| manager.is_run_by(text) || in_husky(manager);
        let Some(manager) = Manager::ALL.into_iter().find(runs) else {
            return absent("the hook does not call reflectt");
        };
        let tool = manager.as_str();
        let Some(file) = manager.call(top, &self.dir.path, name) else {
            return absent(&format!(
                "{tool} runs this hook, and is not told to call reflectt"
            ));
        };
        let detail = match (manager, name) {
            (Manager::PreCommit, HookName::PrePush) => {
                "run by pre-commit, which shows it one ref of a push".to_owned()
            }
            _ => format!("run by {tool}"),
        };
        let found = fs::read(&file).unwrap_or_default();
        match manager {
            Manager::Husky => self.in_file(name, &file, &found, &detail),
            _ => None,
        }
        .unwrap_or_else(|| self.by_hand(name, file, &detail))
    }
}

fn layer(name: HookName, state: State, file: PathBuf, detail: &str) -> Layer {
    Layer {
        name: name.as_str(),
        state,
        file: Some(file),
        detail: detail.to_owned(),
    }
}

/// Returns why a block of ours would not do its work.
fn fault(found: &Found, dir: &Path, search: Option<&OsStr>) -> Option<String> {
    if found.may_be_skipped() {
        return Some("lines above the part of reflectt end the script".to_owned());
    }
    let recorded = found.program();
    if !recorded.as_deref().is_some_and(is_program) && !in_path(search) {
        let gone = recorded.map(|program| format!("`{}` is gone, and ", program.display()));
        let gone = gone.unwrap_or_default();
        return Some(format!("{gone}`reflectt` is not on the PATH"));
    }
    let original = dir.join(found.kind.original()?);
    (!original.exists()).then(|| format!("`{}`, which it runs, is gone", original.display()))
}

/// Tells whether a hook that the tool pre-commit keeps, and runs first, asks us already.
pub fn asked_by_legacy(repo: &Repo, name: HookName) -> bool {
    let path = repo.hooks_dir().join(legacy(name));
    let text = fs::read(&path).unwrap_or_default();
    is_program(&path) && matches!(block::find(&text), Ok(Some(_)))
}

fn agent_edit(top: Option<&Path>) -> Layer {
    let files = [".claude/settings.local.json", ".claude/settings.json"];
    let paths = || files.iter().filter_map(|file| Some(top?.join(file)));
    let active = paths().find(|path| {
        let text = fs::read(path).unwrap_or_default();
        let Ok(settings) = serde_json::from_slice::<serde_json::Value>(&text) else {
            return false;
        };
        let hooks = settings["hooks"]["PreToolUse"].to_string();
        let calls = ["hook agent-edit", "hook agent before-edit"];
        calls.iter().any(|call| hooks.contains(call))
    });
    match active {
        Some(path) => Layer {
            name: "agent-edit",
            state: State::Active,
            file: Some(path),
            detail: String::new(),
        },
        None => Layer {
            name: "agent-edit",
            state: State::Absent,
            file: paths().next_back(),
            detail: "`reflectt setup claude` puts it in".to_owned(),
        },
    }
}

/// Looks for a build that checks what was pushed.
fn build(top: Option<&Path>) -> Layer {
    let dir = top.map(|top| top.join(".github/workflows"));
    let files = dir.as_ref().and_then(|dir| fs::read_dir(dir).ok());
    let mut paths: Vec<PathBuf> = files
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.extend(top.map(|top| top.join(".gitlab-ci.yml")));
    paths.sort();
    let found = paths.into_iter().find(|path| {
        let text = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&text).contains("reflectt check")
    });
    let state = if found.is_some() {
        State::Active
    } else {
        State::Absent
    };
    let detail = match state {
        State::Active => String::new(),
        _ => "`reflectt hooks snippet github` prints a workflow".to_owned(),
    };
    Layer {
        name: "check",
        state,
        file: found.or(dir.map(|dir| dir.join("reflectt.yml"))),
        detail,
    }
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn in_path(search: Option<&OsStr>) -> bool {
    let dirs = search.map(std::env::split_paths).into_iter().flatten();
    dirs.map(|dir| dir.join("reflectt"))
        .any(|path| is_program(&path))
}
