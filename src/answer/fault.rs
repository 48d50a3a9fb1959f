//! Why an operation did not do what it was asked: the one error object of every door.
//!
//! Losing a race and being refused by a rule are answers with their own kinds and exit codes; a
//! caller reacts to the kind, never to the words.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value};

use crate::format::rfc3339;
use crate::model::advice::Advice;
use crate::model::time::Timestamp;

use super::advice::command_line;

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

/// An error as every door gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    kind: Kind,
    message: String,
    /// What led to it, the closest cause first.
    causes: Vec<String>,
    advice: Vec<Advice>,
    details: Map<String, Value>,
    /// Facts for programs alone: people read them in the message.
    told: Map<String, Value>,
    /// What people get to read instead, without and with colour, where a door has it already.
    screen: Option<Box<(String, String)>>,
}

/// Who holds what was asked for, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// The agent.
    pub holder: String,
    /// The task it is held for; `None` for a claim without a task.
    pub task: Option<String>,
    pub since: Option<Timestamp>,
    /// The paths held.
    pub paths: Vec<String>,
}

impl Fault {
    /// Returns an error of a kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            advice: Vec::new(),
            details: Map::new(),
            told: Map::new(),
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
            .detail("since", holding.since.map(rfc3339))
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

    /// Appends what to do next, which is safe to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Advice>) -> Self {
        self.advice.push(hint.into());
        self
    }

    /// Returns what to do next.
    pub fn advice(&self) -> &[Advice] {
        &self.advice
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

    /// Sets a fact that the message tells in its own words; for programs alone.
    #[must_use]
    pub fn told(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.told.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the text people get to see instead, without and with colour.
    #[must_use]
    pub fn on_screen(mut self, plain: String, colored: String) -> Self {
        self.screen = Some(Box::new((plain, colored)));
        self
    }

    /// Returns what people get to read instead, without and with colour.
    pub fn screen(&self) -> Option<(&str, &str)> {
        let screen = self.screen.as_deref()?;
        Some((&screen.0, &screen.1))
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
            error: &'a Fault,
        }
        Document { error: self }
    }

    /// Leaves out causes whose text was already said, as many errors repeat their source.
    pub fn shown_causes(&self) -> Vec<&str> {
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
    pub fn says(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.message.contains(&format!("`{text}`")),
            Value::Array(items) => items.iter().all(|item| self.says(item)),
            _ => false,
        }
    }

    /// Returns the details: the promised ones in a fixed order, then the rest by name.
    pub fn facts(&self) -> impl Iterator<Item = (&str, &Value)> {
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
impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let error = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", error.kind.as_str())?;
        map.serialize_entry("message", &error.message)?;
        let causes = error.shown_causes();
        if !causes.is_empty() {
            map.serialize_entry("causes", &causes)?;
        }
        let hints: Vec<String> = error.advice.iter().map(command_line).collect();
        map.serialize_entry("hints", &hints)?;
        for (name, value) in error.facts().filter(|(name, _)| !RESERVED.contains(name)) {
            map.serialize_entry(name, value)?;
        }
        for (name, value) in &error.told {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl From<anyhow::Error> for Fault {
    /// Keeps the kind, advice and details of a [`Fault`] inside; anything else has failed.
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
