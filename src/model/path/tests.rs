//! Rules and errors one by one; matching and overlap against brute force.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> PathPattern {
    PathPattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn assert_matches(text: &str, yes: &[&str], no: &[&str]) {
    let pattern = pattern(text);
    for path in yes {
        assert!(
            pattern.matches(path.as_bytes()),
            "`{text}` should match `{path}`"
        );
    }
    for path in no {
        assert!(
            !pattern.matches(path.as_bytes()),
            "`{text}` should not match `{path}`"
        );
    }
}

#[track_caller]
fn assert_overlap(a: &str, b: &str, expected: bool) {
    assert_eq!(
        pattern(a).overlaps(&pattern(b)),
        expected,
        "`{a}` and `{b}`"
    );
    assert_eq!(
        pattern(b).overlaps(&pattern(a)),
        expected,
        "`{b}` and `{a}`"
    );
}

fn fault(text: &str) -> GlobFault {
    match PathPattern::parse(text) {
        Err(PathError::Malformed { pattern, fault }) if pattern == text => fault,
        other => panic!("`{text}` gave {other:?}"),
    }
}

#[test]
fn a_literal_matches_itself_and_all_below() {
    assert_matches(
        "src/auth",
        &["src/auth", "src/auth/login.rs", "src/auth/a/b/c"],
        &[
            "src",
            "src/authz",
            "src/aut",
            "src/auth.rs",
            "lib/src/auth",
            "SRC/auth",
            "",
        ],
    );
}

#[test]
fn dot_matches_everything() {
    for text in [".", "./", "**", "**/**", "./.", "a/.."] {
        assert_eq!(pattern(text).as_str(), ".");
        assert!(!pattern(text).is_glob());
        assert_matches(text, &["a", ".env", "a/b"], &["", "/a", "a/", "a//b"]);
    }
}

#[test]
fn a_star_stays_in_its_component_and_matches_all_below() {
    assert_matches(
        "src/*",
        &["src/a", "src/.env", "src/auth/login.rs"],
        &["src", "srcs/a"],
    );
    assert_matches(
        "*.rs",
        &["a.rs", ".rs", "gen.rs/x"],
        &["src/a.rs", "a.rss", "a.r"],
    );
    assert_matches(
        "a*b*c",
        &["abc", "aXbbYc", "abcbc/d"],
        &["ab", "acb", "abcd"],
    );
}

#[test]
fn a_tree_is_any_number_of_components() {
    assert_matches("**/x", &["x", "a/x", "a/b/x/c"], &["ax", "a/xb"]);
    assert_matches(
        "a/**/b",
        &["a/b", "a/x/b", "a/x/y/b/c"],
        &["a", "ab", "a/xb", "x/a/b"],
    );
    assert_matches(
        "**/a/**/b/c",
        &["a/b/a/b/c", "a/b/b/c"],
        &["a/b", "b/c", "a/b/x/c"],
    );
    assert_matches("a/**/*", &["a/b", "a/b/c"], &["a"]);
}

#[test]
fn a_question_mark_and_classes_match_one_character() {
    assert_matches("a?", &["ab", "aé", "a€", "a?"], &["a", "abc", "a/"]);
    assert_matches("[a-c_]x", &["ax", "cx", "_x"], &["dx", "x", "-x"]);
    assert_matches("[!a-c]x", &["dx", "éx"], &["ax", "x", "/x"]);
    assert_matches("[^a]", &["b", "^"], &["a"]);
    assert_matches("[a^]", &["a", "^"], &["b"]);
    assert_matches("[-a]", &["-", "a"], &["b"]);
    assert_matches("[a-]", &["-", "a"], &["b"]);
    assert_matches(r"[\]\-x]", &["]", "-", "x"], &["\\", "a"]);
    assert_matches(r"[\[-\]]x", &["[x", "\\x", "]x"], &["ax"]);
    assert_matches("a[--0]b", &["a-b", "a.b", "a0b"], &["a/b", "a1b"]);
    assert_matches("[α-ω]", &["λ"], &["a"]);
}

