//! Files that somebody deleted: nobody deletes records, so they are put back.
//!
//! A task, an agent and the settings come back with all their events, merged with what there is by
//! now; a message or a reflection as the file it was. What was never a record stays gone.

use std::collections::{BTreeMap, HashSet};

use crate::format::{self, ParsedAgent, ParsedTask};
use crate::model::merge::merge_tasks;
use crate::ops::OpsError;
use crate::store::{Removed, Snapshot, layout};

use super::Adopted;

/// What came of a file that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Back {
    /// It is put back now.
    Now,
    /// A merge has brought it back.
    Already,
    /// It was no record of ours.
    Never,
}

/// What was put back and has to be said: how many of each kind, and what they are called.
#[derive(Debug, Default)]
pub(super) struct Said(BTreeMap<&'static str, (usize, Vec<String>)>);

/// How many names are said.
const NAMED: usize = 3;

impl Said {
    fn add(&mut self, path: &str) {
        let mut parts = path.split('/');
        let (top, second) = (parts.next().unwrap_or_default(), parts.next());
        let (kind, name) = match top {
            layout::TASKS | layout::ARCHIVE => {
                let id = layout::id_in_file_name(path);
                (layout::TASKS, id.map(|id| id.to_string()))
            }
            layout::AGENTS => (layout::AGENTS, layout::agent_at(path).map(str::to_owned)),
            layout::INBOX => (layout::INBOX, second.map(str::to_owned)),
            layout::CHANNELS => (layout::CHANNELS, second.map(|name| format!("#{name}"))),
            layout::CONFIG => (layout::CONFIG, Some(path.to_owned())),
            _ => (layout::REFLECTIONS, None),
        };
        let (count, names) = self.0.entry(kind).or_default();
        *count += 1;
        // They come in the order of their paths, so those of one inbox together.
        names.extend(name.filter(|name| names.last() != Some(name)));
    }

    /// Returns a sentence for each kind, with the command that does what was perhaps meant.
    pub(super) fn sentences(&self) -> Vec<String> {
        let kinds = self.0.iter();
        kinds
            .map(|(kind, (count, names))| sentence(kind, *count, names))
            .collect()
    }
}

fn sentence(kind: &str, count: usize, names: &[String]) -> String {
    let (one, next) = match kind {
        layout::TASKS => ("task", "`reflectt cancel ID --reason TEXT` gives one up"),
        layout::AGENTS => ("agent", "`reflectt leave NAME` takes one off the team"),
        layout::CONFIG => ("file", "`reflectt config set KEY VALUE` changes a setting"),
        layout::INBOX => (
            "message",
            "`reflectt ack ID` takes one out of the inbox of who has read it",
        ),
        layout::CHANNELS => ("message", "what was said stays"),
        _ => ("reflection", "what was said stays"),
    };
    let named: Vec<String> = names
        .iter()
        .take(NAMED)
        .map(|name| format!("`{name}`"))
        .collect();
    let mut named = named.join(", ");
    if names.len() > NAMED {
        named.push_str(&format!(" and {} more", names.len() - NAMED));
    }
    if !named.is_empty() {
        named = format!(" ({named})");
    }
    let (noun, are) = match count {
        1 => (one.to_owned(), "was deleted by hand and is"),
        _ => (format!("{one}s"), "were deleted by hand and are"),
    };
    format!("{count} {noun}{named} {are} put back; {next}")
}

impl Adopted {
    /// Puts back what is gone. It is said if it is put back now, or if `is_new` and nobody was told.
    pub(super) fn put_back(
        &mut self,
        snapshot: &Snapshot,
        removed: &[Removed],
        is_new: impl Fn(&Removed) -> bool,
    ) -> Result<(), OpsError> {
        if removed.is_empty() {
            return Ok(());
        }
        let there = snapshot.store().identities(snapshot.tree)?;
        let mut seen = HashSet::new();
        for it in removed {
            let identity = layout::identity(&it.path);
            if !seen.insert(identity.clone()) {
                continue;
            }
            let is_there = there.contains(&identity);
            let back = match it.path.split('/').next() {
                Some(layout::CONFIG) => self.settings_back(snapshot, it, is_there)?,
                Some(layout::AGENTS) => self.agent_back(snapshot, it, is_there)?,
                Some(layout::TASKS | layout::ARCHIVE) => self.task_back(snapshot, it, is_there)?,
                _ => self.file_back(snapshot, it, is_there)?,
            };
            if back == Back::Now || back == Back::Already && is_new(it) {
                self.said.add(&it.path);
            }
        }
        Ok(())
    }

    fn task_back(
        &mut self,
        snapshot: &Snapshot,
        it: &Removed,
        is_there: bool,
    ) -> Result<Back, OpsError> {
        let log = snapshot.store().last_good_of(it, |bytes| {
            let log = format::parse_task(bytes)
                .ok()
                .and_then(ParsedTask::into_log)?;
            log.fold().is_some().then_some(log)
        })?;
        let Some((_, log)) = log else {
            return Ok(Back::Never);
        };
        let have = match (self.changes.tasks.get(&log.id), snapshot.entry(log.id)?) {
            (Some(have), _) => Some(have.clone()),
            (None, Some(entry)) => Some(snapshot.log_of(entry)?),
            (None, None) => None,
        };
        let all = match &have {
            // Another task has its id: `doctor` gives it a new one.
            Some(have) if have.origin() != log.origin() => {
                return self.file_back(snapshot, it, false);
            }
            Some(have) => merge_tasks(have.clone(), log),
            None => log,
        };
        if is_there && have.as_ref() == Some(&all) {
            return Ok(Back::Already);
        }
        self.changes.tasks.insert(all.id, all);
        Ok(Back::Now)
    }

    fn agent_back(
        &mut self,
        snapshot: &Snapshot,
        it: &Removed,
        is_there: bool,
    ) -> Result<Back, OpsError> {
        let log = snapshot.store().last_good_of(it, |bytes| {
            let log = format::parse_agent(bytes)
                .ok()
                .and_then(ParsedAgent::into_log)?;
            let ours = layout::agent_path(&log.name) == it.path;
            (ours && log.last_known().is_some()).then_some(log)
        })?;
        let Some((_, mut all)) = log else {
            return Ok(Back::Never);
        };
        let agents = &mut self.changes.agents;
        let had = agents.iter().position(|had| had.name == all.name);
        let have = match had {
            Some(at) => Some(agents.remove(at)),
            None => snapshot.agent_log(&all.name)?,
        };
        if let Some(have) = &have {
            all.log = have.log.clone().merge(all.log);
        }
        let back = match is_there && have.as_ref() == Some(&all) {
            true => Back::Already,
            false => Back::Now,
        };
        if back == Back::Now || had.is_some() {
            agents.push(all);
        }
        Ok(back)
    }

    fn settings_back(
        &mut self,
        snapshot: &Snapshot,
        it: &Removed,
        is_there: bool,
    ) -> Result<Back, OpsError> {
        let log = snapshot.store().last_good_of(it, |bytes| {
            let log = format::parse_settings(bytes).ok()?.log;
            log.is_founded().then_some(log)
        })?;
        let Some((_, mut all)) = log else {
            return Ok(Back::Never);
        };
        let have = match self.changes.settings.take() {
            Some(log) => log,
            None => snapshot.settings_log()?.clone(),
        };
        all.log = have.log.clone().merge(all.log);
        if is_there && all == have {
            return Ok(Back::Already);
        }
        self.changes.settings = Some(all);
        Ok(Back::Now)
    }

    /// Puts back a file that never changes.
    fn file_back(
        &mut self,
        snapshot: &Snapshot,
        it: &Removed,
        is_there: bool,
    ) -> Result<Back, OpsError> {
        let good = snapshot.store().last_good_of(it, |bytes| {
            let message = || format::parse_message(bytes).is_ok();
            let reflection = || format::parse_reflection(bytes).is_ok();
            let task = || format::parse_task(bytes).is_ok();
            (message() || reflection() || task()).then_some(())
        })?;
        let Some((good, ())) = good else {
            return Ok(Back::Never);
        };
        if is_there
            || snapshot
                .store()
                .repo()
                .find_path(snapshot.tree, &it.path)?
                .is_some()
        {
            return Ok(Back::Already);
        }
        self.changes.put_back.push((it.path.clone(), good));
        Ok(Back::Now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_said_in_one_sentence() {
        let mut said = Said::default();
        for n in 0..5 {
            said.add(&format!("tasks/aaaaa{n}-x.toml"));
            said.add("inbox/link/01ARZ3NDEKTSV4RRFFQ69G5FAV.toml");
        }
        said.add("config.toml");
        said.add("agents/kai.toml");
        said.add("reflections/2026-11/01ARZ3NDEKTSV4RRFFQ69G5FAV.toml");
        assert_eq!(
            said.sentences(),
            [
                "1 agent (`kai`) was deleted by hand and is put back; `reflectt leave NAME` takes one off the team",
                "1 file (`config.toml`) was deleted by hand and is put back; `reflectt config set KEY VALUE` changes a setting",
                "5 messages (`link`) were deleted by hand and are put back; `reflectt ack ID` takes one out of the inbox of who has read it",
                "1 reflection was deleted by hand and is put back; what was said stays",
                "5 tasks (`aaaaa0`, `aaaaa1`, `aaaaa2` and 2 more) were deleted by hand and are put back; `reflectt cancel ID --reason TEXT` gives one up",
            ]
        );
    }
}
