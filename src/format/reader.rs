//! Takes typed values out of a table, key by key; what is left over is what we do not know.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::event::{Decided, Event, Kind, Log};
use crate::model::extra::Extra;
use crate::model::id::{Fence, Stamp};

use super::field::{Reason, author, count, expected, note, parsed, string};
use super::value::canonical;
use super::{AT, FORMAT, FormatError, MAX_BYTES};

/// The kind of event that every log may have: it disowns another.
const RETRACTED: &str = "retracted";

/// A table of a file, less the keys that were taken out of it.
pub struct Reader<'i> {
    text: &'i str,
    table: DeTable<'i>,
    /// The event that the table is, for messages.
    event: Option<Stamp>,
    /// Where the table starts; unknown for the file itself.
    line: Option<usize>,
}

impl<'i> Reader<'i> {
    /// Reads a whole file and checks its format.
    ///
    /// A file without `format` is one that a person wrote, and is read as the present one.
    pub fn open(bytes: &'i [u8]) -> Result<Reader<'i>, FormatError> {
        Reader::open_up_to(FORMAT, bytes)
    }

    /// Does the same for a kind of file whose present format is `known`.
    pub fn open_up_to(known: i64, bytes: &'i [u8]) -> Result<Reader<'i>, FormatError> {
        if bytes.len() > MAX_BYTES {
            return Err(FormatError::TooLarge { bytes: bytes.len() });
        }
        let text = str::from_utf8(bytes).map_err(|error| FormatError::NotUtf8 {
            line: line_of(bytes, error.valid_up_to()),
        })?;
        let table = DeTable::parse(text).map_err(|error| syntax(text, error))?;
        let mut reader = Reader {
            text,
            table: table.into_inner(),
            event: None,
            line: None,
        };
        let format = reader.opt("format", |value| match value {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .filter(|format| *format >= 1)
                .ok_or_else(|| "not a number of a format".to_owned()),
            _ => Err(expected("a whole number", value)),
        })?;
        match format {
            Some(format) if format > known => Err(FormatError::Future { format, known }),
            _ => Ok(reader),
        }
    }

    fn line_at(&self, offset: usize) -> usize {
        line_of(self.text.as_bytes(), offset)
    }

    /// Returns the error that `key`, whose value starts at the byte `at`, has for `reason`.
    pub fn wrong(&self, key: &str, at: usize, reason: Reason) -> FormatError {
        FormatError::Wrong {
            // Unknown keys may be any text.
            key: key.escape_debug().to_string(),
            event: self.event,
            line: Some(self.line_at(at)),
            reason,
        }
    }

    pub fn missing(&self, key: &str) -> FormatError {
        FormatError::Missing {
            key: key.to_owned(),
            event: self.event,
            line: self.line,
        }
    }

    /// Takes the value of `key` out, if it is there.
    pub fn opt<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&DeValue<'i>) -> Result<T, Reason>,
    ) -> Result<Option<T>, FormatError> {
        let Some(value) = self.table.remove(key) else {
            return Ok(None);
        };
        read(value.get_ref())
            .map(Some)
            .map_err(|reason| self.wrong(key, value.span().start, reason))
    }

    /// Takes the value of `key` out, which must be there.
    pub fn need<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&DeValue<'i>) -> Result<T, Reason>,
    ) -> Result<T, FormatError> {
        self.opt(key, read)?.ok_or_else(|| self.missing(key))
    }

    /// Takes out keys that are computed and need not be read.
    pub fn skip(&mut self, keys: &[&str]) {
        for key in keys {
            self.table.remove(*key);
        }
    }

