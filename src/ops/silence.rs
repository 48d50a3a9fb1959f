//! Who has been silent for so long that their claims are void.

use crate::model::agent::AgentKind;
use crate::model::claim::Claim;
use crate::model::name::AgentName;
use crate::model::observe::Observed;
use crate::model::settings::Settings;
use crate::model::time::Timestamp;
use crate::store::{Here, Presence, Snapshot, agent_key, claim_key, says_goodbye};

use super::tx::Contact;
use super::{Context, OpsError};

/// Judges silence, by this clone's heartbeats and by what it observed of others.
pub struct Silence<'s> {
    presence: Presence,
    observed: Observed,
    snapshot: &'s Snapshot<'s>,
    settings: &'s Settings,
    here: Here,
    now: Timestamp,
    contact: Contact,
}

impl<'s> Silence<'s> {
    pub fn new(
        ctx: &Context,
        snapshot: &'s Snapshot<'s>,
        contact: Contact,
    ) -> Result<Silence<'s>, OpsError> {
        Ok(Silence {
            presence: ctx.presence(),
            observed: ctx.store().observed(),
            snapshot,
            settings: snapshot.settings()?,
            here: ctx.here()?,
            now: ctx.now(),
            contact,
        })
    }

    /// Tells whether a claim's holder has been silent for too long, everywhere.
    ///
    /// Of other clones this is only said right after the remote was asked: a heartbeat may be
    /// there that was not seen yet. What cannot be told is "no".
    pub fn is_expired(&self, claim: &Claim) -> bool {
        let limit = self.settings.expire_after;
        let local = self.here.made(&claim.clone);
        if local || self.presence.is_here(&claim.agent) {
            match self.presence.silent_for(&claim.agent, self.now) {
                Ok(silent) if silent >= limit => {}
                Ok(_) | Err(_) => return false,
            }
        }
        if self.is_heard(&claim.agent) {
            return false;
        }
        // A claim that was just made, or handed to its holder, must not fall to an old heartbeat.
        if local {
            return self.now < claim.since || self.now.since(claim.since) >= limit;
        }
        let long_held = || self.observed.age(&claim_key(claim)) >= Some(limit);
        self.contact == Contact::Fresh && long_held()
    }

    /// Tells whether the holder of a claim has its seat in another clone, and has given a sign of
    /// life there in time: who acts under the same name here is not the one that holds it.
    ///
    /// Joining is such a sign. People may sit at several machines.
    pub fn is_elsewhere(&self, claim: &Claim) -> bool {
        if self.here.made(&claim.clone) {
            return false;
        }
        let limit = self.settings.expire_after;
        let log = self.snapshot.agent_log(&claim.agent).ok().flatten();
        let Some(agent) = log.and_then(|log| log.fold()) else {
            return false;
        };
        let key = agent_key(&claim.agent, &claim.clone);
        let sign = self.observed.seen.get(&key);
        let lives = sign.is_some_and(|sign| sign.age < limit);
        let left = sign.is_some_and(says_goodbye);
        let sat_down = agent
            .home
            .is_some_and(|home| home.clone == claim.clone && self.now.since(home.since) < limit);
        (lives || sat_down) && !left && agent.kind == AgentKind::Agent
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
