//! What a tool is given: the files it names, and the texts that may be patches.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::input::{Key, plain};

/// What was found in the input of a tool.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ToolInput {
    /// Under keys that name a file, at any place: edits may be a list, each with its own.
    pub paths: Vec<String>,
    /// Under `source`, which only some tools mean as a file.
    pub sources: Vec<String>,
    /// Commands and patches.
    pub texts: Vec<String>,
    /// Keys that should name a file, or a command, and hold something else.
    pub odd: Vec<String>,
}

/// Keys that name a file, in [`plain`] spelling.
const PATHS: [&str; 11] = [
    "filepath",
    "notebookpath",
    "path",
    "targetfile",
    "targetnotebook",
    "file",
    "filename",
    "absolutepath",
    "relativepath",
    "newpath",
    "destination",
];

/// Keys of lists of files, or of objects that have them.
const LISTS: [&str; 4] = ["paths", "files", "filepaths", "targetfiles"];

/// Keys of commands and patches.
const TEXTS: [&str; 6] = ["command", "cmd", "input", "patch", "patchtext", "script"];

/// Keys of what is written into files, which may be large and is nobody's business here.
const BULK: [&str; 11] = [
    "content",
    "contents",
    "filetext",
    "newstring",
    "oldstring",
    "newstr",
    "oldstr",
    "newsource",
    "codeedit",
    "newtext",
    "oldtext",
];

/// How deep files are looked for; no harness nests them deeper than three.
const DEPTH: u8 = 8;

impl<'de> Deserialize<'de> for ToolInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ToolInput, D::Error> {
        let mut found = ToolInput::default();
        let whole = Collect {
            into: &mut found,
            kind: Kind::Whole,
            depth: 0,
        };
        whole.deserialize(deserializer)?;
        Ok(found)
    }
}

/// What a value is expected to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The whole input: an object, the text of one, or a patch.
    Whole,
    Path,
    Source,
    Text,
    /// A map from paths to what happens to them.
    ByPath,
    Other,
}

struct Collect<'a> {
    into: &'a mut ToolInput,
    kind: Kind,
    depth: u8,
}

