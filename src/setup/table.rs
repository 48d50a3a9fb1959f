//! Which event of which harness asks us what, and how long it may wait for the answer.
//!
//! This table is all there is to say about it: what `setup` writes, what it recognises as its own
//! and what it calls outdated all come from here.

use crate::model::harness::{AgentEvent, Harness};

use super::value::Value;

/// An event of a harness's at which it calls us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hook {
    /// As the harness names the event.
    pub native: &'static str,
    pub event: AgentEvent,
    /// For which tools, as the harness's own pattern; for all where there is none.
    pub tools: Option<&'static str>,
    /// How long the harness waits.
    pub seconds: u32,
}

/// An answer is there in milliseconds; a disk that hangs must not hold up a session for long.
const SOON: u32 = 10;
/// A waiter ends by itself before that.
const HOURS: u32 = 4 * 60 * 60;

const fn hook(native: &'static str, event: AgentEvent) -> Hook {
    Hook {
        native,
        event,
        tools: None,
        seconds: SOON,
    }
}

const fn edits(native: &'static str, tools: &'static str) -> Hook {
    Hook {
        tools: Some(tools),
        ..hook(native, AgentEvent::BeforeEdit)
    }
}

/// `MultiEdit` is a tool of older versions.
const CLAUDE: [Hook; 9] = [
    hook("SessionStart", AgentEvent::SessionStart),
    hook("UserPromptSubmit", AgentEvent::Prompt),
    edits("PreToolUse", "Edit|MultiEdit|Write|NotebookEdit"),
    hook("PostToolUse", AgentEvent::AfterTool),
    hook("Stop", AgentEvent::Stop),
    Hook {
        seconds: HOURS,
        ..hook("Stop", AgentEvent::Wake)
    },
    hook("SessionEnd", AgentEvent::SessionEnd),
    hook("TeammateIdle", AgentEvent::TeammateIdle),
    hook("TaskCompleted", AgentEvent::TaskCompleted),
];

/// A patch in a here-document of a shell's is applied by Codex itself, and only the shell's event
/// comes before it.
const CODEX: [Hook; 6] = [
    hook("SessionStart", AgentEvent::SessionStart),
    hook("UserPromptSubmit", AgentEvent::Prompt),
    edits("PreToolUse", "apply_patch|Bash"),
    hook("PostToolUse", AgentEvent::AfterTool),
    hook("Stop", AgentEvent::Stop),
    Hook {
        // It warns of more, and waits no longer.
        seconds: 3,
        ..hook("SessionEnd", AgentEvent::SessionEnd)
    },
];

const GEMINI: [Hook; 6] = [
    hook("SessionStart", AgentEvent::SessionStart),
    hook("BeforeAgent", AgentEvent::Prompt),
    edits("BeforeTool", "write_file|replace"),
    hook("AfterTool", AgentEvent::AfterTool),
    hook("AfterAgent", AgentEvent::Stop),
    hook("SessionEnd", AgentEvent::SessionEnd),
];

const COPILOT: [Hook; 6] = [
    hook("sessionStart", AgentEvent::SessionStart),
    hook("userPromptSubmitted", AgentEvent::Prompt),
    edits("preToolUse", "create|edit|str_replace_editor|apply_patch"),
    hook("postToolUse", AgentEvent::AfterTool),
    hook("agentStop", AgentEvent::Stop),
    hook("sessionEnd", AgentEvent::SessionEnd),
];

const CURSOR: [Hook; 6] = [
    hook("sessionStart", AgentEvent::SessionStart),
    hook("beforeSubmitPrompt", AgentEvent::Prompt),
    edits("preToolUse", "Write"),
    hook("postToolUse", AgentEvent::AfterTool),
    hook("stop", AgentEvent::Stop),
    hook("sessionEnd", AgentEvent::SessionEnd),
];

