//! What may be done to a task, and by whom, in the state that it is in.

use crate::model::event::Event;
use crate::model::id::{Fence, Stamp};
use crate::model::name::{AgentName, Author};
use crate::model::rule::Refusal;

use super::{Edit, Status, Submission, Task, TaskEvent};

impl Task {
    /// Checks whether `by` may do this to the task in its present state.
    ///
    /// These are the rules that one task can judge by itself. Those that need the others
    /// (dependencies, limits, overlapping paths) are in [`crate::model::decide`].
    pub fn allows(&self, by: &Author, event: &TaskEvent) -> Result<(), Refusal> {
        match event {
            TaskEvent::Created(_) => Err(self.wrong_status("created again")),
            TaskEvent::Commented { .. }
            | TaskEvent::Checked(_)
            | TaskEvent::Overridden { .. }
            | TaskEvent::Retracted { .. } => Ok(()),
            TaskEvent::Unknown { .. } => Ok(()),
            TaskEvent::Edited(edit) => self.allows_edit(edit),
            TaskEvent::Claimed { fence, .. } => self.allows_claim(*fence),
            TaskEvent::Extended { .. } => self.by_holder(by, "extended"),
            TaskEvent::Blocked { .. } => {
                self.in_status(&[Status::Doing, Status::Blocked], "blocked")?;
                self.by_holder(by, "blocked")
            }
            TaskEvent::Unblocked => {
                self.in_status(&[Status::Blocked], "unblocked")?;
                self.by_holder(by, "unblocked")
            }
            TaskEvent::Submitted(submission) => self.allows_submission(by, submission),
            TaskEvent::Approved { submission, .. } => {
                self.not_approved()?;
                self.allows_review(by, *submission)
            }
            TaskEvent::ChangesRequested { submission, .. } => self.allows_review(by, *submission),
            TaskEvent::Landed { submission, .. } => self.allows_landing(*submission),
            TaskEvent::SentBack(back) => self.allows_landing(back.submission),
            TaskEvent::Corrected { submission, .. } => self.allows_correction(by, *submission),
            TaskEvent::Reminded { reviewer, .. } => self.allows_reminder(reviewer),
            TaskEvent::Released { .. } => self.by_holder(by, "released"),
            TaskEvent::HandedOff { to, fence, .. } => self.allows_hand_off(by, to, *fence),
            TaskEvent::Lapsed { agent, fence, .. } => {
                if self.fence == Some(*fence) && self.assignee.as_ref() == Some(agent) {
                    Ok(())
                } else {
                    Err(Refusal::ClaimOver {
                        task: self.id,
                        fence: *fence,
                        agent: Some(agent.clone()),
                    })
                }
            }
            TaskEvent::Cancelled { .. } if self.status.is_open() => Ok(()),
            TaskEvent::Cancelled { .. } => Err(self.wrong_status("cancelled")),
            TaskEvent::Reopened { .. } if !self.status.is_open() => Ok(()),
            TaskEvent::Reopened { .. } => Err(self.wrong_status("reopened")),
        }
    }

    /// Checks whether an event may follow: it was decided about the claim that there is now.
    pub(super) fn allows_event(&self, event: &Event<TaskEvent>) -> Result<(), Refusal> {
        let decided = event.decided.filter(|_| event.kind.decides());
        if let Some(under) = decided.and_then(|decided| decided.under)
            && self.fence != Some(under)
        {
            return Err(Refusal::ClaimOver {
                task: self.id,
                fence: under,
                agent: None,
            });
        }
        match &event.kind {
            // Whose review it is was judged when it was decided. An edit by hand of the reviewer,
            // which nobody decides, may have come to light since.
            TaskEvent::Approved { submission, .. } if event.decided.is_some() => {
                self.not_approved()?;
                self.allows_verdict(&event.by, *submission)
            }
            TaskEvent::ChangesRequested { submission, .. } if event.decided.is_some() => {
                self.allows_verdict(&event.by, *submission)
            }
            kind => self.allows(&event.by, kind),
        }
    }

    fn allows_edit(&self, edit: &Edit) -> Result<(), Refusal> {
        if !self.status.is_open() {
            return Err(self.wrong_status("edited"));
        }
        // Whose work it is, is decided by claims; who may take free work, by anyone.
        if edit.assignee.is_some() && self.status != Status::Todo {
            return Err(self.wrong_status("assigned"));
        }
        // What a claim covers changes by `claim` and `release`, or table and record disagree.
        let covered = edit.paths.is_some() || edit.shared.is_some() || edit.resources.is_some();
        if covered && self.fence.is_some() {
            return Err(Refusal::Claimed { task: self.id });
        }
        match &edit.reviewer {
            // A reviewer must not be the author, and somebody must be there to review.
            Some(Some(reviewer))
                if self.status != Status::Todo && self.assignee.as_ref() == Some(reviewer) =>
            {
                return Err(self.own_review(reviewer));
            }
            Some(None) if self.status == Status::Validating => {
                return Err(Refusal::NeedsReviewer { task: self.id });
            }
            _ => {}
        }
        Ok(())
    }

    /// The table decides who holds a task, and a higher fence proves a later decision.
    fn allows_claim(&self, fence: Fence) -> Result<(), Refusal> {
        if !self.status.is_open() {
            return Err(self.wrong_status("claimed"));
        }
        if fence <= self.last_fence {
            return Err(Refusal::Superseded {
                task: self.id,
                fence,
                by: self.last_fence,
            });
        }
        Ok(())
    }

