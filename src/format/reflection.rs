//! A reflection's file.

use crate::model::reflection::Reflection;

use super::field;
use super::reader::Reader;
use super::writer::Writer;
use super::{AT, FormatError};

/// Reads a reflection's file.
pub fn parse_reflection(bytes: &[u8]) -> Result<Reflection, FormatError> {
    let mut file = Reader::open(bytes)?;
    file.skip(&[AT]);
    Ok(Reflection {
        id: file.need("id", field::parsed)?,
        by: file.need("by", field::author)?,
        task: file.opt("task", field::parsed)?,
        severity: file.opt("severity", field::parsed)?.unwrap_or_default(),
        tags: file
            .opt("tags", field::list(field::parsed))?
            .unwrap_or_default(),
        worked: file.need("worked", field::body)?,
        pain: file.need("pain", field::body)?,
        change: file.need("change", field::body)?,
        extra: file.extra()?,
    })
}

/// Prints a reflection.
pub fn print_reflection(reflection: &Reflection) -> String {
    let mut out = Writer::new();
    out.stamp(reflection.id);
    out.word("by", &reflection.by);
    out.opt_word("task", reflection.task);
    out.word("severity", reflection.severity);
    out.list("tags", &reflection.tags);
    out.text("worked", &reflection.worked);
    out.text("pain", &reflection.pain);
    out.text("change", &reflection.change);
    out.extra(&reflection.extra);
    out.finish()
}
