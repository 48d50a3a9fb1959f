//! Where the files of a harness lie: in a repository, or in its user's own directories.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::model::harness::Harness;

use super::error::SetupError;

/// Where to set up.
#[derive(Debug, Clone)]
pub enum Place {
    /// A working tree, by its canonical root.
    Tree(PathBuf),
    User(Home),
}

/// The directories in which a user's harnesses keep their files.
#[derive(Debug, Clone)]
pub struct Home {
    home: PathBuf,
    claude: Option<PathBuf>,
    codex: PathBuf,
    /// What `XDG_CONFIG_HOME` names.
    config: PathBuf,
}

impl Home {
    /// Finds them in the environment; `None` where `HOME` is missing.
    pub fn find(variable: impl Fn(&str) -> Option<OsString>) -> Option<Home> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let home = PathBuf::from(set("HOME")?);
        let of = |name: &str| set(name).map(PathBuf::from).filter(|p| p.is_absolute());
        Some(Home {
            claude: of("CLAUDE_CONFIG_DIR"),
            codex: of("CODEX_HOME").unwrap_or_else(|| home.join(".codex")),
            config: of("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
            home,
        })
    }
}

/// A file of a harness's, by what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Hooks,
    Server,
    /// Leave for our server and its tools.
    Approvals,
    /// Our server as a table of TOML.
    ServerTable,
    /// A file that is ours alone.
    Whole(&'static str),
}

/// A plugin of OpenCode's has no list to be put into.
pub const PLUGIN: &str = include_str!("../../templates/opencode-plugin.js");
/// What every session of Cursor's reads.
const RULE: &str = include_str!("../../templates/cursor-rule.mdc");

impl Place {
    /// Returns the directory above everything that is made here.
    pub fn base(&self) -> &Path {
        match self {
            Place::Tree(top) => top,
            Place::User(home) => &home.home,
        }
    }

    pub fn is_tree(&self) -> bool {
        matches!(self, Place::Tree(_))
    }

    /// Returns the files of a harness, and what goes into each; instructions not among them.
    pub fn files(&self, harness: Harness) -> Vec<(PathBuf, Vec<Part>)> {
        use Part::{Approvals, Hooks, Server, ServerTable, Whole};
        let one = |file: PathBuf, part: Part| (file, vec![part]);
        let base = self.base();
        match (harness, self) {
            (Harness::Claude, Place::Tree(_)) => vec![
                (base.join(".claude/settings.json"), vec![Hooks, Approvals]),
                one(base.join(".mcp.json"), Server),
            ],
            (Harness::Claude, Place::User(home)) => {
                let dir = home.claude.clone();
                let servers = dir.as_ref().unwrap_or(&home.home).join(".claude.json");
                let dir = dir.unwrap_or_else(|| base.join(".claude"));
                vec![one(dir.join("settings.json"), Hooks), one(servers, Server)]
            }
            (Harness::Codex, _) => {
                let dir = match self {
                    Place::Tree(top) => top.join(".codex"),
                    Place::User(home) => home.codex.clone(),
                };
                vec![
                    one(dir.join("hooks.json"), Hooks),
                    one(dir.join("config.toml"), ServerTable),
                ]
            }
            (Harness::Gemini, _) => {
                vec![(base.join(".gemini/settings.json"), vec![Hooks, Server])]
            }
            (Harness::Copilot, Place::Tree(_)) => {
                vec![
                    one(base.join(".github/hooks/reflectt.json"), Hooks),
                    one(base.join(".github/mcp.json"), Server),
                ]
            }
            (Harness::Copilot, Place::User(_)) => {
                vec![one(base.join(".copilot/mcp-config.json"), Server)]
            }
            (Harness::Cursor, _) => {
                let mut files = vec![
                    one(base.join(".cursor/hooks.json"), Hooks),
                    one(base.join(".cursor/mcp.json"), Server),
                ];
                if self.is_tree() {
                    let rule = base.join(".cursor/rules/reflectt.mdc");
                    files.push(one(rule, Whole(RULE)));
                }
                files
            }
            (Harness::OpenCode, _) => {
                let (settings, plugins) = self.opencode();
                vec![
                    one(plugins.join("plugins/reflectt.js"), Whole(PLUGIN)),
                    one(opencode_settings(&settings, &plugins), Server),
                ]
            }
        }
    }

