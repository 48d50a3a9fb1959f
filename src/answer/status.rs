//! Where an agent stands, and what to do now. Short whatever there is.

use serde::Serialize;

use crate::model::advice::{Advice, Call};
use crate::model::message::Message;
use crate::model::name::CheckName;
use crate::model::task::Task;
use crate::model::text;
use crate::ops::{Action, AgentStatus, QueueCounts};

use super::advice::line;
use super::{ClaimJson, MessageJson, PauseJson, TaskJson};

/// How many messages are carried; `inbox_count` counts them all.
const MESSAGES_MAX: usize = 20;
/// How much of a message is carried, in characters.
const BODY_MAX: usize = 500;

#[derive(Debug, Serialize)]
pub struct StatusJson<'a> {
    pub agent: String,
    pub active: Vec<TaskJson<'a>>,
    /// Claims without a task.
    pub claims: Vec<ClaimJson>,
    /// What the remote has not confirmed, of tasks and of paths.
    pub provisional: Vec<String>,
    pub next: Option<TaskJson<'a>>,
    pub reason: String,
    pub reviews: Vec<TaskJson<'a>>,
    /// Approved tasks that this agent may land now.
    pub landable: Vec<TaskJson<'a>>,
    pub inbox_count: usize,
    pub inbox: Vec<ExcerptJson>,
    pub queue: QueueJson,
    pub paused: Option<PauseJson>,
    /// One sentence: what to do now.
    pub action: String,
}

#[derive(Debug, Serialize)]
pub struct ExcerptJson {
    #[serde(flatten)]
    pub message: MessageJson,
    /// Whether `reflectt inbox` shows more of it.
    pub truncated: bool,
}

#[derive(Debug, Serialize)]
pub struct QueueJson {
    pub todo: usize,
    pub ready: usize,
    pub doing: usize,
    pub blocked: usize,
    pub validating: usize,
    /// Those of `validating` that are approved and wait to land.
    pub approved: usize,
}

impl From<&Message> for ExcerptJson {
    fn from(message: &Message) -> ExcerptJson {
        let mut json = MessageJson::from(message);
        let cut = json.body.char_indices().nth(BODY_MAX).map(|(at, _)| at);
        if let Some(at) = cut {
            json.body.truncate(at);
        }
        ExcerptJson {
            message: json,
            truncated: cut.is_some(),
        }
    }
}

impl From<&QueueCounts> for QueueJson {
    fn from(queue: &QueueCounts) -> QueueJson {
        QueueJson {
            todo: queue.todo,
            ready: queue.ready,
            doing: queue.doing,
            blocked: queue.blocked,
            validating: queue.validating,
            approved: queue.approved,
        }
    }
}

impl<'a> From<&'a AgentStatus> for StatusJson<'a> {
    fn from(status: &'a AgentStatus) -> StatusJson<'a> {
        let messages = status.inbox.iter().take(MESSAGES_MAX);
        StatusJson {
            agent: status.agent.to_string(),
            active: (status.active.iter())
                .map(|task| TaskJson {
                    provisional: status.provisional.contains(&task.id),
                    ..TaskJson::from(task)
                })
                .collect(),
            claims: (status.paths.iter())
                .map(|claim| ClaimJson::new(claim, &status.provisional))
                .collect(),
            provisional: status.provisional.iter().map(ToString::to_string).collect(),
            next: status.next.as_ref().map(TaskJson::from),
            reason: status.reason.clone(),
            reviews: status.reviews.iter().map(TaskJson::from).collect(),
            landable: status.landable.iter().map(TaskJson::from).collect(),
            inbox_count: status.inbox.len(),
            inbox: messages.map(ExcerptJson::from).collect(),
            queue: (&status.queue).into(),
            paused: status.paused.as_ref().map(PauseJson::from),
            action: sentence(status.action(), line),
        }
    }
}

/// Returns when a task is to be submitted: its checks run on a commit.
pub fn when_done(task: &Task) -> String {
    let checks: Vec<&str> = task.checks.iter().map(CheckName::as_str).collect();
    match checks.as_slice() {
        [] => "when it is done".to_owned(),
        [one] => format!("when it is done and committed: the check {one} runs"),
        many => format!(
            "when it is done and committed: the checks {} run",
            many.join(", ")
        ),
    }
}

/// Returns what to do now in one sentence; `word` has each call in the door's own words.
pub fn sentence(action: Action<'_>, word: impl Fn(&Call) -> String) -> String {
    let calls: Vec<String> = (action.calls().iter())
        .map(|call| format!("`{}`", word(call)))
        .collect();
    let steps = calls[..calls.len().min(2)].join(", then ");
    match action {
        Action::Stop(message) => {
            let on = message.task.map(|id| format!(" on `{id}`"));
            let on = on.unwrap_or_default();
            format!("Your claim{on} is lost: stop work on it, read {steps}.")
        }
        Action::Heed(message) => {
            format!("Read the urgent message of `{}`: {steps}.", message.from)
        }
        Action::Review(task) => {
            format!(
                "Review `{}`: {steps} or {}.",
                task.id,
                calls[2..].join(" or ")
            )
        }
        Action::Work { task, .. } => {
            let how = match &task.changes {
                Some(_) => "Make the changes asked for in",
                None => "Go on with",
            };
            let (id, title) = (task.id, &task.title);
            let when = when_done(task);
            format!("{how} `{id}` ({title}); {steps} {when}.")
        }
        Action::Read => format!("Read your messages: {steps}."),
        Action::Land([task]) => format!("Land `{}`, which is approved: {steps}.", task.id),
        Action::Land(tasks) => {
            format!("Land the {} tasks that are approved: {steps}.", tasks.len())
        }
        Action::Take(task) => format!(
            "Take the best task that is ready: {steps} (now `{}`, {}).",
            task.id, task.title
        ),
        Action::Wait(reason) => {
            let reason = text::sentence(reason);
            format!("Nothing to do: {reason} Wait with {steps}.")
        }
    }
}

/// Returns what comes next for whoever has just finished something, and why.
pub fn what_next(status: &AgentStatus) -> Option<Advice> {
    let action = status.action();
    let count = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        many => format!("{many} {one}s"),
    };
    let why = match action {
        Action::Stop(_) => "a claim of yours is lost".to_owned(),
        Action::Heed(message) => format!("an urgent message of {}", message.from),
        Action::Review(_) => count(status.reviews.len(), "review") + " for you",
        Action::Work { task, .. } => format!("go on with {}: {}", task.id, task.title),
        Action::Read => count(status.inbox.len(), "unread message"),
        Action::Land(tasks) => count(tasks.len(), "task") + " approved",
        Action::Take(task) => format!("now {}: {}", task.id, task.title),
        Action::Wait(_) => "waits for work".to_owned(),
    };
    let first = match action {
        Action::Work { task, .. } => Some(Call::to("task show").on("id", task.id)),
        _ => action.calls().into_iter().next(),
    };
    first.map(|call| call.so(why))
}
