//! Pieces of GitHub-flavoured Markdown, and how text by others gets into them.

use std::fmt::Write as _;

use crate::model::time::Timestamp;

/// Rows of a section before the rest is only counted.
pub(super) const ROWS_MAX: usize = 20;
/// The longest text in a cell, in characters; the file that is linked has all of it.
const CELL_MAX: usize = 160;
/// Characters of a commit's name.
const COMMIT_LEN: usize = 10;

/// The text so far. Its cells must have been escaped.
#[derive(Default)]
pub(super) struct Page {
    pub text: String,
}

impl Page {
    pub fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub fn heading(&mut self, title: &str) {
        self.line("");
        self.line(&format!("## {title}"));
        self.line("");
    }

    /// Writes a table of tasks; nothing if it has no rows.
    pub fn table(&mut self, title: &str, more: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        let head: Vec<&str> = ["task", "", "title"].iter().chain(more).copied().collect();
        self.plain_table(title, &head, rows);
    }

    pub fn plain_table(
        &mut self,
        title: &str,
        head: &[&str],
        rows: impl Iterator<Item = Vec<String>>,
    ) {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return;
        }
        self.heading(title);
        self.line(&format!("| {} |", head.join(" | ")));
        self.line(&format!("|{}", " --- |".repeat(head.len())));
        for row in rows {
            self.line(&format!("| {} |", row.join(" | ")));
        }
    }

    /// Says how many rows were left out of the table before.
    pub fn more(&mut self, rows: usize) {
        if rows > ROWS_MAX {
            self.line("");
            self.line(&format!("and {} more", rows - ROWS_MAX));
        }
    }
}

/// Returns the beginning of a commit's name as code: bare, some forges make it a link.
pub(super) fn short_commit(commit: &str) -> String {
    let hex: String = commit
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(COMMIT_LEN)
        .collect();
    if hex.is_empty() {
        hex
    } else {
        format!("`{hex}`")
    }
}

/// Returns date and time to the minute; nothing if there is none or no calendar has it.
pub(super) fn time(at: Option<Timestamp>) -> String {
    at.and_then(|at| chrono::DateTime::from_timestamp_millis(at.0))
        .map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M").to_string())
}

/// Returns `text` as it is to be seen, in one line of plain text.
///
/// What has a meaning in Markdown is escaped with `\`. What has one in HTML or to a forge
/// (mentions, numbers of issues, formulas) becomes an entity, and so does the `|` between cells.
pub(super) fn cell(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    let mut before = ' ';
    for (count, (index, c)) in words.char_indices().enumerate() {
        if count == CELL_MAX {
            out.push('…');
            break;
        }
        let after = &words[index + c.len_utf8()..];
        match c {
            '\\' | '`' | '*' | '~' | '[' | ']' => out.extend(['\\', c]),
            '_' if before.is_alphanumeric() && after.starts_with(char::is_alphanumeric) => {
                out.push(c);
            }
            '_' => out.push_str("\\_"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' | '@' | '#' | '$' | '|' => entity(&mut out, c),
            '!' if after.starts_with(|c: char| c.is_ascii_digit()) => entity(&mut out, c),
            // `https://…` and `www.…` are links without any mark-up.
            ':' if after.starts_with("//") => entity(&mut out, c),
            '.' if words[..index].to_ascii_lowercase().ends_with("www") => entity(&mut out, c),
            c if c.is_control() || is_deceptive(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
        before = c;
    }
    out
}

fn entity(out: &mut String, c: char) {
    write!(out, "&#{};", u32::from(c)).expect("writing to a string does not fail");
}

/// Whether `c` changes the direction of text or hides in it.
fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// Returns a path as the target of a link, with all but plain characters percent-encoded.
pub(super) fn target(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                out.push(char::from(byte));
            }
            _ => write!(out, "%{byte:02X}").expect("writing to a string does not fail"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_agents_write_stays_text() {
        for (written, shown) in [
            ("plain words, (really): yes!", "plain words, (really): yes!"),
            ("a | b\r\n| c", "a &#124; b &#124; c"),
            ("<img src=x>", "&lt;img src=x&gt;"),
            ("&lt;b&gt;", "&#38;lt;b&#38;gt;"),
            ("`code` *bold* ~gone~", "\\`code\\` \\*bold\\* \\~gone\\~"),
            ("snake_case _em_", "snake_case \\_em\\_"),
            (
                "[x](https://evil.example)",
                "\\[x\\](https&#58;//evil.example)",
            ),
            ("www.evil.example", "www&#46;evil.example"),
            ("@kai fixes #12 and !7", "&#64;kai fixes &#35;12 and &#33;7"),
            ("back\\|slash", "back\\\\&#124;slash"),
            ("\u{1b}[31mred\u{202e}", "\u{fffd}\\[31mred\u{fffd}"),
        ] {
            assert_eq!(cell(written), shown, "{written:?}");
        }
        assert_eq!(cell(&"é".repeat(500)).chars().count(), CELL_MAX + 1);
        assert_eq!(target("tasks/a b).toml"), "tasks/a%20b%29.toml");
        assert_eq!(time(Some(Timestamp(i64::MAX))), "");
    }
}
