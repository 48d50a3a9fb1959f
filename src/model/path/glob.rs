//! The parts of a pattern, one for each component, and how they match a path.

use std::slice;

use thiserror::Error;

use super::class::{self, ANY, Range, Symbol};

/// What is wrong with a component of a glob.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GlobFault {
    #[error("`[` is not closed in its component (write `\\[` for the character)")]
    UnclosedClass,
    #[error("`[]` is empty (write `\\]` for the character)")]
    EmptyClass,
    #[error("the range `{from}-{to}` is reversed")]
    ReversedRange { from: char, to: char },
    #[error("named classes like `[:alpha:]` are not supported")]
    NamedClass,
    #[error("`**` must be alone between slashes")]
    TreeNotAlone,
    #[error("`\\` has no character after it")]
    DanglingEscape,
}

/// How far a row of parts reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It matches whole paths.
    Whole,
    /// It also matches everything below what it matches.
    Below,
}

/// One component of a pattern. A row of them never ends with `Tree`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    /// This name.
    Exact(String),
    /// A name with wildcards.
    Glob(Glob),
    /// `**`: any number of components.
    Tree,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Glob {
    /// No two `Star` in a row.
    pub(super) tokens: Vec<Token>,
    /// What follows the last wildcard; most names `*.rs` meets are told apart by it.
    tail: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Token {
    One(Range),
    Any,
    /// Sorted runs, never empty.
    Class(Vec<Range>),
    Star,
}

impl Token {
    /// Returns the symbols this can match; for `Star`, those it can match one at a time.
    pub(super) fn symbols(&self) -> &[Range] {
        match self {
            Token::One(range) => slice::from_ref(range),
            Token::Class(ranges) => ranges,
            Token::Any | Token::Star => ANY,
        }
    }

    fn has(&self, symbol: Symbol) -> bool {
        match self {
            Token::One((only, _)) => *only == symbol,
            // What is matched holds no `/` or NUL.
            Token::Any | Token::Star => true,
            Token::Class(ranges) => {
                let after = ranges.partition_point(|&(from, _)| from <= symbol);
                after > 0 && symbol <= ranges[after - 1].1
            }
        }
    }
}

impl Part {
    /// Returns the part that is this name, in which no character is special, and its text.
    pub(super) fn exact(name: &str) -> (Part, String) {
        let mut text = String::with_capacity(name.len());
        name.chars().for_each(|c| push_escaped(&mut text, c));
        (Part::Exact(name.to_owned()), text)
    }

    /// Returns the part that is any name: `*`.
    pub(super) fn any() -> Part {
        Part::Glob(Glob {
            tokens: vec![Token::Star],
            tail: String::new(),
        })
    }

    /// Reads a component that is not `**`; returns it with its canonical text.
    pub(super) fn parse(component: &str) -> Result<(Part, String), GlobFault> {
        let mut text = String::with_capacity(component.len());
        let mut tokens = Vec::new();
        // What was read since the last wildcard.
        let mut tail = String::with_capacity(component.len());
        let mut wild = false;
        let mut chars = component.chars().peekable();
        while let Some(c) = chars.next() {
            let token = match c {
                '*' if tokens.last() == Some(&Token::Star) => return Err(GlobFault::TreeNotAlone),
                '*' => {
                    text.push('*');
                    Token::Star
                }
                '?' => {
                    text.push('?');
                    Token::Any
                }
                '[' => {
                    let (ranges, canonical) = class::parse(&mut chars)?;
                    text.push_str(&canonical);
                    Token::Class(ranges)
                }
                c => {
                    let c = match c {
                        '\\' => chars.next().ok_or(GlobFault::DanglingEscape)?,
                        c => c,
                    };
                    tail.push(c);
                    push_escaped(&mut text, c);
                    Token::One((Symbol::from(c), Symbol::from(c)))
                }
            };
            if !matches!(token, Token::One(_)) {
                wild = true;
                tail.clear();
            }
            tokens.push(token);
        }
        let part = if wild {
            Part::Glob(Glob { tokens, tail })
        } else {
            Part::Exact(tail)
        };
        Ok((part, text))
    }

    /// Returns which of `.`, `..` and `.git` is all that this can match, if it is.
    ///
    /// Such a part would make a pattern that matches nothing, though no other part can.
    pub(super) fn reserved(&self) -> Option<&'static str> {
        // A `Star` can match names of any length; all else one symbol each.
        let only = |row: &[&str]| match self {
            Part::Exact(name) => {
                name.chars().count() == row.len()
                    && name.chars().zip(row).all(|(c, set)| set.contains(c))
            }
            Part::Glob(Glob { tokens, .. }) => {
                tokens.len() == row.len() && tokens.iter().zip(row).all(|(t, set)| within(t, set))
            }
            Part::Tree => false,
        };
        if only(&["."]) {
            Some(".")
        } else if only(&[".", "."]) {
            Some("..")
        } else if only(&[".", "gG", "iI", "tT"]) {
            Some(".git")
        } else {
            None
        }
    }

    fn matches(&self, name: &[u8]) -> bool {
        match self {
            Part::Exact(exact) => exact.as_bytes() == name,
            Part::Glob(glob) => glob.matches(name),
            Part::Tree => true,
        }
    }
}

