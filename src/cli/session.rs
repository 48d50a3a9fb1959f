//! One run of the program: what a command is given to work with.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::rc::Rc;

use crate::git::{ConfigScope, GitError, OpenOptions, Repo};
use crate::model::claim::Claim;
use crate::model::name::AgentName;
use crate::model::path::PathPattern;
use crate::model::task::Task;
use crate::ops::{self, AGENT_KEY, Aftermath, Context, Exchange, OpsError, now};

use super::args::Global;
use super::error::CliError;
use super::meter::Meter;
use super::ui::Ui;
use crate::answer;
use crate::answer::{ClaimJson, TaskJson};

/// Names the agent where no flag does.
pub const AGENT_VARIABLE: &str = "REFLECTT_AGENT";

/// The environment a run depends on, read once.
#[derive(Debug, Clone)]
pub struct Environment {
    pub directory: PathBuf,
    pub agent: Option<OsString>,
    pub git_dir: Option<PathBuf>,
    /// All variables, for hooks, to which git says much in this way.
    pub variables: BTreeMap<OsString, OsString>,
}

/// Opens the repository for one call, and is given who is told what an exchange is at.
pub type OpenerForCalls =
    dyn Fn(Box<dyn Fn(String) + Send>) -> Result<Context, CliError> + Send + Sync;

pub struct Session {
    pub ui: Rc<Ui>,
    pub global: Global,
    environment: Environment,
    context: OnceCell<Context>,
}

impl Session {
    pub fn new(ui: Ui, global: Global, environment: Environment) -> Session {
        Session {
            ui: Rc::new(ui),
            global,
            environment,
            context: OnceCell::new(),
        }
    }

    /// Returns the directory the command works in.
    pub fn directory(&self) -> PathBuf {
        match &self.global.directory {
            Some(directory) => self.environment.directory.join(directory),
            None => self.environment.directory.clone(),
        }
    }

    /// Opens the repository on first use, and shows what exchanges with a remote are at.
    pub fn context(&self) -> Result<&Context, CliError> {
        if let Some(context) = self.context.get() {
            return Ok(context);
        }
        let meter = Meter::new(self.ui.clone());
        let repo = self.open()?;
        let repo = repo.watch_transfers(move |transfer| meter.see(transfer));
        let me = self.identity(&repo)?;
        let context =
            Context::new(repo, me, now, fastrand::Rng::new()).offline(self.global.offline);
        Ok(self.context.get_or_init(|| context))
    }

