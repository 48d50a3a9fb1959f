//! The marked block in a hook file: putting it in, finding it, taking it out. Text in, text out.

use std::path::PathBuf;

use super::HookName;

const BEGIN: &[u8] = b"# >>> reflectt >>>";
const END: &[u8] = b"# <<< reflectt <<<\n";

/// The first line of files that we make.
const SHEBANG: &[u8] = b"#!/bin/sh\n";

/// How the file that a block is in came to be. It is written in the block's first line, so that
/// taking it out needs no memory of putting it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// We made the file.
    Made,
    /// It is somebody's shell script.
    Added,
    /// Likewise, of one line that had no end.
    AddedAfterOpenLine,
    /// We made the file; it runs the one at this path, which was here before.
    Wraps(String),
    /// We made the file; the one at this path was here before, but git did not run it.
    SetAside(String),
}

impl Kind {
    fn mark(&self) -> String {
        match self {
            Kind::Made => "made".to_owned(),
            Kind::Added => "added".to_owned(),
            Kind::AddedAfterOpenLine => "added after an open line".to_owned(),
            Kind::Wraps(path) => format!("wraps {path}"),
            Kind::SetAside(path) => format!("set aside {path}"),
        }
    }

    fn parse(mark: &str) -> Option<Kind> {
        Some(match mark {
            "made" => Kind::Made,
            "added" => Kind::Added,
            "added after an open line" => Kind::AddedAfterOpenLine,
            _ => match mark.strip_prefix("wraps ") {
                Some(path) => Kind::Wraps(path.to_owned()),
                None => Kind::SetAside(mark.strip_prefix("set aside ")?.to_owned()),
            },
        })
    }

    /// Returns the path of the file that was here before, relative to the directory.
    pub fn original(&self) -> Option<&str> {
        match self {
            Kind::Wraps(path) | Kind::SetAside(path) => Some(path),
            _ => None,
        }
    }
}

/// A hook file with a block of ours in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'t> {
    pub kind: Kind,
    before: &'t [u8],
    /// The block, with its marks.
    pub block: &'t [u8],
    after: &'t [u8],
}

/// A block without an end, or with a mark that is not ours.
#[derive(Debug, PartialEq, Eq)]
pub struct Damaged;

/// Finds the block in a file.
pub fn find(text: &[u8]) -> Result<Option<Found<'_>>, Damaged> {
    let Some(start) = line_with(text, BEGIN) else {
        return Ok(None);
    };
    let end = line_with(&text[start..], END).ok_or(Damaged)? + start + END.len();
    let block = &text[start..end];
    let first = block.split(|byte| *byte == b'\n').next().unwrap_or(block);
    let first = String::from_utf8_lossy(first);
    let mark = first
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    let kind = mark.and_then(|(mark, _)| Kind::parse(mark));
    Ok(Some(Found {
        kind: kind.ok_or(Damaged)?,
        before: &text[..start],
        block,
        after: &text[end..],
    }))
}

