//! Small files beside the repository.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::git;

use super::StoreError;

/// The clock of a file system may be ahead of ours by so much.
const AHEAD_MAX: Duration = Duration::from_secs(10);

/// Writes a local file, whole or not at all, for all who share the repository.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<(), StoreError> {
    git::write_whole(path, text.as_bytes()).map_err(|source| StoreError::Local {
        doing: "write",
        path: path.to_owned(),
        source,
    })
}

/// What a local file holds, and which shape that has: what one version wrote, another may not know.
#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    shape: u32,
    holds: T,
}

/// Reads a local file that can be made anew: where it is missing, damaged or of another shape, it
/// is as if there were nothing.
pub(super) fn load<T: DeserializeOwned + Default>(path: &Path, shape: u32) -> T {
    let bytes = fs::read(path).unwrap_or_default();
    match serde_json::from_slice::<Versioned<T>>(&bytes) {
        Ok(file) if file.shape == shape => file.holds,
        _ => T::default(),
    }
}

/// Writes such a file, whole or not at all.
pub(super) fn save<T: Serialize>(path: &Path, shape: u32, holds: &T) -> Result<(), StoreError> {
    let text = serde_json::to_string(&Versioned { shape, holds });
    write_whole(path, &text.expect("our files are made of what JSON has"))
}

/// Returns how long ago a local file was written; `None` if it never was.
///
/// One from the future was written before the clock was set back, nobody knows how long ago.
pub(super) fn written_ago(path: &Path) -> Option<Duration> {
    let at = fs::metadata(path).ok()?.modified().ok()?;
    Some(match SystemTime::now().duration_since(at) {
        Ok(ago) => ago,
        Err(ahead) if ahead.duration() < AHEAD_MAX => Duration::ZERO,
        Err(_) => Duration::MAX,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_before_the_clock_was_set_back_is_old() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mark");
        assert_eq!(written_ago(&path), None);
        write_whole(&path, "").unwrap();
        assert!(written_ago(&path).unwrap() < Duration::from_secs(60));
        let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
        let file = fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(tomorrow).unwrap();
        assert_eq!(written_ago(&path), Some(Duration::MAX));
    }
}
