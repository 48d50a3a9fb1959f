//! Why a command did not do what it was asked, for people and for programs.
//!
//! Losing a race and being refused by a rule are answers with their own kinds and exit codes; a
//! caller reacts to the kind, never to the words.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value};

use super::text::{CYAN, Color, PLAIN, RED, Text};
use super::time;

/// The kinds of error; each has an exit code. Both are a promise to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something went wrong.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// Held by someone else, or lost the race for it.
    Held,
    /// Refused by a rule.
    Refused,
    /// Nothing there.
    Nothing,
    /// The remote cannot be reached.
    Unreachable,
    /// No longer ours: expired, or taken over.
    Fenced,
}

impl Kind {
    /// Returns the exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Held => 3,
            Self::Refused => 4,
            Self::Nothing => 5,
            Self::Unreachable => 6,
            Self::Fenced => 7,
        }
    }

    /// Returns the name JSON carries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Held => "held",
            Self::Refused => "refused",
            Self::Nothing => "nothing",
            Self::Unreachable => "unreachable",
            Self::Fenced => "fenced",
        }
    }
}

/// An error as it is printed.
#[derive(Clone, Debug, PartialEq)]
pub struct CliError {
    kind: Kind,
    message: String,
    /// What led to it, the closest cause first.
    causes: Vec<String>,
    hints: Vec<String>,
    details: Map<String, Value>,
    /// How it is printed for people instead, without and with colour.
    screen: Option<Box<(String, String)>>,
}

/// Who holds what was asked for, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// The agent.
    pub holder: String,
    /// The task it is held for; `None` for a claim without a task.
    pub task: Option<String>,
    /// Since when, in milliseconds since 1970.
    pub since: Option<i64>,
    /// The paths held.
    pub paths: Vec<String>,
}

impl CliError {
    /// Returns an error of a kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            details: Map::new(),
            screen: None,
        }
    }

    /// Returns an error of kind `failed`.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// Returns an error of kind `usage`.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Returns an error of kind `held`, with the facts each of them carries.
    pub fn held(message: impl Into<String>, holding: Holding) -> Self {
        Self::new(Kind::Held, message)
            .detail("holder", holding.holder)
            .detail("task", holding.task)
            .detail("since", holding.since.map(time::rfc3339))
            .detail("paths", holding.paths)
    }

    /// Returns an error of kind `refused`; `rule` is its name, such as `wip.agent`.
    pub fn refused(rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message).detail("rule", rule.into())
    }

    /// Returns an error of kind `nothing`.
    pub fn nothing(message: impl Into<String>) -> Self {
        Self::new(Kind::Nothing, message)
    }

    /// Returns an error of kind `unreachable`.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unreachable, message)
    }

    /// Returns an error of kind `fenced`.
    pub fn fenced(message: impl Into<String>) -> Self {
        Self::new(Kind::Fenced, message)
    }

    /// Appends what to do next: a command that is safe to run.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Appends an error that led to this one, and all that led to it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.causes
            .extend(source.into().chain().map(ToString::to_string));
        self
    }

    /// Sets a fact that programs read next to the message.
    ///
    /// The names the object has anyway (`kind`, `message`, `causes`, `hints`) are not available.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        debug_assert!(
            !RESERVED.contains(&name),
            "`{name}` is not available to details"
        );
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the text people get to see instead, without and with colour.
    #[must_use]
    pub(super) fn on_screen(mut self, plain: String, colored: String) -> Self {
        self.screen = Some(Box::new((plain, colored)));
        self
    }

    /// Returns the kind, which decides the exit code.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the message, without its causes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what is printed with `--json`.
    pub fn to_json(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        struct Document<'a> {
            error: Fields<'a>,
        }
        Document {
            error: Fields(self),
        }
    }

    /// Returns what is printed for people, with `now` as the time facts refer to.
    pub fn render(&self, now: i64, color: Color) -> String {
        if let Some(screen) = &self.screen {
            return if color == Color::On {
                screen.1.clone()
            } else {
                screen.0.clone()
            };
        }
        let mut out = String::new();
        let mut push = |label: Text, text: &str| push_lines(&mut out, label, text, color);
        push(Text::new().styled(RED, "error: "), &self.message);
        for cause in self.shown_causes() {
            push(Text::from("  caused by: "), cause);
        }
        for (name, value) in self.facts() {
            if self.says(value) {
                continue;
            }
            if let Some(value) = fact(name, value, now) {
                let name = name.replace('_', " ");
                push(Text::new().dim(format!("  {name}: ")), &value);
            }
        }
        for hint in &self.hints {
            push(Text::new().styled(CYAN, "hint: "), hint);
        }
        out
    }

    /// Leaves out causes whose text was already said, as many errors repeat their source.
    fn shown_causes(&self) -> Vec<&str> {
        let mut shown = vec![self.message.as_str()];
        for cause in &self.causes {
            let cause = cause.trim_end();
            if !shown.iter().any(|said| said.contains(cause)) {
                shown.push(cause);
            }
        }
        shown.split_off(1)
    }

    /// Returns whether the message names all of a detail, which people then need not read twice.
    fn says(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.message.contains(&format!("`{text}`")),
            Value::Array(items) => items.iter().all(|item| self.says(item)),
            _ => false,
        }
    }

    /// Returns the details: the promised ones in a fixed order, then the rest by name.
    fn facts(&self) -> impl Iterator<Item = (&str, &Value)> {
        let promised = FACTS
            .iter()
            .filter_map(|&name| Some((name, self.details.get(name)?)));
        let rest = self
            .details
            .iter()
            .map(|(name, value)| (name.as_str(), value));
        promised.chain(rest.filter(|(name, _)| !FACTS.contains(name)))
    }
}

