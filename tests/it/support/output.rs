//! What a process left behind, and what a test may say about it.

use std::process;

use serde_json::Value;

use super::{Repo, snapshot};

#[derive(Clone)]
pub struct Output {
    /// The exit code; `None` when a signal ended the process.
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// The command line, for messages.
    pub shown: String,
    repo: Repo,
}

impl Output {
    pub fn of(repo: &Repo, shown: impl Into<String>, output: process::Output) -> Output {
        Output {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            shown: shown.into(),
            repo: repo.clone(),
        }
    }

    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// Expects success.
    #[track_caller]
    pub fn ok(self) -> Output {
        self.code(0)
    }

    /// Expects an exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Output {
        assert_eq!(self.status, Some(code), "exit code\n{self}");
        self
    }

    /// Reads standard output as JSON, which must be one value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("standard output is not JSON: {error}\n{self}"))
    }

    /// Reads standard output as JSON, one value a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("`{line}` is not JSON: {error}\n{self}"))
        };
        self.stdout.lines().map(parse).collect()
    }

    /// Expects this output, whole. See [`snapshot`].
    #[track_caller]
    pub fn snapshot(&self, expected: &str) -> &Output {
        snapshot::compare(self, expected);
        self
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "$ {} (in {})", self.shown, self.repo.path().display())?;
        f.write_str(&snapshot::layout(self.status, &self.stdout, &self.stderr))
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}
