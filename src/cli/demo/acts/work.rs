//! Four agents write and commit real files side by side.

use crate::cli::demo::team::{Step, Team};
use crate::cli::error::CliError;

use super::opening::CHANGES;

const BOOK: &str = r#""""Entries of the guest book, one JSON object a line."""
import json


def add(path, entry):
    with open(path, "a", encoding="utf-8") as book:
        book.write(json.dumps(entry) + "\n")


def read(path):
    with open(path, encoding="utf-8") as book:
        return [json.loads(line) for line in book]
"#;

const API: &str = r#""""GET /entries"""
from guestbook.store import book


def entries(path):
    return list(reversed(book.read(path)))
"#;

const PAGE: &str = r#"<!doctype html>
<title>Guest book</title>
<ol id="entries"></ol>
<script src="entries.js"></script>
"#;

const MANUAL: &str = "# Manual\n\n## Installing\n\nCopy the directory.\n";

/// The note that whoever takes over will find.
pub const NOTE: &str = "installing is written; signing and moderating are missing";

pub fn play(team: &mut Team) -> Result<(), CliError> {
    team.say
        .tell("  Nobody overwrites anybody: paths do not overlap, but for one that two share.");
    let parts = [
        part(team, "store", "guestbook/store/book.py", BOOK)?,
        part(team, "api", "guestbook/api/entries.py", API)?,
        part(team, "page", "guestbook/page/index.html", PAGE)?,
        part(team, "manual", "guestbook/docs/manual.md", MANUAL)?,
    ];
    team.side_by_side(&parts)?;
    team.run(team.holder("manual")?, &["heartbeat", "--note", NOTE], 1)?;
    team.run("you", &["claims"], 9)?;
    Ok(())
}

/// Returns what a task adds to the list of changes.
fn change(key: &str) -> Option<&'static str> {
    match key {
        "api" => Some("- entries are served as JSON\n"),
        "page" => Some("- entries are shown on a page\n"),
        _ => None,
    }
}

/// Returns what the holder of a task does for it.
fn part(
    team: &Team,
    key: &'static str,
    path: &'static str,
    text: &'static str,
) -> Result<(&'static str, Vec<Step>), CliError> {
    let id = team.task(key);
    let mut steps = vec![Step::Write(path, text)];
    if let Some(change) = change(key) {
        steps.push(Step::Write(CHANGES, change));
    }
    steps.push(Step::Commit(format!("{key}: first version ({id})")));
    Ok((team.holder(key)?, steps))
}
