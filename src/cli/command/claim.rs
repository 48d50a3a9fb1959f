//! `reflectt claim`

use clap::Args;

use crate::answer::{self, ClaimedJson};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::text::Text;
use crate::cli::view;
use crate::model::id::IdPrefix;
use crate::model::name::ResourceName;
use crate::ops::{self, Branch, ClaimRequest, Claimed};

/// Claim a task, with its paths and resources, or paths without a task.
///
/// In one step or not at all: no one else can hold the task, or paths that overlap, until you
/// release it, finish it or go silent.
///
/// A path is the file or the directory, with all below, that it is in your commit; where nothing is,
/// `x.rs` is a file and `x` either. `dir/` is a directory. A glob stands for whole paths: `src/*` is
/// what lies in `src`, `src/**` all below it.
///
/// What is claimed with --share several may hold at once, if all of them share it: a changelog, to
/// which everybody appends. Setting `paths.shared` makes every claim of such files a shared one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  reflectt claim k3f9
  reflectt claim k3f9 --branch                    (on a branch of its own)
  reflectt claim k3f9 --path tests/login.rs       (widens what you hold)
  reflectt claim k3f9 --share CHANGELOG.md        (others who share it may hold it too)
  reflectt claim --path docs -m \"rename all pages\"
  reflectt claim k3f9 --take-over --reason \"link's machine is down\"")]
pub struct ClaimArgs {
    /// The task's id, or its first characters.
    id: Option<IdPrefix>,
    /// Claim this file, directory or glob too.
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,
    /// Claim this file, directory or glob too, and let others who share it hold it as well.
    #[arg(long = "share", value_name = "PATH")]
    shared: Vec<String>,
    /// Claim a share of this resource too.
    #[arg(long = "resource", value_name = "NAME")]
    resources: Vec<ResourceName>,
    /// Switch this worktree to a branch of the task's own, or to this one, made at the newest
    /// commit of the landing branch.
    #[arg(long, value_name = "NAME", num_args = 0..=1, requires = "id")]
    branch: Option<Option<String>>,
    /// Without a task: why the paths are claimed.
    #[arg(short, long, value_name = "WHY", conflicts_with = "id")]
    message: Option<String>,
    /// Take the task from its holder, who is told.
    #[arg(long, requires = "reason", requires = "id")]
    take_over: bool,
    /// Why it is taken over.
    #[arg(long, value_name = "TEXT", requires = "take_over")]
    reason: Option<String>,
}

impl ClaimArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let context = session.context()?;
        let request = ClaimRequest {
            paths: session.paths(&self.paths)?,
            shared: session.paths(&self.shared)?,
            resources: self.resources.iter().cloned().collect(),
            take_over: self.reason.clone().filter(|_| self.take_over),
            branch: work_branch(self.branch.as_ref()),
            moves: false,
        };
        let claimed = match (&self.id, &self.message) {
            (Some(id), _) => ops::claim(context, id, &request).map_err(answer::on(id))?,
            (None, Some(why)) => ops::claim_paths(context, &request, why)?,
            (None, None) => return Err(self.says_nothing()),
        };
        print(session, &claimed)
    }

    fn says_nothing(&self) -> CliError {
        let error = CliError::usage("a claim needs a task, or paths and a reason")
            .hint("reflectt claim ID")
            .hint("reflectt claim --path PATH --message WHY");
        match self.paths.first().or(self.shared.first()) {
            Some(_) => error,
            None => error.hint("reflectt next --claim --branch (takes the best task there is)"),
        }
    }
}

/// Returns what `--branch [NAME]` asks for.
pub fn work_branch(option: Option<&Option<String>>) -> Branch {
    match option {
        None => Branch::AsItIs,
        Some(None) => Branch::OfTask,
        Some(Some(name)) => Branch::Named(name.clone()),
    }
}

fn print(session: &Session, claimed: &Claimed) -> Result<(), CliError> {
    let claim = &claimed.claim;
    let ui = &session.ui;
    if ui.is_json() {
        ui.json(&ClaimedJson {
            claim: session.claim_json(claim),
        });
        return Ok(());
    }
    if session.is_provisional() {
        ui.warn("this claim is provisional: the remote has not confirmed it, and may give it to somebody else");
    }
    if !claimed.new {
        ui.note("you hold it already");
    }
    match &claimed.task {
        Some(task) => {
            view::task(ui, task, &[], view::Standing::of(session.is_provisional()));
            view::hint_submit(ui, task);
        }
        None => {
            let why = claim.why.as_deref().unwrap_or_default();
            ui.line(Text::new().bold(claim.id.as_str()).plain("  ").plain(why));
            for path in view::paths(&claim.paths, &claim.shared) {
                ui.line(format!("  {path}"));
            }
            for resource in &claim.resources {
                ui.line(format!("  {resource} (resource)"));
            }
            ui.hint(format!("reflectt release {}", claim.id));
        }
    }
    Ok(())
}
