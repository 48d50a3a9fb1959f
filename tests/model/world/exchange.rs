//! What a clone does with the remote, and with what waits in its queue.

use std::collections::BTreeSet;
use std::sync::Arc;

use reflectt::model::audit;
use reflectt::model::claim::{CloneId, Table};
use reflectt::model::id::Fence;
use reflectt::model::task::TaskEvent;

use super::{About, Asked, End, Protocol, World};
use crate::deed::{Deed, Granted, What, say};
use crate::law::{Fault, Law};
use crate::version::{Claims, Name, Record, Version, clone_id, task_id};

/// What one push brings.
struct Push {
    version: Version,
    tables: Vec<Table>,
    verdicts: Vec<u64>,
    fences: Vec<(Fence, (Name, usize))>,
    touched: bool,
    broken: BTreeSet<Law>,
}

impl Protocol {
    /// Decides what waits in the queue, in order, and then `deed`, on what the remote has.
    fn push(&self, world: &World, clone: usize, base: Version, deed: Option<Deed>) -> Option<Push> {
        let mut push = Push {
            version: base,
            tables: Vec::new(),
            verdicts: Vec::new(),
            fences: Vec::new(),
            touched: false,
            broken: BTreeSet::new(),
        };
        let here = clone_id(clone);
        let served = push.version.table.served(clone);
        let forgets = deed.is_some() && self.has(Fault::PushReplacesView);
        let waiting = world.clones[clone].queue.iter();
        let waiting = waiting.filter(|asked| !forgets && asked.number > served);
        for (nth, asked) in waiting.enumerate() {
            let base = push.version.clone();
            let meant = About::of(&base, asked.deed.task);
            let same = asked.deed.is_claim() || asked.about.still(&meant);
            let granted = (same || self.has(Fault::RequestsNameNothing))
                .then(|| self.decide(world, clone, &base, asked.deed, asked.nonce, nth as u64))
                .flatten();
            match granted {
                Some(granted) => {
                    if !same {
                        push.broken.insert(Law::OnlyWhatWasMeant);
                    }
                    push.add(asked.deed, granted);
                }
                None => {
                    let stamp = self.stamp(world, clone, None, nth as u64 * 10 + 9);
                    let letter = (stamp, asked.deed.who, asked.deed.task);
                    push.version.record = base.record.with(&[], &[letter]);
                    push.change_table(|table| table.epoch = table.next_epoch());
                }
            }
            push.verdicts.push(asked.number);
            push.decided(self, here.clone());
        }
        if let Some(deed) = deed {
            let nonce = self.nonce(world, clone);
            let granted = self.decide(world, clone, &push.version, deed, nonce, 50)?;
            push.add(deed, granted);
            // Should its answer be lost, it becomes a request: the table knows that one by then.
            if self.may_wait(deed) {
                push.verdicts.push(world.clones[clone].asked + 1);
            }
            push.decided(self, here);
        }
        Some(push)
    }

    /// One exchange that decides: on what was last seen, or after a fetch. Tells whether
    /// anything was decided.
    pub fn exchange(&self, world: &mut World, at: usize, deed: Option<Deed>, end: End) -> bool {
        let seen = world.clones[at].seen.clone();
        let stale = (seen != world.remote).then_some(seen);
        for seen in stale.into_iter().chain([world.remote.clone()]) {
            let record = world.clones[at].here.record.merge(&seen.record);
            let table = seen.table.clone();
            let base = Version { record, table };
            let Some(push) = self.push(world, at, base, deed) else {
                continue;
            };
            let record_alone = self.has(Fault::RecordAlone) && !push.touched;
            let leases = record_alone
                || (seen.table == world.remote.table
                    && (self.has(Fault::TableAlone) || seen.record == world.remote.record));
            if leases {
                self.publish(world, at, push, record_alone, end);
                if let Some(deed) = deed.filter(|deed| self.may_wait(*deed) && !record_alone) {
                    let number = world.clones[at].asked + 1;
                    world.clones[at].asked = number;
                    if end == End::Lost {
                        self.ask(world, at, deed, Some(number));
                    }
                }
                return true;
            }
        }
        false
    }

    fn publish(&self, world: &mut World, at: usize, push: Push, record_alone: bool, end: End) {
        let site = &mut world.clones[at];
        if record_alone {
            site.here.record = push.version.record.undecided_since(&site.here.record);
            return;
        }
        world.broken.extend(push.broken);
        let versions: Vec<Table> = [(*world.remote.table.0).clone()]
            .into_iter()
            .chain(push.tables)
            .collect();
        let sound = audit::one_holder(&versions).is_ok()
            && audit::disjoint_paths(&versions, &[]).is_ok()
            && audit::within_limits(&versions, |_| 1).is_ok();
        if !sound {
            world.broken.insert(Law::OneHolder);
        }
        for number in push.verdicts {
            if !world.verdicts.insert((at, number)) {
                world.broken.insert(Law::DecidedOnce);
            }
        }
        for (fence, claim) in push.fences {
            world.told(fence, claim);
        }
        let version = push.version;
        world.remote.table = version.table.clone();
        if !self.has(Fault::TableAlone) {
            world.remote.record = version.record.clone();
        }
        let site = &mut world.clones[at];
        match end {
            End::Lost => {}
            End::Torn => {
                site.here.table = version.table.clone();
                site.seen.table = version.table;
            }
            End::Answered | End::Kept => {
                site.seen = world.remote.clone();
                site.here = version;
                if end == End::Answered {
                    site.queue.clear();
                }
            }
        }
    }

