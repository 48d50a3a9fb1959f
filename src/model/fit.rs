//! Whether the paths of a task can hold what its criteria name.
//!
//! A guess for a hint, never a rule: words are no proof of what somebody means. What is missed
//! costs nothing, so only what is written in a way that hardly means anything else is looked at.

use super::path::PathPattern;

/// What a criterion names and the paths do not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The file that criterion `number`, from 1, names.
    File { number: usize, path: PathPattern },
    /// A place for the test that criterion `number` asks for.
    Test { number: usize },
}

/// Returns what is missing, one thing for each criterion at most. A task without paths claims no
/// file, so nothing is.
pub fn missing(criteria: &[String], paths: &[PathPattern]) -> Vec<Missing> {
    if paths.is_empty() {
        return Vec::new();
    }
    let covered = |path: &PathPattern| paths.iter().any(|one| one.overlaps(path));
    let for_tests = paths.iter().any(is_for_tests);
    (criteria.iter().enumerate())
        .filter_map(|(index, criterion)| {
            let number = index + 1;
            let mut files = criterion.split_whitespace().filter_map(file);
            match files.find(|path| !covered(path)) {
                Some(path) => Some(Missing::File { number, path }),
                None if for_tests || !asks_for_test(criterion) => None,
                None => Some(Missing::Test { number }),
            }
        })
        .collect()
}

/// Reads a word as a file, if it has a directory and an extension: `tests/login.rs::returns`.
fn file(word: &str) -> Option<PathPattern> {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '/' | '_'));
    let word = word.split("::").next()?.trim_end_matches('.');
    let (directory, name) = word.rsplit_once('/')?;
    let (stem, extension) = name.rsplit_once('.')?;
    let letters = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric());
    let is_extension = (1..=5).contains(&extension.len()) && letters(extension);
    // What begins with a slash is the path of an address; what has a colon, an address.
    let is_path = !directory.is_empty() && !stem.is_empty() && !word.contains([':', '*', '[', '?']);
    (is_extension && is_path)
        .then(|| PathPattern::parse(word).ok())
        .flatten()
}

/// Tells whether a criterion asks for a test: not for tests that are there to pass.
fn asks_for_test(criterion: &str) -> bool {
    let lower = criterion.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    let named = words.any(|word| matches!(word, "test" | "tests" | "tested"));
    let runs = [
        "pass",
        "green",
        "succeed",
        "still",
        "cargo test",
        "npm test",
        "make test",
    ];
    named && !runs.iter().any(|run| lower.contains(run))
}

/// Tells whether tests may be below a path: by its name, or because it is everything.
fn is_for_tests(path: &PathPattern) -> bool {
    let name = path.as_str().to_lowercase();
    let everything = path.is_glob() && path.anchor().is_empty();
    everything || name.contains("test") || name.contains("spec")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(criterion: &str, paths: &[&str]) -> Vec<Missing> {
        let paths: Vec<PathPattern> = paths.iter().map(|path| path.parse().unwrap()).collect();
        missing(&[criterion.to_owned()], &paths)
    }

    #[test]
    fn a_test_is_asked_for_and_no_path_is_for_tests() {
        let missing = [Missing::Test { number: 1 }];
        for criterion in ["a test covers it", "Tests for both cases.", "it is tested"] {
            assert_eq!(look(criterion, &["src/auth"]), missing, "{criterion}");
            assert_eq!(look(criterion, &[]), []);
            for path in ["tests", "src/auth.test.ts", "spec/login", "**/*.rs"] {
                assert_eq!(look(criterion, &["src/auth", path]), [], "{path}");
            }
        }
        for criterion in ["all tests pass", "cargo test is fast", "the latest wins"] {
            assert_eq!(look(criterion, &["src/auth"]), [], "{criterion}");
        }
    }

    #[test]
    fn a_file_is_named_that_no_path_covers() {
        let named = |path: &str| {
            let path = path.parse().unwrap();
            vec![Missing::File { number: 1, path }]
        };
        for (criterion, path) in [
            (
                "`tests/login.rs::returns_to_app` shows it",
                "tests/login.rs",
            ),
            ("see docs/api.md.", "docs/api.md"),
            ("(web/app.ts) has a test", "web/app.ts"),
        ] {
            assert_eq!(look(criterion, &["src"]), named(path), "{criterion}");
            assert_eq!(look(criterion, &[path, "tests"]), [], "{criterion}");
        }
        for criterion in [
            "login from /app.html returns there",
            "see https://example.com/a.html",
            "works in node.js and/or deno, e.g. here",
            "src/auth.rs is shorter",
        ] {
            assert_eq!(look(criterion, &["src"]), [], "{criterion}");
        }
    }
}
