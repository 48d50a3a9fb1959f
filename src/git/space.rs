//! How much room there is on a disk.

use std::path::Path;

/// Less than this is none: whatever still fits is no file of any use.
const NONE: u64 = 1024 * 1024;

/// Returns how many bytes can be written there; `None` where the system does not say.
pub(super) fn free_space(dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    // Some file systems make room for files as they go, and have none to count.
    let no_files = stat.f_files > 0 && stat.f_favail == 0;
    Some(match no_files {
        true => 0,
        false => stat.f_bavail.saturating_mul(stat.f_frsize),
    })
}

/// Tells whether so little is as good as nothing.
pub(super) fn is_none(bytes: u64) -> bool {
    bytes < NONE
}
