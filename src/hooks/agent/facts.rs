//! What there is to say to an agent about its own work: each fact with a key, so that it is said
//! once, and with what to do about it.

use crate::model::message::{Message, Notice};
use crate::model::task::{Status, Task};
use crate::ops::{Action, AgentStatus};

/// Something an agent can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// It has lost a claim, as a message says.
    Lost(Message),
    Urgent(Message),
    /// A task waits for its review.
    Review(Task),
    /// Its own task is in progress, perhaps with changes asked for.
    Work {
        task: Task,
        moves: bool,
    },
    Mail(Message),
    /// An approved task may land.
    Land(Task),
    /// There is a task to take.
    Take(Task),
}

/// Facts of this kind are unread messages.
pub const MESSAGE: &str = "message:";

impl Fact {
    /// Returns what there is to do, most urgent first, in the order of [`AgentStatus::action`].
    pub fn all(status: &AgentStatus) -> Vec<Fact> {
        let mail = |is: fn(&Message) -> bool| status.inbox.iter().filter(move |it| is(it)).cloned();
        let mut facts: Vec<Fact> = mail(is_loss).map(Fact::Lost).collect();
        facts.extend(mail(|it| it.urgent && !is_loss(it)).map(Fact::Urgent));
        facts.extend(status.reviews.iter().cloned().map(Fact::Review));
        let doing = |task: &&Task| task.status == Status::Doing;
        facts.extend(status.active.iter().filter(doing).map(|task| Fact::Work {
            moves: status.off_branch.contains(&task.id),
            task: task.clone(),
        }));
        facts.extend(mail(|it| !it.urgent && !is_loss(it)).map(Fact::Mail));
        facts.extend(status.landable.iter().cloned().map(Fact::Land));
        facts.extend(status.next.iter().cloned().map(Fact::Take));
        facts
    }

    /// Returns what tells this fact from every other: a task is another fact once it was submitted
    /// anew, sent back or given out again.
    pub fn key(&self) -> String {
        let state = |task: &Task| {
            let submission = task.submission.as_ref().map(|(stamp, _)| stamp.to_string());
            let fence = task.fence.map(|fence| fence.to_string());
            format!(
                "{}:{}:{}",
                task.id,
                fence.unwrap_or_default(),
                submission.unwrap_or_default()
            )
        };
        match self {
            Fact::Lost(message) | Fact::Urgent(message) | Fact::Mail(message) => {
                format!("{MESSAGE}{}", message.id)
            }
            Fact::Review(task) => format!("review:{}", state(task)),
            Fact::Work { task, .. } => format!("work:{}", state(task)),
            Fact::Land(task) => format!("land:{}", state(task)),
            Fact::Take(task) => format!("take:{}", task.id),
        }
    }

    /// Tells whether an agent that is about to stop leaves this undone.
    pub fn is_left_undone(&self) -> bool {
        match self {
            Fact::Lost(_) | Fact::Urgent(_) | Fact::Review(_) | Fact::Work { .. } => true,
            Fact::Mail(_) | Fact::Land(_) | Fact::Take(_) => false,
        }
    }

    /// Tells whether this is worth waking an agent for: not what it need only know.
    pub fn wakes(&self) -> bool {
        let Fact::Mail(message) = self else {
            return true;
        };
        !matches!(
            message.notice,
            Some(
                Notice::Approved
                    | Notice::Cancelled
                    | Notice::Finished
                    | Notice::Overridden
                    | Notice::Quiet
                    // Where there is something to take or to review, that is a fact of its own.
                    | Notice::Ready
                    | Notice::ReviewAsked
            )
        )
    }

    /// Returns what to do about it.
    pub fn action(&self) -> Action<'_> {
        match self {
            Fact::Lost(message) => Action::Stop(message),
            Fact::Urgent(message) => Action::Heed(message),
            Fact::Review(task) => Action::Review(task),
            Fact::Work { task, moves } => Action::Work {
                task,
                moves: *moves,
            },
            Fact::Mail(_) => Action::Read,
            Fact::Land(task) => Action::Land(std::slice::from_ref(task)),
            Fact::Take(task) => Action::Take(task),
        }
    }

    pub fn message(&self) -> Option<&Message> {
        match self {
            Fact::Lost(message) | Fact::Urgent(message) | Fact::Mail(message) => Some(message),
            Fact::Review(_) | Fact::Work { .. } | Fact::Land(_) | Fact::Take(_) => None,
        }
    }
}

/// Tells whether a message is of a claim that its reader has lost.
pub fn is_loss(message: &Message) -> bool {
    message.notice == Some(Notice::ClaimLost)
}
