//! `reflectt hooks`

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::cli::blocked;
use crate::cli::error::CliError;
use crate::cli::session::{self, Session};
use crate::cli::text::{DIM, GREEN, RED, Text};
use crate::hooks::{self, Done, HookError, Installation, Layer, Placement, State};
use crate::ops::{OpsError, enforce};
use crate::store::StoreError;

/// Install git's hooks, take them out, or show which layers of enforcement would fire.
#[derive(Debug, Args)]
pub struct HooksArgs {
    #[command(subcommand)]
    command: HooksCommand,
}

#[derive(Debug, Subcommand)]
enum HooksCommand {
    /// Install git's hooks beside what is there, which keeps running. Repeating it is harmless.
    ///
    /// Where `core.hooksPath` is a directory of the checkout, nothing is changed; what to add by
    /// hand is printed.
    Install,
    /// Take reflectt out of git's hooks; every file is as it was before.
    Uninstall,
    /// Show for each layer whether it is there and would fire.
    Status,
    /// Print what to add for another tool.
    Snippet { tool: Tool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tool {
    /// Claude Code, in .claude/settings.json: edits of claimed files are denied.
    Claude,
    /// GitHub Actions.
    Github,
    Husky,
    Lefthook,
    PreCommit,
}

impl Tool {
    fn text(self) -> &'static str {
        match self {
            Tool::Claude => include_str!("../../../templates/claude-settings.json"),
            Tool::Github => include_str!("../../../templates/github-workflow.yml"),
            Tool::Husky => include_str!("../../../templates/husky.sh"),
            Tool::Lefthook => include_str!("../../../templates/lefthook.yml"),
            Tool::PreCommit => include_str!("../../../templates/pre-commit-config.yaml"),
        }
    }
}

#[derive(Serialize)]
struct InstalledJson {
    directory: String,
    placement: &'static str,
    hooks: Vec<HookJson>,
    /// What to add by hand, where nothing was changed.
    snippet: Option<&'static str>,
}

#[derive(Serialize)]
struct HookJson {
    name: &'static str,
    done: &'static str,
}

#[derive(Serialize)]
struct StatusJson {
    directory: String,
    placement: &'static str,
    initialised: bool,
    mode: Option<&'static str>,
    layers: Vec<LayerJson>,
}

#[derive(Serialize)]
struct LayerJson {
    name: &'static str,
    /// Whether it would really fire.
    active: bool,
    state: &'static str,
    file: Option<String>,
    detail: String,
}

impl HooksArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        match &self.command {
            HooksCommand::Install => {
                let repo = session.context()?.repo();
                let done = hooks::install(repo, &session::program()?)?;
                print(session, &done);
                Ok(())
            }
            HooksCommand::Uninstall => {
                let done = hooks::uninstall(session.context()?.repo())?;
                print(session, &done);
                Ok(())
            }
            HooksCommand::Status => status(session),
            HooksCommand::Snippet { tool } => {
                if session.ui.is_json() {
                    let answer = serde_json::json!({"snippet": tool.text()});
                    session.ui.json(&answer);
                } else {
                    session.ui.data(tool.text());
                }
                Ok(())
            }
        }
    }
}

/// Installs the hooks in a clone that a team has come to, unless they are not wanted.
///
/// Returns what became of it, in the word of `init --json`. A team is there without them, so a
/// failure is a warning.
pub fn for_team(session: &Session, no_hooks: bool) -> &'static str {
    if no_hooks {
        return "none";
    }
    let install = || {
        let repo = session.context()?.repo();
        hooks::install(repo, &session::program()?).map_err(CliError::from)
    };
    match install() {
        Ok(done) if done.dir.placement == Placement::InWorkTree => {
            if !session.ui.is_json() {
                by_hand(session, &done);
            }
            "manual"
        }
        Ok(_) => "installed",
        Err(error) => {
            session.ui.warn(format!(
                "git's hooks are not installed: {}",
                error.message()
            ));
            "failed"
        }
    }
}

