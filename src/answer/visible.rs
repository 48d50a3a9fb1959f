//! Makes the invisible visible: text written by other agents, safe to print.
//!
//! A title or a message can carry escape sequences that rewrite the screen, overrides that reverse
//! what a person reads, or characters that only a language model sees. All of them are shown
//! instead of obeyed. Text without them, in any script, is left as it is.

use std::borrow::Cow;

/// Returns `text` for one line of output, with line breaks and tabs shown too.
pub fn escape(text: &str) -> Cow<'_, str> {
    show(text, Breaks::Shown)
}

/// Returns `text` for several lines of output: `\n` and tabs stay, `\r\n` becomes `\n`.
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    show(text, Breaks::Kept)
}

/// Returns the same JSON with its hidden characters written as `\uXXXX`.
///
/// A JSON writer escapes only the controls below U+0020, but U+009B starts an escape sequence too.
/// These characters occur inside strings alone, so the parsed value stays the same.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    let hidden = |c: char| c == '\u{7f}' || class(c) == Class::Hidden;
    if !json.contains(hidden) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Shown,
    Kept,
}

/// How a character behaves when printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Prints itself.
    Plain,
    /// U+0000 to U+001F and DEL, which have pictures of their own.
    Control,
    /// Steers the terminal or the order of the text, or prints nothing at all.
    Hidden,
    /// Joins its neighbours, in emoji and in several scripts; hides between other letters.
    Joiner,
    /// Picks a variant of the character before it; a row of them can hide any text.
    Selector,
}

fn class(c: char) -> Class {
    match u32::from(c) {
        0x00..=0x1f | 0x7f => Class::Control,
        0x20..=0x7e => Class::Plain,
        // The second set of control characters.
        0x80..=0x9f => Class::Hidden,
        // Line separators, directional marks, embeddings, overrides and isolates.
        0x61c | 0x200e..=0x200f | 0x2028..=0x202e | 0x2066..=0x206f => Class::Hidden,
        // Zero-width spaces, invisible operators, the byte order mark.
        0xad | 0x34f | 0x180e | 0x200b | 0x2060..=0x2065 | 0xfeff => Class::Hidden,
        // Fillers: letters that are blank.
        0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x3164 | 0xffa0 => Class::Hidden,
        // Annotations, format characters of shorthand and music, noncharacters.
        0xfff0..=0xfffb | 0xfffe..=0xffff | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a => Class::Hidden,
        0x200c..=0x200d => Class::Joiner,
        0x180b..=0x180d | 0x180f | 0xfe00..=0xfe0f | 0xe0100..=0xe01ef => Class::Selector,
        // Tag characters, an invisible copy of ASCII.
        0xe0000..=0xe0fff => Class::Hidden,
        _ => Class::Plain,
    }
}

fn show(text: &str, breaks: Breaks) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut out: Option<String> = None;
    // The last character when it was kept: what a joiner or a selector would attach to.
    let mut before: Option<char> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let after = chars.peek().map(|&(_, next)| next);
        let kept = match class(c) {
            Class::Plain => true,
            Class::Control => breaks == Breaks::Kept && matches!(c, '\n' | '\t'),
            Class::Hidden => false,
            Class::Joiner => before.is_some_and(joinable) && after.is_some_and(joined),
            Class::Selector => before.is_some_and(selectable),
        };
        before = kept.then_some(c);
        if kept {
            if let Some(out) = &mut out {
                out.push(c);
            }
            continue;
        }
        let out = out.get_or_insert_with(|| text[..at].to_owned());
        if breaks == Breaks::Kept && c == '\r' && after == Some('\n') {
            continue;
        }
        push_shown(out, c);
    }
    out.map_or(Cow::Borrowed(text), Cow::Owned)
}

fn joinable(before: char) -> bool {
    let attaches = matches!(class(before), Class::Plain | Class::Selector);
    attaches && !before.is_ascii() && !before.is_whitespace()
}

fn joined(after: char) -> bool {
    class(after) == Class::Plain && !after.is_ascii() && !after.is_whitespace()
}

/// Keycap emoji select a variant of a digit, `#` or `*`; no other ASCII character has one.
fn selectable(before: char) -> bool {
    match before {
        '0'..='9' | '#' | '*' => true,
        _ => joinable(before) && class(before) == Class::Plain,
    }
}

