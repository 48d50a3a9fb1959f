//! Single values: TOML text of strings, times and of values that this version does not know.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, SecondsFormat};
use toml::de::DeValue;
use toml::value::Datetime;

use crate::model::time::Timestamp;

/// How deep a value that we do not know may be nested.
///
/// Tables nested by their headers have no limit in TOML, but inline ones, as which we print
/// them, have one in every parser: what is deeper could not be read back.
const MAX_DEPTH: usize = 32;

/// Appends `text` as a TOML string on one line.
pub fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            _ => push_escaped(out, c),
        }
    }
    out.push('"');
}

/// Appends `text` as a TOML string, on lines of its own if it has several.
pub fn quote_text(out: &mut String, text: &str) {
    if !text.contains('\n') {
        return quote(out, text);
    }
    // The parser drops the line break that follows the opening quotes.
    out.push_str("\"\"\"\n");
    let mut quotes = 0;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        quotes = if c == '"' { quotes + 1 } else { 0 };
        match c {
            // Three in a row would close the string, and so would one before the closing three.
            '"' if quotes == 3 || rest.peek().is_none() => {
                out.push_str("\\\"");
                quotes = 0;
            }
            '"' | '\n' | '\t' => out.push(c),
            _ => push_escaped(out, c),
        }
    }
    out.push_str("\"\"\"");
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '\\' => out.push_str("\\\\"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        c if c.is_control() => {
            let _ = write!(out, "\\u{:04X}", u32::from(c));
        }
        c => out.push(c),
    }
}

/// Appends `key`, bare where TOML allows it.
pub fn push_key(out: &mut String, key: &str) {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !key.is_empty() && key.bytes().all(bare) {
        out.push_str(key);
    } else {
        quote(out, key);
    }
}

/// Returns a value that we do not know as inline TOML; equal values give equal text.
///
/// # Errors
///
/// Returns the reason if it is nested too deep to be printed inline.
pub fn canonical(value: &DeValue) -> Result<String, String> {
    let mut out = String::new();
    push_canonical(&mut out, value, 0)?;
    Ok(out)
}

fn push_canonical(out: &mut String, value: &DeValue, depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("nested deeper than {MAX_DEPTH} levels"));
    }
    match value {
        DeValue::String(text) => quote(out, text),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => {
                let _ = write!(out, "{number}");
            }
            Err(_) => out.push_str(&number.to_string()),
        },
        DeValue::Float(number) => out.push_str(number.as_str().trim_start_matches('+')),
        DeValue::Boolean(flag) => out.push_str(if *flag { "true" } else { "false" }),
        DeValue::Datetime(time) => {
            let _ = write!(out, "{time}");
        }
        DeValue::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                push_canonical(out, item.get_ref(), depth + 1)?;
            }
            out.push(']');
        }
        DeValue::Table(table) => {
            // The order of keys means nothing in TOML, so it must not tell two values apart.
            let mut entries: Vec<(&str, &DeValue)> = table
                .iter()
                .map(|(key, value)| (key.get_ref().as_ref(), value.get_ref()))
                .collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { " " });
                push_key(out, key);
                out.push_str(" = ");
                push_canonical(out, value, depth + 1)?;
            }
            out.push_str(if table.is_empty() { "}" } else { " }" });
        }
    }
    Ok(())
}

/// The first and the last instant that a date of TOML, with its four digits of year, can name.
const FIRST_TIME: i64 = -62_167_219_200_000;
const LAST_TIME: i64 = 253_402_300_799_999;

/// Returns `time` as a date of TOML and of JSON, in UTC; milliseconds only where there are some.
pub fn rfc3339(time: Timestamp) -> String {
    let precision = if time.0 % 1000 == 0 {
        SecondsFormat::Secs
    } else {
        SecondsFormat::Millis
    };
    DateTime::from_timestamp_millis(time.0.clamp(FIRST_TIME, LAST_TIME))
        .expect("the year has four digits")
        .to_rfc3339_opts(precision, true)
}

/// Returns the instant that `time` names, or `None` if it lacks a date, a time or an offset.
pub fn read_time(time: &Datetime) -> Option<Timestamp> {
    let (date, clock, offset) = (time.date?, time.time?, time.offset?);
    let minutes = match offset {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => minutes,
    };
    // A leap second is the end of its minute; our time has no place for it.
    let second = u32::from(clock.second.unwrap_or(0)).min(59);
    let millis = clock.nanosecond.unwrap_or(0) / 1_000_000;
    let utc = NaiveDate::from_ymd_opt(
        i32::from(date.year),
        u32::from(date.month),
        u32::from(date.day),
    )?
    .and_hms_milli_opt(
        u32::from(clock.hour),
        u32::from(clock.minute),
        second,
        millis,
    )?
    .and_utc();
    Some(Timestamp(
        utc.timestamp_millis() - i64::from(minutes) * 60_000,
    ))
}
