//! What each session of a harness was told: one small file for each, beside the repository.
//!
//! They can be deleted at any time: then something is told twice. The id of a session is what
//! somebody else made up, so the name of a file is only made from it, and the file has the id
//! itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::git::AdvisoryLock;
use crate::model::time::Timestamp;

use super::local::{load, save, written_ago};
use super::{Store, StoreError};

const SHAPE: u32 = 1;

/// What nobody has written to for so long is of a session that nobody has ended.
const KEPT: Duration = Duration::from_secs(14 * 24 * 3600);
/// How many facts are remembered of one session.
const TOLD_MAX: usize = 2_000;
/// How many events are remembered of one session.
const EVENTS_MAX: usize = 32;
/// How long one event of a session waits for another. The lock only keeps a thing from being told
/// twice.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is remembered of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentSession {
    id: String,
    /// Who worked in it last, and in which worktree.
    pub agent: String,
    pub worktree: String,
    /// The process of the harness; see [`crate::git::Process`].
    pub process: String,
    /// When it last gave a sign of life, in milliseconds since 1970.
    pub seen: i64,
    /// How often in a row it was asked to go on.
    pub nudges: u32,
    /// Whether what it was asked to go on with may come back as a prompt.
    pub echoes: bool,
    /// What it was told, oldest first.
    told: Vec<String>,
    /// When which event last came, in milliseconds since 1970.
    events: BTreeMap<String, i64>,
    /// Which process waits for something to wake it with.
    pub waiter: Option<u64>,
    /// Whether it was told that it is not alone, or is to be.
    pub crowded: Crowded,
    /// Whether it could not be told its messages when it was asked for them.
    pub owed: bool,
}

/// Whether a session shares its worktree and its agent with another one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Crowded {
    #[default]
    No,
    /// It does, and is still to be told.
    Untold,
    Told,
}

impl AgentSession {
    /// Tells whether it was told a fact.
    pub fn was_told(&self, fact: &str) -> bool {
        self.told.iter().any(|told| told == fact)
    }

    /// Notes that it is told a fact. Tells whether that is new.
    pub fn tell(&mut self, fact: String) -> bool {
        if self.was_told(&fact) {
            return false;
        }
        self.told.push(fact);
        let surplus = self.told.len().saturating_sub(TOLD_MAX);
        self.told.drain(..surplus);
        true
    }

    /// Forgets the facts of a kind that are of no use any more.
    pub fn forget_told(&mut self, kind: &str, is_useful: impl Fn(&str) -> bool) {
        let keeps = |told: &String| told.strip_prefix(kind).is_none_or(&is_useful);
        self.told.retain(keeps);
    }

    /// Notes that an event has come. Tells whether the same one has come within `span`, by another
    /// configuration of the same harness.
    pub fn is_repeated(&mut self, event: &str, now: Timestamp, span: Duration) -> bool {
        let last = self.events.insert(event.to_owned(), now.0);
        if self.events.len() > EVENTS_MAX
            && let Some(oldest) = self.events.iter().min_by_key(|(_, at)| **at)
        {
            let oldest = oldest.0.clone();
            self.events.remove(&oldest);
        }
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        last.is_some_and(|last| (0..span).contains(&now.0.saturating_sub(last)))
    }
}

/// Where what is remembered of sessions lies.
pub struct AgentSessions {
    dir: PathBuf,
}

impl Store {
    pub fn agent_sessions(&self) -> AgentSessions {
        AgentSessions {
            dir: self.dir.join("sessions"),
        }
    }
}

impl AgentSessions {
    fn path(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{}.json", file_stem(id)))
    }

    /// Returns what is remembered of a session.
    pub fn get(&self, id: &str) -> Option<AgentSession> {
        let session: AgentSession = load(&self.path(id), SHAPE);
        (session.id == id).then_some(session)
    }

    /// Changes what is remembered of a session, alone as far as that can be had: several events
    /// of one session may come at once.
    ///
    /// # Errors
    ///
    /// What `change` fails with, and [`StoreError::Local`] if its outcome cannot be written: whoever
    /// says a thing only once must not say it then.
    pub fn change<T, E: From<StoreError>>(
        &self,
        id: &str,
        change: impl FnOnce(&mut AgentSession) -> Result<T, E>,
    ) -> Result<T, E> {
        let path = self.path(id);
        let lock = AdvisoryLock::acquire(&path.with_extension("lock"), PATIENCE);
        let before = self.get(id);
        let mut session = before.clone().unwrap_or_else(|| AgentSession {
            id: id.to_owned(),
            ..AgentSession::default()
        });
        let outcome = change(&mut session)?;
        if before.as_ref() != Some(&session) {
            save(&path, SHAPE, &session)?;
        }
        drop(lock);
        Ok(outcome)
    }

    /// Returns all sessions but this one.
    pub fn others(&self, id: &str) -> Vec<AgentSession> {
        let found = self
            .files()
            .into_iter()
            .filter(|path| *path != self.path(id));
        let sessions = found.map(|path| load::<AgentSession>(&path, SHAPE));
        sessions.filter(|session| !session.id.is_empty()).collect()
    }