/// The events of our plugin, which names its tools itself.
const OPENCODE: [Hook; 6] = [
    hook(
        "experimental.chat.system.transform",
        AgentEvent::SessionStart,
    ),
    hook("chat.message", AgentEvent::Prompt),
    hook("tool.execute.before", AgentEvent::BeforeEdit),
    hook("tool.execute.after", AgentEvent::AfterTool),
    hook("session.idle", AgentEvent::Stop),
    hook("session.deleted", AgentEvent::SessionEnd),
];

/// Returns the events of a harness at which it calls us.
pub fn hooks(harness: Harness) -> &'static [Hook] {
    match harness {
        Harness::Claude => &CLAUDE,
        Harness::Codex => &CODEX,
        Harness::Gemini => &GEMINI,
        Harness::Copilot => &COPILOT,
        Harness::Cursor => &CURSOR,
        Harness::OpenCode => &OPENCODE,
    }
}

/// Returns what a harness runs at an event.
pub fn command(harness: Harness, event: AgentEvent) -> String {
    format!("reflectt hook agent {event} --harness {harness}")
}

/// How a harness's file lists what it runs at an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Groups of commands, each group for some tools.
    Grouped,
    /// Commands, each for some tools.
    Flat,
}

pub fn layout(harness: Harness) -> Layout {
    match harness {
        Harness::Copilot | Harness::Cursor => Layout::Flat,
        _ => Layout::Grouped,
    }
}

/// Tells whether a file of a harness's hooks names the version of its format.
pub fn has_version(harness: Harness) -> bool {
    layout(harness) == Layout::Flat
}

/// Returns the names of the fields that say what is run.
pub fn command_keys(harness: Harness) -> &'static [&'static str] {
    match harness {
        Harness::Copilot => &["bash", "powershell"],
        _ => &["command"],
    }
}

/// Returns an entry of a harness's file; that for which tools it is stands around it, if anywhere,
/// where entries are grouped.
pub fn entry(harness: Harness, hook: &Hook) -> Vec<(&'static str, Value)> {
    let run = Value::Text(command(harness, hook.event));
    let seconds = |factor: u32| Value::Number(hook.seconds * factor);
    let tools = hook.tools.map(|tools| ("matcher", Value::text(tools)));
    let kind = ("type", Value::text("command"));
    match harness {
        Harness::Claude | Harness::Codex | Harness::OpenCode => {
            let mut fields = vec![kind, ("command", run), ("timeout", seconds(1))];
            if hook.event == AgentEvent::Wake {
                // It runs beside the session, and wakes it when it ends with something to say.
                fields.push(("asyncRewake", Value::Flag(true)));
            }
            fields
        }
        // Its time limits are milliseconds.
        Harness::Gemini => vec![
            kind,
            ("name", Value::text("reflectt")),
            ("command", run),
            ("timeout", seconds(1000)),
        ],
        Harness::Copilot => [kind, ("bash", run.clone()), ("powershell", run)]
            .into_iter()
            .chain([("timeoutSec", seconds(1))])
            .chain(tools)
            .collect(),
        Harness::Cursor => {
            let mut fields = vec![("command", run)];
            fields.extend(tools);
            fields.push(("timeout", seconds(1)));
            if hook.event == AgentEvent::Stop {
                fields.push(("loop_limit", Value::Number(2)));
            }
            fields
        }
    }
}

/// Returns what has a harness refuse an edit when the program is missing or fails, if it can.
pub fn strictness(harness: Harness) -> Option<(&'static str, Value)> {
    match harness {
        Harness::Claude => Some(("onFailure", Value::text("block"))),
        Harness::Cursor => Some(("failClosed", Value::Flag(true))),
        _ => None,
    }
}

/// When a field of an entry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// Whenever it differs.
    Always,
    /// Where it is missing; who has set it otherwise meant it.
    IfMissing,
    /// Only with a new entry: it is a person's to take away.
    AtFirst,
}

