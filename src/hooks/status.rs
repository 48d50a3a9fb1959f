//! Whether each layer of enforcement is there, and would really fire.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::git::Repo;

use super::block::{self, Found};
use super::{HookDir, HookError, HookName, Placement};

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

/// Looks at every layer. `search` is the value of `PATH`.
pub fn status(repo: &Repo, search: Option<&OsStr>) -> Result<Status, HookError> {
    let dir = HookDir::find(repo)?;
    let mut layers: Vec<Layer> = HookName::ALL
        .into_iter()
        .map(|name| git_hook(&dir, name, search))
        .collect();
    let top = repo.work_dir();
    layers.push(agent_edit(top));
    layers.push(build(top));
    Ok(Status { dir, layers })
}

fn git_hook(dir: &HookDir, name: HookName, search: Option<&OsStr>) -> Layer {
    let path = dir.path.join(name.as_str());
    let layer = |state, file: &Path, detail: &str| Layer {
        name: name.as_str(),
        state,
        file: Some(file.to_owned()),
        detail: detail.to_owned(),
    };
    let Ok(text) = fs::read(&path) else {
        return layer(State::Absent, &path, "there is no such hook");
    };
    if !is_program(&path) {
        return layer(
            State::Broken,
            &path,
            "git does not run it: it is not executable",
        );
    }
    match block::find(&text) {
        Ok(Some(found)) => match fault(&found, dir, search) {
            Some(fault) => layer(State::Broken, &path, &fault),
            None => layer(State::Active, &path, ""),
        },
        Err(block::Damaged) => layer(State::Broken, &path, "the part of reflectt has no end"),
        // Put there by hand: in the file itself, or in those that husky and lefthook run.
        Ok(None) => match called_from(dir, &path, name) {
            Some(file) if in_path(search) => layer(State::Active, &file, "added by hand"),
            Some(file) => layer(State::Broken, &file, "`reflectt` is not on the PATH"),
            None => layer(State::Absent, &path, "the hook does not call reflectt"),
        },
    }
}

/// Returns why a block of ours would not do its work.
fn fault(found: &Found, dir: &HookDir, search: Option<&OsStr>) -> Option<String> {
    if found.may_be_skipped() {
        return Some("lines above the part of reflectt end the script".to_owned());
    }
    let text = String::from_utf8_lossy(found.block);
    let recorded = text.lines().find_map(|line| {
        let quoted = line.strip_prefix("reflectt='")?.strip_suffix('\'')?;
        Some(PathBuf::from(quoted.replace(r"'\''", "'")))
    });
    if !recorded.as_deref().is_some_and(is_program) && !in_path(search) {
        let program = recorded.unwrap_or_default();
        return Some(format!(
            "`{}` is gone, and `reflectt` is not on the PATH",
            program.display()
        ));
    }
    let original = dir.path.join(found.kind.original()?);
    (!original.exists()).then(|| format!("`{}`, which it runs, is gone", original.display()))
}

/// Returns the file in which somebody has added the call to a hook.
fn called_from(dir: &HookDir, path: &Path, name: HookName) -> Option<PathBuf> {
    let call = format!("reflectt hook {}", name.as_str());
    let mut candidates = vec![path.to_owned()];
    if dir.placement == Placement::InWorkTree {
        // husky 9 sets `.husky/_`, whose files run those above.
        candidates.extend(dir.path.parent().map(|above| above.join(name.as_str())));
    }
    let top = dir
        .path
        .ancestors()
        .find(|above| above.join(".git").exists());
    for config in [
        "lefthook.yml",
        ".lefthook.yml",
        "lefthook-local.yml",
        ".pre-commit-config.yaml",
    ] {
        candidates.extend(top.map(|top| top.join(config)));
    }
    let calls = |file: &PathBuf| {
        let text = fs::read(file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        // The hooks of the tool pre-commit are named, not called.
        let by_id = file.ends_with(".pre-commit-config.yaml")
            && text.contains(&format!("reflectt-{}", name.as_str()));
        by_id
            || text
                .lines()
                .any(|line| line.contains(&call) && !line.trim_start().starts_with('#'))
    };
    candidates.into_iter().find(calls)
}

fn agent_edit(top: Option<&Path>) -> Layer {
    let files = [".claude/settings.local.json", ".claude/settings.json"];
    let paths = || files.iter().filter_map(|file| Some(top?.join(file)));
    let active = paths().find(|path| {
        let text = fs::read(path).unwrap_or_default();
        let Ok(settings) = serde_json::from_slice::<serde_json::Value>(&text) else {
            return false;
        };
        settings["hooks"]["PreToolUse"]
            .to_string()
            .contains("hook agent-edit")
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
            detail: "`reflectt hooks snippet claude` prints what to add".to_owned(),
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
