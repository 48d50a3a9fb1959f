//! How an entry is written in the cache.
//!
//! A row is its kind, its length and, for a task, the glance in a fixed form, so that to read
//! ten thousand of them is to look at a few bytes of each. The rest is read when it is asked for:
//! the blob and the path, and behind them the task.
//!
//! The model knows nothing of serialisation, so its fields are mirrored here. Strings are
//! borrowed from the file's bytes; reading builds each value once.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::git::Oid;
use crate::model::check::{CheckResult, Outcome};
use crate::model::glance::Glance;
use crate::model::id::{Fence, Stamp, TASK_ID_LEN, TaskId};
use crate::model::name::{Author, CheckName, ResourceName, Tag};
use crate::model::path::PathPattern;
use crate::model::task::{
    Approval, Asked, Block, Checked, Fault, Handoff, Landed, Priority, Status, Submission, Task,
};
use crate::model::time::{Span, Timestamp};
use crate::store::cache::Source;
use crate::store::entry::{Depth, Entry};
use crate::store::shelf::{Quarantined, Slot};

/// What a row begins with.
const EMPTY: u8 = 0;
const BAD: u8 = 1;
const TASK: u8 = 2;

/// The bytes of a glance and a place.
const FIXED: usize = TASK_ID_LEN + 3 + 3 * 8 + 2;

/// What is written for a task that is not closed.
const NEVER: i64 = i64::MIN;

const HELD: u8 = 1;
const CONCRETE: u8 = 2;
const PLAIN: u8 = 4;

#[derive(Serialize, Deserialize)]
struct BadRow<'a> {
    blob: &'a [u8],
    path: &'a str,
    reason: &'a str,
    last_good: Option<&'a [u8]>,
}

/// Writes what a path holds.
pub fn write_slot(path: &str, slot: &Slot, out: &mut Vec<u8>) -> postcard::Result<()> {
    match slot {
        Slot::Task(entry) => write_entry(entry, out),
        Slot::Bad(bad) => write_bad(bad, out),
        Slot::Empty => frame(EMPTY, out, |out| {
            out.extend_from_slice(path.as_bytes());
            Ok(())
        }),
    }
}

pub fn write_bad(bad: &Quarantined, out: &mut Vec<u8>) -> postcard::Result<()> {
    let row = BadRow {
        blob: bad.blob.as_bytes(),
        path: &bad.path,
        reason: &bad.reason,
        last_good: bad.last_good.as_ref().map(Oid::as_bytes),
    };
    frame(BAD, out, |out| append(&row, out))
}

pub fn write_entry(entry: &Entry, out: &mut Vec<u8>) -> postcard::Result<()> {
    frame(TASK, out, |out| {
        write_glance(entry.glance(), out);
        let place = entry.place();
        out.extend_from_slice(&[place.levels, u8::from(place.named)]);
        // What was read from the cache goes back as it is.
        if !entry.row().is_empty() {
            out.extend_from_slice(entry.row());
            return Ok(());
        }
        append(&(entry.blob().as_bytes(), entry.path()), out)?;
        append(&TaskRow::of(entry.task()), out)
    })
}

/// Writes what `write` does, with its kind and its length before it.
fn frame(
    kind: u8,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> postcard::Result<()>,
) -> postcard::Result<()> {
    out.push(kind);
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out)?;
    let length =
        u32::try_from(out.len() - start - 4).map_err(|_| postcard::Error::SerializeBufferFull)?;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

fn append<T: Serialize>(value: &T, out: &mut Vec<u8>) -> postcard::Result<()> {
    *out = postcard::to_extend(value, std::mem::take(out))?;
    Ok(())
}

fn write_glance(glance: &Glance, out: &mut Vec<u8>) {
    out.extend_from_slice(glance.id.as_str().as_bytes());
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    let flags =
        flag(glance.held, HELD) | flag(glance.concrete, CONCRETE) | flag(glance.plain, PLAIN);
    out.extend_from_slice(&[glance.status as u8, glance.priority as u8, flags]);
    let closed = glance.closed.map_or(NEVER, |closed| closed.0);
    out.extend_from_slice(&glance.created.0.to_le_bytes());
    out.extend_from_slice(&closed.to_le_bytes());
    out.extend_from_slice(&glance.last_fence.0.to_le_bytes());
}

