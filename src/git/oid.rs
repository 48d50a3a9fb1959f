//! Names of objects.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::GitError;

/// The name of an object: SHA-1 or SHA-256, as the repository is made.
///
/// There is no null value: where git writes forty zeros, an `Option` says so.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Oid(pub(super) gix::ObjectId);

impl From<Oid> for String {
    fn from(oid: Oid) -> String {
        oid.to_string()
    }
}

impl TryFrom<String> for Oid {
    type Error = GitError;

    fn try_from(hex: String) -> Result<Oid, GitError> {
        Oid::parse(&hex)
    }
}

impl Oid {
    /// Returns the object that the full hexadecimal name stands for.
    ///
    /// Abbreviations and the null name are refused.
    pub fn parse(hex: &str) -> Result<Self, GitError> {
        match gix::ObjectId::from_hex(hex.trim().as_bytes()) {
            Ok(id) if !id.is_null() => Ok(Self(id)),
            _ => Err(GitError::InvalidOid {
                text: hex.to_owned(),
            }),
        }
    }

    /// Returns the object whose name is these 20 or 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GitError> {
        match gix::ObjectId::try_from(bytes) {
            Ok(id) if !id.is_null() => Ok(Self(id)),
            _ => Err(GitError::InvalidOid {
                text: format!("{bytes:02x?}"),
            }),
        }
    }

    /// Returns the 20 or 32 bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Returns the first twelve digits, for people to read.
    pub fn short(&self) -> String {
        self.0.to_hex_with_len(12).to_string()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({})", self.0)
    }
}

impl FromStr for Oid {
    type Err = GitError;

    fn from_str(hex: &str) -> Result<Self, GitError> {
        Self::parse(hex)
    }
}

impl From<gix::ObjectId> for Oid {
    fn from(id: gix::ObjectId) -> Self {
        Self(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_lengths_and_nothing_else() {
        for hex in ["ab".repeat(20), "cd".repeat(32)] {
            let oid = Oid::parse(&hex).unwrap();
            assert_eq!(oid.to_string(), hex);
            assert_eq!(oid.as_bytes().len() * 2, hex.len());
            assert_eq!(Oid::from_bytes(oid.as_bytes()).unwrap(), oid);
            assert_eq!(oid.short(), hex[..12]);
        }
        for bad in [
            "",
            "abc",
            "HEAD",
            "zz".repeat(20).as_str(),
            "00".repeat(20).as_str(),
        ] {
            assert!(Oid::parse(bad).is_err(), "{bad}");
        }
    }
}
