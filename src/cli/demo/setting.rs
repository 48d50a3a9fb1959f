//! Who plays, and where.

use std::path::PathBuf;

use super::stage::Stage;

/// The agents that share a clone, and what they are on the team for.
pub const AGENTS: [(&str, &str); 5] = [
    ("kai", "backend developer"),
    ("link", "frontend developer"),
    ("sage", "reviewer"),
    ("echo", "technical writer"),
    ("mira", "tester"),
];

/// Where a team plays.
pub struct Setting {
    pub seats: Vec<Seat>,
    /// Where those work who are not on the team.
    pub home: PathBuf,
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
            seats: AGENTS.map(seat).into(),
            home: stage.project(),
        }
    }

    /// Returns where an agent sits; nobody else sits anywhere.
    pub fn seat(&self, agent: &str) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.agent == agent)
    }
}
