//! Whether two patterns have a path in common: the product of their automata, walked once.
//!
//! A state of the product is a position in each pattern. Every step keeps or raises both positions,
//! so one pass over the table in row order finds all that can be reached, in |a| × |b| steps and
//! with two rows of memory. It is done twice: over components, and, where two globs meet in one
//! component, over symbols. Components can be chosen independently of each other, so a path exists
//! exactly if each pair of parts that meets on the way shares a name.

use super::class::{self, Symbol};
use super::glob::{Part, Reach, Token};

/// Whether some path is matched by both lists of parts, each as far as it reaches.
pub(super) fn overlap((a, a_reach): (&[Part], Reach), (b, b_reach): (&[Part], Reach)) -> bool {
    let mut row = vec![false; b.len() + 1];
    let mut below = vec![false; b.len() + 1];
    row[0] = true;
    for a_part in a {
        for (j, b_part) in b.iter().enumerate() {
            if !row[j] {
                continue;
            }
            // `**` may end here, or take one more component of the other side, whatever it is:
            // no part matches nothing, so there is a name to take.
            let a_tree = *a_part == Part::Tree;
            let b_tree = *b_part == Part::Tree;
            if a_tree || b_tree {
                row[j + 1] = true;
                below[j] = true;
            } else if share_name(a_part, b_part) {
                below[j + 1] = true;
            }
        }
        // `b` is used up: what is left of `a` lies below, for it does not end with `**`.
        if row[b.len()] && b_reach == Reach::Below {
            return true;
        }
        std::mem::swap(&mut row, &mut below);
        below.fill(false);
    }
    // `a` is used up: what is left of `b` lies below.
    row[b.len()] || a_reach == Reach::Below && row.contains(&true)
}

fn share_name(a: &Part, b: &Part) -> bool {
    match (a, b) {
        (Part::Exact(a), Part::Exact(b)) => a == b,
        (Part::Exact(name), Part::Glob(glob)) | (Part::Glob(glob), Part::Exact(name)) => {
            glob.matches(name.as_bytes())
        }
        (Part::Glob(a), Part::Glob(b)) => share_symbols(&a.tokens, &b.tokens),
        (Part::Tree, _) | (_, Part::Tree) => true,
    }
}

/// Whether both match some name that is not empty, `.`, `..` or `.git`.
fn share_symbols(a: &[Token], b: &[Token]) -> bool {
    let mut row = vec![Names::NONE; b.len() + 1];
    let mut below = vec![Names::NONE; b.len() + 1];
    row[0] = Names::EMPTY;
    // One column and one row more than tokens: there, the side that is used up takes nothing.
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if row[j] == Names::NONE {
                continue;
            }
            let (a_star, b_star) = (
                a.get(i) == Some(&Token::Star),
                b.get(j) == Some(&Token::Star),
            );
            if let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
                let after = row[j].then(x, y);
                match (a_star, b_star) {
                    (true, true) => row[j] = row[j].or(after),
                    (true, false) => row[j + 1] = row[j + 1].or(after),
                    (false, true) => below[j] = below[j].or(after),
                    (false, false) => below[j + 1] = below[j + 1].or(after),
                }
            }
            if a_star {
                below[j] = below[j].or(row[j]);
            }
            if b_star {
                row[j + 1] = row[j + 1].or(row[j]);
            }
        }
        if i < a.len() {
            std::mem::swap(&mut row, &mut below);
            below.fill(Names::NONE);
        }
    }
    row[b.len()].has_allowed()
}

/// Which names, as far as it matters, lead to a state: a set of stages.
///
/// The stages follow a name that may become `.`, `..` or `.git`; any other is `ORDINARY` for good.
/// An ordinary name can end wherever a name of another stage can, so it stands for all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Names(u8);

impl Names {
    const NONE: Names = Names(0);
    const EMPTY: Names = Names(1);
    const DOT: Names = Names(1 << 1);
    const DOT_DOT: Names = Names(1 << 2);
    const DOT_G: Names = Names(1 << 3);
    const DOT_GI: Names = Names(1 << 4);
    const DOT_GIT: Names = Names(1 << 5);
    const ORDINARY: Names = Names(1 << 6);

    /// At most three symbols (`.`, `g` and `G` after `.`) lead from any stage to another than
    /// `ORDINARY`, so a fourth that is possible does lead there.
    const ENOUGH: usize = 4;

    fn or(self, other: Names) -> Names {
        let both = Names(self.0 | other.0);
        if both.contains(Names::ORDINARY) {
            Names::ORDINARY
        } else {
            both
        }
    }

    fn contains(self, stage: Names) -> bool {
        self.0 & stage.0 != 0
    }

    fn has_allowed(self) -> bool {
        self.contains(Names(Names::DOT_G.0 | Names::DOT_GI.0 | Names::ORDINARY.0))
    }

    /// Returns the names longer by one symbol that both tokens match.
    fn then(self, a: &Token, b: &Token) -> Names {
        let mut shared = class::intersect(a.symbols(), b.symbols());
        if self == Names::ORDINARY {
            return if shared.next().is_some() {
                self
            } else {
                Names::NONE
            };
        }
        shared
            .flat_map(|(from, to)| from..=to)
            .take(Names::ENOUGH)
            .fold(Names::NONE, |after, symbol| {
                after.or(self.then_symbol(symbol))
            })
    }

    fn then_symbol(self, symbol: Symbol) -> Names {
        let symbol = char::from_u32(symbol).map(|c| c.to_ascii_lowercase());
        let stages = [
            Names::EMPTY,
            Names::DOT,
            Names::DOT_DOT,
            Names::DOT_G,
            Names::DOT_GI,
            Names::DOT_GIT,
            Names::ORDINARY,
        ];
        stages
            .into_iter()
            .filter(|&stage| self.contains(stage))
            .fold(Names::NONE, |after, stage| {
                after.or(match (stage, symbol) {
                    (Names::EMPTY, Some('.')) => Names::DOT,
                    (Names::DOT, Some('.')) => Names::DOT_DOT,
                    (Names::DOT, Some('g')) => Names::DOT_G,
                    (Names::DOT_G, Some('i')) => Names::DOT_GI,
                    (Names::DOT_GI, Some('t')) => Names::DOT_GIT,
                    _ => Names::ORDINARY,
                })
            })
    }
}
