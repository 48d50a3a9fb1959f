//! What something slow is at, in a few words.

use crate::git::{Transfer, Way};
use crate::ops::checks::Step;

/// Words what an exchange is at; nothing where it has ended.
pub fn of_transfer(transfer: &Transfer) -> Option<String> {
    let Transfer::Working {
        remote,
        way,
        progress,
        ..
    } = transfer
    else {
        return None;
    };
    let doing = match way {
        Way::Fetch => "fetching from",
        Way::Push => "pushing to",
    };
    Some(match progress {
        Some(progress) => format!("{doing} {remote}: {progress}"),
        None => format!("{doing} {remote}"),
    })
}

/// Words what a run of checks is at; nothing where there is nothing to say.
pub fn of_step(step: &Step) -> Option<String> {
    match step {
        Step::Waits { .. } => {
            Some("waiting for a worktree: others run checks in all of them".to_owned())
        }
        Step::Prepares | Step::Ended => None,
        Step::Runs {
            check,
            elapsed,
            line,
        } => {
            let doing = format!("check {} runs for {}s", check.name, elapsed.as_secs());
            Some(match line() {
                Some(line) => format!("{doing}: {line}"),
                None => doing,
            })
        }
    }
}
