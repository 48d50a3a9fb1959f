//! What agents do, decided by the crate's own rules: the operations of `ops`, without a repository.

use std::collections::BTreeSet;
use std::sync::Arc;

use reflectt::model::agent::{Agent, AgentKind};
use reflectt::model::claim::{Claim, Phase, Table};
use reflectt::model::decide::{self, Decision, Facts, Request, Take};
use reflectt::model::event::Decided;
use reflectt::model::id::{Fence, Stamp};
use reflectt::model::name::Author;
use reflectt::model::queue::{self, Dependency};
use reflectt::model::settings::Settings;
use reflectt::model::task::{Edit, Submission, TaskEvent};
use reflectt::model::time::Timestamp;

use super::law::Law;
use super::version::{Claims, Happening, Letter, Name, Version, clone_id, name, number, task_id};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    Claim,
    TakeOver,
    Release,
    HandOff(Name),
    Block,
    Unblock,
    /// For review by this agent.
    Submit(Name),
    Approve,
    RequestChanges,
    Cancel,
    Reopen,
    /// Names another reviewer.
    Reviewer(Name),
    /// The clone itself ends what silent agents hold.
    Expire,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Deed {
    pub who: Name,
    pub task: usize,
    pub what: What,
}

/// Where and when something is decided.
pub struct Desk<'d> {
    pub clone: usize,
    /// What the clock of the clone says.
    pub now: Timestamp,
    /// Whose claims are judged to be void here.
    pub expired: &'d dyn Fn(&Claim) -> bool,
    /// Who lives, whatever anybody judges.
    pub alive: &'d dyn Fn(Name) -> bool,
    /// The clone that a claim handed to an agent is in.
    pub home: &'d dyn Fn(Name) -> usize,
    pub stamp: &'d dyn Fn(Option<Stamp>, u64) -> Stamp,
    pub nonce: u64,
}

/// What was granted.
pub struct Granted {
    pub version: Version,
    /// The fence of the claim that was made.
    pub fence: Option<Fence>,
    /// Whether the table said anything new, beside its number.
    pub touched: bool,
    pub broken: BTreeSet<Law>,
}

/// Decides `deed` on `base` as the operations do; `None` if it is refused or changes nothing.
pub fn decide(base: &Version, deed: Deed, desk: &Desk) -> Option<Granted> {
    let mut draft = Draft {
        base,
        desk,
        table: base.table.0.clone(),
        added: Vec::new(),
        letters: Vec::new(),
        touched: false,
    };
    draft.run(deed)?;
    Some(draft.granted(deed))
}

/// A decision as it comes together, like `ops::tx::Tx`.
struct Draft<'d> {
    base: &'d Version,
    desk: &'d Desk<'d>,
    table: Arc<Table>,
    added: Vec<(usize, Author, TaskEvent)>,
    letters: Vec<(Name, usize)>,
    touched: bool,
}

