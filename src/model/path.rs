//! Path patterns: what a claim says about paths, what it matches, and when two of them collide.
//!
//! A pattern is relative to the repository's root. It is one of
//!
//! - a *literal*: `src/auth` is that file, or that directory with everything below it;
//!   `src/auth/`, also written `src/auth/**`, says that it is the directory;
//! - a *glob*, which is matched against whole paths:
//!   `*` is any run of characters but `/` (possibly none), `?` one character but `/`,
//!   `[a-z_]` one of these, `[!a-z]` or `[^a-z]` one but these (neither ever matches `/`),
//!   and `**`, alone in its component, any number of components (possibly none; at the end, one
//!   or more). So `src/*` does not match `src/auth/login.rs`; `src/*/**` and `src/*/` do;
//! - `.`: everything.
//!
//! What a pattern is *taken for* is decided when it is claimed, see [`PathPattern::taken_for`], and
//! kept in the claim. Before that, and in claims of version 0.1, it matches everything that it may
//! mean: what it names and all below, for globs too.
//!
//! `\` takes the meaning from the character after it, in and outside `[…]`: the directory `[id]` is
//! claimed as `\[id]`. Names that start with a dot are not special. Case matters, and so does
//! Unicode normalisation: names are compared as git stores them.
//!
//! Paths are bytes, patterns are text. `?`, `*` and classes see a path as a row of symbols: one for
//! each Unicode scalar, and one for each byte that is no part of valid UTF-8. Such a byte is in no
//! `[…]` and in every `[!…]`.
//!
//! A *path* is one or more components joined by `/`, none of which is empty, `.`, `..` or `.git` in
//! any case: git tracks no other. Nothing else is ever matched, and `overlaps` asks about these alone.
//! So `?` and `.*` do not overlap: all they share is `.`.
//!
//! Patterns that mean the same by these rules are mostly the same value: `./src//auth/` and
//! `src/auth/**` are `src/auth/`, and `src/\auth` is `src/auth`.

mod class;
mod cover;
mod glob;
mod overlap;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::str::FromStr;
use std::sync::OnceLock;

use thiserror::Error;

pub use glob::GlobFault;
use glob::{Part, Reach};

/// The longest pattern accepted, in bytes: the longest path Linux accepts.
pub const MAX_LEN: usize = 4096;

/// A claimed path: a file, a directory (all below) or a glob, relative to the repository's root.
///
/// Compared, ordered and hashed by its canonical text, whatever it was taken for.
#[derive(Clone)]
pub struct PathPattern {
    text: String,
    /// Whether it was taken for files: then it does not match what lies below its matches.
    of_files: bool,
    /// Made when it is first needed: most of ten thousand patterns never are.
    compiled: OnceLock<Compiled>,
}

/// A pattern taken apart.
#[derive(Clone)]
struct Compiled {
    /// What every matched path starts with: a literal's whole name, or the components before
    /// a glob's first wildcard with the `/` after them. Most comparisons end here.
    head: String,
    parts: Vec<Part>,
    /// How many of `parts` are in `head`.
    in_head: usize,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    File,
    Directory,
    Nothing,
}

/// Why a text is not a path pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathError {
    #[error("a path must not be empty (`.` is the whole repository)")]
    Empty,
    #[error("a path of {len} bytes is too long: at most {MAX_LEN} are possible")]
    TooLong { len: usize },
    #[error("`{}` contains a control character", .pattern.escape_debug())]
    Control { pattern: String },
    #[error("`{pattern}` is absolute: paths are relative to the repository's root")]
    Absolute { pattern: String },
    #[error("`{pattern}` leaves the repository")]
    Outside { pattern: String },
    #[error("`{pattern}` is inside `.git`, which git does not track")]
    InsideGit { pattern: String },
    #[error("`{pattern}` has `..` after a wildcard, which names no directory")]
    ParentOfGlob { pattern: String },
    #[error("`{pattern}` matches no path: no file is named `.` or `..`")]
    MatchesNothing { pattern: String },
    #[error("`{pattern}` is malformed: {fault}")]
    Malformed { pattern: String, fault: GlobFault },
}

impl PathPattern {
    /// Returns the pattern that `text`, relative to the repository's root, stands for.
    pub fn parse(text: &str) -> Result<PathPattern, PathError> {
        PathPattern::parse_in(text, "")
    }

