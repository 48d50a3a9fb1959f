//! Putting us where another tool keeps what it runs, so that it stays when that tool writes git's
//! hooks anew, and reaches all clones with the next commit.

use std::fs;
use std::path::{Path, PathBuf};

use crate::git::Repo;

use super::block::{self, Kind};
use super::install::{Done, HookDir, file_error, write};
use super::manager::{Manager, husky_dir};
use super::yaml::{Lines, NotUnderstood};
use super::{HookError, HookName};

const LEFTHOOK: &str = include_str!("../../templates/lefthook.yml");
const PRE_COMMIT: &str = include_str!("../../templates/pre-commit-config.yaml");

/// A file of another tool's, and what was done to it.
#[derive(Debug)]
pub struct Edited {
    pub file: PathBuf,
    pub done: Done,
}

/// Adds us to the configuration of a tool. Repeating it changes nothing.
///
/// # Errors
///
/// If the tool is not configured here, or its file is not understood: then it is left as it is.
pub fn install_into(repo: &Repo, manager: Manager) -> Result<Vec<Edited>, HookError> {
    let dir = HookDir::find(repo)?;
    let top = repo.work_dir().unwrap_or(repo.git_dir());
    let Some(config) = manager.config(top) else {
        return Err(HookError::NotConfigured {
            manager,
            dir: top.to_owned(),
        });
    };
    if manager == Manager::Husky {
        let place = husky_dir(top, &dir.path);
        let edit = |name| into_husky(&place, name);
        return HookName::ALL.into_iter().map(edit).collect();
    }
    let text = fs::read_to_string(&config).map_err(|e| file_error("read", &config, e))?;
    let new = match (manager, config.extension().and_then(|end| end.to_str())) {
        (Manager::Lefthook, Some("yml" | "yaml")) => into_lefthook(&text),
        (Manager::PreCommit, _) => into_pre_commit(&text),
        _ => Err(NotUnderstood),
    };
    let Ok(new) = new else {
        return Err(HookError::NotUnderstood {
            manager,
            path: config,
        });
    };
    let done = if new == text {
        Done::Unchanged
    } else {
        Done::Added
    };
    if done == Done::Added {
        let mode = fs::metadata(&config).map_err(|e| file_error("read", &config, e))?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
        // Where it is a link, what it points to is changed, and the link stays.
        let real = config
            .canonicalize()
            .map_err(|e| file_error("find", &config, e))?;
        write(&real, new.as_bytes(), mode)?;
    }
    Ok(vec![Edited { file: config, done }])
}

/// husky runs the lines of these files with `sh -e`, whatever their mode and first line.
fn into_husky(dir: &Path, name: HookName) -> Result<Edited, HookError> {
    let file = dir.join(name.as_str());
    let Ok(text) = fs::read(&file) else {
        write(&file, &block::file(name, "", &Kind::Made), 0o755)?;
        return Ok(Edited {
            file,
            done: Done::Made,
        });
    };
    let found = block::find(&text).map_err(|_| HookError::Damaged { path: file.clone() })?;
    let new = match &found {
        Some(found) => found.updated(name, ""),
        None if text.starts_with(b"#!") && !block::is_shell_script(&text) => {
            return Err(HookError::NotUnderstood {
                manager: Manager::Husky,
                path: file,
            });
        }
        None => block::insert(&text, name, ""),
    };
    let done = match found {
        Some(_) if new == text => Done::Unchanged,
        Some(_) => Done::Updated,
        None => Done::Added,
    };
    if done != Done::Unchanged {
        let meta = fs::metadata(&file).map_err(|e| file_error("read", &file, e))?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions());
        write(&file, &new, mode)?;
    }
    Ok(Edited { file, done })
}

/// Returns the lines of a template between two marks at the left margin.
fn section<'t>(template: &'t str, from: &str) -> &'t str {
    let start = template
        .find(from)
        .map_or(template.len(), |at| at + from.len());
    let rest = &template[start..];
    let ends = rest.match_indices('\n').map(|(at, _)| at + 1);
    let mut ends = ends.filter(|at| !rest[*at..].starts_with(' '));
    &rest[..ends.next().unwrap_or(rest.len())]
}

/// Takes the margin of the first line from all.
fn flush(text: &str) -> String {
    let margin = text.len() - text.trim_start_matches(' ').len();
    let lines = text
        .lines()
        .map(|line| line.get(margin..).unwrap_or_default());
    lines.map(|line| format!("{line}\n")).collect()
}

