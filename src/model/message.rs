//! Messages: from one agent to others, or to a channel.

use std::fmt;
use std::str::FromStr;

use super::advice::{Advice, Call};
use super::extra::Extra;
use super::id::{Stamp, TaskId};
use super::name::{AgentName, Author, ChannelName};
use super::task::{ChoiceError, choose};

/// What a message that reflectt itself caused is about, for programs to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// The reader lost a claim: it expired, was taken over, or lost to another clone.
    ClaimLost,
    /// A task was handed to the reader.
    HandedOff,
    /// The reader is asked to review.
    ReviewAsked,
    /// The reader's submission was reviewed.
    Reviewed,
    /// The reader's submission was approved and waits to land.
    Approved,
    /// The reader's approved work could not land.
    SentBack,
    /// A task that the reader's waited for is done.
    Ready,
    /// The reader's task is done; a reflection is asked for.
    Finished,
    /// A task the reader held or was to review was cancelled.
    Cancelled,
    /// A task needs a person.
    NeedsHuman,
    /// Somebody changed files the reader has claimed.
    Overridden,
    /// The reader was mentioned in a comment.
    Mentioned,
    /// The reader has gone quiet, or somebody whose work is waited for has.
    Quiet,
    /// The reader's work and somebody else's cannot be merged any more.
    Clash,
}

impl Notice {
    pub const ALL: [Notice; 14] = [
        Notice::ClaimLost,
        Notice::HandedOff,
        Notice::ReviewAsked,
        Notice::Reviewed,
        Notice::Approved,
        Notice::SentBack,
        Notice::Ready,
        Notice::Finished,
        Notice::Cancelled,
        Notice::NeedsHuman,
        Notice::Overridden,
        Notice::Mentioned,
        Notice::Quiet,
        Notice::Clash,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Notice::ClaimLost => "claim_lost",
            Notice::HandedOff => "handed_off",
            Notice::ReviewAsked => "review_asked",
            Notice::Reviewed => "reviewed",
            Notice::Approved => "approved",
            Notice::SentBack => "sent_back",
            Notice::Ready => "ready",
            Notice::Finished => "finished",
            Notice::Cancelled => "cancelled",
            Notice::NeedsHuman => "needs_human",
            Notice::Overridden => "overridden",
            Notice::Mentioned => "mentioned",
            Notice::Quiet => "quiet",
            Notice::Clash => "clash",
        }
    }
}

impl FromStr for Notice {
    type Err = ChoiceError;

    fn from_str(text: &str) -> Result<Notice, ChoiceError> {
        choose("notice", text, &Notice::ALL, Notice::as_str)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A message. Immutable: whether it was read is where its file lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: Stamp,
    pub from: Author,
    /// The agents whose inboxes it is in.
    pub to: Vec<AgentName>,
    pub channel: Option<ChannelName>,
    pub task: Option<TaskId>,
    pub reply_to: Option<Stamp>,
    pub urgent: bool,
    pub notice: Option<Notice>,
    pub body: String,
    pub extra: Extra,
}

impl Message {
    /// Returns what whoever reads it may do next. It follows from what happened, and to which task.
    pub fn advice(&self) -> Vec<Advice> {
        let about = |call: Call| self.task.map(|task| call.on("id", task));
        let advice = match self.notice {
            Some(Notice::ClaimLost) => {
                let again = about(Call::to("claim"));
                vec![again.map(|call| call.so("takes it again, if it is free"))]
            }
            Some(Notice::Quiet) => vec![Some(
                Call::to("heartbeat").so("keeps it, for whoever holds it"),
            )],
            Some(Notice::Clash) => vec![Some(Call::to("radar").so("shows which files"))],
            Some(Notice::ReviewAsked) => {
                let review = || about(Call::to("review"));
                let changes = review().map(|call| call.ask("request_changes", "TEXT"));
                vec![
                    review().map(Advice::from),
                    review().map(|call| call.flag("approve").into()),
                    changes.map(Advice::from),
                ]
            }
            Some(Notice::Finished) => {
                let reflect = self.task.map(|task| Call::to("reflect").set("task", task));
                let texts = ["worked", "pain", "change"];
                let ask = |call: Call| {
                    texts
                        .into_iter()
                        .fold(call, |call, it| call.ask(it, "TEXT"))
                };
                vec![reflect.map(|call| ask(call).so("what did you learn?"))]
            }
            _ => Vec::new(),
        };
        advice.into_iter().flatten().collect()
    }
}

/// A word that names one message among a few: its whole id, or the beginning or end of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePrefix(String);

impl MessagePrefix {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn matches(&self, id: Stamp) -> bool {
        let id = id.to_string();
        id.starts_with(&self.0) || id.ends_with(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a message id: give all 26 characters, or at least the last 4")]
pub struct MessagePrefixError(String);

impl FromStr for MessagePrefix {
    type Err = MessagePrefixError;

    fn from_str(text: &str) -> Result<MessagePrefix, MessagePrefixError> {
        let fits =
            (4..=26).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if fits {
            Ok(MessagePrefix(text.to_ascii_uppercase()))
        } else {
            Err(MessagePrefixError(text.to_owned()))
        }
    }
}
