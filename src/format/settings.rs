//! The settings' file: the values in force, by hand or not, and the events that set them.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeValue;

use crate::model::settings::{FAMILIES, KEYS, SettingsEvent, SettingsLog};

use super::FormatError;
use super::field;
use super::reader::Reader;
use super::value::canonical;
use super::writer::Writer;

const COMMENT: &str =
    "# The settings of this team. Change them with \"reflectt config set KEY VALUE\".\n";

/// Names at the top of the file that no setting can have.
const RESERVED: [&str; 2] = ["format", "event"];

/// The settings' file, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedSettings {
    pub log: SettingsLog,
    /// The values as the file shows them, by key; a person may have edited them.
    pub shown: BTreeMap<String, String>,
}

/// Reads the settings' file.
pub fn parse_settings(bytes: &[u8]) -> Result<ParsedSettings, FormatError> {
    let mut file = Reader::open(bytes)?;
    let mut log = SettingsLog {
        log: file.events(read_event, |kind| SettingsEvent::Unknown { kind })?,
    };
    let tops: BTreeSet<&str> = KEYS
        .iter()
        .chain(&FAMILIES)
        .map(|(key, _)| *key)
        .chain(log.values().into_keys())
        .map(top)
        .collect();
    let mut shown = BTreeMap::new();
    for (key, value) in file.drain(|key, _| tops.contains(key)) {
        flatten(key.clone(), value.get_ref(), 0, &mut shown)
            .map_err(|reason| file.wrong(&key, value.span().start, reason))?;
    }
    log.log.extra = file.extra()?;
    Ok(ParsedSettings { log, shown })
}

/// Prints the settings: the value last given to each key, and the events.
pub fn print_settings(settings: &SettingsLog) -> String {
    let mut tables: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    let mut bare = Vec::new();
    for (key, value) in settings.values() {
        match key.split_once('.') {
            Some((table, rest)) => tables.entry(table).or_default().push((rest, value)),
            None => bare.push((key, value)),
        }
    }
    // Keys are free text in the log. What has no place above the events stays in them alone.
    for name in RESERVED {
        tables.remove(name);
    }
    bare.retain(|(key, _)| !tables.contains_key(key) && !RESERVED.contains(key));

    let mut out = Writer::after(COMMENT);
    for (key, value) in &bare {
        print_value(&mut out, key, value);
    }
    for (key, toml) in settings.log.extra.iter() {
        if !tables.contains_key(key) && bare.iter().all(|(other, _)| *other != key) {
            out.raw(key, toml);
        }
    }
    for (name, entries) in &tables {
        out.table(name);
        for (key, value) in entries {
            print_value(&mut out, key, value);
        }
    }
    for (id, event) in settings.log.iter() {
        out.event(id, event, event.kind.name());
        if let SettingsEvent::Set { key, value } = &event.kind {
            out.text("key", key);
            out.text("value", value);
        }
        out.retracted(&event.kind);
        out.extra(&event.extra);
    }
    out.finish()
}

fn read_event(kind: &str, table: &mut Reader) -> Result<Option<SettingsEvent>, FormatError> {
    Ok(match kind {
        "founded" => Some(SettingsEvent::Founded),
        "set" => Some(SettingsEvent::Set {
            key: table.need("key", field::note)?,
            value: table.need("value", field::note)?,
        }),
        _ => None,
    })
}

fn top(key: &str) -> &str {
    key.split_once('.').map_or(key, |(top, _)| top)
}

/// Prints numbers and booleans as such; everything else is text.
fn print_value(out: &mut Writer, key: &str, value: &str) {
    let number = value.parse::<i64>().is_ok_and(|n| n.to_string() == value);
    if number || value == "true" || value == "false" {
        out.raw(key, value);
    } else {
        out.text(key, value);
    }
}

/// Collects the values below `key`, each as the text that `config set` would take.
fn flatten(
    key: String,
    value: &DeValue,
    depth: usize,
    shown: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    match value {
        DeValue::Table(_) if depth > 4 => return Err("nested too deep for a setting".to_owned()),
        DeValue::Table(table) => {
            for (name, value) in table {
                flatten(
                    format!("{key}.{}", name.get_ref()),
                    value.get_ref(),
                    depth + 1,
                    shown,
                )?;
            }
        }
        DeValue::String(text) => {
            shown.insert(key, text.to_string());
        }
        // Whoever writes names by hand may well write a list.
        DeValue::Array(items) => {
            let names: Result<Vec<&str>, String> = items
                .iter()
                .map(|item| field::string(item.get_ref()))
                .collect();
            shown.insert(key, names?.join(","));
        }
        other => {
            shown.insert(key, canonical(other)?);
        }
    }
    Ok(())
}
