//! Carrying out a plan: compute, push, then move what is here.

use std::time::Duration;

use crate::git::{Oid, Pushed, Relation};
use crate::model::claim::CloneId;
use crate::store::{Link, Store, StoreError, Tips};

use super::compose::{Composed, compose};
use super::plan::{Damaged, Oddity, Plan, RecordStep, View, plan};
use super::{
    Adopt, BoardToo, Fetch, PresenceToo, Standstill, SyncOptions, SyncReport, link, time_limit,
    works,
};
use crate::ops::{Context, OpsError, chain, landed, landing, requests};

/// The longest pause before an exchange begins anew because the remote, or this clone, had moved.
const PAUSE: Duration = Duration::from_millis(500);

/// How long to let the pushes of this clone's operations go first.
const TURN: Duration = Duration::from_secs(10);

/// How one attempt ended.
enum Attempt {
    Done,
    /// The remote has something that it had not.
    RemoteMoved,
    /// Another process moved a ref here.
    LocalMoved,
}

/// Makes this clone and the remote have the same.
///
/// # Errors
///
/// [`OpsError::Unreachable`] if the remote does not answer; what was done here stays and goes out
/// the next time.
pub fn sync(ctx: &Context, options: SyncOptions) -> Result<SyncReport, OpsError> {
    let store = ctx.store();
    if options.adopt == Adopt::No {
        // Nothing is made of a clone in which nobody started or joined a team.
        drop(store.snapshot()?);
    }
    let link = link(ctx)?;
    let limit = time_limit(ctx);
    let mut report = SyncReport::default();
    let mut known = store.tracking_tips(&link)?;
    let mut ask = options.fetch == Fetch::Always;
    let mut standstill = Standstill::default();
    if store.has_requests() && options.adopt == Adopt::No {
        match requests::serve(ctx, &link) {
            Ok(lost) => report.lost = lost,
            // They wait, and the record does not.
            Err(OpsError::Store(damage)) if damage.is_table() => {
                warn(&mut report, chain(&damage));
            }
            Err(error) => return Err(error),
        }
    }
    let mut patience = store.patience();
    loop {
        let remote = match ask {
            true => self::ask(ctx, &link)?,
            false => store.tracking_tips(&link)?,
        };
        let view = view(store, known, remote)?;
        let plan = plan(&view);
        tracing::debug!(record = ?plan.record, table = ?plan.table, "exchange");
        note(&mut report, &plan.oddities, &link);
        let mut run = Run {
            ctx,
            link: &link,
            limit,
            options,
            report: &mut report,
        };
        match run.attempt(&view, &plan)? {
            Attempt::Done => {
                count(store, known, &view, &mut report);
                if options.presence == PresenceToo::Yes {
                    publish_presence(ctx, &link, limit)?;
                }
                // Whoever has only just come to a team lets others, or its next exchange, do that.
                if options.adopt == Adopt::No
                    && let Err(error) = landed::notice(ctx)
                {
                    let reason = chain(&error);
                    let missed = format!("what has landed could not be recorded: {reason}");
                    warn(&mut report, missed);
                }
                works::tidy(ctx, Some(&link))?;
                if let Some(reason) = store.works_refused() {
                    let remote = &link.name;
                    warn(
                        &mut report,
                        format!("`{remote}` does not take the commits of submissions: {reason}"),
                    );
                }
                return Ok(report);
            }
            Attempt::RemoteMoved => {
                standstill.refused(&link, remote)?;
                ask = true;
            }
            Attempt::LocalMoved => ask = false,
        }
        known = remote;
        patience.lost_with_pause(PAUSE)?;
    }
}

