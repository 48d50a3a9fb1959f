//! Which files a tool is about to change.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use crate::git::Repo;

use super::input::Input;
use super::patch;
use super::tool::Tool;

/// What a call of a tool would change.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Edits {
    pub edits: Vec<Edit>,
    /// What is not understood of it, a sentence each: whoever asks must not take silence for leave.
    pub unclear: Vec<String>,
}

/// A file that is about to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file, absolute, with links resolved as far as it exists.
    pub target: PathBuf,
    /// The deepest directory above it that exists.
    pub above: PathBuf,
}

/// How many links are followed one after the other; Linux follows as many.
const LINKS_MAX: usize = 40;

/// Returns which files a tool would change, called in `cwd`.
pub fn edits(input: &Input, cwd: &Path) -> Edits {
    let given = &input.tool_input;
    let kind = Tool::of(&input.tool);
    // One tool does several things, and its command says which.
    let looks = given.texts.iter().any(|text| text == "view");
    let mut found = Edits::default();
    match kind {
        Tool::Ours | Tool::Reading => return found,
        Tool::Editing if looks => return found,
        Tool::Shell => {
            for patch in given.texts.iter().filter_map(|text| patch::in_shell(text)) {
                let dir = patch
                    .dir
                    .map_or_else(|| cwd.to_owned(), |dir| cwd.join(dir));
                patch
                    .files
                    .iter()
                    .for_each(|file| found.add(file, &dir, kind));
            }
            return found;
        }
        Tool::Editing | Tool::Unknown => {}
    }
    let patched = given.texts.iter().flat_map(|text| patch::files(text));
    let sources = given.sources.iter().filter(|_| Tool::moves(&input.tool));
    let named = given.paths.iter().chain(sources).map(String::as_str);
    for path in named.chain(patched) {
        if input.is_mended && path.contains('\u{fffd}') {
            found
                .unclear
                .push(format!("`{}` is not UTF-8", path.escape_debug()));
            continue;
        }
        found.add(path, cwd, kind);
    }
    found.unclear.extend(given.odd.iter().cloned());
    let nothing = found.edits.is_empty() && found.unclear.is_empty();
    let tool = input.tool.escape_debug();
    match kind {
        Tool::Editing if nothing => found
            .unclear
            .push(format!("`{tool}` names no file in a way that is known")),
        _ if nothing && input.tool.is_empty() => {
            found
                .unclear
                .push("neither a tool nor a file is named".to_owned());
        }
        _ => {}
    }
    found
}

impl Edits {
    fn add(&mut self, path: &str, dir: &Path, kind: Tool) {
        if path.is_empty() {
            return;
        }
        let target = resolve(&dir.join(path));
        if let Some(why) = foreign(path, &target) {
            self.unclear
                .push(format!("`{}` {why}", path.escape_debug()));
            return;
        }
        // A tool that is not known and names a directory looks through it.
        if kind == Tool::Unknown && target.is_dir() {
            return;
        }
        let above = target.ancestors().skip(1).find(|above| above.is_dir());
        let edit = Edit {
            above: above.unwrap_or(Path::new("/")).to_owned(),
            target,
        };
        if !self.edits.contains(&edit) {
            self.edits.push(edit);
        }
    }
}

/// Tells why a name is none of a file on this system: what it would be taken for is a new file
/// whose name has backslashes or colons in it, which nobody means and nobody has claimed.
fn foreign(path: &str, target: &Path) -> Option<&'static str> {
    let bytes = path.as_bytes();
    let drive = matches!(bytes, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    if path.contains('\0') {
        Some("has a NUL in it, as no file")
    } else if path.starts_with("file:") {
        Some("is a URL, and no path")
    } else if (drive || path.contains('\\')) && target.symlink_metadata().is_err() {
        Some("is a path of Windows, and no file here")
    } else {
        None
    }
}

/// Returns the path with all links in it resolved that exist: an edit changes what they point to.
fn resolve(path: &Path) -> PathBuf {
    let mut missing: Vec<OsString> = Vec::new();
    let mut above = path.to_owned();
    let mut links = 0;
    let real = loop {
        if let Ok(real) = above.canonicalize() {
            break real;
        }
        // One that leads to nothing is written through all the same.
        if let Ok(to) = above.read_link()
            && links < LINKS_MAX
        {
            links += 1;
            above.pop();
            above.push(to);
            continue;
        }
        match above.components().next_back() {
            Some(Component::ParentDir) => missing.push("..".into()),
            Some(Component::Normal(name)) => missing.push(name.to_owned()),
            _ => {}
        }
        if !above.pop() {
            break PathBuf::from("/");
        }
    };
    // What does not exist is no link, so `..` can be resolved by name alone.
    let mut target = real;
    for part in missing.iter().rev() {
        if part == ".." {
            target.pop();
        } else {
            target.push(part);
        }
    }
    target
}

