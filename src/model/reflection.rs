//! Reflections: what an agent learned from a piece of work.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::extra::Extra;
use super::id::{Stamp, TaskId};
use super::name::{Author, Tag};
use super::task::{ChoiceError, choose};

/// How much the pain cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    #[default]
    Low,
    Medium,
    High,
}

impl Severity {
    pub const ALL: [Severity; 3] = [Severity::Low, Severity::Medium, Severity::High];

    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        }
    }
}

impl FromStr for Severity {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Severity, ChoiceError> {
        choose("severity", text, &Severity::ALL, Severity::as_str)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A reflection. Immutable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reflection {
    pub id: Stamp,
    pub by: Author,
    pub task: Option<TaskId>,
    pub worked: String,
    pub pain: String,
    pub change: String,
    pub severity: Severity,
    pub tags: BTreeSet<Tag>,
    pub extra: Extra,
}
