//! The team's settings: their keys, defaults and limits.

mod land;

use std::collections::BTreeMap;
use std::fmt;

use super::event::{Kind, Log};
use super::id::Stamp;
use super::name::{AgentName, ChannelName, Lane, ResourceName};
use super::path::{Found, PathPattern};
use super::time::Span;

pub use land::{LandBranch, LandSettings, Strategy, Via};
use land::{WORK_BRANCH, is_branch};

/// The settings in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub wip_agent: u32,
    pub wip_team: Option<u32>,
    pub idle_after: Span,
    pub stale_after: Span,
    pub expire_after: Span,
    pub offline: OfflineClaims,
    pub sync_interval: Span,
    pub sync_time_limit: Span,
    pub enforce: EnforceMode,
    pub require_claim: bool,
    pub review_required: bool,
    pub land: LandSettings,
    /// How a task's branch is called; `{id}` and `{slug}` stand for the task's.
    pub work_branch: String,
    /// After how long a reviewer is reminded, and after how long somebody else is asked.
    pub remind_after: Span,
    pub reassign_after: Span,
    /// What is nobody's alone: every claim of these is a shared one.
    pub shared_paths: Vec<PathPattern>,
    pub resources: BTreeMap<ResourceName, u32>,
    /// Lanes known beside those of agents, with what they are for.
    pub lanes: BTreeMap<Lane, String>,
    /// Channels known beside `general`, with what they are for.
    pub channels: BTreeMap<ChannelName, String>,
    pub humans: Vec<AgentName>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            wip_agent: 1,
            wip_team: None,
            idle_after: Span::from_mins(15),
            stale_after: Span::from_mins(45),
            expire_after: Span::from_mins(60),
            offline: OfflineClaims::Refuse,
            sync_interval: Span::from_secs(15),
            sync_time_limit: Span::from_secs(30),
            enforce: EnforceMode::Block,
            require_claim: false,
            review_required: true,
            land: LandSettings::default(),
            work_branch: WORK_BRANCH.to_owned(),
            remind_after: Span::from_mins(20),
            reassign_after: Span::from_mins(40),
            shared_paths: Vec::new(),
            resources: BTreeMap::new(),
            lanes: BTreeMap::new(),
            channels: BTreeMap::new(),
            humans: Vec::new(),
        }
    }
}

/// The channel that every team has.
pub const GENERAL: &str = "general";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfflineClaims {
    Refuse,
    Provisional,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnforceMode {
    Block,
    Warn,
    Off,
}

/// The settings whose keys are fixed, in the order they are listed, with their defaults.
pub const KEYS: [(&str, &str); 22] = [
    ("wip.agent", "1"),
    ("wip.team", "none"),
    ("heartbeat.idle_after", "15m"),
    ("heartbeat.stale_after", "45m"),
    ("heartbeat.expire_after", "60m"),
    ("claims.offline", "refuse"),
    ("sync.interval", "15s"),
    ("sync.time_limit", "30s"),
    ("enforce.mode", "block"),
    ("enforce.require_claim", "false"),
    ("review.required", "true"),
    ("land.branch", "auto"),
    ("land.strategy", "merge"),
    ("land.batch", "8"),
    ("land.via", "push"),
    ("land.auto", "false"),
    ("land.by", "anyone"),
    ("work.branch", WORK_BRANCH),
    ("review.remind_after", "20m"),
    ("review.reassign_after", "40m"),
    ("paths.shared", "none"),
    ("team.humans", ""),
];

/// The first part of the settings that carry a name of the team's own.
pub const FAMILIES: [(&str, &str); 3] = [
    ("resources", "a capacity, 1 or more"),
    ("lanes", "what the lane is for"),
    ("channels", "what the channel is for"),
];

/// One valid setting: a key that exists with a value it may have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting {
    key: String,
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    #[error("there is no setting `{key}`")]
    UnknownKey { key: String, near: Vec<String> },
    #[error("`{key}` cannot be `{value}`: it takes {expected}")]
    Value {
        key: String,
        value: String,
        expected: String,
    },
    #[error("`{key}`: {message}")]
    Order { key: String, message: String },
}

