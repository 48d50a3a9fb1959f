//! From what an operation says to what is printed: kind, message and the next command to run.

use crate::git::GitError;
use crate::model::id::{IdPrefix, TaskId};
use crate::model::name::AgentName;
use crate::model::presence::Liveness;
use crate::model::rule::{Refusal, Rule};
use crate::model::settings::SettingError;
use crate::ops::{Elsewhere, Held, OpsError};
use crate::store::StoreError;

use super::error::{CliError, Holding, Kind};

/// Returns how errors of a command about one task are printed: hints name it as it was typed.
pub fn on(id: &IdPrefix) -> impl Fn(OpsError) -> CliError {
    move |error| about(error, Some(id.as_str()))
}

/// Returns the error as it is printed.
pub fn of(error: OpsError) -> CliError {
    about(error, None)
}

fn about(error: OpsError, id: Option<&str>) -> CliError {
    match error {
        OpsError::Store(error) => of_store(error),
        OpsError::NoIdentity { ref elsewhere } => {
            let unknown = CliError::usage(error.to_string());
            // A second worktree of the same agent is as likely as one for a new agent.
            (elsewhere.iter().take(3))
                .fold(unknown, |error, (name, path)| {
                    error.hint(format!(
                        "reflectt join {name} (if this worktree is {name}'s too, as `{}`)",
                        path.display()
                    ))
                })
                .hint("reflectt join NAME (makes this worktree act as NAME)")
                .hint("reflectt --as NAME … (for one command)")
        }
        OpsError::NotFound { what, ref near, .. } => {
            let near = near.clone();
            not_found(CliError::nothing(error.to_string()), what, &near)
        }
        OpsError::Ambiguous { ref matches, .. } => {
            let known = CliError::usage(error.to_string());
            matches.iter().take(8).fold(known, |error, (id, title)| {
                error.hint(format!("{id}  {title}"))
            })
        }
        OpsError::Held(held) => of_held(&held),
        OpsError::Elsewhere(it) => of_namesake(&it),
        OpsError::Refused(refusal) => of_refusal(&refusal, id),
        OpsError::Fenced {
            task,
            ref holder,
            ref message,
        } => {
            let fenced = CliError::fenced(message.clone())
                .detail("task", task.to_string())
                .detail("holder", holder.as_ref().map(ToString::to_string));
            fenced
                .hint("reflectt inbox (says what happened)")
                .hint("reflectt ack --all (says that you know; needed before you claim again)")
        }
        OpsError::Unreachable { .. } => CliError::unreachable(error.to_string())
            .hint("run it again when the remote answers; `reflectt sync` tells whether it does")
            .hint("the same command with --offline (provisional, until the remote decides)"),
        OpsError::Void { .. } => CliError::failed(error.to_string())
            .hint("reflectt doctor (says what is wrong with its events)"),
        OpsError::NoRemote => CliError::failed(error.to_string())
            .hint("git remote add origin URL, then reflectt init"),
        OpsError::Nothing(message) => CliError::nothing(message),
        error @ OpsError::Shallow(_) => CliError::failed(error.to_string()),
        OpsError::Setting(SettingError::UnknownKey { ref near, .. }) => {
            let near = near.clone();
            not_found(CliError::usage(error.to_string()), "setting", &near)
        }
        OpsError::Usage(_)
        | OpsError::Text(_)
        | OpsError::Profile(_)
        | OpsError::Name(_)
        | OpsError::Id(_)
        | OpsError::Path(_)
        | OpsError::Setting(_) => CliError::usage(error.to_string()),
    }
}

impl From<OpsError> for CliError {
    fn from(error: OpsError) -> CliError {
        of(error)
    }
}