    /// Returns those in which there may be something of ours, and not only those that we would
    /// choose today.
    pub fn all_files(&self, harness: Harness) -> Vec<(PathBuf, Vec<Part>)> {
        let mut files = self.files(harness);
        if harness == Harness::OpenCode {
            let (dir, other) = self.opencode();
            for file in opencode_candidates(&dir, &other) {
                if files.iter().all(|(known, _)| *known != file) {
                    files.push((file, vec![Part::Server]));
                }
            }
        }
        files
    }

    /// Returns where OpenCode's settings are, and where its plugins.
    fn opencode(&self) -> (PathBuf, PathBuf) {
        match self {
            Place::Tree(top) => (top.clone(), top.join(".opencode")),
            Place::User(home) => (home.config.join("opencode"), home.config.join("opencode")),
        }
    }

    /// Returns a path as people know it.
    pub fn show(&self, path: &Path) -> String {
        match (path.strip_prefix(self.base()), self) {
            (Ok(below), Place::Tree(_)) => below.display().to_string(),
            (Ok(below), Place::User(_)) => format!("~/{}", below.display()),
            (Err(_), _) => path.display().to_string(),
        }
    }

    /// Follows the links to a file, which need not be there.
    ///
    /// # Errors
    ///
    /// If they lead out of the repository, into another working tree, or nowhere.
    pub fn resolve(&self, path: &Path) -> Result<PathBuf, SetupError> {
        let shown = || self.show(path);
        let mut missing = Vec::new();
        let mut above = path;
        let mut real = loop {
            if let Ok(real) = above.canonicalize() {
                break real;
            }
            if above.is_symlink() {
                return Err(SetupError::Dangling {
                    path: shown(),
                    link: above.to_owned(),
                });
            }
            match (above.parent(), above.file_name()) {
                (Some(parent), Some(name)) => {
                    missing.push(name);
                    above = parent;
                }
                _ => break above.to_owned(),
            }
        };
        real.extend(missing.iter().rev());
        let Place::Tree(top) = self else {
            return Ok(real);
        };
        let Ok(below) = real.strip_prefix(top) else {
            return Err(SetupError::LeadsOut {
                path: shown(),
                target: real,
            });
        };
        let dirs = below
            .ancestors()
            .skip(1)
            .filter(|dir| !dir.as_os_str().is_empty());
        let in_git = below.iter().any(|part| part.eq_ignore_ascii_case(".git"));
        for dir in dirs {
            if in_git || top.join(dir).join(".git").symlink_metadata().is_ok() {
                return Err(SetupError::OtherWorktree {
                    path: shown(),
                    target: real,
                });
            }
        }
        Ok(real)
    }
}

/// Returns the settings that are there, or are to be.
fn opencode_settings(dir: &Path, other: &Path) -> PathBuf {
    let all = opencode_candidates(dir, other);
    let mut there = all.iter().filter(|file| file.symlink_metadata().is_ok());
    there.next().unwrap_or(&all[0]).clone()
}

fn opencode_candidates(dir: &Path, other: &Path) -> [PathBuf; 4] {
    let [json, jsonc] = ["opencode.json", "opencode.jsonc"];
    [
        dir.join(json),
        dir.join(jsonc),
        other.join(json),
        other.join(jsonc),
    ]
}

/// Returns the harnesses that a repository, or its user, shows traces of.
pub fn traces(top: Option<&Path>, is_program: impl Fn(&str) -> bool) -> Vec<Harness> {
    let has = |names: &[&str]| {
        let there = |name: &&str| top.is_some_and(|top| top.join(name).symlink_metadata().is_ok());
        names.iter().any(there)
    };
    let shows = |harness: &Harness| {
        has(files_of(*harness)) || programs_of(*harness).iter().any(|name| is_program(name))
    };
    Harness::ALL.into_iter().filter(shows).collect()
}

