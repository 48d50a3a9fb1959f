//! Sets of symbols: what one token of a glob can match.
//!
//! A symbol is a Unicode scalar, or `STRAY` for a byte that is no part of valid UTF-8. One symbol
//! does for all such bytes, because no pattern can tell them apart; the byte `FF` stands for it in
//! any context, so every row of symbols is the reading of some path.

use std::iter::Peekable;
use std::str::Chars;

use super::GlobFault;

pub(super) type Symbol = u32;

/// First and last of a run of symbols, both included.
pub(super) type Range = (Symbol, Symbol);

/// A byte that is no part of valid UTF-8.
pub(super) const STRAY: Symbol = 0x11_0000;

/// Every symbol a component may hold: no NUL, no `/`, no surrogate.
pub(super) const ANY: &[Range] = &[(1, 0x2E), (0x30, 0xD7FF), (0xE000, STRAY)];

/// Returns the first symbol of `bytes` and its length; `None` at the end.
pub(super) fn first_symbol(bytes: &[u8]) -> Option<(Symbol, usize)> {
    let &lead = bytes.first()?;
    let len = match lead {
        0..0x80 => return Some((Symbol::from(lead), 1)),
        0xC2..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0..0xF5 => 4,
        _ => return Some((STRAY, 1)),
    };
    let scalar = bytes
        .get(..len)
        .and_then(|unit| std::str::from_utf8(unit).ok());
    Some(match scalar.and_then(|text| text.chars().next()) {
        Some(scalar) => (Symbol::from(scalar), len),
        None => (STRAY, 1),
    })
}

/// Returns the runs that two sorted lists of runs share, in order.
pub(super) fn intersect<'a>(
    mut a: &'a [Range],
    mut b: &'a [Range],
) -> impl Iterator<Item = Range> + 'a {
    std::iter::from_fn(move || {
        while let (Some(&(a_from, a_to)), Some(&(b_from, b_to))) = (a.first(), b.first()) {
            if a_to <= b_to {
                a = &a[1..];
            }
            if b_to <= a_to {
                b = &b[1..];
            }
            let (from, to) = (a_from.max(b_from), a_to.min(b_to));
            if from <= to {
                return Some((from, to));
            }
        }
        None
    })
}

/// Reads a class whose `[` was just taken; returns the symbols in it and its canonical text.
pub(super) fn parse(chars: &mut Peekable<Chars<'_>>) -> Result<(Vec<Range>, String), GlobFault> {
    let negated = chars.next_if(|&c| c == '!' || c == '^').is_some();
    let mut listed: Vec<(char, char)> = Vec::new();
    loop {
        let from = match chars.next().ok_or(GlobFault::UnclosedClass)? {
            ']' => break,
            '[' if chars.peek() == Some(&':') => return Err(GlobFault::NamedClass),
            '\\' => chars.next().ok_or(GlobFault::DanglingEscape)?,
            c => c,
        };
        // A `-` is a range between two members, and itself at either end.
        let mut ahead = chars.clone();
        let mut to = from;
        if ahead.next() == Some('-') && ahead.peek().is_some_and(|&c| c != ']') {
            to = match ahead.next() {
                Some('\\') => ahead.next().ok_or(GlobFault::DanglingEscape)?,
                Some(c) => c,
                None => return Err(GlobFault::UnclosedClass),
            };
            *chars = ahead;
        }
        if from > to {
            return Err(GlobFault::ReversedRange { from, to });
        }
        listed.push((from, to));
    }
    if listed.is_empty() {
        return Err(GlobFault::EmptyClass);
    }
    let listed = merged(listed);

    let ranges: Vec<Range> = listed
        .iter()
        .map(|&(from, to)| (Symbol::from(from), Symbol::from(to)))
        .collect();
    let ranges = if negated { complement(&ranges) } else { ranges };
    Ok((
        intersect(&ranges, ANY).collect(),
        canonical(negated, &listed),
    ))
}

/// Sorts runs and joins those that meet, so that each set is written in one way only.
fn merged(mut listed: Vec<(char, char)>) -> Vec<(char, char)> {
    listed.sort_unstable();
    let mut merged: Vec<(char, char)> = Vec::new();
    for (from, to) in listed {
        match merged.last_mut() {
            Some(last) if u32::from(from) <= u32::from(last.1) + 1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

fn complement(ranges: &[Range]) -> Vec<Range> {
    let mut next = 0;
    let mut gaps = Vec::with_capacity(ranges.len() + 1);
    for &(from, to) in ranges {
        if next < from {
            gaps.push((next, from - 1));
        }
        next = to + 1;
    }
    gaps.push((next, STRAY));
    gaps
}

fn canonical(negated: bool, listed: &[(char, char)]) -> String {
    let mut text = String::from(if negated { "[!" } else { "[" });
    let push = |text: &mut String, c: char| {
        if matches!(c, '\\' | ']' | '[' | '-' | '!' | '^') {
            text.push('\\');
        }
        text.push(c);
    };
    for &(from, to) in listed {
        push(&mut text, from);
        if u32::from(to) > u32::from(from) + 1 {
            text.push('-');
        }
        if to != from {
            push(&mut text, to);
        }
    }
    text.push(']');
    text
}