fn not_found(error: CliError, what: &str, near: &[String]) -> CliError {
    let error = match near {
        [] => error,
        [one] => error.hint(format!("did you mean `{one}`?")),
        many => error.hint(format!("did you mean one of `{}`?", many.join("`, `"))),
    };
    match what {
        "task" => error.hint("reflectt task list"),
        "agent" => error
            .hint("reflectt who")
            .hint("reflectt join NAME (puts NAME on the team)"),
        "channel" => error.hint("reflectt config set channels.NAME PURPOSE (makes a channel)"),
        "lane" => error.hint("reflectt config set lanes.NAME PURPOSE (makes a lane)"),
        "resource" => error.hint("reflectt config set resources.NAME CAPACITY (makes a resource)"),
        "setting" => error.hint("reflectt config list"),
        "unread message" => error.hint("reflectt inbox"),
        _ => error,
    }
}

fn of_held(held: &Held) -> CliError {
    let claim = &held.by;
    let shown = if held.paths.is_empty() {
        &claim.paths
    } else {
        &held.paths
    };
    let error = CliError::held(
        held.to_string(),
        Holding {
            holder: claim.agent.to_string(),
            task: claim.task().map(|id| id.to_string()),
            since: Some(claim.since.0),
            paths: shown.iter().map(ToString::to_string).collect(),
        },
    );
    let last_seen = held.seen.map(|(_, at)| super::time::rfc3339(at.0));
    let liveness = held.seen.map(|(liveness, _)| liveness);
    let error = error
        .detail("last_seen", last_seen)
        .detail("holder_status", liveness.map(Liveness::as_str))
        .hint("reflectt next --claim (takes other work)");
    if let Some(free) = &held.namesake {
        return or_another_name(error, &claim.agent, free);
    }
    let error = error.hint(format!(
        "reflectt send {} TEXT (asks the holder)",
        claim.agent
    ));
    match held.wanted {
        // Not while the holder is at work.
        Some(id) if id == claim.id && liveness != Some(Liveness::Active) => error.hint(format!(
            "reflectt claim {id} --take-over --reason TEXT (only if the holder is gone)"
        )),
        _ => error,
    }
}

fn of_namesake(it: &Elsewhere) -> CliError {
    let holding = Holding {
        holder: it.name.to_string(),
        since: it.since.map(|at| at.0),
        ..Holding::default()
    };
    let error = CliError::held(it.to_string(), holding)
        .detail("free", it.free.to_string())
        .detail("last_seen", super::time::rfc3339(it.seen.0));
    or_another_name(error, &it.name, &it.free)
}

fn or_another_name(error: CliError, name: &AgentName, free: &AgentName) -> CliError {
    error
        .hint(format!("reflectt join {free} (the nearest free name)"))
        .hint(format!(
            "reflectt join {name} --here (if you are that `{name}`: moves it here, with what it holds)"
        ))
}

fn of_refusal(refusal: &Refusal, id: Option<&str>) -> CliError {
    let error = CliError::refused(refusal.rule.as_str(), refusal.message.clone());
    let id = id.or(named_task(&refusal.message)).unwrap_or("ID");
    match refusal.rule {
        Rule::Criteria => error.hint(format!("reflectt task edit {id} --criterion TEXT")),
        Rule::Dependencies if refusal.message.contains("(cancelled)") => error.hint(format!(
            "reflectt task edit {id} --drop-after ID (waits no more for what was cancelled)"
        )),
        Rule::Dependencies => error
            .hint(format!("reflectt task show {id}"))
            .hint("reflectt next --claim"),
        Rule::Cycle => error.hint(format!("reflectt task show {id} (says what it waits for)")),
        Rule::WipAgent => error
            .hint("reflectt status")
            .hint("reflectt submit ID …, reflectt block ID --reason TEXT or reflectt release ID"),
        Rule::WipTeam => error.hint("reflectt claims (shows who works on what)"),
        Rule::Resource => error.hint("reflectt claims (shows who uses what)"),
        Rule::Paused => error.hint("reflectt resume (when the reason is gone)"),
        Rule::Reserved => error.hint("reflectt next --claim"),
        Rule::Holder => error.hint(format!("reflectt task show {id}")),
        Rule::Status => error.hint(format!("reflectt task show {id}")),
        Rule::Reviewer => error
            .hint(format!("reflectt task edit {id} --reviewer NAME"))
            .hint("reflectt who (shows who could review)"),
        Rule::Evidence => error
            .hint(format!("reflectt task show {id} (lists the criteria)"))
            .hint(format!(
                "reflectt submit {id} --summary TEXT --evidence 1=TEXT … (one for each criterion)"
            )),
        Rule::Submission => error.hint(format!("reflectt task show {id}")),
        Rule::Member => error.hint("reflectt who"),
    }
}

