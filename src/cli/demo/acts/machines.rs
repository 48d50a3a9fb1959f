//! Two clones of one remote become one team, exchange a message and race for a task.

use std::time::Instant;

use crate::cli::demo::forge::{BY_CABLE, BY_RADIO, DESK, LAPTOP, WIFI};
use crate::cli::demo::setting::{ADA, BEN};
use crate::cli::demo::team::{Team, owned};
use crate::cli::demo::waiting::until;
use crate::cli::error::CliError;

/// What there is to do: how the script calls it, its title, its criterion and its path.
const PLAN: [[&str; 4]; 3] = [
    [
        "translate",
        "Translate the page",
        "every text is there in two languages",
        "guestbook/lang",
    ],
    [
        "greet",
        "Greet guests by name",
        "the page names whoever signed last",
        "guestbook/greeting",
    ],
    [
        "sort",
        "Sort entries by date",
        "the newest entry comes first",
        "guestbook/order",
    ],
];

/// So that nobody has to give a task back for the next scene, and nobody watches in vain.
const FOR_THE_SHOW: [(&str, &str); 2] = [("wip.agent", "3"), ("sync.interval", "1s")];

/// One starts a team, the other finds it; daemons carry a message over.
pub fn meet(team: &mut Team) -> Result<(), CliError> {
    team.stage.build_forge()?;
    team.say
        .tell("  A bare repository plays the forge. ada clones it at a desk, and starts a team:");
    clone(team, BY_CABLE, DESK)?;
    team.run(ADA, &["init"], 3)?;
    team.run(ADA, &["join", ADA], 1)?;
    team.say
        .tell("  For this show, one may hold three tasks, and daemons look every second:");
    for (key, value) in FOR_THE_SHOW {
        team.run(ADA, &["config", "set", key, value], 0)?;
    }
    team.say.tell(&format!(
        "  ben clones the same on a laptop, which reaches it as `{WIFI}`. `join` finds the team there:"
    ));
    clone(team, BY_RADIO, LAPTOP)?;
    team.run(BEN, &["join", BEN], 1)?;

    team.say
        .tell("  A daemon on each machine sends and fetches from now on:");
    for who in [ADA, BEN] {
        team.run(who, &["daemon", "start"], 1)?;
    }
    until("`ben` is unknown to `ada`", || {
        let team = team.ask(ADA, &["--json", "who"])?.json()?;
        let agents = team["agents"].as_array().map_or(0, Vec::len);
        Ok((agents == 2).then_some(()))
    })?;
    team.run(ADA, &["who"], 3)?;
    for [key, title, criterion, path] in PLAN {
        let args = [
            "task",
            "new",
            title,
            "--criterion",
            criterion,
            "--path",
            path,
        ];
        let made = team.run(ADA, &args, 1)?;
        team.know(key, made.first_word());
    }
    team.say.tell("  ben waits for news while ada writes:");
    let mut sent = Instant::now();
    let read = team.woken(BEN, || {
        let text = "Three tasks are ready.";
        sent = team.run(ADA, &["send", BEN, text], 1)?.ended;
        Ok(())
    })?;
    let took = read.ended.saturating_duration_since(sent).as_secs_f64();
    team.say.tell(&format!(
        "  It took {took:.1} s from one machine to the other."
    ));
    team.run(BEN, &["ack", "--all"], 1)?;
    Ok(())
}

/// Clones the remote as anybody would.
fn clone(team: &Team, from: &str, to: &str) -> Result<(), CliError> {
    let mut args = vec!["clone"];
    if team.stage.is_sparse() {
        args.push("--sparse");
    }
    args.extend([from, to]);
    team.git("you", &args, 0)?;
    team.stage.without_refs_of_others(to)
}

/// Both ask at once, and one is told who was faster.
pub fn race(team: &mut Team) -> Result<(), CliError> {
    team.say.tell(
        "  They ask for it in the same moment. The remote lets one of the two pushes through:",
    );
    let id = team.task("translate");
    let both = [ADA, BEN];
    let answers = team.at_once(&both.map(|who| (who, owned(&["claim", &id]))))?;
    let mut winners = Vec::new();
    for (who, said) in both.into_iter().zip(&answers) {
        team.say.command(said, 1);
        match said.code {
            0 => winners.push(who),
            3 => {}
            _ => return Err(said.unexpected(3)),
        }
    }
    let [winner] = winners[..] else {
        let won = winners.len();
        return Err(CliError::failed(format!("{won} machines got one task")));
    };
    let names_winner = format!("held by `{winner}`");
    let lost = answers.iter().find(|said| said.code == 3);
    match lost.filter(|said| !said.stderr.contains(&names_winner)) {
        Some(said) => Err(said.unexpected(3)),
        None => Ok(()),
    }
}
