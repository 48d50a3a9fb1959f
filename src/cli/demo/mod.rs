//! `reflectt demo`: agents in temporary clones, as processes of this very binary.
//!
//! It has two parts, one with five agents in a clone ([`acts::WORKTREES`]), one with two machines
//! and a remote ([`acts::MACHINES`]). Each is a list of acts that play on a [`team::Team`] and
//! tell what happens. Afterwards [`crate::ops::audit`] checks the data that is left.

mod acts;
mod ending;
mod forge;
mod narration;
mod process;
mod said;
mod setting;
mod stage;
mod team;
mod waiting;
mod witness;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Instant;

use crate::cli::error::{CliError, Kind};
use crate::cli::session::Session;
use crate::git::{self, Repo};

use ending::End;
use forge::{DESK, LAPTOP};
use narration::Narrator;
use process::Processes;
use setting::Setting;
use stage::Stage;
use team::Team;
use witness::Witness;

/// What is left of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    Directory,
    Nothing,
}

/// Plays the demo and returns the exit code.
pub fn play(session: &Session, keep: Keep) -> Result<u8, CliError> {
    let began = Instant::now();
    let program = std::env::current_exe()
        .map_err(|error| CliError::failed("cannot find the program itself").caused_by(error))?;
    let processes = Processes::of(program, inherited())
        .map_err(|error| CliError::failed("cannot wait for signals").caused_by(error))?;
    let result = play_with(session, &processes, keep, began);
    match processes.ended_by() {
        // As a shell has it: whatever failed, it failed for this reason.
        Some(signal) => {
            session
                .ui
                .note("interrupted; the temporary directory is gone");
            Ok(u8::try_from(128 + signal).unwrap_or(1))
        }
        None => result,
    }
}

fn play_with(
    session: &Session,
    processes: &Processes,
    keep: Keep,
    began: Instant,
) -> Result<u8, CliError> {
    let user = user_repo(session)?.map(Witness::of);
    let witness = match user {
        Ok(witness) => Ok(witness?),
        Err(why) => Err(why),
    };
    let stage = Stage::set(match &witness {
        Ok(witness) => Ok(witness.repo()),
        Err(why) => Err(why),
    })?;
    let played = act(session, &stage, processes, witness.as_ref().ok());
    if let Ok(end) = &played {
        let took = began.elapsed();
        ending::close(session, &stage, end, keep, took);
    }
    // What went wrong can be looked at, too; but not what was interrupted.
    if keep == Keep::Directory && processes.ended_by().is_none() {
        let root = stage.keep();
        if played.is_err() {
            let root = root.display();
            session.ui.note(format!("everything is left in {root}"));
        }
    } else {
        stage.strike();
    }
    Ok(u8::from(!played?.holds()))
}

/// Plays all acts, and checks what must be true afterwards.
fn act(
    session: &Session,
    stage: &Stage,
    processes: &Processes,
    witness: Option<&Witness>,
) -> Result<End, CliError> {
    let parts = [
        (Setting::worktrees(stage), acts::WORKTREES),
        (Setting::machines(stage), acts::MACHINES),
    ];
    let chapters: usize = parts.iter().map(|(_, acts)| acts.len()).sum();
    let say = Narrator::new(&session.ui, chapters + 1);
    let _guard = processes
        .guard(stage.root(), &[DESK, LAPTOP].map(PathBuf::from))
        .map_err(|error| CliError::failed("cannot watch over daemons").caused_by(error))?;
    let mut teams = Vec::new();
    for (setting, acts) in parts {
        let mut team = Team::new(&say, stage, setting, processes);
        for act in acts {
            say.chapter(act.title);
            (act.play)(&mut team)?;
        }
        teams.push(team);
    }
    say.chapter("What must be true");
    ending::check(&mut teams, witness)
}

/// Returns the repository the user is in, or why there is none that can be used.
fn user_repo(session: &Session) -> Result<Result<Repo, String>, CliError> {
    match session.open() {
        Ok(repo) => Ok(Ok(repo)),
        Err(error) if error.kind() == Kind::Failed && session.directory().is_dir() => {
            Ok(Err(error.message().to_owned()))
        }
        Err(error) => Err(error),
    }
}

/// Returns the variables of the user that would make the agents somebody else, or elsewhere.
fn inherited() -> Vec<OsString> {
    let ours = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("REFLECTT_"));
    git::inherited_variables()
        .map(OsString::from)
        .chain(ours)
        .collect()
}
