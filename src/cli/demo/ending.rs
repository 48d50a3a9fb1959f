//! The end of the demo: what must be true is checked, the board shown, the way on named.

use std::time::Duration;

use serde::Serialize;

use crate::cli::error::CliError;
use crate::cli::session::{Session, now};
use crate::cli::text::{GREEN, RED, Text};
use crate::git::Repo;
use crate::ops::{self, Context, OpsError, Proof};

use super::Keep;
use super::said::shown;
use super::stage::{Source, Stage};
use super::team::Team;
use super::witness::{Changed, Witness};

#[derive(Serialize)]
struct DemoJson<'a> {
    ok: bool,
    checks: Vec<CheckJson<'a>>,
    /// The repository that was cloned; null if one was made up.
    source: Option<String>,
    /// Where everything is to be looked at; null if it was deleted.
    directory: Option<String>,
    seconds: f64,
}

#[derive(Serialize)]
struct CheckJson<'a> {
    what: &'a str,
    claim: &'a str,
    ok: bool,
    /// What was looked at, or what is wrong.
    found: &'a str,
}

/// What there is to show when all acts are over.
pub struct End {
    proofs: Vec<Proof>,
    board: String,
}

impl End {
    /// Tells whether everything that must be true is.
    pub fn holds(&self) -> bool {
        self.proofs.iter().all(|proof| proof.found.is_ok())
    }
}

/// Checks everything that must be true, of the clone and of the user's repository.
pub fn check(team: &mut Team, witness: Option<&Witness>) -> Result<End, CliError> {
    let repo = Repo::discover(&team.stage.project()).map_err(OpsError::from)?;
    let context = Context::new(repo, None, now, fastrand::Rng::new());
    let mut proofs = ops::audit(&context, &team.answers())?;
    proofs.append(&mut team.proofs);
    if let Some(witness) = witness {
        let made = commits(team, witness)?;
        let made = made.lines().collect();
        proofs.push(untouched(&witness.changed(team.stage.root(), &made)?));
    }
    for proof in &proofs {
        let found = proof.found.as_ref().map(String::as_str);
        team.say.verdict(proof.claim, found.map_err(String::as_str));
    }
    team.say.tell("");
    let board = team.run("you", &["board"], 0)?.stdout;
    Ok(End { proofs, board })
}

/// Returns the commits that were made in the clone, one a line.
fn commits(team: &Team, witness: &Witness) -> Result<String, CliError> {
    let head = witness.repo().head().map_err(OpsError::from)?;
    let base = head
        .and_then(|head| head.commit)
        .map(|oid| format!("^{oid}"));
    let mut args = vec!["rev-list", "--all"];
    if let (Source::Clone(_), Some(base)) = (team.stage.source(), &base) {
        args.push(base);
    }
    let said = team.git_quietly("you", &args)?;
    match said.code {
        0 => Ok(said.stdout),
        _ => Err(said.unexpected(0)),
    }
}

fn untouched(changed: &Changed) -> Proof {
    let looked = "refs, checkout, status, worktrees, configuration";
    Proof {
        what: "untouched",
        claim: "your own repository is as it was",
        found: match (changed.faults.as_slice(), changed.meanwhile) {
            ([], 0) => Ok(looked.to_owned()),
            ([], moved) => Ok(format!("{looked}; others moved {moved} refs meanwhile")),
            (faults, _) => Err(format!(
                "{}; unless somebody did that just now, it is a fault of the demo",
                faults.join(", ")
            )),
        },
    }
}

/// Shows the result, the board and where to look.
pub fn close(session: &Session, stage: &Stage, end: &End, keep: Keep, took: Duration) {
    let ui = &session.ui;
    let seconds = took.as_secs_f64();
    let root = stage.root().display().to_string();
    if ui.is_json() {
        ui.json(&DemoJson {
            ok: end.holds(),
            checks: end.proofs.iter().map(json).collect(),
            source: match stage.source() {
                Source::Clone(from) => Some(from.display().to_string()),
                Source::MadeUp(_) => None,
            },
            directory: (keep == Keep::Directory).then_some(root),
            seconds: (seconds * 10.0).round() / 10.0,
        });
        return;
    }
    let quiet = ui.options().quiet;
    if !quiet {
        ui.block(4, &end.board);
        ui.line("");
    }
    let broken: Vec<&Proof> = end.proofs.iter().filter(|p| p.found.is_err()).collect();
    let all = end.proofs.len();
    if broken.is_empty() {
        let text = format!("all {all} checks hold, after {seconds:.1} s");
        ui.line(Text::new().styled(GREEN, text));
    } else {
        let text = format!("{} of {all} checks failed", broken.len());
        ui.line(Text::new().styled(RED, text));
    }
    for proof in broken {
        let why = proof.found.as_ref().err().map_or("", String::as_str);
        ui.line(format!("  {}: {why}", proof.claim));
    }
    if keep == Keep::Directory {
        let project = shown(&[stage.project().display().to_string()]);
        ui.line(format!("everything is left in {root}"));
        ui.hint(format!("cd {project} && git log --graph --oneline main"));
        ui.hint(format!("cd {project} && reflectt task list --all"));
        ui.hint(format!(
            "cd {project} && git log -p reflectt (the record, as git has it)"
        ));
        ui.hint(format!("rm -rf {} (deletes it all)", shown(&[root])));
    }
}

fn json(proof: &Proof) -> CheckJson<'_> {
    let (Ok(found) | Err(found)) = &proof.found;
    CheckJson {
        what: proof.what,
        claim: proof.claim,
        ok: proof.found.is_ok(),
        found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_broken_check_fails_the_demo() {
        let good = untouched(&Changed::default());
        let bad = untouched(&Changed {
            faults: vec!["another commit is checked out".to_owned()],
            meanwhile: 0,
        });
        let end = |proofs| End {
            proofs,
            board: String::new(),
        };
        assert!(end(vec![untouched(&Changed::default())]).holds());
        assert!(!end(vec![good, bad]).holds());
    }
}