/// An entry for our server in a harness's list of MCP servers.
#[derive(Debug)]
pub struct Server {
    /// The member that lists the servers.
    pub list: &'static str,
    pub fields: Vec<(&'static str, Value, Keeping)>,
}

pub fn server(harness: Harness) -> Server {
    use Keeping::{Always, AtFirst, IfMissing};
    let command = ("command", Value::text("reflectt"), Always);
    let args = ("args", Value::words(&["mcp"]), Always);
    let local = ("type", Value::text("local"), Always);
    let yes = |name, keeping| (name, Value::Flag(true), keeping);
    let (list, fields) = match harness {
        // Else its tools come only after a search for tools, and nobody searches.
        Harness::Claude => (
            "mcpServers",
            vec![command, args, yes("alwaysLoad", IfMissing)],
        ),
        Harness::Gemini => ("mcpServers", vec![command, args, yes("trust", AtFirst)]),
        Harness::Copilot => (
            "mcpServers",
            vec![
                local,
                command,
                args,
                ("tools", Value::words(&["*"]), AtFirst),
            ],
        ),
        Harness::Cursor | Harness::Codex => ("mcpServers", vec![command, args]),
        Harness::OpenCode => {
            let command = ("command", Value::words(&["reflectt", "mcp"]), Always);
            ("mcp", vec![local, command, yes("enabled", AtFirst)])
        }
    };
    Server { list, fields }
}

/// Returns the event for which a command calls us, if it does: as `setup` writes it, as older
/// versions did, and with a path before the program.
pub fn event_of(command: &str) -> Option<AgentEvent> {
    let (program, rest) = first_word(command.trim_start());
    if !is_us(program) {
        return None;
    }
    let mut words = rest.split_whitespace();
    match (words.next()?, words.next()?) {
        ("hook", "agent-edit") => Some(AgentEvent::BeforeEdit),
        ("hook", "agent") => words.next()?.parse().ok(),
        _ => None,
    }
}

/// Tells whether a program is this one, wherever it lies.
pub fn is_us(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    matches!(name, "reflectt" | "reflectt.exe")
}

fn first_word(command: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(rest) = command.strip_prefix(quote) {
            return rest.split_once(quote).unwrap_or((rest, ""));
        }
    }
    command
        .split_once(char::is_whitespace)
        .unwrap_or((command, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_recognised() {
        for harness in Harness::ALL {
            for hook in hooks(harness) {
                let command = command(harness, hook.event);
                assert_eq!(event_of(&command), Some(hook.event), "{command}");
            }
        }
    }

    #[test]
    fn each_event_calls_each_of_ours_once() {
        for harness in Harness::ALL {
            let mut seen = std::collections::BTreeSet::new();
            for hook in hooks(harness) {
                assert!(seen.insert((hook.native, hook.event)), "{harness}");
            }
            let edits = |hook: &&Hook| hook.event == AgentEvent::BeforeEdit;
            assert_eq!(hooks(harness).iter().filter(edits).count(), 1, "{harness}");
        }
    }

    #[test]
    fn older_commands_and_paths_are_ours_and_others_are_not() {
        let edit = Some(AgentEvent::BeforeEdit);
        for command in [
            "reflectt hook agent-edit",
            "/usr/local/bin/reflectt hook agent-edit",
            "\"/opt/my tools/reflectt\" hook agent-edit",
            "  reflectt  hook  agent  before-edit",
            "C:\\tools\\reflectt.exe hook agent before-edit --harness claude",
        ] {
            assert_eq!(event_of(command), edit, "{command}");
        }
        for command in [
            "",
            "reflectt",
            "reflectt hook pre-commit",
            "reflectt hook agent",
            "reflectt hook agent tea-time",
            "my-reflectt hook agent-edit",
            "echo reflectt hook agent-edit",
            "REFLECTT_AGENT=kai reflectt hook agent-edit",
        ] {
            assert_eq!(event_of(command), None, "{command}");
        }
    }
}
