//! How an entry is written in the cache.
//!
//! A row is its kind, its length and, for a task, the glance in a fixed form, so that to read
//! ten thousand of them is to look at a few bytes of each. The rest is read when it is asked for:
//! the blob and the path, and behind them the task.

use std::ops::Range;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::git::Oid;
use crate::model::glance::Glance;
use crate::model::id::{Fence, TASK_ID_LEN, TaskId};
use crate::model::task::{Priority, Status, Task};
use crate::model::time::Timestamp;
use crate::store::cache::Source;
use crate::store::cache::task_row::TaskRow;
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
