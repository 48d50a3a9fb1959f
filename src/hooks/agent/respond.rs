//! When an agent is told what, and that it is told once.
//!
//! What was said is remembered for each session of a harness ([`crate::store::AgentSession`]), under
//! its lock: the same event may be delivered by two configurations at once, and then one of them
//! finds that all was said. What cannot be remembered is not said, but for where the agent stands
//! when it begins: an agent that is asked to go on again and again never stops.

use std::time::Duration;

use crate::git::Process;
use crate::model::harness::{AgentEvent, Harness};
use crate::model::message::Message;
use crate::model::name::AgentName;
use crate::model::task::{Status, Task};
use crate::ops::enforce::{Finding, strays};
use crate::ops::{AgentStatus, Context, OpsError, glance_at_mail, status};
use crate::store::{AgentSession, AgentSessions, Crowded};

use super::facts::{Fact, MESSAGE, is_loss};
use super::input::{Input, Source, Speaker};
use super::tool::Tool;
use super::wake::wake;
use crate::hooks::{TimeLimit, is_managed};

/// How often in a row an agent that would stop is asked to go on.
const NUDGES_MAX: u32 = 2;
/// A session that begins twice within this time was told of by two configurations.
const REPEATED: Duration = Duration::from_secs(20);
/// A session that gave a sign of life within this time goes on.
const LIVES: Duration = Duration::from_secs(10 * 60);
/// How often a sign of life is written down.
const SIGN: i64 = 60_000;
/// How long git may look for what a shell has changed.
const LOOK_MAX: Duration = Duration::from_secs(1);
/// Among what a session was told: that this took longer.
const TOO_SLOW: &str = "strays: too slow";
/// Before the key of what an agent was asked to go on for.
const NUDGED: &str = "nudged:";

/// With this begins what stands for the id of a session that has none.
const UNNAMED: &str = "session of ";

/// One event, and what is known of it.
pub struct Asking<'a> {
    pub event: AgentEvent,
    pub input: &'a Input,
    pub harness: Harness,
    /// The number of the harness's process, if it said so.
    pub pid: Option<u32>,
    /// Whether nobody sits before the session, which ends with its turn.
    pub is_unattended: bool,
    /// Whether another harness runs what was written for this one, and waits for what this one
    /// lets run on.
    pub is_guest: bool,
    pub limit: &'a TimeLimit,
}

/// Something to be said.
#[derive(Debug)]
pub enum Part {
    /// Nobody is bound to this worktree, or the name it is bound to is not on the team.
    Join(Option<AgentName>),
    /// Where the agent stands.
    Standing(Box<AgentStatus>),
    /// Another session works in the same worktree under the same name.
    Crowded(AgentName),
    /// Unread messages.
    Mail(Vec<Message>),
    /// Changed files that others have claimed.
    Strays(Vec<Finding>),
    /// What is left undone.
    Undone(Vec<Fact>),
    /// What has come since the turn ended, or is to be done next.
    News(Vec<Fact>),
    /// A task that is called complete and was not submitted.
    Unsubmitted(Box<Task>),
}

/// How it is said.
#[derive(Debug)]
pub enum Reply {
    Nothing,
    Context(Vec<Part>),
    GoOn(Vec<Part>),
    Rouse(Vec<Part>),
}

/// Finds out what is to be said at an event that is not about an edit.
///
/// # Errors
///
/// What could not be read or remembered.
pub fn respond(ctx: &Context, asking: &Asking) -> Result<Reply, OpsError> {
    if !is_managed(ctx)? {
        return Ok(Reply::Nothing);
    }
    let Some(me) = ctx.identity() else {
        return nobody(ctx, asking);
    };
    let moment = Moment {
        ctx,
        asking,
        me,
        sessions: ctx.store().agent_sessions(),
        id: session_id(ctx, asking, Some(me)),
    };
    match asking.event {
        AgentEvent::SessionStart => moment.start(),
        AgentEvent::Prompt => moment.prompt(),
        AgentEvent::AfterTool => moment.after_tool(),
        AgentEvent::Stop => moment.stop(),
        AgentEvent::Wake => wake(&moment),
        AgentEvent::SessionEnd => {
            moment.sessions.forget(&moment.id);
            Ok(Reply::Nothing)
        }
        AgentEvent::TeammateIdle => moment.teammate_idle(),
        AgentEvent::TaskCompleted => moment.task_completed(),
        AgentEvent::BeforeEdit => Ok(Reply::Nothing),
    }
}