    /// Returns what opens the repository again, as whoever asks here, on another thread.
    pub fn opener(
        &self,
    ) -> Result<impl FnOnce() -> Result<Context, OpsError> + Send + 'static, CliError> {
        let (options, offline) = (self.open_options(), self.global.offline);
        let me = self.context()?.identity().cloned();
        Ok(move || {
            let repo = Repo::open(options)?;
            Ok(Context::new(repo, me, now, fastrand::Rng::new()).offline(offline))
        })
    }

    /// Returns what opens the repository anew for each call, on any thread. Who asks is found out
    /// each time: somebody may join meanwhile.
    pub fn opener_for_calls(&self) -> std::sync::Arc<OpenerForCalls> {
        let options = self.open_options();
        let me = self.asker();
        let offline = self.global.offline;
        std::sync::Arc::new(move |listener: Box<dyn Fn(String) + Send>| {
            let repo = Repo::open(options.clone()).map_err(|error| answer::of(error.into()))?;
            let repo = repo.watch_transfers(move |transfer| {
                if let Some(words) = answer::of_transfer(&transfer) {
                    listener(words);
                }
            });
            let me = me(&repo)?;
            Ok(Context::new(repo, me, now, fastrand::Rng::new()).offline(offline))
        })
    }

    /// Returns the same for a door through which several agents act. One with a worktree of its
    /// own acts there.
    #[cfg(feature = "web")]
    pub fn opener_for_all(&self) -> std::sync::Arc<crate::web::Opener> {
        use crate::web::Who;

        let options = self.open_options();
        let me = self.asker();
        let offline = self.global.offline;
        std::sync::Arc::new(move |who: Who| {
            let failed = |error: GitError| answer::of(error.into());
            let mut repo = Repo::open(options.clone()).map_err(failed)?;
            let me = match who {
                Who::Nobody => None,
                Who::OfTheWorktree => me(&repo)?,
                Who::Agent(name) => {
                    if let Some(place) = ops::worktree_of(&repo, &name) {
                        let there = OpenOptions {
                            dir: place,
                            git_dir: None,
                            ..options.clone()
                        };
                        repo = Repo::open(there).map_err(failed)?;
                    }
                    Some(name)
                }
            };
            Ok(Context::new(repo, me, now, fastrand::Rng::new()).offline(offline))
        })
    }

    /// Returns what finds out who asks, on any thread.
    fn asker(
        &self,
    ) -> impl Fn(&Repo) -> Result<Option<AgentName>, CliError> + Send + Sync + 'static {
        let flag = self.global.agent.clone();
        let variable = self.environment.agent.clone();
        move |repo| identity(flag.as_ref(), variable.as_deref(), repo)
    }

    /// Opens the repository for what outlives the worktree it is started from, and is nobody's.
    pub fn context_of_daemon(&self) -> Result<&Context, CliError> {
        let repo = self.open()?.reopen_for_all_worktrees();
        let repo = repo.map_err(|error| answer::of(error.into()))?;
        let context = Context::new(repo, None, now, fastrand::Rng::new());
        Ok(self.context.get_or_init(|| context))
    }

    /// Opens the repository for a hook: there, an agent's name that is none makes whoever acts a
    /// person and not the hook fail, or a wrong name would be a way around every claim.
    pub fn context_of_hook(&self) -> Result<&Context, OpsError> {
        if let Some(context) = self.context.get() {
            return Ok(context);
        }
        let repo = Repo::open(self.open_options())?;
        let me = self.identity_or_warn(&repo);
        let context = Context::new(repo, me, now, fastrand::Rng::new());
        Ok(self.context.get_or_init(|| context))
    }

    /// Finds out who acts in `repo`; warns where that is not an agent's name.
    pub fn identity_or_warn(&self, repo: &Repo) -> Option<AgentName> {
        self.identity(repo).unwrap_or_else(|error| {
            self.ui.warn(error.message());
            None
        })
    }

    /// Returns a variable of the environment.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        let value = self.environment.variables.get(OsStr::new(name))?;
        Some(value.as_os_str()).filter(|value| !value.is_empty())
    }

    /// Returns the variables whose names start with `prefix`: the rest of each name.
    pub fn variables_of<'s>(&'s self, prefix: &'s str) -> impl Iterator<Item = &'s str> {
        let names = self.environment.variables.keys();
        names.filter_map(move |name| name.to_str()?.strip_prefix(prefix))
    }

    /// Opens the repository of the working directory, whoever asks.
    pub fn open(&self) -> Result<Repo, CliError> {
        let directory = self.directory();
        if !directory.is_dir() {
            return Err(CliError::failed(format!(
                "there is no directory `{}`",
                directory.display()
            )));
        }
        Repo::open(self.open_options()).map_err(|error: GitError| answer::of(error.into()))
    }

    fn open_options(&self) -> OpenOptions {
        OpenOptions {
            dir: self.directory(),
            // As for git itself: whoever says where to look does not mean the inherited one.
            git_dir: match self.global.directory {
                Some(_) => None,
                None => self.environment.git_dir.clone(),
            },
            config: ConfigScope::All,
            env: Vec::new(),
        }
    }

    /// Finds out who asks.
    fn identity(&self, repo: &Repo) -> Result<Option<AgentName>, CliError> {
        identity(
            self.global.agent.as_ref(),
            self.environment.agent.as_deref(),
            repo,
        )
    }

    /// Returns the name in the environment, which goes before what a worktree is bound to.
    pub fn agent_variable(&self) -> Option<String> {
        let value = self.environment.agent.as_ref()?;
        (!value.is_empty()).then(|| value.to_string_lossy().into_owned())
    }

    /// Reads a path as typed in the working directory.
    pub fn path(&self, text: &str) -> Result<PathPattern, CliError> {
        let prefix = self.context()?.repo().prefix();
        let prefix = prefix.map_err(|error| answer::of(error.into()))?;
        let path = PathPattern::parse_in(text, prefix).map_err(|error| answer::of(error.into()))?;
        self.warn_of_glob(text, prefix, &path);
        Ok(path)
    }

    /// Warns where a name with brackets, as web frameworks have them, is read as a glob.
    fn warn_of_glob(&self, text: &str, prefix: &str, path: &PathPattern) {
        if !path.is_glob() || !text.contains('[') {
            return;
        }
        let escaped = text.replace('[', "\\[");
        let named =
            PathPattern::parse_in(&escaped, prefix).is_ok_and(|named| !path.overlaps(&named));
        if named && self.directory().join(text).exists() {
            self.ui.warn(format!(
                "`{text}` is a glob and does not cover the file of that name"
            ));
            self.ui
                .hint(format!("--path '{escaped}' (names that file)"));
        }
    }

    pub fn paths(&self, texts: &[String]) -> Result<Vec<PathPattern>, CliError> {
        texts.iter().map(|text| self.path(text)).collect()
    }

    /// Tells whether a command was run by an agent, in a repository.
    pub fn acts_for_agent(&self) -> bool {
        let context = self.context.get();
        context.is_some_and(|context| context.identity().is_some())
    }

    /// Ends what the command has done: exchanges it with the remote, and says what was found on
    /// the way that somebody should know.
    pub fn finish(&self) {
        let Some(context) = self.context.get() else {
            return;
        };
        let exchange = match self.global.no_sync {
            true => Exchange::Later,
            false => Exchange::Now,
        };
        let Aftermath {
            warnings,
            removed_locks,
        } = ops::finish(context, exchange);
        for warning in warnings {
            self.ui.warn(warning);
        }
        for lock in removed_locks {
            let lock = lock.display();
            self.ui
                .warn(format!("removed `{lock}`, left behind by a killed process"));
        }
    }

    /// Tells whether the remote has not decided yet what was just done.
    pub fn is_provisional(&self) -> bool {
        self.context.get().is_some_and(Context::is_provisional)
    }

    /// Returns a task as what was just done has left it.
    pub fn task_json<'t>(&self, task: &'t Task) -> TaskJson<'t> {
        match self.context.get() {
            Some(context) => TaskJson::left_by(context, task),
            None => TaskJson::from(task),
        }
    }

    /// Says in one line what comes next for whoever has finished something.
    pub fn hint_next(&self) {
        let status = self.context.get().and_then(|ctx| ops::status(ctx).ok());
        if let Some(next) = status.as_ref().and_then(answer::what_next) {
            self.ui.hint(answer::command_line(&next));
        }
    }

    /// Prints a task as what was just done has left it: for a program, or as `words` has it.
    pub fn print_task(&self, task: &Task, words: impl FnOnce()) {
        match self.ui.is_json() {
            true => self.ui.json(&self.task_json(task)),
            false => words(),
        }
    }

    /// Returns a claim as what was just done has left it.
    pub fn claim_json(&self, claim: &Claim) -> ClaimJson {
        match self.context.get() {
            Some(context) => ClaimJson::left_by(context, claim),
            None => ClaimJson::from(claim),
        }
    }
}

/// Finds out who asks: by flag, environment, or the worktree's own configuration.
fn identity(
    flag: Option<&AgentName>,
    variable: Option<&OsStr>,
    repo: &Repo,
) -> Result<Option<AgentName>, CliError> {
    if let Some(name) = flag {
        return Ok(Some(name.clone()));
    }
    let (from, text) = match variable {
        Some(value) if !value.is_empty() => (
            format!("the variable `{AGENT_VARIABLE}`"),
            value.to_string_lossy().into_owned(),
        ),
        _ => match repo
            .worktree_config(AGENT_KEY)
            .map_err(|e| answer::of(e.into()))?
        {
            Some(name) => (format!("the worktree's `{AGENT_KEY}`"), name),
            None => return Ok(None),
        },
    };
    match text.parse() {
        Ok(name) => Ok(Some(name)),
        Err(error) => Err(CliError::usage(format!(
            "{from} does not name an agent: {error}"
        ))),
    }
}

/// Returns the path of this program, for hooks to call.
pub fn program() -> Result<String, CliError> {
    let path = std::env::current_exe().map_err(|error| {
        CliError::failed("cannot find out where this program is").caused_by(error)
    })?;
    Ok(path.to_string_lossy().into_owned())
}
