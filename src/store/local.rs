//! Small files beside the repository.

use std::path::Path;

use crate::git;

use super::StoreError;

/// Writes a local file, whole or not at all, for all who share the repository.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<(), StoreError> {
    git::write_whole(path, text.as_bytes()).map_err(|source| StoreError::Local {
        doing: "write",
        path: path.to_owned(),
        source,
    })
}