impl Setting {
    /// Checks one key and value, as typed.
    pub fn parse(key: &str, value: &str) -> Result<Setting, SettingError> {
        let mut probe = Settings::default();
        apply(&mut probe, key, value.trim())?;
        Ok(Setting {
            key: key.to_owned(),
            value: value.trim().to_owned(),
        })
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn value(&self) -> &str {
        &self.value
    }
}

fn apply(settings: &mut Settings, key: &str, value: &str) -> Result<(), SettingError> {
    let wrong = |expected: &str| SettingError::Value {
        key: key.to_owned(),
        value: value.to_owned(),
        expected: expected.to_owned(),
    };
    let span = || match value.parse::<Span>() {
        Ok(span) if span >= Span::from_secs(1) && span <= Span::from_mins(60 * 24 * 30) => Ok(span),
        _ => Err(wrong(
            "a duration from 1s to 30d, like `90s`, `45m` or `2h`",
        )),
    };
    let flag = || {
        value
            .parse::<bool>()
            .map_err(|_| wrong("`true` or `false`"))
    };
    let count = || match value.parse::<u32>() {
        Ok(count @ 1..) => Ok(count),
        _ => Err(wrong("a whole number, 1 or more")),
    };
    match key {
        "wip.agent" => settings.wip_agent = count()?,
        "wip.team" if value == "none" => settings.wip_team = None,
        "wip.team" => {
            settings.wip_team =
                Some(count().map_err(|_| wrong("a whole number, 1 or more, or `none`"))?);
        }
        "heartbeat.idle_after" => settings.idle_after = span()?,
        "heartbeat.stale_after" => settings.stale_after = span()?,
        "heartbeat.expire_after" => settings.expire_after = span()?,
        "claims.offline" => {
            settings.offline = match value {
                "refuse" => OfflineClaims::Refuse,
                "provisional" => OfflineClaims::Provisional,
                _ => return Err(wrong("`refuse` or `provisional`")),
            };
        }
        "sync.interval" => settings.sync_interval = span()?,
        "sync.time_limit" => settings.sync_time_limit = span()?,
        "enforce.mode" => {
            settings.enforce = match value {
                "block" => EnforceMode::Block,
                "warn" => EnforceMode::Warn,
                "off" => EnforceMode::Off,
                _ => return Err(wrong("`block`, `warn` or `off`")),
            };
        }
        "enforce.require_claim" => settings.require_claim = flag()?,
        "review.required" => settings.review_required = flag()?,
        "land.branch" => {
            settings.land.branch = match value {
                "auto" => LandBranch::Auto,
                "none" => LandBranch::Off,
                name if is_branch(name) => LandBranch::Named(name.to_owned()),
                _ => {
                    return Err(wrong(
                        "the name of a branch, `auto` for what the remote's HEAD names, or `none`",
                    ));
                }
            };
        }
        "land.strategy" => {
            settings.land.strategy = match value {
                "merge" => Strategy::Merge,
                "squash" => Strategy::Squash,
                "rebase" => Strategy::Rebase,
                _ => return Err(wrong("`merge`, `squash` or `rebase`")),
            };
        }
        "land.batch" => settings.land.batch = count()?,
        "land.via" => {
            settings.land.via = match value {
                "push" => Via::Push,
                "branch" => Via::Branch,
                _ => return Err(wrong("`push` or `branch`")),
            };
        }
        "land.auto" => settings.land.auto = flag()?,
        "land.by" => {
            settings.land.by_humans = match value {
                "anyone" => false,
                "humans" => true,
                _ => return Err(wrong("`anyone` or `humans`")),
            };
        }
        "work.branch" => {
            let tried = value.replace("{id}", "k3f9x2").replace("{slug}", "a-b");
            if !value.contains("{id}") || !is_branch(&tried) {
                return Err(wrong("the name of a branch with `{id}` in it"));
            }
            value.clone_into(&mut settings.work_branch);
        }
        "review.remind_after" => settings.remind_after = span()?,
        "review.reassign_after" => settings.reassign_after = span()?,
        "paths.shared" => {
            settings.shared_paths = shared_paths(value).map_err(|reason| wrong(&reason))?;
        }
        "team.humans" => {
            settings.humans = value
                .split([',', ' '])
                .filter(|name| !name.is_empty())
                .map(str::parse)
                .collect::<Result<_, _>>()
                .map_err(|_| wrong("names of people who joined, separated by commas"))?;
        }
        _ => return apply_family(settings, key, value, &wrong),
    }
    Ok(())
}

/// Reads patterns between commas. What one means that is no glob, its text says alone.
fn shared_paths(value: &str) -> Result<Vec<PathPattern>, String> {
    if value == "none" {
        return Ok(Vec::new());
    }
    let texts = value.split(',').map(str::trim);
    texts
        .filter(|text| !text.is_empty())
        .map(|text| {
            let path = PathPattern::parse(text);
            let path = path.map_err(|error| {
                format!("paths and globs between commas, or `none`, and {error}")
            })?;
            Ok(path.taken_for(Found::Nothing))
        })
        .collect()
}

fn apply_family(
    settings: &mut Settings,
    key: &str,
    value: &str,
    wrong: &dyn Fn(&str) -> SettingError,
) -> Result<(), SettingError> {
    let unknown = || SettingError::UnknownKey {
        key: key.to_owned(),
        near: Vec::new(),
    };
    let (family, name) = key.split_once('.').ok_or_else(unknown)?;
    let bad_name = || wrong("a name of a-z, 0-9, `-` and `_` after the dot");
    let remove = value.is_empty() || value == "none";
    if !remove && (value.len() > 200 || value.chars().any(char::is_control)) {
        return Err(wrong("one line of up to 200 characters"));
    }
    match family {
        "resources" => {
            let name: ResourceName = name.parse().map_err(|_| bad_name())?;
            let capacity = match value.parse::<u32>() {
                Ok(capacity @ 1..) => Some(capacity),
                _ if remove => None,
                _ => return Err(wrong("a capacity, 1 or more, or `none` to remove it")),
            };
            put(&mut settings.resources, name, capacity);
        }
        "lanes" => {
            let lane: Lane = name.parse().map_err(|_| bad_name())?;
            put(
                &mut settings.lanes,
                lane,
                (!remove).then(|| value.to_owned()),
            );
        }
        "channels" => {
            let channel: ChannelName = name.parse().map_err(|_| bad_name())?;
            put(
                &mut settings.channels,
                channel,
                (!remove).then(|| value.to_owned()),
            );
        }
        _ => return Err(unknown()),
    }
    Ok(())
}

fn put<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingsEvent {
    /// The branch was made.
    Founded,
    /// A key was given a value. Kept as text: a later version may know keys that we do not.
    Set {
        key: String,
        value: String,
    },
    /// An event is disowned, see [`Log::disown`].
    Retracted {
        event: Stamp,
        note: String,
    },
    Unknown {
        kind: String,
    },
}

impl Kind for SettingsEvent {
    fn retracted(event: Stamp, note: String) -> SettingsEvent {
        SettingsEvent::Retracted { event, note }
    }

