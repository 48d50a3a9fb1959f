//! What the daemon says: to whoever runs it in the foreground, or to a file that stays small.

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::git::open_kept;

/// The file is set aside at this size, and the one set aside before is dropped.
const SIZE_MAX: u64 = 256 * 1024;

/// How many lines wait at most for a disk that is full.
const UNSAID_MAX: usize = 50;

/// Where lines go.
pub enum Journal<'j> {
    /// To whoever watches.
    Shown(Box<dyn FnMut(&str) + 'j>),
    File(LogFile),
}

/// A file that stays small.
pub struct LogFile {
    path: PathBuf,
    /// Lines that could not be written yet: of a disk that was full the log shall tell later.
    unsaid: VecDeque<String>,
}

impl Journal<'_> {
    pub fn file(path: PathBuf) -> Self {
        Journal::File(LogFile {
            path,
            unsaid: VecDeque::new(),
        })
    }

    /// Writes one line, with the time before it. Nothing the daemon does depends on that.
    pub fn say(&mut self, text: &str) {
        let line = format!("{} {}", timestamp(Utc::now()), one_line(text));
        match self {
            Journal::Shown(show) => show(&line),
            Journal::File(file) => file.say(line),
        }
    }
}

impl LogFile {
    /// Writes what is still to be said, and this. A disk that is full must not end the daemon.
    fn say(&mut self, line: String) {
        if self.unsaid.len() == UNSAID_MAX {
            self.unsaid.pop_front();
        }
        self.unsaid.push_back(line);
        while let Some(line) = self.unsaid.front() {
            if append(&self.path, line).is_err() {
                return;
            }
            self.unsaid.pop_front();
        }
    }
}

fn timestamp(now: DateTime<Utc>) -> String {
    now.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Text of others must not look like lines of ours.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    if fs::metadata(path).is_ok_and(|meta| meta.len() >= SIZE_MAX) {
        fs::rename(path, path.with_extension("log.old"))?;
    }
    let mut file = open_kept(path, OpenOptions::new().append(true))?;
    file.write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_stays_small() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daemon.log");
        let mut journal = Journal::file(path.clone());
        let text = "x".repeat(10_000);
        for _ in 0..100 {
            journal.say(&text);
        }
        let files: Vec<u64> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .collect();
        assert_eq!(files.len(), 2);
        assert!(
            files.iter().all(|size| *size < SIZE_MAX + 20_000),
            "{files:?}"
        );
        journal.say("a\nb");
        let text = fs::read_to_string(path).unwrap();
        assert!(text.lines().last().unwrap().ends_with(" a b"));
    }

    #[test]
    fn what_could_not_be_written_is_said_later() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daemon.log");
        let mut journal = Journal::file(path.clone());
        // Nothing can be written there, as on a full disk.
        fs::create_dir(&path).unwrap();
        for n in 0..UNSAID_MAX + 5 {
            journal.say(&format!("line {n}"));
        }
        fs::remove_dir(&path).unwrap();
        journal.say("back");
        let text = fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().count(), UNSAID_MAX);
        assert!(
            text.contains("line 6\n") && text.ends_with("back\n"),
            "{text}"
        );
    }
}
