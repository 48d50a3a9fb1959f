//! The programs that coding agents run in, and the moments at which they ask us.

use std::fmt;
use std::str::FromStr;

/// A program that a coding agent runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Harness {
    Claude,
    Codex,
    Gemini,
    Copilot,
    Cursor,
    OpenCode,
}

impl Harness {
    pub const ALL: [Harness; 6] = [
        Harness::Claude,
        Harness::Codex,
        Harness::Gemini,
        Harness::Copilot,
        Harness::Cursor,
        Harness::OpenCode,
    ];

    /// Returns its name in arguments and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Harness::Claude => "claude",
            Harness::Codex => "codex",
            Harness::Gemini => "gemini",
            Harness::Copilot => "copilot",
            Harness::Cursor => "cursor",
            Harness::OpenCode => "opencode",
        }
    }

    /// Returns what people call it.
    pub fn title(self) -> &'static str {
        match self {
            Harness::Claude => "Claude Code",
            Harness::Codex => "Codex CLI",
            Harness::Gemini => "Gemini CLI",
            Harness::Copilot => "Copilot CLI",
            Harness::Cursor => "Cursor",
            Harness::OpenCode => "OpenCode",
        }
    }
}

impl fmt::Display for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Harness {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Harness, UnknownName> {
        let named = |it: &Harness| it.as_str() == text;
        Harness::ALL.into_iter().find(named).ok_or(UnknownName)
    }
}

/// A moment at which a harness asks what there is to know, or whether something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentEvent {
    /// A session begins, or goes on with its context made shorter.
    SessionStart,
    /// The user, or whoever wakes the agent, has said something.
    Prompt,
    /// A file is about to be changed.
    BeforeEdit,
    /// A tool has run.
    AfterTool,
    /// The agent is about to end its turn.
    Stop,
    /// The turn has ended: wait until there is something to do, and say so.
    Wake,
    /// A session is over.
    SessionEnd,
    /// Another agent of the harness's own team has nothing to do.
    TeammateIdle,
    /// A task of the harness's own list is about to be called complete.
    TaskCompleted,
}

impl AgentEvent {
    pub const ALL: [AgentEvent; 9] = [
        AgentEvent::SessionStart,
        AgentEvent::Prompt,
        AgentEvent::BeforeEdit,
        AgentEvent::AfterTool,
        AgentEvent::Stop,
        AgentEvent::Wake,
        AgentEvent::SessionEnd,
        AgentEvent::TeammateIdle,
        AgentEvent::TaskCompleted,
    ];

    /// Returns its name in arguments and files.
    pub fn as_str(self) -> &'static str {
        match self {
            AgentEvent::SessionStart => "session-start",
            AgentEvent::Prompt => "prompt",
            AgentEvent::BeforeEdit => "before-edit",
            AgentEvent::AfterTool => "after-tool",
            AgentEvent::Stop => "stop",
            AgentEvent::Wake => "wake",
            AgentEvent::SessionEnd => "session-end",
            AgentEvent::TeammateIdle => "teammate-idle",
            AgentEvent::TaskCompleted => "task-completed",
        }
    }
}

impl fmt::Display for AgentEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AgentEvent {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<AgentEvent, UnknownName> {
        let named = |it: &AgentEvent| it.as_str() == text;
        AgentEvent::ALL.into_iter().find(named).ok_or(UnknownName)
    }
}

/// A name that is none of those there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such name")]
pub struct UnknownName;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for harness in Harness::ALL {
            assert_eq!(harness.as_str().parse(), Ok(harness));
        }
        for event in AgentEvent::ALL {
            assert_eq!(event.as_str().parse(), Ok(event));
        }
        assert_eq!("vim".parse::<Harness>(), Err(UnknownName));
        assert_eq!("".parse::<AgentEvent>(), Err(UnknownName));
    }
}
