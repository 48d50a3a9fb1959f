//! Asking before anything is written: the texts first, then a yes.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation as _;

use super::act::{Act, Write};

/// An act that somebody is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    pub act: Act,
    pub fields: Vec<Field>,
    pub stage: Stage,
    /// What is missing.
    pub problem: Option<String>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// This field is being written.
    Field(usize),
    /// All is there; it waits for yes or no.
    Sure,
}

/// A text that is being written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field {
    pub text: String,
    /// In bytes, at the beginning of a character as seen.
    pub cursor: usize,
}

/// What came of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It is still open.
    Open,
    /// It was left, with what was written so far.
    Left,
    Sure(Write),
}

impl Form {
    /// Opens a form with some of its texts already there.
    pub fn new(act: Act, texts: &[&str]) -> Form {
        let count = act.asks().len();
        let mut fields = vec![Field::default(); count];
        for (field, text) in fields.iter_mut().zip(texts) {
            *field = Field::of(text);
        }
        let first = fields.iter().position(|field| field.text.is_empty());
        Form {
            stage: match count {
                0 => Stage::Sure,
                _ => Stage::Field(first.unwrap_or(0)),
            },
            act,
            fields,
            problem: None,
        }
    }

    /// Returns what would be written.
    pub fn write(&self) -> Write {
        let text = |field: &Field| field.text.trim().to_owned();
        Write {
            act: self.act.clone(),
            texts: self.fields.iter().map(text).collect(),
        }
    }

    /// Takes one key.
    pub fn key(&mut self, key: KeyEvent) -> Came {
        self.problem = None;
        match (self.stage, key.code) {
            (_, KeyCode::Esc) => Came::Left,
            (Stage::Sure, KeyCode::Char('y' | 'Y')) => Came::Sure(self.write()),
            (Stage::Sure, KeyCode::Char('n' | 'N')) => match self.fields.len() {
                0 => Came::Left,
                count => self.go(count - 1),
            },
            (Stage::Sure, KeyCode::BackTab | KeyCode::Up) => {
                self.go(self.fields.len().saturating_sub(1))
            }
            (Stage::Sure, _) => Came::Open,
            (Stage::Field(at), KeyCode::BackTab | KeyCode::Up) => self.go(at.saturating_sub(1)),
            (Stage::Field(at), KeyCode::Enter) if key.modifiers.contains(KeyModifiers::ALT) => {
                self.fields[at].insert("\n");
                Came::Open
            }
            (Stage::Field(at), KeyCode::Enter | KeyCode::Tab | KeyCode::Down) => self.next(at),
            (Stage::Field(at), _) => {
                self.fields[at].key(key);
                Came::Open
            }
        }
    }

    /// Takes what was pasted.
    pub fn paste(&mut self, text: &str) {
        if let Stage::Field(at) = self.stage {
            self.fields[at].insert(&text.replace("\r\n", "\n").replace('\r', "\n"));
        }
    }

    fn go(&mut self, to: usize) -> Came {
        if to < self.fields.len() {
            self.stage = Stage::Field(to);
        }
        Came::Open
    }

    fn next(&mut self, at: usize) -> Came {
        let asked = self.act.asks()[at];
        if asked.is_required && self.fields[at].text.trim().is_empty() {
            self.problem = Some(format!("{} must not be empty", asked.label));
            return Came::Open;
        }
        self.stage = match at + 1 < self.fields.len() {
            true => Stage::Field(at + 1),
            false => Stage::Sure,
        };
        Came::Open
    }
}

impl Field {
    pub fn of(text: &str) -> Field {
        Field {
            text: text.to_owned(),
            cursor: text.len(),
        }
    }

    pub fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
    }

    /// Takes a key of writing; returns whether it was one.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::Char('e') if control => self.cursor = self.text.len(),
            KeyCode::Char('u') if control => {
                self.text.replace_range(..self.cursor, "");
                self.cursor = 0;
            }
            KeyCode::Char('w') if control => {
                let kept = self.text[..self.cursor].trim_end();
                // The gap itself stays.
                let gap = kept.char_indices().rfind(|(_, c)| c.is_whitespace());
                let from = gap.map_or(0, |(at, c)| at + c.len_utf8());
                self.text.replace_range(from..self.cursor, "");
                self.cursor = from;
            }
            KeyCode::Char(_) if control || key.modifiers.contains(KeyModifiers::ALT) => {
                return false;
            }
            KeyCode::Char(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace => {
                let before = self.before();
                self.text.replace_range(before..self.cursor, "");
                self.cursor = before;
            }
            KeyCode::Delete => {
                let after = self.after();
                self.text.replace_range(self.cursor..after, "");
            }
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Right => self.cursor = self.after(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    fn before(&self) -> usize {
        let mut clusters = self.text[..self.cursor].grapheme_indices(true);
        clusters.next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(form: &mut Form, keys: &[KeyCode]) -> Came {
        let mut came = Came::Open;
        for code in keys {
            came = form.key(KeyEvent::new(*code, KeyModifiers::NONE));
        }
        came
    }

    fn typed(form: &mut Form, text: &str) {
        for c in text.chars() {
            press(form, &[KeyCode::Char(c)]);
        }
    }

    #[test]
    fn nothing_is_written_before_a_yes() {
        let mut form = Form::new(Act::Message { task: None }, &["kai"]);
        assert_eq!(form.stage, Stage::Field(1), "the text is what is missing");
        assert_eq!(press(&mut form, &[KeyCode::Enter]), Came::Open);
        assert_eq!(form.problem.as_deref(), Some("text must not be empty"));
        typed(&mut form, "yes");
        assert_eq!(press(&mut form, &[KeyCode::Enter]), Came::Open);
        assert_eq!(form.stage, Stage::Sure);
        assert_eq!(press(&mut form, &[KeyCode::Enter]), Came::Open, "no yes");
        assert_eq!(press(&mut form, &[KeyCode::Char('n')]), Came::Open);
        assert_eq!(form.stage, Stage::Field(1), "a no is to write on");
        press(&mut form, &[KeyCode::Enter]);
        let Came::Sure(write) = press(&mut form, &[KeyCode::Char('y')]) else {
            panic!("{form:?}");
        };
        assert_eq!(write.texts, ["kai", "yes"]);
    }

    #[test]
    fn writing_knows_characters_as_seen() {
        let mut field = Field::of("a👩‍👩‍👧b");
        let press = |field: &mut Field, code| field.key(KeyEvent::new(code, KeyModifiers::NONE));
        press(&mut field, KeyCode::Left);
        press(&mut field, KeyCode::Backspace);
        assert_eq!((field.text.as_str(), field.cursor), ("ab", 1));
        press(&mut field, KeyCode::Delete);
        assert_eq!((field.text.as_str(), field.cursor), ("a", 1));
        field.insert(" two  words\u{3000}here");
        field.key(KeyEvent::new(KeyCode::Char('w'), KeyModifiers::CONTROL));
        assert_eq!(field.text, "a two  words\u{3000}");
        field.key(KeyEvent::new(KeyCode::Char('w'), KeyModifiers::CONTROL));
        assert_eq!(field.text, "a two  ");
        field.key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
        assert_eq!(field, Field::default());
    }
}
