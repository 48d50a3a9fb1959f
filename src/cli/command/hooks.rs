//! `reflectt hooks`

use std::borrow::Cow;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::answer::command_line;
use crate::cli::blocked;
use crate::cli::error::CliError;
use crate::cli::session::{self, Session};
use crate::cli::text::{DIM, GREEN, RED, Text};
use crate::git::Repo;
use crate::hooks::{
    self, Done, Edited, HookError, HookName, Installation, Layer, Manager, Mended, Placement, State,
};
use crate::model::harness::Harness;
use crate::ops::{Context, OpsError, chain, enforce};
use crate::setup;
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
    /// hand is printed. With --into reflectt is added to what a tool runs that writes git's hooks
    /// itself: to .husky/*, lefthook.yml or .pre-commit-config.yaml, for you to commit.
    Install {
        #[arg(long, value_name = "TOOL")]
        into: Option<HookTool>,
    },
    /// Take reflectt out of git's hooks; every file is as it was before.
    ///
    /// What --into has added to YAML is yours to take out.
    Uninstall,
    /// Show for each layer whether it is there and would fire.
    Status,
    /// Print what to add for another tool.
    Snippet { tool: Tool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tool {
    /// Claude Code, in .claude/settings.json: its hooks, as `reflectt setup claude` writes them.
    Claude,
    /// GitHub Actions.
    Github,
    Husky,
    Lefthook,
    PreCommit,
}

/// A tool that writes git's hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HookTool {
    Husky,
    Lefthook,
    PreCommit,
}

impl From<HookTool> for Manager {
    fn from(tool: HookTool) -> Manager {
        match tool {
            HookTool::Husky => Manager::Husky,
            HookTool::Lefthook => Manager::Lefthook,
            HookTool::PreCommit => Manager::PreCommit,
        }
    }
}

impl Tool {
    fn text(self) -> Cow<'static, str> {
        let text = match self {
            Tool::Claude => return setup::snippet(Harness::Claude).into(),
            Tool::Github => include_str!("../../../templates/github-workflow.yml"),
            Tool::Husky => include_str!("../../../templates/husky.sh"),
            Tool::Lefthook => include_str!("../../../templates/lefthook.yml"),
            Tool::PreCommit => include_str!("../../../templates/pre-commit-config.yaml"),
        };
        text.into()
    }
}

#[derive(Serialize)]
struct InstalledJson {
    directory: String,
    placement: &'static str,
    hooks: Vec<HookJson>,
    /// What to add by hand, where nothing was changed.
    snippet: Option<Cow<'static, str>>,
    /// The tool that `--into` names.
    into: Option<&'static str>,
    /// Its files.
    files: Vec<FileJson>,
}

#[derive(Serialize)]
struct FileJson {
    file: String,
    done: &'static str,
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
            HooksCommand::Install { into: Some(tool) } => into(session, (*tool).into()),
            HooksCommand::Install { into: None } => {
                let repo = session.context()?.repo();
                let done = hooks::install(repo, &session::program()?)?;
                print(session, &done);
                suggest(session, repo, &done);
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
                    session.ui.data(&tool.text());
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
            let fires = hooks_fire(session);
            if !session.ui.is_json() && !fires {
                by_hand(session, &done);
            }
            if fires { "installed" } else { "manual" }
        }
        Ok(done) => {
            if let Ok(context) = session.context() {
                suggest(session, context.repo(), &done);
            }
            "installed"
        }
        Err(error) => {
            session.ui.warn(format!(
                "git's hooks are not installed: {}",
                error.message()
            ));
            "failed"
        }
    }
}

/// Sees to the hooks of a worktree that an agent works in, and says what was found.
///
/// Where they do not fire and nothing can be done, it is said by every command: each commit until
/// then is one that nobody has looked at.
pub fn look_after(session: &Session) {
    let Ok(context) = session.context() else {
        return;
    };
    let Ok(program) = session::program() else {
        return;
    };
    match hooks::look_after(context.repo(), &program, session.variable("PATH")) {
        Ok(None) => {}
        Ok(Some(found)) => {
            session.ui.warn(found.to_string());
            if found.manager.is_some() || matches!(found.outcome, Mended::No(_)) {
                session.ui.hint(command_line(&found.fix().into()));
            }
        }
        Err(error) => session.ui.warn(format!(
            "git's hooks cannot be looked after: {}",
            chain(&error)
        )),
    }
}

/// Does so for the daemon in every worktree, and returns what is to be said.
pub fn look_after_all(context: &Context) -> Vec<String> {
    let program = session::program().unwrap_or_default();
    let search = std::env::var_os("PATH");
    match hooks::look_after_all(context.repo(), &program, search.as_deref()) {
        Ok(said) => said,
        Err(error) => vec![format!(
            "git's hooks cannot be looked after: {}",
            chain(&error)
        )],
    }
}

fn hooks_fire(session: &Session) -> bool {
    let Ok(context) = session.context() else {
        return false;
    };
    let found = hooks::look(context.repo(), session.variable("PATH"));
    matches!(found, Ok(None))
}