/// The details that callers may rely on, in the order they are printed.
const FACTS: [&str; 5] = ["rule", "holder", "task", "since", "paths"];

/// The fields every error has.
const RESERVED: [&str; 4] = ["kind", "message", "causes", "hints"];

/// The error object, in an order that reads well.
struct Fields<'a>(&'a CliError);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let error = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", error.kind.as_str())?;
        map.serialize_entry("message", &error.message)?;
        let causes = error.shown_causes();
        if !causes.is_empty() {
            map.serialize_entry("causes", &causes)?;
        }
        map.serialize_entry("hints", &error.hints)?;
        for (name, value) in error.facts().filter(|(name, _)| !RESERVED.contains(name)) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Appends `text` after a label; its further lines, such as those of git, are indented below.
fn push_lines(out: &mut String, label: Text, text: &str, color: Color) {
    let mut lines = text.trim_end().lines();
    out.push_str(&label.render(color));
    out.push_str(&Text::from(lines.next().unwrap_or_default()).render(Color::Off));
    out.push('\n');
    for line in lines {
        let line = Text::new()
            .styled(PLAIN, line.trim_end())
            .render(Color::Off);
        out.push_str(format!("    {line}").trim_end());
        out.push('\n');
    }
}

/// Returns a detail as people read it; `None` when there is nothing to say.
fn fact(name: &str, value: &Value, now: i64) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if matches!(name, "since" | "last_seen") => {
            let at = chrono::DateTime::parse_from_rfc3339(text).ok();
            Some(at.map_or(text.clone(), |at| {
                time::relative(now, at.timestamp_millis())
            }))
        }
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => {
            let items = items.iter().filter_map(|item| fact("", item, now));
            Some(items.collect::<Vec<_>>().join(", "))
        }
        other => Some(other.to_string()),
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}

