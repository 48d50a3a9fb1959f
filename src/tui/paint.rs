//! Styles. Each says what something is; none is all that says it, so that a screen without colours
//! reads the same.

use ratatui::style::{Color, Modifier, Style};

use super::picture::{Group, Tone};

/// How to draw: with colours, or with nothing but bold, dim and reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    pub has_colors: bool,
}

impl Paint {
    fn colored(self, color: Color) -> Style {
        match self.has_colors {
            true => Style::new().fg(color),
            false => Style::new(),
        }
    }

    pub fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub fn bad(self) -> Style {
        self.colored(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub fn good(self) -> Style {
        self.colored(Color::Green)
    }

    pub fn beware(self) -> Style {
        self.colored(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// The line that keys are about.
    pub fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The line that they would be about if its pane had them.
    pub fn marked(self) -> Style {
        self.bold()
    }

    pub fn group(self, group: Group) -> Style {
        match group {
            Group::Blocked => self.bad(),
            Group::InReview => self.beware(),
            Group::Approved | Group::Done => self.good(),
            Group::Doing => self.colored(Color::Cyan),
            Group::Todo => Style::new(),
        }
    }

    pub fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Title | Tone::Heading => self.bold(),
            Tone::Plain => Style::new(),
            Tone::Dim => self.dim(),
            Tone::Good => self.good(),
            Tone::Bad => self.bad(),
        }
    }
}