pub(super) fn view(store: &Store, known: Tips, remote: Tips) -> Result<View, OpsError> {
    let local = store.local_tips()?;
    let relation = |a: Option<Oid>, b: Option<Oid>| -> Result<Option<Relation>, StoreError> {
        match (a, b) {
            (Some(a), Some(b)) => Ok(Some(store.repo().relation(a, b)?)),
            _ => Ok(None),
        }
    };
    let table = relation(local.table, remote.table)?;
    let is_damaged = |tip: Option<Oid>| -> Result<bool, StoreError> {
        match (local.record.or(remote.record), tip) {
            (Some(record), Some(_)) => {
                let snapshot = store.snapshot_at(record, tip)?;
                Ok(snapshot.known_table()?.is_none())
            }
            _ => Ok(false),
        }
    };
    let damaged = match table {
        Some(Relation::Same) => Damaged::default(),
        _ => Damaged {
            local: is_damaged(local.table)?,
            remote: is_damaged(remote.table)?,
        },
    };
    Ok(View {
        local,
        known,
        remote,
        damaged,
        record: relation(local.record, remote.record)?,
        table,
        record_since: relation(known.record, remote.record)?,
        table_since: relation(known.table, remote.table)?,
    })
}

/// Asks the remote for its refs, and measures how long others have been silent.
///
/// # Errors
///
/// [`OpsError::Unreachable`] if it does not answer.
pub fn ask(ctx: &Context, link: &Link) -> Result<Tips, OpsError> {
    let landing = match ctx.store().snapshot() {
        Ok(snapshot) => match snapshot.settings() {
            Ok(settings) => landing::branch(ctx, settings)?,
            Err(_) => None,
        },
        Err(_) => None,
    };
    let remote = (ctx.store()).fetch(link, landing.as_deref(), time_limit(ctx))?;
    observe(ctx, link, remote)?;
    Ok(remote)
}

/// What both sides shall have, and how many files were merged for it.
pub(super) struct Met {
    pub(super) tips: Tips,
    merged: usize,
}

/// Computes what both sides shall have; `None` if there is nothing yet. No ref moves.
pub(super) fn meet(
    ctx: &Context,
    link: &Link,
    view: &View,
    plan: &Plan,
    board: BoardToo,
    report: &mut SyncReport,
) -> Result<Option<Met>, OpsError> {
    let store = ctx.store();
    if let (RecordStep::Follow(_) | RecordStep::Merge(_, _), Some(theirs)) =
        (plan.record, view.remote.record)
    {
        store.check_theirs(link, theirs)?;
    }
    let (record, merged) = match plan.record {
        RecordStep::Nothing => (view.local.record, 0),
        RecordStep::Follow(tip) | RecordStep::Push(tip) => (Some(tip), 0),
        RecordStep::Merge(here, there) => {
            let merged = store.merge_records(here, there)?;
            for path in &merged.set_aside {
                warn(report, format!("a file was set aside as `{path}`"));
            }
            (Some(merged.commit), merged.files)
        }
    };
    let Some(record) = record else {
        return Ok(None);
    };
    let Composed { tips, warnings } = compose(ctx, record, view, plan, board)?;
    for warning in warnings {
        warn(report, warning);
    }
    Ok(Some(Met { tips, merged }))
}

