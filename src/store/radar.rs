//! What was found out about pairs of commits that are not landed: a local file that can be deleted
//! at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::git::{Oid, write_whole};
use crate::model::id::Stamp;

use super::Store;

/// Changes with every change of what is written. A file of another version is ignored.
const MAGIC: &[u8; 8] = b"rfltrdr\x01";

/// What two commits have to do with each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPair {
    /// The paths that both change; none if one lies on the other.
    pub paths: Vec<Vec<u8>>,
    /// Whether they conflict; unknown as long as they have no path in common.
    pub conflict: Option<bool>,
}

/// All that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPairs {
    /// The tip of the landing branch that the paths are for. Whether two commits conflict does not
    /// depend on it.
    pub landing: Option<Oid>,
    /// By two commits, the lesser first.
    pub pairs: BTreeMap<(Oid, Oid), KnownPair>,
    /// The ids of messages that were sent, as bits.
    told: BTreeSet<u128>,
}

impl KnownPairs {
    /// Returns the key of a pair.
    pub fn key(one: Oid, other: Oid) -> (Oid, Oid) {
        (one.min(other), one.max(other))
    }

    /// Tells whether a message is known to have been sent.
    pub fn has_told(&self, id: Stamp) -> bool {
        self.told.contains(&id.to_bits())
    }

    /// Notes that these messages, and no others, need not be looked for.
    pub fn note_told(&mut self, ids: impl IntoIterator<Item = Stamp>) {
        self.told = ids.into_iter().map(Stamp::to_bits).collect();
    }
}

impl Store {
    fn radar_path(&self) -> PathBuf {
        self.dir().join("cache").join("radar")
    }

    /// Returns what was kept; nothing where the file is missing or damaged.
    pub fn known_pairs(&self) -> KnownPairs {
        let bytes = std::fs::read(self.radar_path()).unwrap_or_default();
        let read = || {
            let rest = bytes.strip_prefix(MAGIC.as_slice())?;
            let (checksum, rest) = rest.split_first_chunk()?;
            let is_whole = crc32fast::hash(rest) == u32::from_le_bytes(*checksum);
            is_whole.then(|| postcard::from_bytes(rest).ok())?
        };
        read().unwrap_or_default()
    }

    /// Keeps what is known. A file that cannot be written costs time and nothing else.
    pub fn keep_pairs(&self, known: &KnownPairs) {
        if let Ok(body) = postcard::to_stdvec(known) {
            let checksum = crc32fast::hash(&body).to_le_bytes();
            let bytes = [MAGIC.as_slice(), &checksum, &body].concat();
            drop(write_whole(&self.radar_path(), &bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{TestRepo, write_commit};

    #[test]
    fn what_is_kept_is_read_again_and_damage_is_nothing() {
        for test in TestRepo::of_every_format() {
            let store = Store::new(test.open());
            assert_eq!(store.known_pairs(), KnownPairs::default());
            let [one, other] = ["one", "other"].map(|it| write_commit(store.repo(), &[], it, 1));
            let mut known = KnownPairs {
                landing: Some(one),
                ..KnownPairs::default()
            };
            known.note_told([Stamp::from_parts(7, u128::MAX)]);
            let pair = KnownPair {
                paths: vec![b"a\xff".to_vec()],
                conflict: Some(true),
            };
            known.pairs.insert(KnownPairs::key(other, one), pair);
            store.keep_pairs(&known);
            assert_eq!(store.known_pairs(), known);
            assert!(known.has_told(Stamp::from_parts(7, u128::MAX)));
            let path = store.radar_path();
            let mut bytes = std::fs::read(&path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(store.known_pairs(), KnownPairs::default());
        }
    }
}