    fn retracts(&self) -> Option<(Stamp, &str)> {
        match self {
            SettingsEvent::Retracted { event, note } => Some((*event, note)),
            _ => None,
        }
    }
}

impl SettingsEvent {
    pub fn name(&self) -> &str {
        match self {
            SettingsEvent::Founded => "founded",
            SettingsEvent::Set { .. } => "set",
            SettingsEvent::Retracted { .. } => "retracted",
            SettingsEvent::Unknown { kind } => kind,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsLog {
    pub log: Log<SettingsEvent>,
}

impl SettingsLog {
    /// Returns whether the file is the settings of a team, and not another `config.toml`.
    pub fn is_founded(&self) -> bool {
        self.log
            .iter()
            .any(|(_, event)| event.kind == SettingsEvent::Founded)
    }

    /// Returns the value last given to each key, valid or not.
    pub fn values(&self) -> BTreeMap<&str, &str> {
        self.log
            .in_force()
            .filter_map(|(_, event)| match &event.kind {
                SettingsEvent::Set { key, value } => Some((key.as_str(), value.as_str())),
                _ => None,
            })
            .collect()
    }

    /// Returns the settings, and what in the log could not be used.
    ///
    /// A value that is out of bounds leaves the default in force.
    pub fn fold(&self) -> (Settings, Vec<SettingError>) {
        let mut settings = Settings::default();
        let mut problems = Vec::new();
        for (key, value) in self.values() {
            if let Err(problem) = apply(&mut settings, key, value) {
                problems.push(problem);
            }
        }
        (settings, problems)
    }

    /// Checks what the settings would be with `new` among them.
    ///
    /// # Errors
    ///
    /// The thresholds of presence must rise: idle, stale, expired; and those of reviews: a reminder
    /// first, then somebody else.
    pub fn check(&self, new: &[Setting]) -> Result<(), SettingError> {
        let (mut settings, _) = self.fold();
        for setting in new {
            apply(&mut settings, &setting.key, &setting.value)?;
        }
        let rising = settings.idle_after <= settings.stale_after
            && settings.stale_after <= settings.expire_after;
        let order = |message| {
            let key = new.last().map(|s| s.key.clone()).unwrap_or_default();
            Err(SettingError::Order { key, message })
        };
        if settings.remind_after > settings.reassign_after {
            return order(format!(
                "a reviewer must be reminded ({}) before somebody else is asked ({}); give both in one `config set`",
                settings.remind_after, settings.reassign_after
            ));
        }
        if rising {
            return Ok(());
        }
        order(format!(
            "idle ({}), stale ({}) and expired ({}) must follow each other; give all three in one `config set`",
            settings.idle_after, settings.stale_after, settings.expire_after
        ))
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.key, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listed_defaults_are_the_defaults() {
        let mut settings = Settings::default();
        for (key, value) in KEYS {
            apply(&mut settings, key, value).unwrap();
        }
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn values_are_checked() {
        for (key, value) in [
            ("wip.agent", "0"),
            ("wip.agent", "-1"),
            ("wip.team", "many"),
            ("heartbeat.idle_after", "15"),
            ("heartbeat.idle_after", "0s"),
            ("enforce.mode", "on"),
            ("review.required", "yes"),
            ("paths.shared", "a, /b"),
            ("paths.shared", "[a"),
            ("resources.api", "0"),
            ("resources.A/B", "1"),
            ("lanes.", "x"),
            ("wip", "1"),
            ("nonsense.key", "1"),
        ] {
            assert!(Setting::parse(key, value).is_err(), "{key} = {value}");
        }
        assert!(Setting::parse("resources.api", "3").is_ok());
        assert!(Setting::parse("channels.deploys", "what goes out").is_ok());
    }

    #[test]
    fn thresholds_must_rise() {
        let log = SettingsLog::default();
        let set = |key: &str, value: &str| Setting::parse(key, value).unwrap();
        assert!(log.check(&[set("heartbeat.expire_after", "10m")]).is_err());
        assert!(log.check(&[set("review.remind_after", "1h")]).is_err());
        assert!(
            log.check(&[
                set("heartbeat.idle_after", "1s"),
                set("heartbeat.stale_after", "2s"),
                set("heartbeat.expire_after", "3s"),
            ])
            .is_ok()
        );
    }
}
