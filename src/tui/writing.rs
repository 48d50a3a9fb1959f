//! Writing, on a thread of its own: the same operations as commands, with a context of their own.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::answer::{Fault, of_step, on};
use crate::git::Cancel;
use crate::model::id::IdPrefix;
use crate::ops::{
    self, Aftermath, Context, Exchange, NewMessage, NewTask, Recipient, Verdict, Which, Wish,
};

use super::Opener;
use super::act::{Act, Write};
use super::board::{Event, Outcome};
use super::reading::said;

/// Does what is asked for, one thing after the other.
pub struct Writer {
    opener: Arc<Opener>,
    exchange: Exchange,
    /// Ends the write that is under way. The thread puts it there, the screen takes it.
    cancel: Arc<Mutex<Option<Cancel>>>,
    to: Sender<Event>,
}

impl Writer {
    pub fn new(opener: Arc<Opener>, exchange: Exchange, to: Sender<Event>) -> Writer {
        Writer {
            opener,
            exchange,
            cancel: Arc::default(),
            to,
        }
    }

    /// Begins a write; what comes of it is told.
    pub fn start(&self, write: Write) {
        let (opener, to) = (Arc::clone(&self.opener), self.to.clone());
        let (cancel, exchange) = (Arc::clone(&self.cancel), self.exchange);
        thread::spawn(move || {
            let outcome = match run(&*opener, &write, exchange, &cancel, &to) {
                Ok(said) => Outcome {
                    is_done: true,
                    said,
                },
                Err(fault) => Outcome {
                    is_done: false,
                    said: said(&fault),
                },
            };
            *lock(&cancel) = None;
            // Nobody listens only when the program ends.
            to.send(Event::Written(outcome)).ok();
        });
    }

    /// Has the write that is under way end early, if it may; tells whether there is one.
    pub fn cancel(&self) -> bool {
        let cancel = lock(&self.cancel);
        if let Some(cancel) = cancel.as_ref() {
            cancel.cancel();
        }
        cancel.is_some()
    }
}

fn lock(cancel: &Mutex<Option<Cancel>>) -> std::sync::MutexGuard<'_, Option<Cancel>> {
    // It is put in and taken out as a whole.
    cancel.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(
    opener: &Opener,
    write: &Write,
    exchange: Exchange,
    cancel: &Mutex<Option<Cancel>>,
    to: &Sender<Event>,
) -> Result<String, Fault> {
    let progress = to.clone();
    let ctx = opener(Box::new(move |words| {
        progress.send(Event::Progress(words)).ok();
    }))?;
    *lock(cancel) = Some(ctx.repo().runner().cancel());
    let done = perform(&ctx, write, to);
    let Aftermath {
        warnings,
        removed_locks,
    } = ops::finish(&ctx, exchange);
    let mut said = done?;
    if ctx.is_provisional() {
        said.push_str(" (provisional, until the remote decides)");
    }
    for warning in warnings {
        said.push_str("; beware: ");
        said.push_str(&warning);
    }
    if let Some(lock) = removed_locks.first() {
        said.push_str(&format!(
            "; removed `{}`, left behind by a killed process",
            lock.display()
        ));
    }
    Ok(said)
}

/// Does it, and returns what came of it in a line.
fn perform(ctx: &Context, write: &Write, to: &Sender<Event>) -> Result<String, Fault> {
    let owned = |at: usize| write.text(at).map(str::to_owned);
    let text = |at: usize| owned(at).unwrap_or_default();
    match &write.act {
        Act::Approve { id, submission, .. } => {
            let id = IdPrefix::from(*id);
            let verdict = Verdict::Approve {
                note: owned(0),
                submission: Some(submission.clone()),
            };
            let task = ops::review(ctx, &id, &verdict).map_err(on(&id))?;
            Ok(match task.waits_to_land() {
                true => format!("approved {}; it is done when it has landed (l)", task.id),
                false => format!("approved {}; it is done", task.id),
            })
        }
        Act::RequestChanges { id } => {
            let id = IdPrefix::from(*id);
            let verdict = Verdict::RequestChanges { note: text(0) };
            let task = ops::review(ctx, &id, &verdict).map_err(on(&id))?;
            let author = task.assignee.as_ref().map(ToString::to_string);
            let author = author.unwrap_or_else(|| "its author".to_owned());
            Ok(format!(
                "sent {} back; {author} is asked for the changes",
                task.id
            ))
        }
        Act::Comment { id } => {
            let id = IdPrefix::from(*id);
            let task = ops::comment(ctx, &id, &text(0)).map_err(on(&id))?;
            Ok(format!("commented on {}", task.id))
        }
        Act::Message { task } => {
            let to = write.recipients();
            let to = to.into_iter().map(str::parse::<Recipient>);
            let to = to.collect::<Result<_, _>>();
            let to = to.map_err(|error| Fault::usage(error.to_string()))?;
            let new = NewMessage {
                to,
                body: text(1),
                task: task.map(IdPrefix::from),
                reply_to: None,
                urgent: false,
            };
            ops::send(ctx, &new)?;
            Ok(format!("sent to {}", write.recipients().join(", ")))
        }
        Act::New => {
            let path = write.text(2).map(|path| {
                let prefix = ctx.repo().prefix().map_err(ops::OpsError::from)?;
                let path = crate::model::path::PathPattern::parse_in(path, prefix);
                path.map_err(ops::OpsError::from)
            });
            let new = NewTask {
                title: text(0),
                criteria: vec![text(1)],
                paths: path.transpose()?.into_iter().collect(),
                ..NewTask::default()
            };
            let task = ops::new_task(ctx, &new)?;
            Ok(format!("made {}", task.id))
        }
        Act::Land { id } => land(ctx, IdPrefix::from(*id), to),
        Act::Read { message } => {
            let these = message.parse();
            let these = these.map_err(|error| fault(&error))?;
            let acked = ops::ack(ctx, &Which::These(vec![these]))?;
            Ok(format!("marked as read; {} left", acked.left))
        }
    }
}

fn fault(error: &crate::model::message::MessagePrefixError) -> Fault {
    Fault::usage(error.to_string())
}

fn land(ctx: &Context, id: IdPrefix, to: &Sender<Event>) -> Result<String, Fault> {
    let wish = Wish {
        ids: vec![id],
        dry_run: false,
    };
    let report = ops::land(ctx, &wish, &|step| {
        if let Some(words) = of_step(&step) {
            to.send(Event::Progress(words)).ok();
        }
    })?;
    let mut said: Vec<String> = Vec::new();
    for (id, commit) in &report.landed {
        said.push(format!("landed {id} as {}", commit.short()));
    }
    for returned in &report.sent_back {
        said.push(format!(
            "sent {} back: {}",
            returned.task, returned.back.note
        ));
    }
    for id in report.waiting.keys() {
        said.push(format!(
            "{id} waits; reflectt land {id} --dry-run says what for"
        ));
    }
    if let Some(offer) = &report.offer {
        said.push(format!("offered as the branch `{}`", offer.branch));
    }
    said.extend(report.stopped.iter().cloned());
    let said = match said.is_empty() {
        true => "nothing landed".to_owned(),
        false => said.join("; "),
    };
    match report.is_complete() {
        true => Ok(said),
        false => Err(Fault::refused("land", said)),
    }
}
