//! Rules about the source that no compiler checks: layers, sizes, forbidden words.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A layer, and what it may reach.
const LAYERS: [(&str, &[&str]); 15] = [
    ("model", &[]),
    ("format", &["model"]),
    ("git", &[]),
    ("store", &["format", "git", "model"]),
    ("ops", &["store", "format", "git", "model"]),
    ("sync", &["ops", "store", "format", "git", "model"]),
    ("hooks", &["ops", "sync", "store", "format", "git", "model"]),
    (
        "daemon",
        &["ops", "sync", "store", "format", "git", "model"],
    ),
    ("answer", &["ops", "store", "format", "git", "model"]),
    ("setup", &["git", "model"]),
    (
        "mcp",
        &["answer", "ops", "sync", "store", "format", "git", "model"],
    ),
    (
        "web",
        &["answer", "ops", "sync", "store", "format", "git", "model"],
    ),
    (
        "tui",
        &["answer", "ops", "sync", "store", "format", "git", "model"],
    ),
    (
        "cli",
        &[
            "answer", "mcp", "daemon", "hooks", "setup", "tui", "web", "ops", "sync", "store",
            "format", "git", "model",
        ],
    ),
    ("bin", &["cli"]),
];

/// The longest a file may be, without its tests.
const LINES_MAX: usize = 600;

/// A file of `src`.
struct Source {
    /// As `store/publish.rs`.
    path: String,
    text: String,
    /// The lines that are no tests, with their numbers; comments are cut off.
    code: Vec<(usize, String)>,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Source {
        let text = fs::read_to_string(path).unwrap();
        let path = path
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let name = path.rsplit('/').next().unwrap();
        let only_tests = path.split('/').any(|part| part == "tests")
            || ["tests.rs", "testing.rs", "arbitrary.rs"].contains(&name);
        let code = if only_tests {
            Vec::new()
        } else {
            code_of(&text)
        };
        Source { path, text, code }
    }

    fn layer(&self) -> &str {
        self.path.split_once('/').map_or("", |(layer, _)| layer)
    }

    /// Returns the lines of code with this word in them, as `path:line: text`.
    fn with(&self, word: &str) -> Vec<String> {
        let has = |(_, line): &&(usize, String)| line.contains(word);
        let show = |(at, line): &(usize, String)| format!("{}:{at}: {}", self.path, line.trim());
        self.code.iter().filter(has).map(show).collect()
    }
}

/// Returns the lines before `#[cfg(test)]`-ed modules, numbered and without comments.
fn code_of(text: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut code = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if line.trim() == "#[cfg(test)]" {
            // One item, which ends with a bracket or semicolon at the same depth.
            let indent = &line[..line.len() - line.trim_start().len()];
            let closes = |line: &str| {
                line.strip_prefix(indent).is_some_and(|rest| {
                    rest.starts_with('}') || (!rest.starts_with([' ', '}']) && rest.ends_with(';'))
                })
            };
            at += 1;
            while at < lines.len() && !closes(lines[at]) {
                at += 1;
            }
            at += 1;
            continue;
        }
        let is_comment = line.trim_start().starts_with("//");
        code.push((
            at + 1,
            if is_comment {
                String::new()
            } else {
                line.to_owned()
            },
        ));
        at += 1;
    }
    code
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut paths = Vec::new();
    files(&src, &mut paths);
    paths.sort();
    paths.iter().map(|path| Source::read(&src, path)).collect()
}

#[track_caller]
fn expect_none(rule: &str, found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// Returns the layers a line of code names: `crate::git::…` and `use crate::{git, store::…}`.
fn named_layers(line: &str) -> Vec<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first_word = |text: &str| text.chars().take_while(|c| is_word(*c)).collect::<String>();
    let mut names = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => names.push(first_word(rest)),
            Some(group) => {
                let mut depth = 0_u32;
                let mut item = String::new();
                for c in group.chars().chain([',']) {
                    match c {
                        '{' => depth += 1,
                        '}' => depth = depth.saturating_sub(1),
                        ',' if depth == 0 => {
                            names.push(first_word(item.trim()));
                            item.clear();
                        }
                        _ => {}
                    }
                    item.push(c);
                    if c == ',' && depth == 0 {
                        item.clear();
                    }
                }
            }
        }
    }
    names
}

#[test]
fn imports_point_down_the_layers() {
    let mut wrong = Vec::new();
    for source in sources() {
        let layer = source.layer();
        if layer.is_empty() {
            continue;
        }
        let Some((_, may)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            wrong.push(format!("{}: `{layer}` is no known layer", source.path));
            continue;
        };
        for (at, line) in &source.code {
            for name in named_layers(line) {
                let is_layer = LAYERS.iter().any(|(layer, _)| *layer == name);
                if is_layer && name != layer && !may.contains(&name.as_str()) {
                    wrong.push(format!("{}:{at}: {}", source.path, line.trim()));
                }
            }
        }
    }
    expect_none("imports must point down", wrong);
}

