//! The lane: a claim in the table that only one lander of the team has at a time.

use std::collections::BTreeSet;

use crate::git::{AdvisoryLock, Oid};
use crate::model::claim::{Claim, Intent};
use crate::model::decide::{Request, Take};
use crate::model::id::TaskId;
use crate::model::message::Notice;
use crate::model::name::AgentName;
use crate::model::task::TaskEvent;
use crate::ops::block::humans;
use crate::ops::error::Held;
use crate::ops::landing;
use crate::ops::tx::{Tx, transact, transact_itself};
use crate::ops::{Context, OpsError, landed};
use crate::store::StoreError;

use super::Lands;
use super::report::ReturnedTask;

/// The right to land, as long as it is held.
pub struct Lane<'c> {
    pub(super) ctx: &'c Context,
    holder: AgentName,
    /// Tells the landers of this clone from one that was killed.
    _lock: AdvisoryLock,
}

impl<'c> Lane<'c> {
    /// Takes the lane, and finishes what a lander that was killed had begun.
    ///
    /// Whoever has it in this clone is at work as long as it has the lock.
    ///
    /// # Errors
    ///
    /// [`OpsError::Held`] if somebody else is landing.
    pub fn take(ctx: &'c Context, branch: &str) -> Result<Lane<'c>, OpsError> {
        let here = ctx.clone_id()?;
        let holder = match ctx.identity() {
            Some(me) => me.clone(),
            None => format!("reflectt-{here}").parse()?,
        };
        let path = ctx.store().dir().join("landing.lock");
        let lock = AdvisoryLock::try_acquire(&path).map_err(StoreError::from)?;
        let Some(lock) = lock else {
            return Err(busy(ctx)?);
        };
        let mut lane = Lane {
            ctx,
            holder: holder.clone(),
            _lock: lock,
        };
        lane.transact(|tx| {
            let before = tx.table()?.claims.get(&TaskId::LANE).cloned();
            let is_stale = |claim: &Claim| claim.clone == here && claim.agent != holder;
            tx.ask(&Request::Take(Take {
                id: TaskId::LANE,
                of_task: false,
                agent: holder.clone(),
                clone: here.clone(),
                paths: Vec::new(),
                shared: BTreeSet::new(),
                resources: BTreeSet::new(),
                branch: Some(branch.to_owned()),
                base: None,
                why: Some(format!("landing on {branch}")),
                nonce: tx.nonce,
                take_over: before.as_ref().is_some_and(is_stale),
                moves: false,
            }))?;
            tx.subject("land: begins");
            match before.and_then(|claim| claim.intent) {
                Some(intent) => finish(tx, &holder, &intent),
                None => Ok(()),
            }
        })?;
        Ok(lane)
    }

    pub(super) fn transact<T>(
        &mut self,
        act: impl FnMut(&mut Tx) -> Result<T, OpsError>,
    ) -> Result<T, OpsError> {
        match self.ctx.identity() {
            Some(_) => transact(self.ctx, act),
            None => transact_itself(self.ctx, act),
        }
    }

    /// Notes what is about to happen, if all of it still may.
    ///
    /// Tells whether it may: nobody has taken back an approval, or submitted anew, meanwhile.
    pub fn intend(&mut self, tip: Oid, landed: &[Lands]) -> Result<bool, OpsError> {
        let holder = self.holder.clone();
        let tasks = landed.iter().map(|it| (it.task, it.commit.to_string()));
        let tasks = tasks.collect();
        let intent = Intent {
            tip: tip.to_string(),
            tasks,
        };
        self.transact(|tx| {
            for Lands { task, head, .. } in landed {
                let task = tx.task(*task)?;
                let submitted = task.submission.as_ref().and_then(|it| it.1.commit.clone());
                if !task.waits_to_land() || submitted != Some(head.to_string()) {
                    return Ok(false);
                }
            }
            tx.subject("land: about to");
            tx.ask(&Request::Intend {
                id: TaskId::LANE,
                agent: holder.clone(),
                intent: Some(intent.clone()),
            })?;
            Ok(true)
        })
    }

    /// Records what has landed and what was sent back.
    pub fn record(&mut self, landed: &[Lands], returned: &[ReturnedTask]) -> Result<(), OpsError> {
        if landed.is_empty() && returned.is_empty() {
            return Ok(());
        }
        let holder = self.holder.clone();
        self.transact(|tx| {
            tx.ask(&Request::Intend {
                id: TaskId::LANE,
                agent: holder.clone(),
                intent: None,
            })?;
            for it in landed {
                note_landed(tx, it.task, it.commit.to_string())?;
            }
            for it in returned {
                send_back(tx, it)?;
            }
            let ids = landed.iter().map(|it| &it.task);
            let ids = ids.chain(returned.iter().map(|it| &it.task));
            let ids: Vec<&str> = ids.map(TaskId::as_str).collect();
            tx.subject(format!("land {}", ids.join(", ")));
            Ok(())
        })
    }

    /// Tells people why nothing lands, which only they can change.
    pub fn tell_people(&mut self, reason: &str) -> Result<(), OpsError> {
        self.transact(|tx| {
            let people = humans(tx.snapshot)?;
            let body = format!("landing has stopped: {reason}");
            tx.subject("land: stopped");
            tx.tell(people, Some(Notice::NeedsHuman), None, body);
            Ok(())
        })
    }

    /// Gives the lane back.
    pub fn leave(mut self) -> Result<(), OpsError> {
        let holder = self.holder.clone();
        let left = self.transact(|tx| {
            tx.subject("land: ends");
            tx.ask(&Request::Release {
                id: TaskId::LANE,
                agent: holder.clone(),
            })?;
            Ok(())
        });
        match left {
            // It expired meanwhile: somebody else has it.
            Err(OpsError::Refused(_)) => Ok(()),
            left => left,
        }
    }
}

/// Finishes what a lander had begun that was killed: the branch has moved, or it has not.
fn finish(tx: &mut Tx, holder: &AgentName, intent: &Intent) -> Result<(), OpsError> {
    let tip = Oid::parse(&intent.tip)?;
    let landing = landing::of(tx.ctx, tx.snapshot)?;
    let repo = tx.ctx.repo();
    let has_moved = match landing.and_then(|landing| landing.tip) {
        Some(now) => repo.exists(tip) && repo.is_ancestor(tip, now)?,
        None => false,
    };
    if has_moved {
        for (id, commit) in &intent.tasks {
            note_landed(tx, *id, commit.clone())?;
        }
    }
    tx.ask(&Request::Intend {
        id: TaskId::LANE,
        agent: holder.clone(),
        intent: None,
    })?;
    Ok(())
}

/// Records that a task has landed, if nobody else has.
fn note_landed(tx: &mut Tx, id: TaskId, commit: String) -> Result<(), OpsError> {
    let task = tx.task(id)?;
    match task.waits_to_land() {
        true => landed::land(tx, &task, commit),
        false => Ok(()),
    }
}

/// Gives a task that cannot land back to its author.
fn send_back(tx: &mut Tx, it: &ReturnedTask) -> Result<(), OpsError> {
    let before = tx.task(it.task)?;
    let is_latest = (before.submission.as_ref()).is_some_and(|(id, _)| *id == it.back.submission);
    if !before.waits_to_land() || !is_latest {
        return Ok(());
    }
    let task = tx.event(it.task, TaskEvent::SentBack(Box::new(it.back.clone())))?;
    tx.ask(&Request::SendBack { id: it.task })?;
    tx.settle_mail(it.task, &[Notice::Approved])?;
    let body = format!(
        "`{}` ({}) could not land: {}",
        task.id, task.title, it.back.note
    );
    tx.tell(
        task.assignee.clone(),
        Some(Notice::SentBack),
        Some(it.task),
        body,
    );
    Ok(())
}

/// Says who of this clone is landing.
fn busy(ctx: &Context) -> Result<OpsError, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    let (table, _) = snapshot.table_in_force()?;
    let Some(by) = table.claims.get(&TaskId::LANE).cloned() else {
        // It has just begun, or is just about to end.
        return Ok(OpsError::Busy { what: "landing" });
    };
    let seen = ctx.liveness(&by.agent, snapshot.settings()?)?;
    Ok(OpsError::Held(Box::new(Held {
        by,
        wanted: None,
        paths: Vec::new(),
        namesake: None,
        instead: None,
        seen,
    })))
}
