//! What a harness gives on standard input, read in one way whichever it is.
//!
//! Nothing is built of what is not asked for: an agent may write a file of megabytes in one call,
//! and whoever waits for the answer waits for the reading. Keys are taken in either spelling
//! (`tool_name`, `toolName`), those that are not known are passed over, and a value of another kind
//! than was expected costs that value alone.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::harness::Harness;

use super::tool::ToolInput;

/// What is known of the moment at which a harness asks.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Input {
    /// The name of the event, as the harness has it.
    pub event: Option<String>,
    pub session: Option<String>,
    pub cwd: Option<String>,
    pub tool: String,
    pub tool_input: ToolInput,
    pub tool_use: Option<String>,
    pub source: Source,
    /// Whether the agent goes on only because a hook has asked it to.
    pub in_loop: bool,
    /// Whether the turn was ended by a limit, an error or the user.
    pub ended_badly: bool,
    /// What the harness's own task is called, and what it says.
    pub task: String,
    /// Whether it is of an agent that the session's own agent has started.
    pub of_subagent: bool,
    /// Who speaks in a prompt.
    pub speaker: Speaker,
    /// What was no text was replaced in what was read.
    pub is_mended: bool,
    shape: Shape,
}

/// Why a session begins.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    #[default]
    Fresh,
    Resumed,
    Cleared,
    Compacted,
    Forked,
}

/// Who speaks in a prompt.
///
/// Some harnesses send a prompt event, too, when a stop hook makes the agent go on, with the hook's
/// own words, and when an agent that it has started is done.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The event does not say what was said.
    #[default]
    Unknown,
    User,
    Ourselves,
    Harness,
}

/// With this we begin what we say to an agent that would stop, to know it again.
pub const BEFORE_STOP: &str = "Before you stop:";
/// With this Claude Code tells that an agent it has started is done.
const NOTIFICATION: &str = "<task-notification>";

/// What the keys alone tell of the harness.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Shape {
    /// `toolName`, `sessionId`: of Copilot alone.
    camel: bool,
    /// `conversation_id`: of Cursor alone.
    conversation: bool,
    /// `turn_id`: of Codex alone.
    turn: bool,
    /// `event`: our plugin for OpenCode.
    plugin: bool,
    /// `timestamp`: of Copilot and Gemini CLI.
    timestamp: bool,
}

impl Input {
    /// Reads what is on standard input. Bytes that are no text are replaced.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it, where it is not one JSON object.
    pub fn read(bytes: &[u8]) -> Result<Input, String> {
        let text = String::from_utf8_lossy(bytes);
        // Some systems put a byte order mark before all they write.
        let json = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let read = serde_json::from_str::<Input>(json);
        let mut input = read.map_err(|error| match json.trim().is_empty() {
            true => "the input of the hook is empty".to_owned(),
            false => format!("the input of the hook is not understood: {error}"),
        })?;
        input.is_mended = matches!(text, Cow::Owned(_));
        Ok(input)
    }

    /// Returns which harness asks, where nobody said so: by the shape first, since variables are
    /// inherited by an agent that another one has started.
    pub fn harness(&self, has: impl Fn(&str) -> bool) -> Harness {
        let event = self.event.as_deref().unwrap_or_default();
        let shape = self.shape;
        if shape.conversation {
            Harness::Cursor
        } else if shape.plugin {
            Harness::OpenCode
        } else if OF_GEMINI.contains(&event) || (shape.timestamp && has("GEMINI_SESSION_ID")) {
            Harness::Gemini
        } else if shape.camel || (shape.timestamp && has("COPILOT_CLI")) {
            Harness::Copilot
        } else if shape.turn || (has("CODEX_HOME") && !has("CLAUDECODE")) {
            Harness::Codex
        } else if has("CURSOR_VERSION") && event.starts_with(char::is_lowercase) {
            Harness::Cursor
        } else {
            Harness::Claude
        }
    }
}

impl Input {
    /// Tells whether it may be Copilot that runs a hook written for Claude Code.
    pub fn is_of_guest(&self) -> bool {
        self.shape.timestamp && !self.shape.camel
    }

    /// Tells whether it is Cursor that asks, whatever file it was told to by.
    pub fn is_of_cursor(&self) -> bool {
        self.shape.conversation
    }
}

/// Events that only Gemini CLI has.
const OF_GEMINI: [&str; 4] = ["BeforeTool", "AfterTool", "BeforeAgent", "AfterAgent"];

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Input, D::Error> {
        deserializer.deserialize_map(TopLevel)
    }
}

struct TopLevel;

