//! Whole outputs as text, with everything that differs from run to run replaced.
//!
//! | placeholder | for |
//! |---|---|
//! | `[ID1]`, `[ID2]`… | ids of tasks and claims, numbered as they are made or first shown |
//! | `[ULID]` | ids of events, messages and reflections |
//! | `[OID]` | commits and other objects, whole or cut to 10 or 12 characters |
//! | `[TIME]`, `[DATE]`, `[MONTH]` | times, days and months of these days |
//! | `[VERSION]` | git's |
//! | `[AGO]` | `just now`, `3s ago`, `2m` |
//! | `[DIR]` | the directory of the test |

use super::Output;

/// Compares an output with `expected`, from which the indentation is taken first.
#[track_caller]
pub fn compare(output: &Output, expected: &str) {
    if let Err(difference) = check(output, expected) {
        panic!("{} printed something else:\n{difference}", output.shown);
    }
}

/// Tells how an output differs from `expected`.
pub fn check(output: &Output, expected: &str) -> Result<(), String> {
    let actual = shown(output);
    let expected = dedent(expected);
    if actual == expected {
        return Ok(());
    }
    let mut diff = String::new();
    let mut old = expected.lines();
    let mut new = actual.lines();
    loop {
        match (old.next(), new.next()) {
            (None, None) => break,
            (Some(a), Some(b)) if a == b => diff.push_str(&format!("  {a}\n")),
            (a, b) => {
                for (sign, line) in [('-', a), ('+', b)] {
                    if let Some(line) = line {
                        diff.push_str(&format!("{sign} {line}\n"));
                    }
                }
            }
        }
    }
    Err(format!("{diff}\nwhole:\n{actual}"))
}

/// Returns an output as one text, with placeholders.
pub fn shown(output: &Output) -> String {
    let repo = output.repo();
    let ids = repo.known_ids();
    let text = layout(output.status, &output.stdout, &output.stderr);
    let text = text.replace(repo.env().dir().to_str().unwrap(), "[DIR]");
    mask(&text, |word| {
        let known = ids.iter().any(|id| id == word);
        known.then(|| format!("[ID{}]", repo.env().id_number(word)))
    })
}

/// Lays out an output as one text.
pub fn layout(status: Option<i32>, stdout: &str, stderr: &str) -> String {
    let mut text = match status {
        Some(0) => String::new(),
        Some(code) => format!("exit {code}\n"),
        None => "killed\n".to_owned(),
    };
    for (name, part) in [("stdout", stdout), ("stderr", stderr)] {
        if !part.is_empty() {
            text.push_str(&format!("--- {name}\n{part}"));
            if !part.ends_with('\n') {
                text.push_str("[no newline]\n");
            }
        }
    }
    text
}

/// Takes the first line break, and the indentation of the first line from every line.
fn dedent(text: &str) -> String {
    let text = text.strip_prefix('\n').unwrap_or(text);
    let indent = text.len() - text.trim_start_matches(' ').len();
    let mut lines = String::new();
    for line in text.lines() {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        lines.push_str(&line[indent.min(spaces)..]);
        lines.push('\n');
    }
    match lines.trim_end() {
        "" => String::new(),
        lines => format!("{lines}\n"),
    }
}

/// Replaces what differs from run to run. `id` names the words that are ids.
pub fn mask(text: &str, id: impl Fn(&str) -> Option<String>) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((len, placeholder)) = find(rest, &id) {
            masked.push_str(&placeholder);
            rest = &rest[len..];
            continue;
        }
        // On to the next place where a word may begin.
        let len = match word(rest).len() {
            0 => first.len_utf8(),
            len => len,
        };
        masked.push_str(&rest[..len]);
        rest = &rest[len..];
    }
    masked
}

/// Returns what stands at the beginning of `text`: its length and its placeholder.
fn find(text: &str, id: impl Fn(&str) -> Option<String>) -> Option<(usize, String)> {
    let known = |len: usize, placeholder: &str| Some((len, placeholder.to_owned()));
    if text.starts_with("just now") {
        return known("just now".len(), "[AGO]");
    }
    if let Some(version) = text.strip_prefix("git ")
        && version.starts_with(|c: char| c.is_ascii_digit())
    {
        let len = version.find(|c: char| c != '.' && !c.is_ascii_digit());
        let len = len.unwrap_or(version.len());
        return known("git ".len() + len, "git [VERSION]");
    }
    let word = word(text);
    for (pattern, placeholder) in [
        ("dddd-dd-ddTdd:dd:dd.dddZ", "[TIME]"),
        ("dddd-dd-ddTdd:dd:ddZ", "[TIME]"),
        ("dddd-dd-ddTdd:dd:dd+dd:dd", "[TIME]"),
        ("dddd-dd-dd dd:dd", "[TIME]"),
        ("dddd-dd-dd", "[DATE]"),
        ("dddd-dd", "[MONTH]"),
    ] {
        if text.starts_with("20") && fits(text, pattern) {
            return known(pattern.len(), placeholder);
        }
    }
    let hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    let crockford = |c: char| matches!(c, '0'..='9' | 'A'..='Z') && !"ILOU".contains(c);
    match word.len() {
        26 if word.starts_with('0') && word.chars().all(crockford) => known(26, "[ULID]"),
        10 | 12 | 40 | 64
            if word.chars().all(hex) && word.contains(|c: char| c.is_ascii_digit()) =>
        {
            known(word.len(), "[OID]")
        }
        len => match ago(word, &text[len..]) {
            Some(more) => known(len + more, "[AGO]"),
            None => id(word).map(|placeholder| (len, placeholder)),
        },
    }
}

/// Tells whether `3s`, `2m` and so on stand there, and how much of what follows belongs to it.
fn ago(word: &str, after: &str) -> Option<usize> {
    let number = word.trim_end_matches(['s', 'm', 'h', 'd']);
    let is_span = number.len() + 1 == word.len() && number.parse::<u32>().is_ok();
    (is_span && after.starts_with(" ago")).then_some(" ago".len())
}

/// Tells whether `text` begins like the pattern, in which `d` stands for a digit, and ends there.
fn fits(text: &str, pattern: &str) -> bool {
    let bytes = text.as_bytes();
    let fit = |(at, p): (usize, u8)| match (p, bytes.get(at)) {
        (b'd', Some(c)) => c.is_ascii_digit(),
        (p, c) => c == Some(&p),
    };
    let ends = !bytes
        .get(pattern.len())
        .is_some_and(u8::is_ascii_alphanumeric);
    ends && pattern.bytes().enumerate().all(fit)
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric());
    &text[..end.unwrap_or(text.len())]
}
