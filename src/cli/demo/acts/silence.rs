//! One agent stops giving signs of life, loses its claim, and finds out when it comes back.

use crate::cli::demo::team::{Step, Team};
use crate::cli::demo::waiting::until;
use crate::cli::error::CliError;

use super::race::NEXT;

/// From when on an agent counts as what. Hours become seconds, for this act alone.
const SHORT: [(&str, &str); 3] = [
    ("heartbeat.idle_after", "1s"),
    ("heartbeat.stale_after", "2s"),
    ("heartbeat.expire_after", "3s"),
];
const USUAL: [(&str, &str); 3] = [
    ("heartbeat.expire_after", "60m"),
    ("heartbeat.stale_after", "45m"),
    ("heartbeat.idle_after", "15m"),
];

const MANUAL: &str = "# Manual\n\n## Installing\n\nCopy the directory.\n\n## Signing\n\nFill in the form.\n\n## Moderating\n\nDelete the line.\n";

pub fn play(team: &mut Team) -> Result<(), CliError> {
    let silent = team.holder("manual")?;
    let watcher = team.holder("limits")?;
    let heir = team.holder("store")?;
    let id = team.task("manual");
    for (key, value) in SHORT {
        team.run(watcher, &["config", "set", key, value], 0)?;
    }
    team.say.tell(&format!("  {silent} says nothing any more:"));
    await_silence(team, watcher, silent)?;

    team.say.tell(&format!(
        "  {heir} looks for work, and the expired claim is in its way no longer:"
    ));
    let next = team.run(heir, &NEXT, 2)?;
    if next.first_word() != id {
        return Err(next.unexpected(0));
    }
    for (key, value) in USUAL {
        team.run(watcher, &["config", "set", key, value], 0)?;
    }
    let shown = team.ask(heir, &["task", "show", &id])?;
    for line in lines_from(&shown.stdout, "left by ").take(2) {
        team.say.tell(&format!("      {line}"));
    }
    team.say.tell(&format!(
        "      and {heir} has a branch that begins where {silent} stopped"
    ));
    team.git(heir, &["log", "--oneline", "-1"], 1)?;
    let rest = vec![
        Step::Write("guestbook/docs/manual.md", MANUAL),
        Step::Commit(format!("manual: signing and moderating ({id})")),
    ];
    team.side_by_side(&[(heir, rest)])?;

    team.say
        .tell(&format!("  {silent} is back, and knows nothing of it yet:"));
    let late = [
        "submit",
        &id,
        "--summary",
        "the manual",
        "--evidence",
        "1=read it",
    ];
    team.expect(silent, &late, 7, 1)?;
    team.run(silent, &["inbox"], 2)?;
    team.run(silent, &["ack", "--all"], 1)?;
    let next = team.run(silent, &NEXT, 2)?;
    match team.key_of(next.first_word()) {
        Some(key) => team.cast(key, silent),
        None => return Err(next.unexpected(0)),
    }
    team.cast("manual", heir);
    Ok(())
}

/// Watches an agent until its claims can be taken, and tells each step on the way there.
fn await_silence(team: &Team, watcher: &str, silent: &str) -> Result<(), CliError> {
    let mut last = String::from("active");
    until(&format!("`{silent}` is still here"), || {
        let who = team.ask(watcher, &["--json", "who"])?.json()?;
        let seats = who["agents"].as_array().into_iter().flatten();
        let status = seats
            .filter(|seat| seat["name"] == silent)
            .find_map(|seat| seat["status"].as_str())
            .unwrap_or_default();
        if status != last {
            team.say.tell(&format!("      {silent} is {status}"));
            last = status.to_owned();
        }
        let here = ["active", "idle", "stale"].contains(&status);
        Ok((!here).then_some(()))
    })
}

fn lines_from<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .skip_while(move |line| !line.starts_with(start))
}