#[test]
fn an_escape_makes_a_character_plain() {
    assert_matches(r"app/\[id]/page", &["app/[id]/page"], &["app/i/page"]);
    assert_matches(r"a\*", &["a*", "a*/b"], &["ab"]);
    assert_matches(r"\**", &["*", "*a"], &["a"]);
    assert_matches(r"a\\b", &[r"a\b"], &["ab"]);
    assert!(!pattern(r"a\*").is_glob());
    assert_eq!(pattern(r"a\*").as_str(), r"a\*");
    assert_eq!(pattern(r"src/\auth"), pattern("src/auth"));
}

#[test]
fn bytes_that_are_not_utf_8_are_one_character_each() {
    let stray = b"a\xC3\xFFb";
    assert!(pattern("a??b").matches(stray));
    assert!(pattern("a[!x][!y]b").matches(stray));
    assert!(pattern("a*b").matches(stray));
    assert!(!pattern("a?b").matches(stray));
    assert!(!pattern("a[\u{A0}-\u{10FFFF}]b").matches(b"a\xFFb"));
    // A surrogate in CESU-8, and the first half of `é` at the end.
    assert!(pattern("???").matches(b"\xED\xA0\x80"));
    assert!(pattern("a?").matches(b"a\xC3"));
    // Only such bytes and control characters are outside of both classes.
    assert_overlap("[!\u{A0}-\u{10FFFF}]", "[! -\u{10FFFF}]", true);
}

#[test]
fn names_git_does_not_track_are_not_matched() {
    for text in ["**", "*", ".*", "?git", "**/config"] {
        for path in [
            ".git/config",
            ".GIT/config",
            "a/.git/config",
            ".",
            "..",
            "a/../b",
            "./a",
        ] {
            assert!(
                !pattern(text).matches(path.as_bytes()),
                "`{text}` and `{path}`"
            );
        }
    }
    assert_matches(".g*", &[".gitignore", ".gi"], &[]);
}

#[test]
fn the_text_is_canonical() {
    for (text, canonical) in [
        ("src/auth/", "src/auth/"),
        ("./src//./auth", "src/auth"),
        ("src/auth/.", "src/auth/"),
        ("src/auth/x/..", "src/auth/"),
        ("src/../lib", "lib"),
        ("src/**", "src/"),
        ("src/**/", "src/"),
        ("src/*/", "src/*/**"),
        ("src/*/**/", "src/*/**"),
        ("a/**/**/b", "a/**/b"),
        ("[^ba]", "[!ab]"),
        ("[c-da-b]", "[a-d]"),
        (r"[!\!\]]", r"[!\!\]]"),
        ("a b", "a b"),
        (" ", " "),
        ("#a!~", "#a!~"),
    ] {
        assert_eq!(pattern(text).as_str(), canonical, "from `{text}`");
        assert_eq!(pattern(text).to_string(), canonical);
        assert_eq!(text.parse(), Ok(pattern(canonical)));
    }
    assert!(!pattern("src/**").is_glob());
    assert!(pattern("src/**/b").is_glob());
}

#[test]
fn a_text_is_read_in_its_directory() {
    for (text, prefix, expected) in [
        ("login.rs", "src/auth", "src/auth/login.rs"),
        ("login.rs", "src/auth/", "src/auth/login.rs"),
        (".", "src/auth", "src/auth/"),
        ("..", "src/auth", "src/"),
        ("../..", "src/auth", "."),
        ("../*.rs", "src/auth", "src/*.rs"),
        ("**", "src", "src/"),
        ("*", "app/[id]", r"app/\[id]/*"),
        ("x", r"a\b", r"a\\b/x"),
        ("x", "**", r"\*\*/x"),
        ("./x", "", "x"),
    ] {
        let pattern = PathPattern::parse_in(text, prefix).unwrap();
        assert_eq!(pattern.as_str(), expected, "`{text}` in `{prefix}`");
    }
    assert_eq!(
        PathPattern::parse_in("../../..", "src/auth"),
        Err(PathError::Outside {
            pattern: "../../..".into()
        })
    );
    assert_eq!(
        PathPattern::parse_in("x", ".git/hooks"),
        Err(PathError::InsideGit {
            pattern: "x".into()
        })
    );
}