fn push_shown(out: &mut String, c: char) {
    let picture = match u32::from(c) {
        code @ 0x00..=0x1f => char::from_u32(0x2400 + code),
        0x7f => Some('\u{2421}'),
        _ => None,
    };
    match picture {
        Some(picture) => out.push(picture),
        None => out.push_str(&c.escape_unicode().to_string()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_text_of_any_script_is_borrowed() {
        for text in [
            "",
            "fix the login",
            "ログイン修正 한국어 中文",
            "e\u{301}tude",
            "شكرا שלום नमस्ते",
            "🦀 👩‍👩‍👧 ❤️‍🔥 👍🏽 🇨🇿 1️⃣ #️⃣",
            // A zero-width non-joiner inside a Persian word.
            "می\u{200c}خواهم",
            // A joiner after a virama.
            "क्\u{200d}ष",
            // An ideographic variation.
            "葛\u{e0100}城",
            r"C:\new\x1b",
        ] {
            assert!(
                matches!(escape(text), Cow::Borrowed(same) if same == text),
                "{text:?}"
            );
            assert!(matches!(escape_lines(text), Cow::Borrowed(_)), "{text:?}");
        }
    }

    #[test]
    fn controls_become_pictures() {
        assert_eq!(escape("a\x1b[31mred\x07\0\x7f"), "a␛[31mred␇␀␡");
        assert_eq!(escape("one\ntwo\tthree\r\nfour"), "one␊two␉three␍␊four");
        assert_eq!(
            escape_lines("one\ntwo\tthree\r\nfour\rfive"),
            "one\ntwo\tthree\nfour␍five"
        );
    }

    #[test]
    fn hidden_characters_are_spelled_out() {
        assert_eq!(escape("\u{9b}2J"), r"\u{9b}2J");
        assert_eq!(escape("user\u{202e}nimda"), r"user\u{202e}nimda");
        assert_eq!(escape("a\u{2066}b\u{2069}"), r"a\u{2066}b\u{2069}");
        assert_eq!(escape("k\u{200b}ai\u{feff}"), r"k\u{200b}ai\u{feff}");
        assert_eq!(escape_lines("a\u{2028}b\u{2029}"), r"a\u{2028}b\u{2029}");
        assert_eq!(escape("hi\u{e0041}\u{e0042}"), r"hi\u{e0041}\u{e0042}");
    }

    #[test]
    fn joiners_and_selectors_are_kept_only_where_they_work() {
        assert_eq!(escape("k\u{200d}ai"), r"k\u{200d}ai");
        assert_eq!(escape("\u{200d}👩"), r"\u{200d}👩");
        assert_eq!(escape("👩\u{200d}\u{200d}👧"), r"👩\u{200d}\u{200d}👧");
        assert_eq!(escape("a\u{fe0f}"), r"a\u{fe0f}");
        assert_eq!(escape("\u{3000}\u{fe0f}"), "\u{3000}\\u{fe0f}");
        assert_eq!(escape("😀\u{e0101}\u{e0102}"), "😀\u{e0101}\\u{e0102}");
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({ "t": "\u{9b}2J \u{202e} \u{e0041} \u{7f} é\n" });
        let json = serde_json::to_string_pretty(&value).unwrap();
        let safe = escape_json(&json);
        assert_eq!(
            safe,
            "{\n  \"t\": \"\\u009b2J \\u202e \\udb40\\udc41 \\u007f é\\n\"\n}"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&safe).unwrap(),
            value
        );
    }

    /// Ordinary characters mixed with every kind of dangerous one.
    pub(crate) fn any_text() -> impl Strategy<Value = String> {
        let c = prop_oneof![
            any::<char>(),
            prop::char::range('\0', '\u{a0}'),
            prop::char::range('\u{2000}', '\u{2070}'),
            prop::char::range('\u{e0000}', '\u{e01ff}'),
            prop::sample::select(vec!['👩', '👧', '\u{fe0f}', '\u{200d}', '中', '\u{feff}']),
        ];
        prop::collection::vec(c, 0..30).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn nothing_dangerous_comes_out(text in any_text()) {
            for c in escape(&text).chars() {
                prop_assert!(!matches!(class(c), Class::Control | Class::Hidden), "{c:?}");
                prop_assert!(!c.is_control());
            }
            for c in escape_lines(&text).chars() {
                prop_assert!(matches!(c, '\n' | '\t') || !c.is_control());
            }
            prop_assert!(!escape_json(&text).contains(|c| class(c) == Class::Hidden));
        }

        #[test]
        fn escaping_twice_changes_nothing(text in any_text()) {
            let once = escape(&text).into_owned();
            prop_assert_eq!(escape(&once), once.as_str());
            let once = escape_lines(&text).into_owned();
            prop_assert_eq!(escape_lines(&once), once.as_str());
        }

        #[test]
        fn text_without_dangers_is_unchanged(text in any_text()) {
            let safe: String = text.chars().filter(|&c| class(c) == Class::Plain).collect();
            prop_assert_eq!(escape(&safe), safe.as_str());
        }
    }
}
