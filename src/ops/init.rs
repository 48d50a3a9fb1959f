//! Founding a team in a repository.

use crate::model::event::Log;
use crate::model::id::Stamp;
use crate::model::settings::{SettingsEvent, SettingsLog};
use crate::store::{Origin, StoreError};

use super::{Context, OpsError, board, landing, sync};

#[derive(Debug)]
pub struct Initialised {
    /// Whether the record was made now, and was not there before.
    pub new: bool,
    pub branch: &'static str,
    /// The remote through which the team is shared.
    pub remote: Option<String>,
    /// Whether the team was found on the remote.
    pub found: bool,
    /// What there is to say about the remote.
    pub notes: Vec<String>,
}

/// With whom a team is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing<'a> {
    /// With other clones, through this remote; without a name, through the one used before, else
    /// `origin` if there is one.
    Remote(Option<&'a str>),
    /// With nobody: nothing leaves this clone until it is founded again with a remote.
    Here,
}

/// Makes the record if there is none, here or on the remote. Repeating it is harmless.
pub fn init(ctx: &Context, sharing: Sharing) -> Result<Initialised, OpsError> {
    let mut notes = Vec::new();
    let team = match sharing {
        Sharing::Remote(name) => sync::team_on_remote(ctx, name),
        Sharing::Here => Ok(None),
    };
    let team = match team {
        Ok(team) => team,
        // A team of one machine for now; what is done until then goes there later.
        Err(error @ OpsError::Unreachable { .. }) => {
            notes.push(format!(
                "{error}; the team is on this machine alone until `reflectt init` finds the remote"
            ));
            None
        }
        Err(error) => return Err(error),
    };
    notes.extend(team.as_ref().and_then(|team| team.note.clone()));
    let found = team.as_ref().is_some_and(|team| team.exists);
    let remote = team.as_ref().map(|team| team.link.name.as_str());
    let new = if found {
        false
    } else {
        found_here(ctx, remote)?
    };
    ctx.clone_id()?;
    if let Some(team) = &team {
        let report = sync::take_part(ctx, team)?;
        notes.extend(report.warnings);
    }
    Ok(Initialised {
        new,
        branch: "reflectt",
        remote: team.map(|team| team.link.name),
        found,
        notes,
    })
}

/// Makes the record in this clone if it has none.
fn found_here(ctx: &Context, remote: Option<&str>) -> Result<bool, OpsError> {
    match ctx.store().snapshot() {
        Ok(_) => return Ok(false),
        Err(StoreError::NotInitialised { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let now = ctx.now();
    let author = ctx.person();
    let mut log = Log::default();
    let stamp = ctx.random(|rng| Stamp::new(now, rng, None));
    log.push(stamp, author.clone(), SettingsEvent::Founded);
    if let Some(branch) = landing::at_founding(ctx, remote)? {
        let stamp = ctx.random(|rng| Stamp::new(now, rng, Some(stamp)));
        let key = "land.branch".to_owned();
        let value = branch;
        log.push(stamp, author.clone(), SettingsEvent::Set { key, value });
    }
    let origin = Origin { author, now };
    Ok(ctx
        .store()
        .found(SettingsLog { log }, board::empty(), &origin)?)
}
