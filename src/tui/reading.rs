//! Reading, on a thread of its own: the screen never waits for git.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::answer::told::{Happening, happening};
use crate::answer::visible::{escape, escape_lines};
use crate::answer::{Fault, command_line};
use crate::model::agent::AgentKind;
use crate::model::claim::{Claim, Phase};
use crate::model::id::{IdPrefix, TaskId};
use crate::model::message::Message;
use crate::model::name::AgentName;
use crate::model::task::{Status, Task};
use crate::model::time::Timestamp;
use crate::ops::{self, Changes, Context, HistoryEvent, Inspection, OpsError, Overview, Seat};

use super::Opener;
use super::board::Event;
use super::detail;
use super::picture::{Card, Group, Holds, Letter, LogLine, Member, Picture, Submitted};

/// How many events of the past are shown at first.
const PAST: usize = 200;
/// How long to wait for word of a change before the team is read all the same: who is alive, and
/// claims of paths alone, are in no record.
const REREAD: Duration = Duration::from_secs(5);
/// How long until the next try to follow, where that failed.
const AGAIN: Duration = Duration::from_secs(5);
/// How long something done counts as done today, in milliseconds.
const TODAY: i64 = 24 * 60 * 60 * 1000;
/// How much of an event is told, in characters.
const WORDS_MAX: usize = 200;

/// What the reader is asked for.
#[derive(Debug)]
pub enum Ask {
    /// Something has changed, or was done here.
    Changed,
    Look(TaskId),
    Range(TaskId),
}

/// Reads the team once.
///
/// # Errors
///
/// As for the commands that read: there is no team, it cannot be read.
pub fn read(opener: &Opener) -> Result<(Picture, Option<AgentName>), Fault> {
    let ctx = opener(Box::new(|_| {}))?;
    let me = ctx.identity().cloned();
    // Only a person is shown to be there by looking: an agent's claims must not outlive it because
    // somebody has left its board open.
    let overview = ops::overview(&ctx.as_nobody())?;
    let ctx = opener(Box::new(|_| {}))?;
    let is_person = |seat: &&Seat| Some(&seat.agent.name) == me.as_ref() && is_human(seat);
    if overview.agents.iter().any(|seat| is_person(&seat)) {
        drop(ops::keep_alive(&ctx));
    }
    let mail = match &me {
        Some(me) => ops::unread_of(&ctx, me)?,
        None => None,
    };
    Ok((picture(&overview, me.as_ref(), mail, ctx.now()), me))
}

fn is_human(seat: &Seat) -> bool {
    seat.agent.kind == AgentKind::Human
}

/// Starts to read whatever happens, and what is asked for, and tells it to the screen.
pub fn start(opener: Arc<Opener>, to: Sender<Event>) -> Sender<Ask> {
    let (asker, asked) = mpsc::channel();
    let (follower, events, asks) = (Arc::clone(&opener), to.clone(), asker.clone());
    thread::spawn(move || follow(&follower, &events, &asks));
    thread::spawn(move || serve(&*opener, &asked, &to));
    asker
}

/// Passes on what happens until nobody listens any more.
fn follow(opener: &Arc<Opener>, events: &Sender<Event>, asks: &Sender<Ask>) {
    let mut from = None;
    loop {
        let opener = Arc::clone(opener);
        let open = move || -> Result<Context, OpsError> {
            let ctx = opener(Box::new(|_| {}));
            let ctx = ctx.map_err(|fault| OpsError::Nothing(fault.to_string()))?;
            Ok(ctx.as_nobody())
        };
        let changes = Changes::follow(open, from, PAST);
        // Whatever ended it, there may be a repository, or a team, again.
        let mut goes_on = false;
        while let Ok(step) = changes.next(REREAD) {
            goes_on = true;
            let Some(step) = step else { continue };
            from = Some(step.to);
            let lines = step.events.iter().map(log_line).collect();
            let heard = events.send(Event::Happened(lines)).is_ok();
            if !heard || asks.send(Ask::Changed).is_err() {
                return;
            }
        }
        // A point that is gone, as when the record was made anew, leads nowhere.
        from = from.filter(|_| goes_on);
        thread::sleep(AGAIN);
        if asks.send(Ask::Changed).is_err() {
            return;
        }
    }
}

