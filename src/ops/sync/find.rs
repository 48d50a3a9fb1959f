//! Finding the team on a remote, and where that remote lets us keep our refs.

use crate::git::{GitError, Pushed, RefName, RefUpdate, Together};
use crate::store::{Link, Places, Tips, layout};

use super::{Adopt, BoardToo, PresenceToo, SyncOptions, sync, time_limit};
use crate::ops::{Context, OpsError};

/// What was found on the remote.
#[derive(Debug)]
pub struct Team {
    pub link: Link,
    /// Whether the remote has a record already.
    pub exists: bool,
    /// What there is to say about where the refs go.
    pub note: Option<String>,
}

/// Looks for a team on the remote called `name`, else on the one configured, else on `origin`.
///
/// Returns `None` if there is no remote to look at.
///
/// # Errors
///
/// [`OpsError::Unreachable`] if the remote does not answer.
pub fn team_on_remote(ctx: &Context, name: Option<&str>) -> Result<Option<Team>, OpsError> {
    let store = ctx.store();
    let names = ctx.repo().remote_names();
    let configured = store.link().map(|link| link.name);
    let name = match name.map(str::to_owned).or(configured) {
        Some(name) if names.contains(&name) => name,
        Some(name) => return Err(GitError::NoRemote { name }.into()),
        None if names.iter().any(|name| name == "origin") => "origin".to_owned(),
        None => return Ok(None),
    };
    let limit = time_limit(ctx);
    let at = |places| Link {
        name: name.clone(),
        places,
    };
    let hidden = store.fetch(&at(Places::Hidden), None, limit)?;
    let branches = store.tracking_tips(&at(Places::Branches))?;
    let (places, note) = match (hidden, branches) {
        (Tips { table: Some(_), .. }, _) => (Places::Hidden, None),
        (_, Tips { table: Some(_), .. }) => (Places::Branches, None),
        _ => probe(ctx, &name)?,
    };
    Ok(Some(Team {
        link: at(places),
        exists: hidden.record.is_some(),
        note,
    }))
}

/// Makes, moves and deletes a ref on the remote to see whether it lets us.
fn probe(ctx: &Context, name: &str) -> Result<(Places, Option<String>), OpsError> {
    let repo = ctx.repo();
    let limit = time_limit(ctx);
    let remote = repo.remote(name, limit);
    let probe = format!("{}probe-{}", layout::PRESENCE, ctx.clone_id()?);
    let probe = RefName::new(probe)?;
    let one = repo.write_blob(b"may reflectt keep refs here?\n")?;
    let two = repo.write_blob(b"and may it move them?\n")?;
    // One may be left of an earlier probe that was cut short.
    let old = remote.list(&[probe.as_str()])?;
    let mut from = old.first().map(|(_, oid)| *oid);
    for (what, to) in [("made", Some(one)), ("moved", Some(two)), ("deleted", None)] {
        let push = RefUpdate {
            name: probe.clone(),
            from,
            to,
        };
        match remote.push(&[push], Together::Each)?.first() {
            Some(Pushed::Moved) => {}
            Some(Pushed::Refused { reason }) if what != "deleted" => {
                let note = format!(
                    "`{name}` does not let refs below `refs/reflectt/` be {what} ({reason}); claims and presence are kept in the branches `reflectt-claims` and `reflectt-presence/…`"
                );
                return Ok((Places::Branches, Some(note)));
            }
            // Nothing of ours has to be deleted, ever.
            _ => break,
        }
        from = to;
    }
    Ok((Places::Hidden, None))
}

/// Takes part in the team of `team`: its record and table come here, and what is here goes there.
pub fn take_part(ctx: &Context, team: &Team) -> Result<super::SyncReport, OpsError> {
    ctx.store().set_link(&team.link)?;
    sync(
        ctx,
        SyncOptions {
            adopt: Adopt::Yes,
            board: BoardToo::No,
            presence: PresenceToo::No,
            ..SyncOptions::FULL
        },
    )
}
