//! From what an operation says to what every door gives: kind, message and what to do next.

use crate::format::{CHECKS_FILE, rfc3339};
use crate::git::GitError;
use crate::model::advice::{Advice, Call};
use crate::model::check::CheckResult;
use crate::model::id::{IdPrefix, TaskId};
use crate::model::name::AgentName;
use crate::model::path::PathPattern;
use crate::model::presence::Liveness;
use crate::model::settings::SettingError;
use crate::ops::{Elsewhere, Held, OpsError};
use crate::store::StoreError;

use super::refusal::of_refusal;
use super::{CheckJson, Fault, Holding, Kind};

/// Returns how errors of a command about one task are printed: hints name it as it was typed.
pub fn on(id: &IdPrefix) -> impl Fn(OpsError) -> Fault {
    move |error| about(error, Some(id.as_str()))
}

/// Returns the error as it is printed.
pub fn of(error: OpsError) -> Fault {
    about(error, None)
}

fn about(error: OpsError, id: Option<&str>) -> Fault {
    match error {
        OpsError::Store(error) => of_store(error),
        OpsError::NoIdentity { ref elsewhere } => {
            let unknown = Fault::usage(error.to_string());
            // A second worktree of the same agent is as likely as one for a new agent.
            (elsewhere.iter().take(3))
                .fold(unknown, |error, (name, path)| {
                    let here = format!("if this worktree is {name}'s too, as `{}`", path.display());
                    error.hint(Call::to("join").on("name", name).so(here))
                })
                .hint(join().so("makes this worktree act as NAME"))
                .hint("reflectt --as NAME … (for one command)")
        }
        OpsError::NotFound { what, ref near, .. } => {
            let near = near.clone();
            not_found(Fault::nothing(error.to_string()), what, &near)
        }
        OpsError::Ambiguous { ref matches, .. } => {
            let known = Fault::usage(error.to_string());
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
            let fenced = Fault::fenced(message.clone())
                .detail("task", task.to_string())
                .detail("holder", holder.as_ref().map(ToString::to_string));
            let know = "says that you know; needed before you claim again";
            fenced
                .hint(Call::to("inbox").so("says what happened"))
                .hint(Call::to("ack").flag("all").so(know))
        }
        OpsError::Unreachable { .. } => Fault::unreachable(error.to_string())
            .hint("run it again when the remote answers; `reflectt sync` tells whether it does")
            .hint("the same command with --offline (provisional, until the remote decides)"),
        OpsError::Void { .. } => Fault::failed(error.to_string())
            .hint(Call::to("doctor").so("says what is wrong with its events")),
        OpsError::NoRemote => {
            Fault::failed(error.to_string()).hint("git remote add origin URL, then reflectt init")
        }
        OpsError::NotSwitched {
            task, ref branch, ..
        } => {
            let again = Call::to("claim").on("id", task).set("branch", branch);
            Fault::from(anyhow::Error::new(error))
                .hint(again.so("switches to it, when that is mended"))
        }
        OpsError::Nothing(message) => Fault::nothing(message),
        OpsError::ChecksFile { ref branch, .. } => {
            let correct = format!("correct `{CHECKS_FILE}`, and bring that to `{branch}`");
            Fault::from(anyhow::Error::new(error)).hint(correct)
        }
        OpsError::CouldNotRun(ref stopped) => could_not_run(error.to_string(), stopped),
        OpsError::NotSubmitted { task, ref stopped } => {
            let without = without_checks(id.unwrap_or(task.as_str()));
            could_not_run(error.to_string(), stopped).hint(without)
        }
        OpsError::NoChecks { ref branch } => {
            let branch = branch.as_deref().unwrap_or("main");
            Fault::nothing(error.to_string()).hint(format!(
                "bring a `{CHECKS_FILE}` with `[checks.NAME]` and `run = \"COMMAND\"` to `{branch}`"
            ))
        }
        error @ OpsError::NoLandingBranch { .. } => {
            let set = Call::to("config set").on("key", "land.branch");
            Fault::nothing(error.to_string()).hint(set.on_some("value", "BRANCH").so("names it"))
        }
        error @ OpsError::Unsound { .. } => Fault::failed(error.to_string()),
        error @ OpsError::Busy { .. } => {
            Fault::new(Kind::Held, error.to_string()).hint("run it again")
        }
        error @ OpsError::NotTaken { .. } => Fault::unreachable(error.to_string()),
        error @ OpsError::Shallow(_) => Fault::failed(error.to_string()),
        OpsError::Setting(SettingError::UnknownKey { ref near, .. }) => {
            let near = near.clone();
            not_found(Fault::usage(error.to_string()), "setting", &near)
        }
        OpsError::Usage(_)
        | OpsError::Text(_)
        | OpsError::Profile(_)
        | OpsError::Name(_)
        | OpsError::Id(_)
        | OpsError::Path(_)
        | OpsError::Setting(_) => Fault::usage(error.to_string()),
    }
}

