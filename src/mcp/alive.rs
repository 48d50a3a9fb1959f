//! While the server runs, its agent is alive; when the program that started it is gone, it ends.
//!
//! Clients leave servers behind: they forget to close the pipe, or hand its other end to a child
//! that lives on. Then input never ends, but the parent is another.

use std::io;
use std::os::unix::process::parent_id;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::ops;

use super::Opener;

/// How often we look for the parent.
const LOOK: Duration = Duration::from_secs(5);
/// How long until the next try, where no team works or nobody is known to work.
const AGAIN: Duration = Duration::from_secs(60);

/// Looks after both until the server ends.
pub fn watch(opener: Arc<Opener>, ending: watch::Sender<bool>) -> io::Result<()> {
    let started_by = parent_id();
    let look = move || {
        let mut due = Instant::now();
        while !*ending.borrow() {
            if Instant::now() >= due {
                let beat = opener(Box::new(|_| {})).ok();
                let pause = beat.and_then(|ctx| ops::keep_alive(&ctx).ok());
                due = Instant::now() + pause.unwrap_or(AGAIN);
            }
            thread::sleep(LOOK.min(due.saturating_duration_since(Instant::now())));
            if parent_id() != started_by {
                ending.send_replace(true);
            }
        }
    };
    thread::Builder::new()
        .name("alive".to_owned())
        .spawn(look)?;
    Ok(())
}
