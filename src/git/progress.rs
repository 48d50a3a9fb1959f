//! What git says of how far it is, while it fetches or pushes.
//!
//! Git writes such reports to standard error, each over the one before: `Receiving objects:  43%
//! (4300/10000), 1.2 MiB | 600 KiB/s`. Those of the other side come with `remote: ` in front. Only
//! text of this shape is taken for one; whatever else a remote says is none of it.

use std::fmt;
use std::time::Duration;

use super::process::Sign;

/// The longest line that may be a report, in bytes.
const LINE_MAX: usize = 200;

/// How far git is with one of its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The step in git's own words: `Receiving objects`. Letters, spaces and hyphens.
    pub step: String,
    pub done: u64,
    /// Of how many; `None` as long as git does not know.
    pub of: Option<u64>,
}

/// What a call to a remote is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Fetch,
    Push,
}

/// What a call to a remote is at, for whoever waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer<'t> {
    /// Said many times a second.
    Working {
        remote: &'t str,
        way: Way,
        elapsed: Duration,
        /// What git said last; `None` as long as it says nothing.
        progress: Option<&'t Progress>,
    },
    Ended,
}

/// Reads reports out of what git writes, as it comes.
#[derive(Debug, Default)]
pub(super) struct ProgressReader {
    line: Vec<u8>,
    /// The last report as it was written: one that only comes again is no sign of anything.
    said: Vec<u8>,
    last: Option<Progress>,
}

impl ProgressReader {
    /// Takes in what was written, and tells whether it says that something goes on.
    pub fn feed(&mut self, bytes: &[u8]) -> Sign {
        let mut sign = Sign::Silent;
        for byte in bytes {
            if !matches!(byte, b'\r' | b'\n') {
                // What is longer is read to its end and is no report.
                if self.line.len() <= LINE_MAX {
                    self.line.push(*byte);
                }
                continue;
            }
            let progress = match str::from_utf8(&self.line) {
                Ok(line) => Progress::parse(line),
                Err(_) => None,
            };
            if progress.is_some() && self.line != self.said {
                self.last = progress;
                self.said.clone_from(&self.line);
                sign = Sign::OfLife;
            }
            self.line.clear();
        }
        sign
    }

    pub fn last(&self) -> Option<&Progress> {
        self.last.as_ref()
    }
}

impl Progress {
    /// Reads one report, or `None` if the line is something else.
    fn parse(line: &str) -> Option<Progress> {
        if line.len() > LINE_MAX {
            return None;
        }
        let line = line.strip_prefix("remote: ").unwrap_or(line);
        let (step, rest) = line.split_once(": ")?;
        let plain = |c: char| c.is_ascii_alphabetic() || matches!(c, ' ' | '-');
        if !step.starts_with(|c: char| c.is_ascii_uppercase()) || !step.chars().all(plain) {
            return None;
        }
        let (count, _) = rest.split_once(',').unwrap_or((rest, ""));
        let count = count.trim();
        let (done, of) = match count.split_once("% (") {
            Some((percent, counts)) => {
                percent.parse::<u8>().ok()?;
                let (done, of) = counts.strip_suffix(')')?.split_once('/')?;
                (done, Some(of.parse().ok()?))
            }
            None => (count, None),
        };
        Some(Progress {
            step: step.to_owned(),
            done: done.parse().ok()?,
            of,
        })
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.step.to_ascii_lowercase();
        match self.of {
            Some(of) => {
                let whole = u128::from(of.max(1));
                let percent = u128::from(self.done) * 100 / whole;
                write!(f, "{step} {percent}% ({}/{of})", self.done)
            }
            None => write!(f, "{step} {}", self.done),
        }
    }
}

/// Returns what git said without its reports, for messages.
pub(super) fn without_reports(text: &str) -> String {
    let lines = text.split(['\r', '\n']);
    let rest: Vec<&str> = lines
        .filter(|line| !line.trim().is_empty() && Progress::parse(line).is_none())
        .collect();
    rest.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(step: &str, done: u64, of: Option<u64>) -> Progress {
        let step = step.to_owned();
        Progress { step, done, of }
    }

    #[test]
    fn reports_are_known_by_their_shape() {
        for (line, expected) in [
            (
                "Receiving objects:  43% (4300/10000), 1.20 MiB | 600.00 KiB/s",
                Some(report("Receiving objects", 4300, Some(10000))),
            ),
            (
                "remote: Counting objects: 100% (9/9), done.        ",
                Some(report("Counting objects", 9, Some(9))),
            ),
            (
                "remote: Enumerating objects: 5, done.",
                Some(report("Enumerating objects", 5, None)),
            ),
            ("fatal: 5", None),
            ("remote: Total 3 (delta 0), reused 0 (delta 0)", None),
            ("remote: \u{1b}[31mDone: 5", None),
            ("Done: 5% (1/\u{1b}[2J)", None),
            ("Done\u{7}: 5", None),
            ("Receiving objects:  43% (4300)", None),
            ("To https://u:p@host/x: 5", None),
        ] {
            assert_eq!(Progress::parse(line), expected, "{line}");
        }
    }

    #[test]
    fn only_what_was_not_said_before_is_a_sign() {
        let mut reader = ProgressReader::default();
        assert_eq!(reader.feed(b"Receiving obj"), Sign::Silent);
        assert_eq!(reader.feed(b"ects:   1% (1/100)\r"), Sign::OfLife);
        assert_eq!(
            reader.feed(b"Receiving objects:   1% (1/100)\r"),
            Sign::Silent
        );
        assert_eq!(reader.feed(b"remote: please wait\n"), Sign::Silent);
        assert_eq!(reader.feed(&[b'x'; 100_000]), Sign::Silent);
        assert_eq!(reader.feed(b"\r\xff\r"), Sign::Silent);
        assert_eq!(
            reader.last().unwrap().to_string(),
            "receiving objects 1% (1/100)"
        );
        // The same count, but more of it.
        let more = b"Receiving objects:   1% (1/100), 2.00 MiB | 1.00 MiB/s\r";
        assert_eq!(reader.feed(more), Sign::OfLife);
        assert!(reader.line.len() <= LINE_MAX);
        assert_eq!(
            report("Enumerating objects", 7, None).to_string(),
            "enumerating objects 7"
        );
    }

    #[test]
    fn messages_are_left_without_reports() {
        let text = "remote: Counting objects:  50% (1/2)\rremote: Counting objects: 100% (2/2), done.\n\
                    remote: GH006: no\nerror: failed\n";
        assert_eq!(without_reports(text), "remote: GH006: no\nerror: failed");
    }
}
