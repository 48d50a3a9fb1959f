//! Whether one pattern surely matches all that another does.
//!
//! The parts of the other are read one by one, as if they were the components of a path, and it is
//! kept which parts of the one may come next, whatever name or number of names each stands for.

use super::glob::{Part, Reach, Token};

/// Whether all that `b` matches is surely matched by `a`.
pub(super) fn covers((a, a_reach): (&[Part], Reach), (b, b_reach): (&[Part], Reach)) -> bool {
    let mut next = Next::new(a, a_reach);
    for part in b {
        next.read(part);
    }
    if b_reach == Reach::Below {
        next.read(&Part::Tree);
    }
    next.at[a.len()]
}

/// The parts of a pattern that may come next; at the last place, that it may end.
struct Next<'a> {
    parts: &'a [Part],
    reach: Reach,
    at: Vec<bool>,
}

impl<'a> Next<'a> {
    fn new(parts: &'a [Part], reach: Reach) -> Next<'a> {
        let mut at = vec![false; parts.len() + 1];
        at[0] = true;
        let mut next = Next { parts, reach, at };
        next.skip_trees();
        next
    }

    fn read(&mut self, other: &Part) {
        let mut after = vec![false; self.at.len()];
        for (at, part) in self.parts.iter().enumerate().filter(|(at, _)| self.at[*at]) {
            if *part == Part::Tree {
                after[at] = true;
            } else if includes(part, other) {
                after[at + 1] = true;
            }
        }
        let end = self.parts.len();
        after[end] |= self.at[end] && self.reach == Reach::Below;
        self.at = after;
        self.skip_trees();
    }

    /// `**` may stand for nothing.
    fn skip_trees(&mut self) {
        for (at, part) in self.parts.iter().enumerate() {
            if self.at[at] && *part == Part::Tree {
                self.at[at + 1] = true;
            }
        }
    }
}

/// Whether a part that is one name is surely one that `ours` matches.
fn includes(ours: &Part, theirs: &Part) -> bool {
    match (ours, theirs) {
        (_, Part::Tree) => false,
        (Part::Glob(glob), Part::Exact(name)) => glob.matches(name.as_bytes()),
        (Part::Glob(glob), Part::Glob(_)) if glob.tokens == [Token::Star] => true,
        (ours, theirs) => ours == theirs,
    }
}
