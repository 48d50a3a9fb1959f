//! Which version of git there is.

use std::fmt;

use super::{Git, GitError};

/// A version of git, like 2.47.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitVersion {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

/// The oldest version that does what reflectt asks for.
pub const GIT_OLDEST: GitVersion = GitVersion {
    major: 2,
    minor: 30,
    patch: 0,
};

impl Git {
    /// Asks git for its version.
    pub fn version(&self) -> Result<GitVersion, GitError> {
        let output = self.command(["version"]).checked()?;
        let output = String::from_utf8_lossy(&output).trim().to_owned();
        GitVersion::parse(&output).ok_or(GitError::Output {
            command: "git version".to_owned(),
            output,
        })
    }
}

impl GitVersion {
    /// Reads what `git version` prints: vendors add words behind the numbers.
    fn parse(text: &str) -> Option<GitVersion> {
        let numbers = text.strip_prefix("git version ")?;
        let mut parts = numbers
            .split(|c: char| !c.is_ascii_digit())
            .map(str::parse::<u32>);
        let mut next = || parts.next()?.ok();
        Some(GitVersion {
            major: next()?,
            minor: next()?,
            patch: next().unwrap_or(0),
        })
    }
}

impl fmt::Display for GitVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_git_and_its_vendors_print() {
        for (text, version) in [
            ("git version 2.47.1", Some("2.47.1")),
            ("git version 2.39.5 (Apple Git-154)", Some("2.39.5")),
            ("git version 2.45.1.windows.1", Some("2.45.1")),
            ("git version 3.0.rc1", Some("3.0.0")),
            ("git version 2.30", Some("2.30.0")),
            ("hub version 2.14", None),
            ("git version two", None),
        ] {
            let read = GitVersion::parse(text).map(|version| version.to_string());
            assert_eq!(read.as_deref(), version, "{text}");
        }
        assert!(Git::new().version().unwrap() >= GIT_OLDEST);
    }
}
