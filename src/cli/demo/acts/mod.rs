//! The acts, in the order in which they play.
//!
//! Who gets which task is not in the script: the agents race for them, and each act looks up who
//! won. To add an act, write a function and name it in [`WORKTREES`] or [`MACHINES`].

mod conflict;
mod finish;
mod history;
mod machines;
mod opening;
mod outage;
mod race;
mod review;
mod silence;
mod talk;
mod work;

use crate::cli::error::CliError;

use super::team::Team;

pub struct Act {
    pub title: &'static str,
    pub play: fn(&mut Team) -> Result<(), CliError>,
}

/// Five agents in one clone.
pub const WORKTREES: &[Act] = &[
    Act {
        title: "Five agents, one repository",
        play: opening::gather,
    },
    Act {
        title: "They plan",
        play: opening::plan,
    },
    Act {
        title: "They claim, all at once",
        play: race::play,
    },
    Act {
        title: "They work, each in its own worktree",
        play: work::play,
    },
    Act {
        title: "They talk",
        play: talk::play,
    },
    Act {
        title: "They review each other, and land",
        play: review::play,
    },
    Act {
        title: "Two have changed the same file",
        play: conflict::play,
    },
    Act {
        title: "One goes silent, another takes its work up",
        play: silence::play,
    },
    Act {
        title: "They finish, and say what they learned",
        play: finish::play,
    },
];

/// Two agents, each with a machine of its own.
pub const MACHINES: &[Act] = &[
    Act {
        title: "Two machines, one remote",
        play: machines::meet,
    },
    Act {
        title: "Both want the same task",
        play: machines::race,
    },
    Act {
        title: "One is cut off, and works on",
        play: outage::cut_off,
    },
    Act {
        title: "It comes back",
        play: outage::come_back,
    },
];
