//! Trying again where others were faster: for how long, with which pauses, until somebody cancels.

use std::time::{Duration, Instant};

use crate::git::{Cancel, GitError};

use super::{Store, StoreError};

/// For how long something is tried again, where nobody says otherwise.
///
/// Whoever moved a ref last knows what it holds and is faster than those who have to look first,
/// so where many work without a pause, losing dozens of times in a row is no sign of anything
/// wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// Counts the tries of one thing, and ends them.
#[derive(Debug)]
pub struct Patience {
    begun: Instant,
    lost: u32,
    cancel: Cancel,
}

impl Store {
    /// Begins to try something that others may be faster at.
    pub fn patience(&self) -> Patience {
        Patience {
            begun: Instant::now(),
            lost: 0,
            cancel: self.repo.runner().cancel(),
        }
    }
}

impl Patience {
    /// Takes note of a try that came to nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] once it has taken too long, [`GitError::Cancelled`] if whoever waits
    /// was told to end.
    pub fn lost(&mut self) -> Result<(), StoreError> {
        self.lost += 1;
        tracing::debug!(times = self.lost, "others were faster: tried again");
        if self.cancel.is_cancelled() {
            let command = "trying again".to_owned();
            return Err(GitError::Cancelled { command }.into());
        }
        if self.lost > 1 && self.begun.elapsed() > PATIENCE {
            return Err(StoreError::Busy { tries: self.lost });
        }
        Ok(())
    }

    /// The same, and waits for a moment: the longer the more often it was lost, at most `most`,
    /// and never as long as another that lost at the same time.
    pub fn lost_with_pause(&mut self, most: Duration) -> Result<(), StoreError> {
        self.lost()?;
        let most = (most / 25).saturating_mul(self.lost).min(most);
        std::thread::sleep(most.mul_f64(fastrand::f64()));
        Ok(())
    }

    /// Returns how often it came to nothing.
    pub fn times(&self) -> u32 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::TestRepo;

    #[test]
    fn whoever_was_told_to_end_tries_nothing_again() {
        let test = TestRepo::init(&[]);
        let store = Store::new(test.open());
        let mut patience = store.patience();
        patience.lost().unwrap();
        patience.begun -= PATIENCE * 2;
        let busy = patience.lost().unwrap_err();
        assert!(matches!(busy, StoreError::Busy { tries: 2 }), "{busy}");
        store.repo().runner().cancel().cancel();
        let ended = store.patience().lost().unwrap_err();
        assert!(matches!(ended, StoreError::Git(GitError::Cancelled { .. })));
    }
}
