//! `reflectt hook`

mod agent;
mod words;

use std::ffi::{OsStr, OsString};
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::blocked::{self, Occasion, Unstage};
use crate::cli::error::{CliError, Kind};
use crate::cli::session::Session;
use crate::git::{Oid, Repo};
use crate::hooks::{self, Asked, CommitEnv, HookName, Outcome, PushEnv, TimeLimit, probe};
use crate::model::time::Span;
use crate::ops::enforce::{Verdict, attribute};
use crate::ops::{Context, Repeat};

use agent::AgentArgs;

/// The reason to go on in spite of a claim.
const OVERRIDE: &str = "REFLECTT_OVERRIDE";
/// Names the task that a commit is part of, where it is another than would be taken.
const TASK: &str = "REFLECTT_TASK";
/// How long a hook may take before git goes on without its answer.
const LIMIT: Duration = Duration::from_secs(2);
/// In git's configuration: a longer limit, for slow machines. A shorter one does not count, or it
/// would be a way around every claim.
const LIMIT_KEY: &str = "reflectt.hookTimeLimit";
const LIMIT_MAX: Duration = Duration::from_secs(60);
/// The most that is read of standard input: an agent may write a large file in one call.
const INPUT_MAX: u64 = 256 * 1024 * 1024;

/// Run one of the hooks; git and coding agents call this.
///
/// Exits with 3 or 4 to stop a change, and with 7 if the agent has lost its claim. Where no team
/// works it does nothing; where it cannot decide it warns, and git goes on.
///
/// `hook agent EVENT [--harness NAME]` is what `reflectt setup` has the programs call that coding
/// agents run in. EVENT is session-start, prompt, before-edit, after-tool, stop, wake, session-end,
/// teammate-idle or task-completed; NAME is claude, codex, gemini, copilot, cursor or opencode. It
/// reads that program's JSON on standard input, answers in its format, and exits with 0; with 2,
/// and words on standard error, where wake, teammate-idle and task-completed want the agent to go
/// on.
#[derive(Debug, Args)]
pub struct HookArgs {
    name: Name,
    /// What git gives the hook; for `agent`, the event and the harness.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    PreCommit,
    PreMergeCommit,
    CommitMsg,
    PrePush,
    /// An event of a coding agent, with its harness's JSON on standard input.
    Agent,
    /// The same as `agent before-edit`.
    AgentEdit,
}

impl Name {
    fn of_git(self) -> Option<HookName> {
        match self {
            Name::PreCommit => Some(HookName::PreCommit),
            Name::PreMergeCommit => Some(HookName::PreMergeCommit),
            Name::CommitMsg => Some(HookName::CommitMsg),
            Name::PrePush => Some(HookName::PrePush),
            Name::Agent | Name::AgentEdit => None,
        }
    }
}

impl HookArgs {
    pub fn run(&self, session: &Session) -> Result<u8, CliError> {
        if session.variable(probe::VARIABLE).is_some() {
            session.ui.note(probe::ANSWER);
            // Stops what is behind us, and a commit if somebody has left the variable set.
            return Ok(Kind::Held.exit_code());
        }
        let limit = TimeLimit::start(LIMIT, || {
            let words = "reflectt: warning: claims could not be checked in time\n";
            drop(std::io::stderr().write_all(words.as_bytes()));
            std::process::exit(0);
        });
        let reason = session.variable(OVERRIDE).map(OsStr::to_string_lossy);
        let asked = Asked {
            limit: &limit,
            reason: reason.as_deref().filter(|reason| !reason.trim().is_empty()),
            repeat: match self.name {
                Name::CommitMsg | Name::Agent | Name::AgentEdit => Repeat::IfNew,
                Name::PreCommit | Name::PreMergeCommit | Name::PrePush => Repeat::Always,
            },
        };
        match self.name {
            Name::Agent => return Ok(AgentArgs::read(&self.arguments).answer(session, &asked)),
            Name::AgentEdit => return Ok(AgentArgs::edit().answer(session, &asked)),
            _ => {}
        }
        let context = match session.context_of_hook() {
            Ok(context) => context,
            Err(error) => return Ok(self.finish(session, None, &hooks::unknown(error))),
        };
        if self.is_second(session, context.repo()) {
            return Ok(0);
        }
        put_off(context.repo(), &limit);
        let outcome = match self.name {
            Name::PrePush => {
                hooks::check_push(context, &self.push_env(session, context.repo()), &asked)
            }
            _ => hooks::check_commit(context, &commit_env(session), &asked),
        };
        if self.name == Name::CommitMsg {
            self.add_trailers(session, context, &outcome, &asked);
        }
        Ok(self.finish(session, Some(context), &outcome))
    }