fn read_fixed(bytes: &[u8; FIXED]) -> Option<(Glance, Depth)> {
    let (id, rest) = bytes.split_first_chunk::<TASK_ID_LEN>()?;
    let (&[status, priority, flags], rest) = rest.split_first_chunk::<3>()?;
    let (created, rest) = rest.split_first_chunk::<8>()?;
    let (closed, rest) = rest.split_first_chunk::<8>()?;
    let (last_fence, rest) = rest.split_first_chunk::<8>()?;
    let (&[levels, named], _) = rest.split_first_chunk::<2>()?;
    let glance = Glance {
        id: TaskId::from_bytes(*id)?,
        status: *Status::ALL.get(usize::from(status))?,
        priority: *Priority::ALL.get(usize::from(priority))?,
        created: Timestamp(i64::from_le_bytes(*created)),
        closed: Some(i64::from_le_bytes(*closed))
            .filter(|closed| *closed != NEVER)
            .map(Timestamp),
        last_fence: Fence(u64::from_le_bytes(*last_fence)),
        held: flags & HELD != 0,
        concrete: flags & CONCRETE != 0,
        plain: flags & PLAIN != 0,
    };
    let named = named != 0;
    Some((glance, Depth { levels, named }))
}

/// Reads rows one after the other, out of the bytes of a whole file.
pub struct Rows<'a> {
    source: &'a Rc<Source>,
    rest: Range<usize>,
}

impl<'a> Rows<'a> {
    /// `range` is where they are.
    pub fn new(source: &'a Rc<Source>, range: Range<usize>) -> Rows<'a> {
        Rows {
            source,
            rest: range,
        }
    }

    /// Returns the next row: the outer `None` is damage, the inner one the end.
    ///
    /// The path of a task is not looked up: it is `None`.
    pub fn next(&mut self) -> Option<Option<(Option<String>, Slot)>> {
        let rest = self.source.bytes.get(self.rest.clone())?;
        let Some((kind, rest)) = rest.split_first() else {
            return Some(None);
        };
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let row = rest.get(..u32::from_le_bytes(*length) as usize)?;
        let start = self.rest.start + 5;
        let end = start + row.len();
        self.rest.start = end;
        Some(Some(match *kind {
            EMPTY => (Some(str::from_utf8(row).ok()?.to_owned()), Slot::Empty),
            BAD => {
                let row: BadRow = postcard::from_bytes(row).ok()?;
                let bad = row.bad()?;
                (Some(bad.path.clone()), Slot::Bad(bad))
            }
            TASK => {
                let (glance, place) = read_fixed(row.first_chunk()?)?;
                // The rest is looked at later; what file it is of has to be known by then.
                file(&row[FIXED..])?;
                let row = u32::try_from(start + FIXED).ok()?..u32::try_from(end).ok()?;
                (
                    None,
                    Slot::Task(Entry::cached(glance, place, self.source, row)),
                )
            }
            _ => return None,
        }))
    }
}

/// Returns the path and the blob in a task's row.
pub fn file(row: &[u8]) -> Option<(&str, Oid)> {
    let ((blob, path), _): ((&[u8], &str), _) = postcard::take_from_bytes(row).ok()?;
    Some((path, Oid::from_bytes(blob).ok()?))
}

/// Returns the task in its row; `None` if a value is not valid, which this version does not write.
pub fn task(glance: &Glance, row: &[u8]) -> Option<Task> {
    let (_, rest): ((&[u8], &str), _) = postcard::take_from_bytes(row).ok()?;
    postcard::from_bytes::<TaskRow>(rest).ok()?.task(glance)
}

impl BadRow<'_> {
    fn bad(&self) -> Option<Quarantined> {
        Some(Quarantined {
            path: self.path.to_owned(),
            blob: Oid::from_bytes(self.blob).ok()?,
            reason: self.reason.to_owned(),
            last_good: match self.last_good {
                Some(oid) => Some(Oid::from_bytes(oid).ok()?),
                None => None,
            },
        })
    }
}