fn push_escaped(text: &mut String, c: char) {
    if matches!(c, '\\' | '*' | '?' | '[') {
        text.push('\\');
    }
    text.push(c);
}

fn within(token: &Token, set: &str) -> bool {
    *token != Token::Star
        && token.symbols().iter().all(|&(from, to)| {
            (from..=to).all(|symbol| char::from_u32(symbol).is_some_and(|c| set.contains(c)))
        })
}

/// Whether the parts match `path` or, if they reach below, a directory above it.
///
/// When a part does not fit, only the last `**` is widened: an earlier one would leave less of the
/// path for the same parts. So the work is bounded by |parts| × |path|, not exponential.
pub(super) fn matches(parts: &[Part], reach: Reach, path: &[u8]) -> bool {
    let mut at = 0;
    let mut rest = Some(path);
    let mut last_tree: Option<(usize, &[u8])> = None;
    loop {
        match (parts.get(at), rest) {
            (None, rest) if reach == Reach::Below || rest.is_none() => return true,
            (None, _) => {}
            // Widening a `**` would leave still less.
            (Some(_), None) => return false,
            (Some(Part::Tree), Some(path)) => {
                at += 1;
                last_tree = Some((at, path));
                continue;
            }
            (Some(part), Some(path)) => {
                let (name, below) = split_name(path);
                if part.matches(name) {
                    at += 1;
                    rest = below;
                    continue;
                }
            }
        }
        let Some((after, path)) = last_tree else {
            return false;
        };
        let Some(below) = split_name(path).1 else {
            return false;
        };
        last_tree = Some((after, below));
        at = after;
        rest = Some(below);
    }
}

fn split_name(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match path.iter().position(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        None => (path, None),
    }
}

impl Glob {
    /// Whether the whole of `name` is matched; only the last `*` is ever widened, as above.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        if !name.ends_with(self.tail.as_bytes()) {
            return false;
        }
        let mut at = 0;
        let mut rest = name;
        let mut last_star: Option<(usize, &[u8])> = None;
        loop {
            match (self.tokens.get(at), class::first_symbol(rest)) {
                (None, None) => return true,
                (Some(Token::Star), _) => {
                    at += 1;
                    if at == self.tokens.len() {
                        return true;
                    }
                    last_star = Some((at, rest));
                    continue;
                }
                (Some(_), None) => return false,
                (Some(token), Some((symbol, len))) if token.has(symbol) => {
                    at += 1;
                    rest = &rest[len..];
                    continue;
                }
                _ => {}
            }
            let Some((after, from)) = last_star else {
                return false;
            };
            let Some((_, len)) = class::first_symbol(from) else {
                return false;
            };
            last_star = Some((after, &from[len..]));
            at = after;
            rest = &from[len..];
        }
    }
}