    /// Prints what is to be said and returns the exit code.
    fn finish(&self, session: &Session, context: Option<&Context>, outcome: &Outcome) -> u8 {
        let place = match self.name {
            Name::PrePush => Occasion::Push,
            _ => commit_place(session, context),
        };
        // `commit-msg` follows a hook that has said the same.
        let speaks = self.name != Name::CommitMsg;
        report(session, outcome, &place, speaks)
    }

    fn add_trailers(&self, session: &Session, ctx: &Context, outcome: &Outcome, asked: &Asked) {
        let (verdict, reason) = match outcome {
            Outcome::Allow(verdict) | Outcome::Warn(verdict) => (verdict, None),
            Outcome::Overridden(verdict) => (verdict, asked.reason),
            _ => return,
        };
        let Some(file) = self.arguments.first() else {
            return;
        };
        let file = session.directory().join(file);
        let unsaid = |reason: &str| {
            session
                .ui
                .warn(format!("the commit has no trailers: {reason}"));
        };
        let wanted = session.variable(TASK).map(OsStr::to_string_lossy);
        let wanted = wanted.filter(|id| !id.trim().is_empty());
        let wanted = match wanted.map(|id| id.trim().parse()).transpose() {
            Ok(wanted) => wanted,
            Err(error) => return unsaid(&format!("{TASK}: {error}")),
        };
        let part_of = match attribute(ctx, verdict, wanted.as_ref()) {
            Ok(part_of) => part_of,
            Err(error) if wanted.is_some() => return unsaid(&format!("{TASK}: {error}")),
            Err(error) => return unsaid(&error.to_string()),
        };
        if let Err(error) = hooks::add_trailers(ctx, &file, &part_of, reason) {
            let error = CliError::from(anyhow::Error::new(error));
            unsaid(error.message());
        }
    }

    /// Tells whether the tool pre-commit calls, and has called us already by the hook that was there
    /// before it, which it runs first.
    fn is_second(&self, session: &Session, repo: &Repo) -> bool {
        let by_config = session.variable("PRE_COMMIT").is_some()
            && session.variable("PRE_COMMIT_RUNNING_LEGACY").is_none();
        let name = self.name.of_git();
        by_config && name.is_some_and(|name| hooks::asked_by_legacy(repo, name))
    }

    fn push_env(&self, session: &Session, repo: &Repo) -> PushEnv {
        let argument = self.arguments.first().map(|arg| arg.to_string_lossy());
        let mut env = PushEnv {
            remote: argument.unwrap_or_default().into_owned(),
            lines: String::from_utf8_lossy(&input()).into_owned(),
        };
        // The tool pre-commit reads standard input itself, and tells in variables what it read.
        let told = |name: &str| {
            let value = session.variable(&format!("PRE_COMMIT_{name}"));
            value.map(|value| value.to_string_lossy().into_owned())
        };
        let local = told("LOCAL_BRANCH").unwrap_or_default();
        // Of a history that the remote has nothing of, only the branch is told.
        let whole = || repo.resolve(&local).ok()?.map(|tip| tip.to_string());
        if env.lines.trim().is_empty()
            && let Some(new) = told("TO_REF").or_else(whole)
        {
            let or_zero = |value: Option<String>| value.unwrap_or_else(|| "0".repeat(40));
            env.lines = format!(
                "{local} {new} {} {}\n",
                told("REMOTE_BRANCH").unwrap_or_default(),
                or_zero(told("FROM_REF")),
            );
            if let Some(remote) = told("REMOTE_NAME") {
                env.remote = remote;
            }
        }
        env
    }
}

