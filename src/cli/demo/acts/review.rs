//! Work is submitted with evidence, sent back, submitted again, approved and landed.

use crate::cli::demo::team::{Step, Team, owned};
use crate::cli::error::CliError;

use super::race::NEXT;

const BOOK: &str = r#""""Entries of the guest book, one JSON object a line."""
import json
import sys


def add(path, entry):
    with open(path, "a", encoding="utf-8") as book:
        book.write(json.dumps(entry) + "\n")


def read(path):
    with open(path, encoding="utf-8") as book:
        for number, line in enumerate(book, 1):
            try:
                yield json.loads(line)
            except ValueError:
                print(f"{path}:{number}: damaged, skipped", file=sys.stderr)
"#;

pub fn play(team: &mut Team) -> Result<(), CliError> {
    let (store, free) = (team.holder("store")?, team.holder("limits")?);
    let id = team.task("store");
    let evidence = [
        "1=added three, restarted, read three",
        "2=nothing in the code prevents it",
    ];
    let submit = |summary, second| {
        let first = evidence[0];
        [
            "submit",
            &id,
            "--summary",
            summary,
            "--evidence",
            first,
            "--evidence",
            second,
        ]
        .map(str::to_owned)
    };
    let args = submit("entries are kept in a file", evidence[1]);
    team.run(store, &borrowed(&args), 2)?;
    team.say.tell("  Nobody approves their own work:");
    team.expect(store, &["review", &id, "--approve"], 4, 1)?;

    let reviewer = reviewer(team, &id)?;
    team.run(&reviewer, &["review", &id], 5)?;
    let ask = "A damaged line makes `read` fail: skip it and report it.";
    team.run(&reviewer, &["review", &id, "--request-changes", ask], 2)?;
    team.run(store, &["status"], 2)?;
    let again = vec![
        Step::Write("guestbook/store/book.py", BOOK),
        Step::Commit(format!("store: skip damaged lines ({id})")),
    ];
    team.side_by_side(&[(store, again)])?;
    let args = submit("damaged lines are skipped", "2=read a file with a cut line");
    team.run(store, &borrowed(&args), 1)?;
    team.run(&reviewer, &["review", &id], 1)?;
    let note = "both criteria hold";
    team.run(&reviewer, &["review", &id, "--approve", "--note", note], 1)?;
    team.say
        .tell("  What is approved is done when it is on `main`, and not before:");
    land(team, store, &["store"], &[])?;

    team.say.tell(&format!(
        "  With that the files are free, and {free} gets what it waited for:"
    ));
    let next = team.run(free, &NEXT, 1)?;
    match team.key_of(next.first_word()) {
        Some("limits") => Ok(()),
        _ => Err(next.unexpected(0)),
    }
}

/// Returns the step that submits a task with one criterion.
pub fn submission(team: &Team, key: &'static str, checked: &str) -> Vec<Step> {
    let id = team.task(key);
    let evidence = format!("1={checked}");
    let args = [
        "submit",
        &id,
        "--summary",
        "done as described",
        "--evidence",
        &evidence,
    ];
    vec![Step::Reflectt(owned(&args))]
}

/// Has whoever was asked to review these tasks look at them and approve them.
pub fn approve(team: &Team, keys: &[&str]) -> Result<(), CliError> {
    for key in keys {
        let id = team.task(key);
        let reviewer = reviewer(team, &id)?;
        team.run(&reviewer, &["review", &id], 1)?;
        team.run(&reviewer, &["review", &id, "--approve"], 1)?;
    }
    Ok(())
}

/// Lands all that is approved: these tasks, and not those, which go back to their authors.
pub fn land(team: &Team, who: &str, landed: &[&str], back: &[&str]) -> Result<(), CliError> {
    let said = match back {
        [] => team.run(who, &["land"], landed.len() + 1)?,
        _ => team.expect(who, &["land"], 4, landed.len() + 2 * back.len() + 1)?,
    };
    let told = |verb: &str, key: &str| said.stdout.contains(&format!("{verb} {}", team.task(key)));
    let all = landed.iter().all(|key| told("landed", key))
        && back.iter().all(|key| told("sent back", key));
    match all {
        true => Ok(()),
        false => Err(said.unexpected(said.code)),
    }
}

/// Returns who was asked to review a task.
fn reviewer(team: &Team, id: &str) -> Result<String, CliError> {
    let task = team.ask("you", &["--json", "task", "show", id])?.json()?;
    let name = task["reviewer"].as_str();
    name.map(str::to_owned)
        .ok_or_else(|| CliError::failed(format!("nobody was asked to review `{id}`")))
}

fn borrowed(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}
