//! `reflectt demo`

use clap::Args;

use crate::cli::demo::{self, Keep};
use crate::cli::error::CliError;
use crate::cli::session::Session;

/// Watch agents share a copy of this repository: five in one clone, then two machines.
///
/// They plan, claim, collide, commit, talk, review, land and take over from each other, as
/// separate processes in a temporary clone; a conflict and a check send work back. Then two clones with daemons share a remote, and one of them
/// is cut off and comes back. Then everything that must be true of it is checked. Your repository
/// is not changed; without one, a small one is made up. Nothing goes over the network, and nothing
/// is left running.
#[derive(Debug, Args)]
#[command(after_help = "Exits with 1 if something that must be true is not.")]
pub struct DemoArgs {
    /// Delete the temporary directory at the end, instead of leaving it to be looked at.
    #[arg(long)]
    rm: bool,
}

impl DemoArgs {
    /// Returns the exit code.
    pub fn run(&self, session: &Session) -> Result<u8, CliError> {
        let keep = match self.rm {
            true => Keep::Nothing,
            false => Keep::Directory,
        };
        demo::play(session, keep)
    }
}
