//! What each harness is answered, in its own format.
//!
//! | | denied | told to the agent | kept going |
//! |---|---|---|---|
//! | Claude Code, Codex | `hookSpecificOutput.permissionDecision` | `hookSpecificOutput.additionalContext` | `decision: block` |
//! | Gemini CLI | `decision: deny` | `hookSpecificOutput.additionalContext` | `decision: deny` |
//! | Copilot | `permissionDecision` | `additionalContext` | `decision: block` |
//! | Cursor | `permission` | `additional_context` | `followup_message` |
//! | OpenCode (our plugin) | `deny` | `context` | `context` |
//!
//! Codex refuses an answer with a key that it does not know, and Gemini one that is not JSON alone,
//! so nothing is added for the case that somebody could use it. To let a tool go on is to say
//! nothing: `allow` would take the user's own permissions away.

use serde_json::{Value, json};

use crate::model::harness::{AgentEvent, Harness};

/// What there is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Nothing,
    /// The agent may not do it, and why.
    Deny(String),
    /// It may, and this is to be known of it.
    Remark(String),
    /// What the agent is to know.
    Context(String),
    /// Why the agent should go on.
    GoOn(String),
    /// The same where the harness takes it from standard error and the exit code.
    Rouse(String),
}

/// What is printed, and the exit code.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Printed {
    pub stdout: Option<String>,
    pub stderr: Option<String>,
    pub code: u8,
}

/// With this code a harness takes standard error for words to the agent.
const ROUSED: u8 = 2;

/// Who reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader<'e> {
    pub harness: Harness,
    /// Whether it is Copilot with a file that was written for Claude Code: there it takes a denial in
    /// either format and context in its own alone, so it is given both.
    pub as_guest: bool,
    /// What the harness calls the event, if it said so.
    pub event: Option<&'e str>,
}

impl Answer {
    /// Returns what is printed for it.
    pub fn print(self, event: AgentEvent, reader: Reader) -> Printed {
        let value = match self {
            Answer::Nothing => return Printed::default(),
            Answer::Rouse(text) => {
                return Printed {
                    stderr: Some(text),
                    code: ROUSED,
                    ..Printed::default()
                };
            }
            Answer::Deny(reason) => deny(&reason, reader),
            Answer::Remark(text) => match remark(&text, reader.harness) {
                Some(value) => value,
                None => {
                    return Printed {
                        stderr: Some(text),
                        ..Printed::default()
                    };
                }
            },
            Answer::Context(text) => context(&text, event, reader),
            Answer::GoOn(reason) => go_on(&reason, reader.harness),
        };
        Printed {
            stdout: Some(value.to_string()),
            ..Printed::default()
        }
    }
}

fn deny(reason: &str, reader: Reader) -> Value {
    let claude = json!({
        "hookEventName": "PreToolUse",
        "permissionDecision": "deny",
        "permissionDecisionReason": reason,
    });
    match reader.harness {
        Harness::Claude | Harness::Copilot if reader.as_guest => json!({
            "permissionDecision": "deny",
            "permissionDecisionReason": reason,
            "hookSpecificOutput": claude,
        }),
        Harness::Claude | Harness::Codex => json!({"hookSpecificOutput": claude}),
        Harness::Gemini => json!({"decision": "deny", "reason": reason}),
        Harness::Copilot => {
            json!({"permissionDecision": "deny", "permissionDecisionReason": reason})
        }
        Harness::Cursor => {
            json!({"permission": "deny", "user_message": reason, "agent_message": reason})
        }
        Harness::OpenCode => json!({"deny": reason}),
    }
}

/// Returns words beside an edit that goes on; `None` where only standard error is left for them.
fn remark(text: &str, harness: Harness) -> Option<Value> {
    match harness {
        Harness::Claude | Harness::Codex | Harness::Gemini => Some(json!({"systemMessage": text})),
        Harness::Cursor => Some(json!({"additional_context": text})),
        Harness::OpenCode => Some(json!({"context": text})),
        Harness::Copilot => None,
    }
}

