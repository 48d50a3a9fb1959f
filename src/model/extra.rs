//! Keys that this version does not know.
//!
//! Files on the branch may have been written by a newer version or by hand. What we do not
//! understand is kept, so that an older reflectt never erases a newer one's data.

use std::collections::BTreeMap;

/// Unknown keys of one table, each with its value as canonical inline TOML.
///
/// The text is opaque here: the format layer reads and prints it. Canonical text makes the
/// merge of two values a comparison of strings.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extra(BTreeMap<String, String>);

impl Extra {
    pub fn insert(&mut self, key: String, canonical_toml: String) {
        self.0.insert(key, canonical_toml);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// Returns every key of both; where both have one, the greater text.
    ///
    /// The maximum is commutative, associative and idempotent, so clones agree without
    /// knowing which value came first.
    #[must_use]
    pub fn merge(mut self, other: Extra) -> Extra {
        for (key, theirs) in other.0 {
            match self.0.entry(key) {
                std::collections::btree_map::Entry::Occupied(mut ours) => {
                    if theirs > *ours.get() {
                        ours.insert(theirs);
                    }
                }
                std::collections::btree_map::Entry::Vacant(free) => {
                    free.insert(theirs);
                }
            }
        }
        self
    }
}
