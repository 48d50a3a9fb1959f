//! The time a hook may take before git goes on without its answer.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A limit on the time until a hook has decided.
///
/// A thread of its own waits for the end of the time and then calls what it was given, which ends
/// the process: the work may hang in a read of a dead network disk, where nothing can stop it.
///
/// Exactly one of the two, decision and limit, counts: whoever is first to set the stage. A decision
/// that comes second is not acted upon; its thread waits for the process to end, so that git is
/// never told both.
pub struct TimeLimit {
    state: Option<Arc<State>>,
}

struct State {
    /// One of the three below.
    stage: AtomicU8,
    until: Mutex<Instant>,
}

const RUNNING: u8 = 0;
const DECIDED: u8 = 1;
const OVER: u8 = 2;

/// How long a process of git may take where there is no limit.
const UNLIMITED: Duration = Duration::from_secs(60);
/// Git is stopped this much before the limit, so that the warning can name it.
const MARGIN: Duration = Duration::from_millis(150);

impl TimeLimit {
    /// Starts the time. `late` must end the process.
    pub fn start(limit: Duration, late: impl FnOnce() + Send + 'static) -> TimeLimit {
        let state = Arc::new(State {
            stage: AtomicU8::new(RUNNING),
            until: Mutex::new(Instant::now() + limit),
        });
        let shared = Arc::clone(&state);
        let wait = move || {
            // The end may be put off while this thread sleeps.
            loop {
                let left = shared.left();
                if left.is_zero() {
                    break;
                }
                std::thread::sleep(left);
            }
            if shared.becomes(OVER).is_ok() {
                late();
            }
        };
        // Without a thread there is no limit, but there is still an answer.
        drop(std::thread::Builder::new().spawn(wait));
        TimeLimit { state: Some(state) }
    }

    /// Returns a limit that never ends.
    pub fn none() -> TimeLimit {
        TimeLimit { state: None }
    }

    /// Puts off the end of the time.
    pub fn put_off(&self, by: Duration) {
        if let Some(state) = &self.state {
            *state.until.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }

    /// Ends the limit: the decision has been made, or the first of several. Does not return if it
    /// came too late.
    pub fn lift(&self) {
        if let Some(state) = &self.state
            && state.becomes(DECIDED) == Err(OVER)
        {
            loop {
                std::thread::park();
            }
        }
    }

    /// Returns the time that is left for a process of git.
    pub fn left(&self) -> Duration {
        let left = |state: &Arc<State>| state.left().saturating_sub(MARGIN);
        self.state.as_ref().map_or(UNLIMITED, left)
    }
}

impl State {
    /// Goes from running to this stage; else says at which it is.
    fn becomes(&self, stage: u8) -> Result<u8, u8> {
        (self.stage).compare_exchange(RUNNING, stage, Ordering::SeqCst, Ordering::SeqCst)
    }

    fn left(&self) -> Duration {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const SOON: Duration = Duration::from_secs(60);

    #[test]
    fn late_is_called_when_the_time_is_over() {
        let (tell, told) = mpsc::channel();
        let late = TimeLimit::start(Duration::ZERO, move || tell.send(()).unwrap());
        told.recv_timeout(SOON).unwrap();
        assert_eq!(late.left(), Duration::ZERO);
    }

    #[test]
    fn late_is_not_called_after_a_decision() {
        let (tell, told) = mpsc::channel();
        let limit = TimeLimit::start(Duration::from_secs(1), move || tell.send(()).unwrap());
        limit.lift();
        limit.lift();
        // The sender goes away with the closure, which was not called.
        assert_eq!(
            told.recv_timeout(SOON),
            Err(mpsc::RecvTimeoutError::Disconnected)
        );
    }

    #[test]
    fn the_end_can_be_put_off() {
        let limit = TimeLimit::start(Duration::from_secs(1), || panic!("put off"));
        limit.put_off(SOON);
        assert!(limit.left() > Duration::from_secs(30));
        limit.lift();
        assert!(TimeLimit::none().left() > Duration::from_secs(30));
    }
}