#[test]
fn bad_paths_are_refused() {
    let parse = PathPattern::parse;
    assert_eq!(parse(""), Err(PathError::Empty));
    for text in ["/", "/etc/passwd", "//a"] {
        assert_eq!(
            parse(text),
            Err(PathError::Absolute {
                pattern: text.into()
            })
        );
    }
    for text in ["..", "../a", "a/../..", "./../a"] {
        assert_eq!(
            parse(text),
            Err(PathError::Outside {
                pattern: text.into()
            })
        );
    }
    for text in [
        ".git",
        "a/.Git/b",
        ".GIT/config",
        r"\.git",
        "[.]git",
        ".g[iI]t/*",
        ".git/../a",
    ] {
        assert_eq!(
            parse(text),
            Err(PathError::InsideGit {
                pattern: text.into()
            }),
            "{text}"
        );
    }
    for text in ["[.]", r"\.", r"a/\.\./b", "[.][.]"] {
        assert_eq!(
            parse(text),
            Err(PathError::MatchesNothing {
                pattern: text.into()
            })
        );
    }
    for text in ["*/..", "a/**/../b", "[ab]/.."] {
        assert_eq!(
            parse(text),
            Err(PathError::ParentOfGlob {
                pattern: text.into()
            })
        );
    }
    for text in ["a\nb", "\u{1b}[31m", "a\0", "a\u{7f}", "\u{85}"] {
        assert_eq!(
            parse(text),
            Err(PathError::Control {
                pattern: text.into()
            })
        );
    }
    assert_eq!(
        parse("\u{1b}[31m").unwrap_err().to_string(),
        r"`\u{1b}[31m` contains a control character"
    );
}

#[test]
fn malformed_globs_are_refused() {
    for text in ["[", "a[b", "[a-", "[!", "[a/b]", r"[a\]"] {
        assert_eq!(fault(text), GlobFault::UnclosedClass, "{text}");
    }
    for text in ["[]", "[!]", "[^]x", "a[]b]"] {
        assert_eq!(fault(text), GlobFault::EmptyClass, "{text}");
    }
    assert_eq!(
        fault("[z-a]"),
        GlobFault::ReversedRange { from: 'z', to: 'a' }
    );
    assert_eq!(fault("[[:alpha:]]"), GlobFault::NamedClass);
    for text in ["a**", "**a", "***", "a/**b/c"] {
        assert_eq!(fault(text), GlobFault::TreeNotAlone, "{text}");
    }
    for text in ["a\\", "a\\/b", "*\\", "[a\\"] {
        assert_eq!(fault(text), GlobFault::DanglingEscape, "{text}");
    }
    assert_eq!(
        PathPattern::parse("[z-a]").unwrap_err().to_string(),
        "`[z-a]` is malformed: the range `z-a` is reversed"
    );
}

#[test]
fn the_length_is_bounded() {
    assert!(PathPattern::parse(&"a".repeat(MAX_LEN)).is_ok());
    let long = PathPattern::parse(&"a".repeat(MAX_LEN + 1));
    assert_eq!(long, Err(PathError::TooLong { len: MAX_LEN + 1 }));
    // With what the directory and its escapes add.
    let long = PathPattern::parse_in("a", &"*".repeat(MAX_LEN / 2));
    assert_eq!(long, Err(PathError::TooLong { len: MAX_LEN + 2 }));
}