    fn allows_submission(&self, by: &Author, submission: &Submission) -> Result<(), Refusal> {
        // Done by approval of an earlier submission: nobody has reviewed this one, so the
        // approval does not stand. Only clones that worked apart can get here.
        let after_approval =
            self.status == Status::Done && self.assignee.as_ref().is_some_and(|a| by.is(a));
        if !after_approval {
            self.in_status(
                &[Status::Doing, Status::Blocked, Status::Validating],
                "submitted",
            )?;
            self.by_holder(by, "submitted")?;
        }
        match &submission.reviewer {
            Some(reviewer) if by.is(reviewer) => Err(self.own_review(reviewer)),
            _ => Ok(()),
        }
    }

    fn allows_review(&self, by: &Author, submission: Stamp) -> Result<(), Refusal> {
        self.allows_verdict(by, submission)?;
        match &self.reviewer {
            Some(reviewer) if by.is(reviewer) => Ok(()),
            Some(reviewer) => Err(Refusal::NotReviewer {
                task: self.id,
                reviewer: reviewer.clone(),
                by: by.clone(),
            }),
            None => Err(Refusal::NoReviewer { task: self.id }),
        }
    }

    /// Checks whether a submission waits to land.
    fn allows_landing(&self, submission: Stamp) -> Result<(), Refusal> {
        self.in_status(&[Status::Validating], "landed")?;
        match &self.submission {
            _ if self.approved.is_none() => Err(Refusal::NotApproved { task: self.id }),
            Some((latest, _)) if *latest == submission => Ok(()),
            _ => Err(Refusal::Replaced { task: self.id }),
        }
    }

    fn not_approved(&self) -> Result<(), Refusal> {
        match self.waits_to_land() {
            true => Err(Refusal::Approved { task: self.id }),
            false => Ok(()),
        }
    }

    /// Checks whether there is something to judge for anybody but its author.
    fn allows_verdict(&self, by: &Author, submission: Stamp) -> Result<(), Refusal> {
        self.in_status(&[Status::Validating], "reviewed")?;
        if let Some(author) = self.assignee.as_ref().filter(|author| by.is(author)) {
            return Err(self.own_review(author));
        }
        match &self.submission {
            Some((latest, _)) if *latest == submission => Ok(()),
            _ => Err(Refusal::Replaced { task: self.id }),
        }
    }

    fn allows_reminder(&self, reviewer: &AgentName) -> Result<(), Refusal> {
        self.in_status(&[Status::Validating], "waited for in review")?;
        match &self.reviewer {
            Some(asked) if asked == reviewer => Ok(()),
            Some(asked) => Err(Refusal::NotReviewer {
                task: self.id,
                reviewer: asked.clone(),
                by: Author::from(reviewer),
            }),
            None => Err(Refusal::NoReviewer { task: self.id }),
        }
    }

    /// What was said in a review may be said better by whoever said it, while it is the last word.
    fn allows_correction(&self, by: &Author, submission: Stamp) -> Result<(), Refusal> {
        let sent_back = self.status.is_open() && self.changes.is_some();
        let judged = self.status == Status::Done || sent_back;
        let last = (self.submission.as_ref()).is_some_and(|(latest, _)| *latest == submission);
        if !judged || !last {
            return Err(Refusal::NoReview { task: self.id });
        }
        match &self.reviewer {
            Some(reviewer) if by.is(reviewer) => Ok(()),
            _ => Err(Refusal::NotTheirReview {
                task: self.id,
                by: by.clone(),
            }),
        }
    }

    fn allows_hand_off(
        &self,
        by: &Author,
        to: &AgentName,
        fence: Option<Fence>,
    ) -> Result<(), Refusal> {
        self.in_status(&[Status::Doing, Status::Blocked], "handed off")?;
        self.by_holder(by, "handed off")?;
        if by.is(to) {
            return Err(Refusal::AlreadyHolds {
                task: self.id,
                agent: to.clone(),
            });
        }
        match fence {
            Some(fence) => self.allows_claim(fence),
            None => Ok(()),
        }
    }

    fn in_status(&self, statuses: &[Status], done: &'static str) -> Result<(), Refusal> {
        if statuses.contains(&self.status) {
            Ok(())
        } else {
            Err(self.wrong_status(done))
        }
    }

    /// Returns the refusal of what cannot be `done` in the present status.
    pub fn wrong_status(&self, done: &'static str) -> Refusal {
        Refusal::WrongStatus {
            task: self.id,
            status: self.status,
            done,
        }
    }

    fn by_holder(&self, by: &Author, done: &'static str) -> Result<(), Refusal> {
        match self.holder() {
            Some(holder) if by.is(holder) => Ok(()),
            Some(holder) => Err(Refusal::NotHolder {
                task: self.id,
                holder: holder.clone(),
                by: by.clone(),
                done,
            }),
            None => Err(Refusal::NoHolder {
                task: self.id,
                done,
            }),
        }
    }

    fn own_review(&self, author: &AgentName) -> Refusal {
        Refusal::OwnReview {
            task: Some(self.id),
            author: author.clone(),
        }
    }
}
