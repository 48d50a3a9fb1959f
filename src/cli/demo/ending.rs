//! The end of the demo: what must be true is checked, the board shown, the way on named.

use std::time::Duration;

use serde::Serialize;

use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::text::{GREEN, RED, Text};
use crate::git::Repo;
use crate::ops::now;
use crate::ops::{self, Context, OpsError, Proof};

use super::Keep;
use super::forge::BY_CABLE;
use super::narration::Narrator;
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
    /// Whose data was looked at: `worktrees` or `machines`; null if it is no team's.
    team: Option<&'a str>,
    claim: &'a str,
    ok: bool,
    /// What was looked at, or what is wrong.
    found: &'a str,
}

/// What there is to show when all acts are over.
pub struct End {
    checks: Vec<Check>,
    board: String,
}

/// Something that must be true, and of which team.
struct Check {
    team: Option<&'static str>,
    proof: Proof,
}

impl End {
    /// Tells whether everything that must be true is.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(Check::holds)
    }
}

impl Check {
    fn holds(&self) -> bool {
        self.proof.found.is_ok()
    }
}

/// Checks everything that must be true, of each team and of the user's repository.
pub fn check(teams: &mut [Team], witness: Option<&Witness>) -> Result<End, CliError> {
    let mut checks = Vec::new();
    for team in &mut *teams {
        let repo = Repo::discover(&team.setting.clone).map_err(OpsError::from)?;
        let context = Context::new(repo, None, now, fastrand::Rng::new());
        let mut proofs = ops::audit(&context, &team.answers())?;
        proofs.append(&mut team.proofs);
        team.say.tell(&format!("  {}:", team.setting.title));
        for proof in proofs {
            verdict(team.say, &proof);
            checks.push(Check {
                team: Some(team.setting.name),
                proof,
            });
        }
    }
    let Some(first) = teams.first() else {
        return Err(CliError::failed("nobody has played"));
    };
    if let Some(witness) = witness {
        let mut made = String::new();
        for team in &*teams {
            made.push_str(&commits(team, witness)?);
        }
        let made = made.lines().collect();
        let proof = untouched(&witness.changed(first.stage.root(), &made)?);
        first.say.tell("  You:");
        verdict(first.say, &proof);
        checks.push(Check { team: None, proof });
    }
    first.say.tell("");
    let board = first.run("you", &["board"], 0)?.stdout;
    Ok(End { checks, board })
}

fn verdict(say: &Narrator, proof: &Proof) {
    let found = proof.found.as_ref().map(String::as_str);
    say.verdict(proof.claim, found.map_err(String::as_str));
}

/// Returns the commits that were made in the clone of a team, one a line.
fn commits(team: &Team, witness: &Witness) -> Result<String, CliError> {
    let head = witness.repo().head().map_err(OpsError::from)?;
    let base = head
        .and_then(|head| head.commit)
        .map(|oid| format!("^{oid}"));
    let mut args = vec!["rev-list", "--all"];
    if let (Source::Clone(_), Some(base)) = (team.stage.source(), &base) {
        args.push(base);
    }
    let said = team.stage.git(None, &team.setting.clone, &args)?;
    match said.code {
        Some(0) => Ok(String::from_utf8_lossy(&said.stdout).into_owned()),
        _ => Err(CliError::failed("cannot list commits").caused_by(said.into_failure())),
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
            checks: end.checks.iter().map(json).collect(),
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
    let broken: Vec<&Check> = end.checks.iter().filter(|it| !it.holds()).collect();
    let all = end.checks.len();
    if broken.is_empty() {
        let text = format!("all {all} checks hold, after {seconds:.1} s");
        ui.line(Text::new().styled(GREEN, text));
    } else {
        let text = format!("{} of {all} checks failed", broken.len());
        ui.line(Text::new().styled(RED, text));
    }
    for Check { proof, .. } in broken {
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
        let forge = shown(&[stage.root().join(BY_CABLE).display().to_string()]);
        ui.hint(format!(
            "git -C {forge} log --oneline reflectt (what the two machines share)"
        ));
        ui.hint(format!("rm -rf {} (deletes it all)", shown(&[root])));
    }
}

fn json(check: &Check) -> CheckJson<'_> {
    let (Ok(found) | Err(found)) = &check.proof.found;
    CheckJson {
        what: check.proof.what,
        team: check.team,
        claim: check.proof.claim,
        ok: check.holds(),
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
        let end = |proofs: Vec<Proof>| End {
            checks: (proofs.into_iter())
                .map(|proof| Check { team: None, proof })
                .collect(),
            board: String::new(),
        };
        assert!(end(vec![untouched(&Changed::default())]).holds());
        assert!(!end(vec![good, bad]).holds());
    }
}
