//! An answer with all that comes with it, for doors that give one document for each call.

use serde::Serialize;

use crate::ops::{Aftermath, Context, Exchange, OpsError, finish};

use super::{Fault, of};

/// What a call came to: `answer`, or `error` in its place.
#[derive(Debug, Serialize)]
pub struct Envelope<T> {
    /// Who asked, if that is known.
    pub agent: Option<String>,
    #[serde(flatten)]
    pub outcome: Outcome<T>,
    /// What somebody should know beside it, a sentence each.
    pub warnings: Vec<String>,
    /// Lock files of killed processes that were cleared away.
    pub removed_locks: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome<T> {
    Answer(T),
    Error(Fault),
}

impl<T> Envelope<T> {
    /// Ends a call: exchanges what was done, and puts everything together.
    pub fn of(ctx: &Context, result: Result<T, OpsError>, exchange: Exchange) -> Envelope<T> {
        let Aftermath {
            warnings,
            removed_locks,
        } = finish(ctx, exchange);
        let locks = removed_locks.iter();
        Envelope {
            agent: ctx.identity().map(ToString::to_string),
            outcome: match result {
                Ok(answer) => Outcome::Answer(answer),
                Err(error) => Outcome::Error(of(error)),
            },
            warnings,
            removed_locks: locks.map(|path| path.display().to_string()).collect(),
        }
    }
}