fn could_not_run(message: String, stopped: &[CheckResult]) -> Fault {
    let checks: Vec<CheckJson> = stopped.iter().map(CheckJson::from).collect();
    Fault::unreachable(message)
        .told("stopped", serde_json::to_value(checks).unwrap_or_default())
        .hint("it says nothing about the commit: run it again when that is mended")
}

/// Advises to submit a task without its checks.
pub(super) fn without_checks(id: &str) -> Advice {
    let submit = Call::to("submit").on("id", id).ask("summary", "TEXT");
    submit.flag("no_check").so("says that they did not run")
}

impl From<OpsError> for Fault {
    fn from(error: OpsError) -> Fault {
        of(error)
    }
}

fn not_found(error: Fault, what: &str, near: &[String]) -> Fault {
    let error = match near {
        [] => error,
        [one] => error.hint(format!("did you mean `{one}`?")),
        many => error.hint(format!("did you mean one of `{}`?", many.join("`, `"))),
    };
    match what {
        "task" => error.hint(Call::to("task list")),
        "agent" => error
            .hint(Call::to("who"))
            .hint(join().so("puts NAME on the team")),
        "channel" => error.hint(set("channels.NAME", "PURPOSE").so("makes a channel")),
        "lane" => error.hint(set("lanes.NAME", "PURPOSE").so("makes a lane")),
        "resource" => error.hint(set("resources.NAME", "CAPACITY").so("makes a resource")),
        "setting" => error.hint(Call::to("config list")),
        "check" => error.hint(Call::to("checks list")),
        "commit to check" => error
            .hint(Call::to("sync").so("brings the work of others"))
            .hint("git fetch (if it is on the remote)"),
        "unread message" => error.hint(Call::to("inbox")),
        _ => error,
    }
}

fn of_held(held: &Held) -> Fault {
    let claim = &held.by;
    let shown = if held.paths.is_empty() {
        &claim.paths
    } else {
        &held.paths
    };
    let error = Fault::held(
        held.to_string(),
        Holding {
            holder: claim.agent.to_string(),
            task: claim.task().map(|id| id.to_string()),
            since: Some(claim.since),
            paths: shown.iter().map(ToString::to_string).collect(),
        },
    );
    let last_seen = held.seen.map(|(_, at)| rfc3339(at));
    let liveness = held.seen.map(|(liveness, _)| liveness);
    let other = match &held.instead {
        Some((id, title)) => format!("takes other work, now `{id}`: {title}"),
        None => "takes other work".to_owned(),
    };
    let error = error
        .detail("last_seen", last_seen)
        .detail("holder_status", liveness.map(Liveness::as_str))
        .told(
            "instead",
            held.instead.as_ref().map(|(id, _)| id.to_string()),
        )
        .hint(next_claim().so(other));
    if let Some(free) = &held.namesake {
        return or_another_name(error, &claim.agent, free);
    }
    let error = match held.shared() {
        Some(paths) => error.hint(share(held.wanted, paths)),
        None => error,
    };
    let ask = Call::to("send")
        .on("to", &claim.agent)
        .on_some("text", "TEXT");
    let error = error.hint(ask.so("asks the holder"));
    match held.wanted {
        // Not while the holder is at work.
        Some(id) if id == claim.id && liveness != Some(Liveness::Active) => {
            let take = Call::to("claim").on("id", id).flag("take_over");
            let take = take.ask("reason", "TEXT");
            error.hint(take.so("only if the holder is gone"))
        }
        _ => error,
    }
}