impl From<anyhow::Error> for CliError {
    /// Keeps the kind, hints and details of a [`CliError`] inside; anything else has failed.
    fn from(error: anyhow::Error) -> Self {
        let mut texts = error.chain().map(ToString::to_string).collect::<Vec<_>>();
        let message = texts.remove(0);
        match error.downcast::<Self>() {
            Ok(inner) if inner.message == message => inner,
            Ok(inner) => {
                // Context was put around it: that is the message now, the rest led to it.
                texts.extend(inner.causes);
                Self {
                    message,
                    causes: texts,
                    screen: None,
                    ..inner
                }
            }
            Err(_) => Self {
                causes: texts,
                ..Self::failed(message)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    /// 2026-11-20T14:47:05Z
    const NOW: i64 = 1_795_186_025_000;

    fn text(error: &CliError) -> String {
        error.render(NOW, Color::Off)
    }

    fn json(error: &CliError) -> String {
        serde_json::to_string(&error.to_json()).unwrap()
    }

    #[test]
    fn codes_and_names_are_a_promise() {
        let kinds = [
            Kind::Failed,
            Kind::Usage,
            Kind::Held,
            Kind::Refused,
            Kind::Nothing,
            Kind::Unreachable,
            Kind::Fenced,
        ];
        assert_eq!(kinds.map(Kind::exit_code), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(
            kinds.map(Kind::as_str),
            [
                "failed",
                "usage",
                "held",
                "refused",
                "nothing",
                "unreachable",
                "fenced"
            ]
        );
    }

    #[test]
    fn held_names_the_holder() {
        let holding = Holding {
            holder: "link".into(),
            task: Some("k3f9x2".into()),
            since: Some(NOW - 12 * 60_000),
            paths: vec!["src/auth".into(), "src/login".into()],
        };
        let error = CliError::held("`src/auth` is held by `link`", holding)
            .hint("reflectt next")
            .hint("reflectt send link 'when will you be done?'");
        assert_eq!(
            text(&error),
            "error: `src/auth` is held by `link`\n  task: k3f9x2\n  \
             since: 12m ago\n  paths: src/auth, src/login\nhint: reflectt next\n\
             hint: reflectt send link 'when will you be done?'\n"
        );
        assert_eq!(
            json(&error),
            r#"{"error":{"kind":"held","message":"`src/auth` is held by `link`","hints":["reflectt next","reflectt send link 'when will you be done?'"],"holder":"link","task":"k3f9x2","since":"2026-11-20T14:35:05Z","paths":["src/auth","src/login"]}}"#
        );
    }

    #[test]
    fn unknown_facts_are_null_for_programs_and_unsaid_for_people() {
        let error = CliError::held(
            "lost the race",
            Holding {
                holder: "sage".into(),
                ..Holding::default()
            },
        );
        assert_eq!(text(&error), "error: lost the race\n  holder: sage\n");
        assert_eq!(
            json(&error),
            r#"{"error":{"kind":"held","message":"lost the race","hints":[],"holder":"sage","task":null,"since":null,"paths":[]}}"#
        );
    }

    #[test]
    fn refused_names_the_rule() {
        let error =
            CliError::refused("wip.agent", "`kai` already works on 1 task").detail("limit", 1);
        assert_eq!(
            text(&error),
            "error: `kai` already works on 1 task\n  rule: wip.agent\n  limit: 1\n"
        );
        assert_eq!(
            json(&error),
            r#"{"error":{"kind":"refused","message":"`kai` already works on 1 task","hints":[],"rule":"wip.agent","limit":1}}"#
        );
    }

    #[test]
    fn causes_are_listed_once() {
        let source = anyhow::anyhow!("permission denied")
            .context("cannot open `a`: permission denied")
            .context("cannot read the record");
        let error = CliError::from(source);
        assert_eq!(error.kind(), Kind::Failed);
        assert_eq!(
            text(&error),
            "error: cannot read the record\n  caused by: cannot open `a`: permission denied\n"
        );
        assert_eq!(
            json(&error),
            r#"{"error":{"kind":"failed","message":"cannot read the record","causes":["cannot open `a`: permission denied"],"hints":[]}}"#
        );
    }

    #[test]
    fn the_kind_survives_context() {
        let inner = || CliError::unreachable("cannot reach `origin`").hint("reflectt sync");
        let bare = CliError::from(anyhow::Error::new(inner()));
        assert_eq!(bare, inner());
        let wrapped = Err::<(), _>(inner())
            .context("cannot claim `k3f9x2`")
            .unwrap_err();
        let error = CliError::from(wrapped);
        assert_eq!(error.kind().exit_code(), 6);
        assert_eq!(
            text(&error),
            "error: cannot claim `k3f9x2`\n  caused by: cannot reach `origin`\nhint: reflectt sync\n"
        );
    }

    #[test]
    fn lines_of_others_are_indented_and_harmless() {
        let error = CliError::failed("cannot push")
            .caused_by(anyhow::anyhow!("remote: no\x1b[2J\r\nfatal: denied\n"));
        assert_eq!(
            text(&error),
            "error: cannot push\n  caused by: remote: no␛[2J\n    fatal: denied\n"
        );
        let colored = CliError::failed("x").hint("y").render(NOW, Color::On);
        assert_eq!(colored, "\x1b[31merror: \x1b[0mx\n\x1b[36mhint: \x1b[0my\n");
    }
}
