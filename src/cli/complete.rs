//! What can be typed next: commands and flags, and the ids, names and settings of the team.
//!
//! The script of a shell calls this program with [`VARIABLE`] naming the shell, and the words so
//! far behind `--`. What an argument can be follows from its type, so that a new one is completed
//! without a word here. Typing is no sign of life, and nothing is said of what cannot be read: the
//! line belongs to whoever types.

use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory as _};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;

use crate::git::{OpenOptions, Repo};
use crate::model::id::IdPrefix;
use crate::model::name::{AgentName, ChannelName, CheckName, Lane, ResourceName};
use crate::model::settings::{GENERAL, KEYS};
use crate::model::task::{Priority, Status};
use crate::ops::{self, Context, Recipient, TaskFilter};

use super::args::Cli;
use super::command::task::edit::Clearable;
use super::excerpt;

/// Names the shell that asks.
pub const VARIABLE: &str = "REFLECTT_COMPLETE";

/// The program as scripts call it, and the name by which git does.
const NAMES: [&str; 2] = ["reflectt", "git-reflectt"];

/// How much of a title or a value is shown beside what is offered, in characters.
const HELP_MAX: usize = 60;

/// How git's own completion comes to ours: it knows the words of the line by other names.
const BASH_UNDER_GIT: &str = r#"
_git_reflectt() {
    local at=1
    while (( at < cword )) && [[ ${words[at]} != reflectt ]]; do (( ++at )); done
    local COMP_WORDS=("${words[@]:at}") COMP_CWORD=$((cword - at))
    _clap_complete_reflectt reflectt "$cur"
}
"#;
const ZSH_UNDER_GIT: &str = r#"
compdef _clap_dynamic_completer_reflectt git-reflectt
_git-reflectt() { _clap_dynamic_completer_reflectt "$@" }
"#;

/// Returns the script for a shell; `None` for one that is not known.
pub fn script(shell: &str) -> Option<String> {
    let shells = Shells::builtins();
    let completer = shells.completer(shell)?;
    let mut script = Vec::new();
    let names: &[&str] = match shell {
        // git's completion asks for ours by the name of a function.
        "bash" | "zsh" => &NAMES[..1],
        _ => &NAMES,
    };
    for name in names {
        // Writing to memory does not fail.
        drop(completer.write_registration(VARIABLE, NAMES[0], name, NAMES[0], &mut script));
    }
    let mut script = String::from_utf8_lossy(&script).into_owned();
    script.push_str(match shell {
        "bash" => BASH_UNDER_GIT,
        "zsh" => ZSH_UNDER_GIT,
        _ => "",
    });
    Some(script)
}

/// Answers a shell: what can stand at the place it asks about.
pub fn answer(shell: &OsStr, args: Vec<OsString>, directory: &Path) -> Vec<u8> {
    let shells = Shells::builtins();
    let words = args.into_iter().skip_while(|arg| arg != "--").skip(1);
    let words: Vec<OsString> = words.collect();
    let mut answer = Vec::new();
    if let Some(completer) = shell.to_str().and_then(|shell| shells.completer(shell))
        && !words.is_empty()
    {
        let mut command = offering(Cli::command());
        drop(completer.write_complete(&mut command, words, Some(directory), &mut answer));
    }
    answer
}

/// Returns a command whose arguments know what can be given for them.
fn offering(command: Command) -> Command {
    let settings = command.get_name() == "get" || command.get_name() == "set";
    command
        .mut_args(|arg| match completer(&arg, settings) {
            Some(completer) => arg.add(completer),
            None => arg,
        })
        .mut_subcommands(offering)
}

fn completer(arg: &Arg, settings: bool) -> Option<ArgValueCompleter> {
    let parsed = arg.get_value_parser().type_id();
    let is = |types: &[TypeId]| types.iter().any(|id| parsed == *id);
    Some(ArgValueCompleter::new(if is(&[TypeId::of::<IdPrefix>()]) {
        tasks
    } else if is(&[
        TypeId::of::<AgentName>(),
        TypeId::of::<Clearable<AgentName>>(),
    ]) {
        agents
    } else if is(&[TypeId::of::<Recipient>()]) {
        recipients
    } else if is(&[TypeId::of::<ChannelName>()]) {
        channels
    } else if is(&[TypeId::of::<Lane>(), TypeId::of::<Clearable<Lane>>()]) {
        lanes
    } else if is(&[TypeId::of::<ResourceName>()]) {
        resources
    } else if is(&[TypeId::of::<CheckName>()]) {
        checks
    } else if is(&[TypeId::of::<Status>()]) {
        statuses
    } else if is(&[TypeId::of::<Priority>()]) {
        priorities
    } else if settings && is(&[TypeId::of::<String>()]) {
        keys
    } else {
        return None;
    }))
}

type Offers = Vec<CompletionCandidate>;

fn offer(value: impl Into<OsString>, help: &str) -> CompletionCandidate {
    let help = excerpt::cut(help, HELP_MAX);
    CompletionCandidate::new(value).help((!help.is_empty()).then(|| StyledStr::from(help)))
}

