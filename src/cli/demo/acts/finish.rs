//! The rest is done, everybody reflects, and all branches are merged.

use crate::cli::demo::setting::AGENTS;
use crate::cli::demo::stage::BASE;
use crate::cli::demo::team::{Step, Team, owned};
use crate::cli::error::CliError;
use crate::ops::Proof;

use super::review::{approve, submission};

const LIMITS: &str = "LONGEST = 500\n\n\ndef allowed(text):\n    return len(text) <= LONGEST\n";
const NEWS: &str = "# News\n\nGuests can sign the book, and read what others wrote.\n";

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
            "tried 500 and 501",
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

    team.say
        .tell("  All branches in one merge. Claimed paths never overlapped, so nothing conflicts:");
    let mut args = vec!["merge", "--no-edit", "-m", "The guest book"];
    args.extend(AGENTS.map(|(name, _)| name));
    let merged = team.git_quietly("you", &args)?;
    team.say.command(&merged, 0);
    let mut args = vec!["rev-list", "--count", "^HEAD"];
    args.extend(AGENTS.map(|(name, _)| name));
    // The repository may have files that are named like the agents.
    args.push("--");
    let count = team.git_quietly("you", &args)?;
    let found = match (merged.code, count.stdout.trim()) {
        (0, "0") => Ok(format!("5 branches in `{BASE}`")),
        (0, left) => Err(format!("{left} commits are left out")),
        _ => Err(format!("{}{}", merged.stdout, merged.stderr)),
    };
    team.proofs.push(Proof {
        what: "clean_merge",
        claim: "the work of all agents merges without a conflict",
        found,
    });
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