/// Advises to hold paths beside those who share them.
fn share(wanted: Option<TaskId>, paths: &[PathPattern]) -> Advice {
    let call = Call::to("claim");
    let call = match wanted {
        Some(id) => call.on("id", id),
        None => call.ask("message", "WHY"),
    };
    let call = paths
        .iter()
        .fold(call, |call, path| call.set("share", path));
    call.so("holds it beside the others")
}

fn of_namesake(it: &Elsewhere) -> Fault {
    let holding = Holding {
        holder: it.name.to_string(),
        since: it.since,
        ..Holding::default()
    };
    let error = Fault::held(it.to_string(), holding)
        .detail("free", it.free.to_string())
        .detail("last_seen", rfc3339(it.seen));
    or_another_name(error, &it.name, &it.free)
}

fn or_another_name(error: Fault, name: &AgentName, free: &AgentName) -> Fault {
    let other = Call::to("join").on("name", free);
    let here = Call::to("join").on("name", name).flag("here");
    let moves = format!("if you are that `{name}`: moves it here, with what it holds");
    error
        .hint(other.so("the nearest free name"))
        .hint(here.so(moves))
}

fn join() -> Call {
    Call::to("join").on_some("name", "NAME")
}

pub(super) fn next_claim() -> Call {
    Call::to("next").flag("claim").flag("branch")
}

fn set(key: &'static str, value: &'static str) -> Call {
    let set = Call::to("config set");
    set.on_some("key", key).on_some("value", value)
}

fn of_store(error: StoreError) -> Fault {
    match error {
        StoreError::NotInitialised {
            ref remote,
            ref unseen,
        } => {
            let known = Fault::failed(error.to_string());
            match (remote, unseen) {
                (Some(_), _) => known.hint(join()),
                (None, Some(remote)) => known
                    .hint(join().so(format!("if the team is on `{remote}`")))
                    .hint(Call::to("init").so("starts one")),
                (None, None) => known.hint(Call::to("init")),
            }
        }
        StoreError::Foreign { .. } => Fault::failed(error.to_string()).hint(
            "git branch -m reflectt NAME (keeps that branch under another name), then reflectt init",
        ),
        StoreError::ForeignOn { ref remote, ref name, ref tip, .. } => {
            let keep = format!("git push {remote} {tip}:refs/heads/NAME (keeps that branch under another name)");
            let give = format!("git push --force-with-lease={name}:{tip} {remote} {name}:{name} (then gives it the record of this clone)");
            Fault::failed(error.to_string()).hint(keep).hint(give)
        }
        StoreError::Busy { .. } => Fault::new(Kind::Held, error.to_string()).hint("run it again"),
        StoreError::Git(error) => of_git(error),
        StoreError::Table { .. }
        | StoreError::NoTable { .. }
        | StoreError::File { .. }
        | StoreError::ReadBack { .. } => {
            Fault::from(anyhow::Error::new(error)).hint(Call::to("doctor"))
        }
        StoreError::TableLost { .. } => Fault::failed(error.to_string())
            .hint(Call::to("sync").so("in a clone that has it; restores it for all"))
            .hint(
                Call::to("doctor")
                    .flag("fix")
                    .so("if there is none; takes it from the record"),
            ),
        StoreError::Newer { .. } => Fault::failed(error.to_string())
            .hint("install the version of reflectt that the others use"),
        StoreError::TooLarge { .. } => Fault::failed(error.to_string())
            .hint("put long texts into a file of the repository and name it"),
        StoreError::RemoteRefuses { .. } => Fault::refused("remote", error.to_string())
            .hint(Call::to("init").so("finds out which refs the remote takes")),
        StoreError::Local { .. } => Fault::from(anyhow::Error::new(error)),
    }
}

fn of_git(error: GitError) -> Fault {
    if matches!(error, GitError::NoRemote { .. }) {
        return Fault::failed(error.to_string())
            .hint(
                Call::to("init")
                    .ask("remote", "NAME")
                    .so("shares the team through another; `git remote` lists them"),
            )
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
    let error = Fault::from(anyhow::Error::new(error));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