impl Draft<'_> {
    fn run(&mut self, deed: Deed) -> Option<()> {
        let Deed { who, task, what } = deed;
        let (id, me) = (task_id(task), name(who));
        let now = self.base.record.task(task);
        match what {
            What::Claim | What::TakeOver => self.claim(deed)?,
            What::Release => {
                self.event(deed, TaskEvent::Released { note: None })?;
                self.ask(&Request::Release { id, agent: me })?;
            }
            What::HandOff(to) => {
                let request = Request::HandOff {
                    id,
                    agent: me,
                    to: name(to),
                    clone: clone_id((self.desk.home)(to)),
                    nonce: self.desk.nonce,
                };
                let fence = self.ask(&request)?.map(|claim| claim.fence);
                let note = String::new();
                self.event(
                    deed,
                    TaskEvent::HandedOff {
                        to: name(to),
                        note,
                        fence,
                    },
                )?;
                self.letters.push((to, task));
            }
            What::Block => {
                let (reason, on, needs_human) = (String::new(), None, false);
                self.event(
                    deed,
                    TaskEvent::Blocked {
                        reason,
                        on,
                        needs_human,
                    },
                )?;
                self.phase(deed, Phase::Blocked)?;
            }
            What::Unblock => {
                self.event(deed, TaskEvent::Unblocked)?;
                self.phase(deed, Phase::Working)?;
            }
            What::Submit(reviewer) => {
                let reviewer = Some(now.reviewer.clone().unwrap_or_else(|| name(reviewer)));
                if !now.status.is_open() {
                    return None;
                }
                let submission = Submission {
                    reviewer,
                    ..Submission::default()
                };
                self.event(deed, TaskEvent::Submitted(Box::new(submission)))?;
                self.phase(deed, Phase::InReview)?;
            }
            What::Approve => {
                let (submission, _) = now.submission.clone()?;
                let (commit, note) = (None, None);
                self.event(
                    deed,
                    TaskEvent::Approved {
                        submission,
                        commit,
                        note,
                        lands: false,
                    },
                )?;
                self.ask(&Request::Close { id })?;
                self.letters
                    .extend(now.assignee.iter().map(|to| (number(to), task)));
            }
            What::RequestChanges => {
                let (submission, _) = now.submission.clone()?;
                let note = String::new();
                self.event(deed, TaskEvent::ChangesRequested { submission, note })?;
                self.ask(&Request::SendBack { id })?;
                self.letters
                    .extend(now.assignee.iter().map(|to| (number(to), task)));
            }
            What::Cancel => {
                now.may_be_cancelled_by(&Author::from(&me), false).ok()?;
                self.event(
                    deed,
                    TaskEvent::Cancelled {
                        reason: String::new(),
                    },
                )?;
                self.ask(&Request::Close { id })?;
                self.letters
                    .extend(now.assignee.iter().map(|to| (number(to), task)));
            }
            What::Reopen => self.event(
                deed,
                TaskEvent::Reopened {
                    reason: String::new(),
                },
            )?,
            What::Reviewer(to) => self.event(deed, reviewer(to))?,
            What::Expire => {
                let (table, gone) = decide::sweep(&self.base.table.0, self.desk.expired);
                if gone.is_empty() {
                    return None;
                }
                self.table = Arc::new(table.into_owned());
                self.lapse(gone);
            }
        }
        Some(())
    }

    fn claim(&mut self, deed: Deed) -> Option<()> {
        let now = self.base.record.task(deed.task);
        let me = Agent {
            name: name(deed.who),
            kind: AgentKind::Agent,
            role: None,
            lanes: BTreeSet::new(),
            wip: None,
            joined: Timestamp(0),
            home: None,
        };
        let held = self.table.claims.get(&now.id);
        if held.is_some_and(|claim| claim.agent == me.name) {
            return None;
        }
        queue::admit(&me, now, &|_| Dependency::Done).ok()?;
        let take_over = deed.what == What::TakeOver;
        if take_over && held.is_none() {
            return None;
        }
        let before = held.cloned();
        let claim = self.ask(&Request::Take(Take {
            id: now.id,
            of_task: true,
            agent: me.name.clone(),
            clone: clone_id(self.desk.clone),
            paths: now.paths.clone(),
            shared: BTreeSet::new(),
            resources: BTreeSet::new(),
            branch: None,
            base: None,
            why: None,
            nonce: self.desk.nonce,
            take_over,
            moves: false,
        }))??;
        let kind = TaskEvent::Claimed {
            agent: me.name,
            fence: claim.fence,
            paths: claim.paths,
            shared: claim.shared,
            resources: claim.resources,
            branch: None,
            taken_over: take_over.then(String::new),
        };
        self.event(deed, kind)?;
        if let Some(before) = before.filter(|_| take_over) {
            self.letters.push((number(&before.agent), deed.task));
        }
        Some(())
    }

    fn phase(&mut self, deed: Deed, to: Phase) -> Option<()> {
        let (id, agent) = (task_id(deed.task), name(deed.who));
        self.ask(&Request::Phase { id, agent, to }).map(drop)
    }

    /// Puts a request to the table; the claim it made, if it made one.
    fn ask(&mut self, request: &Request) -> Option<Option<Claim>> {
        let settings = Settings::default();
        let facts = Facts {
            now: self.desk.now,
            settings: &settings,
            expired: self.desk.expired,
            elsewhere: &|claim| {
                claim.clone != clone_id(self.desk.clone) && (self.desk.alive)(number(&claim.agent))
            },
            wip: &|_| settings.wip_agent,
        };
        match decide::decide(&self.table, &facts, request) {
            Decision::Changed(change) => {
                self.table = Arc::new(change.table);
                self.touched = true;
                self.lapse(change.expired);
                Some(change.claim)
            }
            Decision::Unchanged(claim) => Some(claim),
            _ => None,
        }
    }

    fn lapse(&mut self, gone: Vec<Claim>) {
        self.touched |= !gone.is_empty();
        for claim in gone {
            let task = usize::from(claim.id != task_id(0));
            let (agent, fence) = (claim.agent.clone(), claim.fence);
            let note = String::new();
            let kind = TaskEvent::Lapsed { agent, fence, note };
            let by = Author::reflectt();
            if self.base.record.task(task).allows(&by, &kind).is_ok() {
                self.added.push((task, by, kind));
            }
            self.letters.push((number(&claim.agent), task));
        }
    }

    fn event(&mut self, deed: Deed, kind: TaskEvent) -> Option<()> {
        let by = Author::from(&name(deed.who));
        // What lapsed on the way has freed the task already.
        let lapsed = self.added.iter().any(|(task, ..)| *task == deed.task);
        if !lapsed {
            self.base.record.task(deed.task).allows(&by, &kind).ok()?;
        }
        self.added.push((deed.task, by, kind));
        Some(())
    }

    /// The version that follows: the table's number rises with every decision, once.
    fn granted(mut self, deed: Deed) -> Granted {
        let epoch = self.base.table.0.next_epoch();
        Arc::make_mut(&mut self.table).epoch = epoch;
        let mut happened: Vec<Happening> = Vec::new();
        for (at, (task, by, kind)) in self.added.into_iter().enumerate() {
            let earlier = happened.iter().rev().find(|before| before.task == task);
            let after = earlier.map_or_else(|| self.base.record.last(task), |it| Some(it.stamp));
            // What follows a lapse in the same decision is about the free task.
            let claim = self.base.table.0.claims.get(&task_id(task));
            let under = claim.filter(|_| earlier.is_none()).map(|claim| claim.fence);
            let stamp = (self.desk.stamp)(after, at as u64);
            let decided = Some(Decided { epoch, under });
            happened.push(Happening {
                task,
                stamp,
                by,
                kind,
                decided,
            });
        }
        let letters: Vec<Letter> = (self.letters.iter().enumerate())
            .map(|(at, (to, task))| ((self.desk.stamp)(None, 100 + at as u64), *to, *task))
            .collect();
        let mut broken = BTreeSet::new();
        check_told(self.base, &self.table, &happened, &letters, &mut broken);
        for it in &happened {
            if let TaskEvent::Lapsed { agent, .. } = &it.kind
                && (self.desk.alive)(number(agent))
            {
                broken.insert(Law::TheLivingStay);
            }
        }
        let mine = self.table.claims.get(&task_id(deed.task));
        let new = mine.filter(|claim| claim.fence > self.base.table.0.fence);
        Granted {
            fence: new.map(|claim| claim.fence),
            version: Version {
                record: self.base.record.with(&happened, &letters),
                table: Claims(self.table),
            },
            touched: self.touched,
            broken,
        }
    }
}