/// Puts edits together that are of one repository, to be judged at once: by the directory from
/// which that repository is found.
pub fn by_repository(edits: Vec<Edit>) -> Vec<(PathBuf, Vec<Edit>)> {
    let mut groups: Vec<(PathBuf, Vec<Edit>)> = Vec::new();
    for edit in edits {
        // Without one, it is git's to say where it belongs: a bare repository has none.
        let has_git = |dir: &&Path| dir.join(".git").symlink_metadata().is_ok();
        let root = edit.above.ancestors().find(has_git);
        let root = root.unwrap_or(&edit.above).to_owned();
        match groups.iter_mut().find(|(known, _)| *known == root) {
            Some((_, group)) => group.push(edit),
            None => groups.push((root, vec![edit])),
        }
    }
    groups
}

/// Returns the target's path in the repository; `None` if git does not track what is there.
pub fn path_in(repo: &Repo, edit: &Edit) -> Option<Vec<u8>> {
    let below = edit.target.strip_prefix(repo.work_dir()?).ok()?;
    let is_git = |part: Component| part.as_os_str().eq_ignore_ascii_case(".git");
    if below.as_os_str().is_empty() || below.components().any(is_git) {
        return None;
    }
    Some(below.as_os_str().as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str, cwd: &Path) -> Edits {
        edits(&Input::read(json.as_bytes()).unwrap(), cwd)
    }

    fn targets(json: &str, cwd: &Path) -> Vec<PathBuf> {
        let found = of(json, cwd);
        assert_eq!(found.unclear, Vec::<String>::new(), "{json}");
        found.edits.into_iter().map(|edit| edit.target).collect()
    }

    #[track_caller]
    fn unclear(json: &str) -> String {
        let found = of(json, Path::new("/nowhere"));
        assert_eq!(found.edits, [], "{json}");
        let [why] = found.unclear.as_slice() else {
            panic!("{json}: {:?}", found.unclear);
        };
        why.clone()
    }

    fn edit_of(path: &str) -> String {
        serde_json::json!({"tool_name": "Edit", "tool_input": {"file_path": path}}).to_string()
    }

    #[test]
    fn the_target_is_found_from_the_directory_given() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().canonicalize().unwrap();
        std::fs::create_dir(here.join("src")).unwrap();
        std::fs::write(here.join("src/a.rs"), "").unwrap();
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, here.join(name)).unwrap();
        link("src/a.rs", "link");
        link("src/new.rs", "dangling");
        link("round", "round");
        let target = |path: &str| targets(&edit_of(path), &here);
        assert_eq!(target("src/a.rs"), [here.join("src/a.rs")]);
        assert_eq!(target("link"), [here.join("src/a.rs")]);
        assert_eq!(target("dangling"), [here.join("src/new.rs")]);
        assert_eq!(target("round"), [here.join("round")]);
        assert_eq!(target("src/new/b.rs"), [here.join("src/new/b.rs")]);
        assert_eq!(target("src/new/../b.rs"), [here.join("src/b.rs")]);
        assert_eq!(target(here.join("x").to_str().unwrap()), [here.join("x")]);
        let notebook = r#"{"tool_input":{"notebook_path":"n.ipynb"}}"#;
        let found = of(notebook, &here.join("src"));
        assert_eq!(found.edits[0].target, here.join("src/n.ipynb"));
        assert_eq!(found.edits[0].above, here.join("src"));
        // A name with a backslash is a name, where there is such a file.
        std::fs::write(here.join(r"a\b"), "").unwrap();
        assert_eq!(target(r"a\b"), [here.join(r"a\b")]);
    }

    #[test]
    fn all_files_of_one_call_are_found_once() {
        let here = Path::new("/nowhere");
        let many = r#"{"tool_name":"MultiEdit","tool_input":{"edits":[{"path":"a"},{"path":"b"},{"path":"a"}]}}"#;
        assert_eq!(targets(many, here), [here.join("a"), here.join("b")]);
        let patch = "*** Begin Patch\n*** Update File: a\n*** Move to: b\n*** End Patch";
        for input in [
            serde_json::json!({"command": patch}),
            serde_json::json!({"input": patch}),
            serde_json::json!(patch),
        ] {
            let call = serde_json::json!({"tool_name": "apply_patch", "tool_input": input});
            assert_eq!(
                targets(&call.to_string(), here),
                [here.join("a"), here.join("b")]
            );
        }
        let shell = format!("cd sub && apply_patch <<'EOF'\n{patch}\nEOF");
        let call = serde_json::json!({"tool_name": "Bash", "tool_input": {"command": shell}});
        assert_eq!(
            targets(&call.to_string(), here),
            [here.join("sub/a"), here.join("sub/b")]
        );
        let moved =
            r#"{"tool_name":"mcp__fs__move_file","tool_input":{"source":"a","destination":"b"}}"#;
        assert_eq!(targets(moved, here), [here.join("b"), here.join("a")]);
    }

    #[test]
    fn what_edits_nothing_is_silent() {
        let here = Path::new("/nowhere");
        for (tool, input) in [
            ("Bash", r#"{"command":"rm -r src"}"#),
            ("Read", r#"{"file_path":"/a"}"#),
            ("view", r#"{"path":"/a"}"#),
            ("str_replace_editor", r#"{"command":"view","path":"/a"}"#),
            ("mcp__reflectt__claim", r#"{"paths":["src"]}"#),
            ("Task", r#"{"prompt":"edit src/a.rs"}"#),
            ("Patcher", r#"{"path":"/"}"#),
        ] {
            let call = format!(r#"{{"tool_name":"{tool}","tool_input":{input}}}"#);
            assert_eq!(of(&call, here), Edits::default(), "{tool}");
        }
        let unknown = r#"{"tool_name":"Patcher","tool_input":{"file_path":"/a"}}"#;
        assert_eq!(targets(unknown, here), [Path::new("/a")]);
    }

    #[test]
    fn an_edit_that_is_not_understood_is_said() {
        assert_eq!(unclear("{}"), "neither a tool nor a file is named");
        let named = |input: &str| format!(r#"{{"tool_name":"Edit","tool_input":{input}}}"#);
        for input in ["{}", r#"{"file_path":""}"#, r#"{"where":"a.rs"}"#, "null"] {
            let why = unclear(&named(input));
            assert_eq!(
                why, "`Edit` names no file in a way that is known",
                "{input}"
            );
        }
        assert_eq!(
            unclear(&named(r#"{"file_path":7}"#)),
            "the name of a file is a number"
        );
        assert_eq!(
            unclear(r#"{"tool_input":3}"#),
            "the input of the tool is a number"
        );
        for path in [
            r"C:\src\a.rs",
            "C:/src/a.rs",
            r"src\a.rs",
            r"\\host\share\a",
        ] {
            let why = unclear(&edit_of(path));
            assert!(
                why.ends_with("is a path of Windows, and no file here"),
                "{why}"
            );
        }
        assert_eq!(
            unclear(&edit_of("a\0b")),
            r"`a\0b` has a NUL in it, as no file"
        );
        assert_eq!(
            unclear(&edit_of("file:///a")),
            "`file:///a` is a URL, and no path"
        );
        let bytes = b"{\"tool_name\":\"Edit\",\"tool_input\":{\"file_path\":\"a\xff\"}}";
        let found = edits(&Input::read(bytes).unwrap(), Path::new("/"));
        assert_eq!(found.unclear, ["`a\u{fffd}` is not UTF-8"]);
    }

    #[test]
    fn edits_are_put_together_by_repository() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().canonicalize().unwrap();
        for path in ["one/.git", "one/src/deep", "two/.git", "three/.git"] {
            std::fs::create_dir_all(here.join(path)).unwrap();
        }
        let call = serde_json::json!({"tool_name": "Edit", "tool_input": {
            "files": ["one/a", "two/b", "one/src/deep/new/c", "three/d"],
        }});
        let found = of(&call.to_string(), &here).edits;
        let groups = by_repository(found).into_iter();
        let groups: Vec<_> = groups.map(|(root, edits)| (root, edits.len())).collect();
        let all = [("one", 2), ("two", 1), ("three", 1)];
        assert_eq!(groups, all.map(|(name, count)| (here.join(name), count)));
    }
}
