//! A task as the cache has it: a glance at once, and the rest when it is asked for.
//!
//! Building ten thousand tasks takes more than ten milliseconds, nearly all of it for tasks that
//! are passed over. So an entry read from the cache is a few fields and a place in the bytes of
//! the file, which all entries share.

use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use crate::git::Oid;
use crate::model::glance::{Glance, Listed};
use crate::model::id::{Stamp, TaskId};
use crate::model::name::Author;
use crate::model::task::{Draft, Task, TaskLog};

use super::cache::{Source, row};

/// A task's file and the state in it.
#[derive(Clone)]
pub struct Entry {
    glance: Glance,
    place: Depth,
    file: File,
    /// The state without the body, which only `task show` needs.
    task: OnceCell<Box<Task>>,
}

/// What the fan-out of directories has to know of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Depth {
    /// How many directories the file is in.
    pub levels: u8,
    /// The file's name begins with the task's id.
    pub named: bool,
}

impl Depth {
    fn of(path: &str, id: TaskId) -> Depth {
        let (directories, file) = path.rsplit_once('/').unwrap_or(("", path));
        let rest = file.strip_prefix(id.as_str());
        let levels = directories.split('/').count();
        Depth {
            levels: u8::try_from(levels).unwrap_or(u8::MAX),
            named: rest.is_some_and(|rest| rest.starts_with(['-', '.'])),
        }
    }
}

#[derive(Clone)]
enum File {
    Read {
        path: Box<str>,
        blob: Oid,
    },
    /// A row of the cache, whose checksum was right.
    Cached {
        source: Rc<Source>,
        row: Range<u32>,
    },
}

impl Entry {
    /// Returns the entry of a task without its body.
    pub(super) fn new(path: &str, blob: Oid, task: Task) -> Entry {
        Entry {
            glance: Glance::of(&task),
            place: Depth::of(path, task.id),
            file: File::Read {
                path: path.into(),
                blob,
            },
            task: OnceCell::from(Box::new(task)),
        }
    }

    pub(super) fn cached(
        glance: Glance,
        place: Depth,
        source: &Rc<Source>,
        row: Range<u32>,
    ) -> Entry {
        Entry {
            glance,
            place,
            file: File::Cached {
                source: Rc::clone(source),
                row,
            },
            task: OnceCell::new(),
        }
    }

    pub fn id(&self) -> TaskId {
        self.glance.id
    }

    pub fn glance(&self) -> &Glance {
        &self.glance
    }

    pub(super) fn place(&self) -> Depth {
        self.place
    }

    /// Returns where the file lies on the branch.
    pub fn path(&self) -> &str {
        self.file().0
    }

    pub fn blob(&self) -> Oid {
        self.file().1
    }

    /// Returns the path and the blob.
    pub(super) fn file(&self) -> (&str, Oid) {
        match &self.file {
            File::Read { path, blob } => (path, *blob),
            File::Cached { .. } => {
                row::file(self.row()).expect("it was read when the cache was loaded")
            }
        }
    }

    /// Returns the state without its body.
    pub fn task(&self) -> &Task {
        self.task.get_or_init(|| Box::new(self.decode()))
    }

    /// Returns the state without its body, for whoever keeps it.
    pub fn to_task(&self) -> Task {
        match self.task.get() {
            Some(task) => Task::clone(task),
            None => self.decode(),
        }
    }

    /// Returns the bytes of the row in the cache, if it comes from there.
    pub(super) fn row(&self) -> &[u8] {
        match &self.file {
            File::Read { .. } => &[],
            File::Cached { source, row } => &source.bytes[row.start as usize..row.end as usize],
        }
    }

    /// Tells whether the row can be read. Asked of one row, as that is what takes the time.
    pub(super) fn is_sound(&self) -> bool {
        match &self.file {
            File::Read { .. } => true,
            File::Cached { .. } => row::task(&self.glance, self.row()).is_some(),
        }
    }

    fn decode(&self) -> Task {
        let anew = || match &self.file {
            File::Cached { source, .. } => source.read_anew(self.path(), self.blob()),
            File::Read { .. } => None,
        };
        row::task(&self.glance, self.row())
            .or_else(anew)
            .unwrap_or_else(|| self.unreadable())
    }

    /// Returns what is known of a task whose file is gone, too: the repository has lost objects.
    fn unreadable(&self) -> Task {
        let draft = Draft {
            title: format!("{} cannot be read", self.path()),
            priority: self.glance.priority,
            ..Draft::default()
        };
        let made = Stamp::last_at(self.glance.created);
        let log = TaskLog::created(self.glance.id, made, Author::reflectt(), draft);
        let task = log.fold().expect("an event made it a moment ago").task;
        Task {
            status: self.glance.status,
            last_fence: self.glance.last_fence,
            closed: self.glance.closed,
            ..task
        }
    }
}

impl Listed for Entry {
    fn glance(&self) -> Glance {
        self.glance
    }

    fn task(&self) -> &Task {
        Entry::task(self)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.glance == other.glance
            && self.path() == other.path()
            && self.blob() == other.blob()
            && self.task() == other.task()
    }
}

impl Eq for Entry {}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("path", &self.path())
            .field("blob", &self.blob())
            .field("task", self.task())
            .finish()
    }
}
