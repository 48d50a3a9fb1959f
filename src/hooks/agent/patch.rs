//! The files of a patch in the format of Codex's `apply_patch`.
//!
//! ```text
//! *** Begin Patch
//! *** Update File: src/a.rs
//! *** Move to: src/b.rs
//! @@
//! -old
//! +new
//! *** End Patch
//! ```
//!
//! Lines of a file's text begin with a blank, `+` or `-`, so a line that begins with `***` never is
//! one.

const BEGIN: &str = "*** Begin Patch";

const HEADS: [&str; 4] = [
    "*** Add File: ",
    "*** Update File: ",
    "*** Delete File: ",
    "*** Move to: ",
];

/// Returns the files that a patch adds, changes, deletes or moves, by both names.
pub fn files(patch: &str) -> impl Iterator<Item = &str> {
    // A heredoc may be indented with tabs, which the shell takes away.
    let lines = patch.lines().map(|line| line.trim_start_matches('\t'));
    lines.filter_map(|line| {
        let name = HEADS.iter().find_map(|head| line.strip_prefix(head))?;
        Some(name.trim())
    })
}

/// A patch in the command of a shell: `cd DIR && apply_patch <<'EOF'`.
#[derive(Debug, PartialEq, Eq)]
pub struct InShell<'c> {
    /// Where it is applied, from where the shell is.
    pub dir: Option<&'c str>,
    pub files: Vec<&'c str>,
}

/// Returns the patch that a command of a shell applies, if it does.
///
/// A command that only writes of patches, as a heredoc of a manual may, has no `apply_patch` before
/// the beginning of one.
pub fn in_shell(command: &str) -> Option<InShell<'_>> {
    let begin = command.find(BEGIN)?;
    let (before, patch) = command.split_at(begin);
    let at = ["apply_patch", "applypatch"]
        .iter()
        .find_map(|name| before.find(name))?;
    Some(InShell {
        dir: directory(&before[..at]),
        files: files(patch).collect(),
    })
}

/// Returns the directory of `cd DIR &&`, if nothing else stands there.
fn directory(before: &str) -> Option<&str> {
    let steps = before
        .trim_end()
        .strip_suffix("&&")
        .or_else(|| before.trim_end().strip_suffix(';'))?;
    let dir = steps.trim().strip_prefix("cd ")?.trim();
    let quoted = |quote: char| dir.strip_prefix(quote)?.strip_suffix(quote);
    let dir = quoted('\'').or_else(|| quoted('"')).unwrap_or(dir);
    let plain = |c: char| !"'\"$`;&|*?~\\".contains(c);
    (!dir.is_empty() && dir.chars().all(plain)).then_some(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "*** Begin Patch\n*** Update File: src/a b.rs\n*** Move to: src/c.rs\n@@\n- *** Add File: no\n+*** Add File: no\n *** Add File: no\n*** Add File: new.rs\r\n+x\n*** Delete File: old.rs\n*** End Patch";

    #[test]
    fn all_files_of_a_patch_are_found() {
        let found: Vec<&str> = files(PATCH).collect();
        assert_eq!(found, ["src/a b.rs", "src/c.rs", "new.rs", "old.rs"]);
        assert_eq!(files("*** Add File:\n*** Begin Patch\nx").count(), 0);
    }

    #[test]
    fn a_command_that_applies_a_patch_is_told_from_one_that_writes_of_it() {
        let found = in_shell(&format!("cd sub && apply_patch <<'EOF'\n{PATCH}\nEOF\n"))
            .map(|found| (found.dir.map(str::to_owned), found.files.len()));
        assert_eq!(found, Some((Some("sub".to_owned()), 4)));
        let plain = format!(
            "apply_patch <<-EOF\n\t{}\n\tEOF",
            PATCH.replace('\n', "\n\t")
        );
        let found = in_shell(&plain).unwrap();
        assert_eq!((found.dir, found.files.len()), (None, 4));
        assert_eq!(
            in_shell(&format!("cat > manual.md <<EOF\n{PATCH}\nEOF")),
            None
        );
        assert_eq!(in_shell("apply_patch --help"), None);
    }

    #[test]
    fn only_a_plain_change_of_directory_is_followed() {
        assert_eq!(directory("cd 'a b' && "), Some("a b"));
        assert_eq!(directory("cd /x;"), Some("/x"));
        for other in ["", "cd $DIR && ", "make && ", "cd a && make && "] {
            assert_eq!(directory(other), None, "{other}");
        }
    }
}
