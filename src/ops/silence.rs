//! Who has been silent for so long that their claims are void.

use crate::model::claim::{Claim, CloneId};
use crate::model::name::AgentName;
use crate::model::observe::Observed;
use crate::model::settings::Settings;
use crate::model::time::Timestamp;
use crate::store::{Presence, agent_key, claim_key};

use super::tx::Contact;
use super::{Context, OpsError};

/// Judges silence, by this clone's heartbeats and by what it observed of others.
pub struct Silence<'s> {
    presence: Presence,
    observed: Observed,
    settings: &'s Settings,
    here: CloneId,
    now: Timestamp,
    contact: Contact,
}

impl<'s> Silence<'s> {
    pub fn new(
        ctx: &Context,
        settings: &'s Settings,
        contact: Contact,
    ) -> Result<Silence<'s>, OpsError> {
        Ok(Silence {
            presence: ctx.store().presence(),
            observed: ctx.store().observed(),
            settings,
            here: ctx.clone_id()?,
            now: ctx.now(),
            contact,
        })
    }

    /// Tells whether a claim's holder has been silent for too long, everywhere.
    ///
    /// Of other clones this is only said right after the remote was asked: a heartbeat may be
    /// there that was not seen yet. What cannot be told is "no".
    pub fn is_expired(&self, claim: &Claim) -> bool {
        let local = claim.clone == self.here;
        if local || self.presence.is_here(&claim.agent) {
            match self.presence.get(&claim.agent, self.now) {
                Ok(Some(beat)) if beat.expired(self.now, self.settings) => {}
                Ok(Some(_)) | Err(_) => return false,
                Ok(None) => {
                    // Its heartbeat was deleted: counted from now on. Unable to write it, nobody
                    // expires.
                    drop(self.presence.beat(&claim.agent, self.now, None));
                    return false;
                }
            }
        }
        if self.is_heard(&claim.agent) {
            return false;
        }
        // A claim that was just made must not fall to an old heartbeat.
        let limit = self.settings.expire_after;
        let long_held = || self.observed.age(&claim_key(claim)) >= Some(limit);
        local || (self.contact == Contact::Fresh && long_held())
    }

    /// Tells whether any other clone has given a sign of the agent in time.
    fn is_heard(&self, agent: &AgentName) -> bool {
        let begin = format!("{agent}@");
        let signs = self.observed.seen.range(begin.clone()..);
        signs
            .take_while(|(key, _)| key.starts_with(&begin))
            .any(|(_, seen)| seen.age < self.settings.expire_after)
    }

    /// Returns when the clone of a claim last gave a sign of its holder, as observed here.
    pub fn last_sign(&self, claim: &Claim) -> Option<Timestamp> {
        let age = self.observed.age(&agent_key(&claim.agent, &claim.clone))?;
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        Some(Timestamp(self.now.0.saturating_sub(age)))
    }
}
