//! Refs: their names, reading one, listing many.

use std::fmt;
use std::io;
use std::time::Duration;

use gix::bstr::{BStr, ByteSlice};
use gix::refs::{FullNameRef, Target};

use super::{GitError, Oid, RefFormat, Repo};

/// How often to read again when `git pack-refs` moves a ref between two looks.
const LOOKS: u32 = 5;
/// How many symbolic refs to follow; git stops at five, too.
const MAX_DEPTH: u32 = 5;

/// The full name of a ref, like `refs/heads/reflectt`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RefName(String);

impl RefName {
    /// Checks a full name by git's rules (git-check-ref-format); it must begin with `refs/`.
    pub fn new(name: impl Into<String>) -> Result<Self, GitError> {
        let name = name.into();
        let valid = name.starts_with("refs/")
            && <&FullNameRef>::try_from(BStr::new(name.as_bytes())).is_ok();
        if valid {
            Ok(Self(name))
        } else {
            Err(GitError::InvalidRefName { name })
        }
    }

    /// Returns the full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn as_gix(&self) -> &FullNameRef {
        <&FullNameRef>::try_from(BStr::new(self.0.as_bytes())).expect("checked by `new`")
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Repo {
    /// Returns the object that a ref points at now, or `None` if there is no such ref.
    ///
    /// The file of the ref is looked at before `packed-refs`, and `packed-refs` is never taken from
    /// a cache. In the other order, or with a cache that trusts timestamps, a ref that is packed
    /// at this moment would look gone, or would show a value of the past.
    pub fn read_ref(&self, name: &RefName) -> Result<Option<Oid>, GitError> {
        match self.ref_format() {
            RefFormat::Reftable => {
                let found = self.list_by_git(name.as_str())?;
                Ok(found
                    .into_iter()
                    .find(|(found, _)| found == name)
                    .map(|(_, oid)| oid))
            }
            RefFormat::Files => {
                let mut name = name.clone();
                for _ in 0..MAX_DEPTH {
                    match self.read_target(&name)? {
                        None => return Ok(None),
                        Some(Target::Object(id)) => return Ok(Some(Oid(id))),
                        Some(Target::Symbolic(next)) => {
                            name = RefName::new(next.as_bstr().to_str_lossy())?;
                        }
                    }
                }
                Err(GitError::ReadRef {
                    name: name.0,
                    source: "too many symbolic refs in a row".into(),
                })
            }
        }
    }

    /// Returns the name of the ref that a symbolic one names, which need not exist; `None` if this
    /// is not a symbolic ref.
    pub fn symbolic_ref(&self, name: &str) -> Result<Option<String>, GitError> {
        let output = self.git(["symbolic-ref", "--quiet", name]).run()?;
        match output.code {
            Some(0) => {
                let target = String::from_utf8_lossy(&output.stdout);
                Ok(Some(target.trim().to_owned()))
            }
            Some(1 | 128) => Ok(None),
            _ => Err(output.into_failure().into()),
        }
    }

    /// Returns the refs whose names begin with `prefix`, which ends in `/`, in order.
    ///
    /// Broken refs, and symbolic ones, are left out.
    pub fn list_refs(&self, prefix: &str) -> Result<Vec<(RefName, Oid)>, GitError> {
        match self.ref_format() {
            RefFormat::Reftable => self.list_by_git(prefix),
            RefFormat::Files => self
                .list_files(prefix)
                .map_err(|source| GitError::ListRefs {
                    prefix: prefix.to_owned(),
                    source,
                }),
        }
    }

    fn read_target(&self, name: &RefName) -> Result<Option<Target>, GitError> {
        let mut look = 0;
        loop {
            match self.look_at_target(name) {
                Ok(target) => return Ok(target),
                Err(_) if look < LOOKS => {
                    look += 1;
                    std::thread::sleep(Duration::from_millis(1 << look));
                }
                Err(error) => {
                    return Err(GitError::ReadRef {
                        name: name.0.clone(),
                        source: error.into(),
                    });
                }
            }
        }
    }

    fn look_at_target(&self, name: &RefName) -> Result<Option<Target>, gix::Error> {
        let refs = &self.inner.refs;
        if let Some(loose) = refs.try_find_loose(name.as_gix())? {
            // The search also tries `refs/heads/<name>` and its like.
            if loose.name.as_bstr() == name.as_gix().as_bstr() {
                return Ok(Some(loose.target));
            }
        }
        let Some(packed) = refs.open_packed_buffer()? else {
            return Ok(None);
        };
        Ok(packed
            .try_find(name.as_gix())?
            .filter(|found| found.name.as_bstr() == name.as_gix().as_bstr())
            .map(|found| Target::Object(found.target())))
    }

    /// Lists loose refs first and packed ones after them, for the reason given at `read_ref`.
    fn list_files(&self, prefix: &str) -> Result<Vec<(RefName, Oid)>, super::BoxError> {
        let refs = &self.inner.refs;
        let mut found = std::collections::BTreeMap::new();
        let path: &gix::path::RelativePath = prefix.as_bytes().try_into()?;
        match refs.loose_iter_prefixed(path) {
            Ok(loose) => {
                for item in loose {
                    // One that vanished while we read it was packed, or deleted.
                    let Ok(item) = item else { continue };
                    let Ok(name) = RefName::new(item.name.as_bstr().to_str_lossy()) else {
                        continue;
                    };
                    found.insert(name, item.target.try_id().map(|id| Oid(id.to_owned())));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(packed) = refs.open_packed_buffer()? {
            for item in packed.iter_prefixed(prefix.into())? {
                let Ok(item) = item else { continue };
                if let Ok(name) = RefName::new(item.name.as_bstr().to_str_lossy()) {
                    found.entry(name).or_insert(Some(Oid(item.target())));
                }
            }
        }
        Ok(found
            .into_iter()
            .filter_map(|(name, oid)| Some((name, oid?)))
            .collect())
    }

    fn list_by_git(&self, prefix: &str) -> Result<Vec<(RefName, Oid)>, GitError> {
        let command = self.git(["for-each-ref", "--format=%(objectname) %(refname)", prefix]);
        let output = command.checked()?;
        let text = String::from_utf8_lossy(&output);
        let refs = text.lines().filter_map(|line| {
            let (oid, name) = line.split_once(' ')?;
            Some((RefName::new(name).ok()?, Oid::parse(oid).ok()?))
        });
        Ok(refs.collect())
    }
}

#[cfg(test)]
mod tests;
