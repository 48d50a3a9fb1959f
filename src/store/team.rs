//! Who is on the team, and its settings: files that are read whole, damaged or not.

use std::collections::BTreeMap;

use crate::format;
use crate::model::agent::{Agent, AgentLog};
use crate::model::name::AgentName;
use crate::model::settings::{Settings, SettingsLog};

use super::shelf::{BadFile, Quarantined, RecordFile};
use super::snapshot::get_or_try;
use super::{Snapshot, StoreError, layout};

/// The agents, and the damaged files among theirs.
#[derive(Debug, Default)]
pub(super) struct Team {
    agents: BTreeMap<AgentName, Agent>,
    bad: Vec<Quarantined>,
}

/// The settings, and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Rules {
    log: SettingsLog,
    settings: Settings,
    problems: Vec<String>,
    bad: Option<Quarantined>,
}

/// What a file says, and what is wrong with it: then it is what the last good version said.
type Read<T> = (Option<T>, Option<Quarantined>);

impl Snapshot<'_> {
    /// Reads a file by `parse`, or else the last version of it that could be read.
    fn read_or_last_good<T>(
        &self,
        file: &RecordFile,
        parse: &dyn Fn(&[u8]) -> Result<T, BadFile>,
    ) -> Result<Read<T>, StoreError> {
        let repo = self.store().repo();
        let reason = match file.read(repo)?.and_then(|bytes| parse(&bytes)) {
            Ok(value) => return Ok((Some(value), None)),
            Err(reason) => reason.to_string(),
        };
        let parses = |bytes: &[u8]| parse(bytes).is_ok();
        let last_good = self.store().known_version(self.tip, &file.path, &parses)?;
        let value = match last_good {
            Some(oid) => parse(&repo.read_blob(oid)?).ok(),
            None => None,
        };
        let bad = Quarantined {
            path: file.path.clone(),
            blob: file.blob,
            reason,
            last_good,
        };
        Ok((value, Some(bad)))
    }

    fn read_agent(&self, file: &RecordFile) -> Result<Read<AgentLog>, StoreError> {
        self.read_or_last_good(file, &|bytes| {
            let parsed = format::parse_agent(bytes)?;
            let Some(log) = parsed.into_log() else {
                return Err(BadFile::ByHand);
            };
            if layout::agent_path(&log.name) != file.path {
                let named = log.name.to_string();
                return Err(BadFile::OtherName { named });
            }
            match log.last_known() {
                Some(_) => Ok(log),
                None => Err(BadFile::ByHand),
            }
        })
    }

    fn team(&self) -> Result<&Team, StoreError> {
        get_or_try(&self.team, || {
            let mut team = Team::default();
            for file in self.files(layout::AGENTS)? {
                let (log, bad) = self.read_agent(&file)?;
                let agent = log.and_then(|log| log.fold());
                team.agents
                    .extend(agent.map(|agent| (agent.name.clone(), agent)));
                team.bad.extend(bad);
            }
            Ok(team)
        })
    }

    /// Returns whoever is on the team.
    pub fn agents(&self) -> Result<&BTreeMap<AgentName, Agent>, StoreError> {
        Ok(&self.team()?.agents)
    }

    /// Returns the damaged files of agents.
    pub(super) fn bad_agents(&self) -> Result<&[Quarantined], StoreError> {
        Ok(&self.team()?.bad)
    }

    /// Returns the whole history of an agent's record.
    pub fn agent_log(&self, name: &AgentName) -> Result<Option<AgentLog>, StoreError> {
        let Some(tree) = self.directory(layout::AGENTS)? else {
            return Ok(None);
        };
        let found = self
            .store()
            .repo()
            .find_path(tree, &format!("{name}.toml"))?;
        let Some(entry) = found else {
            return Ok(None);
        };
        let file = RecordFile {
            path: layout::agent_path(name),
            mode: entry.mode,
            blob: entry.oid,
        };
        Ok(self.read_agent(&file)?.0)
    }

    fn rules(&self) -> Result<&Rules, StoreError> {
        get_or_try(&self.rules, || {
            let parse = |bytes: &[u8]| Ok(format::parse_settings(bytes)?);
            let (parsed, bad) = match self.root_entry(layout::CONFIG) {
                Some(file) => self.read_or_last_good(&file, &parse)?,
                // Deleted by hand, it is put back by whoever writes next.
                None => {
                    let store = self.store();
                    let parses = |bytes: &[u8]| parse(bytes).is_ok();
                    let last = store.known_version(self.tip, layout::CONFIG, &parses)?;
                    let Some(last) = last else {
                        return Ok(Rules {
                            problems: vec![format!("`{}` is missing", layout::CONFIG)],
                            ..Rules::default()
                        });
                    };
                    (parse(&store.repo().read_blob(last)?).ok(), None)
                }
            };
            let log = parsed.map(|parsed| parsed.log).unwrap_or_default();
            let (settings, wrong) = log.fold();
            let damage = bad
                .iter()
                .map(|bad| format!("`{}`: {}", bad.path, bad.reason));
            Ok(Rules {
                problems: damage
                    .chain(wrong.iter().map(ToString::to_string))
                    .collect(),
                log,
                settings,
                bad,
            })
        })
    }

    /// Returns the settings in force.
    pub fn settings(&self) -> Result<&Settings, StoreError> {
        Ok(&self.rules()?.settings)
    }

    /// Returns what of the settings could not be used, a sentence each.
    pub fn settings_problems(&self) -> Result<&[String], StoreError> {
        Ok(&self.rules()?.problems)
    }

    /// Returns the history of the settings; if their file is damaged, the last good version.
    pub fn settings_log(&self) -> Result<&SettingsLog, StoreError> {
        Ok(&self.rules()?.log)
    }

    /// Returns the file of the settings, if it is damaged.
    pub(super) fn bad_settings(&self) -> Result<Option<&Quarantined>, StoreError> {
        Ok(self.rules()?.bad.as_ref())
    }
}
