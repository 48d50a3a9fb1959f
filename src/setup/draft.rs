//! Files as they are to be, beside how they are.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::harness::Harness;

use super::block;
use super::entries::{self, Done, Misfit, Strictness};
use super::error::SetupError;
use super::json::{Document, Position};
use super::place::{Part, Place};
use super::{approvals, server_table, servers};

const BOM: &str = "\u{feff}";

/// By this we know a file that is ours alone.
const WRITTEN_BY_US: &str = "Written by `reflectt setup`";

/// A file, and what it is to become.
#[derive(Debug, Clone)]
pub struct Draft {
    /// As people know it.
    pub shown: String,
    /// With links followed.
    pub real: PathBuf,
    /// Whose file it is.
    pub harnesses: Vec<Harness>,
    /// `None` where there is no file.
    pub before: Option<Vec<u8>>,
    has_bom: bool,
    body: Option<String>,
    pub done: Done,
}

impl Draft {
    fn read(place: &Place, path: &Path, real: PathBuf) -> Result<Draft, SetupError> {
        let shown = place.show(path);
        let before = match std::fs::read(&real) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => {
                return Err(SetupError::Read {
                    path: shown,
                    source,
                });
            }
        };
        let text = before.clone().map(String::from_utf8).transpose();
        let Ok(text) = text else {
            return Err(SetupError::NotText { path: shown });
        };
        let has_bom = text.as_ref().is_some_and(|text| text.starts_with(BOM));
        Ok(Draft {
            body: text.map(|text| text.strip_prefix(BOM).unwrap_or(&text).to_owned()),
            shown,
            real,
            harnesses: Vec::new(),
            before,
            has_bom,
            done: Done::default(),
        })
    }

    /// Returns the text; `None` where there is, or is to be, no file.
    pub fn text(&self) -> Option<&str> {
        self.body.as_deref()
    }

    /// Returns what the file is to hold; `None` where there is to be none.
    pub fn after(&self) -> Option<Vec<u8>> {
        let body = self.body.as_deref()?;
        let bom = if self.has_bom { BOM } else { "" };
        Some([bom, body].concat().into_bytes())
    }

    pub fn is_changed(&self) -> bool {
        self.before != self.after()
    }

    fn misfit(&self, at: Position, reason: String) -> SetupError {
        SetupError::Misfit {
            path: self.shown.clone(),
            at,
            reason,
        }
    }

    /// Reads it as JSON.
    pub fn json(&self) -> Result<Document, SetupError> {
        let document = Document::read(self.text());
        document.map_err(|error| self.misfit(error.at, error.to_string()))
    }

    /// Edits it as JSON.
    pub fn edit_json(
        &mut self,
        edit: impl FnOnce(&mut Document) -> Result<Done, Misfit>,
    ) -> Result<(), SetupError> {
        let mut document = self.json()?;
        let done = edit(&mut document);
        let done = done.map_err(|error| self.misfit(error.position(), error.to_string()))?;
        self.body = document.into_text();
        self.done.merge(done);
        Ok(())
    }

    /// Puts in what a harness needs here.
    pub fn install(
        &mut self,
        part: Part,
        harness: Harness,
        strictness: Strictness,
    ) -> Result<(), SetupError> {
        match part {
            Part::Hooks => {
                self.edit_json(|document| entries::install_hooks(document, harness, strictness))
            }
            Part::Server => self.edit_json(|document| servers::install_server(document, harness)),
            Part::Approvals => self.edit_json(approvals::install),
            Part::ServerTable => {
                let done = server_table::install(self.text());
                let (text, done) = done.map_err(|e| self.misfit(e.at, e.to_string()))?;
                self.body = text;
                self.done.merge(done);
                Ok(())
            }
            Part::Whole(content) => {
                match self.text() {
                    // Git may have given its lines other ends.
                    Some(text) if text.replace("\r\n", "\n") == content => return Ok(()),
                    Some(text) if text.contains(WRITTEN_BY_US) => {
                        self.done.updated.push("all of it".to_owned());
                    }
                    Some(_) => {
                        let path = self.shown.clone();
                        return Err(SetupError::NotOurs { path });
                    }
                    None => self.done.added.push("all of it".to_owned()),
                }
                self.body = Some(content.to_owned());
                Ok(())
            }
        }
    }

    /// Takes out what is ours of this kind.
    pub fn remove(&mut self, part: Part, harness: Harness) -> Result<(), SetupError> {
        let gone = |gone: Vec<String>| Done {
            updated: gone,
            ..Done::default()
        };
        match part {
            Part::Hooks => {
                self.edit_json(|document| entries::remove_hooks(document, harness).map(gone))
            }
            Part::Server => {
                self.edit_json(|document| servers::remove_server(document, harness).map(gone))
            }
            Part::Approvals => self.edit_json(|document| approvals::remove(document).map(gone)),
            Part::ServerTable => {
                let done = server_table::remove(self.text());
                let (text, names) = done.map_err(|e| self.misfit(e.at, e.to_string()))?;
                self.body = text;
                self.done.merge(gone(names));
                Ok(())
            }
            Part::Whole(_) => {
                if self.text().is_some_and(|text| text.contains(WRITTEN_BY_US)) {
                    self.body = None;
                    self.done.updated.push("all of it".to_owned());
                }
                Ok(())
            }
        }
    }

    /// Puts instructions in, or brings them up to date; `known` tells a text in which they stand
    /// without our markers.
    pub fn install_block(
        &mut self,
        content: &str,
        known: impl FnOnce(&str) -> bool,
    ) -> Result<(), SetupError> {
        let text = self.text().unwrap_or_default();
        let found = block::find(text).map_err(|e| self.misfit(e.at, e.to_string()))?;
        let new = match found {
            Some(span) if block::is_current(&text[span.clone()], content) => return Ok(()),
            Some(span) => {
                let newline = super::value::newline_of(text);
                let mut new = text.to_owned();
                new.replace_range(span, &block::marked(content).replace('\n', newline));
                self.done.updated.push("instructions".to_owned());
                new
            }
            None if known(text) => {
                let note = "holds `reflectt guide` already, put there by hand".to_owned();
                self.done.notes.push(note);
                return Ok(());
            }
            None => {
                self.done.added.push("instructions".to_owned());
                block::append(self.text(), &block::marked(content))
            }
        };
        self.body = Some(new);
        Ok(())
    }

    /// Takes instructions out that stand between our markers.
    pub fn remove_block(&mut self) -> Result<(), SetupError> {
        let text = self.text().unwrap_or_default();
        let found = block::find(text).map_err(|e| self.misfit(e.at, e.to_string()))?;
        if let Some(span) = found {
            self.body = block::remove(text, span);
            self.done.updated.push("instructions".to_owned());
        }
        Ok(())
    }
}

/// The files under edit, each once, however many links lead to it.
#[derive(Debug)]
pub struct Drafts<'p> {
    pub place: &'p Place,
    pub all: Vec<Draft>,
}

impl<'p> Drafts<'p> {
    pub fn new(place: &'p Place) -> Drafts<'p> {
        Drafts {
            place,
            all: Vec::new(),
        }
    }

    /// Returns the draft of a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is no text, or lies where nothing may be written.
    pub fn open(&mut self, path: &Path) -> Result<&mut Draft, SetupError> {
        let real = self.place.resolve(path)?;
        let at = match self.all.iter().position(|draft| draft.real == real) {
            Some(at) => at,
            None => {
                self.all.push(Draft::read(self.place, path, real)?);
                self.all.len() - 1
            }
        };
        Ok(&mut self.all[at])
    }

    /// The same, for a harness whose file it is.
    pub fn open_for(&mut self, path: &Path, harness: Harness) -> Result<&mut Draft, SetupError> {
        let draft = self.open(path)?;
        if !draft.harnesses.contains(&harness) {
            draft.harnesses.push(harness);
        }
        Ok(draft)
    }
}
