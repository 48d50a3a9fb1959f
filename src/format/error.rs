//! Why a file could not be read: what is wrong, and where.

use crate::model::id::Stamp;

use super::MAX_BYTES;

/// Why a file could not be read. Lines count from 1; every message is one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error("the file has {bytes} bytes; {MAX_BYTES} is the most")]
    TooLarge { bytes: usize },
    #[error("line {line} is not UTF-8 text")]
    NotUtf8 { line: usize },
    #[error("line {line}: {message}")]
    Syntax { line: usize, message: String },
    #[error("format {format} is newer than this version of reflectt, which reads up to {known}")]
    Future { format: i64, known: i64 },
    #[error("{}`{key}`{} is missing", at(*.line), of(*.event))]
    Missing {
        key: String,
        event: Option<Stamp>,
        line: Option<usize>,
    },
    #[error("{}`{key}`{}: {reason}", at(*.line), of(*.event))]
    Wrong {
        key: String,
        event: Option<Stamp>,
        line: Option<usize>,
        reason: String,
    },
}

impl FormatError {
    /// Returns the line that has to be looked at, where there is one.
    pub fn line(&self) -> Option<usize> {
        match self {
            FormatError::TooLarge { .. } | FormatError::Future { .. } => None,
            FormatError::NotUtf8 { line } | FormatError::Syntax { line, .. } => Some(*line),
            FormatError::Missing { line, .. } | FormatError::Wrong { line, .. } => *line,
        }
    }
}

fn at(line: Option<usize>) -> String {
    line.map(|line| format!("line {line}: "))
        .unwrap_or_default()
}

fn of(event: Option<Stamp>) -> String {
    event
        .map(|event| format!(" of event `{event}`"))
        .unwrap_or_default()
}
