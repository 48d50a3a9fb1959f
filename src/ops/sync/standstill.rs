//! Telling a remote that cannot move a ref from one that others move.

use crate::git::GitError;
use crate::store::{Link, Tips};

/// How often a push may be refused while the remote stays as it is. One that is at work for
/// somebody else holds its locks for milliseconds.
const TIMES: u32 = 10;

/// Counts refused pushes between which nobody moved anything.
#[derive(Debug, Default)]
pub struct Standstill {
    last: Option<Tips>,
    times: u32,
}

impl Standstill {
    /// Takes note of what the remote has, fetched after it refused a push.
    ///
    /// # Errors
    ///
    /// [`GitError::Unreachable`] if it had the same many times: it can be read, and not written.
    pub fn refused(&mut self, link: &Link, tips: Tips) -> Result<(), GitError> {
        if self.last.replace(tips) != Some(tips) {
            self.times = 0;
        }
        self.times += 1;
        if self.times <= TIMES {
            return Ok(());
        }
        let reason = "it moves no refs, though nobody else does; a killed process may have left a `.lock` below its `refs`";
        Err(GitError::Unreachable {
            remote: link.name.clone(),
            reason: reason.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Oid;
    use crate::store::Places;

    #[test]
    fn whoever_loses_to_others_goes_on() {
        let link = Link {
            name: "origin".to_owned(),
            places: Places::Hidden,
        };
        let tips = |n: u8| Tips {
            record: None,
            table: Some(Oid::from_bytes(&[n; 20]).unwrap()),
        };
        let mut it = Standstill::default();
        for n in 1..100 {
            it.refused(&link, tips(n)).unwrap();
        }
        for _ in 1..TIMES {
            it.refused(&link, tips(99)).unwrap();
        }
        assert!(it.refused(&link, tips(99)).is_err());
    }
}
