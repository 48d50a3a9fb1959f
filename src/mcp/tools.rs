//! What each tool does: reads its arguments, calls one operation, and hands on the answer.

mod talk;
mod tasks;
mod work;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answer::{Args, Cut, Fault, TaskJson, brief, what_next};
use crate::model::advice::Advice;
use crate::model::task::Task;
use crate::ops::checks::Step;
use crate::ops::{self, Context, Exchange};

use super::words;

/// What a call is done with.
pub struct Call<'c> {
    pub ctx: &'c Context,
    pub args: Args,
    /// Told what checks are at.
    pub watch: &'c dyn Fn(Step),
}

/// What a tool has to say.
pub struct Answer {
    value: Value,
    hints: Vec<Advice>,
    cut: Cut,
}

/// What came of a call, as a client is given it.
#[derive(Debug)]
pub struct Outcome {
    pub value: Value,
    pub failed: bool,
}

impl Answer {
    fn new(value: impl Serialize) -> Answer {
        Answer {
            value: json!(value),
            hints: Vec::new(),
            cut: Cut::default(),
        }
    }

    fn cut(self, cut: Cut) -> Answer {
        Answer { cut, ..self }
    }

    fn hint(mut self, advice: impl Into<Advice>) -> Answer {
        self.hints.push(advice.into());
        self
    }

    /// Says what comes next for whoever has finished something.
    fn and_next(mut self, ctx: &Context) -> Answer {
        let status = ops::status(ctx).ok();
        self.hints.extend(status.as_ref().and_then(what_next));
        self
    }
}

/// Runs a tool, and exchanges what it did with the remote.
pub fn call(name: &str, call: &Call) -> Outcome {
    let result = match name {
        "status" => work::status(call),
        "next" => work::next(call),
        "claim" => work::claim(call),
        "progress" => work::progress(call),
        "submit" => work::submit(call),
        "review" => work::review(call),
        "land" => work::land(call),
        "list" => tasks::list(call),
        "show" => tasks::show(call),
        "new_task" => tasks::new_task(call),
        "message" => talk::message(call),
        "ask" => talk::ask(call),
        "reflect" => talk::reflect(call),
        // The server has looked it up.
        other => Err(Fault::usage(format!("there is no tool `{other}`"))),
    };
    // What only looks has nothing to exchange, and is to be quick.
    let exchange = match name {
        "status" | "list" | "show" => Exchange::Later,
        _ => Exchange::Now,
    };
    let warnings = ops::finish(call.ctx, exchange).warnings;
    let mut outcome = match result {
        Ok(answer) => {
            let mut value = brief(answer.value, answer.cut);
            if !answer.hints.is_empty() {
                value["hints"] = answer.hints.iter().map(words::advice).collect();
            }
            Outcome {
                value,
                failed: false,
            }
        }
        Err(fault) => failure(&fault),
    };
    if !warnings.is_empty() {
        outcome.value["warnings"] = json!(warnings);
    }
    outcome
}

/// Returns what a client is told of an error: the object that `--json` prints, and what to do next
/// as tool calls.
pub fn failure(fault: &Fault) -> Outcome {
    let mut value = json!(fault.to_json());
    value["error"]["hints"] = fault.advice().iter().map(words::advice).collect();
    let cut = Cut {
        text: 1_000,
        whole: &["message", "hints"],
        ..Cut::default()
    };
    Outcome {
        value: brief(value, cut),
        failed: true,
    }
}

/// Says of a task where it is now. What it is about, whoever moved it knows.
fn moved(ctx: &Context, task: &Task) -> Answer {
    let whole = json!(TaskJson::left_by(ctx, task));
    let told = [
        "id",
        "title",
        "status",
        "assignee",
        "reviewer",
        "block",
        "approved",
        "landed",
        "provisional",
    ];
    let mut value: Map<String, Value> = told
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), whole.get(name)?.clone())))
        .collect();
    if let Some(submission) = whole["submission"].as_object() {
        let told = ["commit", "base", "published", "beneath"];
        let kept = told.into_iter().filter_map(|name| {
            let value = submission.get(name)?;
            Some((name.to_owned(), value.clone()))
        });
        value.insert("submission".to_owned(), Value::Object(kept.collect()));
    }
    Answer::new(value)
}