#[test]
fn literals_overlap_if_one_is_the_other_or_above_it() {
    assert_overlap("src", "src", true);
    assert_overlap("src", "src/auth", true);
    assert_overlap("src", "srcs", false);
    assert_overlap("src/a", "src/b", false);
    assert_overlap(".", "src", true);
    assert_overlap(".", ".", true);
}

#[test]
fn globs_overlap_if_they_share_a_path() {
    assert_overlap("src/*", "src/auth/login.rs", true);
    assert_overlap("src/*.rs", "src", true);
    assert_overlap("src/*.rs", "src/*.toml", false);
    assert_overlap("src/**/*.rs", "src/**/*.toml", true); // `src/a.rs/b.toml`
    assert_overlap("*a", "b*", true);
    assert_overlap("a*", "b*", false);
    assert_overlap("**/x", "a/b", true); // `a/b/x`
    assert_overlap("a/**/b", "a/c", true);
    assert_overlap("a/**/b", "c", false);
    assert_overlap("[a-f]", "[f-z]", true);
    assert_overlap("[a-f]", "[!a-f]", false);
    assert_overlap("[a-f]?", "[g-z]*", false);
    assert_overlap("[--0]", "[.-1]", true);
    assert_overlap("?", "??", false);
    assert_overlap("*/*/a", "b/c", true);
    assert_overlap(r"\*", "[*]", true);
    assert_overlap(r"\*", "a", false);
}

/// As a claim made here takes them, with nothing there.
#[track_caller]
fn assert_claims_overlap(a: &str, b: &str, expected: bool) {
    let [x, y] = [a, b].map(|text| pattern(text).taken_for(Found::Nothing));
    assert_eq!(x.overlaps(&y), expected, "`{a}` and `{b}`");
    assert_eq!(y.overlaps(&x), expected, "`{b}` and `{a}`");
}

#[test]
fn a_literal_is_taken_for_what_is_there() {
    let of_files = |text: &str, found| pattern(text).taken_for(found).is_of_files();
    for (text, found, expected) in [
        ("src/db", Found::File, true),
        ("src/db.rs", Found::Directory, false),
        ("src/db.rs", Found::Nothing, true),
        ("src/db", Found::Nothing, false),
        (".github", Found::Nothing, false),
        ("v1.", Found::Nothing, false),
        ("a.d/b", Found::Nothing, false),
        // What it says itself goes before what is there.
        ("src/db.d/", Found::Nothing, false),
        ("src/db.d/**", Found::File, false),
        (".", Found::File, false),
        ("src/*", Found::Directory, true),
        ("src/*/**", Found::Directory, true),
    ] {
        assert_eq!(of_files(text, found), expected, "`{text}` at {found:?}");
    }
    let id = pattern(r"app/\[id].tsx");
    assert_eq!(id.undecided(), Some("app/[id].tsx"));
    for text in [".", "src/", "src/**", "src/*", "*/src/"] {
        assert_eq!(pattern(text).undecided(), None, "{text}");
    }
}

#[test]
fn a_file_and_a_glob_are_whole_paths() {
    let db = pattern("src/db.rs").taken_for(Found::File);
    assert!(db.matches(b"src/db.rs"));
    assert!(!db.matches(b"src/db.rs/x"));
    let globs = pattern("src/**/*.rs").taken_for(Found::Nothing);
    assert!(globs.matches(b"src/db.rs") && globs.matches(b"src/a/b.rs"));
    assert!(!globs.matches(b"src/x.rs/a.md"));

    assert_claims_overlap("**/*.sql", "src/db.rs", false);
    assert_claims_overlap("src/**/*.rs", "src/**/*.md", false);
    assert_claims_overlap("src/**/*.rs", "src/a*", true);
    assert_claims_overlap("src/*", "src/auth/login.rs", false);
    assert_claims_overlap("src/*/", "src/auth/login.rs", true);
    assert_claims_overlap("packages/*/**", "packages/README.md", false);
    assert_claims_overlap("src/", "src/auth/*.rs", true);
    assert_claims_overlap("src/db.rs", "src/db.rs", true);
    // Git cannot have both a file and a directory of one name.
    assert_claims_overlap("src/db.rs", "src/db.rs/", true);
    assert_claims_overlap("src/db.rs", "src/db.rs/x", false);
    assert_claims_overlap(".", "a.rs", true);
    assert_claims_overlap("**/x", "a/b", true);
    assert_claims_overlap("**/x", "a/b.c", false);
}

