//! Clones, one remote, and every step that they can take.
//!
//! A decision reads only what its clone has, and what others do does not change that; so a
//! decision and its push are one step, made when the push arrives: either on what the clone last
//! saw of the remote, if the leases still hold, or on what it fetches after they failed. The
//! answer changes only the clone itself, so a lost one and a crash on the way are ends of the same
//! step.

mod exchange;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use reflectt::model::claim::{Claim, Table};
use reflectt::model::id::{Fence, Stamp};
use reflectt::model::time::{Span, Timestamp};
use stateright::{Model, Property};

use super::deed::{Deed, Desk, Granted, What, comment, decide, reviewer};
use super::law::{Fault, Law};
use super::version::{Claims, Name, Order, Record, Version, clone_id, number};

/// An agent in a clone.
pub type Seat = (Name, usize);

/// How large the world is, what happens in it, and which mends are taken out.
#[derive(Clone)]
pub struct Protocol {
    pub seats: Vec<Seat>,
    /// How far the clock of each clone is off, in seconds.
    pub clocks: Vec<i64>,
    /// How far off the clock was that created the tasks.
    pub founded: i64,
    pub paths: Vec<&'static str>,
    pub deeds: Vec<What>,
    pub limits: Limits,
    pub faults: Vec<Fault>,
}

/// How often something happens at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Limits {
    pub steps: u8,
    pub requests: u8,
    pub crashes: u8,
    pub comments: u8,
    pub sleeps: u8,
}

#[derive(Debug, Clone, PartialEq)]
pub struct World {
    remote: Version,
    clones: Vec<Site>,
    /// Agents that gave no sign of life for longer than a claim lasts.
    asleep: BTreeSet<Name>,
    left: Limits,
    verdicts: BTreeSet<(usize, u64)>,
    /// The fences that agents were told, with the claim.
    fences: BTreeMap<Fence, (Name, usize)>,
    pub broken: BTreeSet<Law>,
}

/// What a clone has.
#[derive(Debug, Clone, PartialEq, Hash)]
struct Site {
    here: Version,
    /// The remote's refs as last seen.
    seen: Version,
    queue: Vec<Asked>,
    asked: u64,
}

/// A request in the queue of a clone.
#[derive(Debug, Clone, Copy, PartialEq, Hash)]
struct Asked {
    number: u64,
    deed: Deed,
    nonce: u64,
    about: About,
}

/// What somebody had before its eyes that asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Hash)]
struct About {
    /// The claim, by its nonce: one that is itself still in the queue has no fence.
    claim: Option<u64>,
    /// The submission, if it is in the record.
    submission: Option<Stamp>,
}

/// How an exchange ends for the clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    Answered,
    /// The remote moved, and the clone does not know.
    Lost,
    /// It dies between the table's ref and the record's.
    Torn,
    /// It dies before it removes from its queue what was decided.
    Kept,
}

const ENDS: [End; 4] = [End::Answered, End::Lost, End::Torn, End::Kept];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Do(usize, Deed, End),
    /// Asks without the remote.
    Ask(usize, Deed),
    Comment(usize, Name, usize),
    Sync(usize, End),
    Sleep(Name),
}

impl Protocol {
    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// Tells whether a deed whose outcome is not known becomes a request.
    fn may_wait(&self, deed: Deed) -> bool {
        self.limits.requests > 0 && deed.what != What::Expire
    }

    fn order(&self) -> Order {
        match self.has(Fault::OrderOfStamps) {
            true => Order::Stamps,
            false => Order::Decided,
        }
    }

    fn names(&self) -> BTreeSet<Name> {
        self.seats.iter().map(|(name, _)| *name).collect()
    }

    fn others(&self, who: Name) -> impl Iterator<Item = Name> {
        self.names().into_iter().filter(move |name| *name != who)
    }

    fn second(&self, world: &World) -> u8 {
        self.limits.steps - world.left.steps
    }

    fn clock(&self, world: &World, clone: usize) -> Timestamp {
        let seconds = 1000 + self.clocks[clone] + i64::from(self.second(world));
        Timestamp(seconds * 1000)
    }

    /// Draws an id; `nth` tells those of one moment apart.
    fn stamp(&self, world: &World, clone: usize, after: Option<Stamp>, nth: u64) -> Stamp {
        let seed = (u64::from(self.second(world)) * 8 + clone as u64) * 1000 + nth;
        let mut rng = fastrand::Rng::with_seed(seed);
        let now = self.clock(world, clone);
        match after.filter(|after| after.at() >= now) {
            Some(after) if self.has(Fault::NextNumber) => Stamp::from_bits(after.to_bits() + 1),
            Some(after) => Stamp::new(after.at().plus(Span::from_millis(1)), &mut rng, None),
            None => Stamp::new(now, &mut rng, None),
        }
    }

    /// Decides at a clone; `nth` tells the decisions of one step apart.
    fn decide(
        &self,
        world: &World,
        clone: usize,
        base: &Version,
        deed: Deed,
        nonce: u64,
        nth: u64,
    ) -> Option<Granted> {
        let expired = |claim: &Claim| {
            let holder = number(&claim.agent);
            let here = claim.clone == clone_id(clone) && !self.seats.contains(&(holder, clone));
            here || world.asleep.contains(&holder)
        };
        let home = |to: Name| match self.has(Fault::CloneOfTheGiver) {
            true => clone,
            false => self
                .seats
                .iter()
                .find(|(name, _)| *name == to)
                .map_or(clone, |seat| seat.1),
        };
        let desk = Desk {
            clone,
            now: self.clock(world, clone),
            expired: &expired,
            alive: &|name| !world.asleep.contains(&name),
            home: &home,
            stamp: &|after, at| self.stamp(world, clone, after, nth * 10 + at),
            nonce,
        };
        decide(base, deed, &desk)
    }