/// Says how to join, where a team works and nobody knows who this is.
fn nobody(ctx: &Context, asking: &Asking) -> Result<Reply, OpsError> {
    if asking.event != AgentEvent::SessionStart {
        return Ok(Reply::Nothing);
    }
    let id = session_id(ctx, asking, None);
    let event = begun(asking.input.source);
    let repeated = ctx.store().agent_sessions().change(&id, |session| {
        Ok::<_, OpsError>(session.is_repeated(&event, ctx.now(), REPEATED))
    });
    Ok(match repeated {
        Ok(true) => Reply::Nothing,
        Ok(false) | Err(_) => Reply::Context(vec![Part::Join(None)]),
    })
}

fn begun(source: Source) -> String {
    format!("begun by {}", source.as_str())
}

/// A harness that does not name its sessions is taken to have one in each worktree.
fn session_id(ctx: &Context, asking: &Asking, me: Option<&AgentName>) -> String {
    asking.input.session.clone().unwrap_or_else(|| {
        let name = me.map_or("", AgentName::as_str);
        format!("{UNNAMED}{name} in {}", worktree(ctx))
    })
}

fn worktree(ctx: &Context) -> String {
    ctx.repo().worktree_id(ctx.repo().git_dir())
}

/// An event of a session of an agent that is known.
pub(super) struct Moment<'a> {
    pub ctx: &'a Context,
    pub asking: &'a Asking<'a>,
    pub me: &'a AgentName,
    pub sessions: AgentSessions,
    pub id: String,
}