#[test]
fn a_directory_is_named_with_or_without_a_slash() {
    let includes = |a: &PathPattern, b: &str| a.includes(&pattern(b));
    assert!(includes(&pattern("src"), "src/") && includes(&pattern("src/"), "src"));
    assert!(includes(&pattern("src/*"), "src/*"));
    assert!(!includes(&pattern("src/*/"), "src/*") && !includes(&pattern("src"), "src/a"));
    let file = pattern("src").taken_for(Found::File);
    assert!(includes(&file, "src") && !includes(&file, "src/"));
}

#[test]
fn a_claim_of_an_older_version_matches_all_that_is_below() {
    let old = pattern("**/*.sql");
    assert!(old.matches(b"a.sql/b"));
    let new = pattern("src/db.rs").taken_for(Found::File);
    assert!(!old.overlaps(&new));
    assert!(old.overlaps(&pattern("src/db.rs")));
    assert!(pattern("src/*").overlaps(&pattern("src/a/b.rs").taken_for(Found::File)));
}

#[test]
fn a_pattern_covers_what_is_surely_in_it() {
    let covers = |one: &str, other: &str| {
        let [one, other] = [one, other].map(|text| pattern(text).taken_for(Found::Nothing));
        one.covers(&other)
    };
    for (one, other) in [
        ("CHANGELOG.md", "CHANGELOG.md"),
        ("docs/", "docs/*.md"),
        ("docs", "docs/a/**"),
        ("**/CHANGELOG.md", "api/CHANGELOG.md"),
        ("**/CHANGELOG.md", "api/**/CHANGELOG.md"),
        ("**/*.lock", "web/yarn.lock"),
        ("*/*", "[ab]/c.md"),
        (".", "**/*"),
    ] {
        assert!(covers(one, other), "{one} covers {other}");
    }
    for (one, other) in [
        ("CHANGELOG.md", "."),
        ("CHANGELOG.md", "CHANGELOG.md/"),
        ("docs/*.md", "docs/"),
        ("**/*.lock", "web/*"),
        ("*/c.md", "**/c.md"),
        ("*/c.md", "a/b/c.md"),
        ("a?", "a*"),
        ("**/a", "a/**"),
    ] {
        assert!(!covers(one, other), "{one} does not cover {other}");
    }
}

#[test]
fn names_git_does_not_track_are_no_overlap() {
    assert_overlap("?", ".*", false);
    assert_overlap("??", ".*", true);
    assert_overlap("[.]?", "?[.]", false);
    assert_overlap(".g*", "?git", false);
    assert_overlap(".g*", "?git*", true);
    assert_overlap(".[gh]it", ".[gG]*", false);
    assert_overlap(".[gh]it", ".[Gh]*", true);
    assert_overlap("*.", ".*", true);
    assert_overlap(".g[i]", ".gi*", true);
}

#[test]
fn hostile_patterns_take_no_longer_than_their_product() {
    let a = pattern(&format!("{}b", "*a".repeat(1000)));
    let b = pattern(&format!("{}c", "*a".repeat(1000)));
    assert!(!a.overlaps(&b));
    assert!(!a.matches("a".repeat(4000).as_bytes()));
    let a = pattern(&format!("{}b/x", "**/a/".repeat(300)));
    let b = pattern(&format!("{}c", "a/".repeat(1500)));
    assert!(a.overlaps(&b));
    assert!(!a.matches("a/".repeat(2000).trim_end_matches('/').as_bytes()));
}

