//! Writing what was planned: each file whole, or not at all.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::draft::Draft;
use super::error::SetupError;
use super::plan::Plan;

/// Carries a plan out. Every new file is written beside its place before the first is put there, so
/// that what cannot be written leaves all as it was.
///
/// # Errors
///
/// If a file or its directory is read-only, or was changed since the plan was made.
pub fn write(plan: &Plan) -> Result<(), SetupError> {
    let changed: Vec<&Draft> = plan
        .files
        .iter()
        .filter(|draft| draft.is_changed())
        .collect();
    let mut made = Made::default();
    let staged = changed.iter().map(|draft| stage(draft, &mut made));
    let staged: Vec<Option<NamedTempFile>> = staged.collect::<Result<_, _>>()?;
    for draft in &changed {
        let now = match fs::read(&draft.real) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(read_error(draft, source)),
        };
        if now != draft.before {
            let path = draft.shown.clone();
            return Err(SetupError::Changed { path });
        }
    }
    made.keep();
    for (draft, staged) in changed.into_iter().zip(staged) {
        let path = &draft.real;
        match staged {
            Some(file) => {
                let put = file.persist(path);
                put.map_err(|error| write_error(draft, error.error))?;
            }
            None => {
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(write_error(draft, error));
                    }
                    _ => {}
                }
                remove_empty(path, plan.place.base());
            }
        }
    }
    Ok(())
}

/// Writes a file beside its place; none for one that is to go.
fn stage(draft: &Draft, made: &mut Made) -> Result<Option<NamedTempFile>, SetupError> {
    let failed = |source| write_error(draft, source);
    let dir = draft.real.parent().unwrap_or(Path::new("/"));
    let mode = match fs::metadata(&draft.real) {
        Ok(meta) if meta.permissions().readonly() => {
            let path = draft.shown.clone();
            return Err(SetupError::ReadOnly { path });
        }
        Ok(meta) => Some(meta.permissions()),
        Err(_) => None,
    };
    made.make(dir).map_err(failed)?;
    let mut builder = tempfile::Builder::new();
    // Less what the user's mask takes away, as for every new file.
    builder.permissions(Permissions::from_mode(0o666));
    let file = builder.prefix(".reflectt-setup-").tempfile_in(dir);
    let mut file = file.map_err(failed)?;
    // That a file can be made here shows that one can be taken away.
    let Some(bytes) = draft.after() else {
        return Ok(None);
    };
    file.write_all(&bytes).map_err(failed)?;
    if let Some(mode) = mode {
        file.as_file().set_permissions(mode).map_err(failed)?;
    }
    Ok(Some(file))
}

fn read_error(draft: &Draft, source: io::Error) -> SetupError {
    let path = draft.shown.clone();
    SetupError::Read { path, source }
}

fn write_error(draft: &Draft, source: io::Error) -> SetupError {
    let path = draft.shown.clone();
    SetupError::Write { path, source }
}

/// Directories that were made, and go again if nothing comes into them.
#[derive(Default)]
struct Made {
    dirs: BTreeSet<PathBuf>,
}

impl Made {
    fn make(&mut self, dir: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = dir.ancestors().take_while(|dir| !dir.exists()).collect();
        for dir in missing.into_iter().rev() {
            fs::create_dir(dir)?;
            self.dirs.insert(dir.to_owned());
        }
        Ok(())
    }

    fn keep(&mut self) {
        self.dirs.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for dir in self.dirs.iter().rev() {
            fs::remove_dir(dir).ok();
        }
    }
}

/// Removes the directories above a file that is gone, as far as they are empty.
fn remove_empty(path: &Path, base: &Path) {
    let above = path.ancestors().skip(1);
    for dir in above.take_while(|dir| *dir != base && dir.starts_with(base)) {
        if fs::remove_dir(dir).is_err() {
            break;
        }
    }
}
