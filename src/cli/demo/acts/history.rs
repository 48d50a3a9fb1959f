//! What git's history says of the branch that everything has landed on.

use std::collections::BTreeMap;

use crate::cli::demo::stage::{BASE, START};
use crate::cli::demo::team::Team;
use crate::cli::error::CliError;
use crate::ops::Proof;

/// How many calls a task may take from its claim to the landing branch.
const CALLS_MAX: usize = 6;

/// The tasks that have landed, as the script calls them.
const LANDED: [&str; 6] = ["store", "api", "page", "manual", "limits", "news"];

pub fn prove(team: &Team) -> Result<Vec<Proof>, CliError> {
    Ok(vec![
        Proof {
            what: "landed_once",
            claim: "`main` is what was approved, each task once",
            found: landed_once(team)?,
        },
        Proof {
            what: "main_passes",
            claim: "`main` passes its check",
            found: passes(team)?,
        },
        Proof {
            what: "few_calls",
            claim: "who is not sent back needs six calls from claim to `main`, or fewer",
            found: few_calls(team),
        },
    ])
}

/// Each commit on the branch must be the merge of what was approved last of a task, and each task
/// must have one.
fn landed_once(team: &Team) -> Result<Result<String, String>, CliError> {
    let range = format!("{START}..{BASE}");
    // The hash, its parents, and the task.
    let format = "--format=%H %P %(trailers:key=Reflectt-Task,valueonly,separator=%x2C)";
    let said = team.git_quietly("you", &["log", "--first-parent", format, &range, "--"])?;
    if said.code != 0 {
        return Err(said.unexpected(0));
    }
    let mut merged: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in said.stdout.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [_, _, work, id] => merged.entry(id).or_default().push(work),
            _ => return Ok(Err(format!("it has {line}, which is no task's"))),
        }
    }
    for key in LANDED {
        let id = team.task(key);
        let task = team.ask("you", &["--json", "task", "show", &id])?.json()?;
        let approved = task["approved"]["commit"].as_str().unwrap_or_default();
        match merged.remove(id.as_str()).as_deref() {
            Some([work]) if *work == approved => {}
            Some([work]) => return Ok(Err(format!("of {id} it has {work}, not {approved}"))),
            Some(more) => return Ok(Err(format!("{id} is there {} times", more.len()))),
            None => return Ok(Err(format!("{id} is not there"))),
        }
    }
    Ok(match merged.keys().next() {
        None => Ok(format!("{} merges of {} tasks", LANDED.len(), LANDED.len())),
        Some(id) => Err(format!("it has {id}, which nobody planned")),
    })
}

fn passes(team: &Team) -> Result<Result<String, String>, CliError> {
    let args = ["--json", "checks", "run", "--again", "--commit", BASE];
    let said = team.ask("you", &args)?;
    let checks = said.json()?["checks"].clone();
    let names = checks.as_array().into_iter().flatten();
    let names: Vec<&str> = names.filter_map(|check| check["name"].as_str()).collect();
    Ok(match (said.code, names.is_empty()) {
        (0, false) => Ok(format!("{} on its newest commit", names.join(", "))),
        _ => Err(said.stdout),
    })
}

fn few_calls(team: &Team) -> Result<String, String> {
    let straight = team.straight_through();
    let longest = straight.iter().max_by_key(|(_, calls)| calls.len());
    match longest {
        Some((_, calls)) if calls.len() <= CALLS_MAX => {
            Ok(format!("{}: {}", calls.len(), calls.join(", ")))
        }
        Some((key, calls)) => Err(format!("{key} took {}: {}", calls.len(), calls.join(", "))),
        None => Err("all were sent back".to_owned()),
    }
}