    /// Forgets a session.
    pub fn forget(&self, id: &str) {
        remove(&self.path(id));
    }

    /// Forgets what is too old to be of a session that goes on.
    pub fn prune(&self) {
        for path in self.entries() {
            if written_ago(&path).is_some_and(|ago| ago > KEPT) {
                drop(fs::remove_file(&path));
            }
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let is_file = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
        self.entries().filter(is_file).collect()
    }

    fn entries(&self) -> impl Iterator<Item = PathBuf> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.path())
    }
}

impl AgentSession {
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Left behind, a file is forgotten later.
fn remove(path: &std::path::Path) {
    drop(fs::remove_file(path));
    drop(fs::remove_file(path.with_extension("lock")));
}

/// Returns the name of a session's file: its id as far as that is harmless, and a checksum where
/// something was left out.
fn file_stem(id: &str) -> String {
    const LEN: usize = 64;
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let stem: String = id.chars().filter(|c| harmless(*c)).take(LEN).collect();
    match stem == id {
        true => stem,
        false => format!("{stem}.{:08x}", crc32fast::hash(id.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions() -> (tempfile::TempDir, AgentSessions) {
        let dir = tempfile::tempdir().unwrap();
        let sessions = AgentSessions {
            dir: dir.path().join("sessions"),
        };
        (dir, sessions)
    }

    fn tell(sessions: &AgentSessions, id: &str, fact: &str) -> bool {
        let tell = |session: &mut AgentSession| Ok::<_, StoreError>(session.tell(fact.to_owned()));
        sessions.change(id, tell).unwrap()
    }

    #[test]
    fn a_fact_is_told_once_a_session() {
        let (_dir, sessions) = sessions();
        assert!(tell(&sessions, "one", "a"));
        assert!(!tell(&sessions, "one", "a"));
        assert!(tell(&sessions, "two", "a"));
        assert_eq!(sessions.others("one").len(), 1);
        assert_eq!(sessions.others("one")[0].id(), "two");
        sessions.forget("one");
        assert!(tell(&sessions, "one", "a"));
    }

    #[test]
    fn no_id_leads_out_of_the_directory_or_to_the_file_of_another() {
        let (dir, sessions) = sessions();
        let long = "x".repeat(5_000);
        let ids = [
            "../../etc/passwd",
            "..",
            "",
            "a/b",
            "ab",
            "a\0b",
            &long,
            "é",
            "a\nb",
        ];
        for id in ids {
            assert!(tell(&sessions, id, "a"), "{id}");
        }
        for id in ids {
            assert!(!tell(&sessions, id, "a"), "{id}");
        }
        let outside: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(outside.len(), 1);
        // Were two ids of one checksum, neither would be taken for the other.
        fs::rename(sessions.path("ab"), sessions.path("cd")).unwrap();
        assert_eq!(sessions.get("cd"), None);
    }

    #[test]
    fn the_same_event_within_a_span_is_a_repetition() {
        let mut session = AgentSession::default();
        let span = Duration::from_secs(10);
        assert!(!session.is_repeated("start", Timestamp(1_000), span));
        assert!(session.is_repeated("start", Timestamp(2_000), span));
        assert!(!session.is_repeated("stop", Timestamp(2_000), span));
        assert!(!session.is_repeated("start", Timestamp(12_001), span));
        // A clock that was set back tells nothing.
        assert!(!session.is_repeated("start", Timestamp(5_000), span));
        for event in 0..100 {
            session.is_repeated(&event.to_string(), Timestamp(20_000 + event), span);
        }
        assert_eq!(session.events.len(), EVENTS_MAX);
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let mut session = AgentSession::default();
        for fact in 0..TOLD_MAX + 10 {
            session.tell(format!("m:{fact}"));
        }
        assert_eq!(session.told.len(), TOLD_MAX);
        session.tell("w:1".to_owned());
        session.forget_told("m:", |id| id == "11");
        assert_eq!(session.told, ["m:11", "w:1"]);
    }

    #[test]
    fn what_nobody_has_written_to_for_long_is_forgotten() {
        let (_dir, sessions) = sessions();
        for id in ["old", "new"] {
            tell(&sessions, id, "a");
        }
        let long_ago = std::time::SystemTime::now() - KEPT * 2;
        for end in ["json", "lock"] {
            let path = sessions.path("old").with_extension(end);
            let file = fs::File::options().append(true).open(path).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        sessions.prune();
        assert_eq!(sessions.entries().count(), 2);
        assert!(sessions.get("new").is_some() && sessions.get("old").is_none());
    }

    #[test]
    fn events_at_once_all_count() {
        let (_dir, sessions) = sessions();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let sessions = &sessions;
                scope.spawn(move || assert!(tell(sessions, "one", &thread.to_string())));
            }
        });
        assert_eq!(sessions.get("one").unwrap().told.len(), 8);
    }
}
