//! All want the same task, then any task, then overlapping files.

use crate::cli::demo::said::Said;
use crate::cli::demo::setting::AGENTS;
use crate::cli::demo::team::{Team, owned};
use crate::cli::error::CliError;

/// Takes the best task that is ready, and a branch for it.
pub const NEXT: [&str; 3] = ["next", "--claim", "--branch"];

pub fn play(team: &mut Team) -> Result<(), CliError> {
    let store = team.task("store");
    team.say
        .tell("  Five processes ask for the same task in the same moment. One gets it:");
    let runs = AGENTS.map(|(name, _)| (name, owned(&["claim", &store, "--branch"])));
    let answers = team.at_once(&runs)?;
    show(team, &answers);
    let mut losers = Vec::new();
    for ((name, _), said) in AGENTS.into_iter().zip(&answers) {
        match said.code {
            0 => team.cast("store", name),
            3 => losers.push(name),
            _ => return Err(said.unexpected(3)),
        }
    }
    if losers.len() + 1 != AGENTS.len() {
        let won = AGENTS.len() - losers.len();
        return Err(CliError::failed(format!("{won} agents got one task")));
    }

    team.say.tell("");
    team.say
        .tell("  The other four take whatever is best for them, in the same moment again:");
    let runs: Vec<_> = losers.iter().map(|name| (*name, owned(&NEXT))).collect();
    let answers = team.at_once(&runs)?;
    show(team, &answers);
    let mut free = None;
    for (name, said) in losers.into_iter().zip(&answers) {
        match (said.code, team.key_of(said.first_word())) {
            (0, Some(key)) => team.cast(key, name),
            (5, _) => free = Some(name),
            _ => return Err(said.unexpected(0)),
        }
    }
    let free = free.ok_or_else(|| CliError::failed("every agent found work"))?;
    team.cast("limits", free);

    team.say.tell("");
    team.say.tell(&format!(
        "  {free} got nothing: one task waits for another, one needs a file in a directory that"
    ));
    team.say
        .tell("  somebody holds. Asking for it by name does not help:");
    let limits = team.task("limits");
    team.expect(free, &["claim", &limits], 3, 3)?;
    Ok(())
}

fn show(team: &Team, answers: &[Said]) {
    for said in answers {
        team.say.command(said, 1);
    }
}
