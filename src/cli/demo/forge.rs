//! Two machines and the remote between them, all below one directory.
//!
//! The laptop reaches the remote through a link of its own, which can be taken away: then the
//! remote is gone for the laptop and for nobody else.

use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::cli::error::CliError;
use crate::store::layout;

use super::stage::{BASE, Stage};

/// What the machines clone: the same directory, reached in two ways.
pub const BY_CABLE: &str = "net/forge.git";
pub const BY_RADIO: &str = "wifi/forge.git";

const NET: &str = "net";
pub const WIFI: &str = "wifi";

/// The clones, which are named like the machines that have them.
pub const DESK: &str = "desk";
pub const LAPTOP: &str = "laptop";

impl Stage {
    /// Makes the remote: a bare repository with what the clone started from.
    pub fn build_forge(&self) -> Result<(), CliError> {
        let net = self.root().join(NET);
        std::fs::create_dir(&net).map_err(|error| cannot("make", &net, error))?;
        let clone = [
            "clone",
            "--quiet",
            "--bare",
            "--shared",
            "--single-branch",
            "--no-tags",
            "--branch",
            BASE,
            // Tidying up would go on when the demo is over.
            "--config",
            "receive.autogc=false",
            "project",
            BY_CABLE,
        ];
        self.quietly(self.root(), &clone, "make a remote")?;
        self.without_refs_of_others(BY_CABLE)?;
        self.reconnect()
    }

    /// Has git not look at the refs of the repositories whose objects are shared.
    ///
    /// It would with each fetch and push, to find out what need not be sent. The user's repository
    /// is one of them, and may have very many.
    pub fn without_refs_of_others(&self, repo: &str) -> Result<(), CliError> {
        let none = ["config", "core.alternateRefsPrefixes", "refs/none"];
        self.quietly(&self.root().join(repo), &none, "configure a clone")?;
        Ok(())
    }

    /// Takes the laptop's way to the remote away.
    pub fn cut_off(&self) -> Result<(), CliError> {
        let link = self.root().join(WIFI);
        std::fs::remove_file(&link).map_err(|error| cannot("remove", &link, error))
    }

    pub fn reconnect(&self) -> Result<(), CliError> {
        let link = self.root().join(WIFI);
        symlink(NET, &link).map_err(|error| cannot("make", &link, error))
    }

    /// Returns where record and table stand in a repository below the root: a line for each.
    pub fn tips(&self, repo: &str) -> Result<String, CliError> {
        let args = [
            "for-each-ref",
            "--format=%(objectname)",
            layout::RECORD,
            layout::CLAIMS,
        ];
        self.quietly(&self.root().join(repo), &args, "list refs")
    }

    fn quietly(&self, dir: &Path, args: &[&str], what: &str) -> Result<String, CliError> {
        let said = self.git(None, dir, args)?;
        match said.code {
            Some(0) => Ok(String::from_utf8_lossy(&said.stdout).into_owned()),
            _ => Err(CliError::failed(format!("cannot {what}")).caused_by(said.into_failure())),
        }
    }
}

fn cannot(what: &str, path: &Path, error: io::Error) -> CliError {
    CliError::failed(format!("cannot {what} `{}`", path.display())).caused_by(error)
}
