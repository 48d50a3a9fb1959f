//! Git's configuration: all of it for reading, one worktree's own value for the agent's name.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Advisory, GitError, GitOutput, Repo};

/// How often to try while another process holds `config.lock`.
const TRIES: u32 = 20;

impl Repo {
    /// Returns a value from all files that git reads, as they were when the repository was opened.
    pub fn config(&self, key: &str) -> Option<String> {
        let value = self.inner.config_snapshot().string(key)?;
        Some(String::from_utf8_lossy(&value).into_owned())
    }

    /// Returns the value that this worktree alone has, as it is now.
    ///
    /// Values that other worktrees share or that the user has for all repositories do not count:
    /// an agent's name must never be taken from them. Nor does one that `git worktree add` copied
    /// from the worktree it was run in, which the mark beside it tells; see [`mark`].
    pub fn worktree_config(&self, key: &str) -> Result<Option<String>, GitError> {
        self.worktree_config_of(self.git_dir(), key)
    }

    /// Returns the value that the worktree with this git directory alone has.
    pub fn worktree_config_of(
        &self,
        git_dir: &Path,
        key: &str,
    ) -> Result<Option<String>, GitError> {
        if !self.has_worktree_config()? {
            return Ok(None);
        }
        let file = git_dir.join("config.worktree");
        let Some(value) = read_value(&file, key)? else {
            return Ok(None);
        };
        let copied = read_value(&file, &mark_key(key))?.is_some_and(|found| {
            found != mark(&self.worktree_id(git_dir), &value) && found.ends_with(&mark("", &value))
        });
        Ok((!copied).then_some(value))
    }

    /// Sets or removes a value for this worktree alone.
    ///
    /// The extension that gives each worktree a file of its own is switched on first, if it is off.
    /// Without it `git config --worktree` writes the common file, whose values every worktree made
    /// later would inherit.
    pub fn set_worktree_config(&self, key: &str, value: Option<&str>) -> Result<(), GitError> {
        if value.is_none() && !self.has_worktree_config()? {
            return Ok(());
        }
        self.enable_worktree_config()?;
        // The mark comes first: alone, it does nothing.
        let mark = value.map(|value| mark(&self.worktree_id(self.git_dir()), value));
        let place = ["--worktree".as_ref()];
        self.change_config(&mark_key(key), &place, mark.as_deref().map(OsStr::new))?;
        self.change_config(key, &place, value.map(OsStr::new))
    }

    /// Returns what tells a worktree from the others of the clone, as long as it lives, moved or not.
    pub fn worktree_id(&self, git_dir: &Path) -> String {
        match git_dir.strip_prefix(self.common_dir()) {
            Ok(below) if !below.as_os_str().is_empty() => in_text(below.as_os_str()),
            _ => "main".to_owned(),
        }
    }

    /// Sets or removes a value for this clone: all its worktrees.
    pub fn set_config(&self, key: &str, value: Option<&str>) -> Result<(), GitError> {
        let file = self.common_config();
        let place = ["--file".as_ref(), file.as_os_str()];
        self.change_config(key, &place, value.map(OsStr::new))
    }

    fn common_config(&self) -> PathBuf {
        self.common_dir().join("config")
    }

    fn has_worktree_config(&self) -> Result<bool, GitError> {
        let value = read_value(&self.common_config(), "extensions.worktreeConfig")?;
        Ok(value.is_some_and(|value| is_true(&value)))
    }

    /// Switches on `extensions.worktreeConfig`, as git-worktree(1) asks: `core.bare` when true and
    /// `core.worktree` are the main worktree's own, and move to its file. Left in the common file
    /// they would make every linked worktree bare, or point it at the main one's files.
    ///
    /// The values are copied, then the extension is set, then they are removed from where they
    /// were, so that a crash in between leaves a repository that works, and that a repetition mends.
    pub(super) fn enable_worktree_config(&self) -> Result<(), GitError> {
        let common = self.common_config();
        let own = self.common_dir().join("config.worktree");
        let bare = read_value(&common, "core.bare")?.filter(|value| is_true(value));
        let work_tree = read_bytes(&common, "core.worktree")?;
        if self.has_worktree_config()? && bare.is_none() && work_tree.is_none() {
            return Ok(());
        }
        let [own_file, common_file] =
            [&own, &common].map(|file| ["--file".as_ref(), file.as_os_str()]);
        let bare = bare.map(OsString::from);
        let work_tree = work_tree.map(OsString::from_vec);
        let moved = [("core.bare", bare), ("core.worktree", work_tree)];
        for (name, value) in &moved {
            if let Some(value) = value {
                self.change_config(name, &own_file, Some(value))?;
            }
        }
        if !self.has_worktree_config()? {
            let extension = "extensions.worktreeConfig";
            self.change_config(extension, &common_file, Some("true".as_ref()))?;
        }
        for (name, value) in &moved {
            if value.is_some() {
                self.change_config(name, &common_file, None)?;
            }
        }
        Ok(())
    }

