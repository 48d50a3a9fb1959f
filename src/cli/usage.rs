//! What clap has to say, in our terms: help is an answer, a wrong command line an error.

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::error::CliError;

/// Why clap did not return arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// `--help` or `--version` was asked for: print this and exit with 0.
    Help(Help),
    /// The command line makes no sense.
    Usage(CliError),
}

/// Help or version text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    /// Without escape sequences.
    pub plain: String,
    /// With them.
    pub colored: String,
}

/// Returns whether `--json` is among the arguments, for when clap could not make sense of them.
///
/// A program that asked for JSON must get its error as JSON, above all for a wrong command line.
pub fn asks_for_json(args: impl IntoIterator<Item = OsString>) -> bool {
    let mut options = args.into_iter().take_while(|arg| arg != OsStr::new("--"));
    options.any(|arg| arg == OsStr::new("--json"))
}

impl From<clap::Error> for Stop {
    fn from(error: clap::Error) -> Self {
        let rendered = error.render();
        let (plain, colored) = (rendered.to_string(), rendered.ansi().to_string());
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Self::Help(Help { plain, colored })
            }
            // clap prints the whole help here, which is no message.
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let error = describe("error: a subcommand is required", usage_of(&plain));
                Self::Usage(error.on_screen(plain, colored))
            }
            _ => Self::Usage(match wrong_value(&error) {
                Some(wrong) => wrong,
                None => describe(&plain, usage_of(&plain)).on_screen(plain, colored),
            }),
        }
    }
}

/// Returns the error for a value that one of our own types refused.
///
/// Those say by themselves what is wrong with which text, and show it harmlessly; clap would print
/// it once more as it is, be it 300 characters or an escape sequence.
fn wrong_value(error: &clap::Error) -> Option<CliError> {
    if error.kind() != ErrorKind::ValueValidation {
        return None;
    }
    let source = std::error::Error::source(error)?;
    if source.is::<std::num::ParseIntError>() {
        return None;
    }
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg).unwrap_or_default();
    let option = argument
        .starts_with('-')
        .then(|| argument.split(' ').next())
        .flatten();
    let wrong = CliError::usage(match option {
        Some(option) => format!("{option}: {source}"),
        None => source.to_string(),
    });
    let value = text(ContextKind::InvalidValue).unwrap_or_default();
    let words: Vec<&str> = value.split(',').map(str::trim).collect();
    let is_list = words.len() > 1 && words.iter().all(|word| is_plain(word));
    Some(match option {
        _ if !is_list => wrong,
        Some(option) => wrong.hint(format!(
            "{option} {} (one by one, where it may be repeated)",
            words.join(&format!(" {option} "))
        )),
        None if argument.ends_with("...") => {
            wrong.hint(format!("name them one by one: `{}`", words.join(" ")))
        }
        None => wrong,
    })
}

/// Tells whether a word is short and of letters that any shell takes as they are.
fn is_plain(word: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '@' | '.' | '/');
    (1..=40).contains(&word.len()) && word.chars().all(letter)
}

/// Returns the error object for clap's text: message, then tips and the help command as hints.
fn describe(text: &str, usage: Option<String>) -> CliError {
    let mut paragraphs = text.split("\n\n");
    let first = paragraphs.next().unwrap_or_default();
    let mut error = CliError::usage(message(first.strip_prefix("error: ").unwrap_or(first)));
    for line in text.lines() {
        if let Some(tip) = line.trim_start().strip_prefix("tip: ") {
            error = error.hint(tip);
        }
    }
    if let Some(usage) = usage {
        let is_word = |word: &&str| !word.starts_with(['[', '<', '-']);
        let command: Vec<&str> = usage.split_whitespace().take_while(is_word).collect();
        error = error.hint(format!("{} --help", command.join(" ")));
        error = error.detail("usage", usage);
    }
    error
}

