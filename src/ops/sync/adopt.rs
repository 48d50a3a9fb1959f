//! Edits by hand become events.
//!
//! A person may change the state at the top of a file, or add a file with only a title. The
//! difference to what the events say is what they meant, and is recorded as their doing. Reading
//! goes by the events, so an edit by hand has no effect before it is adopted, and what cannot be
//! adopted is said and leaves things as they were.
//!
//! Tasks, agents and settings have the same shape, so [`Edit`] has what is the same for all of
//! them; the files of this directory know what each of them shows and which event says it.

mod agent;
mod lasting;
mod removed;
mod settings;
mod task;

use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use crate::format::FormatError;
use crate::git::{GitError, Oid, Step};
use crate::model::event::{Kind, Log};
use crate::model::moment::Moment;
use crate::model::name::Author;
use crate::ops::{Context, OpsError};
use crate::store::{BadFile, ByHand, Changes, HandMade, Origin, Removed, Snapshot, Store, layout};

/// What edits by hand come to.
#[derive(Debug, Default)]
pub struct Adopted {
    pub changes: Changes,
    /// What was deleted and is put back, as far as it has to be said.
    said: removed::Said,
    /// What could not be adopted, and why.
    pub warnings: Vec<String>,
    /// The same of files that cannot be read, which `doctor` names by itself.
    pub unreadable: Vec<String>,
}

/// Adopts what was made by hand on the record of this clone, if its last commit was.
///
/// Every command does so before it writes: writing a file anew would undo what a person wrote in
/// it. What cannot be adopted becomes a warning of that command.
pub fn adopt_here(ctx: &Context) -> Result<(), OpsError> {
    let adopted = take_in(ctx)?;
    ctx.note_warnings(adopted.unreadable);
    ctx.note_warnings(adopted.warnings);
    Ok(())
}

/// The same, and returns what came of it.
pub fn take_in(ctx: &Context) -> Result<Adopted, OpsError> {
    let store = ctx.store();
    let mut patience = store.patience();
    loop {
        let local = store.local_tips()?;
        let Some(tip) = local.record else {
            return Err(store.not_initialised().into());
        };
        if !store.is_hand_made(tip)? {
            return Ok(Adopted::default());
        }
        let snapshot = store.snapshot_at(tip, local.table)?;
        let adopted = changes_on(store, &snapshot, &[tip], None)?;
        let origin = Origin {
            author: Author::reflectt(),
            now: ctx.now(),
        };
        let tips = store.compose(&snapshot, &adopted.changes, &origin)?;
        let to = tips.record.unwrap_or(tip);
        let step = Step {
            from: Some(tip),
            to,
        };
        if store.move_local(None, Some(step), "adopt edits by hand")? {
            store.note_adopted(to);
            return Ok(adopted);
        }
        patience.lost()?;
    }
}

/// Returns what follows from what was made by hand in the history of `snapshot`.
///
/// `tips` are what it was merged from. Whoever wrote on top of an edit has warned of it, so that
/// it is not said again in every clone. `had` is what this clone has had: nothing of it goes.
pub fn changes_on(
    store: &Store,
    snapshot: &Snapshot,
    tips: &[Oid],
    had: Option<Oid>,
) -> Result<Adopted, OpsError> {
    let ByHand { files, removed } = store.hand_made(snapshot.tip)?;
    let news = store.left_by_hand(tips)?;
    let mut adopted = Adopted::default();
    let lost = match had {
        Some(had) => store.removed_since(had, snapshot.tip)?,
        None => Vec::new(),
    };
    // First, so that edits are made of what is there again.
    let again: HashSet<String> = (files.iter().map(|file| layout::identity(&file.path))).collect();
    let gone: Vec<Removed> = removed.into_iter().chain(lost).collect();
    adopted.put_back(snapshot, &gone, |it| {
        news.contains(&it.commit) && !again.contains(&layout::identity(&it.path))
    })?;
    // Looked up one by one, many files of one directory would each read all of it.
    let there = match files.is_empty() {
        true => HashMap::new(),
        false => store.files_of(snapshot.tree)?,
    };
    for file in &files {
        let edit = Edit {
            snapshot,
            here: there.get(&file.path) == Some(&file.blob),
            new: news.contains(&file.commit),
            file,
        };
        match file.path.split('/').next() {
            Some(layout::CONFIG) => adopted.settings(&edit)?,
            Some(layout::AGENTS) => adopted.agent(&edit)?,
            Some(layout::TASKS | layout::ARCHIVE) => adopted.task(&edit)?,
            _ => adopted.lasting(&edit)?,
        }
    }
    shorten(&mut adopted.warnings, "edits are not adopted");
    shorten(
        &mut adopted.unreadable,
        "files cannot be read; `reflectt doctor` names them",
    );
    adopted.warnings.extend(adopted.said.sentences());
    let changes = &adopted.changes;
    let count = changes.tasks.len()
        + changes.agents.len()
        + usize::from(changes.settings.is_some())
        + changes.put_back.len();
    adopted.changes.subject = match count {
        1 => "adopt an edit by hand".to_owned(),
        count => format!("adopt {count} edits by hand"),
    };
    Ok(adopted)
}