/// Answers what is asked for. Of many things asked for at once the last counts.
fn serve(opener: &Opener, asked: &Receiver<Ask>, to: &Sender<Event>) {
    loop {
        let first = match asked.recv_timeout(REREAD) {
            Ok(ask) => ask,
            Err(RecvTimeoutError::Timeout) => Ask::Changed,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let (mut changed, mut look, mut range) = (false, None, None);
        for ask in std::iter::once(first).chain(asked.try_iter()) {
            match ask {
                Ask::Changed => changed = true,
                Ask::Look(id) => look = Some(id),
                Ask::Range(id) => range = Some(id),
            }
        }
        let mut told = Vec::new();
        if let Some(id) = look {
            told.push(match looked(opener, id) {
                Ok(detail) => Event::Looked(Box::new(detail)),
                Err(fault) => Event::NotLooked(id, said(&fault)),
            });
        }
        if let Some(id) = range {
            let found = range_of(opener, id).map_err(|fault| said(&fault));
            told.push(Event::Range(id, found));
        }
        if changed {
            told.push(match read(opener) {
                Ok((picture, _)) => Event::Read(Box::new(picture)),
                Err(fault) => Event::NotRead(said(&fault)),
            });
        }
        for event in told {
            if to.send(event).is_err() {
                return;
            }
        }
    }
}

/// Returns an error in a line: what it says, why, and what to do next.
pub fn said(fault: &Fault) -> String {
    let mut said = fault.message().to_owned();
    for cause in fault.shown_causes() {
        said.push_str(": ");
        said.push_str(cause);
    }
    if let Some(next) = fault.advice().first() {
        said.push_str("; next: ");
        said.push_str(&command_line(next));
    }
    said
}

fn looked(opener: &Opener, id: TaskId) -> Result<super::picture::Detail, Fault> {
    let ctx = opener(Box::new(|_| {}))?.as_nobody();
    let id = IdPrefix::from(id);
    let shown = ops::show(&ctx, &id)?;
    let inspection = match shown.row.task.submission {
        Some(_) => Some(ops::inspect(&ctx, &id)?),
        None => None,
    };
    Ok(detail::of(&shown, inspection.as_ref()))
}

fn range_of(opener: &Opener, id: TaskId) -> Result<String, Fault> {
    let ctx = opener(Box::new(|_| {}))?.as_nobody();
    let found: Inspection = ops::inspect(&ctx, &id.into())?;
    if found.submission.1.commit.is_none() {
        let none = format!("`{id}` was submitted without a commit; there is no difference to show");
        return Err(Fault::nothing(none));
    }
    match found.work {
        Some(work) => Ok(work.range),
        None => Err(
            Fault::nothing(format!("the commit of `{id}` is not in this clone yet"))
                .hint("reflectt sync (brings it, once it is published)"),
        ),
    }
}

fn picture(
    overview: &Overview,
    me: Option<&AgentName>,
    mail: Option<Vec<Message>>,
    now: Timestamp,
) -> Picture {
    let title = |id: TaskId| {
        let row = overview.tasks.iter().find(|row| row.task.id == id);
        row.map(|row| row.task.title.as_str())
    };
    let mut agents: Vec<Member> = overview.agents.iter().map(|it| member(it, title)).collect();
    agents.sort_by_key(|member| {
        let rank = match (member.is_silent(), member.holds.is_empty()) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) if member.is_human => 3,
            (false, true) => 2,
        };
        (rank, member.name.clone())
    });
    let mut cards: Vec<Card> = (overview.tasks.iter())
        .filter_map(|row| {
            let group = group(&row.task, now)?;
            Some(card(&row.task, group, row.provisional))
        })
        .collect();
    // They come the most urgent first, and stay so within their group.
    cards.sort_by_key(|card| card.group);
    let unread = mail.as_deref().unwrap_or_default();
    let is_unread = |message: &Message| unread.iter().any(|other| other.id == message.id);
    let mut letters: Vec<Letter> = unread.iter().map(|it| letter(it, true)).collect();
    let of_channels = overview.messages.iter().filter(|it| !is_unread(it));
    letters.extend(of_channels.map(|it| letter(it, false)));
    letters.sort_by(|a, b| b.id.cmp(&a.id));
    let pause = overview.claims.pause.as_ref().filter(|it| !it.is_over(now));
    Picture {
        read: now,
        agents,
        cards,
        letters,
        paused: pause.map(|it| format!("{} ({})", escape(&it.reason), it.by)),
        read_only: match (me, &mail) {
            (None, _) => Some(
                "read-only, as nobody acts here: reflectt join NAME, or reflectt --as NAME ui"
                    .to_owned(),
            ),
            (Some(me), None) => Some(format!(
                "read-only, as `{me}` is not on the team: reflectt join {me}"
            )),
            (Some(_), Some(_)) => None,
        },
    }
}

