//! `reflectt setup`

use std::path::Path;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::answer;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::text::{CYAN, DIM, GREEN, Text, YELLOW};
use crate::git::Repo;
use crate::model::advice::Call;
use crate::model::harness::Harness;
use crate::setup::{
    self, Home, Place, Plan, Purpose, SetupError, SetupJson, State, Strictness, is_program,
};

/// Wire this repository into the harnesses that its agents run in.
///
/// Puts hooks, the MCP server and instructions into the files that Claude Code, Codex CLI, Gemini
/// CLI, Copilot CLI, Cursor and OpenCode read from the repository: into what is there, byte for
/// byte as it was around it. Without a name, for the harnesses whose files are in the repository or
/// whose programs are on the PATH. Repeating it is harmless, and brings up to date what an older
/// version wrote. --remove takes out what is ours and nothing else.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  reflectt setup                      for the harnesses found here
  reflectt setup claude codex
  reflectt setup --check              exits with 4 if anything is missing or out of date
  reflectt setup claude --user        in your own files instead, for all repositories")]
pub struct SetupArgs {
    /// [default: those found].
    #[arg(value_name = "HARNESS", value_parser = harness())]
    harnesses: Vec<Harness>,
    /// Show what would change in each file, and change nothing.
    #[arg(long, conflicts_with = "check")]
    dry_run: bool,
    /// Say what is missing or out of date, and exit with 4 if anything is.
    #[arg(long, conflicts_with = "remove")]
    check: bool,
    /// Take out what is ours [default: of all harnesses].
    #[arg(long)]
    remove: bool,
    /// Work in your own files instead of the repository's, without instructions.
    #[arg(long)]
    user: bool,
    /// Have Claude Code and Cursor refuse every edit where reflectt is missing or fails. This stays
    /// until --remove.
    #[arg(long, conflicts_with = "remove")]
    strict: bool,
}

fn harness() -> impl TypedValueParser<Value = Harness> {
    let names = PossibleValuesParser::new(Harness::ALL.map(Harness::as_str));
    names.try_map(|name| name.parse::<Harness>())
}

/// What a run works on.
struct Run<'s> {
    session: &'s Session,
    repo: Option<Repo>,
    harnesses: Vec<Harness>,
    purpose: Purpose,
    plan: Plan,
}

impl SetupArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let repo = match (session.open(), self.user) {
            (Ok(repo), _) => Some(repo),
            (Err(_), true) => None,
            (Err(error), false) => return Err(error),
        };
        let place = self.place(session, repo.as_ref())?;
        let harnesses = self.harnesses(session, &place)?;
        let purpose = match (self.check, self.remove) {
            (true, _) => Purpose::Check,
            (_, true) => Purpose::Remove,
            _ => Purpose::Install,
        };
        let strictness = match self.strict {
            true => Strictness::Strict,
            false => Strictness::AsItIs,
        };
        let plan = match purpose {
            Purpose::Remove => setup::remove(&place, &harnesses),
            _ => setup::install(&place, &harnesses, strictness),
        };
        let run = Run {
            session,
            repo,
            harnesses,
            purpose,
            plan: plan.map_err(fault)?,
        };
        match (self.dry_run, purpose) {
            (true, _) => run.show_difference(),
            (_, Purpose::Check) => run.check(),
            _ => run.write(),
        }
    }

    fn place(&self, session: &Session, repo: Option<&Repo>) -> Result<Place, CliError> {
        if self.user {
            let home = Home::find(|name| session.variable(name).map(Into::into));
            let home = home.ok_or_else(|| {
                CliError::failed(
                    "the variable `HOME` is not set, so your own files cannot be found",
                )
            })?;
            return Ok(Place::User(home));
        }
        let top = repo.and_then(Repo::work_dir).ok_or_else(|| {
            CliError::failed("this repository has no working tree to put files into")
                .hint("git worktree add ../work (then run it there)")
        })?;
        Ok(Place::Tree(top.to_owned()))
    }

    fn harnesses(&self, session: &Session, place: &Place) -> Result<Vec<Harness>, CliError> {
        if !self.harnesses.is_empty() {
            let named = |harness: &Harness| self.harnesses.contains(harness);
            return Ok(Harness::ALL.into_iter().filter(named).collect());
        }
        if self.remove {
            return Ok(Harness::ALL.to_vec());
        }
        let found = found(session, place);
        match found.is_empty() {
            false => Ok(found),
            true => {
                let names = Harness::ALL.map(Harness::as_str);
                let none = CliError::nothing(format!(
                    "no harness leaves a trace here; name those your team uses: {}",
                    names.join(", ")
                ));
                Err(none.hint(Call::to("setup").on("harness", names[0])))
            }
        }
    }
}

