//! One version of the two refs: the record and the claims table, made of the crate's own values.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use reflectt::model::claim::{CloneId, Table};
use reflectt::model::event::{Decided, Event, Log};
use reflectt::model::id::{Stamp, TaskId};
use reflectt::model::mend;
use reflectt::model::merge::merge_tasks;
use reflectt::model::name::{AgentName, Author};
use reflectt::model::task::{Draft, Folded, Task, TaskEvent, TaskLog};
use reflectt::model::time::Timestamp;

/// The number of an agent; two seats with one number are one name in two clones.
pub type Name = usize;

const NAMES: [&str; 3] = ["kai", "link", "ryu"];

pub fn name(number: Name) -> AgentName {
    NAMES[number].parse().unwrap()
}

pub fn number(name: &AgentName) -> Name {
    NAMES
        .iter()
        .position(|text| *text == name.as_str())
        .unwrap()
}

pub fn task_id(task: usize) -> TaskId {
    ["xxxxxx", "yyyyyy"][task].parse().unwrap()
}

pub fn clone_id(clone: usize) -> CloneId {
    format!("{clone:012x}").parse().unwrap()
}

/// What a task's file says of the order: as it is built, or as version 0.1 wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    Decided,
    Stamps,
}

/// A message: to whom, about which task. The stamp tells two of them apart.
pub type Letter = (Stamp, Name, usize);

/// One version of the record.
#[derive(Clone, PartialEq, Hash)]
pub struct Record {
    tasks: Arc<Vec<Arc<Story>>>,
    mail: Arc<BTreeSet<Letter>>,
    order: Order,
    /// Two events under one id met in a merge, and one of them is gone.
    clash: bool,
}

/// A task's log and what it folds into.
struct Story {
    log: TaskLog,
    folded: Folded,
    /// Tells it from others; the sum over its events.
    print: u64,
}

impl Record {
    /// A record with a task for each of `paths`, created at `at`.
    pub fn founded(paths: &[&str], at: Timestamp, order: Order) -> Record {
        let created = |(task, path): (usize, &&str)| {
            let draft = Draft {
                title: "a task".to_owned(),
                done_criteria: vec!["the tests pass".to_owned()],
                paths: vec![path.parse().unwrap()],
                ..Draft::default()
            };
            let stamp = Stamp::new(at, &mut fastrand::Rng::with_seed(task as u64), None);
            let log = TaskLog::created(task_id(task), stamp, Author::from(&name(0)), draft);
            Story::of(log, order)
        };
        Record {
            tasks: Arc::new(paths.iter().enumerate().map(created).collect()),
            mail: Arc::default(),
            order,
            clash: false,
        }
    }

    pub fn task(&self, task: usize) -> &Task {
        &self.tasks[task].folded.task
    }

    pub fn last(&self, task: usize) -> Option<Stamp> {
        self.tasks[task].log.log.last()
    }

    pub fn clashed(&self) -> bool {
        self.clash
    }

    #[must_use]
    pub fn with(&self, added: &[Happening], letters: &[Letter]) -> Record {
        let mut record = self.clone();
        for (task, story) in Arc::make_mut(&mut record.tasks).iter_mut().enumerate() {
            let mut own = added.iter().filter(|it| it.task == task).peekable();
            if own.peek().is_some() {
                let mut log = story.log.clone();
                for it in own {
                    log.log
                        .push_decided(it.stamp, it.by.clone(), it.kind.clone(), it.decided);
                }
                *story = Story::of(log, self.order);
            }
        }
        if !letters.is_empty() {
            Arc::make_mut(&mut record.mail).extend(letters);
        }
        record
    }

    /// Returns this record as version 0.1 wrote it: what is not in `base` has no place in the order.
    #[must_use]
    pub fn undecided_since(&self, base: &Record) -> Record {
        let mut record = self.clone();
        for (story, known) in Arc::make_mut(&mut record.tasks)
            .iter_mut()
            .zip(&*base.tasks)
        {
            let mut log = known.log.clone();
            for (stamp, event) in story
                .log
                .log
                .iter()
                .filter(|(stamp, _)| known.log.log.get(*stamp).is_none())
            {
                log.log.push(stamp, event.by.clone(), event.kind.clone());
            }
            *story = Story::of(log, self.order);
        }
        record
    }