    /// Exchanges what decides nothing, and serves the queue. Tells whether anything changed.
    pub fn sync(&self, world: &mut World, at: usize, end: End) -> bool {
        let site = &world.clones[at];
        let served = world.remote.table.served(at);
        if site.queue.iter().any(|asked| asked.number > served) {
            return self.exchange(world, at, None, end);
        }
        let record = site.here.record.merge(&world.remote.record);
        let version = Version {
            record,
            table: world.remote.table.clone(),
        };
        let site = &mut world.clones[at];
        let idle = site.here == version && site.seen == version && site.queue.is_empty();
        if idle && world.remote == version {
            return false;
        }
        world.remote = version.clone();
        (site.here, site.seen) = (version.clone(), version);
        site.queue.clear();
        true
    }

    /// What a clone shows while its requests wait: they are decided on what it has.
    fn view(&self, world: &World, at: usize) -> Version {
        let site = &world.clones[at];
        let mut view = site.here.clone();
        if self.has(Fault::ProvisionalIsShared) {
            return view;
        }
        let served = view.table.served(at);
        let waiting = site.queue.iter().filter(|asked| asked.number > served);
        for (nth, asked) in waiting.enumerate() {
            let granted = self.decide(world, at, &view, asked.deed, asked.nonce, 60 + nth as u64);
            if let Some(granted) = granted {
                view = granted.version;
            }
        }
        view
    }

    pub fn ask(&self, world: &mut World, at: usize, deed: Deed, number: Option<u64>) -> bool {
        let view = self.view(world, at);
        let nonce = self.nonce(world, at);
        let Some(granted) = self.decide(world, at, &view, deed, nonce, 50) else {
            return false;
        };
        if let Some(fence) = granted.fence.filter(|_| self.has(Fault::FenceOfTheView)) {
            world.told(fence, (deed.who, deed.task));
        }
        let mut about = About::of(&view, deed.task);
        let site = &mut world.clones[at];
        let known = site.here.record.task(deed.task).submission.as_ref();
        about.submission = about
            .submission
            .filter(|stamp| known.is_some_and(|(id, _)| id == stamp));
        let number = number.unwrap_or(site.asked + 1);
        site.asked = number;
        site.queue.push(Asked {
            number,
            deed,
            nonce,
            about,
        });
        if self.has(Fault::ProvisionalIsShared) {
            let record = granted.version.record.undecided_since(&site.here.record);
            site.here = Version {
                record,
                ..granted.version
            };
        }
        true
    }

    /// Lets everybody exchange, and compares.
    pub fn settle(&self, world: &World) -> BTreeSet<Law> {
        let mut world = world.clone();
        for _ in 0..2 {
            for at in 0..world.clones.len() {
                self.sync(&mut world, at, End::Answered);
            }
        }
        self.judge(&mut world);
        for (at, site) in world.clones.iter().enumerate() {
            if site.here != world.remote {
                world.broken.insert(Law::AllAgree);
            }
            if (1..=site.asked).any(|number| !world.verdicts.contains(&(at, number))) {
                world.broken.insert(Law::DecidedOnce);
            }
        }
        if !world.remote.record.agrees_with(&world.remote.table.0) {
            world.broken.insert(Law::AllAgree);
        }
        world.broken
    }

    pub fn judge(&self, world: &mut World) {
        if world.remote.record.has_void() {
            world.broken.insert(Law::NothingConfirmedIsVoid);
        }
        let clones = world.clones.iter().map(|site| &site.here.record);
        if clones.chain([&world.remote.record]).any(Record::clashed) {
            world.broken.insert(Law::NothingVanishes);
        }
    }

    pub fn say(&self, world: &mut World, at: usize, deed: Deed, kind: TaskEvent) -> bool {
        let stamp = |after| self.stamp(world, at, after, 0);
        let said = say(&world.clones[at].here, deed, kind, &stamp);
        said.map(|version| world.clones[at].here = version)
            .is_some()
    }
}

impl About {
    fn of(version: &Version, task: usize) -> About {
        let claim = version.table.0.claims.get(&task_id(task));
        let submission = version.record.task(task).submission.as_ref();
        About {
            claim: claim.map(|claim| claim.nonce),
            submission: submission.map(|(stamp, _)| *stamp),
        }
    }

    /// Tells whether `now` still has what was asked about.
    fn still(&self, now: &About) -> bool {
        let submission = self.submission.is_none() || self.submission == now.submission;
        self.claim == now.claim && submission
    }
}

impl Push {
    fn add(&mut self, deed: Deed, granted: Granted) {
        self.fences
            .extend(granted.fence.map(|fence| (fence, deed.receiver())));
        self.touched |= granted.touched;
        self.broken.extend(granted.broken);
        self.version = granted.version;
    }

    /// Notes in the table which request was the last, and keeps that version.
    fn decided(&mut self, protocol: &Protocol, clone: CloneId) {
        if let Some(number) = self.verdicts.last().copied()
            && !protocol.has(Fault::ServedIsNotWritten)
        {
            self.change_table(|table| {
                table.served.insert(clone, number);
            });
        }
        self.tables.push((*self.version.table.0).clone());
    }

    fn change_table(&mut self, change: impl FnOnce(&mut Table)) {
        let mut table = (*self.version.table.0).clone();
        change(&mut table);
        self.version.table = Claims(Arc::new(table));
    }
}

impl Deed {
    /// A claim is about a task that may be anybody's; all else is about what somebody has.
    fn is_claim(self) -> bool {
        matches!(self.what, What::Claim)
    }

    fn receiver(self) -> (Name, usize) {
        match self.what {
            What::HandOff(to) => (to, self.task),
            _ => (self.who, self.task),
        }
    }

    pub fn reviewer(self) -> Option<Name> {
        match self.what {
            What::Reviewer(to) => Some(to),
            _ => None,
        }
    }
}