/// Returns the harnesses with files in the repository, or a program on the PATH.
pub fn found(session: &Session, place: &Place) -> Vec<Harness> {
    let search = session.variable("PATH");
    let top = place.is_tree().then(|| place.base());
    setup::traces(top, |name| is_program(search, name))
}

impl Run<'_> {
    fn json(&self, commit: Vec<String>) -> SetupJson {
        let todo = match self.purpose {
            Purpose::Remove => Vec::new(),
            _ => self.todo(),
        };
        SetupJson {
            harnesses: self.plan.report(&self.harnesses, self.purpose),
            commit,
            todo,
        }
    }

    fn todo(&self) -> Vec<String> {
        let is_there = is_program(self.session.variable("PATH"), "reflectt");
        let linked = |repo: &&Repo| repo.git_dir() != repo.common_dir();
        let repo = self.repo.as_ref().filter(linked);
        let main = repo.and_then(|repo| repo.worktrees().ok()?.into_iter().next());
        let main = main.as_ref().map(|main| main.path.as_path());
        setup::todo(&self.plan.place, &self.harnesses, main, is_there)
    }

    fn show_difference(&self) -> Result<(), CliError> {
        let ui = &self.session.ui;
        let mut json = self.json(Vec::new());
        let mut text = String::new();
        for draft in self.plan.files.iter().filter(|draft| draft.is_changed()) {
            let diff = setup::diff(draft).map_err(fault)?;
            text.push_str(&diff);
            let files = json
                .harnesses
                .iter_mut()
                .flat_map(|harness| &mut harness.files);
            for file in files.filter(|file| file.path == draft.shown) {
                file.diff = Some(diff.clone());
            }
        }
        if ui.is_json() {
            ui.json(&json);
        } else if self.plan.is_done() {
            ui.note("nothing would change");
        } else {
            ui.data(&text);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), CliError> {
        let json = self.json(Vec::new());
        let ui = &self.session.ui;
        if self.plan.is_done() {
            match ui.is_json() {
                true => ui.json(&json),
                false => ui.line(format!("{} set up and up to date", titles(&self.harnesses))),
            }
            return Ok(());
        }
        self.list();
        let wrong = self.plan.files.iter().filter(|draft| draft.is_changed());
        let wrong: Vec<String> = wrong.map(|draft| format!("`{}`", draft.shown)).collect();
        let names = self
            .harnesses
            .iter()
            .fold(Call::to("setup"), |call, harness| {
                call.on("harness", harness)
            });
        let names = match self.plan.place.is_tree() {
            true => names,
            false => names.flag("user"),
        };
        let message = format!("missing or out of date: {}", wrong.join(", "));
        let told = serde_json::to_value(&json.harnesses).unwrap_or_default();
        Err(CliError::refused("setup", message)
            .hint(names)
            .told("harnesses", told)
            .told("todo", json.todo))
    }

    fn write(&self) -> Result<(), CliError> {
        let ui = &self.session.ui;
        setup::write(&self.plan).map_err(fault)?;
        let commit = match &self.repo {
            Some(repo) => self.plan.to_commit(repo).map_err(fault)?,
            None => Vec::new(),
        };
        let json = self.json(commit);
        if ui.is_json() {
            ui.json(&json);
            return Ok(());
        }
        match (self.plan.files.is_empty(), self.purpose) {
            (true, Purpose::Remove) => ui.line("nothing of reflectt's is here to take out"),
            _ => self.list(),
        }
        for sentence in &json.todo {
            ui.line(
                Text::new()
                    .styled(YELLOW, "for you: ")
                    .plain(sentence.as_str()),
            );
        }
        if !json.commit.is_empty() {
            let subject = match self.purpose {
                Purpose::Remove => "agents: take reflectt out",
                _ => "agents: work through reflectt",
            };
            let files: Vec<String> = json.commit.iter().map(|file| quoted(file)).collect();
            let files = files.join(" ");
            ui.hint(format!("git add {files} && git commit -m \"{subject}\""));
        }
        Ok(())
    }

    /// Names each file, and what was done to it.
    fn list(&self) {
        let ui = &self.session.ui;
        let states = |draft: &setup::Draft| State::of(draft, self.purpose);
        let width = self.plan.files.iter().map(|draft| draft.shown.len()).max();
        let width = width.unwrap_or_default();
        for draft in &self.plan.files {
            let state = states(draft);
            let style = match state {
                State::Unchanged => DIM,
                State::Missing | State::Outdated => YELLOW,
                _ => GREEN,
            };
            let done = &draft.done;
            let what: Vec<&str> = done
                .added
                .iter()
                .chain(&done.updated)
                .map(String::as_str)
                .collect();
            let whose = titles(&draft.harnesses);
            let line = Text::new()
                .styled(style, format!("{:<10}", state.as_str()))
                .styled(CYAN, format!("{:<width$}", draft.shown))
                .plain(format!("  {}", what.join(", ")))
                .dim(format!("  ({whose})"));
            ui.line(line);
            for note in &done.notes {
                ui.line(Text::new().dim(format!("{:<10}{note}", "")));
            }
        }
    }
}