/// Joins the lines of a paragraph: a list of arguments after a colon, or a continued sentence.
fn message(paragraph: &str) -> String {
    let mut lines = paragraph
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let rest: Vec<&str> = lines.collect();
    match (first.ends_with(':'), rest.is_empty()) {
        (_, true) => first.to_owned(),
        (true, false) => format!("{first} {}", rest.join(", ")),
        (false, false) => format!("{first} {}", rest.join(" ")),
    }
}

fn usage_of(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("Usage: "))?;
    Some(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::super::error::Kind;
    use super::super::text::Color;
    use super::*;

    fn stop(args: &[&str]) -> Stop {
        let list = Command::new("list").arg(
            Arg::new("status")
                .long("status")
                .value_parser(["todo", "doing"]),
        );
        let claim = Command::new("claim")
            .arg(Arg::new("id").required(true).value_name("ID"))
            .arg(
                Arg::new("note")
                    .long("note")
                    .required(true)
                    .value_name("NOTE"),
            );
        let command = Command::new("reflectt")
            .version("0.1.0")
            .arg_required_else_help(true)
            .subcommands([list, claim]);
        command
            .try_get_matches_from(std::iter::once(&"reflectt").chain(args))
            .unwrap_err()
            .into()
    }

    fn usage(args: &[&str]) -> CliError {
        match stop(args) {
            Stop::Usage(error) => error,
            Stop::Help(help) => panic!("help: {help:?}"),
        }
    }

    fn json(args: &[&str]) -> String {
        serde_json::to_string(&usage(args).to_json()).unwrap()
    }

    #[test]
    fn json_is_recognised_in_a_wrong_command_line() {
        let asks = |args: &[&str]| asks_for_json(args.iter().map(OsString::from));
        assert!(asks(&["reflectt", "clam", "--json"]));
        assert!(!asks(&["reflectt", "send", "kai", "--", "--json"]));
    }

    #[test]
    fn help_and_version_are_answers() {
        assert!(
            matches!(stop(&["--version"]), Stop::Help(help) if help.plain == "reflectt 0.1.0\n")
        );
        let Stop::Help(help) = stop(&["list", "--help"]) else {
            panic!()
        };
        assert!(help.plain.starts_with("Usage: reflectt list"), "{help:?}");
        assert!(help.colored.contains("\x1b["));
    }

    #[test]
    fn an_unknown_argument() {
        assert_eq!(
            json(&["list", "--statos", "todo"]),
            r#"{"error":{"kind":"usage","message":"unexpected argument '--statos' found","hints":["a similar argument exists: '--status'","reflectt list --help"],"usage":"reflectt list --status <status>"}}"#
        );
    }

    #[test]
    fn a_wrong_value() {
        assert_eq!(
            json(&["list", "--status", "toto"]),
            r#"{"error":{"kind":"usage","message":"invalid value 'toto' for '--status <status>' [possible values: todo, doing]","hints":["a similar value exists: 'todo'"]}}"#
        );
    }

    #[test]
    fn missing_arguments() {
        assert_eq!(
            json(&["claim"]),
            r#"{"error":{"kind":"usage","message":"the following required arguments were not provided: --note <NOTE>, <ID>","hints":["reflectt claim --help"],"usage":"reflectt claim --note <NOTE> <ID>"}}"#
        );
    }

    #[test]
    fn no_subcommand() {
        let error = usage(&[]);
        assert_eq!(error.kind(), Kind::Usage);
        assert_eq!(error.message(), "a subcommand is required");
        assert!(crate::cli::error::render(&error, 0, Color::Off).contains("Commands:"));
    }

    #[test]
    fn people_get_the_text_of_clap() {
        let text = crate::cli::error::render(&usage(&["list", "--statos", "todo"]), 0, Color::Off);
        assert!(
            text.starts_with("error: unexpected argument '--statos' found\n\n  tip: "),
            "{text}"
        );
        assert!(
            text.ends_with("For more information, try '--help'.\n"),
            "{text}"
        );
    }
}