/// Keeps what goes on from what was typed.
fn beginning(current: &OsStr, offers: Offers) -> Offers {
    let typed = current.to_string_lossy();
    let fits = |offer: &CompletionCandidate| {
        let value = offer.get_value().to_string_lossy();
        value.starts_with(&*typed)
    };
    offers.into_iter().filter(fits).collect()
}

/// Opens the team of the working directory, as nobody.
fn context() -> Option<Context> {
    let repo = Repo::open(OpenOptions::new(".")).ok()?;
    Some(Context::new(repo, None, ops::now, fastrand::Rng::new()))
}

/// Open tasks; closed ones only where nothing open begins like that.
fn tasks(current: &OsStr) -> Offers {
    let found = |all| {
        let filter = TaskFilter {
            all,
            ..TaskFilter::default()
        };
        let rows = context().and_then(|context| ops::list(&context, &filter).ok());
        let offers = rows.unwrap_or_default().into_iter();
        let offers = offers.map(|row| offer(row.task.id.as_str(), &row.task.title));
        beginning(current, offers.collect())
    };
    let open = found(false);
    if open.is_empty() { found(true) } else { open }
}

fn agents(current: &OsStr) -> Offers {
    let seats = context().and_then(|context| ops::who(&context).ok());
    let offers = seats.unwrap_or_default().into_iter();
    let offers = offers.map(|seat| {
        let role = seat.agent.role.unwrap_or_default();
        offer(seat.agent.name.as_str(), &role)
    });
    beginning(current, offers.collect())
}

fn recipients(current: &OsStr) -> Offers {
    let mut offers = agents(current);
    let channels = all_channels().into_iter();
    let channels = channels.map(|(name, purpose)| offer(format!("#{name}"), &purpose));
    offers.extend(beginning(current, channels.collect()));
    offers
}

fn channels(current: &OsStr) -> Offers {
    let offers = all_channels().into_iter();
    let offers = offers.map(|(name, purpose)| offer(name, &purpose));
    beginning(current, offers.collect())
}

/// Every team has one that no setting names.
fn all_channels() -> Vec<(String, String)> {
    let mut channels = of_family("channels.");
    if !channels.iter().any(|(name, _)| name == GENERAL) {
        channels.push((GENERAL.to_owned(), String::new()));
    }
    channels
}

fn lanes(current: &OsStr) -> Offers {
    named(current, "lanes.")
}

fn checks(current: &OsStr) -> Offers {
    let file = context().and_then(|context| ops::checks::check_file(&context).ok());
    let all = file.map(|file| file.checks.all).unwrap_or_default();
    let offers = all.iter().map(|it| offer(it.name.as_str(), &it.command));
    beginning(current, offers.collect())
}

fn resources(current: &OsStr) -> Offers {
    named(current, "resources.")
}

fn named(current: &OsStr, family: &str) -> Offers {
    let offers = of_family(family).into_iter();
    let offers = offers.map(|(name, value)| offer(name, &value));
    beginning(current, offers.collect())
}

fn of_family(family: &str) -> Vec<(String, String)> {
    let settings = settings().into_iter();
    settings
        .filter_map(|(key, value)| Some((key.strip_prefix(family)?.to_owned(), value)))
        .collect()
}

fn statuses(current: &OsStr) -> Offers {
    let offers = Status::ALL.map(|status| offer(status.told().replace(' ', "-"), ""));
    beginning(current, offers.into())
}

fn priorities(current: &OsStr) -> Offers {
    let offers = Priority::ALL.map(|priority| offer(priority.as_str(), ""));
    beginning(current, offers.into())
}

/// Settings with their values; what every team has, where there is none.
fn settings() -> Vec<(String, String)> {
    let config = context().and_then(|context| ops::config_list(&context).ok());
    match config {
        Some(config) => {
            let entries = config.entries.into_iter();
            entries.map(|entry| (entry.key, entry.value)).collect()
        }
        None => KEYS
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    }
}

fn keys(current: &OsStr) -> Offers {
    let offers = settings().into_iter();
    let offers = offers.map(|(key, value)| offer(key, &value));
    beginning(current, offers.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(words: &[&str]) -> Vec<String> {
        let words = ["reflectt", "--"].iter().chain(words).map(OsString::from);
        // What fish is told does not depend on variables of the environment.
        let answer = answer(OsStr::new("fish"), words.collect(), Path::new("/"));
        let answer = String::from_utf8(answer).unwrap();
        let values = answer.lines().map(|line| line.split('\t').next().unwrap());
        values.map(str::to_owned).collect()
    }

    #[test]
    fn what_an_argument_can_be_follows_from_its_type() {
        let statuses = ["reflectt", "task", "list", "--status", ""];
        let all = ["todo", "doing", "blocked", "in-review", "done", "cancelled"];
        assert_eq!(offered(&statuses), all);
        assert_eq!(
            offered(&["reflectt", "task", "new", "x", "--priority", "P"]).len(),
            4
        );
        assert_eq!(offered(&["reflectt", "han"]), ["handoff"]);
        assert_eq!(
            offered(&["reflectt", "review", "k3", "--cor"]),
            ["--correct"]
        );
    }

    #[test]
    fn unknown_shells_get_nothing() {
        assert_eq!(script("csh"), None);
        assert!(answer(OsStr::new("csh"), Vec::new(), Path::new("/")).is_empty());
    }
}