impl Moment<'_> {
    /// Changes what is remembered of this session, which has given a sign of life.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut AgentSession) -> Result<T, OpsError>,
    ) -> Result<T, OpsError> {
        self.sessions.change(&self.id, |session| {
            let now = self.ctx.now().0;
            if now.saturating_sub(session.seen) >= SIGN || now < session.seen {
                session.seen = now;
            }
            let worktree = worktree(self.ctx);
            if session.agent != self.me.as_str() || session.worktree != worktree {
                session.agent = self.me.to_string();
                session.worktree = worktree;
            }
            change(session)
        })
    }

    /// Returns the process of the harness.
    pub fn process(&self) -> Process {
        self.asking.pid.map_or_else(Process::caller, Process::of)
    }

    fn start(&self) -> Result<Reply, OpsError> {
        let process = self.process().to_string();
        let event = begun(self.asking.input.source);
        // A disk that is full keeps nobody from knowing where it stands.
        let repeated = self.change(|session| {
            session.process.clone_from(&process);
            session.nudges = 0;
            session.waiter = None;
            Ok(session.is_repeated(&event, self.ctx.now(), REPEATED))
        });
        if matches!(repeated, Ok(true)) {
            return Ok(Reply::Nothing);
        }
        self.sessions.prune();
        let status = match status(self.ctx) {
            Ok(status) => status,
            Err(OpsError::NotFound { .. }) => {
                return Ok(Reply::Context(vec![Part::Join(Some(self.me.clone()))]));
            }
            Err(error) => return Err(error),
        };
        let crowded = self.mark_companions(&process);
        let mut parts = Vec::new();
        let noted = self.change(|session| {
            note_mail(session, &status.inbox);
            if crowded && session.crowded == Crowded::No {
                session.crowded = Crowded::Untold;
            }
            self.take_crowded(session, &mut parts);
            Ok(())
        });
        if noted.is_err() && crowded {
            parts = vec![Part::Crowded(self.me.clone())];
        }
        parts.insert(0, Part::Standing(Box::new(status)));
        Ok(Reply::Context(parts))
    }

    /// Lets other sessions of this agent in this worktree be told that they are not alone. Tells
    /// whether there are any.
    fn mark_companions(&self, process: &str) -> bool {
        let input = self.asking.input;
        if input.session.is_none() {
            return false;
        }
        let now = self.ctx.now().0;
        let worktree = worktree(self.ctx);
        // What goes on under another id in the same process is no second session; nor is each
        // of those that OpenCode makes for its own purposes.
        let goes_on = input.source != Source::Fresh || self.asking.harness == Harness::OpenCode;
        let others = self.sessions.others(&self.id).into_iter().filter(|other| {
            let is_here = other.agent == self.me.as_str() && other.worktree == worktree;
            let is_named = !other.id().starts_with(UNNAMED);
            let age = Duration::from_millis(now.saturating_sub(other.seen).max(0).unsigned_abs());
            let same_process = other.process == process && goes_on;
            is_here && is_named && age < LIVES && !same_process && !has_ended(other)
        });
        let mut found = false;
        for other in others {
            found = true;
            // Untold, it is only not told.
            drop(self.sessions.change(other.id(), |other| {
                if other.crowded == Crowded::No {
                    other.crowded = Crowded::Untold;
                }
                Ok::<_, OpsError>(())
            }));
        }
        found
    }

    fn take_crowded(&self, session: &mut AgentSession, parts: &mut Vec<Part>) {
        if session.crowded == Crowded::Untold {
            session.crowded = Crowded::Told;
            parts.push(Part::Crowded(self.me.clone()));
        }
    }

    fn prompt(&self) -> Result<Reply, OpsError> {
        let Some(unread) = glance_at_mail(self.ctx)? else {
            return Ok(Reply::Nothing);
        };
        self.change(|session| {
            let echoes = std::mem::take(&mut session.echoes);
            match self.asking.input.speaker {
                Speaker::User => session.nudges = 0,
                Speaker::Unknown if !echoes => session.nudges = 0,
                Speaker::Unknown | Speaker::Ourselves | Speaker::Harness => {}
            }
            session.waiter = None;
            // It takes nothing to know with a prompt: the next tool brings it.
            if self.asking.harness == Harness::Cursor {
                session.owed = true;
                return Ok(Reply::Nothing);
            }
            let mut parts = Vec::new();
            self.take_crowded(session, &mut parts);
            let new = note_mail(session, &unread);
            if !new.is_empty() {
                parts.push(Part::Mail(new));
            }
            Ok(context(parts))
        })
    }

    fn after_tool(&self) -> Result<Reply, OpsError> {
        let Some(unread) = glance_at_mail(self.ctx)? else {
            return Ok(Reply::Nothing);
        };
        let strays = self.strays();
        self.change(|session| {
            let strays = strays.unwrap_or_else(|| {
                session.tell(TOO_SLOW.to_owned());
                Vec::new()
            });
            let mut parts = Vec::new();
            // What is told to an agent that this one has started is not told to this one.
            if self.asking.input.of_subagent {
                return Ok(context(strays_of(session, strays)));
            }
            session.waiter = None;
            self.take_crowded(session, &mut parts);
            let owed = std::mem::take(&mut session.owed);
            let matters = |message: &&Message| owed || message.urgent || is_loss(message);
            let unread = unread.iter().filter(matters);
            let new: Vec<Message> = unread
                .filter(|message| session.tell(format!("{MESSAGE}{}", message.id)))
                .cloned()
                .collect();
            if !new.is_empty() {
                parts.push(Part::Mail(new));
            }
            parts.extend(strays_of(session, strays));
            Ok(context(parts))
        })
    }

    /// Returns what a shell may have changed in claims of others; `None` if that could not be found
    /// out in time. Then it is not tried again in this session, in which every call would wait.
    fn strays(&self) -> Option<Vec<Finding>> {
        if Tool::of(&self.asking.input.tool) != Tool::Shell {
            return Some(Vec::new());
        }
        let session = self.sessions.get(&self.id).unwrap_or_default();
        match session.was_told(TOO_SLOW) {
            true => Some(Vec::new()),
            false => strays(self.ctx, self.asking.limit.left().min(LOOK_MAX)).ok(),
        }
    }

    fn stop(&self) -> Result<Reply, OpsError> {
        let input = self.asking.input;
        let of_subagent = input
            .event
            .as_deref()
            .is_some_and(|it| it.starts_with("Subagent"));
        if input.in_loop || input.ended_badly || of_subagent {
            return Ok(Reply::Nothing);
        }
        let facts = |status: &AgentStatus| {
            let all = Fact::all(status).into_iter();
            all.filter(Fact::is_left_undone).collect()
        };
        Ok(match self.nudge(usize::MAX, facts)? {
            facts if facts.is_empty() => Reply::Nothing,
            facts => Reply::GoOn(vec![Part::Undone(facts)]),
        })
    }

    fn teammate_idle(&self) -> Result<Reply, OpsError> {
        Ok(match self.nudge(1, Fact::all)? {
            facts if facts.is_empty() => Reply::Nothing,
            facts => Reply::Rouse(vec![Part::News(facts)]),
        })
    }

    /// Returns the first of the facts that this session was not asked to go on for, and notes that
    /// it is; none, if it was asked too often.
    fn nudge(
        &self,
        max: usize,
        facts: impl FnOnce(&AgentStatus) -> Vec<Fact>,
    ) -> Result<Vec<Fact>, OpsError> {
        self.change(|session| {
            if session.nudges >= NUDGES_MAX {
                return Ok(Vec::new());
            }
            let status = match status(self.ctx) {
                Ok(status) => status,
                Err(OpsError::NotFound { .. }) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            let facts = facts(&status).into_iter();
            let new = facts.filter(|fact| !session.was_told(&nudged(fact)));
            let new: Vec<Fact> = new.take(max).collect();
            new.iter().for_each(|fact| note_nudge(session, fact));
            session.nudges += u32::from(!new.is_empty());
            session.echoes |= !new.is_empty();
            Ok(new)
        })
    }

    fn task_completed(&self) -> Result<Reply, OpsError> {
        let text = &self.asking.input.task;
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        let words: Vec<&str> = words.collect();
        let status = match status(self.ctx) {
            Ok(status) => status,
            Err(OpsError::NotFound { .. }) => return Ok(Reply::Nothing),
            Err(error) => return Err(error),
        };
        let mut active = status.active.into_iter();
        let named = active.find(|task| {
            task.status == Status::Doing && words.contains(&task.id.to_string().as_str())
        });
        Ok(match named {
            Some(task) => Reply::Rouse(vec![Part::Unsubmitted(Box::new(task))]),
            None => Reply::Nothing,
        })
    }
}

