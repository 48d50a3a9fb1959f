//! Where an agent stands, and what to do now. Short whatever there is.

use serde::Serialize;

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
            action: sentence(status.action()),
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

/// Returns what to do now in one sentence, with the commands to run.
pub fn sentence(action: Action<'_>) -> String {
    let calls = action.calls();
    let steps = calls.iter().take(2).map(|call| format!("`{}`", line(call)));
    let steps = steps.collect::<Vec<_>>().join(", then ");
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
            format!("Review `{}`: {steps} or `--request-changes TEXT`.", task.id)
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