#[test]
fn layers_are_found_in_imports() {
    assert_eq!(named_layers("use crate::git::Repo;"), ["git"]);
    assert_eq!(
        named_layers("let x: crate::model::x = crate::ops::y;"),
        ["model", "ops"]
    );
    assert_eq!(
        named_layers("use crate::{git::{A, B}, store};"),
        ["git", "store"]
    );
    assert_eq!(named_layers("use super::git;"), Vec::<String>::new());
}

#[test]
fn tests_are_told_from_code() {
    let text = "//! a\nuse b;\n#[cfg(test)]\nuse c;\nd();\n#[cfg(test)]\nmod tests {\n    e();\n}\n// f\ng();";
    let code: Vec<_> = code_of(text)
        .into_iter()
        .filter(|(_, line)| !line.is_empty())
        .collect();
    let numbered = |at: usize, line: &str| (at, line.to_owned());
    assert_eq!(
        code,
        [
            numbered(2, "use b;"),
            numbered(5, "d();"),
            numbered(11, "g();")
        ]
    );
}

#[test]
fn files_are_short_and_say_what_they_own() {
    let long = |s: &&Source| s.code.len() > LINES_MAX;
    let show = |s: &Source| format!("{}: {} lines", s.path, s.code.len());
    let sources = sources();
    expect_none("too long", sources.iter().filter(long).map(show));
    let silent = sources.iter().filter(|s| !s.text.starts_with("//! "));
    expect_none("no `//!` at the top", silent.map(|s| s.path.clone()));
}

#[test]
fn no_file_is_a_drawer_for_the_rest() {
    let named = |s: &&Source| {
        let parts = ["utils", "util", "helpers", "helper", "misc", "common"];
        s.path.split(['/', '.']).any(|part| parts.contains(&part))
    };
    expect_none(
        "name what it owns",
        sources().iter().filter(named).map(|s| s.path.clone()),
    );
}

#[test]
fn only_the_git_layer_reaches_git_and_starts_processes() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| s.layer() != "git") {
        found.extend(source.with("gix::"));
        found.extend(source.with("notify::"));
        // What starts what the user asks for, and what starts this very program as others.
        let may_start = ["cli/command/run.rs", "cli/demo/process.rs"];
        if !may_start.contains(&source.path.as_str()) {
            found.extend(source.with("process::Command"));
            found.extend(source.with("Command::new("));
        }
    }
    expect_none("only `src/git` may do this", found);
}

#[test]
fn only_the_store_names_our_refs() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| s.layer() != "store") {
        for name in ["\"refs/reflectt", "\"refs/heads/reflectt"] {
            found.extend(source.with(name));
        }
    }
    expect_none("only `src/store` may name refs", found);
}

#[test]
fn nothing_is_left_undone() {
    let mut found = Vec::new();
    for source in sources() {
        for word in ["todo!(", "unimplemented!(", ".unwrap()", "dbg!("] {
            found.extend(source.with(word));
        }
        if source.text.contains("#[ignore") {
            found.push(format!("{}: a test is ignored", source.path));
        }
    }
    expect_none("finish it", found);
}

#[test]
fn the_model_is_values_and_rules() {
    let forbidden = [
        "Utc::now",
        "SystemTime",
        "Instant::",
        "std::fs",
        "std::process",
        "std::env",
        "std::io",
        "std::net",
        "std::thread",
        "serde",
        "gix",
        "toml::",
    ];
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| s.layer() == "model") {
        for word in forbidden {
            found.extend(source.with(word));
        }
    }
    expect_none("the model has no I/O, clock, serde or git", found);
}

#[test]
fn every_test_file_is_part_of_the_tests() {
    let it = root().join("tests/it");
    let mut paths = Vec::new();
    files(&it, &mut paths);
    let mut forgotten = Vec::new();
    for path in paths {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let dir = path.parent().unwrap();
        let (module, dir) = match stem {
            "main" => continue,
            "mod" => (
                dir.file_name().unwrap().to_str().unwrap(),
                dir.parent().unwrap(),
            ),
            stem => (stem, dir),
        };
        let parents = if dir == it {
            vec![it.join("main.rs")]
        } else {
            vec![dir.join("mod.rs"), dir.with_extension("rs")]
        };
        let text: String = parents
            .iter()
            .filter_map(|path| fs::read_to_string(path).ok())
            .collect();
        let declared: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| line.trim().trim_start_matches("pub ").strip_prefix("mod "))
            .filter_map(|rest| rest.strip_suffix(';'))
            .collect();
        if !declared.contains(module) {
            forgotten.push(path.display().to_string());
        }
    }
    expect_none("declare it as a module", forgotten);
}
