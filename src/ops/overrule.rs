//! Going on in spite of a claim, with a reason: recorded first, and the holder is told.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::extra::Extra;
use crate::model::id::{Stamp, TaskId};
use crate::model::message::{Message, Notice};
use crate::model::name::{AgentName, Author, ChannelName};
use crate::model::settings::GENERAL;
use crate::model::task::{TaskEvent, TaskLog};
use crate::model::text;
use crate::model::time::{Span, Timestamp};
use crate::store::{Changes, Origin, Snapshot, Turn};

use super::enforce::{Finding, Why};
use super::{Context, OpsError, sync};

/// How long an override that is on the record stands for the same files and the same reason.
const STANDS: Span = Span::from_mins(12 * 60);

/// How many paths are named in a message; the record has them all.
const NAMED: usize = 20;

/// Whether an override is recorded that is on the record already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Each is one of its own: a commit.
    Always,
    /// Asked again about the same change: by `commit-msg` after `pre-commit`, by each edit.
    IfNew,
}

/// Records that whoever acts changes what the findings name all the same.
///
/// One event on each task concerned, one message to each holder, in one commit on the record:
/// once for a change, not once for a file. A person need not be on the team. What concerns no
/// task and no holder, because nobody has claimed the paths, goes to the general channel.
///
/// # Errors
///
/// If it cannot be recorded, the caller must not go on: an override nobody can see is none.
pub fn overrule(
    ctx: &Context,
    findings: &[Finding],
    reason: &str,
    repeat: Repeat,
) -> Result<(), OpsError> {
    let reason = text::note("reason", reason)?;
    let author = ctx.person();
    sync::adopt_here(ctx)?;
    ctx.store().transact(|snapshot| -> Result<_, OpsError> {
        let mut draft = Draft {
            ctx,
            snapshot,
            author: &author,
            reason: &reason,
            now: ctx.now(),
            repeat,
            changes: Changes::default(),
            concerned: BTreeSet::new(),
        };
        for (task, change) in collect(findings) {
            draft.add(task, &change)?;
        }
        let origin = Origin {
            author: author.clone(),
            now: draft.now,
        };
        if !draft.changes.touches_record() {
            return Ok((Turn::Answer(()), origin));
        }
        let concerned: Vec<String> = draft.concerned.iter().cloned().collect();
        draft.changes.subject = format!("override {}: {reason}", concerned.join(", "));
        Ok((Turn::Publish(Box::new(draft.changes), ()), origin))
    })
}

/// What is changed under one claim, or under none.
#[derive(Default)]
struct Overruled {
    paths: BTreeSet<String>,
    holder: Option<AgentName>,
    of_task: bool,
}

fn collect(findings: &[Finding]) -> BTreeMap<Option<TaskId>, Overruled> {
    let mut all: BTreeMap<Option<TaskId>, Overruled> = BTreeMap::new();
    for finding in findings.iter().filter(|f| f.may_be_overridden()) {
        let (id, holder, of_task) = match &finding.why {
            Why::Held(holder) => (
                Some(holder.claim.id),
                Some(&holder.claim.agent),
                holder.claim.of_task,
            ),
            Why::Outdated { task, holder, .. } => (Some(*task), Some(holder), true),
            Why::Unclaimed | Why::Lost { .. } => (None, None, false),
        };
        let change = all.entry(id).or_default();
        let paths = finding.paths.iter();
        change
            .paths
            .extend(paths.map(|path| String::from_utf8_lossy(path).into_owned()));
        change.holder = holder.cloned();
        change.of_task = of_task;
    }
    all
}

/// The commit on the record as it comes together.
struct Draft<'d, 's> {
    ctx: &'d Context,
    snapshot: &'d Snapshot<'s>,
    author: &'d Author,
    reason: &'d str,
    now: Timestamp,
    repeat: Repeat,
    changes: Changes,
    /// What the subject of the commit names.
    concerned: BTreeSet<String>,
}

impl Draft<'_, '_> {
    fn add(&mut self, id: Option<TaskId>, change: &Overruled) -> Result<(), OpsError> {
        let log = match id.filter(|_| change.of_task) {
            Some(id) => match self.snapshot.entry(id)? {
                Some(entry) => Some(self.snapshot.log_of(entry)?),
                None => None,
            },
            None => None,
        };
        if self.repeat == Repeat::IfNew && self.stands(log.as_ref(), change)? {
            return Ok(());
        }
        if let Some(mut log) = log {
            let event = TaskEvent::Overridden {
                reason: self.reason.to_owned(),
                paths: change.paths.iter().cloned().collect(),
            };
            let (moment, author) = (self.snapshot.moment(self.now), self.author.clone());
            (self.ctx).random(|rng| log.log.append(moment, rng, author, event));
            self.changes.tasks.insert(log.id, log);
        }
        self.concerned
            .insert(id.map_or_else(|| "require_claim".to_owned(), |id| id.to_string()));
        self.tell(id, change);
        Ok(())
    }

    /// Tells whether this very override is on the record.
    fn stands(&self, log: Option<&TaskLog>, change: &Overruled) -> Result<bool, OpsError> {
        let recent = |stamp: Stamp| self.now.since(stamp.at()) < STANDS;
        let Some(log) = log else {
            let since = Timestamp(self.now.0 - i64::try_from(STANDS.as_millis()).unwrap_or(0));
            return match &change.holder {
                Some(holder) => Ok(self.snapshot.was_told_of_override(holder, since)?),
                None => {
                    let said = self.snapshot.channel(&general(), NAMED)?;
                    Ok(said.iter().any(|message| {
                        message.notice == Some(Notice::Overridden)
                            && message.from == *self.author
                            && recent(message.id)
                            && message.body.ends_with(self.reason)
                    }))
                }
            };
        };
        let mut left = change.paths.clone();
        for (_, event) in log.log.iter().filter(|(stamp, _)| recent(*stamp)) {
            if let TaskEvent::Overridden { reason, paths } = &event.kind
                && event.by == *self.author
                && reason == self.reason
            {
                for path in paths {
                    left.remove(path);
                }
            }
        }
        Ok(left.is_empty())
    }

    fn tell(&mut self, id: Option<TaskId>, change: &Overruled) {
        let paths: Vec<&str> = change.paths.iter().map(String::as_str).collect();
        let more = match paths.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named = paths[..paths.len().min(NAMED)].join("`, `");
        let what = match id {
            Some(id) if change.of_task => format!("which you have claimed for `{id}`"),
            Some(id) => format!("which you have claimed (`{id}`)"),
            None => "which nobody has claimed".to_owned(),
        };
        let body = format!(
            "`{}` changed `{named}`{more}, {what}. The reason given: {}",
            self.author, self.reason
        );
        let message = Message {
            id: (self.ctx).random(|rng| Stamp::new(self.now, rng, None)),
            from: self.author.clone(),
            to: change.holder.iter().cloned().collect(),
            channel: change.holder.is_none().then(general),
            task: id.filter(|_| change.of_task),
            reply_to: None,
            urgent: false,
            notice: Some(Notice::Overridden),
            body,
            extra: Extra::default(),
        };
        self.changes.messages.push(message);
    }
}

fn general() -> ChannelName {
    GENERAL.parse().expect("a constant that is a valid name")
}
