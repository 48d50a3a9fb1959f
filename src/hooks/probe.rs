//! Having git run a hook, to see that it reaches us.
//!
//! What is in files may be right, and yet nothing fires: a disk on which nothing may be run, a
//! program that does not start, a variable that switches a tool off. So git is asked to run the
//! hook, which answers to a probe and stops everything behind it. Only where nothing stands before
//! us: a team's own checks take their time, and some change files.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::git::{GitVersion, Repo};

use super::manager::{Manager, husky_dir};
use super::status::Layer;
use super::{HookDir, block};

/// Set while a hook is probed.
pub const VARIABLE: &str = "REFLECTT_PROBE";
/// What a hook says that is reached by a probe.
pub const ANSWER: &str = "reflectt: the hook fires";
/// The first that has `git hook run`.
const SINCE: GitVersion = GitVersion {
    major: 2,
    minor: 36,
    patch: 0,
};
const LIMIT: Duration = Duration::from_secs(10);

/// Tells whether a probe of a hook runs nothing but us: of others' lines there are only those with
/// which husky hands over.
pub(super) fn is_safe(repo: &Repo, dir: &HookDir, layer: &Layer, program: &Path) -> bool {
    let Some(file) = &layer.file else {
        return false;
    };
    let script = dir.path.join(layer.name);
    let by_husky = || {
        let top = repo.work_dir().unwrap_or(repo.git_dir());
        let hands_over = Manager::Husky.is_run_by(&fs::read(&script).unwrap_or_default());
        hands_over && file.parent() == Some(&*husky_dir(top, &dir.path))
    };
    (*file == script || by_husky()) && is_ours_first(file, program)
}

fn is_ours_first(file: &Path, this: &Path) -> bool {
    let text = fs::read(file).unwrap_or_default();
    let Ok(Some(found)) = block::find(&text) else {
        return false;
    };
    // Another version may not know the probe, and let what is behind it run.
    found.comes_first() && found.program().is_none_or(|program| program == this)
}

/// Has git run a hook, and returns why it does not reach us, if it does not.
pub(super) fn fires(repo: &Repo, name: &str) -> Result<(), String> {
    if repo.runner().version().is_ok_and(|version| version < SINCE) {
        return Ok(());
    }
    let run = repo.git(["hook", "run", "--ignore-missing", name]);
    match run.env(VARIABLE, "1").time_limit(LIMIT).run() {
        Ok(output) if output.stderr.contains(ANSWER) => Ok(()),
        Ok(output) => {
            let said = output.stderr.lines().last().unwrap_or("nothing is said");
            Err(format!(
                "git runs it, and it does not reach reflectt: {said}"
            ))
        }
        Err(error) => Err(crate::ops::chain(&error)),
    }
}