fn titles(harnesses: &[Harness]) -> String {
    let titles: Vec<&str> = harnesses.iter().map(|harness| harness.title()).collect();
    titles.join(", ")
}

/// Returns a path as a shell reads it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_-".contains(c);
    match path.chars().all(plain) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// Words why nothing was set up, with what to do about it.
fn fault(error: SetupError) -> CliError {
    let refused = |error: SetupError, hint: String| {
        CliError::refused("setup_file", error.to_string()).hint(hint)
    };
    match &error {
        SetupError::Misfit { path, .. } => {
            let hint = format!("mend `{path}` by hand, then run it again (nothing was changed)");
            refused(error, hint)
        }
        SetupError::NotText { path } => {
            let hint = format!("turn `{path}` into UTF-8, then run it again (nothing was changed)");
            refused(error, hint)
        }
        SetupError::NotOurs { path } => {
            let hint = format!("give `{path}` another name, then run it again");
            refused(error, hint)
        }
        SetupError::LeadsOut { path, .. } => {
            let hint = format!(
                "reflectt setup --user (sets up your own files), or make `{path}` a file of the repository"
            );
            refused(error, hint)
        }
        SetupError::OtherWorktree { .. } => refused(
            error,
            "run it in the working tree that the file is in".to_owned(),
        ),
        SetupError::Dangling { path, .. } => {
            let hint = format!("make what `{path}` points to, or take the link away");
            refused(error, hint)
        }
        SetupError::ReadOnly { path } => {
            let hint = format!("chmod u+w {} (nothing was changed)", quoted(path));
            refused(error, hint)
        }
        SetupError::Changed { .. } => {
            refused(error, "run it again (nothing was changed)".to_owned())
        }
        SetupError::Write { path, .. } => {
            let dir = Path::new(path).parent();
            let dir = dir.filter(|dir| !dir.as_os_str().is_empty());
            let dir = dir.unwrap_or(Path::new(".")).display();
            let hint = format!("ls -ld {dir} (shows who may write there)");
            CliError::from(anyhow::Error::new(error)).hint(hint)
        }
        SetupError::Git(_) => match error {
            SetupError::Git(error) => answer::of(error.into()),
            other => CliError::from(anyhow::Error::new(other)),
        },
        SetupError::Read { .. } | SetupError::Compare(_) => {
            CliError::from(anyhow::Error::new(error))
        }
    }
}