impl<'de> Visitor<'de> for TopLevel {
    type Value = Input;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Input, A::Error> {
        let mut input = Input::default();
        let mut conversation = None;
        let mut root = None;
        while let Some(Key(key)) = map.next_key::<Key>()? {
            let mut text = || Ok::<_, A::Error>(map.next_value::<Scalar>()?.0);
            match plain(&key).as_str() {
                "sessionid" => {
                    input.session = text()?;
                    input.shape.camel |= key == "sessionId";
                }
                "conversationid" => {
                    conversation = text()?;
                    input.shape.conversation = true;
                }
                "turnid" => {
                    text()?;
                    input.shape.turn = true;
                }
                "timestamp" => {
                    text()?;
                    input.shape.timestamp = true;
                }
                "agentid" => input.of_subagent = text()?.is_some(),
                "prompt" => {
                    let prompt = text()?.unwrap_or_default();
                    input.speaker = Speaker::of(prompt.trim_start());
                }
                "hookeventname" => input.event = text()?,
                "event" => {
                    let event = text()?;
                    input.shape.plugin = event.is_some();
                    input.event = input.event.take().or(event);
                }
                "cwd" | "workingdirectory" => input.cwd = text()?,
                "workspaceroots" => root = map.next_value::<FirstText>()?.0,
                "toolname" => {
                    input.tool = text()?.unwrap_or_default();
                    input.shape.camel |= key == "toolName";
                }
                "toolinput" | "toolargs" => input.tool_input = map.next_value()?,
                "tooluseid" | "toolcallid" => input.tool_use = text()?,
                "source" => input.source = Source::of(&text()?.unwrap_or_default()),
                "stophookactive" => input.in_loop |= text()?.as_deref() == Some("true"),
                "loopcount" => input.in_loop |= text()?.is_some_and(|count| count != "0"),
                "status" | "stopreason" | "reason" => {
                    input.ended_badly |= text()?.is_some_and(|how| is_bad(&how));
                }
                "error" | "errortype" => input.ended_badly |= text()?.is_some(),
                "taskid" => drop(text()?),
                "tasksubject" | "taskdescription" => {
                    if let Some(text) = text()? {
                        input.task.push_str(&text);
                        input.task.push('\n');
                    }
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        // Cursor names some sessions twice, and all of them by the conversation.
        input.session = conversation.or(input.session);
        input.cwd = input.cwd.or(root).filter(|cwd| !cwd.is_empty());
        input.session = input.session.filter(|session| !session.is_empty());
        Ok(input)
    }
}

impl Speaker {
    fn of(prompt: &str) -> Speaker {
        if prompt.starts_with(BEFORE_STOP) {
            Speaker::Ourselves
        } else if prompt.starts_with(NOTIFICATION) {
            Speaker::Harness
        } else {
            Speaker::User
        }
    }
}

impl Source {
    fn of(text: &str) -> Source {
        match text {
            "resume" => Source::Resumed,
            "clear" => Source::Cleared,
            "compact" => Source::Compacted,
            "fork" => Source::Forked,
            _ => Source::Fresh,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Source::Fresh => "startup",
            Source::Resumed => "resume",
            Source::Cleared => "clear",
            Source::Compacted => "compact",
            Source::Forked => "fork",
        }
    }
}

/// Tells whether a turn that ended like this must not be taken up again.
fn is_bad(how: &str) -> bool {
    let how = how.to_ascii_lowercase();
    let bad = [
        "error",
        "abort",
        "cancel",
        "interrupt",
        "fail",
        "limit",
        "quota",
        "refus",
    ];
    bad.iter().any(|word| how.contains(word))
}

/// Returns a key in the one spelling that all are compared in.
pub(super) fn plain(key: &str) -> String {
    // No key that matters is longer.
    let chars = key.chars().take(64).filter(|c| !matches!(c, '_' | '-'));
    chars.map(|c| c.to_ascii_lowercase()).collect()
}

/// A key, borrowed where it has no escapes.
pub(super) struct Key<'de>(pub Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key<'de>, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A text, a number or a truth value as text; nothing, where it is anything else.
struct Scalar(Option<String>);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar(Some(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar(Some(value.to_string())))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar(Some(value.to_string())))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar(Some(value.to_string())))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar(Some(value.to_string())))
    }

    fn visit_unit<E: Error>(self) -> Result<Scalar, E> {
        Ok(Scalar(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar(None))
    }
}

/// The first text of a list.
struct FirstText(Option<String>);

impl<'de> Deserialize<'de> for FirstText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FirstText, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = FirstText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<FirstText, A::Error> {
                let mut first = None;
                while let Some(Scalar(text)) = list.next_element()? {
                    first = first.or(text);
                }
                Ok(FirstText(first))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<FirstText, E> {
                Ok(FirstText(Some(text.to_owned())))
            }

