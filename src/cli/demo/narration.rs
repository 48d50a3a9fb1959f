//! What the demo says while it plays: chapters, commands and the line of their output that counts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::cli::text::{CYAN, DIM, GREEN, RED, Text, YELLOW};
use crate::cli::ui::Ui;

use super::said::Said;

/// How long a line stays alone on a terminal, so that a person can follow. Never in a pipe.
const PACE: Duration = Duration::from_millis(25);

/// From which length on a command is shown on several lines.
const WIDTH: usize = 90;

/// Tells the story, or keeps quiet with `-q` and `--json`.
pub struct Narrator<'a> {
    ui: &'a Ui,
    chapters: usize,
    chapter: AtomicUsize,
}

impl<'a> Narrator<'a> {
    pub fn new(ui: &'a Ui, chapters: usize) -> Narrator<'a> {
        Narrator {
            ui,
            chapters,
            chapter: AtomicUsize::new(0),
        }
    }

    /// Starts a chapter.
    pub fn chapter(&self, title: &str) {
        let chapter = self.chapter.fetch_add(1, Ordering::Relaxed) + 1;
        let number = format!("[{chapter}/{}] ", self.chapters);
        self.line(Text::new());
        self.line(Text::new().styled(DIM, number).bold(title));
    }

    /// Explains what comes.
    pub fn tell(&self, text: &str) {
        self.line(Text::new().plain(text));
    }

    /// Shows a command and the first `lines` lines of what it said.
    pub fn command(&self, said: &Said, lines: usize) {
        let mut typed = wrapped(&said.command).into_iter();
        self.line(
            Text::new()
                .plain("  ")
                .styled(CYAN, format!("{}$ ", said.who))
                .plain(typed.next().unwrap_or_default()),
        );
        for rest in typed {
            self.line(Text::new().plain("        ").plain(rest));
        }
        for (at, line) in said.essence().lines().take(lines).enumerate() {
            let line = Text::new().plain("      ").plain(line);
            self.line(match said.code {
                code if code != 0 && at == 0 => line.styled(YELLOW, format!("  [exit {code}]")),
                _ => line,
            });
        }
    }

    /// Shows whether something that must be true is.
    pub fn verdict(&self, claim: &str, found: Result<&str, &str>) {
        let (mark, style, detail) = match found {
            Ok(detail) => ("ok    ", GREEN, detail),
            Err(detail) => ("BROKEN", RED, detail),
        };
        let line = Text::new().plain("  ").styled(style, mark);
        let line = line.plain(format!("  {claim}"));
        match found {
            Ok(_) => self.line(line.dim(format!(" ({detail})"))),
            Err(_) => self.line(line.plain(format!(": {detail}"))),
        }
    }

    fn line(&self, text: Text) {
        if self.ui.options().quiet || self.ui.is_json() {
            return;
        }
        self.ui.line(text);
        // Whoever reads this in a pipe wants to see how far it is, too.
        self.ui.flush();
        if self.ui.options().stdout_is_terminal {
            thread::sleep(PACE);
        }
    }
}

/// Breaks a long command before its options, as one may type it.
fn wrapped(command: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, option) in command.split(" --").enumerate() {
        let option = match at {
            0 => option.to_owned(),
            _ => format!("--{option}"),
        };
        match lines.last_mut() {
            Some(line) if line.len() + option.len() < WIDTH => {
                line.push(' ');
                line.push_str(&option);
            }
            Some(line) => {
                line.push_str(" \\");
                lines.push(option);
            }
            None => lines.push(option),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_commands_are_broken_before_options() {
        assert_eq!(wrapped("a --b c --d"), ["a --b c --d"]);
        let long = format!("a --b '{}' --c --d", "x".repeat(WIDTH));
        let lines = wrapped(&long);
        assert_eq!(lines[0], "a \\");
        assert_eq!(lines[2], "--c --d");
        assert_eq!(lines.join(" ").replace(" \\", ""), long);
    }
}
