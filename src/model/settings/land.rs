//! How approved work comes onto the landing branch, as far as a team decides it.

/// How a task's branch is called where nobody said otherwise.
pub const WORK_BRANCH: &str = "task/{id}-{slug}";

/// What there is to say about landing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandSettings {
    pub branch: LandBranch,
    pub strategy: Strategy,
    /// How many tasks are tried together.
    pub batch: u32,
    pub via: Via,
    /// Whether a daemon lands what is approved.
    pub auto: bool,
    /// Whether only people land.
    pub by_humans: bool,
}

impl Default for LandSettings {
    fn default() -> LandSettings {
        LandSettings {
            branch: LandBranch::Auto,
            strategy: Strategy::Merge,
            batch: 8,
            via: Via::Push,
            auto: false,
            by_humans: false,
        }
    }
}

/// The branch on which work is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LandBranch {
    /// What the remote's HEAD names.
    Auto,
    /// None: what is approved is done.
    Off,
    Named(String),
}

/// How work comes onto the landing branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// One merge commit for each task.
    Merge,
    /// One commit for each task.
    Squash,
    /// The task's own commits, one after the other.
    Rebase,
}

/// Which branch landing moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The landing branch itself.
    Push,
    /// A branch from which people, or the forge, merge.
    Branch,
}

/// Tells whether git takes `name` for a branch, and reflectt does not for one of its own.
pub fn is_branch(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.ends_with(".lock")
    };
    let plain = |c: char| !c.is_control() && !" ~^:?*[\\".contains(c);
    name.len() <= 200
        && !name.starts_with('-')
        && name != "HEAD"
        && !name.starts_with("reflectt")
        && !name.contains("..")
        && !name.contains("@{")
        && name.chars().all(plain)
        && name.split('/').all(part)
}