#[derive(Serialize, Deserialize)]
struct TaskRow<'a> {
    title: &'a str,
    assignee: Option<&'a str>,
    reviewer: Option<&'a str>,
    lane: Option<&'a str>,
    #[serde(borrow)]
    tags: List<'a>,
    #[serde(borrow)]
    done_criteria: List<'a>,
    #[serde(borrow)]
    checks: List<'a>,
    #[serde(borrow)]
    paths: List<'a>,
    #[serde(borrow)]
    shared: List<'a>,
    #[serde(borrow)]
    resources: List<'a>,
    #[serde(borrow)]
    blocked_by: List<'a>,
    fence: Option<u64>,
    last_holder: Option<&'a str>,
    branch: Option<&'a str>,
    claimed_at: Option<i64>,
    #[serde(borrow)]
    block: Option<(&'a str, Option<&'a str>, bool, i64)>,
    #[serde(borrow)]
    submission: Option<SubmissionRow<'a>>,
    #[serde(borrow)]
    approved: Option<(&'a str, Option<&'a str>, i64)>,
    #[serde(borrow)]
    landed: Option<(&'a str, i64)>,
    #[serde(borrow)]
    checked: Vec<CheckedRow<'a>>,
    asked: Option<(i64, bool, bool)>,
    changes: Option<&'a str>,
    fault: Option<&'a str>,
    #[serde(borrow)]
    handoff: Option<(&'a str, &'a str, Option<&'a str>, i64)>,
    reason: Option<&'a str>,
    created_by: &'a str,
    updated: i64,
}

#[derive(Serialize, Deserialize)]
struct SubmissionRow<'a> {
    stamp: u128,
    summary: &'a str,
    #[serde(borrow)]
    evidence: List<'a>,
    commit: Option<&'a str>,
    base: Option<&'a str>,
    #[serde(borrow)]
    own: List<'a>,
    commits: u64,
    #[serde(borrow)]
    beneath: List<'a>,
    branch: Option<&'a str>,
    pr: Option<&'a str>,
    caveat: Option<&'a str>,
    no_check: bool,
    reviewer: Option<&'a str>,
}

/// A run of a check, without its output.
#[derive(Serialize, Deserialize)]
struct CheckedRow<'a> {
    stamp: u128,
    by: &'a str,
    name: &'a str,
    command: &'a str,
    commit: &'a str,
    tree: &'a str,
    outcome: OutcomeRow<'a>,
    took: u64,
    at: i64,
    cached: bool,
}

#[derive(Serialize, Deserialize)]
enum OutcomeRow<'a> {
    Passed,
    Failed(u8),
    CouldNotRun(&'a str, &'a str),
}

/// Several texts in one, each ended by a NUL, which none of them can contain.
///
/// A list of its own for each of five fields would be five allocations a task.
#[derive(Serialize, Deserialize)]
struct List<'a>(#[serde(borrow)] Cow<'a, str>);

impl List<'_> {
    fn of<'t>(texts: impl Iterator<Item = &'t str>) -> List<'static> {
        let mut all = String::new();
        for text in texts {
            all.push_str(text);
            all.push('\0');
        }
        List(Cow::Owned(all))
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_terminator('\0')
    }
}

