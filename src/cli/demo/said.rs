//! What the processes of the demo say, and how their commands are typed.

use std::time::Instant;

use serde_json::Value;

use crate::cli::error::CliError;

/// What a process said.
#[derive(Debug, Clone)]
pub struct Said {
    /// Who ran it, and on which machine where there are several.
    pub who: String,
    /// The command as one would type it.
    pub command: String,
    /// The exit code, as a shell gives it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub ended: Instant,
}

impl Said {
    /// Returns the lines worth showing: the answer, or why there is none.
    pub fn essence(&self) -> &str {
        // Hints and errors are on standard error; an answer of any kind is not.
        if !self.stdout.is_empty() {
            return self.stdout.trim_end();
        }
        // What stands in the way counts more than what is to be said beside it.
        let from = match self.stderr.starts_with("warning: ") {
            true => self.stderr.find("\nerror: ").map_or(0, |at| at + 1),
            false => 0,
        };
        self.stderr[from..].trim_end()
    }

    /// Returns the first word of the answer, which is the id where a task is printed.
    pub fn first_word(&self) -> &str {
        self.stdout.split_whitespace().next().unwrap_or_default()
    }

    /// Returns the answer of a command that was asked for JSON.
    pub fn json(&self) -> Result<Value, CliError> {
        serde_json::from_str(&self.stdout).map_err(|error| {
            CliError::failed(format!("`{}` does not answer in JSON", self.command)).caused_by(error)
        })
    }

    /// Returns the failure that this is where it was not expected.
    pub fn unexpected(&self, expected: i32) -> CliError {
        let said = format!("{}\n{}", self.stdout.trim_end(), self.stderr.trim_end());
        CliError::failed(format!(
            "`{}` of `{}` ended with {} and not with {expected}, and said: {}",
            self.command,
            self.who,
            self.code,
            said.trim()
        ))
    }
}

/// Returns arguments as one would type them into a shell.
pub fn shown(args: &[String]) -> String {
    let plain = |arg: &str| {
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+".contains(c);
        !arg.is_empty() && arg.chars().all(safe)
    };
    let quoted: Vec<String> = args
        .iter()
        .map(|arg| match plain(arg) {
            true => arg.clone(),
            false => format!("'{}'", arg.replace('\'', "'\\''")),
        })
        .collect();
    quoted.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_they_are_typed() {
        let args = ["send", "#general", "it's", "", "a/b"].map(str::to_owned);
        assert_eq!(shown(&args), "send '#general' 'it'\\''s' '' a/b");
    }
}
