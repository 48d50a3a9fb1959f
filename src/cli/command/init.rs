//! `reflectt init`

use clap::Args;

use crate::answer::InitJson;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::ops::{self, Sharing};

use super::hooks::for_team;

/// Start a team in this repository.
///
/// Makes the branch `reflectt`, which holds tasks, messages and settings. Your checkout, index
/// and other branches are not touched. Git's hooks are installed beside those that are there; see
/// `reflectt hooks`. Repeating it is harmless.
///
/// Where there is a remote, the team is shared through it: the branch is pushed, and if the remote
/// has a team already, this clone takes part in it. With --no-sync nothing leaves this clone.
#[derive(Debug, Args)]
pub struct Init {
    /// The remote to share the team through [default: origin, if there is one].
    #[arg(long, value_name = "NAME")]
    remote: Option<String>,
    /// Leave git's hooks alone.
    #[arg(long)]
    no_hooks: bool,
}

impl Init {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let sharing = match session.global.no_sync {
            true => Sharing::Here,
            false => Sharing::Remote(self.remote.as_deref()),
        };
        let done = ops::init(session.context()?, sharing)?;
        for note in &done.notes {
            session.ui.warn(note.as_str());
        }
        let hooks = for_team(session, self.no_hooks);
        if session.ui.is_json() {
            session.ui.json(&InitJson {
                initialised: done.new,
                branch: done.branch,
                remote: done.remote,
                hooks,
            });
            return Ok(());
        }
        let ui = &session.ui;
        let record = session.context()?.repo().common_dir();
        if done.new {
            ui.line(format!(
                "started a team: tasks, messages and settings live on the branch `{}`",
                done.branch
            ));
            ui.line(format!("  in {}", record.display()));
            if let Some(remote) = &done.remote {
                ui.line(format!(
                    "  shared with other clones through the remote `{remote}`"
                ));
            }
            ui.line("  your checkout, index and other branches are as they were");
            if hooks == "installed" {
                ui.line("  git's hooks stop commits of files that others have claimed");
            }
        } else if let (Some(remote), true) = (&done.remote, done.found) {
            ui.line(format!(
                "this clone takes part in the team on `{remote}`, on the branch `{}`",
                done.branch
            ));
        } else {
            ui.line(format!(
                "nothing to do: the branch `{}` in {} is a team's record already",
                done.branch,
                record.display()
            ));
        }
        ui.hint("reflectt join NAME (puts you on the team; in every worktree with its own name)");
        if done.new {
            ui.hint("reflectt task new TITLE --criterion TEXT (adds work)");
            ui.hint("reflectt setup (hooks, tools and instructions for coding agents)");
        }
        Ok(())
    }
}