/// Finds the task a message speaks of, for the hints. A name in backticks may look like an id.
fn named_task(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("task `")?;
    let (id, _) = rest.split_once('`')?;
    id.parse::<TaskId>().ok().map(|_| id)
}

fn of_store(error: StoreError) -> CliError {
    match error {
        StoreError::NotInitialised {
            ref remote,
            ref unseen,
        } => {
            let known = CliError::failed(error.to_string());
            match (remote, unseen) {
                (Some(_), _) => known.hint("reflectt join NAME"),
                (None, Some(remote)) => known
                    .hint(format!("reflectt join NAME (if the team is on `{remote}`)"))
                    .hint("reflectt init (starts one)"),
                (None, None) => known.hint("reflectt init"),
            }
        }
        StoreError::Foreign { .. } => CliError::failed(error.to_string()).hint(
            "git branch -m reflectt NAME (keeps that branch under another name), then reflectt init",
        ),
        StoreError::ForeignOn { ref remote, ref name, ref tip, .. } => {
            let keep = format!("git push {remote} {tip}:refs/heads/NAME (keeps that branch under another name)");
            let give = format!("git push --force-with-lease={name}:{tip} {remote} {name}:{name} (then gives it the record of this clone)");
            CliError::failed(error.to_string()).hint(keep).hint(give)
        }
        StoreError::Busy { .. } => CliError::new(Kind::Held, error.to_string()).hint("run it again"),
        StoreError::Git(error) => of_git(error),
        StoreError::Table { .. }
        | StoreError::NoTable { .. }
        | StoreError::File { .. }
        | StoreError::ReadBack { .. } => {
            CliError::from(anyhow::Error::new(error)).hint("reflectt doctor")
        }
        StoreError::TableLost { .. } => CliError::failed(error.to_string())
            .hint("reflectt sync (in a clone that has it; restores it for all)")
            .hint("reflectt doctor --fix (if there is none; takes it from the record)"),
        StoreError::Newer { .. } => CliError::failed(error.to_string())
            .hint("install the version of reflectt that the others use"),
        StoreError::TooLarge { .. } => CliError::failed(error.to_string())
            .hint("put long texts into a file of the repository and name it"),
        StoreError::RemoteRefuses { .. } => CliError::refused("remote", error.to_string())
            .hint("reflectt init (finds out which refs the remote takes)"),
        StoreError::Local { .. } => CliError::from(anyhow::Error::new(error)),
    }
}

fn of_git(error: GitError) -> CliError {
    if matches!(error, GitError::NoRemote { .. }) {
        return CliError::failed(error.to_string())
            .hint("reflectt init --remote NAME (shares the team through another; `git remote` lists them)")
            .hint("git config --unset reflectt.remote (keeps the team in this clone)");
    }
    let hint = match &error {
        GitError::NotARepository { .. } => Some("git init (makes one), or reflectt -C DIR …"),
        GitError::NotText { .. } => {
            Some("reflectt -C TOP … (paths from the top; `?` stands for a byte that is not UTF-8)")
        }
        GitError::Missing => Some("install git 2.30 or later and put it on the PATH"),
        GitError::RefLocked { .. } => Some("reflectt doctor (tells whether the lock is stale)"),
        GitError::NoSpace { .. } => Some("free some space and run it again; nothing was changed"),
        _ => None,
    };
    let error = CliError::from(anyhow::Error::new(error));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_an_id_is_none() {
        assert_eq!(
            named_task("task `k3f9x2` is held by `worker`"),
            Some("k3f9x2")
        );
        assert_eq!(named_task("`worker` cannot review its own work"), None);
        assert_eq!(named_task("task `worker"), None);
    }
}
