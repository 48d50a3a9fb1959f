//! Single values out of a file, by the model's own rules.

use std::fmt::Display;
use std::str::FromStr;

use toml::de::DeValue;

use crate::model::name::Author;
use crate::model::text;
use crate::model::time::Timestamp;

use super::value::read_time;

/// Why a value is not what its key needs, in words.
pub type Reason = String;

pub fn expected(what: &str, found: &DeValue) -> Reason {
    let found = match found {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    format!("expected {what}, found {found}")
}

pub fn string<'v>(value: &'v DeValue) -> Result<&'v str, Reason> {
    match value {
        DeValue::String(text) => Ok(text),
        other => Err(expected("a string", other)),
    }
}

/// Reads a name, an id or a word by the model's own rules.
pub fn parsed<T: FromStr<Err: Display>>(value: &DeValue) -> Result<T, Reason> {
    string(value)?.parse().map_err(|e: T::Err| one_line(&e))
}

/// Reads a value that the empty string clears.
pub fn clearable<T: FromStr<Err: Display>>(value: &DeValue) -> Result<Option<T>, Reason> {
    match string(value)? {
        "" => Ok(None),
        _ => parsed(value).map(Some),
    }
}

pub fn author(value: &DeValue) -> Result<Author, Reason> {
    string(value).map(Author::lossy)
}

pub fn list<T, C: FromIterator<T>>(
    item: impl Fn(&DeValue) -> Result<T, Reason>,
) -> impl FnOnce(&DeValue) -> Result<C, Reason> {
    move |value| match value {
        DeValue::Array(items) => items.iter().map(|value| item(value.get_ref())).collect(),
        other => Err(expected("a list", other)),
    }
}

pub fn title(value: &DeValue) -> Result<String, Reason> {
    text::title(string(value)?).map_err(|e| e.to_string())
}

/// Reads a note, a reason or the like; kept to the letter, up to 4 KiB.
pub fn note(value: &DeValue) -> Result<String, Reason> {
    bounded(value, text::NOTE_MAX)
}

/// Reads a body; kept to the letter, up to 64 KiB.
pub fn body(value: &DeValue) -> Result<String, Reason> {
    bounded(value, text::BODY_MAX)
}

fn bounded(value: &DeValue, max: usize) -> Result<String, Reason> {
    let text = string(value)?;
    if text.len() > max {
        return Err(format!(
            "{} bytes are too long; {max} is the most",
            text.len()
        ));
    }
    // No command line and no C string can carry it.
    if text.contains('\0') {
        return Err("has a control character (U+0000)".to_owned());
    }
    Ok(text.to_owned())
}

/// The number of a version of the claims table. One that no team could have reached is forged, and
/// would leave no room for those that follow.
pub fn epoch(value: &DeValue) -> Result<u64, Reason> {
    const HIGHEST: u64 = 1 << 53;
    match number(value)? {
        epoch if epoch < HIGHEST => Ok(epoch),
        epoch => Err(format!("{epoch} is more than any claims table has reached")),
    }
}

pub fn number<T: TryFrom<u64>>(value: &DeValue) -> Result<T, Reason> {
    match value {
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| format!("{number} is out of range")),
        other => Err(expected("a whole number", other)),
    }
}

pub fn flag(value: &DeValue) -> Result<bool, Reason> {
    match value {
        DeValue::Boolean(flag) => Ok(*flag),
        other => Err(expected("`true` or `false`", other)),
    }
}

pub fn time(value: &DeValue) -> Result<Timestamp, Reason> {
    match value {
        DeValue::Datetime(time) => read_time(time).ok_or_else(|| {
            format!("`{time}` is not an instant; write it like 2026-01-31T09:30:00Z")
        }),
        other => Err(expected("a date like 2026-01-31T09:30:00Z", other)),
    }
}

/// Errors quote what they were given, which may have line breaks.
fn one_line(error: &impl Display) -> Reason {
    let mut line = String::new();
    for c in error.to_string().chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}