/// The rules again, as plainly as possible: recursive, on text, exponential.
fn naive(pattern: &str, of_files: bool, path: &str) -> bool {
    fn parts_match(parts: &[&str], of_files: bool, names: &[&str]) -> bool {
        match parts {
            [] => names.is_empty() || !of_files,
            ["**", rest @ ..] => {
                (0..=names.len()).any(|taken| parts_match(rest, of_files, &names[taken..]))
            }
            [part, rest @ ..] => names.split_first().is_some_and(|(name, names)| {
                let (part, name): (Vec<char>, Vec<char>) =
                    (part.chars().collect(), name.chars().collect());
                name_matches(&part, &name) && parts_match(rest, of_files, names)
            }),
        }
    }
    fn name_matches(part: &[char], name: &[char]) -> bool {
        let one = |rest: &[char], fits: &dyn Fn(char) -> bool| {
            name.split_first()
                .is_some_and(|(&c, name)| fits(c) && name_matches(rest, name))
        };
        match part {
            [] => name.is_empty(),
            ['*', rest @ ..] => (0..=name.len()).any(|taken| name_matches(rest, &name[taken..])),
            ['?', rest @ ..] => one(rest, &|_| true),
            ['\\', c, rest @ ..] => one(rest, &|d| d == *c),
            ['[', '!', class @ ..] => {
                let end = class.iter().position(|&c| c == ']').unwrap();
                one(&class[end + 1..], &|c| !class[..end].contains(&c))
            }
            ['[', class @ ..] => {
                let end = class.iter().position(|&c| c == ']').unwrap();
                one(&class[end + 1..], &|c| class[..end].contains(&c))
            }
            [c, rest @ ..] => one(rest, &|d| d == *c),
        }
    }
    let mut pattern: Vec<&str> = pattern.split('/').collect();
    if pattern.last() == Some(&"") {
        pattern.push("**");
    }
    pattern.retain(|part| !part.is_empty());
    let ends = pattern.iter().rposition(|part| *part != "**");
    let above = &pattern[..ends.map_or(0, |last| last + 1)];
    // At the end of a glob, `**` is one component or more.
    if above.len() < pattern.len() && above.iter().any(|part| part.contains(['*', '?', '['])) {
        pattern.push("*");
    }
    let path: Vec<&str> = path.split('/').collect();
    let tracked = path
        .iter()
        .all(|name| !["", ".", ".."].contains(name) && !name.eq_ignore_ascii_case(".git"));
    tracked && parts_match(&pattern, of_files, &path)
}

/// All texts of up to `len` of these characters that are paths.
fn all_paths(alphabet: &str, len: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut longest = 0..1;
    for _ in 0..len {
        let before = all.len();
        for at in longest {
            for c in alphabet.chars() {
                all.push(format!("{}{c}", all[at]));
            }
        }
        longest = before..all.len();
    }
    all.retain(|path| is_path(path.as_bytes()));
    all
}

/// A token that takes one character, of those over `a`, `b` and any other.
fn one() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a", "b", "a", "b", "?", "[ab]", "[!a]", "[!ab]", "\\a",
    ])
    .prop_map(str::to_owned)
}

/// A name of up to `ones` such tokens, with stars between.
fn name(ones: usize) -> impl Strategy<Value = String> {
    (
        prop::collection::vec((any::<bool>(), one()), 0..=ones),
        any::<bool>(),
    )
        .prop_map(|(tokens, star)| {
            let mut name = String::new();
            for (star, one) in &tokens {
                name.push_str(if *star { "*" } else { "" });
                name.push_str(one);
            }
            // Without a token there is only the star.
            name.push_str(if star || tokens.is_empty() { "*" } else { "" });
            name
        })
}

