//! `reflectt log`

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use crate::answer::LogEventJson;
use crate::answer::told::{Happening, happening};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::text::Text;
use crate::cli::ui::Ui;
use crate::format::rfc3339;
use crate::model::time::Timestamp;
use crate::ops::{self, Changes, HistoryEvent};

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
    let Happening { task, what, title } = happening(event, WORDS_MAX);
    let line = Text::new()
        .dim(format!("{time}  "))
        .bold(event.by.as_str())
        .plain(" ");
    let line = match task {
        Some(id) => line.bold(id.as_str()).plain(" "),
        None => line,
    };
    let line = line.plain(what);
    match title {
        Some(title) => line.dim(format!(" ({title})")),
        None => line,
    }
}