/// Puts reflectt where another tool keeps what it runs.
fn into(session: &Session, manager: Manager) -> Result<(), CliError> {
    let repo = session.context()?.repo();
    let edited = hooks::install_into(repo, manager)?;
    // What is git's own stays, and goes on firing until the tool has written its hooks.
    let done = hooks::install(repo, &session::program()?)?;
    let ui = &session.ui;
    if ui.is_json() {
        let files = edited.iter().map(|edited| FileJson {
            file: edited.file.display().to_string(),
            done: word(edited.done).0,
        });
        let mut json = installed(&done);
        json.into = Some(manager.as_str());
        json.files = files.collect();
        ui.json(&json);
        return Ok(());
    }
    let top = repo.work_dir().unwrap_or(repo.git_dir());
    let mut changed = Vec::new();
    for Edited { file, done } in &edited {
        let file = file.strip_prefix(top).unwrap_or(file).display().to_string();
        ui.line(format!("{file:<24} {}", word_of_file(*done)));
        if *done != Done::Unchanged {
            changed.push(file);
        }
    }
    if !changed.is_empty() {
        ui.hint(format!("git add -- {} (then commit it)", changed.join(" ")));
    }
    ui.hint(format!(
        "{} (in each clone: writes git's hooks)",
        manager.writes_hooks()
    ));
    ui.hint("reflectt hooks status (shows whether they fire)");
    Ok(())
}

fn word_of_file(done: Done) -> &'static str {
    match done {
        Done::Made => "made",
        Done::Updated => "updated",
        Done::Unchanged => "calls reflectt already",
        _ => "calls reflectt now",
    }
}

/// Names the tool that will write git's hooks anew, where there is one and it does not call us.
fn suggest(session: &Session, repo: &Repo, done: &Installation) {
    if done.dir.placement == Placement::InWorkTree {
        return;
    }
    let top = repo.work_dir().unwrap_or(repo.git_dir());
    let Some(manager) = hooks::manager_without_us(top, &done.dir) else {
        return;
    };
    let tool = manager.as_str();
    session.ui.hint(format!(
        "reflectt hooks install --into {tool} ({tool} writes git's hooks here, and is not told to call reflectt)"
    ));
}

/// Says what was done about hooks.
pub fn print(session: &Session, done: &Installation) {
    let ui = &session.ui;
    let directory = done.dir.path.display().to_string();
    if ui.is_json() {
        ui.json(&installed(done));
        return;
    }
    if let Some(from) = &done.lent_by {
        ui.note(format!("copied {directory} from {}", from.display()));
    }
    if done.dir.placement == Placement::InWorkTree && done.hooks.is_empty() {
        if !hooks_fire(session) {
            by_hand(session, done);
        }
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

fn installed(done: &Installation) -> InstalledJson {
    let hooks = done.hooks.iter().map(|(name, done)| HookJson {
        name: name.as_str(),
        done: word(*done).0,
    });
    let manual = done.dir.placement == Placement::InWorkTree;
    InstalledJson {
        directory: done.dir.path.display().to_string(),
        placement: placement(done.dir.placement),
        hooks: hooks.collect(),
        snippet: manual.then(|| Tool::Husky.text()),
        into: None,
        files: Vec::new(),
    }
}

/// Says what to add to hooks that are somebody's files.
fn by_hand(session: &Session, done: &Installation) {
    let ui = &session.ui;
    let dir = &done.dir.path;
    ui.warn(format!(
        "no hook was changed: `core.hooksPath` is {}, in the checkout",
        dir.display()
    ));
    let husky = dir.ends_with("_") || dir.ends_with(".husky");
    if husky && !dir.exists() {
        ui.hint("npx husky (makes it; it is missing in this worktree)");
    }
    if husky {
        ui.hint("reflectt hooks install --into husky (adds reflectt to what husky runs)");
    } else {
        ui.line("Add this to your hooks:");
        let here = format!("{}/", dir.display());
        ui.block(2, &Tool::Husky.text().replace(".husky/", &here));
    }
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
    let program = session::program()?;
    let status = hooks::status(context.repo(), &program, session.variable("PATH"))?;
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
    let top = context
        .repo()
        .work_dir()
        .unwrap_or(context.repo().git_dir());
    let git_hooks = &status.layers[..HookName::ALL.len()];
    if git_hooks.iter().any(|layer| layer.state != State::Active) {
        match hooks::manager_without_us(top, &status.dir) {
            Some(manager) => ui.hint(format!(
                "reflectt hooks install --into {}",
                manager.as_str()
            )),
            None => ui.hint("reflectt hooks install"),
        }
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
            HookError::NotUnderstood { manager, .. } => Some(format!(
                "reflectt hooks snippet {} (what to add by hand)",
                manager.as_str()
            )),
            HookError::NotConfigured { .. } => {
                Some("reflectt hooks install (where no other tool writes git's hooks)".to_owned())
            }
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