/// Patterns of weight 4 at most, where a name weighs 1 + its one-character tokens (at least one).
fn small_pattern() -> impl Strategy<Value = String> {
    let tree = || prop::sample::select(vec!["", "", "**/"]);
    let below = || prop::sample::select(vec!["", "**"]);
    prop_oneof![
        (tree(), name(3)).prop_map(|(tree, name)| format!("{tree}{name}")),
        (tree(), name(1), tree(), name(1)).prop_map(|(t, n, u, m)| format!("{t}{n}/{u}{m}")),
        (tree(), name(1), below()).prop_map(|(t, n, below)| format!("{t}{n}/{below}")),
    ]
}

/// Such a pattern, taken for files or not.
fn small_claim() -> impl Strategy<Value = PathPattern> {
    (small_pattern(), found()).prop_map(|(text, found)| taken_for(&text, found))
}

/// What is at a literal when it is claimed; `None` for a claim of version 0.1.
fn found() -> impl Strategy<Value = Option<Found>> + Clone {
    let all = [Found::File, Found::Directory, Found::Nothing].map(Some);
    prop::sample::select([&all[..], &[None]].concat())
}

fn taken_for(text: &str, found: Option<Found>) -> PathPattern {
    match found {
        Some(found) => pattern(text).taken_for(found),
        None => pattern(text),
    }
}

/// Patterns of any shape.
fn large_pattern() -> impl Strategy<Value = String> {
    let part = prop_oneof![4 => name(3), 1 => Just("**".to_owned())];
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"))
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec("[abc]{1,4}", 1..6).prop_map(|names| names.join("/"))
}

/// Names near `.git`: each character itself, something wider, or a star in its place.
fn near_git() -> impl Strategy<Value = (String, usize)> {
    let at = |c: char| {
        prop::sample::select(vec![
            (c.to_string(), 1),
            (c.to_string(), 1),
            (c.to_string(), 1),
            (format!("[{c}]"), 1),
            ("?".to_owned(), 1),
            (format!("[{c}x]"), 1),
            (format!("[!{c}]"), 1),
            ("[.git]".to_owned(), 1),
            ("*".to_owned(), 0),
            (String::new(), 0),
        ])
    };
    (
        at('.'),
        at('g'),
        at('i'),
        at('t'),
        prop::bool::weighted(0.2),
    )
        .prop_filter_map("empty, or with `**`", |(a, b, c, d, star)| {
            let tail = if star { "*" } else { "" };
            let text = format!("{}{}{}{}{tail}", a.0, b.0, c.0, d.0);
            let ones = a.1 + b.1 + c.1 + d.1;
            (!text.is_empty() && !text.contains("**")).then_some((text, ones))
        })
}

/// Long enough for a witness, if there is one, to overlap between two small patterns.
///
/// Take a shortest path that both match. Each of its characters is taken by a one-character token of
/// a side, or is the only one of a component that a side needs but has only a star for: any other
/// could be left out. Each of its components is needed by a name of a side, and has one slash fewer
/// than there are components. So it is shorter than the two weights together: at most 4 + 4 - 1.
/// `c` stands for all characters that no pattern names.
static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| all_paths("abc/", 7));

