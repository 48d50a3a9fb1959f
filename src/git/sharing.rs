//! Who may use a repository beside its owner, and the modes of files that follow from it.
//!
//! `core.sharedRepository` speaks of what git writes. Objects are shared by it as git does; what
//! lies in our own directory takes after that directory, which takes after git's. So a group that
//! shares a repository shares its agents, locks and caches, and nobody else reads them.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use gix::config::tree::Core;
use tempfile::NamedTempFile;

const SET_GID: u32 = 0o2000;

/// The value of `core.sharedRepository` as git holds it: bits to add, or, negated, all there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing(i32);

impl Sharing {
    /// A value that git refuses shares nothing.
    pub(super) fn of(repo: &gix::Repository) -> Sharing {
        let config = repo.config_snapshot();
        let value = config.plumbing().string_implicit("core.sharedRepository");
        let bits = value.and_then(|value| {
            let read = Core::SHARED_REPOSITORY.try_into_shared_repository(value);
            read.ok()
        });
        Sharing(bits.unwrap_or(0))
    }

    /// Gives what was just written the mode that git would give it.
    ///
    /// What is not ours to change stays as its owner has it.
    pub fn apply(self, path: &Path) {
        if self.0 == 0 {
            return;
        }
        let Ok(meta) = fs::symlink_metadata(path) else {
            return;
        };
        let mode = self.mode(meta.mode() & 0o7777, meta.is_dir());
        if !meta.is_symlink() && mode != meta.mode() & 0o7777 {
            fs::set_permissions(path, Permissions::from_mode(mode)).ok();
        }
    }

    /// Makes `dir`, and shares it with what lies directly in it. Nothing is made if nothing is
    /// shared.
    pub fn apply_to_all(self, dir: &Path) {
        if self.0 == 0 || create_dir(dir).is_err() {
            return;
        }
        self.apply(dir);
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            self.apply(&entry.path());
        }
    }

    /// Returns the mode of what would have this one if nothing was shared: `calc_shared_perm` and
    /// `adjust_shared_perm` of git's `path.c`.
    fn mode(self, mode: u32, is_dir: bool) -> u32 {
        let mut shared = self.0.unsigned_abs();
        if mode & 0o200 == 0 {
            shared &= !0o222;
        }
        if mode & 0o100 != 0 {
            shared |= (shared & 0o444) >> 2;
        }
        let kept = if self.0 < 0 { mode & !0o777 } else { mode };
        let mode = kept | shared;
        if !is_dir {
            return mode;
        }
        let mode = mode | (mode & 0o444) >> 2;
        if mode & 0o060 == 0 {
            mode
        } else {
            mode | SET_GID
        }
    }
}

/// Makes a directory of ours if it is missing, and the one above it; each takes after the one it is
/// made in. No more than these: of a repository that was moved away nothing is made again.
fn create_dir(dir: &Path) -> io::Result<()> {
    let above = dir.parent().unwrap_or(dir);
    if dir.is_dir() {
        return Ok(());
    }
    for (dir, above) in [(above, above.parent().unwrap_or(above)), (dir, above)] {
        match fs::create_dir(dir) {
            Ok(()) => {
                let mode = fs::metadata(above)?.mode() & (SET_GID | 0o777);
                fs::set_permissions(dir, Permissions::from_mode(mode))?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Returns a new file in `dir`, which is made if it is missing, to be put in its place when it is
/// whole.
pub fn new_file_in(dir: &Path) -> io::Result<NamedTempFile> {
    create_dir(dir)?;
    let file = tempfile::Builder::new().prefix(".new-").tempfile_in(dir)?;
    take_after(file.as_file(), dir)?;
    Ok(file)
}

/// Writes a file of ours, whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = new_file_in(path.parent().unwrap_or(Path::new(".")))?;
    io::Write::write_all(&mut file, bytes)?;
    file.persist(path)?;
    Ok(())
}

/// Opens a file of ours that is kept: a lock, a log. It is made if it is missing.
pub fn open_kept(path: &Path, options: &mut fs::OpenOptions) -> io::Result<File> {
    let dir = path.parent().unwrap_or(Path::new("."));
    create_dir(dir)?;
    let file = options.create(true).open(path)?;
    // Somebody else's is as they made it.
    take_after(&file, dir).ok();
    Ok(file)
}

/// Lets those read and write a file who can do so in its directory.
fn take_after(file: &File, dir: &Path) -> io::Result<()> {
    let bits = |meta: Metadata| meta.mode() & 0o666;
    let (is, wanted) = (bits(file.metadata()?), bits(fs::metadata(dir)?));
    if is == wanted {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::TestRepo;

    fn mode(path: &Path) -> String {
        format!("{:o}", fs::symlink_metadata(path).unwrap().mode() & 0o7777)
    }

    #[test]
    fn objects_and_files_have_the_modes_that_git_gives_its_own() {
        for value in [
            "umask", "false", "group", "true", "1", "all", "world", "2", "0660", "0640", "0664",
            "0600", "0666",
        ] {
            let test = TestRepo::init(&[]);
            test.git(&["config", "core.sharedRepository", value]);
            let repo = test.open();
            let objects = repo.common_dir().join("objects");
            let place = |hex: &str| {
                (
                    objects.join(&hex[..2]),
                    objects.join(&hex[..2]).join(&hex[2..]),
                )
            };
            fs::write(test.path.join("theirs"), "theirs").unwrap();
            let theirs = place(&test.git(&["hash-object", "-w", "theirs"]));
            let ours = place(&repo.write_blob(b"ours").unwrap().to_string());
            assert_eq!(mode(&ours.0), mode(&theirs.0), "{value}: directories");
            assert_eq!(mode(&ours.1), mode(&theirs.1), "{value}: objects");

            test.commit("first");
            test.git(&["branch", "a/b"]);
            let heads = repo.common_dir().join("refs/heads/a");
            let dir = repo.common_dir().join("reflectt");
            create_dir(&dir).unwrap();
            repo.sharing().apply_to_all(&dir);
            write_whole(&dir.join("below/whole"), b"").unwrap();
            open_kept(&dir.join("lock"), File::options().append(true)).unwrap();
            for name in ["", "below"] {
                assert_eq!(mode(&dir.join(name)), mode(&heads), "{value}: {name}");
            }
            for name in ["below/whole", "lock"] {
                assert_eq!(
                    mode(&dir.join(name)),
                    mode(&heads.join("b")),
                    "{value}: {name}"
                );
            }
        }
    }

    #[test]
    fn what_is_there_is_shared_later() {
        let test = TestRepo::init(&[]);
        let dir = test.open().common_dir().join("reflectt");
        write_whole(&dir.join("cache/tasks"), b"").unwrap();
        write_whole(&dir.join("clone"), b"").unwrap();
        test.git(&["config", "core.sharedRepository", "0660"]);
        test.open().sharing().apply_to_all(&dir);
        assert_eq!(mode(&dir.join("cache")), "2770");
        assert_eq!(mode(&dir.join("clone")), "660");
        test.git(&["config", "core.sharedRepository", "nonsense"]);
        test.open().sharing().apply_to_all(&dir);
        assert_eq!(mode(&dir), "2770");
    }
}
