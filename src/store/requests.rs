//! The queue of this clone: what was asked for while the remote could not be, to be decided by it.
//!
//! A file for each request, named by its number; numbers only rise. What the requests would come
//! to, as far as this clone can tell, is the *view*: two commits that no ref leads to, made anew
//! whenever they are missing or the refs here have moved.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::local::{load, save, write_whole};
use super::{Store, StoreError, Tips};

/// The directory of the queue.
pub(super) const QUEUE: &str = "queue";

/// A request as it lies in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    pub number: u64,
    pub text: String,
}

/// What a view was made of, and what came out.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct ViewFile {
    of: Tips,
    numbers: Vec<u64>,
    view: Tips,
}

/// The shape of that file.
const SHAPE: u32 = 1;

impl Store {
    fn queue_dir(&self) -> PathBuf {
        self.dir.join(QUEUE)
    }

    /// Tells whether anything waits for the remote's decision.
    pub fn has_requests(&self) -> bool {
        !self.request_numbers().is_empty()
    }

    fn request_numbers(&self) -> Vec<u64> {
        let Ok(entries) = fs::read_dir(self.queue_dir()) else {
            return Vec::new();
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut numbers: Vec<u64> = names
            .filter_map(|name| name.strip_suffix(".json")?.parse().ok())
            .collect();
        numbers.sort_unstable();
        numbers
    }

    /// Returns what waits for the remote's decision, in the order in which it was asked for.
    pub fn requests(&self) -> Result<Vec<Queued>, StoreError> {
        let mut requests = Vec::new();
        for number in self.request_numbers() {
            let path = self.request_path(number);
            match fs::read_to_string(&path) {
                Ok(text) => requests.push(Queued { number, text }),
                // Served by another process meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => {
                    let doing = "read";
                    return Err(StoreError::Local {
                        doing,
                        path,
                        source,
                    });
                }
            }
        }
        Ok(requests)
    }

    fn request_path(&self, number: u64) -> PathBuf {
        self.queue_dir().join(format!("{number}.json"))
    }

    /// Returns a number above all that were given out. To be called with the lock of this clone.
    ///
    /// `served` is the last one that the claims table knows of, should the files have been deleted.
    pub fn next_request(&self, served: u64) -> Result<u64, StoreError> {
        let waiting = self.request_numbers().last().copied();
        let number = (self.last_number()).max(served).max(waiting.unwrap_or(0)) + 1;
        write_whole(&self.queue_dir().join("last"), &format!("{number}\n"))?;
        Ok(number)
    }

    /// Tells whether no number was given out after this one. A push may have passed it otherwise,
    /// with a table that says that it was decided.
    pub fn is_last_request(&self, number: u64) -> bool {
        let waiting = self.request_numbers().last().copied();
        self.last_number().max(waiting.unwrap_or(0)) <= number
    }

    fn last_number(&self) -> u64 {
        let text = fs::read_to_string(self.queue_dir().join("last")).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }

    /// Adds a request. It is on the disk, whole, when this returns.
    pub fn enqueue(&self, request: &Queued) -> Result<(), StoreError> {
        let path = self.request_path(request.number);
        write_whole(&path, &request.text)?;
        let synced = fs::File::open(&path).and_then(|file| file.sync_all());
        synced.map_err(|source| StoreError::Local {
            doing: "write",
            path,
            source,
        })
    }

    /// Takes a request out that was decided.
    pub fn remove_request(&self, number: u64) -> Result<(), StoreError> {
        let path = self.request_path(number);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(StoreError::Local {
                doing: "remove",
                path,
                source,
            }),
            _ => Ok(()),
        }
    }

    /// Returns the view of `requests` on top of `tips`, if it was made already.
    pub fn view(&self, tips: Tips, requests: &[Queued]) -> Option<Tips> {
        let file: ViewFile = load(&self.queue_dir().join("view"), SHAPE);
        let view = file.view;
        view.record?;
        (file == ViewFile::of(tips, requests, view)).then_some(view)
    }

    /// Notes a view. Forgotten, it is made anew.
    pub fn note_view(&self, tips: Tips, requests: &[Queued], view: Tips) {
        let file = ViewFile::of(tips, requests, view);
        save(&self.queue_dir().join("view"), SHAPE, &file).ok();
    }
}

impl ViewFile {
    fn of(tips: Tips, requests: &[Queued], view: Tips) -> ViewFile {
        ViewFile {
            of: tips,
            numbers: requests.iter().map(|request| request.number).collect(),
            view,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::TestRepo;

    #[test]
    fn a_number_that_a_later_one_has_passed_is_told() {
        let repo = TestRepo::init(&[]);
        let store = Store::new(repo.open());
        let first = store.next_request(0).unwrap();
        assert!(store.is_last_request(first));
        // What a table knows counts where the files were deleted.
        let second = store.next_request(7).unwrap();
        assert_eq!((first, second), (1, 8));
        assert!(!store.is_last_request(first) && store.is_last_request(second));
    }
}