fn into_lefthook(text: &str) -> Result<String, NotUnderstood> {
    let mut lines = Lines::read(text)?;
    for name in HookName::ALL {
        let name = name.as_str();
        let whole = section(LEFTHOOK, &format!("\n{name}:\n"));
        let command = flush(whole.split_once('\n').map_or("", |(_, entry)| entry));
        let Some(hook) = lines.key(name)? else {
            lines.add(lines.end(), &format!("{name}:\n{whole}"), 0);
            continue;
        };
        let (keys, indent) = lines.below(&hook)?;
        if let Some(jobs) = keys.iter().find(|key| key.is("jobs")) {
            let (items, margin) = lines.items(jobs)?;
            if !items.contains(&"- name: reflectt") {
                let job = command.replacen("reflectt:", "- name: reflectt", 1);
                lines.add(jobs.first(), &job, margin);
            }
        } else if let Some(commands) = keys.iter().find(|key| key.is("commands")) {
            let (entries, margin) = lines.below(commands)?;
            if !entries.iter().any(|entry| entry.is("reflectt")) {
                lines.add(commands.first(), &command, margin);
            }
        } else {
            lines.add(hook.first(), &flush(whole), indent);
        }
    }
    checked(lines)
}

fn into_pre_commit(text: &str) -> Result<String, NotUnderstood> {
    let mut lines = Lines::read(text)?;
    let repos = lines.key("repos")?.ok_or(NotUnderstood)?;
    let (_, margin) = match repos.value.as_str() {
        "[]" => (Vec::new(), 2),
        _ => lines.items(&repos)?,
    };
    let hooks = section(PRE_COMMIT, "\nrepos:\n");
    let (head, hooks) = hooks.split_at(hooks.find("      - id:").unwrap_or(hooks.len()));
    let is_missing = |hook: &&str| {
        let id = hook.lines().next().unwrap_or_default().trim();
        let is_id = |line: &str| line.trim().trim_start_matches("- ") == id.trim_end();
        !text.lines().any(is_id)
    };
    let each = hooks.split("      - ").skip(1);
    let missing = each
        .filter(is_missing)
        .map(|hook| format!("      - {hook}"));
    let missing: String = missing.collect();
    if !missing.is_empty() {
        if repos.value == "[]" {
            lines.replace(&repos, "repos:".to_owned());
        }
        lines.add(repos.first(), &flush(&format!("{head}{missing}")), margin);
    }
    install_types(&mut lines)?;
    checked(lines)
}

/// Has `pre-commit install` write all hooks that we need, and not `pre-commit` alone.
fn install_types(lines: &mut Lines) -> Result<(), NotUnderstood> {
    const KEY: &str = "default_install_hook_types";
    let wanted = HookName::ALL.map(HookName::as_str);
    let Some(types) = lines.key(KEY)? else {
        let repos = lines.key("repos")?.ok_or(NotUnderstood)?;
        lines.add(repos.at(), &format!("{KEY}: [{}]", wanted.join(", ")), 0);
        return Ok(());
    };
    let named = |text: &str, name: &str| text.trim().trim_matches(['"', '\'']) == name;
    if let Some(list) = types
        .value
        .strip_prefix('[')
        .and_then(|v| v.strip_suffix(']'))
    {
        let mut all: Vec<&str> = list
            .split(',')
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .collect();
        let before = all.len();
        for name in wanted {
            if !all.iter().any(|there| named(there, name)) {
                all.push(name);
            }
        }
        if all.len() > before {
            let line = format!("{KEY}: [{}]", all.join(", "));
            lines.replace(&types, line);
        }
        return Ok(());
    }
    let (items, margin) = lines.items(&types)?;
    let is_there = |name: &&str| items.iter().any(|item| named(&item[1..], name));
    let missing: Vec<&str> = wanted.into_iter().filter(|name| !is_there(name)).collect();
    for name in missing {
        lines.add(types.first(), &format!("- {name}"), margin);
    }
    Ok(())
}

/// Reads what was written: it has to be understood as well as what was there.
fn checked(lines: Lines) -> Result<String, NotUnderstood> {
    let text = lines.text();
    Lines::read(&text)?.keys()?;
    Ok(text)
}

#[cfg(test)]
mod tests;
