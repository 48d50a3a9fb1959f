//! One line of styled text.
//!
//! Text is escaped as it is added, never by the caller: there is no way to print what another
//! agent wrote and forget it. Styles vanish without colour, so no meaning may depend on them.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

use super::visible::escape;
use super::width;

/// The look of plain text.
pub const PLAIN: Style = Style::new();
/// The look of what the eye should find first: ids, headings.
pub const BOLD: Style = Style::new().bold();
/// The look of what may be skipped: times, empty fields.
pub const DIM: Style = Style::new().dimmed();
/// The look of errors.
pub const RED: Style = AnsiColor::Red.on_default();
/// The look of warnings.
pub const YELLOW: Style = AnsiColor::Yellow.on_default();
/// The look of what went well.
pub const GREEN: Style = AnsiColor::Green.on_default();
/// The look of hints and names.
pub const CYAN: Style = AnsiColor::Cyan.on_default();

/// A line made of styled pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Escaped already.
    spans: Vec<(Style, String)>,
}

impl Text {
    /// Returns an empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `text` in `style`.
    #[must_use]
    pub fn styled(mut self, style: Style, text: impl Into<String>) -> Self {
        self.push(style, text);
        self
    }

    /// Appends unstyled `text`.
    #[must_use]
    pub fn plain(self, text: impl Into<String>) -> Self {
        self.styled(PLAIN, text)
    }

    /// Appends bold `text`.
    #[must_use]
    pub fn bold(self, text: impl Into<String>) -> Self {
        self.styled(BOLD, text)
    }

    /// Appends dim `text`.
    #[must_use]
    pub fn dim(self, text: impl Into<String>) -> Self {
        self.styled(DIM, text)
    }

    /// Appends `text` in `style`, in place.
    pub fn push(&mut self, style: Style, text: impl Into<String>) {
        let text = text.into();
        match escape(&text) {
            Cow::Owned(escaped) => self.push_escaped(style, escaped),
            Cow::Borrowed(_) => self.push_escaped(style, text),
        }
    }

    /// Appends a piece of text that was escaped as a whole.
    ///
    /// Escaping looks at neighbours: a piece cut out of a line could come out longer than it was
    /// measured.
    pub(super) fn push_escaped(&mut self, style: Style, text: String) {
        match self.spans.last_mut() {
            _ if text.is_empty() => {}
            Some((last, before)) if *last == style => before.push_str(&text),
            _ => self.spans.push((style, text)),
        }
    }

    /// Returns the number of terminal columns the line takes.
    pub fn width(&self) -> usize {
        width::of(&self.render(Color::Off))
    }

    /// Returns the line as it is written, without a line break.
    pub fn render(&self, color: Color) -> String {
        let mut out = String::new();
        self.render_into(&mut out, color);
        out
    }

    /// Appends the line as it is written, without a line break.
    pub fn render_into(&self, out: &mut String, color: Color) {
        for (style, text) in &self.spans {
            if color == Color::Off || style.is_plain() {
                out.push_str(text);
            } else {
                out.push_str(&format!("{style}{text}{style:#}"));
            }
        }
    }
}

/// Whether styles are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Styles become escape sequences.
    On,
    /// Styles vanish.
    Off,
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new().plain(text)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::new().plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new().plain(text)
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        Self::new().plain(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_vanish_without_color() {
        let text = Text::new()
            .bold("k3f9x2")
            .plain("  ")
            .dim("")
            .styled(RED, "late");
        assert_eq!(text.render(Color::Off), "k3f9x2  late");
        assert_eq!(
            text.render(Color::On),
            "\x1b[1mk3f9x2\x1b[0m  \x1b[31mlate\x1b[0m"
        );
        assert_eq!(text.width(), 12);
    }

    #[test]
    fn text_of_others_cannot_style_itself() {
        let text = Text::new().bold("a\x1b[31mb").plain("\n");
        assert_eq!(text.render(Color::On), "\x1b[1ma␛[31mb\x1b[0m␊");
        assert_eq!(Text::from("\u{202e}x").width(), 9);
    }
}
