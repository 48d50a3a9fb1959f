//! Limits on what people and agents write: titles, bodies, notes, acceptance criteria.

/// The longest title, in characters.
pub const TITLE_MAX: usize = 200;
/// The longest body of a task or message, in bytes (64 KiB).
pub const BODY_MAX: usize = 64 * 1024;
/// The longest note, reason or criterion, in bytes (4 KiB).
pub const NOTE_MAX: usize = 4 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("the {what} is empty")]
    Empty { what: &'static str },
    #[error("the {what} has {length} {unit}; {max} is the most")]
    TooLong {
        what: &'static str,
        length: usize,
        max: usize,
        unit: &'static str,
    },
    #[error("the {what} has a control character (U+{code:04X})")]
    Control { what: &'static str, code: u32 },
}

/// Checks a title: one line of 1 to 200 characters; surrounding white space is dropped.
pub fn title(text: &str) -> Result<String, TextError> {
    let what = "title";
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty { what });
    }
    let length = text.chars().count();
    if length > TITLE_MAX {
        return Err(TextError::TooLong {
            what,
            length,
            max: TITLE_MAX,
            unit: "characters",
        });
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(TextError::Control {
            what,
            code: u32::from(c),
        }),
        None => Ok(text.to_owned()),
    }
}

/// Checks a body of up to 64 KiB. Line endings become `\n`; tabs and other text stay.
pub fn body(what: &'static str, text: &str) -> Result<String, TextError> {
    bounded(what, text, BODY_MAX)
}

/// Checks a note, reason or summary: not empty, up to 4 KiB.
pub fn note(what: &'static str, text: &str) -> Result<String, TextError> {
    bounded(what, text, NOTE_MAX)
}

/// Returns the beginning of a commit's name, enough for people; whatever else a record has there is
/// returned as it is.
pub fn short_commit(name: &str) -> &str {
    name.get(..12).unwrap_or(name)
}

fn bounded(what: &'static str, text: &str, max: usize) -> Result<String, TextError> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim_end();
    if text.trim().is_empty() {
        return Err(TextError::Empty { what });
    }
    if text.len() > max {
        return Err(TextError::TooLong {
            what,
            length: text.len(),
            max,
            unit: "bytes",
        });
    }
    if text.contains('\0') {
        return Err(TextError::Control { what, code: 0 });
    }
    Ok(text.to_owned())
}

/// Returns what somebody wrote as a sentence that another may follow: with a full stop, unless it
/// ends as one already.
pub fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?', '…', ':', '。', '！', '？']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// Placeholders that people write when they do not know yet.
const VAGUE: [&str; 17] = [
    "to do",
    "tbd",
    "todo",
    "tba",
    "wip",
    "fixme",
    "n/a",
    "none",
    "unknown",
    "it works",
    "works",
    "done",
    "to be defined",
    "to be determined",
    "as discussed",
    "see above",
    "make it work",
];

/// Returns whether a criterion is concrete enough to be checked by somebody else.
///
/// One word says nothing, and a placeholder says that nobody has thought about it. The list is
/// short on purpose: this is a nudge, and the reviewer is the judge.
pub fn is_concrete(criterion: &str) -> bool {
    let plain = criterion
        .trim()
        .trim_end_matches(['.', '!', '?', '…'])
        .to_lowercase();
    let words = plain
        .split_whitespace()
        .filter(|w| w.chars().any(char::is_alphanumeric))
        .count();
    // Some scripts set no spaces between words; two letters of theirs are about one.
    let spaceless = plain.chars().filter(|c| is_spaceless(*c)).count() / 2;
    let placeholder = plain.starts_with("tbd") || plain.starts_with("todo:");
    words + spaceless >= 2 && !VAGUE.contains(&plain.as_str()) && !placeholder
}

/// Tells whether a letter is of a script without spaces: Thai, Lao, Khmer, Japanese, Chinese.
fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

/// Returns `title` as part of a file name: lower-case ASCII words joined by `-`, 40 at most.
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 40 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "task".to_owned()
    } else {
        slug.to_owned()
    }
}

/// Returns the names mentioned as `@name` in `text`, each once, in order.
pub fn mentions(text: &str) -> Vec<super::name::AgentName> {
    let mut found = Vec::new();
    let mut before = ' ';
    for (index, c) in text.char_indices() {
        if c == '@' && !before.is_alphanumeric() {
            let rest = &text[index + 1..];
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
                .unwrap_or(rest.len());
            if let Ok(name) = rest[..end].trim_end_matches(['-', '_']).parse()
                && !found.contains(&name)
            {
                found.push(name);
            }
        }
        before = c;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::AgentName;

    #[test]
    fn titles() {
        assert_eq!(title("  Fix login  ").unwrap(), "Fix login");
        assert!(title(" ").is_err());
        assert!(title("two\nlines").is_err());
        assert!(title(&"é".repeat(200)).is_ok());
        assert!(title(&"x".repeat(201)).is_err());
    }

    #[test]
    fn bodies_have_a_limit_in_bytes() {
        assert!(body("body", &"x".repeat(BODY_MAX)).is_ok());
        let error = body("body", &"x".repeat(BODY_MAX + 1)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the body has 65537 bytes; 65536 is the most"
        );
        assert_eq!(body("body", "a\r\nb\n").unwrap(), "a\nb");
    }

    #[test]
    fn vague_criteria() {
        for vague in [
            "TBD",
            "tbd: ask kai",
            "works",
            "It works!",
            "Done.",
            "tests",
            "?",
            "— —",
            "to be defined",
        ] {
            assert!(!is_concrete(vague), "{vague}");
        }
        for concrete in [
            "login returns to /app",
            "a test covers it",
            "p95 < 5ms",
            "テストが通る",
            "测试全部通过",
        ] {
            assert!(is_concrete(concrete), "{concrete}");
        }
    }

    #[test]
    fn what_a_record_calls_a_commit_is_cut_where_it_can_be() {
        assert_eq!(short_commit(&"0123456789".repeat(4)), "012345678901");
        assert_eq!(short_commit("0123"), "0123");
        assert_eq!(short_commit("ééééééaééééé"), "éééééé");
        assert_eq!(short_commit("aéééééééééé"), "aéééééééééé");
    }

    #[test]
    fn sentences_end_once() {
        assert_eq!(sentence("good work"), "good work.");
        assert_eq!(sentence("good work.\n"), "good work.");
        assert_eq!(sentence("really?"), "really?");
        assert_eq!(sentence("see:"), "see:");
        assert_eq!(sentence("よし。"), "よし。");
    }

    #[test]
    fn slugs() {
        assert_eq!(
            slug("Keep the return path: after login!"),
            "keep-the-return-path-after-login"
        );
        assert_eq!(slug("修复登录"), "task");
        assert!(slug(&"long words ".repeat(20)).len() <= 40);
    }

    #[test]
    fn mentions_are_names() {
        let names = mentions("@kai see a@b.c, (@link-2) @Kai @kai @sage_.");
        let names: Vec<&str> = names.iter().map(AgentName::as_str).collect();
        assert_eq!(names, ["kai", "link-2", "sage"]);
    }
}
