//! Who plays, and where: one clone with worktrees, or two machines with a clone each.

use std::path::PathBuf;

use super::forge::{DESK, LAPTOP};
use super::stage::Stage;

/// The agents that share a clone, and what they are on the team for.
pub const AGENTS: [(&str, &str); 5] = [
    ("kai", "backend developer"),
    ("link", "frontend developer"),
    ("sage", "reviewer"),
    ("echo", "technical writer"),
    ("mira", "tester"),
];

/// The agents that have a machine each.
pub const ADA: &str = "ada";
pub const BEN: &str = "ben";

/// Where a team plays.
pub struct Setting {
    /// A fixed word, for programs.
    pub name: &'static str,
    pub title: &'static str,
    pub seats: Vec<Seat>,
    /// Where those work who are not on the team.
    pub home: PathBuf,
    /// The clone whose data tells afterwards what has happened.
    pub clone: PathBuf,
}

/// An agent and its directory.
pub struct Seat {
    pub agent: &'static str,
    /// What stands before its commands.
    pub prompt: String,
    pub dir: PathBuf,
}

impl Setting {
    /// Five agents in one clone, each in a worktree of its own.
    pub fn worktrees(stage: &Stage) -> Setting {
        let seat = |(agent, _): (&'static str, _)| Seat {
            agent,
            prompt: agent.to_owned(),
            dir: stage.of(agent),
        };
        Setting {
            name: "worktrees",
            title: "Five agents in one clone",
            seats: AGENTS.map(seat).into(),
            home: stage.project(),
            clone: stage.project(),
        }
    }

    /// Two agents, each in a clone of its own.
    pub fn machines(stage: &Stage) -> Setting {
        let seat = |(agent, machine)| Seat {
            agent,
            prompt: format!("{agent}@{machine}"),
            dir: stage.root().join(machine),
        };
        Setting {
            name: "machines",
            title: "Two machines",
            seats: [(ADA, DESK), (BEN, LAPTOP)].map(seat).into(),
            home: stage.root().to_owned(),
            clone: stage.root().join(DESK),
        }
    }

    /// Returns where an agent sits; nobody else sits anywhere.
    pub fn seat(&self, agent: &str) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.agent == agent)
    }
}