    #[must_use]
    pub fn merge(&self, other: &Record) -> Record {
        if self == other {
            return self.clone();
        }
        let mut record = self.clone();
        for (ours, theirs) in Arc::make_mut(&mut record.tasks)
            .iter_mut()
            .zip(&*other.tasks)
        {
            if ours == theirs {
                continue;
            }
            let differs = |(stamp, event)| ours.log.log.get(stamp).is_some_and(|it| it != event);
            record.clash |= theirs.log.log.iter().any(differs);
            let merged = merge_tasks(ours.log.clone(), theirs.log.clone());
            *ours = Story::of(merged, self.order);
        }
        record.clash |= other.clash;
        if record.mail != other.mail {
            Arc::make_mut(&mut record.mail).extend(other.mail.iter());
        }
        record
    }

    /// Tells whether an event that was confirmed has no effect, or one that changes who may do what.
    pub fn has_void(&self) -> bool {
        self.tasks.iter().any(|story| {
            let mut void = story.folded.void.iter();
            void.any(|(stamp, _)| {
                story
                    .log
                    .log
                    .get(*stamp)
                    .is_some_and(|it| it.decided.is_some() || it.kind.decides())
            })
        })
    }

    /// Tells whether table and record say the same of who holds what.
    pub fn agrees_with(&self, table: &Table) -> bool {
        let tasks = || self.tasks.iter().map(|story| &story.folded.task);
        let closed = |id| tasks().any(|task| task.id == id && !task.status.is_open());
        let open = tasks().filter(|task| task.status.is_open());
        mend::compare(table, open, closed).is_empty()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for story in &*self.tasks {
            write!(f, "{} {}:", story.log.id, story.folded.task.status)?;
            for (stamp, event) in story.log.log.in_order() {
                let void = story.folded.void.iter().any(|(id, _)| *id == stamp);
                let void = if void { " VOID" } else { "" };
                let epoch = event.decided.map_or(0, |decided| decided.epoch);
                write!(f, " {}/{}@{epoch}{void}", event.by, event.kind.name())?;
            }
            f.write_str("; ")?;
        }
        write!(f, "{} messages", self.mail.len())
    }
}

impl Story {
    /// Folds a log in the order that there is, or as if no event had said where it stands.
    fn of(log: TaskLog, order: Order) -> Arc<Story> {
        let folded = match order {
            Order::Decided => log.fold(),
            Order::Stamps => {
                let mut plain = TaskLog {
                    id: log.id,
                    log: Log::default(),
                };
                for (stamp, event) in log.log.iter() {
                    plain.log.push(stamp, event.by.clone(), event.kind.clone());
                }
                plain.fold()
            }
        };
        let folded = folded.expect("every task was created");
        let print = log.log.iter().map(print).fold(0, u64::wrapping_add);
        Arc::new(Story { log, folded, print })
    }
}

/// Returns what tells an event from others.
fn print((stamp, event): (Stamp, &Event<TaskEvent>)) -> u64 {
    let mut print = Print(DefaultHasher::new());
    let place = event.decided.map(|it| (it.epoch, it.under));
    (stamp, event.by.as_str(), place, event.kind.name()).hash(&mut print.0);
    // The others are told apart by that.
    let says_more = matches!(
        event.kind,
        TaskEvent::Claimed { .. }
            | TaskEvent::HandedOff { .. }
            | TaskEvent::Lapsed { .. }
            | TaskEvent::Edited(_)
            | TaskEvent::Submitted(_)
    );
    if says_more {
        fmt::write(&mut print, format_args!("{:?}", event.kind)).unwrap();
    }
    print.0.finish()
}

impl PartialEq for Story {
    fn eq(&self, other: &Story) -> bool {
        self.print == other.print
    }
}

impl Hash for Story {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.print.hash(state);
    }
}

struct Print(DefaultHasher);

impl fmt::Write for Print {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// An event on its way into a record.
#[derive(Debug, Clone)]
pub struct Happening {
    pub task: usize,
    pub stamp: Stamp,
    pub by: Author,
    pub kind: TaskEvent,
    pub decided: Option<Decided>,
}

/// One version of the claims table.
#[derive(Clone, PartialEq)]
pub struct Claims(pub Arc<Table>);

impl Claims {
    /// Returns the number of the last request of a clone that was decided.
    pub fn served(&self, clone: usize) -> u64 {
        let served = self.0.served.get(&clone_id(clone));
        served.copied().unwrap_or_default()
    }
}

impl Hash for Claims {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let table = &self.0;
        (table.epoch, table.fence, &table.served).hash(state);
        for claim in table.claims.values() {
            let who = (claim.id, &claim.agent, &claim.clone);
            (who, claim.phase as u8, claim.fence, claim.nonce).hash(state);
        }
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0.epoch)?;
        for claim in self.0.claims.values() {
            write!(f, " {}:{}#{}", claim.id, claim.agent, claim.fence)?;
        }
        Ok(())
    }
}

/// What both refs say together.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Version {
    pub record: Record,
    pub table: Claims,
}
