//! The hooks of a commit: `pre-commit`, `pre-merge-commit` and `commit-msg`.

use std::path::PathBuf;

use crate::git::{Oid, Staging};
use crate::ops::enforce::{Verdict, Why, acting, check_paths};
use crate::ops::{Context, OpsError};
use crate::store::layout;

use super::{Asked, Outcome, conclude, is_managed, unknown_here};

/// What git says about the commit in the environment of a hook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitEnv {
    /// `GIT_INDEX_FILE`, absolute.
    pub index: Option<PathBuf>,
    /// The commits named by `GITHEAD_…`: `git merge` has written no `MERGE_HEAD` yet when it runs
    /// `pre-merge-commit`.
    pub merging: Vec<Oid>,
}

/// Judges the commit that is about to be made.
pub fn check_commit(ctx: &Context, env: &CommitEnv, asked: &Asked) -> Outcome {
    match is_managed(ctx).and_then(|managed| Ok(managed && !is_on_record(ctx)?)) {
        Ok(true) => {}
        Ok(false) => return Outcome::NotManaged,
        Err(error) => return unknown_here(ctx, error),
    }
    conclude(ctx, asked, judge(ctx, env, asked))
}

/// Tells whether this is a commit on the record itself, whose files are no project's.
fn is_on_record(ctx: &Context) -> Result<bool, OpsError> {
    let branch = ctx.repo().head()?.and_then(|head| head.branch);
    Ok(branch.is_some_and(|branch| layout::is_own_ref(&format!("refs/heads/{branch}"))))
}

fn judge(ctx: &Context, env: &CommitEnv, asked: &Asked) -> Result<Verdict, OpsError> {
    let repo = ctx.repo();
    let mut merging = env.merging.clone();
    for head in repo.merge_heads() {
        if !merging.contains(&head) {
            merging.push(head);
        }
    }
    let staging = Staging {
        index: env.index.clone(),
        merging,
        time_limit: asked.process_limit(),
    };
    let staged = repo.start_staged_paths(&staging)?;
    let mut verdict = check_paths(ctx, &acting(ctx), || Ok(staged.finish()?))?;
    if !staging.merging.is_empty() {
        keep_edits(ctx, &staging, &mut verdict)?;
    }
    Ok(verdict)
}

/// Drops what a merge changed without anybody's hand.
fn keep_edits(ctx: &Context, staging: &Staging, verdict: &mut Verdict) -> Result<(), OpsError> {
    let named: Vec<Vec<u8>> = verdict
        .findings
        .iter()
        .flat_map(|finding| finding.paths.iter().cloned())
        .collect();
    if named.is_empty() {
        return Ok(());
    }
    let by_hand = ctx.repo().staged_by_hand(staging, named)?;
    for finding in &mut verdict.findings {
        finding.paths.retain(|path| by_hand.contains(path));
    }
    verdict
        .findings
        .retain(|finding| !finding.paths.is_empty() || matches!(finding.why, Why::Lost { .. }));
    Ok(())
}
