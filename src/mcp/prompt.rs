//! Prompts: what a person can start an agent with.

use rmcp::model::{
    GetPromptRequestParams, GetPromptResult, Prompt, PromptArgument, PromptMessage, Role,
};
use serde_json::Value;

use crate::answer::{Fault, of, on, sentence};
use crate::model::id::IdPrefix;
use crate::ops::{self, Context};

use super::words;

/// Returns the prompts that there are.
pub fn listed() -> Vec<Prompt> {
    let id = PromptArgument::new("id").with_description("the task");
    vec![
        Prompt::new(
            "work",
            Some("Go on with your work, or take the next task"),
            Some(vec![id.clone().with_required(false)]),
        ),
        Prompt::new(
            "review",
            Some("Judge what somebody else has submitted"),
            Some(vec![id.with_required(true)]),
        ),
    ]
}

/// Makes a prompt of how things stand now.
///
/// # Errors
///
/// If there is no such prompt, or no such task.
pub fn make(ctx: &Context, request: &GetPromptRequestParams) -> Result<GetPromptResult, Fault> {
    let given = request.arguments.as_ref().and_then(|all| all.get("id"));
    let id: Option<IdPrefix> = match given.and_then(Value::as_str) {
        Some(id) => Some(
            id.parse()
                .map_err(|error| Fault::usage(format!("`id`: {error}")))?,
        ),
        None => None,
    };
    let text = match request.name.as_str() {
        "work" => work(ctx, id.as_ref())?,
        "review" => {
            let id = id.ok_or_else(|| Fault::usage("the prompt `review` needs `id`"))?;
            review(ctx, &id)?
        }
        other => {
            let other = other.escape_debug();
            return Err(Fault::usage(format!(
                "there is no prompt `{other}`, but work and review"
            )));
        }
    };
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(
        Role::User,
        text,
    )]))
}

fn work(ctx: &Context, id: Option<&IdPrefix>) -> Result<String, Fault> {
    let first = match id {
        Some(id) => {
            let task = ops::show(ctx, id).map_err(on(id))?.row.task;
            format!(
                "Work on task `{0}` ({1}): call the tool `claim` with {{\"id\":\"{0}\",\"branch\":true}}.",
                task.id, task.title
            )
        }
        None => {
            let status = ops::status(ctx).map_err(of)?;
            sentence(status.action(), words::line)
        }
    };
    Ok(format!(
        "{first}\n\nEdit only files that you hold; claim more before you edit them. When every \
         criterion is met, commit, and call `submit` with evidence for each. Then call `status` and \
         do what its `action` says, until there is nothing left to do."
    ))
}

fn review(ctx: &Context, id: &IdPrefix) -> Result<String, Fault> {
    let task = ops::show(ctx, id).map_err(on(id))?.row.task;
    Ok(format!(
        "Review task `{0}` ({1}). Call the tool `review` with {{\"id\":\"{0}\"}}: it says what was \
         asked for, what was done and how to see the difference. Read the difference, try what the \
         evidence claims, and judge by the criteria alone. Then call `review` with `approve`, or \
         with `request_changes` saying what has to change and how you saw it.",
        task.id, task.title
    ))
}