/// As above for two single names of at most 6 one-character tokens together: a shortest common name
/// has at most 6 characters unless that is one git does not track. If a side has no star, its own
/// length, at most 4, is that of every common name; if both have, their fixed beginnings, a free
/// character, what is fixed between, and their fixed ends make a common name of at most 6 + 1.
/// That is why two names with stars are only taken with 5 tokens at most.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| all_paths(".gitx", 6));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn overlap_is_what_brute_force_finds(a in small_claim(), b in small_claim()) {
        let witness = PATHS.iter().find(|path| {
            a.matches(path.as_bytes()) && b.matches(path.as_bytes())
        });
        let of_files = (a.is_of_files(), b.is_of_files());
        prop_assert_eq!(
            a.overlaps(&b), witness.is_some(), "{} and {} {:?}: {:?}", a, b, of_files, witness
        );
    }

    #[test]
    fn what_covers_another_matches_all_that_it_does(a in small_claim(), b in small_claim()) {
        prop_assert!(a.covers(&a), "{}", a);
        prop_assert!(pattern(".").covers(&a), "{}", a);
        if a.covers(&b) {
            for path in PATHS.iter().filter(|path| b.matches(path.as_bytes())) {
                prop_assert!(a.matches(path.as_bytes()), "{} covers {}, not {}", a, b, path);
            }
        }
    }

    #[test]
    fn overlap_near_git_is_what_brute_force_finds(
        (a, n) in near_git(), (b, m) in near_git(), of_files in any::<bool>(),
    ) {
        prop_assume!(!(a.contains('*') && b.contains('*')) || n + m <= 5);
        let (Ok(a), Ok(b)) = (PathPattern::parse(&a), PathPattern::parse(&b)) else {
            return Ok(());
        };
        let a = if of_files { a.of_files() } else { a };
        let witness = NAMES.iter().find(|name| {
            a.matches(name.as_bytes()) && b.matches(name.as_bytes())
        });
        prop_assert_eq!(a.overlaps(&b), witness.is_some(), "{} and {}: {:?}", a, b, witness);
    }

    #[test]
    fn a_path_both_match_is_an_overlap(
        a in large_pattern(), b in large_pattern(), path in path(), x in found(), y in found(),
    ) {
        let (a, b) = (taken_for(&a, x), taken_for(&b, y));
        if a.matches(path.as_bytes()) && b.matches(path.as_bytes()) {
            prop_assert!(a.overlaps(&b), "{a} and {b} by {path}");
        }
        prop_assert_eq!(a.overlaps(&b), b.overlaps(&a));
        prop_assert!(a.overlaps(&a));
        prop_assert!(a.overlaps(&pattern(".")));
        // A path overlaps what matches it, as a claim on exactly that file would.
        let file = pattern(&path).taken_for(Found::File);
        prop_assert_eq!(a.matches(path.as_bytes()), a.overlaps(&file), "{} and {}", a, file);
        // What was claimed before it was known matches no less.
        prop_assert!(!a.overlaps(&b) || pattern(a.as_str()).overlaps(&pattern(b.as_str())));
    }

    #[test]
    fn matching_is_what_the_rules_say(text in large_pattern(), path in path(), found in found()) {
        let pattern = taken_for(&text, found);
        let expected = naive(&text, pattern.is_of_files(), &path);
        prop_assert_eq!(pattern.matches(path.as_bytes()), expected);
    }

    #[test]
    fn small_patterns_match_what_the_rules_say(
        text in small_pattern(), skip in 0..97_usize, found in found(),
    ) {
        let pattern = taken_for(&text, found);
        for path in PATHS.iter().skip(skip).step_by(97) {
            prop_assert_eq!(pattern.matches(path.as_bytes()), naive(&text, pattern.is_of_files(), path), "{}", path);
        }
    }

    #[test]
    fn the_text_reads_back(text in r"[a\[\]!^\\*?./ é-]{1,10}") {
        if let Ok(pattern) = PathPattern::parse(&text) {
            prop_assert_eq!(PathPattern::parse(pattern.as_str()), Ok(pattern.clone()), "{}", text);
            prop_assert!(pattern.overlaps(&pattern), "{}", text);
        }
    }

    #[test]
    fn any_name_can_be_claimed_from_its_directory(dir in r"[a\[\]!^\\*?{},# -]{1,6}") {
        let pattern = PathPattern::parse_in(".", &dir).unwrap();
        prop_assert!(!pattern.is_glob());
        prop_assert!(pattern.matches(dir.as_bytes()));
    }
}

#[test]
fn order_and_equality_follow_the_text() {
    let set: BTreeSet<PathPattern> = ["b", "a/**", "a", "a/*", "./b"]
        .into_iter()
        .map(pattern)
        .collect();
    let texts: Vec<&str> = set.iter().map(PathPattern::as_str).collect();
    assert_eq!(texts, ["a", "a/", "a/*", "b"]);
    assert_eq!(pattern("a"), pattern("a").of_files());
}