/// Returns where a line starts with `word`.
fn line_with(text: &[u8], word: &[u8]) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(word) {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// What `git lfs install` would put in the place of our own `pre-push`: it gives up where another
/// hook is, and without it a push leaves behind what it stores outside of commits.
const LFS: &str = r#"if [ -d "$(git rev-parse --git-common-dir)/lfs" ]; then
    if command -v git-lfs >/dev/null; then
        printf %s "$reflectt_input" | git lfs pre-push "$@" || exit
    else
        echo "reflectt: warning: git-lfs is not installed; its files are not pushed" >&2
    fi
fi
"#;

/// Returns the block for a hook that calls `program`, a path, or whatever is on the PATH if that is
/// empty.
fn render(name: HookName, program: &str, kind: &Kind) -> Vec<u8> {
    let stub = match name {
        HookName::PreCommit => include_str!("../../hooks/pre-commit.sh"),
        HookName::PreMergeCommit => include_str!("../../hooks/pre-merge-commit.sh"),
        HookName::CommitMsg => include_str!("../../hooks/commit-msg.sh"),
        HookName::PrePush => include_str!("../../hooks/pre-push.sh"),
    };
    let lfs = match kind {
        Kind::Made => LFS,
        _ => "",
    };
    stub.replace("@KIND@", &kind.mark())
        .replace("@LFS@\n", lfs)
        .replace("@REFLECTT@", &quoted(program))
        .into_bytes()
}

/// Quotes a word for a shell.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Returns a file of our own.
pub fn file(name: HookName, program: &str, kind: &Kind) -> Vec<u8> {
    let mut text = SHEBANG.to_vec();
    text.extend(render(name, program, kind));
    if let Kind::Wraps(path) = kind {
        text.extend(run_original(path).into_bytes());
    }
    text
}

fn run_original(path: &str) -> String {
    format!("exec \"$(dirname \"$0\")\"/{} \"$@\"\n", quoted(path))
}

/// Puts the block below the first line of a shell script, where nothing can end the script first;
/// above it, where it does not name a shell, as in the files of husky.
pub fn insert(text: &[u8], name: HookName, program: &str) -> Vec<u8> {
    if !text.starts_with(b"#!") {
        return [&render(name, program, &Kind::Added), text].concat();
    }
    let end = text.iter().position(|byte| *byte == b'\n');
    let (kind, first, rest) = match end {
        Some(end) => (Kind::Added, &text[..=end], &text[end + 1..]),
        None => (Kind::AddedAfterOpenLine, text, &[][..]),
    };
    let mut out = first.to_vec();
    if end.is_none() {
        out.push(b'\n');
    }
    out.extend(render(name, program, &kind));
    out.extend(rest);
    out
}

impl Found<'_> {
    /// Returns the file with the block as it is written today.
    pub fn updated(&self, name: HookName, program: &str) -> Vec<u8> {
        [self.before, &render(name, program, &self.kind), self.after].concat()
    }

    /// Returns the file without the block; `None` if nothing but ours is left.
    pub fn removed(&self) -> Option<Vec<u8>> {
        let mut before = self.before;
        if self.kind == Kind::AddedAfterOpenLine {
            before = before.strip_suffix(b"\n").unwrap_or(before);
        }
        let mut after = self.after;
        if let Kind::Wraps(path) = &self.kind {
            after = after
                .strip_prefix(run_original(path).as_bytes())
                .unwrap_or(after);
        }
        let ours = !matches!(self.kind, Kind::Added | Kind::AddedAfterOpenLine);
        if ours && before == SHEBANG && after.is_empty() {
            return None;
        }
        Some([before, after].concat())
    }

    /// Whether nothing stands before the block that could do anything.
    pub fn comes_first(&self) -> bool {
        let is_idle = |line: &[u8]| line.trim_ascii().is_empty() || line.starts_with(b"#");
        self.before.split(|byte| *byte == b'\n').all(is_idle)
    }

    /// Returns the program that the block calls; `None` if it takes the one on the PATH.
    pub fn program(&self) -> Option<PathBuf> {
        let text = String::from_utf8_lossy(self.block);
        let quoted = |line: &str| {
            let quoted = line.strip_prefix("reflectt='")?.strip_suffix('\'')?;
            Some(PathBuf::from(quoted.replace(r"'\''", "'")))
        };
        let program = text.lines().find_map(quoted);
        program.filter(|program| !program.as_os_str().is_empty())
    }

    /// Whether something before the block may end the script, so that it is never reached.
    pub fn may_be_skipped(&self) -> bool {
        self.before
            .split(|byte| *byte == b'\n')
            .any(|line| line.starts_with(b"exit") || line.starts_with(b"exec "))
    }
}