fn context(text: &str, event: AgentEvent, reader: Reader) -> Value {
    let of_gemini = reader.harness == Harness::Gemini;
    let usual = match event {
        AgentEvent::SessionStart => "SessionStart",
        AgentEvent::Prompt if of_gemini => "BeforeAgent",
        AgentEvent::Prompt => "UserPromptSubmit",
        AgentEvent::AfterTool if of_gemini => "AfterTool",
        _ => "PostToolUse",
    };
    // A failed tool has an event of its own, which the answer has to name.
    let given = reader.event.filter(|name| name.starts_with(usual));
    let specific = json!({
        "hookEventName": given.unwrap_or(usual),
        "additionalContext": text,
    });
    match reader.harness {
        Harness::Claude | Harness::Copilot if reader.as_guest => {
            json!({"additionalContext": text, "hookSpecificOutput": specific})
        }
        Harness::Claude | Harness::Codex | Harness::Gemini => {
            json!({"hookSpecificOutput": specific})
        }
        Harness::Copilot => json!({"additionalContext": text}),
        Harness::Cursor => json!({"additional_context": text}),
        Harness::OpenCode => json!({"context": text}),
    }
}

fn go_on(reason: &str, harness: Harness) -> Value {
    match harness {
        Harness::Claude | Harness::Codex | Harness::Copilot => {
            json!({"decision": "block", "reason": reason})
        }
        Harness::Gemini => json!({"decision": "deny", "reason": reason}),
        Harness::Cursor => json!({"followup_message": reason}),
        Harness::OpenCode => json!({"context": reason}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDIT: AgentEvent = AgentEvent::BeforeEdit;

    fn printed(answer: Answer, event: AgentEvent, harness: Harness) -> Value {
        let reader = Reader {
            harness,
            as_guest: false,
            event: None,
        };
        let printed = answer.print(event, reader);
        assert_eq!((printed.stderr, printed.code), (None, 0));
        serde_json::from_str(&printed.stdout.unwrap()).unwrap()
    }

    #[test]
    fn each_harness_is_denied_in_its_own_words() {
        let of = |harness| printed(Answer::Deny("r".to_owned()), EDIT, harness);
        let claude = json!({"hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": "r",
        }});
        assert_eq!(of(Harness::Claude), claude);
        assert_eq!(of(Harness::Codex), claude);
        assert_eq!(
            of(Harness::Gemini),
            json!({"decision": "deny", "reason": "r"})
        );
        assert_eq!(
            of(Harness::Copilot),
            json!({"permissionDecision": "deny", "permissionDecisionReason": "r"})
        );
        assert_eq!(
            of(Harness::Cursor),
            json!({"permission": "deny", "user_message": "r", "agent_message": "r"})
        );
        assert_eq!(of(Harness::OpenCode), json!({"deny": "r"}));
    }

    #[test]
    fn the_event_is_named_as_the_harness_names_it() {
        let of = |event, harness| printed(Answer::Context("t".to_owned()), event, harness);
        let named = |name: &str| json!({"hookSpecificOutput": {"hookEventName": name, "additionalContext": "t"}});
        assert_eq!(
            of(AgentEvent::Prompt, Harness::Claude),
            named("UserPromptSubmit")
        );
        assert_eq!(
            of(AgentEvent::Prompt, Harness::Gemini),
            named("BeforeAgent")
        );
        assert_eq!(
            of(AgentEvent::AfterTool, Harness::Codex),
            named("PostToolUse")
        );
        assert_eq!(
            of(AgentEvent::AfterTool, Harness::Gemini),
            named("AfterTool")
        );
        let reader = Reader {
            harness: Harness::Claude,
            as_guest: false,
            event: Some("PostToolUseFailure"),
        };
        let failed = Answer::Context("t".to_owned()).print(AgentEvent::AfterTool, reader);
        let failed: Value = serde_json::from_str(&failed.stdout.unwrap()).unwrap();
        assert_eq!(failed, named("PostToolUseFailure"));
    }

    #[test]
    fn who_reads_the_file_of_another_is_given_both_formats() {
        let reader = Reader {
            harness: Harness::Claude,
            as_guest: true,
            event: None,
        };
        let denied = Answer::Deny("r".to_owned()).print(AgentEvent::BeforeEdit, reader);
        let json: Value = serde_json::from_str(&denied.stdout.unwrap()).unwrap();
        assert_eq!(json["permissionDecision"], "deny");
        assert_eq!(json["hookSpecificOutput"]["permissionDecision"], "deny");
    }

    #[test]
    fn what_rouses_is_on_standard_error() {
        let reader = Reader {
            harness: Harness::Claude,
            as_guest: false,
            event: None,
        };
        let printed = Answer::Rouse("up".to_owned()).print(AgentEvent::Wake, reader);
        assert_eq!(
            (printed.stdout, printed.stderr.as_deref(), printed.code),
            (None, Some("up"), 2)
        );
        assert_eq!(
            Answer::Nothing.print(AgentEvent::Stop, reader),
            Printed::default()
        );
    }
}
