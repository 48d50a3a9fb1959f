//! Ending processes early, because whoever waits for them has been told to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

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

/// Cancels what may only be about to begin: shared by the thread that will work and by whoever
/// waits for it.
#[derive(Debug, Default)]
pub struct LateCancel {
    cancel: OnceLock<Cancel>,
    cancelled: AtomicBool,
}

impl LateCancel {
    /// Ends what is under way, or will be.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        if let Some(cancel) = self.cancel.get() {
            cancel.cancel();
        }
    }

    /// Says what is to be cancelled.
    pub fn set(&self, cancel: Cancel) {
        let cancel = self.cancel.get_or_init(|| cancel);
        if self.cancelled.load(Ordering::SeqCst) {
            cancel.cancel();
        }
    }
}
