//! Terminal columns: measuring, cutting and wrapping text.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Returns how many terminal columns `text` takes.
pub fn of(text: &str) -> usize {
    // Nearly all text is this, and looking up ten thousand titles takes longer than reading them.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.len();
    }
    text.width()
}

/// Returns `text` in at most `limit` columns, ending in `…` when something was cut off.
pub fn truncate(text: &str, limit: usize) -> String {
    if of(text) <= limit {
        return text.to_owned();
    }
    if limit == 0 {
        return String::new();
    }
    let mut cut = prefix(text, limit - 1).trim_end().to_owned();
    cut.push('…');
    cut
}

/// Returns `text` as lines of at most `limit` columns, broken at spaces where possible.
///
/// `limit` is at least 2, the width of the widest character.
pub fn wrap(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    for mut word in text.split_whitespace() {
        if !line.is_empty() {
            if of(&line) + 1 + of(word) <= limit {
                line.push(' ');
                line.push_str(word);
                continue;
            }
            lines.push(std::mem::take(&mut line));
        }
        while of(word) > limit {
            // At least one character, or this would not end.
            let first = word.chars().next().map_or(0, char::len_utf8);
            let at = prefix(word, limit).len().max(first);
            lines.push(word[..at].to_owned());
            word = &word[at..];
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Returns the longest beginning of `text` within `limit` columns that splits no character as seen.
fn prefix(text: &str, limit: usize) -> &str {
    let mut end = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        // A cluster can change the width of those before it, so measure the whole.
        let next = at + cluster.len();
        if of(&text[..next]) > limit {
            break;
        }
        end = next;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::visible::{escape, tests::any_text};
    use super::*;

    #[test]
    fn cutting_counts_columns_and_splits_no_character() {
        assert_eq!(truncate("keep the path", 13), "keep the path");
        assert_eq!(truncate("keep the path", 12), "keep the pa…");
        // No space before the ellipsis.
        assert_eq!(truncate("keep the path", 10), "keep the…");
        assert_eq!(truncate("ログイン修正", 8), "ログイ…");
        assert_eq!(truncate("ログイン修正", 7), "ログイ…");
        assert_eq!(truncate("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(truncate("👩‍👩‍👧👩‍👩‍👧", 3), "👩‍👩‍👧…");
        assert_eq!(truncate("👍🏽👍🏽👍🏽", 4), "👍🏽…");
        assert_eq!(truncate("🇨🇿🇩🇪🇫🇷", 5), "🇨🇿🇩🇪…");
        assert_eq!(truncate("abc", 1), "…");
        assert_eq!(truncate("abc", 0), "");
    }

    #[test]
    fn wrapping_breaks_at_spaces_and_long_words_anywhere() {
        assert_eq!(
            wrap("keep the return path", 10),
            ["keep the", "return", "path"]
        );
        assert_eq!(
            wrap("src/auth/session.rs ok", 10),
            ["src/auth/s", "ession.rs", "ok"]
        );
        assert_eq!(wrap("ログイン", 5), ["ログ", "イン"]);
        assert!(wrap("  ", 5).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_the_limit(text in any_text(), limit in 2usize..40) {
            let text = escape(&text);
            prop_assert!(of(&truncate(&text, limit)) <= limit);
            let lines = wrap(&text, limit);
            for line in &lines {
                prop_assert!(of(line) <= limit, "{line:?}");
            }
            let seen: String = lines.concat().split_whitespace().collect();
            prop_assert_eq!(seen, text.split_whitespace().collect::<String>());
        }
    }
}