impl Collect<'_> {
    fn text(self, text: &str) {
        match self.kind {
            Kind::Whole => self.whole(text),
            Kind::Path => self.into.paths.push(text.to_owned()),
            Kind::Source => self.into.sources.push(text.to_owned()),
            Kind::Text => self.into.texts.push(text.to_owned()),
            Kind::ByPath | Kind::Other => {}
        }
    }

    /// Some harnesses give an object as the text of one, and some a bare patch.
    fn whole(self, text: &str) {
        let inner = match text.trim_start().starts_with('{') {
            true => serde_json::from_str::<ToolInput>(text).ok(),
            false => None,
        };
        match inner {
            Some(inner) => *self.into = inner,
            None => self.into.texts.push(text.to_owned()),
        }
    }

    fn odd(self, what: &str) {
        let name = match self.kind {
            Kind::Whole => "the input of the tool",
            Kind::Path => "the name of a file",
            Kind::Source | Kind::Text | Kind::ByPath | Kind::Other => return,
        };
        self.into.odd.push(format!("{name} is {what}"));
    }

    fn below(&mut self, kind: Kind) -> Collect<'_> {
        Collect {
            into: self.into,
            kind,
            depth: self.depth + 1,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Collect<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth > DEPTH {
            // Without recursion, however deep it goes.
            return deserializer.deserialize_ignored_any(IgnoredAny).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Collect<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.text(text);
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.odd("a truth value");
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.odd("a number");
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.odd("a number");
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.odd("a number");
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key::<Key>()? {
            if self.kind == Kind::ByPath {
                self.into.paths.push(key.into_owned());
                map.next_value_seed(self.below(Kind::Other))?;
                continue;
            }
            let key = plain(&key);
            match kind_of(&key) {
                Some(kind) => map.next_value_seed(self.below(kind))?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let kind = match self.kind {
            // A list of objects, or a command word by word.
            Kind::Whole | Kind::ByPath => Kind::Other,
            kind => kind,
        };
        while list.next_element_seed(self.below(kind))?.is_some() {}
        Ok(())
    }
}

/// Returns what the value of a key is; `None` if it is not to be looked at.
fn kind_of(key: &str) -> Option<Kind> {
    let is_in = |keys: &[&str]| keys.contains(&key);
    Some(if is_in(&PATHS) || is_in(&LISTS) {
        Kind::Path
    } else if is_in(&TEXTS) {
        Kind::Text
    } else if key == "source" {
        Kind::Source
    } else if key == "changes" {
        Kind::ByPath
    } else if is_in(&BULK) {
        return None;
    } else {
        Kind::Other
    })
}

/// What kind of tool it is, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Our own, which names files to claim and changes none.
    Ours,
    /// It looks and changes nothing.
    Reading,
    Shell,
    Editing,
    /// It may change files.
    Unknown,
}

/// Tools that change files, in [`plain`] spelling.
const EDITING: [&str; 30] = [
    "applydiff",
    "applypatch",
    "create",
    "createfile",
    "delete",
    "deletefile",
    "edit",
    "editfile",
    "editfiles",
    "editnotebook",
    "editnotebookfile",
    "insert",
    "inserteditintofile",
    "movefile",
    "multiedit",
    "multistrreplace",
    "notebookedit",
    "patch",
    "renamefile",
    "replace",
    "replacestringinfile",
    "searchreplace",
    "strreplace",
    "strreplacebasededittool",
    "strreplaceeditor",
    "textedit",
    "write",
    "writefile",
    "writetofile",
    "writenotebook",
];

/// Tools that run a command.
const SHELLS: [&str; 14] = [
    "bash",
    "exec",
    "execcommand",
    "executecommand",
    "localshell",
    "powershell",
    "runcommand",
    "runinterminal",
    "runshellcommand",
    "runterminalcmd",
    "shell",
    "shellcommand",
    "terminal",
    "unifiedexec",
];

/// With what the names of tools begin that only look.
const LOOKING: [&str; 20] = [
    "cat",
    "codebase",
    "fetch",
    "file_search",
    "find",
    "get",
    "glob",
    "grep",
    "list",
    "ls",
    "notebook_read",
    "read",
    "search",
    "semantic",
    "show",
    "stat",
    "tree",
    "view",
    "web",
    "lsp",
];

impl Tool {
    pub fn of(name: &str) -> Tool {
        let ours = ["mcp__reflectt__", "mcp_reflectt_", "reflectt-", "reflectt_"];
        if ours.iter().any(|prefix| name.starts_with(prefix)) {
            return Tool::Ours;
        }
        // `mcp__filesystem__read_file` is what it is by its last part.
        let name = name.rsplit("__").next().unwrap_or(name);
        let plain = plain(name);
        let is_in = |names: &[&str]| names.contains(&plain.as_str());
        if is_in(&EDITING) {
            Tool::Editing
        } else if is_in(&SHELLS) {
            Tool::Shell
        } else if begins_with_word(name, &LOOKING) {
            Tool::Reading
        } else {
            Tool::Unknown
        }
    }

    /// Tells whether a tool moves what it is given: then `source` is a file, too.
    pub fn moves(name: &str) -> bool {
        begins_with_word(
            name.rsplit("__").next().unwrap_or(name),
            &["move", "rename"],
        )
    }
}

/// Tells whether a name begins with one of these words: `read_file` and `ReadFile` with `read`, and
/// not `readme`.
fn begins_with_word(name: &str, words: &[&str]) -> bool {
    let mut snake = String::new();
    let mut last = ' ';
    for c in name.chars().take(64) {
        if c.is_ascii_uppercase() && last.is_ascii_lowercase() {
            snake.push('_');
        }
        snake.push(if c == '-' {
            '_'
        } else {
            c.to_ascii_lowercase()
        });
        last = c;
    }
    let after = |word: &&str| snake.strip_prefix(*word);
    words
        .iter()
        .filter_map(after)
        .any(|rest| rest.is_empty() || rest.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> ToolInput {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn files_are_found_under_every_key_and_in_lists() {
        for key in [
            "file_path",
            "notebook_path",
            "path",
            "filePath",
            "target_file",
        ] {
            assert_eq!(read(&format!(r#"{{"{key}":"a"}}"#)).paths, ["a"], "{key}");
        }
        let edits = r#"{"edits":[{"file_path":"a","old_string":"path"},{"filePath":"b"}],"content":{"path":"no"}}"#;
        assert_eq!(read(edits).paths, ["a", "b"]);
        assert_eq!(read(r#"{"files":["a",{"path":"b"}]}"#).paths, ["a", "b"]);
        assert_eq!(
            read(r#"{"changes":{"a":{"add":{"path":"x"}},"b":1}}"#).paths,
            ["a", "x", "b"]
        );
        assert_eq!(read(r#"{"path":"a","path":"b"}"#).paths, ["a", "b"]);
    }

    #[test]
    fn texts_are_bare_or_under_a_key_or_word_by_word() {
        for json in [
            r#""p q""#,
            r#"{"command":"p q"}"#,
            r#"{"input":"p q"}"#,
            r#"{"patchText":"p q"}"#,
            r#""{\"patch\":\"p q\"}""#,
        ] {
            assert_eq!(read(json).texts, ["p q"], "{json}");
        }
        assert_eq!(
            read(r#"{"command":["sh","-c","p"]}"#).texts,
            ["sh", "-c", "p"]
        );
        assert_eq!(read(r#""{not json""#).texts, ["{not json"]);
    }

    #[test]
    fn what_is_no_name_is_odd() {
        assert_eq!(
            read(r#"{"file_path":7}"#).odd,
            ["the name of a file is a number"]
        );
        assert_eq!(read("3").odd, ["the input of the tool is a number"]);
        assert_eq!(read(r#"{"limit":7,"path":null}"#), ToolInput::default());
    }

    #[test]
    fn tools_are_told_by_their_names() {
        let is = |name: &str, tool: Tool| assert_eq!(Tool::of(name), tool, "{name}");
        for name in [
            "Edit",
            "Write",
            "MultiEdit",
            "NotebookEdit",
            "apply_patch",
            "write_file",
        ] {
            is(name, Tool::Editing);
        }
        for name in [
            "replace",
            "create",
            "str_replace_editor",
            "mcp__fs__write_file",
            "Delete",
        ] {
            is(name, Tool::Editing);
        }
        for name in [
            "Bash",
            "shell",
            "run_shell_command",
            "exec_command",
            "local_shell",
        ] {
            is(name, Tool::Shell);
        }
        for name in [
            "Read",
            "NotebookRead",
            "Glob",
            "Grep",
            "LS",
            "View",
            "read_file",
            "view",
        ] {
            is(name, Tool::Reading);
        }
        for name in [
            "read_many_files",
            "list_directory",
            "mcp__fs__read_file",
            "WebFetch",
        ] {
            is(name, Tool::Reading);
        }
        for name in [
            "mcp__reflectt__claim",
            "mcp_reflectt_claim",
            "reflectt-claim",
        ] {
            is(name, Tool::Ours);
        }
        for name in ["", "Patcher", "readme_writer", "generate_image", "catalog"] {
            is(name, Tool::Unknown);
        }
        assert!(Tool::moves("mcp__fs__move_file") && !Tool::moves("remove"));
    }
}
