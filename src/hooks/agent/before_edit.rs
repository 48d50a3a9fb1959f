//! Judging the edits of one call, in the repository they are in.

use crate::hooks::{Asked, Outcome, conclude};
use crate::ops::Context;
use crate::ops::enforce::{acting, check_paths};

use super::edits::{Edit, path_in};

/// Judges edits in the repository their targets are in, all of them together: one that is held
/// stops the whole call.
pub fn judge(ctx: &Context, edits: &[Edit], asked: &Asked) -> Outcome {
    let mut paths: Vec<Vec<u8>> = edits
        .iter()
        .filter_map(|it| path_in(ctx.repo(), it))
        .collect();
    if paths.is_empty() {
        return Outcome::NotManaged;
    }
    paths.dedup();
    conclude(ctx, asked, check_paths(ctx, &acting(ctx), || Ok(paths)))
}
