//! Paths that several may hold at once, and what is in the way of what.
//!
//! A path is held alone or shared. Of two that overlap, only two shared ones go together. What the
//! team has made common (setting `paths.shared`) is nobody's alone: a pattern that is covered by it
//! is in nobody's way, and a wider one is only in the way of what lies beside.

use std::collections::BTreeSet;

use super::path::PathPattern;

/// The paths that somebody holds or asks for.
#[derive(Debug, Clone, Copy)]
pub struct Cover<'a> {
    pub paths: &'a [PathPattern],
    /// Those of `paths` that others may hold at the same time.
    pub shared: &'a BTreeSet<PathPattern>,
}

impl<'a> Cover<'a> {
    /// Returns the paths of this that cannot be held together with `other`.
    ///
    /// Where it cannot be told that all two patterns have in common is in `common`, they are in
    /// each other's way.
    pub fn in_the_way(
        self,
        other: Cover<'a>,
        common: &'a [PathPattern],
    ) -> impl Iterator<Item = &'a PathPattern> {
        self.paths.iter().filter(move |ours| {
            let mut theirs = other.paths.iter();
            theirs.any(|theirs| {
                let together = self.shared.contains(*ours) && other.shared.contains(theirs);
                ours.overlaps(theirs)
                    && !together
                    && !is_common(common, ours)
                    && !is_common(common, theirs)
            })
        })
    }

    /// Returns the paths as people are told of them.
    pub fn told(self) -> Vec<String> {
        let told = |path: &PathPattern| match self.shared.contains(path) {
            true => format!("{path} (shared)"),
            false => path.to_string(),
        };
        self.paths.iter().map(told).collect()
    }

    /// Returns how it holds a path; `None` if not at all.
    pub fn holds(self, path: &[u8]) -> Option<Hold> {
        let mut matching = self.paths.iter().filter(|it| it.matches(path)).peekable();
        matching.peek()?;
        Some(match matching.all(|it| self.shared.contains(it)) {
            true => Hold::Shared,
            false => Hold::Alone,
        })
    }
}

/// How a path is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    Shared,
    Alone,
}

/// Whether every path that `path` matches is surely in `common`.
pub fn is_common(common: &[PathPattern], path: &PathPattern) -> bool {
    common.iter().any(|one| one.covers(path))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::arbitrary;
    use crate::model::path::Found;

    fn paths(texts: &[&str]) -> Vec<PathPattern> {
        let path = |text: &&str| {
            text.parse::<PathPattern>()
                .unwrap()
                .taken_for(Found::Nothing)
        };
        texts.iter().map(path).collect()
    }

    fn conflicts(
        (ours, our_share): (&[&str], &[&str]),
        (theirs, their_share): (&[&str], &[&str]),
        common: &[&str],
    ) -> Vec<String> {
        let (ours, theirs, common) = (paths(ours), paths(theirs), paths(common));
        let our_share = paths(our_share).into_iter().collect();
        let their_share = paths(their_share).into_iter().collect();
        let cover = |paths, shared| Cover { paths, shared };
        let (a, b) = (cover(&ours, &our_share), cover(&theirs, &their_share));
        let found: Vec<String> = a.in_the_way(b, &common).map(ToString::to_string).collect();
        let back = b.in_the_way(a, &common).next().is_some();
        assert_eq!(found.is_empty(), !back);
        found
    }

    #[test]
    fn only_two_shared_paths_go_together() {
        let both: &[&str] = &["CHANGELOG.md", "src"];
        let log: &[&str] = &["CHANGELOG.md"];
        assert_eq!(conflicts((both, log), (log, log), &[]), [""; 0]);
        assert_eq!(conflicts((both, log), (log, &[]), &[]), log);
        assert_eq!(conflicts((both, &[]), (log, log), &[]), log);
        // A directory that is held alone holds what lies in it.
        assert_eq!(conflicts((&["."], &[]), (log, log), &[]), ["."]);
        assert_eq!(conflicts((&["."], &["."]), (log, log), &[]), [""; 0]);
    }

    #[test]
    fn what_is_common_is_nobodys_alone() {
        let common: &[&str] = &["**/CHANGELOG.md"];
        let log: &[&str] = &["api/CHANGELOG.md"];
        for theirs in [&["api"][..], log, &["."]] {
            assert_eq!(conflicts((theirs, &[]), (log, &[]), common), [""; 0]);
            assert_eq!(conflicts((theirs, &[]), (log, log), &[]), theirs);
        }
        assert_eq!(
            conflicts((&["api"], &[]), (&["api/a"], &[]), common),
            ["api"]
        );
    }

    #[test]
    fn a_path_is_held_alone_if_any_pattern_holds_it_so() {
        let (paths, shared) = (paths(&["docs", "**/a.md"]), paths(&["**/a.md"]));
        let shared = shared.into_iter().collect();
        let cover = Cover {
            paths: &paths,
            shared: &shared,
        };
        assert_eq!(cover.holds(b"a.md"), Some(Hold::Shared));
        assert_eq!(cover.holds(b"docs/a.md"), Some(Hold::Alone));
        assert_eq!(cover.holds(b"b.md"), None);
    }

    proptest! {
        /// Two that may hold their claims at once never both hold a path alone, nor one alone what
        /// the other shares, but for what is common.
        #[test]
        fn who_is_in_nobodys_way_holds_nothing_that_another_has(
            a in arbitrary::claim(),
            b in arbitrary::claim(),
            common in prop::collection::vec(arbitrary::path(), 0..2),
            path in "(src|docs|a|b)(/(auth|x|a|b)(\\.rs|\\.md)?){0,2}",
        ) {
            let path = path.as_bytes();
            prop_assume!(a.cover().in_the_way(b.cover(), &common).next().is_none());
            if let (Some(ours), Some(theirs)) = (a.cover().holds(path), b.cover().holds(path)) {
                let is_common = common.iter().any(|one| one.matches(path));
                prop_assert!(ours.max(theirs) == Hold::Shared || is_common);
            }
        }
    }
}