fn member<'t>(seat: &Seat, title: impl Fn(TaskId) -> Option<&'t str>) -> Member {
    let holds = |claim: &Claim| Holds {
        task: claim.task(),
        what: match claim.task() {
            Some(id) => escape(title(id).unwrap_or_default()).into_owned(),
            None if claim.id == TaskId::LANE => "lands".to_owned(),
            None => claim.cover().told().join(", "),
        },
        is_active: claim.phase == Phase::Working,
    };
    Member {
        name: seat.agent.name.to_string(),
        is_human: is_human(seat),
        role: seat.agent.role.as_deref().map(|it| escape(it).into_owned()),
        life: seat.liveness,
        seen: seat.last_seen,
        note: seat.note.as_deref().map(|it| escape(it).into_owned()),
        holds: seat.claims.iter().map(holds).collect(),
    }
}

/// Returns where the board has a task; nowhere, if it was closed long ago.
fn group(task: &Task, now: Timestamp) -> Option<Group> {
    Some(match task.status {
        Status::Todo => Group::Todo,
        Status::Doing => Group::Doing,
        Status::Blocked => Group::Blocked,
        Status::Validating if task.waits_to_land() => Group::Approved,
        Status::Validating => Group::InReview,
        Status::Done if task.closed.is_some_and(|at| now.0 - at.0 < TODAY) => Group::Done,
        Status::Done | Status::Cancelled => return None,
    })
}

fn card(task: &Task, group: Group, provisional: bool) -> Card {
    let block = task.block.as_ref().filter(|_| group == Group::Blocked);
    let since = match group {
        Group::Blocked => block.map(|block| block.since),
        Group::InReview => task.submission.as_ref().map(|(stamp, _)| stamp.at()),
        Group::Approved => task.approved.as_ref().map(|it| it.at),
        Group::Doing => task.claimed_at,
        Group::Done => task.closed,
        Group::Todo => None,
    };
    let reason = match group {
        Group::Blocked => block.map(|block| block.reason.as_str()),
        Group::Doing => task.changes.as_deref(),
        _ => None,
    };
    Card {
        id: task.id,
        title: escape(&task.title).into_owned(),
        group,
        priority: task.priority,
        who: task.assignee.as_ref().map(ToString::to_string),
        reviewer: task.reviewer.as_ref().map(ToString::to_string),
        needs_human: block.is_some_and(|block| block.needs_human),
        reason: reason.map(|it| escape_lines(it).into_owned()),
        since: since.unwrap_or(task.created),
        submission: task.submission.as_ref().map(|(stamp, bundle)| Submitted {
            event: stamp.to_string(),
            commit: bundle.commit.clone(),
        }),
        provisional,
    }
}

fn letter(message: &Message, is_unread: bool) -> Letter {
    let to: Vec<String> = match &message.channel {
        Some(channel) => vec![format!("#{channel}")],
        None => message.to.iter().map(ToString::to_string).collect(),
    };
    Letter {
        id: message.id.to_string(),
        at: message.id.at(),
        from: escape(message.from.as_str()).into_owned(),
        to: to.join(", "),
        body: escape_lines(&message.body).into_owned(),
        task: message.task,
        urgent: message.urgent,
        is_unread,
    }
}

fn log_line(event: &HistoryEvent) -> LogLine {
    let Happening { task, what, title } = happening(event, WORDS_MAX);
    let what = match title {
        Some(title) => format!("{what} ({title})"),
        None => what,
    };
    LogLine {
        id: event.id.to_string(),
        at: event.id.at(),
        by: escape(event.by.as_str()).into_owned(),
        task,
        what: escape(&what).into_owned(),
    }
}
