//! `pre-push`: the last look before commits leave this clone.

use crate::git::{CommitRange, Oid};
use crate::ops::Context;
use crate::ops::enforce::{Against, acting, check_commits};
use crate::store::layout;

use super::{Asked, Outcome, conclude, is_managed, unknown_here};

/// What git tells `pre-push`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushEnv {
    /// The remote's name, or its address if it has none.
    pub remote: String,
    /// A line for each ref: local ref, local object, remote ref, remote object.
    pub lines: String,
}

/// Judges the commits that a push would bring to the remote.
pub fn check_push(ctx: &Context, env: &PushEnv, asked: &Asked) -> Outcome {
    match is_managed(ctx) {
        Ok(true) => {}
        Ok(false) => return Outcome::NotManaged,
        Err(error) => return unknown_here(ctx, error),
    }
    let range = range(ctx, env);
    // A push of reflectt's own refs: nothing is looked up for it.
    if range.include.is_empty() {
        return Outcome::NotManaged;
    }
    let limit = asked.process_limit();
    let verdict = check_commits(ctx, &acting(ctx), &range, &Against::Here, limit);
    conclude(ctx, asked, verdict)
}

/// Returns the commits that are new to the remote, as far as this clone knows it.
fn range(ctx: &Context, env: &PushEnv) -> CommitRange {
    let mut range = CommitRange {
        not_on_remote: Some(env.remote.clone()),
        ..CommitRange::default()
    };
    for line in env.lines.lines() {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let (local, local_oid, remote, remote_oid) = (word(), word(), word(), word());
        if layout::is_own_ref(local) || layout::is_own_ref(remote) {
            continue;
        }
        // Zeros, which are no name of an object, stand for a ref that is not or will not be.
        let Ok(new) = Oid::parse(local_oid) else {
            continue;
        };
        range.include.push(new);
        if let Ok(old) = Oid::parse(remote_oid)
            && ctx.repo().exists(old)
        {
            range.exclude.push(old);
        }
    }
    range
}
