//! Lines of ours behind what a text file has: put there so that taking them out leaves it byte for
//! byte as it was.
//!
//! Where the text ended with a newline, a blank line comes before ours and a newline behind; where
//! it did not, ours begins on a new line and ends without one. So a block without a newline behind
//! it at the start of a file was put into an empty one, and one with a newline made its file.

use std::ops::Range;

use super::json::{Position, position};
use super::value::newline_of;

/// Returns a text with a block behind it. `None` is a file that is not there.
pub fn append(text: Option<&str>, block: &str) -> String {
    let newline = match text {
        // Or what is before ours would end with a newline that is half theirs.
        Some(text) if text.ends_with('\r') => "\r\n",
        _ => newline_of(text.unwrap_or_default()),
    };
    let block = block.replace('\n', newline);
    match text {
        None => format!("{block}{newline}"),
        Some("") => block,
        Some(text) if text.ends_with('\n') => format!("{text}{newline}{block}{newline}"),
        Some(text) => format!("{text}{newline}{block}"),
    }
}

/// Returns a text without the block at `span`, which ends before the newline of its last line;
/// `None` if the block made the file.
pub fn remove(text: &str, span: Range<usize>) -> Option<String> {
    let (before, after) = (&text[..span.start], &text[span.end..]);
    let without_newline = |text: &str| {
        let stripped = text
            .strip_suffix('\n')
            .map(|t| t.strip_suffix('\r').unwrap_or(t));
        stripped.unwrap_or(text).len()
    };
    if after.is_empty() {
        return Some(before[..without_newline(before)].to_owned());
    }
    let after = after.strip_prefix('\r').unwrap_or(after);
    let after = after.strip_prefix('\n').unwrap_or(after);
    if before.is_empty() && after.is_empty() {
        return None;
    }
    Some(format!("{}{after}", &before[..without_newline(before)]))
}

const BEGIN: &str = "<!-- BEGIN REFLECTT";
const BEGIN_LINE: &str =
    "<!-- BEGIN REFLECTT (kept up to date by `reflectt setup`; write your own outside of it) -->";
const END: &str = "<!-- END REFLECTT -->";

/// Markers of which one has no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the markers of reflectt's part do not come in pairs")]
pub struct Unpaired {
    pub at: Position,
}

/// Returns instructions between their markers.
pub fn marked(content: &str) -> String {
    format!("{BEGIN_LINE}\n{}\n{END}", content.trim_end())
}

/// Finds the part between our markers, with them.
///
/// # Errors
///
/// If one of them is missing, or there are several.
pub fn find(text: &str) -> Result<Option<Range<usize>>, Unpaired> {
    let begins = lines_with(text, |line| line.starts_with(BEGIN));
    let ends = lines_with(text, |line| line.trim_end() == END);
    match (&begins[..], &ends[..]) {
        ([], []) => Ok(None),
        ([begin], [end]) if begin < end => Ok(Some(*begin..end + END.len())),
        _ => {
            let at = begins.iter().chain(&ends).copied().max();
            Err(Unpaired {
                at: position(text, at.unwrap_or_default()),
            })
        }
    }
}

/// Returns where the lines begin of which this holds.
fn lines_with(text: &str, holds: impl Fn(&str) -> bool) -> Vec<usize> {
    let mut at = 0;
    let starts = text.split_inclusive('\n').filter_map(|line| {
        let start = at;
        at += line.len();
        holds(line).then_some(start)
    });
    starts.collect()
}

/// Tells whether a text has a block with this content, whatever ends its lines.
pub fn is_current(found: &str, content: &str) -> bool {
    found.replace("\r\n", "\n") == marked(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "what\nto do\n";

    fn without(text: &str) -> Option<String> {
        let span = find(text).unwrap().unwrap();
        remove(text, span)
    }

    #[test]
    fn what_was_there_comes_back() {
        for before in [
            "",
            "\n",
            "\n\n",
            "a",
            "a\n",
            "a\n\n",
            "a\r\n",
            "a\r\nb",
            "a  ",
            "a\r",
            "\r",
            "é\n\r\n",
            "a\nb\r\n",
            "# A\n\ntext\n",
        ] {
            let with = append(Some(before), &marked(OURS));
            assert!(with.starts_with(before), "{before:?}");
            assert_eq!(without(&with).as_deref(), Some(before), "{before:?}");
        }
        let made = append(None, &marked(OURS));
        assert_eq!(
            made,
            format!("{BEGIN_LINE}\nwhat\nto do\n<!-- END REFLECTT -->\n")
        );
        assert_eq!(without(&made), None);
    }

    #[test]
    fn what_was_added_behind_stays() {
        let with = append(Some("a\n"), &marked(OURS)) + "\nb\n";
        assert_eq!(without(&with).as_deref(), Some("a\n\nb\n"));
        let made = append(None, &marked(OURS)) + "b\n";
        assert_eq!(without(&made).as_deref(), Some("b\n"));
    }

    #[test]
    fn lines_end_as_the_others_do() {
        let with = append(Some("a\r\n"), &marked(OURS));
        assert_eq!(with.matches('\n').count(), with.matches("\r\n").count());
        let span = find(&with).unwrap().unwrap();
        assert!(is_current(&with[span], OURS));
        assert!(!is_current(&marked("other"), OURS));
    }

    #[test]
    fn a_marker_alone_is_a_fault() {
        for (text, line) in [
            (format!("a\n{BEGIN_LINE}\n"), 2),
            (format!("{END}\n"), 1),
            (format!("{END}\n{BEGIN_LINE}\n"), 2),
            (format!("{0}\n{0}", marked(OURS)), 8),
        ] {
            assert_eq!(find(&text).unwrap_err().at.line, line, "{text}");
        }
        // In the middle of a line it is somebody's text.
        assert_eq!(find("see `<!-- BEGIN REFLECTT`\n"), Ok(None));
    }
}
