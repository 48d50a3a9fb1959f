//! The rest is landed, what breaks the check not before it is mended, and everybody reflects.

use crate::cli::demo::setting::AGENTS;
use crate::cli::demo::team::{Step, Team, owned};
use crate::cli::error::CliError;

use super::history;
use super::review::{approve, land, submission};

const LIMITS: &str = "LONGEST = 60\n\n\ndef allowed(text):\n    return len(text) <= LONGEST\n";
const NEWS: &str =
    "# News\n\nGuests can sign the book, and everybody can read what all the others wrote.\n";
const SHORT_NEWS: &str =
    "# News\n\nGuests can sign the book, and everybody\ncan read what all the others wrote.\n";

/// What each learned: what worked, what hurt, what to change.
const LESSONS: [[&str; 3]; 5] = [
    [
        "criteria were clear",
        "a task held a whole directory",
        "claim files",
    ],
    [
        "answers came within a second",
        "field names were nowhere",
        "write them down first",
    ],
    [
        "reviews were short",
        "evidence was thin at first",
        "ask for a test",
    ],
    [
        "the hand-off note was enough",
        "silence was noticed late",
        "send heartbeats",
    ],
    [
        "nobody overwrote anybody",
        "one task waited for paths",
        "split large tasks",
    ],
];

pub fn play(team: &mut Team) -> Result<(), CliError> {
    let parts = [
        written(
            team,
            "limits",
            "guestbook/store/limits.py",
            LIMITS,
            "tried 60 and 61",
        )?,
        written(
            team,
            "news",
            "guestbook/NEWS.md",
            NEWS,
            "compared with the page",
        )?,
        (
            team.holder("manual")?,
            submission(team, "manual", "followed all three parts"),
        ),
    ];
    team.side_by_side(&parts)?;
    approve(team, &["limits", "news", "manual"])?;
    let (limits, news) = (team.holder("limits")?, team.holder("news")?);
    team.say
        .tell("  Each passes the check alone, but two of them do not together:");
    land(team, limits, &["limits", "manual"], &["news"])?;
    team.run(news, &["status"], 2)?;
    let id = team.task("news");
    let mut again = vec![
        Step::Write("guestbook/NEWS.md", SHORT_NEWS),
        Step::Commit(format!("news: shorter lines ({id})")),
    ];
    again.extend(submission(team, "news", "counted the characters"));
    team.side_by_side(&[(news, again)])?;
    approve(team, &["news"])?;
    land(team, news, &["news"], &[])?;

    team.say
        .tell("  All five say what they learned, in the same moment:");
    let runs: Vec<_> = AGENTS
        .into_iter()
        .zip(LESSONS)
        .map(|((name, _), [worked, pain, change])| {
            let args = [
                "reflect", "--worked", worked, "--pain", pain, "--change", change,
            ];
            (name, owned(&args))
        })
        .collect();
    for said in team.at_once(&runs)? {
        if said.code != 0 {
            return Err(said.unexpected(0));
        }
        team.say.command(&said, 0);
    }

    let proofs = history::prove(team)?;
    team.proofs.extend(proofs);
    team.run("kai", &["board", "--write"], 1)?;
    Ok(())
}

/// Returns what the holder of a task does to write a file and submit it.
fn written(
    team: &Team,
    key: &'static str,
    path: &'static str,
    text: &'static str,
    checked: &str,
) -> Result<(&'static str, Vec<Step>), CliError> {
    let id = team.task(key);
    let mut steps = vec![
        Step::Write(path, text),
        Step::Commit(format!("{key}: done ({id})")),
    ];
    steps.extend(submission(team, key, checked));
    Ok((team.holder(key)?, steps))
}
