//! `reflectt check`

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::blocked::{self, Occasion};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::model::settings::EnforceMode;
use crate::ops::enforce::{Against, Finding, Verdict, Why, acting, check_commits};
use crate::ops::{Context, OpsError};
use crate::store::{StoreError, layout};

/// A build server has time; a history of a hundred thousand commits takes seconds.
const LIMIT: Duration = Duration::from_secs(300);

/// Check commits that exist: find those that change what others have claimed.
///
/// Finds what went past the hooks: `--no-verify`, rebase, cherry-pick, a clone without hooks.
/// A commit may change claimed files if its trailers carry the fence of that claim, if one built
/// upon it does, if its author's name is the holder's, or if an override is on the record.
///
/// (The repository's own checks, such as its tests, are run by `reflectt checks`.)
///
/// Exits with 3 if files of others are changed, with 7 if a commit was made under a claim that was
/// lost since, with 4 if files are changed that nobody has claimed where the team requires it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  reflectt check origin/main..HEAD
  reflectt check HEAD                        only that commit
  reflectt check --format github A..B        as annotations of a pull request")]
pub struct CheckArgs {
    /// A..B, A...B, or one commit.
    range: String,
    /// Judge by the claims table in this ref or commit [default: this clone's, or the remote's].
    #[arg(long, value_name = "REF")]
    against: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// Annotations for GitHub Actions.
    Github,
}

impl CheckArgs {
    pub fn run(&self, session: &Session) -> Result<u8, CliError> {
        let context = session.context()?;
        let verdict = self.verdict(context)?;
        let ui = &session.ui;
        for problem in &verdict.problems {
            ui.warn(problem);
        }
        let words = blocked::words(&verdict, &Occasion::Range, ui.now());
        let found = !verdict.findings.is_empty();
        if self.format == Format::Github && !ui.is_json() {
            for line in annotations(&verdict) {
                ui.line(line);
            }
        } else if found && verdict.mode == EnforceMode::Warn && !ui.is_json() {
            ui.warning(&words);
        }
        let error = verdict.blocks().then(|| words.into_error(&verdict));
        if ui.is_json() {
            let outcome = match (&error, found) {
                (Some(_), _) => "block",
                (None, true) => "warn",
                (None, false) => "allow",
            };
            ui.json(&blocked::document(outcome, &verdict, error.as_ref()));
        } else if let Some(error) = &error {
            ui.error(error);
        } else if verdict.mode == EnforceMode::Off {
            ui.line("claims are not enforced here: `enforce.mode` is `off`");
        } else if !found {
            let many = if verdict.checked == 1 { "" } else { "s" };
            let checked = verdict.checked;
            ui.line(format!(
                "{checked} commit{many} checked: no claim is in the way"
            ));
        }
        Ok(error.map_or(0, |error| error.kind().exit_code()))
    }

    fn verdict(&self, context: &Context) -> Result<Verdict, CliError> {
        let repo = context.repo();
        let unknown = |text: &str| {
            let error = CliError::usage(format!("`{text}` names no commits here"));
            match repo.is_shallow() {
                true => whole_history(error),
                false => error.hint("git fetch (if they are on the remote)"),
            }
        };
        let range = repo
            .parse_range(&self.range)
            .map_err(OpsError::from)?
            .ok_or_else(|| unknown(&self.range))?;
        let remote = repo.config("reflectt.remote");
        let remote = remote.unwrap_or_else(|| "origin".to_owned());
        let against = match &self.against {
            Some(text) => {
                let found = repo.resolve(text).map_err(OpsError::from)?;
                Against::Table(found.ok_or_else(|| unknown(text))?)
            }
            None => Against::HereOrRemote(remote.clone()),
        };
        let who = acting(context);
        check_commits(context, &who, &range, &against, LIMIT).map_err(|error| match error {
            // Not the hint to found a team: the clone of a build server lacks what it must fetch.
            OpsError::Store(StoreError::NotInitialised { .. }) | OpsError::Nothing(_) => {
                let error = CliError::failed(error.to_string());
                let fetch = |claims: &str| fetch(&remote, claims);
                match context.store().link() {
                    Some(link) => error.hint(fetch(link.claims_on_remote().as_str())),
                    None => error.hint(fetch(layout::CLAIMS)).hint(format!(
                        "{} (where claims are a branch)",
                        fetch(layout::CLAIMS_BRANCH)
                    )),
                }
            }
            error @ OpsError::Shallow(_) => whole_history(error.into()),
            other => other.into(),
        })
    }
}

/// Says how a shallow clone gets the history that a check needs.
fn whole_history(error: CliError) -> CliError {
    error
        .hint("fetch-depth: 0 (in the workflow, below `with:` of actions/checkout)")
        .hint("git fetch --unshallow (in this clone)")
}

/// Returns the command that brings record and table from a remote that has the table at `claims`.
fn fetch(remote: &str, claims: &str) -> String {
    format!(
        "git fetch {remote} '+{record}:{record}' '+{claims}:{here}'",
        record = layout::RECORD,
        here = layout::CLAIMS
    )
}

/// Returns a workflow command of GitHub for each file.
fn annotations(verdict: &Verdict) -> Vec<String> {
    let level = if verdict.mode == EnforceMode::Warn {
        "warning"
    } else {
        "error"
    };
    let of = |finding: &Finding| {
        let text = message(finding);
        let title = match &finding.commit {
            Some(commit) => format!("reflectt: commit {}", commit.oid.short()),
            None => "reflectt".to_owned(),
        };
        let title = property(&title);
        let line = |file: Option<&Vec<u8>>| {
            let file =
                file.map(|path| format!("file={},", property(&String::from_utf8_lossy(path))));
            let file = file.unwrap_or_default();
            format!("::{level} {file}title={title}::{}", data(&text))
        };
        match finding.paths.as_slice() {
            [] => vec![line(None)],
            paths => paths.iter().map(|path| line(Some(path))).collect(),
        }
    };
    verdict.findings.iter().flat_map(of).collect()
}

fn message(finding: &Finding) -> String {
    let by = |finding: &Finding| {
        let holder = finding.holder()?;
        let title = holder.title.as_deref().unwrap_or_default();
        Some(format!(
            "claimed by {} for {} ({title})",
            holder.claim.agent, holder.claim.id
        ))
    };
    match &finding.why {
        Why::Held(_) => by(finding).unwrap_or_default(),
        Why::Unclaimed => "claimed by nobody, and the team requires a claim".to_owned(),
        Why::Lost { message, .. } => message.clone(),
        Why::Outdated {
            task, now, holder, ..
        } => format!(
            "made under a claim of {task} that is over; since then it was given to {holder} under claim {now}"
        ),
    }
}

/// Escapes the text of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_cannot_be_broken_out_of() {
        assert_eq!(data("100%\r\n::error::x"), "100%25%0D%0A::error::x");
        assert_eq!(property("a:b,c\n"), "a%3Ab%2Cc%0A");
    }
}