    fn nonce(&self, world: &World, clone: usize) -> u64 {
        u64::from(self.second(world)) * 8 + clone as u64 + 1
    }

    /// Everything that an agent may try, legal or not.
    fn deeds(&self, seat: Seat) -> Vec<Deed> {
        let mut deeds = Vec::new();
        for task in 0..self.paths.len() {
            for what in &self.deeds {
                let mut add = |what| {
                    deeds.push(Deed {
                        who: seat.0,
                        task,
                        what,
                    });
                };
                match what {
                    What::HandOff(_) => self.others(seat.0).for_each(|to| add(What::HandOff(to))),
                    What::Reviewer(_) => self.others(seat.0).for_each(|to| add(What::Reviewer(to))),
                    What::Submit(_) => self.others(seat.0).for_each(|to| add(What::Submit(to))),
                    What::Expire if task > 0 => {}
                    what => add(*what),
                }
            }
        }
        deeds
    }
}

impl World {
    /// An agent was told this fence, and may write it into its commits.
    fn told(&mut self, fence: Fence, claim: (Name, usize)) {
        if self
            .fences
            .insert(fence, claim)
            .is_some_and(|before| before != claim)
        {
            self.broken.insert(Law::OneFenceOneClaim);
        }
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Not how many steps are left: the first to arrive has the most.
        let left = Limits {
            steps: 0,
            ..self.left
        };
        (&self.remote, &self.clones, &self.asleep, left).hash(state);
        (&self.verdicts, &self.fences, &self.broken).hash(state);
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let at = Timestamp((900 + self.founded) * 1000);
        let record = Record::founded(&self.paths, at, self.order());
        let table = Claims(Arc::new(Table {
            epoch: 1,
            ..Table::default()
        }));
        let version = Version { record, table };
        let site = Site {
            here: version.clone(),
            seen: version.clone(),
            queue: Vec::new(),
            asked: 0,
        };
        vec![World {
            remote: version,
            clones: vec![site; self.clocks.len()],
            asleep: BTreeSet::new(),
            left: self.limits,
            verdicts: BTreeSet::new(),
            fences: BTreeMap::new(),
            broken: BTreeSet::new(),
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.left.steps == 0 {
            return;
        }
        let ends = |at: usize| {
            let crash = world.left.crashes > 0;
            let waiting = !world.clones[at].queue.is_empty();
            ENDS.into_iter().filter(move |end| match end {
                End::Answered => true,
                End::Kept => crash && waiting,
                End::Lost | End::Torn => crash,
            })
        };
        for &(who, at) in &self.seats {
            for deed in self.deeds((who, at)) {
                steps.extend(ends(at).map(|end| Step::Do(at, deed, end)));
                if world.left.requests > 0 && deed.what != What::Expire {
                    steps.push(Step::Ask(at, deed));
                }
            }
            if world.left.comments > 0 {
                let tasks = 0..self.paths.len();
                steps.extend(tasks.map(|task| Step::Comment(at, who, task)));
            }
        }
        for at in 0..world.clones.len() {
            steps.extend(ends(at).map(|end| Step::Sync(at, end)));
        }
        if world.left.sleeps > 0 {
            steps.extend(self.names().into_iter().map(Step::Sleep));
        }
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        let done = match step {
            Step::Do(at, deed, End::Answered)
                if self.has(Fault::ReviewerIsFree) && deed.reviewer().is_some() =>
            {
                self.say(&mut world, at, deed, reviewer(deed.reviewer()?))
            }
            Step::Do(at, deed, end) => {
                if deed.what != What::Expire {
                    world.asleep.remove(&deed.who);
                }
                world.left.crashes -= u8::from(end != End::Answered);
                self.exchange(&mut world, at, Some(deed), end)
            }
            Step::Ask(at, deed) => {
                world.asleep.remove(&deed.who);
                world.left.requests -= 1;
                self.ask(&mut world, at, deed, None)
            }
            Step::Comment(at, who, task) => {
                world.left.comments -= 1;
                let deed = Deed {
                    who,
                    task,
                    what: What::Claim,
                };
                self.say(&mut world, at, deed, comment())
            }
            Step::Sync(at, end) => {
                world.left.crashes -= u8::from(end != End::Answered);
                self.sync(&mut world, at, end)
            }
            Step::Sleep(name) => {
                world.left.sleeps -= 1;
                world.asleep.insert(name)
            }
        };
        if !done {
            return None;
        }
        world.left.steps -= 1;
        self.judge(&mut world);
        let settled = self.settle(&world);
        world.broken.extend(settled);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Protocol>> {
        macro_rules! laws {
            ($($law:ident)*) => {
                vec![$(Property::always(Law::$law.name(), |_, world: &World| {
                    !world.broken.contains(&Law::$law)
                })),*]
            };
        }
        laws![
            OneHolder NothingEndsUntold NothingConfirmedIsVoid OneFenceOneClaim DecidedOnce
            OnlyWhatWasMeant TheLivingStay NothingVanishes AllAgree
        ]
    }
}
