//! Landing: bringing approved work onto the landing branch, one lander at a time for the team.
//!
//! What lands is the very tree that was checked, on the tip that was expected, and touches only what
//! the landed work touches. The branch moves by compare-and-swap; what is intended is in the lane's
//! claim before, so that whoever comes after a lander that was killed finishes what it began.

mod bench;
mod bring;
mod knots;
mod lane;
mod line;
mod report;

pub use line::{Awaited, landable, landable_by_daemon};
pub use report::{LandReport, Offer, ReturnedTask};

use std::collections::BTreeSet;

use crate::git::{Landing as NewCommits, Oid, Soundness};
use crate::model::agent::AgentKind;
use crate::model::batch::{self, Entry};
use crate::model::id::{IdPrefix, TaskId};
use crate::model::rule::Refusal;
use crate::store::Snapshot;

use super::checks::Step;
use super::landing::{self, Landing};
use super::{Context, OpsError, find, landed, sync};

use bench::Bench;
use bring::Brought;
use lane::Lane;
use line::Ready;

/// What to land.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// All that is approved, if none is named.
    pub ids: Vec<IdPrefix>,
    /// Only look whether it could land; nothing is checked or moved.
    pub dry_run: bool,
}

/// How often the branch may move under a lander before it gives up.
const TIMES: u32 = 30;

/// Lands what is approved, or what is named of it.
///
/// # Errors
///
/// [`OpsError::Held`] if somebody else lands; [`OpsError::Nothing`] if there is nothing to land.
pub fn land(ctx: &Context, wish: &Wish, watch: &dyn Fn(Step)) -> Result<LandReport, OpsError> {
    catch_up(ctx)?;
    let mut report = {
        let snapshot = ctx.store().snapshot()?;
        may_land(ctx, &snapshot)?;
        let chosen = chosen(&snapshot, wish)?;
        let landing = landing_of(ctx, &snapshot)?;
        let tip = tip_of(&landing)?;
        let mut report = LandReport::new(landing.branch.clone(), tip);
        let line = line::line(ctx, &snapshot, &landing)?;
        let line = line::choose(&snapshot, line, &chosen)?;
        report.waiting = line.waiting;
        if wish.dry_run {
            bench::preview(ctx, &snapshot, tip, &line.ready, &mut report)?;
            return Ok(report);
        }
        if line.ready.is_empty() {
            return match report.waiting.is_empty() {
                true => Err(OpsError::Nothing(
                    "nothing that is approved waits to land".to_owned(),
                )),
                false => Ok(report),
            };
        }
        report
    };
    let mut lane = Lane::take(ctx, &report.branch)?;
    let done = Lander {
        ctx,
        wish,
        watch,
        lane: &mut lane,
        report: &mut report,
        decided: BTreeSet::new(),
    }
    .run();
    let left = lane.leave();
    done.and(left)?;
    Ok(report)
}

/// Learns what others have done: what has landed need not be landed again.
fn catch_up(ctx: &Context) -> Result<(), OpsError> {
    if let Some(link) = ctx.store().link() {
        if ctx.is_offline() {
            let reason = "only it can decide this".to_owned();
            let remote = link.name;
            return Err(OpsError::Unreachable { remote, reason });
        }
        sync::ask(ctx, &link)?;
        sync::follow(ctx, &link)?;
    }
    landed::notice(ctx)?;
    Ok(())
}

fn may_land(ctx: &Context, snapshot: &Snapshot) -> Result<(), OpsError> {
    let settings = snapshot.settings()?;
    let Some(me) = ctx.identity() else {
        // A daemon, which the team has let land.
        return Ok(());
    };
    let seat = ctx.my_seat(snapshot)?;
    match settings.land.by_humans && seat.kind != AgentKind::Human {
        true => Err(Refusal::Humans { by: me.clone() }.into()),
        false => Ok(()),
    }
}

fn landing_of(ctx: &Context, snapshot: &Snapshot) -> Result<Landing, OpsError> {
    landing::of(ctx, snapshot)?.ok_or(OpsError::NoLandingBranch { name: None })
}

fn tip_of(landing: &Landing) -> Result<Oid, OpsError> {
    landing.tip.ok_or_else(|| OpsError::NoLandingBranch {
        name: Some(landing.branch.clone()),
    })
}

/// Returns the tasks that were named.
fn chosen(snapshot: &Snapshot, wish: &Wish) -> Result<BTreeSet<TaskId>, OpsError> {
    wish.ids
        .iter()
        .map(|id| find::task_id(snapshot, id))
        .collect()
}

/// One run of `land`, with the lane its own.
struct Lander<'l, 'c> {
    ctx: &'c Context,
    wish: &'l Wish,
    watch: &'l dyn Fn(Step<'_>),
    lane: &'l mut Lane<'c>,
    report: &'l mut LandReport,
    /// What needs no second look: it has landed, was sent back, or waits for somebody.
    decided: BTreeSet<TaskId>,
}