/// Says what was done about hooks.
pub fn print(session: &Session, done: &Installation) {
    let ui = &session.ui;
    let directory = done.dir.path.display().to_string();
    let manual = done.dir.placement == Placement::InWorkTree;
    if ui.is_json() {
        let hooks = done.hooks.iter().map(|(name, done)| HookJson {
            name: name.as_str(),
            done: word(*done).0,
        });
        ui.json(&InstalledJson {
            directory,
            placement: placement(done.dir.placement),
            hooks: hooks.collect(),
            snippet: manual.then(|| Tool::Husky.text()),
        });
        return;
    }
    if manual {
        by_hand(session, done);
        return;
    }
    for (name, done) in &done.hooks {
        let line = Text::from(format!("{:<17} ", name.as_str()));
        ui.line(line.plain(word(*done).1));
    }
    if done.dir.placement == Placement::Elsewhere {
        ui.note(format!(
            "`core.hooksPath` is {directory}: other repositories may use these hooks too; where no team works they do nothing"
        ));
    }
}

/// Says what to add to hooks that are somebody's files.
fn by_hand(session: &Session, done: &Installation) {
    let ui = &session.ui;
    ui.warn(format!(
        "no hook was changed: `core.hooksPath` is {}, in the checkout",
        done.dir.path.display()
    ));
    ui.line("Add this to your hooks:");
    ui.block(2, Tool::Husky.text());
    ui.hint("reflectt hooks snippet lefthook (or pre-commit, for those tools)");
    ui.hint("reflectt hooks status (shows whether it fires)");
}

fn word(done: Done) -> (&'static str, &'static str) {
    match done {
        Done::Made => ("made", "installed"),
        Done::Added => ("added", "added to the script that was there"),
        Done::Wrapped => (
            "wrapped",
            "installed; the hook that was there runs after it",
        ),
        Done::SetAside => (
            "set_aside",
            "installed; the hook that was there is kept, but was and is not run: it is not executable",
        ),
        Done::Updated => ("updated", "updated"),
        Done::Unchanged => ("unchanged", "is there"),
        Done::Removed => ("removed", "taken out"),
        Done::Absent => ("absent", "was not there"),
    }
}

fn placement(placement: Placement) -> &'static str {
    match placement {
        Placement::Repository => "repository",
        Placement::Elsewhere => "elsewhere",
        Placement::InWorkTree => "in_work_tree",
    }
}

fn status(session: &Session) -> Result<(), CliError> {
    let context = session.context()?;
    let status = hooks::status(context.repo(), session.variable("PATH"))?;
    let mode = match enforce::mode(context) {
        Ok(mode) => Some(blocked::mode(mode)),
        Err(OpsError::Store(StoreError::NotInitialised { .. })) => None,
        Err(error) => return Err(error.into()),
    };
    let ui = &session.ui;
    if ui.is_json() {
        let layer = |layer: &Layer| LayerJson {
            name: layer.name,
            active: layer.state == State::Active,
            state: state(layer.state),
            file: layer.file.as_ref().map(|file| file.display().to_string()),
            detail: layer.detail.clone(),
        };
        ui.json(&StatusJson {
            directory: status.dir.path.display().to_string(),
            placement: placement(status.dir.placement),
            initialised: mode.is_some(),
            mode,
            layers: status.layers.iter().map(layer).collect(),
        });
        return Ok(());
    }
    for layer in &status.layers {
        let style = match layer.state {
            State::Active => GREEN,
            State::Broken => RED,
            State::Absent => DIM,
        };
        let mut line = Text::from(format!("{:<17} ", layer.name));
        line.push(style, state(layer.state));
        if !layer.detail.is_empty() {
            line.push(DIM, format!("   {}", layer.detail));
        }
        ui.line(line);
    }
    match mode {
        None => ui.warn("no team works in this repository, so none of them does anything"),
        Some("block") => {}
        Some(mode) => ui.warn(format!("`enforce.mode` is `{mode}`: nothing is stopped")),
    }
    if status
        .layers
        .iter()
        .any(|layer| layer.state == State::Broken)
    {
        ui.hint("reflectt hooks install");
    }
    Ok(())
}

fn state(state: State) -> &'static str {
    match state {
        State::Active => "active",
        State::Broken => "broken",
        State::Absent => "absent",
    }
}

impl From<HookError> for CliError {
    fn from(error: HookError) -> CliError {
        let hint = match &error {
            HookError::Damaged { path } => Some(format!(
                "take the lines between `# >>> reflectt >>>` and `# <<< reflectt <<<` out of {} by hand, then run it again",
                path.display()
            )),
            HookError::Changed { original, .. } => Some(format!(
                "compare it with {}, which was there before, and keep what you need",
                original.display()
            )),
            HookError::OriginalGone { .. }
            | HookError::File { .. }
            | HookError::Git(_)
            | HookError::Message { .. } => None,
        };
        let error = CliError::from(anyhow::Error::new(error));
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}