            fn visit_unit<E: Error>(self) -> Result<FirstText, E> {
                Ok(FirstText(None))
            }
        }
        deserializer.deserialize_any(List)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Input {
        Input::read(json.as_bytes()).unwrap()
    }

    #[test]
    fn either_spelling_is_read_and_what_is_not_known_is_passed_over() {
        let claude = read(
            r#"{"session_id":"s","cwd":"/a","hook_event_name":"PreToolUse","tool_name":"Edit",
                "tool_input":{"file_path":"a.rs"},"tool_use_id":"t","new_key":{"deep":[1,{"a":null}]}}"#,
        );
        let copilot = read(
            r#"{"sessionId":"s","timestamp":17,"cwd":"/a","toolName":"Edit","toolCallId":"t",
                "toolArgs":"{\"path\":\"a.rs\"}"}"#,
        );
        for input in [&claude, &copilot] {
            assert_eq!(input.session.as_deref(), Some("s"));
            assert_eq!(input.cwd.as_deref(), Some("/a"));
            assert_eq!(input.tool, "Edit");
            assert_eq!(input.tool_use.as_deref(), Some("t"));
            assert_eq!(input.tool_input.paths, ["a.rs"]);
        }
        assert_eq!(claude.harness(|_| false), Harness::Claude);
        assert_eq!(copilot.harness(|_| false), Harness::Copilot);
    }

    #[test]
    fn values_of_another_kind_cost_only_themselves() {
        let input = read(
            r#"{"session_id":7,"cwd":["/a"],"tool_name":null,"source":{},"stop_hook_active":"true"}"#,
        );
        assert_eq!(input.session.as_deref(), Some("7"));
        assert_eq!((input.cwd, input.tool), (None, String::new()));
        assert!(input.in_loop);
    }

    #[test]
    fn harnesses_are_told_by_shape_and_then_by_environment() {
        let of = |json: &str, set: &[&str]| read(json).harness(|name| set.contains(&name));
        let start = r#"{"session_id":"s","hook_event_name":"SessionStart"}"#;
        assert_eq!(of(start, &["CLAUDECODE"]), Harness::Claude);
        let stamped = r#"{"session_id":"s","hook_event_name":"SessionStart","timestamp":"t"}"#;
        assert_eq!(
            of(stamped, &["COPILOT_CLI", "CLAUDECODE"]),
            Harness::Copilot
        );
        assert_eq!(of(stamped, &["GEMINI_SESSION_ID"]), Harness::Gemini);
        assert_eq!(of(start, &["COPILOT_CLI", "CLAUDECODE"]), Harness::Claude);
        assert_eq!(of(start, &["CODEX_HOME"]), Harness::Codex);
        // An agent that was started by another one inherits what that one had set.
        let nested = r#"{"conversation_id":"c","tool_name":"Write"}"#;
        assert_eq!(of(nested, &["CLAUDECODE"]), Harness::Cursor);
        let nested = r#"{"session_id":"s","turn_id":"t","hook_event_name":"Stop"}"#;
        assert_eq!(of(nested, &["CLAUDECODE"]), Harness::Codex);
        let nested = r#"{"session_id":"s","hook_event_name":"BeforeTool"}"#;
        assert_eq!(of(nested, &["CLAUDECODE"]), Harness::Gemini);
        let plugin = r#"{"event":"stop","session_id":"s","cwd":"/a"}"#;
        assert_eq!(of(plugin, &["CLAUDECODE"]), Harness::OpenCode);
    }

    #[test]
    fn endings_and_loops_are_told() {
        let cursor = |status: &str, count: u32| {
            read(&format!(
                r#"{{"conversation_id":"c","status":"{status}","loop_count":{count},"workspace_roots":["/a","/b"]}}"#
            ))
        };
        let good = cursor("completed", 0);
        assert_eq!((good.ended_badly, good.in_loop), (false, false));
        assert_eq!(good.cwd.as_deref(), Some("/a"));
        assert!(cursor("aborted", 0).ended_badly);
        assert!(cursor("error", 0).ended_badly);
        assert!(cursor("completed", 1).in_loop);
        assert!(read(r#"{"hook_event_name":"StopFailure","error":"rate_limit"}"#).ended_badly);
        assert!(read(r#"{"stopReason":"rate_limited"}"#).ended_badly);
        assert!(!read(r#"{"stopReason":"end_turn","error":null}"#).ended_badly);
    }

    #[test]
    fn who_speaks_in_a_prompt_is_told() {
        let of = |prompt: &str| read(&serde_json::json!({"prompt": prompt}).to_string()).speaker;
        assert_eq!(of("go on"), Speaker::User);
        assert_eq!(of(&format!("{BEFORE_STOP}\n- this")), Speaker::Ourselves);
        assert_eq!(of("<task-notification>\n<id>"), Speaker::Harness);
        assert_eq!(read("{}").speaker, Speaker::Unknown);
    }

    #[test]
    fn what_is_no_object_is_an_error_and_never_a_panic() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let texts = [
            "",
            " \n",
            "not json",
            "[1]",
            "7",
            "null",
            "{",
            "\u{0}\u{1}",
            "{}x",
            &deep,
        ];
        for bad in texts {
            assert!(Input::read(bad.as_bytes()).is_err(), "{bad:.20}");
        }
        let nested = format!(r#"{{"a":{deep},"tool_input":{{"x":{deep},"path":"b"}}}}"#);
        assert_eq!(read(&nested).tool_input.paths, ["b"]);
        assert_eq!(Input::read(b"\xef\xbb\xbf{}").unwrap(), Input::default());
        let bytes = b"{\"cwd\":\"/a\xff\",\"tool_name\":\"Edit\"}";
        let input = Input::read(bytes).unwrap();
        assert!(input.is_mended);
        assert_eq!(input.cwd.as_deref(), Some("/a\u{fffd}"));
    }
}
