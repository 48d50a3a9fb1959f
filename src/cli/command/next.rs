//! `reflectt next`

use clap::Args;

use crate::answer::{NextJson, TaskJson};
use crate::cli::command::claim::work_branch;
use crate::cli::error::{CliError, Kind};
use crate::cli::session::Session;
use crate::cli::view;
use crate::model::id::TaskId;
use crate::model::time::Span;
use crate::ops::{self, NextUp};

/// Show what to do next: your unfinished work, else the best task you may take.
///
/// Exits with 5 and says why when there is nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  reflectt next --claim --branch")]
pub struct Next {
    /// Claim it in the same step.
    #[arg(long)]
    claim: bool,
    /// With `--claim`: switch this worktree to a branch of the task's own, or to this one.
    #[arg(long, value_name = "NAME", num_args = 0..=1, requires = "claim")]
    branch: Option<Option<String>>,
    /// Where there is none, wait until there is one, or something else to do, for at most this
    /// long, like `90s` or `10m`.
    #[arg(long, value_name = "DURATION")]
    wait: Option<Span>,
}

impl Next {
    /// Returns the exit code: having nothing to do is an answer, with a code of its own.
    pub fn run(&self, session: &Session) -> Result<u8, CliError> {
        let context = session.context()?;
        let branch = work_branch(self.branch.as_ref());
        let claim = self.claim.then_some(&branch);
        let next = match self.wait {
            Some(limit) => ops::wait_for_task(context, claim, limit.into())?,
            None => ops::next(context, claim)?,
        };
        if session.ui.is_json() {
            session.ui.json(&NextJson {
                task: next.task.as_ref().map(|task| TaskJson {
                    body: Some(&task.body),
                    ..session.task_json(task)
                }),
                claim: next.claim.as_ref().map(|claim| session.claim_json(claim)),
                reason: &next.reason,
                reviews: next.reviews.iter().map(TaskId::as_str).collect(),
            });
        } else {
            self.print(session, &next);
        }
        Ok(match next.task {
            Some(_) => 0,
            None => Kind::Nothing.exit_code(),
        })
    }

    fn print(&self, session: &Session, next: &NextUp) {
        let ui = &session.ui;
        match &next.task {
            Some(task) => {
                view::task(ui, task, &[], view::Standing::of(session.is_provisional()));
                ui.note(format!("({})", next.reason));
                if next.claim.is_some() {
                    view::hint_submit(ui, task);
                } else {
                    ui.hint("reflectt next --claim --branch (takes it, or the next best if somebody else was faster)");
                }
            }
            None => ui.line(&next.reason),
        }
        for id in &next.reviews {
            ui.hint(format!("reflectt task show {id} (waits for your review)"));
        }
        if next.task.is_none() && next.reviews.is_empty() {
            ui.hint("reflectt next --claim --branch --wait 10m (waits for work)");
        }
    }
}
