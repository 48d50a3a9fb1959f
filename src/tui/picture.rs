//! What the screen shows of the team: plain values, with every text safe to print.
//!
//! Nothing here knows a repository or a terminal. Ages are not words yet: the clock goes on while
//! a picture stays.

use crate::model::id::TaskId;
use crate::model::presence::Liveness;
use crate::model::task::Priority;
use crate::model::time::Timestamp;

/// The team as it was read last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Picture {
    /// When it was read, by this machine's clock.
    pub read: Timestamp,
    /// Whoever needs attention first.
    pub agents: Vec<Member>,
    /// In the order of [`Group`], the most urgent first.
    pub cards: Vec<Card>,
    /// Newest first: channels, and what is unread of whoever acts.
    pub letters: Vec<Letter>,
    /// Who suspended claiming, and why.
    pub paused: Option<String>,
    /// Why whoever acts may only look.
    pub read_only: Option<String>,
}

/// Where a task stands, in the order in which the board has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Blocked,
    InReview,
    Approved,
    Doing,
    Done,
    Todo,
}

impl Group {
    pub const ALL: [Group; 6] = [
        Group::Blocked,
        Group::InReview,
        Group::Approved,
        Group::Doing,
        Group::Done,
        Group::Todo,
    ];

    /// Returns what stands above its tasks.
    pub fn title(self) -> &'static str {
        match self {
            Group::Blocked => "blocked",
            Group::InReview => "in review",
            Group::Approved => "approved",
            Group::Doing => "doing",
            Group::Done => "done today",
            Group::Todo => "to do",
        }
    }

    /// Returns what tells it from the others where there is no colour.
    pub fn mark(self) -> &'static str {
        match self {
            Group::Blocked => "x",
            Group::InReview => "?",
            Group::Approved => "+",
            Group::Doing => ">",
            Group::Done => "=",
            Group::Todo => "-",
        }
    }
}

/// A task, as far as a line tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    pub id: TaskId,
    pub title: String,
    pub group: Group,
    pub priority: Priority,
    /// Its holder; of a free task, whom it is reserved for.
    pub who: Option<String>,
    pub reviewer: Option<String>,
    /// Whether it waits for a person.
    pub needs_human: bool,
    /// Why it stands still, or what was asked to be changed.
    pub reason: Option<String>,
    /// Since when it is so.
    pub since: Timestamp,
    /// What was submitted last: the event, and the commit.
    pub submission: Option<Submitted>,
    /// Whether it is so only here, until the remote has decided.
    pub provisional: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    pub event: String,
    pub commit: Option<String>,
}

/// A member of the team.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub name: String,
    pub is_human: bool,
    pub role: Option<String>,
    pub life: Liveness,
    pub seen: Option<Timestamp>,
    pub note: Option<String>,
    /// What it holds: tasks by title, and claims of paths.
    pub holds: Vec<Holds>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    pub task: Option<TaskId>,
    /// A title, or paths.
    pub what: String,
    /// Whether its holder is to work on it now, and does not wait for a review.
    pub is_active: bool,
}

impl Member {
    /// Tells whether others wait for a sign of life: it holds work, and gives none.
    pub fn is_silent(&self) -> bool {
        let gone = matches!(self.life, Liveness::Stale | Liveness::Offline);
        gone && !self.is_human && self.holds.iter().any(|it| it.is_active)
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// Its id.
    pub id: String,
    pub at: Timestamp,
    pub from: String,
    /// `#general`, or who else it went to.
    pub to: String,
    pub body: String,
    pub task: Option<TaskId>,
    pub urgent: bool,
    /// Whether it waits, unread, for whoever acts.
    pub is_unread: bool,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    pub id: String,
    pub at: Timestamp,
    pub by: String,
    pub task: Option<TaskId>,
    pub what: String,
}

/// A task with all there is to say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    pub id: TaskId,
    pub lines: Vec<DocLine>,
}

/// A line of a page; it is wrapped to the width there is.
#[derive(Debug, Clone, PartialEq)]
pub struct DocLine {
    pub tone: Tone,
    pub indent: u16,
    pub text: String,
    /// What the age behind it is of.
    pub at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Title,
    Heading,
    Plain,
    Dim,
    Good,
    Bad,
}

impl DocLine {
    pub fn new(tone: Tone, indent: u16, text: impl Into<String>) -> DocLine {
        DocLine {
            tone,
            indent,
            text: text.into(),
            at: None,
        }
    }

    /// Puts the age of `at` behind the line.
    pub fn since(self, at: Timestamp) -> DocLine {
        DocLine {
            at: Some(at),
            ..self
        }
    }
}

/// What waits for whoever looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Need<'p> {
    Review(&'p Card),
    Person(&'p Card),
    Mail(&'p Letter),
}

impl Picture {
    pub fn card(&self, id: TaskId) -> Option<&Card> {
        self.cards.iter().find(|card| card.id == id)
    }

    /// Returns what waits for `me`, and what waits for any person: what others wait for most first.
    pub fn needs<'p>(&'p self, me: Option<&str>) -> Vec<Need<'p>> {
        let blocked = self.cards.iter().filter(|card| card.needs_human);
        let mine = |card: &&Card| {
            card.group == Group::InReview && me.is_some() && card.reviewer.as_deref() == me
        };
        let reviews = self.cards.iter().filter(mine);
        let mail = self.letters.iter().filter(|letter| letter.is_unread);
        let mut all: Vec<Need> = blocked.map(Need::Person).collect();
        all.extend(reviews.map(Need::Review));
        all.extend(mail.map(Need::Mail));
        all
    }
}

#[cfg(test)]
pub mod testing;