/// Nothing ends without an event, and a message to whoever had it if it was another's doing.
fn check_told(
    base: &Version,
    table: &Table,
    happened: &[Happening],
    letters: &[Letter],
    broken: &mut BTreeSet<Law>,
) {
    for (id, claim) in &base.table.0.claims {
        let stays = table
            .claims
            .get(id)
            .is_some_and(|now| now.fence == claim.fence);
        if stays {
            continue;
        }
        let task = usize::from(*id != task_id(0));
        let event = happened.iter().find(|it| it.task == task);
        let own = event.is_some_and(|it| it.by == Author::from(&claim.agent));
        let told = letters
            .iter()
            .any(|(_, to, of)| (*to, *of) == (number(&claim.agent), task));
        if event.is_none() || !(own || told) {
            broken.insert(Law::NothingEndsUntold);
        }
    }
}

/// Says something that decides nothing, later than all that is known of its task.
pub fn say(
    base: &Version,
    deed: Deed,
    kind: TaskEvent,
    stamp: &dyn Fn(Option<Stamp>) -> Stamp,
) -> Option<Version> {
    let by = Author::from(&name(deed.who));
    base.record.task(deed.task).allows(&by, &kind).ok()?;
    let said = Happening {
        task: deed.task,
        stamp: stamp(base.record.last(deed.task)),
        by,
        kind,
        decided: None,
    };
    let record = base.record.with(&[said], &[]);
    Some(Version {
        record,
        table: base.table.clone(),
    })
}

pub fn comment() -> TaskEvent {
    TaskEvent::Commented {
        text: String::new(),
    }
}

pub fn reviewer(to: Name) -> TaskEvent {
    TaskEvent::Edited(Box::new(Edit {
        reviewer: Some(Some(name(to))),
        ..Edit::default()
    }))
}
