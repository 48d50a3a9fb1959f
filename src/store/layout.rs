//! The names of refs and of paths on the branch.

use chrono::DateTime;

use crate::git::RefName;
use crate::model::id::{Stamp, TaskId};
use crate::model::name::{AgentName, ChannelName};
use crate::model::task::Task;
use crate::model::text::slug;
use crate::model::time::Timestamp;

/// The branch people browse.
pub const RECORD: &str = "refs/heads/reflectt";
/// The claims table. Outside `refs/heads/`, so that no one checks it out or merges it.
pub const CLAIMS: &str = "refs/reflectt/claims";

/// Our copies of the remotes' refs.
pub const REMOTES: &str = "refs/reflectt/remotes";
/// When each agent was last seen, one ref for each clone. Only on remotes.
pub const PRESENCE: &str = "refs/reflectt/presence/";
/// What was submitted, one ref for each task.
pub const WORK: &str = "refs/reflectt/work/";
/// Where the claims table is on a remote that takes nothing but branches.
pub const CLAIMS_BRANCH: &str = "refs/heads/reflectt-claims";
/// Where presence is on such a remote.
pub const PRESENCE_BRANCHES: &str = "refs/heads/reflectt-presence/";

/// Where what was submitted is on such a remote.
pub const WORK_BRANCHES: &str = "refs/heads/reflectt-work/";

pub const README: &str = "README.md";
pub const CONFIG: &str = "config.toml";
pub const AGENTS: &str = "agents";
pub const TASKS: &str = "tasks";
pub const ARCHIVE: &str = "archive";
pub const INBOX: &str = "inbox";
pub const READ: &str = "read";
pub const CHANNELS: &str = "channels";
pub const REFLECTIONS: &str = "reflections";
pub const INSIGHTS: &str = "insights";
/// Files that did not parse when something else had to take their place.
pub const QUARANTINE: &str = "quarantine";

/// What may be at the root of the record.
pub const FILES: [&str; 2] = [README, CONFIG];
pub const DIRECTORIES: [&str; 8] = [
    AGENTS,
    TASKS,
    ARCHIVE,
    INBOX,
    CHANNELS,
    REFLECTIONS,
    INSIGHTS,
    QUARANTINE,
];

/// In the tree of the claims table: what belongs to no claim.
///
/// The claims lie beside it. A directory of their own would be one object more for every claim
/// that is taken or given back.
pub const TABLE: &str = "table.toml";

/// The largest file of a record that is read, in bytes.
pub const FILE_MAX: u64 = 1024 * 1024;

pub fn record_ref() -> RefName {
    RefName::new(RECORD).expect("a constant that is a valid ref name")
}

pub fn claims_ref() -> RefName {
    RefName::new(CLAIMS).expect("a constant that is a valid ref name")
}

/// Returns where our copy of a remote's ref is.
///
/// What the configuration calls a remote may be a path or have spaces, which no ref can.
pub fn tracking(remote: &str, rest: &str) -> String {
    let direct = format!("{REMOTES}/{remote}");
    if RefName::new(direct.as_str()).is_ok() {
        return format!("{direct}/{rest}");
    }
    let escaped: String = remote
        .bytes()
        .map(|byte| match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02x}"),
        })
        .collect();
    format!("{REMOTES}/{escaped}/{rest}")
}

/// Where git puts a remote's record when it fetches branches.
pub fn tracked_record(remote: &str) -> String {
    format!("refs/remotes/{remote}/reflectt")
}

/// Where a remote's claims table is put: by sync, of either place, and by git itself where it is a
/// branch.
pub fn tracked_claims(remote: &str) -> [String; 3] {
    [
        tracking(remote, "claims"),
        tracking(remote, "heads/reflectt-claims"),
        format!("refs/remotes/{remote}/reflectt-claims"),
    ]
}

/// Tells whether a ref is one of reflectt's own: such commits change no files of the project.
pub fn is_own_ref(name: &str) -> bool {
    name == RECORD
        || name.starts_with("refs/reflectt/")
        || name == "refs/heads/reflectt-claims"
        || name.starts_with("refs/heads/reflectt-presence/")
}

