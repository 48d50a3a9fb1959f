//! The beginning of a text that others wrote, where only a line is to be shown.

use super::visible::escape;

/// Returns the first line of `text` that is not blank, with `…` if there is more.
pub fn first_line(text: &str, max: usize) -> String {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = cut(lines.next().unwrap_or_default(), max);
    if lines.next().is_some() && !first.ends_with('…') {
        format!("{first} …")
    } else {
        first
    }
}

/// Returns as many of the first lines of `text` as fit, the last one cut if it alone is too long.
pub fn beginning(text: &str, lines: usize, chars: usize) -> &str {
    let by_chars = text.char_indices().nth(chars).map(|(at, _)| at);
    let by_lines = text.match_indices('\n').nth(lines - 1).map(|(at, _)| at);
    let end = by_chars.unwrap_or(text.len());
    match by_lines {
        // A text that ends here is whole.
        Some(at) if at < end && at + 1 < text.len() => &text[..at],
        _ => &text[..end],
    }
}

/// Returns `text` on one line of at most `max` characters, as they are printed.
pub fn cut(text: &str, max: usize) -> String {
    let mut words = text.split_whitespace();
    let mut one_line = String::new();
    // Only what may be shown is looked at: a message can have 64 KiB.
    while let Some(word) = words.next()
        && one_line.len() <= 4 * max
    {
        let gap = if one_line.is_empty() { "" } else { " " };
        one_line.push_str(gap);
        one_line.extend(word.chars().take(max + 1));
    }
    let shown = escape(&one_line);
    if words.next().is_none() && shown.chars().count() <= max {
        return shown.into_owned();
    }
    let kept: String = shown.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_whole() {
        assert_eq!(cut("one\ttwo  three", 13), "one two three");
        assert_eq!(cut("", 5), "");
        assert_eq!(first_line("\n one\n\n", 5), "one");
    }

    #[test]
    fn the_beginning_is_counted_in_lines_and_characters() {
        assert_eq!(beginning("one\ntwo", 2, 10), "one\ntwo");
        assert_eq!(beginning("one\ntwo\n", 2, 10), "one\ntwo\n");
        assert_eq!(beginning("one\ntwo\nthree", 2, 10), "one\ntwo");
        assert_eq!(beginning("one\ntwo\nthree", 2, 5), "one\nt");
        assert_eq!(beginning("éé", 1, 1), "é");
        assert_eq!(beginning("", 1, 1), "");
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        assert_eq!(cut("one two three", 9), "one two…");
        assert_eq!(cut("\u{202e}one", 9), "\\u{202e}…");
        assert_eq!(first_line("one\ntwo", 9), "one …");
        assert_eq!(first_line("one two three\nfour", 9), "one two…");
    }
}
