//! Ending processes early, because whoever waits for them has been told to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells the cancellable processes of one repository to end. Cloned, it is the same one, for use
/// from another thread.
///
/// Only what may end at any moment is cancellable: an exchange with a remote, which may be cut off
/// in any case, and upkeep. A transaction of refs takes milliseconds, and always runs to its end.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends what is under way within a moment, and lets nothing new begin.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