    /// Takes the table `key` out.
    pub fn table(&mut self, key: &str) -> Result<Option<Reader<'i>>, FormatError> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(value) => self.child(key, value).map(Some),
        }
    }

    fn child(&self, key: &str, value: Spanned<DeValue<'i>>) -> Result<Reader<'i>, FormatError> {
        let at = value.span().start;
        match value.into_inner() {
            DeValue::Table(table) => Ok(Reader {
                text: self.text,
                table,
                event: None,
                line: Some(self.line_at(at)),
            }),
            other => Err(self.wrong(key, at, expected("a table", &other))),
        }
    }

    /// Takes the events out, each read by `read` from its kind and its table.
    ///
    /// `read` returns `None` for a kind it does not know; what such an event says is then kept
    /// as it is, by `unknown`.
    pub fn events<K: Kind>(
        &mut self,
        read: impl Fn(&str, &mut Reader<'i>) -> Result<Option<K>, FormatError>,
        unknown: impl Fn(String) -> K,
    ) -> Result<Log<K>, FormatError> {
        let mut log = Log::default();
        let Some(value) = self.table.remove("event") else {
            return Ok(log);
        };
        let at = value.span().start;
        let items = match value.into_inner() {
            DeValue::Array(items) => items,
            other => return Err(self.wrong("event", at, expected("an array of tables", &other))),
        };
        for item in items {
            let mut table = self.child("event", item)?;
            let id: Stamp = table.need("id", parsed)?;
            table.event = Some(id);
            let by = table.need("by", author)?;
            let decided = match table.opt("epoch", count)? {
                Some(epoch) => Some(Decided {
                    epoch,
                    under: table.opt("under", count)?.map(Fence),
                }),
                None => None,
            };
            let kind = table.need("kind", |value| string(value).map(str::to_owned))?;
            // Said by the fold and by the id, and said again when the file is printed.
            table.skip(&["void", AT]);
            let kind = match kind.as_str() {
                RETRACTED => K::retracted(table.need("event", parsed)?, table.need("note", note)?),
                _ => match read(&kind, &mut table)? {
                    Some(kind) => kind,
                    None => unknown(kind),
                },
            };
            let extra = table.extra()?;
            let event = Event {
                by,
                kind,
                decided,
                extra,
            };
            log.insert(id, event);
        }
        Ok(log)
    }

    /// Returns the keys that nobody took yet.
    pub fn keys(&self) -> Vec<String> {
        let keys = self.table.iter().map(|(key, _)| key.get_ref().to_string());
        keys.collect()
    }

    /// Takes this table apart: every key must be a table of its own.
    pub fn tables(mut self) -> Result<Vec<(String, Reader<'i>)>, FormatError> {
        let entries: Vec<_> = std::mem::take(&mut self.table).into_iter().collect();
        let mut tables = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = key.get_ref().to_string();
            let table = self.child(&key, value)?;
            tables.push((key, table));
        }
        Ok(tables)
    }

    /// Returns the keys that nobody took.
    pub fn extra(self) -> Result<Extra, FormatError> {
        let mut extra = Extra::default();
        for (key, value) in &self.table {
            let text = canonical(value.get_ref())
                .map_err(|reason| self.wrong(key.get_ref(), value.span().start, reason))?;
            extra.insert(key.get_ref().to_string(), text);
        }
        Ok(extra)
    }

    /// Checks that every key was taken: files that people alone write have no keys of a later
    /// version, but misspelt ones, which must not be passed over.
    pub fn nothing_else(self) -> Result<(), FormatError> {
        let first = (self.table.iter()).min_by_key(|(key, _)| key.span().start);
        match first {
            None => Ok(()),
            Some((key, _)) => {
                let reason = "there is no such key here".to_owned();
                Err(self.wrong(key.get_ref(), key.span().start, reason))
            }
        }
    }

    /// Returns the error that this table itself, under `key`, has for `reason`.
    pub fn refused(&self, key: &str, reason: Reason) -> FormatError {
        FormatError::Wrong {
            key: key.escape_debug().to_string(),
            event: self.event,
            line: self.line,
            reason,
        }
    }

    /// Takes out every key that `wanted` picks, with its value.
    pub fn drain(
        &mut self,
        wanted: impl Fn(&str, &DeValue<'i>) -> bool,
    ) -> Vec<(String, Spanned<DeValue<'i>>)> {
        let keys: Vec<String> = self
            .table
            .iter()
            .filter(|(key, value)| wanted(key.get_ref(), value.get_ref()))
            .map(|(key, _)| key.get_ref().to_string())
            .collect();
        keys.into_iter()
            .filter_map(|key| self.table.remove(key.as_str()).map(|value| (key, value)))
            .collect()
    }
}

/// Returns the first fault of a file: what follows it is mostly its consequence.
fn syntax(text: &str, error: toml::de::Error) -> FormatError {
    let at = |error: &toml::de::Error| error.span().map_or(text.len(), |span| span.start);
    let (_, faults) = DeTable::parse_recoverable(text);
    let first = faults.into_iter().min_by_key(at).unwrap_or(error);
    FormatError::Syntax {
        line: line_of(text.as_bytes(), at(&first)),
        message: first
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}

fn line_of(bytes: &[u8], offset: usize) -> usize {
    let before = &bytes[..offset.min(bytes.len())];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
