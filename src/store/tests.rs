//! The store on real repositories.

mod cache;
mod damage;
mod doubles;
mod fan_out;
mod founding;
mod merge;
mod presence;
mod signs;
mod snapshot;
mod table;

use super::*;
use crate::format;
use crate::git::testing::{TestRepo, signature, swap};
use crate::git::{Advisory, NewCommit, Oid};
use crate::model::event::Log;
use crate::model::id::{Stamp, TaskId};
use crate::model::message::Message;
use crate::model::name::{AgentName, Author};
use crate::model::settings::{SettingsEvent, SettingsLog};
use crate::model::task::{Draft, TaskEvent, TaskLog};
use crate::model::time::Timestamp;

/// 2026-11-20, noon in UTC.
const NOW: Timestamp = Timestamp(1_795_176_000_000);

/// A store in a repository of its own.
struct Place {
    test: TestRepo,
    store: Store,
}

impl Place {
    fn of(test: TestRepo) -> Place {
        let store = Store::new(test.open());
        Place { test, store }
    }

    /// Returns a place with a record.
    fn founded() -> Place {
        let place = Place::of(TestRepo::init(&[]));
        assert!(place.found().unwrap());
        place
    }

    fn found(&self) -> Result<bool, StoreError> {
        let mut log = Log::default();
        log.push(stamp(NOW, 0), Author::reflectt(), SettingsEvent::Founded);
        self.store
            .found(SettingsLog { log }, "# Board\n".to_owned(), &origin())
    }

    fn snapshot(&self) -> Snapshot<'_> {
        self.store.snapshot().unwrap()
    }

    fn publish(&self, changes: &Changes) -> Published {
        let snapshot = self.snapshot();
        self.store
            .publish(&snapshot, changes, &origin(), Advisory::NotHeld)
            .unwrap()
    }

    /// Writes tasks as a command would.
    fn write(&self, tasks: impl IntoIterator<Item = TaskLog>) {
        let changes = Changes {
            subject: "write".to_owned(),
            tasks: tasks.into_iter().map(|log| (log.id, log)).collect(),
            ..Changes::default()
        };
        assert!(matches!(self.publish(&changes), Published::Moved(_)));
    }

    /// Commits files as a person would, on a ref.
    fn edit_ref(&self, name: &RefName, edits: &[(&str, Option<&[u8]>)]) -> Oid {
        let repo = self.store.repo();
        let tip = repo.read_ref(name).unwrap();
        let base = tip.map(|tip| repo.read_commit(tip).unwrap().tree);
        let blobs: Vec<(&str, Option<Oid>)> = edits
            .iter()
            .map(|(path, bytes)| (*path, bytes.map(|bytes| repo.write_blob(bytes).unwrap())))
            .collect();
        let commit = repo
            .write_commit(&NewCommit {
                tree: repo.edit_tree(base, blobs).unwrap(),
                parents: tip.into_iter().collect(),
                author: signature(NOW.0 / 1000),
                committer: signature(NOW.0 / 1000),
                message: "by hand\n".to_owned(),
            })
            .unwrap();
        swap(repo, name, tip, Some(commit));
        commit
    }

    fn edit(&self, edits: &[(&str, Option<&[u8]>)]) -> Oid {
        self.edit_ref(self.store.record_ref(), edits)
    }

    /// Returns the files on the branch below a directory.
    fn paths(&self, directory: &str) -> Vec<String> {
        let mut paths: Vec<String> = self
            .snapshot()
            .files(directory)
            .unwrap()
            .into_iter()
            .map(|file| file.path)
            .collect();
        paths.sort();
        paths
    }

    fn bytes(&self, path: &str) -> Vec<u8> {
        let snapshot = self.snapshot();
        let repo = self.store.repo();
        let entry = repo.find_path(snapshot.tree, path).unwrap();
        repo.read_blob(entry.expect(path).oid).unwrap()
    }

    fn title(&self, id: TaskId) -> Option<String> {
        let snapshot = self.snapshot();
        let entry = snapshot.entry(id).unwrap()?;
        Some(entry.task().title.clone())
    }
}

fn origin() -> Origin {
    Origin {
        author: Author::from(&agent("kai")),
        now: NOW,
    }
}

fn agent(name: &str) -> AgentName {
    name.parse().unwrap()
}

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

/// Returns the `number`th stamp of a moment.
fn stamp(at: Timestamp, number: u64) -> Stamp {
    let mut rng = fastrand::Rng::with_seed(number);
    Stamp::new(at, &mut rng, None)
}

/// Returns the `number`th of distinct ids.
fn nth(number: usize) -> TaskId {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    // Scattered, as random ones are: a step that is prime to the number of ids.
    let mut rest = number.wrapping_mul(400_000_009) % 32usize.pow(6);
    let text: String = (0..6)
        .map(|_| {
            let digit = DIGITS[rest % 32];
            rest /= 32;
            char::from(digit)
        })
        .collect();
    id(&text)
}

fn task(id: TaskId, title: &str) -> TaskLog {
    task_at(NOW, id, title)
}

fn task_at(at: Timestamp, id: TaskId, title: &str) -> TaskLog {
    let draft = Draft {
        title: title.to_owned(),
        body: "at length".to_owned(),
        ..Draft::default()
    };
    let number = id.as_str().bytes().map(u64::from).sum::<u64>() + title.len() as u64;
    TaskLog::created(id, stamp(at, number), Author::from(&agent("kai")), draft)
}

/// Returns the task with one more event.
fn then(mut log: TaskLog, at: Timestamp, event: TaskEvent) -> TaskLog {
    let mut rng = fastrand::Rng::with_seed(at.0.unsigned_abs());
    let stamp = Stamp::new(at, &mut rng, log.log.last());
    log.log.push(stamp, Author::from(&agent("kai")), event);
    log
}

fn cancelled(log: TaskLog, at: Timestamp) -> TaskLog {
    let reason = "not needed".to_owned();
    then(log, at, TaskEvent::Cancelled { reason })
}

fn message(number: u64, to: &str) -> Message {
    Message {
        id: stamp(Timestamp(NOW.0 + i64::try_from(number).unwrap()), number),
        from: Author::from(&agent("link")),
        to: vec![agent(to)],
        channel: None,
        task: None,
        reply_to: None,
        urgent: false,
        notice: None,
        body: format!("message {number}"),
        extra: crate::model::extra::Extra::default(),
    }
}