/// Measures how long others have been silent. The table is the one that was just fetched.
fn observe(ctx: &Context, link: &Link, remote: Tips) -> Result<(), OpsError> {
    let Some(record) = remote.record else {
        return Ok(());
    };
    let snapshot = match ctx.store().snapshot_at(record, remote.table) {
        Ok(snapshot) => snapshot,
        // Not a record of ours; whoever follows it says so.
        Err(StoreError::Foreign { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    works::forget_older(ctx, &snapshot)?;
    let own = part_from_double(ctx, link)?;
    Ok(ctx.store().observe(link, &own, &snapshot, ctx.uptime())?)
}

/// Returns the id of this clone: another one, if the remote shows that somebody else has it, too.
fn part_from_double(ctx: &Context, link: &Link) -> Result<CloneId, OpsError> {
    let own = ctx.clone_id()?;
    if !ctx.store().is_doubled(link, &own)? {
        return Ok(own);
    }
    let here = ctx.random(|rng| ctx.store().part_from(&own, rng))?;
    ctx.note_warnings([format!(
        "another clone on `{}` has the id of this one, as copies have: this one has an id of its own from now on",
        link.name
    )]);
    Ok(here.id)
}

/// The longest and the usual time between two publications of presence.
const PRESENCE_EVERY: Duration = Duration::from_secs(60);

fn publish_presence(ctx: &Context, link: &Link, limit: Duration) -> Result<(), OpsError> {
    let store = ctx.store();
    let snapshot = store.snapshot()?;
    // Where silence counts in seconds, signs of life must come in fractions of them.
    let expire: Duration = snapshot.settings()?.expire_after.into();
    let every = PRESENCE_EVERY.min(expire / 4);
    store.publish_signs(link, &ctx.clone_id()?, ctx.now(), every, limit)?;
    Ok(())
}

fn note(report: &mut SyncReport, oddities: &[Oddity], link: &Link) {
    for oddity in oddities {
        warn(report, oddity.message(&link.name));
    }
}

fn warn(report: &mut SyncReport, warning: String) {
    if !report.warnings.contains(&warning) {
        report.warnings.push(warning);
    }
}

/// Counts what came and went. Only for people: a count that fails is left at zero.
fn count(store: &Store, known: Tips, view: &View, report: &mut SyncReport) {
    let count = |new: Option<Oid>, old: Option<Oid>| {
        let beyond = new.map(|new| store.repo().commits_beyond(old, new));
        beyond.map_or(0, |found| found.map_or(0, |found| found.len()))
    };
    report.pulled = count(view.remote.record, view.local.record.or(known.record));
    if report.refused.is_none()
        && let Ok(local) = store.local_tips()
    {
        report.pushed = count(local.record, view.remote.record);
    }
}

struct Run<'r> {
    ctx: &'r Context,
    link: &'r Link,
    limit: Duration,
    options: SyncOptions,
    report: &'r mut SyncReport,
}

impl Run<'_> {
    fn attempt(&mut self, view: &View, plan: &Plan) -> Result<Attempt, OpsError> {
        let store = self.ctx.store();
        let met = meet(
            self.ctx,
            self.link,
            view,
            plan,
            self.options.board,
            self.report,
        )?;
        let Some(Met { tips, merged }) = met else {
            return Ok(Attempt::Done);
        };
        match self.push(view, tips)? {
            Attempt::Done => {}
            other => return Ok(other),
        }
        // The remote has it. What is here follows, unless it moved on meanwhile.
        let (table, record) = view.local.steps_to(tips);
        if !store.move_local(table, record, "sync")? {
            return Ok(Attempt::LocalMoved);
        }
        if let Some(tip) = tips.record {
            store.note_adopted(tip);
        }
        self.report.merged += merged;
        Ok(Attempt::Done)
    }

    /// Gives the remote what it lacks.
    fn push(&mut self, view: &View, tips: Tips) -> Result<Attempt, OpsError> {
        let (table, record) = view.remote.steps_to(tips);
        let store = self.ctx.store();
        if table.is_none() && record.is_none() && !store.has_works_to_push(self.link)? {
            return Ok(Attempt::Done);
        }
        let turn = store.wait_for_turn(TURN)?;
        let pushed = store.push(self.link, table, record, self.limit)?;
        drop(turn);
        for (result, name) in [
            (&pushed.table, self.link.claims_on_remote()),
            (&pushed.record, self.link.record_on_remote()),
        ] {
            match result {
                None | Some(Pushed::Moved) => {}
                Some(Pushed::Stale | Pushed::Together) => return Ok(Attempt::RemoteMoved),
                Some(Pushed::Refused { reason }) => {
                    let remote = &self.link.name;
                    let refusal = format!("`{remote}` refuses `{name}`: {reason}");
                    warn(self.report, format!("{refusal}; what is here is kept"));
                    self.report.refused = Some(refusal);
                    if name == self.link.claims_on_remote() {
                        return Err(StoreError::RemoteRefuses {
                            remote: remote.clone(),
                            name: name.to_string(),
                            reason: reason.clone(),
                        }
                        .into());
                    }
                }
            }
        }
        Ok(Attempt::Done)
    }
}