fn input() -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be read is not there; each hook says what it makes of that.
    drop(
        std::io::stdin()
            .lock()
            .take(INPUT_MAX)
            .read_to_end(&mut bytes),
    );
    bytes
}

fn put_off(repo: &Repo, limit: &TimeLimit) {
    let wanted = repo.config(LIMIT_KEY);
    let wanted = wanted.and_then(|text| text.trim().parse::<Span>().ok());
    if let Some(wanted) = wanted.map(Duration::from) {
        limit.put_off(wanted.min(LIMIT_MAX).saturating_sub(LIMIT));
    }
}

fn commit_env(session: &Session) -> CommitEnv {
    CommitEnv {
        index: index_file(session),
        merging: session
            .variables_of("GITHEAD_")
            .filter_map(|oid| Oid::parse(oid).ok())
            .collect(),
    }
}

fn index_file(session: &Session) -> Option<PathBuf> {
    let index = session.variable("GIT_INDEX_FILE")?;
    Some(session.directory().join(index))
}

fn commit_place(session: &Session, context: Option<&Context>) -> Occasion {
    let prefix = session.variable("GIT_PREFIX").map(OsStr::to_string_lossy);
    let own_index = index_file(session).is_none_or(|file| file.ends_with("index"));
    let repo = context.map(Context::repo);
    let born = repo.and_then(|repo| repo.head().ok().flatten()?.commit);
    let merging = session.variables_of("GITHEAD_").next().is_some()
        || repo.is_some_and(|repo| !repo.merge_heads().is_empty());
    let unstage = if merging {
        Unstage::Impossible
    } else if !own_index {
        Unstage::Name
    } else if born.is_some() {
        Unstage::Restore
    } else {
        Unstage::Uncache
    };
    Occasion::Commit {
        prefix: prefix.unwrap_or_default().into_owned(),
        unstage,
    }
}

/// Prints an outcome; `speaks` is whether what does not stop git is said, too.
fn report(session: &Session, outcome: &Outcome, place: &Occasion, speaks: bool) -> u8 {
    let ui = &session.ui;
    let now = ui.now();
    let problems = |verdict: &Verdict| {
        for problem in verdict.problems.iter().filter(|_| speaks) {
            ui.warn(problem);
        }
    };
    let answer = |name: &str, verdict: &Verdict, error: Option<&CliError>| {
        if ui.is_json() {
            ui.json(&blocked::document(name, verdict, error));
        } else if let Some(error) = error {
            ui.error(error);
        }
    };
    match outcome {
        Outcome::Allow(verdict) => {
            problems(verdict);
            answer("allow", verdict, None);
            0
        }
        Outcome::Warn(verdict) => {
            problems(verdict);
            answer("warn", verdict, None);
            if speaks && !ui.is_json() {
                ui.warning(&blocked::words(verdict, place, now));
            }
            0
        }
        Outcome::Overridden(verdict) => {
            problems(verdict);
            answer("overridden", verdict, None);
            if speaks {
                ui.note("reflectt: the override is on the record, and the holder is told");
            }
            0
        }
        Outcome::Block(verdict) => {
            problems(verdict);
            let error = blocked::words(verdict, place, now).into_error(verdict);
            answer("block", verdict, Some(&error));
            error.kind().exit_code()
        }
        Outcome::Unrecorded(verdict, cause) => {
            let error = blocked::words(verdict, place, now).into_error(verdict);
            answer("block", verdict, Some(&error));
            ui.warn(format!(
                "{OVERRIDE} does not count, because it could not be recorded: {cause}"
            ));
            error.kind().exit_code()
        }
        Outcome::NotManaged => {
            if ui.is_json() {
                ui.json(&serde_json::json!({"outcome": "not_managed", "findings": []}));
            }
            0
        }
        Outcome::CannotDecide(why) => {
            if ui.is_json() {
                let answer =
                    serde_json::json!({"outcome": "cannot_decide", "findings": [], "message": why});
                ui.json(&answer);
            } else if speaks {
                ui.warn(format!("reflectt cannot check claims: {why}"));
            }
            0
        }
    }
}
