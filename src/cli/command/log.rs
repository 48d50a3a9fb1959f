//! `reflectt log`

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use crate::answer::LogEventJson;
use crate::cli::error::CliError;
use crate::cli::excerpt::first_line;
use crate::cli::session::Session;
use crate::cli::text::Text;
use crate::cli::ui::Ui;
use crate::cli::view::describe;
use crate::format::rfc3339;
use crate::model::agent::AgentEvent;
use crate::model::name::AgentName;
use crate::model::time::Timestamp;
use crate::ops::{self, Changes, HistoryEvent, HistorySubject};

/// Show what happened, oldest first.
///
/// With `--json` each event is an object on a line of its own, with `id`, `at`, `by`, `kind` and
/// the fields of its kind.
#[derive(Debug, Args)]
#[command(after_help = LINES)]
pub struct LogArgs {
    /// Go on with what happens from now, until stopped.
    #[arg(short, long)]
    follow: bool,
    /// How many events of the past.
    #[arg(short = 'n', long, value_name = "N", default_value = "30")]
    limit: NonZeroUsize,
}

/// What `--json` prints of each kind.
const LINES: &str = "\
Kinds of --json:
  created, edited            task, title, and what the task says: all, or what changed
  commented                  task, title, text
  claimed                    task, title, agent, fence, paths, resources, branch, taken_over
  extended                   task, title, paths, resources
  blocked                    task, title, reason, on, needs_human
  unblocked                  task, title
  submitted                  task, title, summary, evidence, commit, pr, caveat, no_check,
                             reviewer
  approved                   task, title, submission, commit, note
  changes_requested          task, title, submission, note
  corrected                  task, title, submission, note (of the last review)
  released                   task, title, note
  handed_off                 task, title, to, note, fence
  lapsed                     task, title, agent, fence, note
  cancelled, reopened        task, title, reason
  overridden                 task, title, reason, paths
  retracted                  task, title, event, note
  message                    to, channel, task, reply_to, urgent, notice, body
  reflection                 task, worked, pain, change, severity, tags
  joined                     agent
  set                        key, value";

/// How much of what somebody wrote is shown, in characters; `--json` has all of it.
const WORDS_MAX: usize = 200;

/// How often to look whether anybody still reads what is printed.
const LOOK: Duration = Duration::from_secs(60);

impl LogArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let context = session.context()?;
        let ui = &session.ui;
        if !self.follow {
            let events = ops::events(context, self.limit.get())?;
            print(ui, &events, |at| format!("{:>10}", ui.relative(at)));
            if events.is_empty() && !ui.is_json() {
                ui.line("nothing has happened yet");
                ui.hint("reflectt join NAME");
            }
            return Ok(());
        }
        let changes = Changes::follow(session.opener()?, None, self.limit.get());
        while !ui.is_closed() {
            if let Some(step) = changes.next(LOOK)? {
                // What is "just now" when it is printed does not stay so on a screen.
                print(ui, &step.events, rfc3339_seconds);
            }
        }
        Ok(())
    }
}

/// Prints events and hands them over at once.
fn print(ui: &Ui, events: &[HistoryEvent], time: impl Fn(i64) -> String) {
    for event in events {
        if ui.is_json() {
            ui.json_line(&LogEventJson::from(event));
        } else {
            ui.line(line(event, &time(event.id.at().0)));
        }
    }
    ui.flush();
}

/// Returns a time without its milliseconds, so that all are of one width.
fn rfc3339_seconds(at: i64) -> String {
    rfc3339(Timestamp(at.div_euclid(1000) * 1000))
}

fn line(event: &HistoryEvent, time: &str) -> Text {
    let line = Text::new()
        .dim(format!("{time}  "))
        .bold(event.by.as_str())
        .plain(" ");
    match &event.subject {
        HistorySubject::Task { id, title, event } => {
            let (what, words) = describe(event);
            let mut line = line.bold(id.as_str()).plain(format!(" {what}"));
            if let Some(words) = words {
                line = line.plain(format!(": {}", first_line(&words, WORDS_MAX)));
            }
            line.dim(format!(" ({title})"))
        }
        HistorySubject::Message(message) => {
            let names = message.to.iter().map(AgentName::to_string);
            let channel = message.channel.iter().map(|channel| format!("#{channel}"));
            let to: Vec<String> = channel.chain(names).collect();
            let to = to.join(", ");
            match (message.notice, &message.task) {
                // What it says is what the event that caused it says.
                (Some(notice), Some(task)) => line
                    .bold(task.as_str())
                    .plain(format!(" told {to} [{notice}]")),
                (Some(notice), None) => line.plain(format!("told {to} [{notice}]")),
                (None, _) => {
                    line.plain(format!("to {to}: {}", first_line(&message.body, WORDS_MAX)))
                }
            }
        }
        HistorySubject::Reflection(reflection) => line.plain(format!(
            "reflected: {}",
            first_line(&reflection.change, WORDS_MAX)
        )),
        HistorySubject::Agent { name, event: what } => {
            let own = name.as_str() == event.by.as_str();
            match (what, own) {
                (AgentEvent::Joined(_), true) => line.plain("joined the team"),
                (AgentEvent::Joined(_), false) => line.plain(format!("put {name} on the team")),
                (AgentEvent::Left, true) => line.plain("left the team"),
                (AgentEvent::Left, false) => line.plain(format!("took {name} off the team")),
                (AgentEvent::Retracted { .. }, _) => {
                    line.plain(format!("took back an event of {name}"))
                }
                (AgentEvent::Unknown { kind }, _) => line.plain(format!("{kind} {name}")),
            }
        }
        HistorySubject::Settings { key, value } => line.plain(format!("set {key} to {value}")),
    }
}