    fn change_config(
        &self,
        key: &str,
        place: &[&OsStr],
        value: Option<&OsStr>,
    ) -> Result<(), GitError> {
        let mut tries = 0;
        let output = loop {
            let command = self.git(["config"]).args(place);
            let command = match value {
                Some(value) => command.arg("--replace-all").arg(key).arg(value),
                None => command.arg("--unset-all").arg(key),
            };
            let output = command.run()?;
            tries += 1;
            let Some(lock) = lock_in_the_way(&output) else {
                break output;
            };
            if tries == TRIES {
                // Held for half a second, or by nobody: a killed git leaves its lock.
                match self.remove_stale_lock(&lock, Advisory::NotHeld)? {
                    Some(removed) => self.removed_locks.borrow_mut().push(removed),
                    None => break output,
                }
                tries = 0;
            }
            let pause = Duration::from_millis(u64::from(tries) * 2 + fastrand::u64(0..10));
            std::thread::sleep(pause);
        };
        match output.code {
            Some(0) => Ok(()),
            // Nothing to remove.
            Some(5) if value.is_none() => Ok(()),
            _ => {
                let source = output.into_failure().into();
                Err(GitError::of_write(self.common_dir(), source, |source| {
                    GitError::SetConfig {
                        key: key.to_owned(),
                        source,
                    }
                }))
            }
        }
    }
}

/// Says for which worktree a value was set.
///
/// `git worktree add` copies the whole `config.worktree` of the worktree it is run in (since git
/// 2.36), so an agent that makes a worktree for another would give it its own name. A value set by
/// hand, with no mark or beside the mark of another value, counts.
fn mark(worktree: &str, value: &str) -> String {
    format!("{worktree}:{value}")
}

/// Returns the key of the mark, beside the value's own.
fn mark_key(key: &str) -> String {
    format!("{key}Worktree")
}

/// Returns the lock file that made `git config` fail, if that is why it did.
fn lock_in_the_way(output: &GitOutput) -> Option<PathBuf> {
    let (_, rest) = output.stderr.split_once("could not lock config file ")?;
    let (file, _) = rest.split_once(": File exists")?;
    (output.code != Some(0)).then(|| PathBuf::from(format!("{file}.lock")))
}

fn is_true(value: &str) -> bool {
    gix::config::Boolean::try_from(gix::bstr::BStr::new(value)).is_ok_and(|value| value.0)
}

/// Returns a name as text, another for each: names that git gives have no backslash.
fn in_text(name: &OsStr) -> String {
    let chunks = name.as_bytes().utf8_chunks();
    let mut text = String::new();
    for chunk in chunks {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

fn read_value(path: &Path, key: &str) -> Result<Option<String>, GitError> {
    let value = read_bytes(path, key)?;
    Ok(value.map(|value| String::from_utf8_lossy(&value).into_owned()))
}

/// Returns the last value of a key in one file, which need not exist.
fn read_bytes(path: &Path, key: &str) -> Result<Option<Vec<u8>>, GitError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(GitError::ReadConfig {
                path: path.to_owned(),
                source: source.into(),
            });
        }
    };
    let file = gix::config::File::from_bytes_no_includes(
        &bytes,
        gix::config::file::Metadata::from(gix::config::Source::Local),
        gix::config::file::init::Options::default(),
    )
    .map_err(|error| GitError::ReadConfig {
        path: path.to_owned(),
        source: error.into(),
    })?;
    Ok(match file.string_implicit(key) {
        Some(Some(value)) => Some(value.to_vec()),
        // A key alone on its line means true.
        Some(None) => Some(b"true".to_vec()),
        None => None,
    })
}

#[cfg(test)]
mod tests;