    /// Returns the pattern for `text` as typed in the directory `prefix`.
    ///
    /// `prefix` is a plain path below the root (`""` at the root, `src/auth` or `src/auth/`), in which
    /// no character is special. `.` and `..` are resolved by name alone, without following links.
    pub fn parse_in(text: &str, prefix: &str) -> Result<PathPattern, PathError> {
        let pattern = || text.to_owned();
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > MAX_LEN {
            return Err(PathError::TooLong { len: text.len() });
        }
        if text.contains(char::is_control) || prefix.contains(char::is_control) {
            let pattern = if prefix.is_empty() {
                pattern()
            } else {
                format!("{prefix}/{text}")
            };
            return Err(PathError::Control { pattern });
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute { pattern: pattern() });
        }

        // Each part with its canonical text.
        let mut parts: Vec<(Part, String)> = Vec::new();
        let typed = text.split('/').map(|component| (component, false));
        let above = prefix.split('/').map(|component| (component, true));
        for (component, plain) in above.chain(typed) {
            match component {
                "" | "." => {}
                ".." => match parts.pop() {
                    Some((Part::Exact(_), _)) => {}
                    Some(_) => return Err(PathError::ParentOfGlob { pattern: pattern() }),
                    None => return Err(PathError::Outside { pattern: pattern() }),
                },
                "**" if !plain => {
                    if !matches!(parts.last(), Some((Part::Tree, _))) {
                        parts.push((Part::Tree, component.to_owned()));
                    }
                }
                _ => {
                    let part = if plain {
                        Part::exact(component)
                    } else {
                        Part::parse(component).map_err(|fault| PathError::Malformed {
                            pattern: pattern(),
                            fault,
                        })?
                    };
                    match part.0.reserved() {
                        Some(".git") => return Err(PathError::InsideGit { pattern: pattern() }),
                        Some(_) => return Err(PathError::MatchesNothing { pattern: pattern() }),
                        None => parts.push(part),
                    }
                }
            }
        }
        // All that is below is matched, so `src/**` is `src/` and `**` is everything.
        let tree = parts.pop_if(|(part, _)| matches!(part, Part::Tree));
        let last = text.rsplit('/').next();
        let directory = tree.is_some() || matches!(last, Some("" | "." | ".."));