fn nudged(fact: &Fact) -> String {
    format!("{NUDGED}{}", fact.key())
}

/// Tells whether a session was asked to go on for a fact.
pub(super) fn was_nudged(session: &AgentSession, fact: &Fact) -> bool {
    session.was_told(&nudged(fact))
}

/// Notes that a session is asked to go on for a fact; a message is known to it then.
pub(super) fn note_nudge(session: &mut AgentSession, fact: &Fact) {
    session.tell(nudged(fact));
    if fact.message().is_some() {
        session.tell(fact.key());
    }
}

/// Returns the unread messages that a session was not told of, and notes that it is.
fn note_mail(session: &mut AgentSession, unread: &[Message]) -> Vec<Message> {
    session.forget_told(MESSAGE, |id| {
        unread.iter().any(|it| it.id.to_string() == id)
    });
    let is_new = |message: &&Message| session.tell(format!("{MESSAGE}{}", message.id));
    unread.iter().filter(is_new).cloned().collect()
}

/// Leaves of what is changed in claims of others what a session was not told of.
fn strays_of(session: &mut AgentSession, strays: Vec<Finding>) -> Vec<Part> {
    let mut new = Vec::new();
    for mut stray in strays {
        let Some(holder) = stray.holder() else {
            continue;
        };
        let agent = holder.claim.agent.clone();
        stray.paths.retain(|path| {
            let path = String::from_utf8_lossy(path);
            session.tell(format!("stray:{agent}:{path}"))
        });
        if !stray.paths.is_empty() {
            new.push(stray);
        }
    }
    match new.is_empty() {
        true => Vec::new(),
        false => vec![Part::Strays(new)],
    }
}

fn context(parts: Vec<Part>) -> Reply {
    match parts.is_empty() {
        true => Reply::Nothing,
        false => Reply::Context(parts),
    }
}

fn has_ended(session: &AgentSession) -> bool {
    let process: Process = match session.process.parse() {
        Ok(process) => process,
        Err(never) => match never {},
    };
    // Of a session that has not begun, nobody has noted the process.
    !session.process.is_empty() && process.fate() == crate::git::Fate::Ended
}
