//! Prints one file: keys in the order they are written, empty ones left out.

use std::fmt::Display;

use crate::model::event::{Event, Kind};
use crate::model::extra::Extra;
use crate::model::id::Stamp;
use crate::model::time::Timestamp;

use super::value::{push_key, quote, quote_text, rfc3339};
use super::{AT, FORMAT};

pub struct Writer {
    out: String,
}

impl Writer {
    /// Starts a file with its format.
    pub fn new() -> Writer {
        Writer::after("")
    }

    /// Starts a file with a comment and its format.
    pub fn after(comment: &str) -> Writer {
        Writer::of_format(FORMAT, comment)
    }

    /// Starts a file of a kind that has a format of its own.
    pub fn of_format(format: i64, comment: &str) -> Writer {
        Writer {
            out: format!("{comment}format = {format}\n"),
        }
    }

    pub fn finish(self) -> String {
        self.out
    }

    fn key(&mut self, key: &str) {
        push_key(&mut self.out, key);
        self.out.push_str(" = ");
    }

    /// Text that people wrote; on lines of its own if it has several.
    pub fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        quote_text(&mut self.out, text);
        self.out.push('\n');
    }

    pub fn opt_text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    /// Text that is left out when it is empty.
    pub fn some_text(&mut self, key: &str, text: &str) {
        self.opt_text(key, Some(text).filter(|text| !text.is_empty()));
    }

    /// A name, an id or a word.
    pub fn word(&mut self, key: &str, word: impl Display) {
        self.text(key, &word.to_string());
    }

    pub fn opt_word(&mut self, key: &str, word: Option<impl Display>) {
        if let Some(word) = word {
            self.word(key, word);
        }
    }

    pub fn number(&mut self, key: &str, number: impl Into<u64>) {
        self.raw(key, &number.into().to_string());
    }

    /// A flag that is left out when it is not set.
    pub fn flag(&mut self, key: &str, flag: bool) {
        if flag {
            self.raw(key, "true");
        }
    }

    pub fn time(&mut self, key: &str, time: Timestamp) {
        self.raw(key, &rfc3339(time));
    }

    pub fn opt_time(&mut self, key: &str, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.time(key, time);
        }
    }

    /// A list that is left out when it is empty.
    pub fn list(&mut self, key: &str, items: impl IntoIterator<Item = impl Display>) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_some() {
            self.whole_list(key, items);
        }
    }

    /// A list that is written even when it is empty, because that says something.
    pub fn whole_list(&mut self, key: &str, items: impl IntoIterator<Item = impl Display>) {
        self.key(key);
        self.out.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            quote(&mut self.out, &item.to_string());
        }
        self.out.push_str("]\n");
    }

    /// A value that is TOML already.
    pub fn raw(&mut self, key: &str, toml: &str) {
        self.key(key);
        self.out.push_str(toml);
        self.out.push('\n');
    }

    pub fn extra(&mut self, extra: &Extra) {
        for (key, toml) in extra.iter() {
            self.raw(key, toml);
        }
    }

    pub fn table(&mut self, name: &str) {
        self.out.push_str("\n[");
        push_key(&mut self.out, name);
        self.out.push_str("]\n");
    }

    pub fn table_below(&mut self, above: &str, name: &str) {
        self.out.push_str("\n[");
        push_key(&mut self.out, above);
        self.out.push('.');
        push_key(&mut self.out, name);
        self.out.push_str("]\n");
    }

    /// An id, and for people when that was: it is in the id, and the id counts.
    pub fn stamp(&mut self, id: Stamp) {
        self.word("id", id);
        self.time(AT, id.at());
    }

    /// The fields of an event that disowns another.
    pub fn retracted(&mut self, kind: &impl Kind) {
        if let Some((event, note)) = kind.retracts() {
            self.word("event", event);
            self.text("note", note);
        }
    }

    /// Starts an event; the fields of its kind follow.
    pub fn event<K>(&mut self, id: Stamp, event: &Event<K>, kind: &str) {
        self.out.push_str("\n[[event]]\n");
        self.stamp(id);
        self.word("by", &event.by);
        self.word("kind", kind);
        if let Some(decided) = event.decided {
            self.number("epoch", decided.epoch);
            if let Some(under) = decided.under {
                self.number("under", under.0);
            }
        }
    }
}