pub fn agent_path(name: &AgentName) -> String {
    format!("{AGENTS}/{name}.toml")
}

/// Returns the name of the agent whose file is, or would be, at `path`: perhaps not a valid one.
pub fn agent_at(path: &str) -> Option<&str> {
    let file = path.strip_prefix(AGENTS)?.strip_prefix('/')?;
    file.strip_suffix(".toml")
        .filter(|name| !name.contains('/'))
}

/// Tells whether a file at `path` is one that reflectt reads, and not of somebody else's making.
pub fn is_read(path: &str) -> bool {
    let below = [TASKS, ARCHIVE, INBOX, CHANNELS, REFLECTIONS];
    let top = path.split('/').next().unwrap_or_default();
    path == CONFIG
        || agent_at(path).is_some()
        || path != top && below.contains(&top) && path.ends_with(".toml")
}

pub fn claim_path(id: TaskId) -> String {
    format!("{id}.toml")
}

/// The directory a task belongs in by its state, and its file's name there.
pub fn task_place(task: &Task) -> (String, String) {
    let directory = match task.closed {
        Some(closed) => format!("{ARCHIVE}/{}", month(closed)),
        None => TASKS.to_owned(),
    };
    (directory, format!("{}-{}.toml", task.id, slug(&task.title)))
}

pub fn unread_dir(agent: &AgentName) -> String {
    format!("{INBOX}/{agent}")
}

/// Where a read message lies. By the time it was sent, so that every clone agrees.
pub fn read_dir(agent: &AgentName, id: Stamp) -> String {
    format!("{INBOX}/{agent}/{READ}/{}", month(id.at()))
}

pub fn channel_dir(channel: &ChannelName, id: Stamp) -> String {
    format!("{CHANNELS}/{channel}/{}", month(id.at()))
}

pub fn reflection_dir(id: Stamp) -> String {
    format!("{REFLECTIONS}/{}", month(id.at()))
}

pub fn stamp_file(id: Stamp) -> String {
    format!("{id}.toml")
}

/// Returns the id in a task's file name, if it has one.
pub fn id_in_file_name(path: &str) -> Option<TaskId> {
    let name = path.rsplit('/').next()?;
    name.strip_suffix(".toml")?.split('-').next()?.parse().ok()
}

/// Returns what a file is known by wherever it lies: a task by its id, a message in an inbox or a
/// channel by its name there, all else by its path.
pub fn identity(path: &str) -> String {
    let mut parts = path.split('/');
    let (top, second) = (parts.next().unwrap_or_default(), parts.next());
    let file = path.rsplit('/').next().unwrap_or(path);
    match (top, second) {
        (TASKS | ARCHIVE, _) => match id_in_file_name(path) {
            Some(id) => format!("{TASKS}/{id}"),
            None => path.to_owned(),
        },
        (INBOX | CHANNELS, Some(whose)) => format!("{top}/{whose}/{file}"),
        (REFLECTIONS, _) => format!("{top}/{file}"),
        _ => path.to_owned(),
    }
}

/// Returns the stamp in the file name of a message or reflection.
pub fn stamp_in_file_name(name: &str) -> Option<Stamp> {
    name.strip_suffix(".toml")?.parse().ok()
}

/// Returns the month of `at` in UTC, like `2026-11`.
pub fn month(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.0)
        .unwrap_or_default()
        .format("%Y-%m")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_configuration_calls_a_remote_has_a_place_among_our_copies() {
        assert_eq!(
            tracking("a/origin", "claims"),
            "refs/reflectt/remotes/a/origin/claims"
        );
        assert_eq!(
            tracking("my remote", "heads/reflectt"),
            "refs/reflectt/remotes/my%20remote/heads/reflectt"
        );
        for name in [
            "/srv/hub.git",
            "https://x/y?a=b",
            "a..b",
            "x.lock",
            "-",
            "é\n",
            "@{",
            "a//b",
        ] {
            let name = tracking(name, "claims");
            assert!(RefName::new(name.as_str()).is_ok(), "{name}");
        }
    }
}