impl Lander<'_, '_> {
    fn run(&mut self) -> Result<(), OpsError> {
        let mut moved = 0;
        loop {
            let snapshot = self.ctx.store().snapshot()?;
            let settings = snapshot.settings()?;
            let landing = landing_of(self.ctx, &snapshot)?;
            let tip = tip_of(&landing)?;
            self.report.tip = tip;
            let line = line::line(self.ctx, &snapshot, &landing)?;
            let chosen = chosen(&snapshot, self.wish)?;
            let mut line = line::choose(&snapshot, line, &chosen)?;
            line.ready
                .retain(|ready| !self.decided.contains(&ready.task.id));
            self.report.wait(line.waiting);
            line.ready.truncate(settings.land.batch as usize);
            let ready = line.ready;
            if ready.is_empty() {
                return Ok(());
            }
            let branch = landing.branch.as_str();
            let mut bench = Bench::new(self.ctx, &snapshot, branch, tip, &ready, self.watch)?;
            let entries: Vec<Entry> = ready.iter().map(Ready::entry).collect();
            let outcome = batch::run(&mut bench, tip, &entries)?;
            let returned = bench.returned(&outcome)?;
            self.check_sound(tip, outcome.tip, &ready, &outcome.landed)?;
            let brought = match outcome.landed.is_empty() {
                true => Brought::Nothing,
                false => self.lane.bring(&snapshot, &landing, &ready, &outcome)?,
            };
            match brought {
                Brought::Again => {
                    moved += 1;
                    if moved > TIMES {
                        return Err(OpsError::Nothing(format!(
                            "`{}` moved {TIMES} times while its next state was checked",
                            landing.branch
                        )));
                    }
                    catch_up(self.ctx)?;
                    continue;
                }
                Brought::Offered(offer) => {
                    let waits = || vec![Awaited::Branch(offer.branch.clone())];
                    let ids = outcome.landed.iter().map(|(id, _)| *id);
                    self.report.wait(ids.map(|id| (id, waits())).collect());
                    self.decided
                        .extend(outcome.landed.iter().map(|(id, _)| *id));
                    self.give_up(tip, &ready)?;
                    self.report.offer = Some(offer);
                    self.lane.record(&[], &returned)?;
                }
                Brought::Nothing => self.lane.record(&[], &returned)?,
                Brought::Moved => {
                    self.report.tip = outcome.tip;
                    let landed: Vec<(TaskId, Oid)> = outcome.landed.clone();
                    self.lane.record(&landed, &returned)?;
                    self.report.landed.extend(landed);
                }
            }
            let settled = outcome.landed.iter().map(|(id, _)| *id);
            self.decided
                .extend(settled.chain(returned.iter().map(|it| it.task)));
            self.report.sent_back.extend(returned);
            self.report.note_flaky(&outcome.flaky);
            for (id, below) in outcome.waiting {
                self.decided.insert(id);
                let below = below.into_iter().map(Awaited::Task).collect();
                self.report.wait([(id, below)].into());
            }
            if let Some(stopped) = outcome.stopped {
                let reason = bench::reason(&stopped);
                let waits = |id: &TaskId| (*id, vec![Awaited::Person(reason.clone())]);
                self.report
                    .wait(outcome.undecided.iter().map(waits).collect());
                self.give_up(tip, &ready)?;
                self.report.stopped = Some(reason);
                return Ok(());
            }
        }
    }

    /// Notes that these cannot land before a person has done something.
    fn give_up(&self, tip: Oid, ready: &[Ready]) -> Result<(), OpsError> {
        let heads: Vec<String> = ready.iter().map(|it| it.head.to_string()).collect();
        Ok(self.ctx.store().note_landing_failed(Some(tip), &heads)?)
    }

    /// Checks what must be true of what lands, before the branch moves.
    fn check_sound(
        &self,
        tip: Oid,
        new: Oid,
        ready: &[Ready],
        landed: &[(TaskId, Oid)],
    ) -> Result<(), OpsError> {
        let lands = |it: &&Ready| landed.iter().any(|(id, _)| *id == it.task.id);
        let pieces: Vec<(Oid, &[Oid])> = (ready.iter().filter(lands))
            .map(|it| (it.head, it.own.as_slice()))
            .collect();
        let pieces = pieces.as_slice();
        if tip == new {
            return Ok(());
        }
        match self
            .ctx
            .repo()
            .soundness(&NewCommits { tip, new, pieces })?
        {
            Soundness::Sound => Ok(()),
            Soundness::NotOnTip => Err(OpsError::Unsound {
                detail: "what was made is not built on the landing branch".to_owned(),
            }),
            Soundness::Beyond { paths } => {
                let paths = paths
                    .iter()
                    .map(|it| String::from_utf8_lossy(it).into_owned());
                Err(OpsError::Unsound {
                    detail: format!(
                        "what was made changes what none of the work does: {}",
                        paths.collect::<Vec<_>>().join(", ")
                    ),
                })
            }
        }
    }
}