/// How many files that cannot be adopted are named.
const NAMED: usize = 10;

/// Leaves it at the first of many warnings, and says how many more there are.
fn shorten(warnings: &mut Vec<String>, of_what: &str) {
    let more = warnings.len().saturating_sub(NAMED);
    if more > 0 {
        warnings.truncate(NAMED);
        warnings.push(format!("{more} more {of_what}"));
    }
}

/// One file that somebody edited.
struct Edit<'e, 's> {
    snapshot: &'e Snapshot<'s>,
    file: &'e HandMade,
    /// Whether the record still has the file as it was left.
    here: bool,
    /// Whether nobody was told of it yet.
    new: bool,
}

/// What came of adding events to a log.
struct Added {
    /// Whether the log has more than before.
    changed: bool,
    /// Why events were not added.
    refused: Vec<String>,
}

impl Edit<'_, '_> {
    /// Reads the file as it was left; the inner error is what is wrong with it.
    fn read<T>(
        &self,
        parse: impl FnOnce(&[u8]) -> Result<T, FormatError>,
    ) -> Result<Result<T, BadFile>, OpsError> {
        self.blob(self.file.blob, parse)
    }

    /// Reads the file as it was before; `None` if there was none, or none that can be read.
    fn read_before<T>(
        &self,
        parse: impl FnOnce(&[u8]) -> Result<T, FormatError>,
    ) -> Result<Option<T>, OpsError> {
        match self.file.before {
            Some(before) => Ok(self.blob(before, parse)?.ok()),
            None => Ok(None),
        }
    }

    fn blob<T>(
        &self,
        blob: Oid,
        parse: impl FnOnce(&[u8]) -> Result<T, FormatError>,
    ) -> Result<Result<T, BadFile>, OpsError> {
        let repo = self.snapshot.store().repo();
        match repo.read_blob_limited(blob, layout::FILE_MAX) {
            Ok(bytes) => Ok(parse(&bytes).map_err(BadFile::from)),
            Err(GitError::TooLarge { size, .. }) => {
                let bytes = usize::try_from(size).unwrap_or(usize::MAX);
                Ok(Err(FormatError::TooLarge { bytes }.into()))
            }
            Err(GitError::WrongKind { .. }) => Ok(Err(BadFile::NotAFile)),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns what is to be said of this edit, if nobody has said it yet.
    fn warning(&self, reason: impl Display, next: impl Display) -> Option<String> {
        let path = &self.file.path;
        self.new
            .then(|| format!("`{path}`: the edit by hand is not adopted: {reason}; {next}"))
    }

    /// Adds the events of this edit to `log`, each under an id that follows from the commit alone.
    ///
    /// `seen` is what the person had before them. What they took out of it is history and comes
    /// back. Events that are not allowed leave a gap, so that those after them have the same ids
    /// on every clone.
    fn add<K: Kind + Clone>(
        &self,
        log: &mut Log<K>,
        seen: &Log<K>,
        events: Vec<K>,
        allows: impl Fn(&Log<K>, &K) -> Result<(), String>,
    ) -> Added {
        let mut added = Added {
            changed: false,
            refused: Vec::new(),
        };
        for (stamp, event) in seen.iter() {
            if log.get(stamp).is_none() {
                log.insert(stamp, event.clone());
                added.changed = true;
            }
        }
        let last = seen.last_believed(Moment::new(self.file.at, self.file.at));
        for (stamp, event) in self.file.stamps(last).zip(events) {
            if log.get(stamp).is_none() {
                match allows(log, &event) {
                    Ok(()) => {
                        log.push(stamp, self.file.by.clone(), event);
                        added.changed = true;
                    }
                    Err(reason) => added.refused.push(reason),
                }
            }
        }
        added
    }
}

impl Adopted {
    /// Says that an edit, or a part of it, has no effect, and what to do instead.
    fn refuse(&mut self, edit: &Edit, reason: impl Display, next: impl Display) {
        let warning = edit.warning(reason, next);
        self.warnings.extend(warning);
    }

    /// Says that a file cannot be read. It stays where it is, and `doctor` names it from then on.
    fn unreadable(&mut self, edit: &Edit, bad: &BadFile) {
        let next = match bad {
            BadFile::Format(FormatError::Future { .. }) => {
                "install the version of reflectt that the others use"
            }
            _ => "correct it there and commit",
        };
        // One that somebody replaced or removed since does no harm.
        let warning = edit.warning(bad, next).filter(|_| edit.here);
        self.unreadable.extend(warning);
    }
}

/// Returns `shown`, unless it is what was shown before: then nobody edited it, and it is what the
/// events say.
fn edited<T: PartialEq>(shown: T, before: Option<&T>, said: T) -> T {
    match before {
        Some(before) if shown == *before => said,
        _ => shown,
    }
}