        let (mut parts, texts): (Vec<Part>, Vec<String>) = parts.into_iter().unzip();
        let mut text = texts.join("/");
        if text.is_empty() {
            text.push('.');
        } else if directory && parts.iter().all(|part| matches!(part, Part::Exact(_))) {
            text.push('/');
        } else if directory {
            text.push_str("/**");
            parts.extend([Part::Tree, Part::any()]);
        }
        // Only now is the length of prefix and escapes known; a longer text could not be read back.
        if text.len() > MAX_LEN {
            return Err(PathError::TooLong { len: text.len() });
        }
        Ok(PathPattern {
            text,
            of_files: false,
            compiled: OnceLock::from(Compiled::new(parts)),
        })
    }

    /// Returns the pattern whose canonical text this is, as [`PathPattern::as_str`] gave it.
    ///
    /// For text that was checked before, like a cache's; it is taken apart only when needed.
    pub fn from_canonical(text: String) -> PathPattern {
        PathPattern {
            text,
            of_files: false,
            compiled: OnceLock::new(),
        }
    }

    /// Returns the path where it matters to [`PathPattern::taken_for`] what is there; `None` if
    /// the text alone says what the pattern means.
    pub fn undecided(&self) -> Option<&str> {
        let open = self.text != "." && !self.text.ends_with('/') && !self.is_glob();
        open.then(|| self.anchor())
    }

    /// Returns the pattern as it is meant in a tree that has this at [`PathPattern::undecided`].
    ///
    /// A glob means whole paths. A literal means the file or the directory that is there; where
    /// nothing is, a file if its last part has an extension, else either.
    pub fn taken_for(&self, found: Found) -> PathPattern {
        let of_files = match (self.undecided(), found) {
            (None, _) => self.is_glob(),
            (Some(_), Found::File) => true,
            (Some(_), Found::Directory) => false,
            (Some(name), Found::Nothing) => {
                let extension = Path::new(name).extension();
                extension.is_some_and(|extension| !extension.is_empty())
            }
        };
        PathPattern {
            of_files,
            ..self.clone()
        }
    }

    /// Returns the pattern taken for files: it matches whole paths, and nothing below them.
    pub fn of_files(self) -> PathPattern {
        PathPattern {
            of_files: true,
            ..self
        }
    }

    /// Whether it was taken for files; see [`PathPattern::of_files`].
    pub fn is_of_files(&self) -> bool {
        self.of_files
    }

    fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| {
            PathPattern::parse(&self.text)
                .ok()
                .and_then(|pattern| pattern.compiled.into_inner())
                // Not canonical after all: then it is a plain name.
                .unwrap_or_else(|| Compiled::new(vec![Part::exact(&self.text).0]))
        })
    }

    /// Returns the canonical text: parsing it gives an equal pattern.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern has a wildcard that matters: `src/**` is the directory `src/`, no glob.
    pub fn is_glob(&self) -> bool {
        self.compiled().is_glob()
    }

    /// Returns the plain path that all matches are, or are below; empty for the whole repository.
    ///
    /// For looking patterns up by the directories of a path.
    pub fn anchor(&self) -> &str {
        let head = &self.compiled().head;
        head.strip_suffix('/').unwrap_or(head)
    }

    /// Whether `path` is matched; relative to the root, `/`-separated, as git gives it.
    ///
    /// Takes at most |pattern| × |path| steps and allocates nothing.
    pub fn matches(&self, path: &[u8]) -> bool {
        let compiled = self.compiled();
        let Some(rest) = path.strip_prefix(compiled.head.as_bytes()) else {
            return false;
        };
        let matched = if compiled.is_glob() {
            glob::matches(&compiled.parts[compiled.in_head..], self.reach(), rest)
        } else {
            rest.is_empty() || !self.of_files && (compiled.head.is_empty() || rest[0] == b'/')
        };
        // Last, because most paths are not matched.
        matched && is_path(path)
    }

    /// Whether some path exists that both patterns match.
    ///
    /// Exact, and takes at most |self| × |other| steps.
    pub fn overlaps(&self, other: &PathPattern) -> bool {
        let (ours, theirs) = (self.compiled(), other.compiled());
        let (a, b) = (ours.head.as_bytes(), theirs.head.as_bytes());
        let shared = a.len().min(b.len());
        if a[..shared] != b[..shared] {
            return false;
        }
        if ours.is_glob() || theirs.is_glob() {
            return overlap::overlap((&ours.parts, self.reach()), (&theirs.parts, other.reach()));
        }
        // Two literals: one is the other, or a directory above it.
        let (above, longer) = if a.len() > b.len() {
            (other, a)
        } else {
            (self, b)
        };
        match longer.get(shared) {
            None => true,
            Some(&next) => !above.of_files && (shared == 0 || next == b'/'),
        }
    }

    /// Whether whoever has claimed this has claimed `other`, by name: the text is the same, or both
    /// are one directory.
    pub fn includes(&self, other: &PathPattern) -> bool {
        let [ours, theirs] = [self, other].map(|path| path.text.trim_end_matches('/'));
        self == other || !self.of_files && ours == theirs
    }

    /// Whether every path that `other` matches is surely matched.
    ///
    /// Never wrong when it says so. A wildcard in `other` is only followed where this has `*` or
    /// `**`, or the same.
    pub fn covers(&self, other: &PathPattern) -> bool {
        let (ours, theirs) = (self.compiled(), other.compiled());
        cover::covers((&ours.parts, self.reach()), (&theirs.parts, other.reach()))
    }

    fn reach(&self) -> Reach {
        if self.of_files {
            Reach::Whole
        } else {
            Reach::Below
        }
    }
}

impl Compiled {
    fn new(parts: Vec<Part>) -> Compiled {
        let mut head = String::new();
        let mut in_head = 0;
        for part in &parts {
            let Part::Exact(name) = part else { break };
            head.push_str(name);
            head.push('/');
            in_head += 1;
        }
        if in_head == parts.len() {
            head.pop();
        }
        Compiled {
            head,
            parts,
            in_head,
        }
    }

    fn is_glob(&self) -> bool {
        self.in_head < self.parts.len()
    }
}

impl PartialEq for PathPattern {
    fn eq(&self, other: &PathPattern) -> bool {
        self.text == other.text
    }
}

impl Eq for PathPattern {}

impl PartialOrd for PathPattern {
    fn partial_cmp(&self, other: &PathPattern) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PathPattern {
    fn cmp(&self, other: &PathPattern) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for PathPattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for PathPattern {
    type Err = PathError;

    fn from_str(text: &str) -> Result<PathPattern, PathError> {
        PathPattern::parse(text)
    }
}

/// Whether git could track a file of this name.
fn is_path(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/')
        .all(|name| !matches!(name, b"" | b"." | b"..") && !name.eq_ignore_ascii_case(b".git"))
}
