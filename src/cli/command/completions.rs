//! `reflectt completions`

use clap::Args;
use clap_complete::Shell;
use serde::Serialize;

use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::session::Session;

/// Print a script that completes commands, flags, ids and names in your shell.
///
/// It completes `git reflectt` too. The script calls `reflectt` by its name, which must be on the
/// PATH.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # bash: git asks for its part in a file of its own
  d=~/.local/share/bash-completion/completions; mkdir -p $d
  reflectt completions bash | tee $d/reflectt > $d/git-reflectt
  # zsh: in ~/.zshrc, after compinit
  source <(reflectt completions zsh)
  # fish
  d=~/.config/fish/completions
  reflectt completions fish | tee $d/reflectt.fish > $d/git-reflectt.fish")]
pub struct CompletionsArgs {
    shell: Shell,
}

#[derive(Serialize)]
struct ScriptJson {
    shell: String,
    script: String,
}

impl CompletionsArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let shell = self.shell.to_string();
        let script = complete::script(&shell)
            .ok_or_else(|| CliError::failed(format!("nothing is known of the shell `{shell}`")))?;
        if session.ui.is_json() {
            session.ui.json(&ScriptJson { shell, script });
        } else {
            session.ui.data(&script);
        }
        Ok(())
    }
}
