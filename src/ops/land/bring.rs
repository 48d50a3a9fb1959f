//! Moving the landing branch to what was made and checked.

use crate::git::{Advance, Advanced, Oid, RefName};
use crate::model::rule::Refusal;
use crate::model::settings::Via;
use crate::ops::landing::{self, Landing};
use crate::ops::{OpsError, sync};
use crate::store::{Link, Snapshot};

use super::Lands;
use super::lane::Lane;
use super::report::Offer;

/// Where what was made is put for others to merge.
const OFFERS: &str = "reflectt-land";

/// What became of the branch.
pub enum Brought {
    Moved,
    /// Somebody else has moved it, or an approval is not what it was: all is to be made anew.
    Again,
    /// Others merge it.
    Offered(Offer),
    /// There was nothing to bring.
    Nothing,
}

impl Lane<'_> {
    /// Moves the landing branch from the tip that was expected to what passed on it.
    ///
    /// # Errors
    ///
    /// Refused by rule `dirty` where the branch is checked out and what is changed there would be
    /// overwritten.
    pub fn bring(
        &mut self,
        snapshot: &Snapshot,
        landing: &Landing,
        to: Oid,
        landed: &[Lands],
    ) -> Result<Brought, OpsError> {
        let Some(from) = landing.tip else {
            return Ok(Brought::Nothing);
        };
        if !self.intend(to, landed)? {
            return Ok(Brought::Again);
        }
        if from == to {
            return Ok(Brought::Moved);
        }
        let branch = RefName::new(format!("refs/heads/{}", landing.branch))?;
        let advance = Advance { branch, from, to };
        let Some(link) = self.ctx.store().link() else {
            return here(self.ctx.repo().advance(&advance)?, landing);
        };
        if snapshot.settings()?.land.via == Via::Branch {
            return self.offer(&link, to, Vec::new());
        }
        let limit = sync::time_limit(self.ctx);
        let done = self
            .ctx
            .repo()
            .remote(&link.name, limit)
            .advance(&advance)?;
        match done {
            Advanced::Moved => {
                landing::note_tip(self.ctx, &link, &landing.branch, to)?;
                Ok(Brought::Moved)
            }
            Advanced::Elsewhere(_) | Advanced::NotForward => Ok(Brought::Again),
            Advanced::Protected { said } => self.offer(&link, to, said),
            Advanced::Unreachable { reason } => Err(OpsError::Unreachable {
                remote: link.name,
                reason,
            }),
            other => here(other, landing),
        }
    }

    /// Puts what was made on a branch of its own, from which others merge it.
    fn offer(&self, link: &Link, to: Oid, said: Vec<String>) -> Result<Brought, OpsError> {
        let name = format!("{OFFERS}/{}", to.short());
        let branch = RefName::new(format!("refs/heads/{name}"))?;
        let limit = sync::time_limit(self.ctx);
        let remote = self.ctx.repo().remote(&link.name, limit);
        match remote.put(&branch, to)? {
            Advanced::Moved => Ok(Brought::Offered(Offer { branch: name, said })),
            Advanced::Unreachable { reason } => Err(OpsError::Unreachable {
                remote: link.name.clone(),
                reason,
            }),
            Advanced::Protected { said: more } => {
                let said: Vec<String> = said.into_iter().chain(more).collect();
                Err(OpsError::NotTaken {
                    remote: link.name.clone(),
                    branch: name,
                    said: said.join("; "),
                })
            }
            _ => Ok(Brought::Again),
        }
    }
}

/// Says what became of a branch of this clone.
fn here(advanced: Advanced, landing: &Landing) -> Result<Brought, OpsError> {
    let branch = landing.branch.clone();
    let (worktree, detail) = match advanced {
        Advanced::Moved => return Ok(Brought::Moved),
        Advanced::Dirty { worktree, paths } => {
            let paths = paths.iter().map(|path| String::from_utf8_lossy(path));
            let paths = paths.take(5).collect::<Vec<_>>().join(", ");
            (worktree, format!("what is not committed there: {paths}"))
        }
        Advanced::Busy { worktree } => {
            let unfinished = "a merge or rebase is not finished there";
            (worktree, unfinished.to_owned())
        }
        _ => return Ok(Brought::Again),
    };
    let refusal = Refusal::InTheWay {
        branch,
        worktree: worktree.display().to_string(),
        detail,
    };
    Err(refusal.into())
}
