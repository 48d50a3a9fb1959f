//! Waiting for a state, never for a time.

use std::time::{Duration, Instant};

/// Looks again and again until `look` finds what it looks for; panics after `deadline`.
#[track_caller]
pub fn poll_until<T>(what: &str, deadline: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            begun.elapsed() < deadline,
            "{what}: not within {deadline:?}"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}