impl<'a> TaskRow<'a> {
    fn of(task: &'a Task) -> TaskRow<'a> {
        TaskRow {
            title: &task.title,
            assignee: task
                .assignee
                .as_ref()
                .map(crate::model::name::AgentName::as_str),
            reviewer: task
                .reviewer
                .as_ref()
                .map(crate::model::name::AgentName::as_str),
            lane: task.lane.as_ref().map(crate::model::name::Lane::as_str),
            tags: List::of(task.tags.iter().map(Tag::as_str)),
            done_criteria: List::of(task.done_criteria.iter().map(String::as_str)),
            checks: List::of(task.checks.iter().map(CheckName::as_str)),
            paths: List::of(task.paths.iter().map(PathPattern::as_str)),
            shared: List::of(task.shared.iter().map(PathPattern::as_str)),
            resources: List::of(task.resources.iter().map(ResourceName::as_str)),
            blocked_by: List::of(task.blocked_by.iter().map(TaskId::as_str)),
            fence: task.fence.map(|f| f.0),
            last_holder: task
                .last_holder
                .as_ref()
                .map(crate::model::name::AgentName::as_str),
            branch: task.branch.as_deref(),
            claimed_at: task.claimed_at.map(|t| t.0),
            block: task.block.as_ref().map(|block| {
                let on = block.on.as_ref().map(TaskId::as_str);
                (block.reason.as_str(), on, block.needs_human, block.since.0)
            }),
            submission: task.submission.as_ref().map(|(stamp, s)| SubmissionRow {
                stamp: stamp.to_bits(),
                summary: &s.summary,
                evidence: List::of(s.evidence.iter().map(String::as_str)),
                commit: s.commit.as_deref(),
                base: s.base.as_deref(),
                own: List::of(s.own.iter().map(String::as_str)),
                commits: s.commits,
                beneath: List::of(s.beneath.iter().map(TaskId::as_str)),
                branch: s.branch.as_deref(),
                pr: s.pr.as_deref(),
                caveat: s.caveat.as_deref(),
                no_check: s.no_check,
                reviewer: s
                    .reviewer
                    .as_ref()
                    .map(crate::model::name::AgentName::as_str),
            }),
            approved: task.approved.as_ref().map(|approved| {
                let commit = approved.commit.as_deref();
                (approved.by.as_str(), commit, approved.at.0)
            }),
            landed: (task.landed.as_ref()).map(|landed| (landed.commit.as_str(), landed.at.0)),
            checked: task.checked.iter().map(CheckedRow::of).collect(),
            asked: (task.asked).map(|asked| (asked.since.0, asked.reminded, asked.alone)),
            changes: task.changes.as_deref(),
            fault: task.fault.map(Fault::as_str),
            handoff: task.handoff.as_ref().map(|h| {
                (
                    h.from.as_str(),
                    h.note.as_str(),
                    h.branch.as_deref(),
                    h.at.0,
                )
            }),
            reason: task.reason.as_deref(),
            created_by: task.created_by.as_str(),
            updated: task.updated.0,
        }
    }
}

fn parse<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// Parses an optional value: the outer `None` is damage.
fn optional<T: std::str::FromStr>(text: Option<&str>) -> Option<Option<T>> {
    match text {
        Some(text) => parse(text).map(Some),
        None => Some(None),
    }
}

fn all<T: std::str::FromStr, C: FromIterator<T>>(texts: &List) -> Option<C> {
    texts.iter().map(parse).collect()
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

impl TaskRow<'_> {
    fn task(&self, glance: &Glance) -> Option<Task> {
        let block = match self.block {
            Some((reason, on, needs_human, since)) => Some(Block {
                reason: reason.to_owned(),
                on: optional(on)?,
                needs_human,
                since: Timestamp(since),
            }),
            None => None,
        };
        let handoff = match self.handoff {
            Some((from, note, branch, at)) => Some(Handoff {
                from: parse(from)?,
                note: note.to_owned(),
                branch: owned(branch),
                at: Timestamp(at),
            }),
            None => None,
        };
        let submission = match &self.submission {
            Some(row) => Some((Stamp::from_bits(row.stamp), row.submission()?)),
            None => None,
        };
        let resources: BTreeSet<_> = all(&self.resources)?;
        Some(Task {
            id: glance.id,
            title: self.title.to_owned(),
            body: String::new(),
            status: glance.status,
            priority: glance.priority,
            assignee: optional(self.assignee)?,
            reviewer: optional(self.reviewer)?,
            lane: optional(self.lane)?,
            tags: all(&self.tags)?,
            done_criteria: self.done_criteria.iter().map(str::to_owned).collect(),
            checks: all(&self.checks)?,
            paths: patterns(&self.paths).collect(),
            shared: patterns(&self.shared).collect(),
            resources,
            blocked_by: all(&self.blocked_by)?,
            fence: self.fence.map(Fence),
            last_fence: glance.last_fence,
            last_holder: optional(self.last_holder)?,
            branch: owned(self.branch),
            claimed_at: self.claimed_at.map(Timestamp),
            block,
            submission,
            approved: self.approved.map(|(by, commit, at)| Approval {
                by: Author::from_clean(by.to_owned()),
                commit: owned(commit),
                at: Timestamp(at),
            }),
            landed: self.landed.map(|(commit, at)| Landed {
                commit: commit.to_owned(),
                at: Timestamp(at),
            }),
            checked: (self.checked.iter())
                .map(CheckedRow::checked)
                .collect::<Option<_>>()?,
            asked: self.asked.map(|(since, reminded, alone)| Asked {
                since: Timestamp(since),
                reminded,
                alone,
            }),
            changes: owned(self.changes),
            fault: optional(self.fault)?,
            handoff,
            reason: owned(self.reason),
            created_by: Author::from_clean(self.created_by.to_owned()),
            created: glance.created,
            updated: Timestamp(self.updated),
            closed: glance.closed,
        })
    }
}

fn patterns(texts: &List) -> impl Iterator<Item = PathPattern> {
    let texts = texts.iter().map(str::to_owned);
    texts.map(PathPattern::from_canonical)
}

impl SubmissionRow<'_> {
    fn submission(&self) -> Option<Submission> {
        Some(Submission {
            summary: self.summary.to_owned(),
            evidence: self.evidence.iter().map(str::to_owned).collect(),
            commit: owned(self.commit),
            base: owned(self.base),
            own: self.own.iter().map(str::to_owned).collect(),
            commits: self.commits,
            beneath: all(&self.beneath)?,
            branch: owned(self.branch),
            pr: owned(self.pr),
            caveat: owned(self.caveat),
            no_check: self.no_check,
            reviewer: optional(self.reviewer)?,
        })
    }
}

