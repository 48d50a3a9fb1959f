//! Landing: bringing approved work onto the landing branch, one lander at a time for the team.
//!
//! What lands is the very tree that was checked, on the tip that was expected, and touches only what
//! the landed work touches. The branch moves by compare-and-swap; what is intended is in the lane's
//! claim before, so that whoever comes after a lander that was killed finishes what it began.

mod bench;
mod bring;
mod circle;
mod lane;
mod line;
mod report;

pub use line::{Awaited, landable, landable_by_daemon};
pub use report::{LandReport, Offer, ReturnedTask};

use std::collections::{BTreeMap, BTreeSet};

use crate::git::{Landing as NewCommits, Oid, Soundness};
use crate::model::agent::AgentKind;
use crate::model::batch::{self, Entry};
use crate::model::id::{IdPrefix, TaskId};
use crate::model::rule::Refusal;
use crate::model::task::Task;
use crate::store::Snapshot;

use super::checks::Step;
use super::landing::{self, Landing};
use super::{Context, OpsError, chain, find, landed, sync};

use bench::Bench;
use bring::Brought;
use lane::Lane;
use line::{Line, Ready};

/// What to land.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// All that is approved, if none is named.
    pub ids: Vec<IdPrefix>,
    /// Only look whether it could land; nothing is checked or moved.
    pub dry_run: bool,
}

/// A task that lands: its submitted commit, and the one it lands as.
#[derive(Debug, Clone, Copy)]
pub struct Lands {
    pub task: TaskId,
    pub head: Oid,
    pub commit: Oid,
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
    let (chosen, mut report) = {
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
        (chosen, report)
    };
    let mut lane = Lane::take(ctx, &report.branch)?;
    let mut lander = Lander {
        ctx,
        chosen,
        watch,
        lane: &mut lane,
        report: &mut report,
        decided: BTreeSet::new(),
    };
    let done = lander.run();
    if let Err(error) = &done {
        lander.despair(error)?;
    }
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
    /// What was named and has not been decided about; everything, if nothing was named.
    chosen: BTreeSet<TaskId>,
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
            let Some(line) = self.undecided(&snapshot, &landing)? else {
                return Ok(());
            };
            self.report.wait(line.waiting);
            let all = line.ready;
            let ready = &all[..all.len().min(settings.land.batch as usize)];
            if ready.is_empty() {
                return Ok(());
            }
            let branch = landing.branch.as_str();
            let mut bench = Bench::new(self.ctx, &snapshot, branch, tip, ready, self.watch)?;
            let entries: Vec<Entry> = ready.iter().map(Ready::entry).collect();
            let outcome = batch::run(&mut bench, tip, &entries)?;
            let returned = bench.returned(&outcome)?;
            self.check_sound(tip, outcome.tip, ready, &outcome.landed)?;
            let landed = with_company(ready, &outcome.landed);
            let brought = match outcome.landed.is_empty() {
                true => Brought::Nothing,
                false => (self.lane).bring(&snapshot, &landing, outcome.tip, &landed)?,
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
                    let ids = landed.iter().map(|it| it.task);
                    self.report.wait(ids.map(|id| (id, waits())).collect());
                    self.give_up(ready)?;
                    self.report.offer = Some(offer);
                    self.lane.record(&[], &returned)?;
                }
                Brought::Nothing => self.lane.record(&[], &returned)?,
                Brought::Moved => {
                    self.report.tip = outcome.tip;
                    self.lane.record(&landed, &returned)?;
                    self.report.land(&landed);
                }
            }
            let settled = landed.iter().map(|it| it.task);
            self.decided
                .extend(settled.chain(returned.iter().map(|it| it.task)));
            self.report.sent_back.extend(returned);
            self.report.note_flaky(&outcome.flaky);
            for flaky in &outcome.flaky {
                let check = flaky.detail.check.as_str();
                self.ctx.store().note_flaky(check)?;
            }
            for (id, below) in outcome.waiting {
                self.decided.insert(id);
                let below: Vec<Awaited> = below.into_iter().map(Awaited::Task).collect();
                self.report.wait(for_all(ready, id, &below));
            }
            if let Some(stopped) = outcome.stopped {
                let reason = bench::reason(&stopped);
                let person = [Awaited::Person(reason.clone())];
                for id in outcome.undecided {
                    self.report.wait(for_all(ready, id, &person));
                }
                // Whatever comes after them would have to be tried with them.
                if self.give_up(&all)? {
                    self.lane.tell_people(&reason)?;
                }
                self.report.stopped = Some(reason);
                return Ok(());
            }
        }
    }

    /// Returns what is left of the line; `None` if all that was named is decided.
    fn undecided(
        &mut self,
        snapshot: &Snapshot,
        landing: &Landing,
    ) -> Result<Option<Line>, OpsError> {
        let mut line = line::line(self.ctx, snapshot, landing)?;
        if !self.chosen.is_empty() {
            // What somebody else has landed meanwhile, or cancelled, is decided as well.
            let mut open = BTreeSet::new();
            for id in self.chosen.difference(&self.decided) {
                let entry = snapshot.entry(*id)?;
                open.extend(entry.filter(|it| it.glance().status.is_open()).map(|_| *id));
            }
            if open.is_empty() {
                return Ok(None);
            }
            line = line::choose(snapshot, line, &open)?;
            self.chosen = open;
        }
        line.set_aside(&self.decided);
        Ok(Some(line))
    }

    /// Notes that these cannot land before a person has done something; tells whether that is new.
    fn give_up(&self, ready: &[Ready]) -> Result<bool, OpsError> {
        let all = ready.iter().flat_map(Ready::all);
        let heads: BTreeSet<String> = all.map(|(_, head)| head.to_string()).collect();
        let store = self.ctx.store();
        let known = store.landing_failed(Some(self.report.tip));
        let is_new = !heads.is_subset(&known);
        store.note_landing_failed(self.report.tip, heads)?;
        Ok(is_new)
    }

    /// Does the same where landing ended with an error that the next attempt would meet again.
    fn despair(&mut self, error: &OpsError) -> Result<(), OpsError> {
        let lasts = matches!(
            error,
            OpsError::Refused(_)
                | OpsError::Unsound { .. }
                | OpsError::NotTaken { .. }
                | OpsError::ChecksFile { .. }
        );
        if !lasts {
            return Ok(());
        }
        let snapshot = self.ctx.store().snapshot()?;
        let landing = landing_of(self.ctx, &snapshot)?;
        let line = line::line(self.ctx, &snapshot, &landing)?;
        if self.give_up(&line.ready)? {
            self.lane.tell_people(&chain(error))?;
        }
        Ok(())
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

/// Returns what landed, with the tasks that landed as the same commit.
fn with_company(ready: &[Ready], landed: &[(TaskId, Oid)]) -> Vec<Lands> {
    let of = |(id, commit): &(TaskId, Oid)| {
        let ready = ready.iter().find(|it| it.task.id == *id);
        let all = ready.into_iter().flat_map(Ready::all);
        let commit = *commit;
        let lands = move |(task, head): (&Task, Oid)| Lands {
            task: task.id,
            head,
            commit,
        };
        all.map(lands).collect::<Vec<_>>()
    };
    landed.iter().flat_map(of).collect()
}

/// Returns what a task waits for, and all that would land with it.
fn for_all(ready: &[Ready], id: TaskId, awaited: &[Awaited]) -> BTreeMap<TaskId, Vec<Awaited>> {
    let ready = ready.iter().find(|it| it.task.id == id);
    let all = ready.into_iter().flat_map(Ready::all);
    all.map(|(task, _)| (task.id, awaited.to_vec())).collect()
}
