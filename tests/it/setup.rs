//! `reflectt setup`, in real repositories: what goes into which file, and out of it again.

mod files;
mod places;
mod refused;
mod shown;
mod works;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::support::{Output, Repo, Run, TestEnv};

/// All harnesses, and the files that each gets in a repository without any.
pub const FRESH: [(&str, &[&str]); 6] = [
    (
        "claude",
        &[
            ".claude/settings.json",
            ".mcp.json",
            "AGENTS.md",
            "CLAUDE.md",
        ],
    ),
    (
        "codex",
        &[".codex/config.toml", ".codex/hooks.json", "AGENTS.md"],
    ),
    ("gemini", &[".gemini/settings.json", "AGENTS.md"]),
    (
        "copilot",
        &[
            ".github/hooks/reflectt.json",
            ".github/mcp.json",
            "AGENTS.md",
        ],
    ),
    (
        "cursor",
        &[
            ".cursor/hooks.json",
            ".cursor/mcp.json",
            ".cursor/rules/reflectt.mdc",
        ],
    ),
    (
        "opencode",
        &[
            ".opencode/plugins/reflectt.js",
            "AGENTS.md",
            "opencode.json",
        ],
    ),
];

/// Returns a run that finds no harness on the PATH of the machine the tests run on.
pub fn setup(repo: &Repo, args: &[&str]) -> Run {
    let bin = repo.env().dir().join("tools");
    std::fs::create_dir_all(&bin).unwrap();
    for tool in ["git", "sh"] {
        let dirs = std::env::var_os("PATH").unwrap();
        let found = std::env::split_paths(&dirs).map(|dir| dir.join(tool));
        let found = found.into_iter().find(|path| path.is_file()).unwrap();
        std::os::unix::fs::symlink(found, bin.join(tool)).ok();
    }
    repo.command(["setup"].iter().chain(args))
        .env("PATH", bin.to_str().unwrap())
}

pub fn run(repo: &Repo, args: &[&str]) -> Output {
    setup(repo, args).run()
}

/// Returns every file below a directory, git's own excepted, with what is in it.
pub fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut dirs = vec![PathBuf::new()];
    while let Some(below) = dirs.pop() {
        for entry in std::fs::read_dir(dir.join(&below)).unwrap() {
            let entry = entry.unwrap();
            let path = below.join(entry.file_name());
            if entry.file_name() == ".git" {
                continue;
            }
            let name = path.to_str().unwrap().to_owned();
            let kind = entry.file_type().unwrap();
            if kind.is_symlink() {
                let target = std::fs::read_link(entry.path()).unwrap();
                let target = target.to_str().unwrap().as_bytes().to_vec();
                all.insert(format!("{name}@"), target);
            } else if kind.is_dir() {
                all.insert(format!("{name}/"), Vec::new());
                dirs.push(path);
            } else {
                all.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    all
}

pub fn names(repo: &Repo) -> Vec<String> {
    let names = files(repo.path()).into_keys();
    names.filter(|name| !name.ends_with('/')).collect()
}

pub fn json(repo: &Repo, path: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(repo.path().join(path)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}\n{text}"))
}

/// Sets up, checks that repeating it changes nothing, takes it out, and expects all files to be as
/// they were.
#[track_caller]
pub fn there_and_back(repo: &Repo, harnesses: &[&str]) {
    let before = files(repo.path());
    run(repo, harnesses).ok();
    let once = files(repo.path());
    assert_ne!(once, before);
    run(repo, harnesses).ok();
    assert_eq!(files(repo.path()), once);
    run(repo, &[&["--check"], harnesses].concat()).ok();
    run(repo, &[&["--remove"], harnesses].concat()).ok();
    let after = files(repo.path());
    for (name, bytes) in &before {
        assert_eq!(
            after.get(name).map(|b| String::from_utf8_lossy(b)),
            Some(String::from_utf8_lossy(bytes)),
            "{name}"
        );
    }
    assert_eq!(after, before);
}

pub fn repo() -> Repo {
    TestEnv::new().repo("repo")
}
