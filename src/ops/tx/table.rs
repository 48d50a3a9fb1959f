//! Asking the claims table, and what follows from its answer.

use crate::model::claim::Claim;
use crate::model::decide::{self, Change, Decision, Facts, Request};
use crate::model::id::TaskId;
use crate::model::message::Notice;
use crate::model::name::AgentName;
use crate::model::rule::Refusal;
use crate::model::task::{Status, TaskEvent};

use crate::ops::OpsError;
use crate::ops::error::Held;
use crate::ops::home::free_name;
use crate::ops::next;
use crate::ops::silence::Silence;

use super::{Granted, Tx, coarse};

impl<'t, 's> Tx<'t, 's> {
    /// Puts a request to the claims table, and records what follows from the answer.
    pub fn ask(&mut self, request: &Request) -> Result<Granted, OpsError> {
        let settings = self.snapshot.settings()?;
        let agents = self.snapshot.agents()?;
        let silence = self.silence()?;
        let now = self.now;
        let expired = |claim: &Claim| silence.is_expired(claim);
        let elsewhere = |claim: &Claim| silence.is_elsewhere(claim);
        let wip = |agent: &AgentName| {
            agents
                .get(agent)
                .and_then(|agent| agent.wip)
                .unwrap_or(settings.wip_agent)
        };
        let facts = Facts {
            now,
            settings,
            expired: &expired,
            elsewhere: &elsewhere,
            wip: &wip,
        };
        let raised;
        let table = match self.is_provisional() {
            true => {
                raised = self.table()?.provisional();
                &raised
            }
            false => self.table()?,
        };
        match decide::decide(table, &facts, request) {
            Decision::Unchanged(claim) => Ok(Granted::Unchanged(claim)),
            Decision::Changed(change) => self.grant(change),
            Decision::Held { by, paths } => Err(self.held(*by, request, paths)?),
            Decision::Refused(refusal) => Err(refusal.into()),
            Decision::NotHeld { holder } => Err(self.not_held(request, holder.as_deref())?),
        }
    }

    /// Returns who judges whether the holder of a claim has gone silent.
    pub fn silence(&self) -> Result<Silence<'t>, OpsError>
    where
        's: 't,
    {
        Silence::new(self.ctx, self.snapshot, self.contact)
    }

    /// Drops the claims of all that have gone silent, and returns them.
    pub fn sweep(&mut self) -> Result<Vec<Claim>, OpsError> {
        let silence = self.silence()?;
        let (table, gone) = decide::sweep(self.table()?, &|claim| silence.is_expired(claim));
        let table = table.into_owned();
        if !gone.is_empty() {
            self.grant(Change {
                table,
                claim: None,
                before: None,
                expired: gone.clone(),
            })?;
        }
        Ok(gone)
    }

    fn grant(&mut self, change: Change) -> Result<Granted, OpsError> {
        self.changes.table = Some(change.table);
        for claim in change.expired {
            self.expire(&claim)?;
        }
        Ok(Granted::Changed {
            claim: change.claim,
            before: change.before,
        })
    }

    /// Records that a silent agent's claim is over, and tells it.
    fn expire(&mut self, claim: &Claim) -> Result<(), OpsError> {
        let beat = self.ctx.presence().get(&claim.agent, self.now)?;
        let seen = beat.as_ref().map(|beat| beat.seen);
        let seen = seen.max(self.silence()?.last_sign(claim));
        let silent = seen.map(|seen| self.now.since(seen));
        let silence = silent.map_or_else(String::new, |span| format!(" after {}", coarse(span)));
        let mut note = format!(
            "`{}` went silent and the claim expired{silence}",
            claim.agent
        );
        if let Some(said) = beat.and_then(|beat| beat.note) {
            note.push_str(&format!("; its last note: {said}"));
        }
        if claim.of_task {
            let event = TaskEvent::Lapsed {
                agent: claim.agent.clone(),
                fence: claim.fence,
                note: note.clone(),
            };
            match self.event_by(claim.id, self.author(), event) {
                Ok(_) => {}
                // The record may not know the claim yet; the table has dropped it all the same.
                Err(OpsError::Refused(_) | OpsError::NotFound { .. } | OpsError::Fenced { .. }) => {
                }
                Err(error) => return Err(error),
            }
        }
        // Whoever landed has nothing to stop: what it was about to do is finished by others.
        if claim.id == TaskId::LANE {
            return Ok(());
        }
        let what = if claim.of_task { "task" } else { "the claim" };
        let body = format!(
            "your claim on {what} `{}` expired{silence} without a sign of life. Stop work on it.",
            claim.id
        );
        self.notify([claim.agent.clone()], Notice::ClaimLost, claim.task(), body);
        Ok(())
    }

    fn held(
        &self,
        by: Claim,
        request: &Request,
        paths: Vec<crate::model::path::PathPattern>,
    ) -> Result<OpsError, OpsError> {
        let wanted = match request {
            Request::Take(take) => take.of_task.then_some(take.id),
            // Its own by the name, but not here.
            _ if by.agent == self.me => by.task(),
            _ => None,
        };
        let settings = self.snapshot.settings()?;
        let seen = self.ctx.liveness(&by.agent, settings)?;
        let namesake = by.agent == self.me;
        let namesake = namesake.then(|| free_name(self.snapshot, &self.me));
        // Whoever wanted one task may want another; not so whoever wants files.
        let instead = match wanted {
            Some(id) => next::look(self)?
                .task
                .filter(|task| task.id != id && task.status == Status::Todo),
            None => None,
        };
        Ok(OpsError::Held(Box::new(Held {
            namesake: namesake.transpose()?,
            instead: instead.map(|task| (task.id, task.title)),
            by,
            wanted,
            paths,
            seen,
        })))
    }

    fn not_held(&self, request: &Request, holder: Option<&Claim>) -> Result<OpsError, OpsError> {
        let id = match request {
            Request::Phase { id, .. }
            | Request::Release { id, .. }
            | Request::Intend { id, .. }
            | Request::HandOff { id, .. } => *id,
            _ => unreachable!("only requests about a claim one holds are answered so"),
        };
        if let Some(entry) = self.snapshot.entry(id)? {
            let log = self.snapshot.log_of(entry)?;
            if let Some(fenced) = self.lost(entry.task(), &log) {
                return Ok(fenced);
            }
        }
        let refusal = match holder {
            Some(claim) if claim.agent == self.me => {
                return self.held(claim.clone(), request, claim.paths.clone());
            }
            Some(claim) => Refusal::NotClaimant {
                id,
                holder: claim.agent.clone(),
                by: self.me.clone(),
            },
            None => Refusal::NoClaimant { id },
        };
        Ok(refusal.into())
    }
}