impl<'a> CheckedRow<'a> {
    fn of(run: &'a Checked) -> CheckedRow<'a> {
        let result = &run.result;
        CheckedRow {
            stamp: run.stamp.to_bits(),
            by: run.by.as_str(),
            name: result.name.as_str(),
            command: &result.command,
            commit: &result.commit,
            tree: &result.tree,
            outcome: match &result.outcome {
                Outcome::Passed => OutcomeRow::Passed,
                Outcome::Failed { code } => OutcomeRow::Failed(*code),
                Outcome::CouldNotRun { obstacle, detail } => {
                    OutcomeRow::CouldNotRun(obstacle.as_str(), detail)
                }
            },
            took: result.took.as_millis(),
            at: result.at.0,
            cached: result.cached,
        }
    }

    fn checked(&self) -> Option<Checked> {
        Some(Checked {
            stamp: Stamp::from_bits(self.stamp),
            by: Author::from_clean(self.by.to_owned()),
            result: CheckResult {
                name: parse(self.name)?,
                command: self.command.to_owned(),
                commit: self.commit.to_owned(),
                tree: self.tree.to_owned(),
                outcome: match self.outcome {
                    OutcomeRow::Passed => Outcome::Passed,
                    OutcomeRow::Failed(code) => Outcome::Failed { code },
                    OutcomeRow::CouldNotRun(obstacle, detail) => Outcome::CouldNotRun {
                        obstacle: parse(obstacle)?,
                        detail: detail.to_owned(),
                    },
                },
                took: Span::from_millis(self.took),
                at: Timestamp(self.at),
                cached: self.cached,
                output: Vec::new(),
            },
        })
    }
}