/// Tells whether a block can be put into this file: a script of a shell that knows the words of
/// `sh`, and that is not another language's in disguise.
pub fn is_shell_script(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n');
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let Some(command) = first.strip_prefix("#!") else {
        return false;
    };
    // A carriage return is part of the word here, as it is for the system.
    let mut words = command.split([' ', '\t']).filter(|word| !word.is_empty());
    let base = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let mut program = words.next().map(base).unwrap_or_default();
    if program == "env" {
        let named = words.find(|word| !word.starts_with('-') && !word.contains('='));
        program = named.map(base).unwrap_or_default();
    }
    let shells = ["sh", "bash", "dash", "ash", "ksh", "ksh93", "mksh", "zsh"];
    // `exec python3 "$0"` hands the whole file to another program, which would see our lines.
    let disguised = lines.take(10).any(|line| {
        let line = String::from_utf8_lossy(line);
        line.contains("exec") && line.contains("$0") && !line.contains("dirname")
    });
    shells.contains(&program.as_str()) && !disguised && !text.contains(&0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PROGRAM: &str = "/opt/it's here/reflectt";

    #[test]
    fn our_own_file_goes_away_as_a_whole() {
        for kind in [
            Kind::Made,
            Kind::Wraps("pre-push.before-reflectt".to_owned()),
            Kind::SetAside("x".to_owned()),
        ] {
            let file = file(HookName::PrePush, PROGRAM, &kind);
            let found = find(&file).unwrap().unwrap();
            assert_eq!(found.kind, kind);
            assert_eq!(found.removed(), None);
            let text = String::from_utf8(file.clone()).unwrap();
            assert!(
                text.contains(r"reflectt='/opt/it'\''s here/reflectt'"),
                "{text}"
            );
            assert_eq!(found.updated(HookName::PrePush, PROGRAM), file);
        }
    }

    #[test]
    fn what_others_added_to_our_file_stays() {
        let mut text = file(HookName::PreCommit, PROGRAM, &Kind::Made);
        text.extend(b"make lint\n");
        let left = find(&text).unwrap().unwrap().removed().unwrap();
        assert_eq!(left, b"#!/bin/sh\nmake lint\n");
    }

    #[test]
    fn damage_is_noticed() {
        assert_eq!(find(b"#!/bin/sh\necho reflectt\n"), Ok(None));
        assert_eq!(find(b"# >>> reflectt >>> [made]\n"), Err(Damaged));
        let text = b"# >>> reflectt >>> what\n# <<< reflectt <<<\n";
        assert_eq!(find(text), Err(Damaged));
    }

    #[test]
    fn shell_scripts_are_told_from_others() {
        for yes in [
            "#!/bin/sh\n",
            "#!/bin/sh",
            "#! /usr/bin/env bash\nx",
            "#!/usr/bin/env -S bash -e\n",
            "#!/bin/dash -eu\n",
            "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/_/husky.sh\"\n",
        ] {
            assert!(is_shell_script(yes.as_bytes()), "{yes}");
        }
        for no in [
            "",
            "echo\n",
            "#!/usr/bin/python3\n",
            "#!/bin/sh\r\n",
            "#!/usr/bin/env fish\n",
            "#!/bin/sh\n'''exec' python3 \"$0\" \"$@\"\n' '''\n",
            "#!/bin/sh\n\0",
            "\x7fELF",
        ] {
            assert!(!is_shell_script(no.as_bytes()), "{no}");
        }
    }

    proptest! {
        /// Putting the block in and taking it out gives the same bytes, whatever they are.
        #[test]
        fn taking_out_undoes_putting_in(
            rest in prop::collection::vec(any::<u8>(), 0..200),
            newline in any::<bool>(),
            first in prop::sample::select(vec![&b"#!/bin/bash -e"[..], b"npm test", b""]),
        ) {
            let mut text = first.to_vec();
            if newline {
                text.push(b'\n');
                text.extend(&rest);
            }
            let with = insert(&text, HookName::CommitMsg, PROGRAM);
            let found = find(&with).unwrap().unwrap();
            prop_assert!(!found.may_be_skipped());
            prop_assert_eq!(found.removed().unwrap(), text);
            prop_assert_eq!(found.updated(HookName::CommitMsg, PROGRAM), with);
        }
    }
}