fn files_of(harness: Harness) -> &'static [&'static str] {
    match harness {
        Harness::Claude => &[".claude", "CLAUDE.md", ".mcp.json"],
        Harness::Codex => &[".codex"],
        Harness::Gemini => &[".gemini", "GEMINI.md"],
        Harness::Copilot => &[".github/hooks", ".github/copilot-instructions.md"],
        Harness::Cursor => &[".cursor", ".cursorrules"],
        Harness::OpenCode => &[".opencode", "opencode.json", "opencode.jsonc"],
    }
}

fn programs_of(harness: Harness) -> &'static [&'static str] {
    match harness {
        Harness::Claude => &["claude"],
        Harness::Codex => &["codex"],
        Harness::Gemini => &["gemini"],
        Harness::Copilot => &["copilot"],
        Harness::Cursor => &["cursor-agent", "cursor"],
        Harness::OpenCode => &["opencode"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_files_and_programs() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path();
        assert_eq!(traces(Some(top), |_| false), []);
        std::fs::create_dir(top.join(".codex")).unwrap();
        std::fs::write(top.join("GEMINI.md"), "").unwrap();
        std::fs::write(top.join("AGENTS.md"), "").unwrap();
        let found = traces(Some(top), |name| name == "cursor");
        assert_eq!(found, [Harness::Codex, Harness::Gemini, Harness::Cursor]);
        assert_eq!(traces(None, |name| name == "claude"), [Harness::Claude]);
    }

    #[test]
    fn links_are_followed_inside_only() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        let place = Place::Tree(top.join("tree"));
        std::fs::create_dir_all(top.join("tree/real")).unwrap();
        std::fs::create_dir_all(top.join("tree/other/.git")).unwrap();
        let link = |to: &str, at: &str| symlink(to, top.join("tree").join(at)).unwrap();
        link("real", ".a");
        link("..", ".b");
        link("gone", ".c");
        link("other", ".d");
        let of = |path: &str| place.resolve(&top.join("tree").join(path));
        assert_eq!(of("x/y").unwrap(), top.join("tree/x/y"));
        assert_eq!(of(".a/x/y").unwrap(), top.join("tree/real/x/y"));
        assert!(matches!(of(".b/x"), Err(SetupError::LeadsOut { .. })));
        assert!(matches!(of(".c/x"), Err(SetupError::Dangling { .. })));
        assert!(matches!(of(".c"), Err(SetupError::Dangling { .. })));
        assert!(matches!(of(".d/x"), Err(SetupError::OtherWorktree { .. })));
    }

    #[test]
    fn a_users_files_follow_the_environment() {
        let home = |set: &'static [(&str, &str)]| {
            let of = move |name: &str| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| OsString::from(value))
            };
            Home::find(of).map(Place::User)
        };
        assert!(home(&[]).is_none());
        let plain = home(&[("HOME", "/h"), ("CODEX_HOME", "")]).unwrap();
        let files = |place: &Place, harness| -> Vec<String> {
            let files = place.files(harness).into_iter();
            files.map(|(file, _)| place.show(&file)).collect()
        };
        assert_eq!(
            files(&plain, Harness::Claude),
            ["~/.claude/settings.json", "~/.claude.json"]
        );
        assert_eq!(
            files(&plain, Harness::Codex),
            ["~/.codex/hooks.json", "~/.codex/config.toml"]
        );
        let moved = [
            ("HOME", "/h"),
            ("CODEX_HOME", "/c"),
            ("XDG_CONFIG_HOME", "/x"),
            ("CLAUDE_CONFIG_DIR", "/k"),
        ];
        let moved = home(Box::leak(Box::new(moved))).unwrap();
        assert_eq!(
            files(&moved, Harness::Codex),
            ["/c/hooks.json", "/c/config.toml"]
        );
        assert_eq!(
            files(&moved, Harness::Claude),
            ["/k/settings.json", "/k/.claude.json"]
        );
        assert_eq!(
            files(&moved, Harness::OpenCode),
            [
                "/x/opencode/plugins/reflectt.js",
                "/x/opencode/opencode.json"
            ]
        );
    }
}
