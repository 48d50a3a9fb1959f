//! How to print, decided once from the flags, the environment and the terminal.

use std::ffi::OsString;
use std::io::IsTerminal as _;

use super::text::Color;

/// What [`super::Ui`] needs to know; a plain value, so that tests can state it.
#[derive(Clone, Copy, Debug)]
pub struct UiOptions {
    /// Print JSON for programs and no text for people.
    pub json: bool,
    /// Print neither notes nor hints.
    pub quiet: bool,
    /// Whether a person may be reading standard output.
    pub stdout_is_terminal: bool,
    /// Whether a person may be reading standard error.
    pub stderr_is_terminal: bool,
    /// The columns standard output has; nothing is cut without.
    pub width: Option<usize>,
    /// Whether to print styles.
    pub color: ColorChoice,
    /// Tells the time that ages refer to, in milliseconds since 1970. It is asked whenever one is
    /// printed: a command may have waited for minutes before it has something to say.
    pub clock: fn() -> i64,
}

/// Whether to print styles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On terminals.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// What the standard streams are connected to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Whether standard output is a terminal.
    pub stdout: bool,
    /// Whether standard error is a terminal.
    pub stderr: bool,
    /// The columns of the terminal that standard output is.
    pub columns: Option<usize>,
}

impl Terminal {
    /// Asks the operating system.
    pub fn detect() -> Self {
        let stdout = std::io::stdout().is_terminal();
        let size = stdout
            .then(|| terminal_size::terminal_size_of(std::io::stdout()))
            .flatten();
        Self {
            stdout,
            stderr: std::io::stderr().is_terminal(),
            columns: size.map(|(width, _)| usize::from(width.0)),
        }
    }
}

impl UiOptions {
    /// Returns the options for an environment: text, not quiet.
    ///
    /// Reads `COLUMNS` and what [`ColorChoice::from_env`] reads. `COLUMNS` counts on a terminal
    /// only: a shell may export it, and text for a pipe must not be cut.
    pub fn from_env(
        env: impl Fn(&str) -> Option<OsString>,
        terminal: Terminal,
        clock: fn() -> i64,
    ) -> Self {
        let columns = env("COLUMNS").and_then(|value| value.to_str()?.trim().parse().ok());
        let known = |width: &usize| *width > 0;
        let width = columns.filter(known).or(terminal.columns.filter(known));
        Self {
            json: false,
            quiet: false,
            stdout_is_terminal: terminal.stdout,
            stderr_is_terminal: terminal.stderr,
            width: width.filter(|_| terminal.stdout),
            color: ColorChoice::from_env(env),
            clock,
        }
    }
}

impl ColorChoice {
    /// Returns the choice that `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR` and `TERM` make, in order.
    ///
    /// See <https://no-color.org> and <https://bixense.com/clicolors>.
    pub fn from_env(env: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        if set("NO_COLOR").is_some() {
            Self::Never
        } else if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
            Self::Always
        } else if set("CLICOLOR").is_some_and(|value| value == "0")
            || set("TERM").is_some_and(|value| value == "dumb")
        {
            Self::Never
        } else {
            Self::Auto
        }
    }

    /// Returns whether a stream that is or isn't a terminal gets styles.
    pub fn on(self, is_terminal: bool) -> Color {
        match self {
            Self::Always => Color::On,
            Self::Auto if is_terminal => Color::On,
            Self::Auto | Self::Never => Color::Off,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Terminal = Terminal {
        stdout: true,
        stderr: true,
        columns: Some(100),
    };

    fn options(vars: &[(&str, &str)], terminal: Terminal) -> UiOptions {
        let vars = vars.to_vec();
        let env = move |name: &str| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(value))
        };
        UiOptions::from_env(env, terminal, || 0)
    }

    #[test]
    fn color_follows_the_conventions() {
        for (vars, choice) in [
            (&[][..], ColorChoice::Auto),
            (&[("NO_COLOR", "")], ColorChoice::Auto),
            (&[("NO_COLOR", "1")], ColorChoice::Never),
            (
                &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")],
                ColorChoice::Never,
            ),
            (
                &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")],
                ColorChoice::Always,
            ),
            (&[("CLICOLOR_FORCE", "0")], ColorChoice::Auto),
            (&[("CLICOLOR", "0")], ColorChoice::Never),
            (&[("TERM", "dumb")], ColorChoice::Never),
            (&[("TERM", "xterm-256color")], ColorChoice::Auto),
        ] {
            assert_eq!(options(vars, TERMINAL).color, choice, "{vars:?}");
        }
        assert_eq!(ColorChoice::Auto.on(true), Color::On);
        assert_eq!(ColorChoice::Auto.on(false), Color::Off);
        assert_eq!(ColorChoice::Always.on(false), Color::On);
        assert_eq!(ColorChoice::Never.on(true), Color::Off);
    }

    #[test]
    fn only_a_terminal_has_a_width() {
        assert_eq!(options(&[], TERMINAL).width, Some(100));
        assert_eq!(options(&[("COLUMNS", "72")], TERMINAL).width, Some(72));
        assert_eq!(options(&[("COLUMNS", "0")], TERMINAL).width, Some(100));
        assert_eq!(options(&[("COLUMNS", "wide")], TERMINAL).width, Some(100));
        assert_eq!(
            options(&[("COLUMNS", "72")], Terminal::default()).width,
            None
        );
        let unknown = Terminal {
            columns: Some(0),
            ..TERMINAL
        };
        assert_eq!(options(&[], unknown).width, None);
    }
}
