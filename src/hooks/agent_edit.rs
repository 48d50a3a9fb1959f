//! The edit-time hook of coding agents: an edit of a claimed file is denied before it happens.
//!
//! The format is Claude Code's `PreToolUse` hook
//! (<https://docs.claude.com/en/docs/claude-code/hooks>): JSON on standard input, and an answer in
//! JSON only to deny or to warn. No answer leaves the tool to the user's own permissions; `allow`
//! would take them away.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::git::Repo;
use crate::ops::Context;
use crate::ops::enforce::{acting, check_paths};

use super::{Asked, Outcome, conclude};

/// Tools that only look, as the harnesses name them: they name a file, too.
const READING: [&str; 9] = [
    "Read",
    "NotebookRead",
    "Glob",
    "Grep",
    "LS",
    "View",
    "read_file",
    "read_many_files",
    "list_directory",
];

#[derive(Deserialize)]
struct Input {
    #[serde(default)]
    tool_name: String,
    #[serde(default)]
    tool_input: ToolInput,
    cwd: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ToolInput {
    file_path: Option<PathBuf>,
    notebook_path: Option<PathBuf>,
}

/// An edit that is about to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file, absolute, with links resolved as far as it exists.
    pub target: PathBuf,
    /// The deepest directory above it that exists.
    pub above: PathBuf,
    /// Where the agent works, which tells who it is.
    pub cwd: PathBuf,
}

/// Reads what a tool is about to edit; `None` if it edits no file.
///
/// # Errors
///
/// Says what is wrong with the input.
pub fn read(input: &[u8], here: &Path) -> Result<Option<Edit>, String> {
    let input: Input = serde_json::from_slice(input)
        .map_err(|error| format!("the input of the hook is not understood: {error}"))?;
    // A tool that is not known may edit.
    let only_looks = |tool: &&str| tool.eq_ignore_ascii_case(&input.tool_name);
    if READING.iter().any(only_looks) {
        return Ok(None);
    }
    let named = input.tool_input.file_path;
    let Some(path) = named.or(input.tool_input.notebook_path) else {
        return Ok(None);
    };
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let cwd = here.join(input.cwd.unwrap_or_default());
    let target = resolve(&cwd.join(path));
    let above = target.ancestors().skip(1).find(|above| above.is_dir());
    Ok(Some(Edit {
        above: above.unwrap_or(Path::new("/")).to_owned(),
        target,
        cwd,
    }))
}

/// Returns the path with all links in it resolved that exist: an edit changes what they point to.
fn resolve(path: &Path) -> PathBuf {
    let mut missing: Vec<OsString> = Vec::new();
    let mut above = path.to_owned();
    let real = loop {
        if let Ok(real) = above.canonicalize() {
            break real;
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

/// Judges an edit in the repository its target is in.
pub fn check_edit(ctx: &Context, edit: &Edit, asked: &Asked) -> Outcome {
    let Some(path) = path_in(ctx.repo(), edit) else {
        return Outcome::NotManaged;
    };
    conclude(
        ctx,
        asked,
        check_paths(ctx, &acting(ctx), || Ok(vec![path])),
    )
}

/// Returns the target's path in the repository; `None` if git does not track what is there.
fn path_in(repo: &Repo, edit: &Edit) -> Option<Vec<u8>> {
    let below = edit.target.strip_prefix(repo.work_dir()?).ok()?;
    let is_git = |part: Component| part.as_os_str().eq_ignore_ascii_case(".git");
    if below.as_os_str().is_empty() || below.components().any(is_git) {
        return None;
    }
    Some(std::os::unix::ffi::OsStrExt::as_bytes(below.as_os_str()).to_vec())
}

/// The answer to Claude Code.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    hook_specific_output: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_message: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Decision {
    hook_event_name: &'static str,
    permission_decision: &'static str,
    permission_decision_reason: String,
}

impl Answer {
    /// Returns the answer that stops the tool; the agent reads the reason.
    pub fn deny(reason: String) -> Answer {
        Answer {
            hook_specific_output: Some(Decision {
                hook_event_name: "PreToolUse",
                permission_decision: "deny",
                permission_decision_reason: reason,
            }),
            system_message: None,
        }
    }

    /// Returns the answer that lets the tool go on, with words for the user.
    pub fn warn(text: String) -> Answer {
        Answer {
            hook_specific_output: None,
            system_message: Some(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(json: &str, here: &Path) -> Option<Edit> {
        read(json.as_bytes(), here).unwrap()
    }

    #[test]
    fn the_target_is_found_from_the_directory_given() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().canonicalize().unwrap();
        std::fs::create_dir(here.join("src")).unwrap();
        std::fs::write(here.join("src/a.rs"), "").unwrap();
        std::os::unix::fs::symlink("src/a.rs", here.join("link")).unwrap();
        let target = |json: &str| edit(json, &here).unwrap().target;
        let of =
            |path: &str| format!(r#"{{"tool_name":"Edit","tool_input":{{"file_path":"{path}"}}}}"#);
        assert_eq!(target(&of("src/a.rs")), here.join("src/a.rs"));
        assert_eq!(target(&of("link")), here.join("src/a.rs"));
        assert_eq!(target(&of("src/new/b.rs")), here.join("src/new/b.rs"));
        assert_eq!(target(&of("src/new/../b.rs")), here.join("src/b.rs"));
        let absolute = of(&here.join("x").to_string_lossy());
        assert_eq!(target(&absolute), here.join("x"));
        let sub = r#"{"cwd":"src","tool_input":{"notebook_path":"n.ipynb"}}"#;
        let notebook = edit(sub, &here).unwrap();
        assert_eq!(notebook.target, here.join("src/n.ipynb"));
        assert_eq!(notebook.above, here.join("src"));
    }

    #[test]
    fn other_tools_and_other_input() {
        let here = Path::new("/");
        assert_eq!(
            edit(
                r#"{"tool_name":"Bash","tool_input":{"command":"ls"}}"#,
                here
            ),
            None
        );
        assert_eq!(edit(r#"{"tool_input":{"file_path":""}}"#, here), None);
        assert_eq!(edit("{}", here), None);
        for tool in READING {
            let looks = format!(r#"{{"tool_name":"{tool}","tool_input":{{"file_path":"/a"}}}}"#);
            assert_eq!(edit(&looks, here), None, "{tool}");
        }
        let unknown = r#"{"tool_name":"Patch","tool_input":{"file_path":"/a"}}"#;
        assert!(edit(unknown, here).is_some());
        for bad in ["", "[]", "{", r#"{"tool_input":{"file_path":7}}"#, "\u{0}"] {
            assert!(read(bad.as_bytes(), here).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_answer_is_in_the_format_of_the_tool() {
        let json = serde_json::to_string(&Answer::deny("because".to_owned())).unwrap();
        assert_eq!(
            json,
            r#"{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"because"}}"#
        );
        let json = serde_json::to_string(&Answer::warn("w".to_owned())).unwrap();
        assert_eq!(json, r#"{"systemMessage":"w"}"#);
    }
}
