//! The team's settings.

use std::collections::BTreeMap;

use crate::model::settings::{FAMILIES, KEYS, Setting, SettingError, SettingsEvent};

use super::tx::transact;
use super::{Context, OpsError, find};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    pub key: String,
    pub value: String,
    pub is_default: bool,
}

#[derive(Debug)]
pub struct Config {
    pub entries: Vec<ConfigEntry>,
    /// What of the file on the branch could not be used.
    pub problems: Vec<String>,
}

/// Returns every setting with the value in force.
pub fn config_list(ctx: &Context) -> Result<Config, OpsError> {
    let snapshot = ctx.store().snapshot()?;
    ctx.beat(&snapshot)?;
    let log = snapshot.settings_log()?;
    let mut set: BTreeMap<&str, &str> = log.values();
    // A value that cannot be used leaves the default in force, and that is what is shown.
    set.retain(|key, value| Setting::parse(key, value).is_ok());
    let mut entries: Vec<ConfigEntry> = KEYS
        .iter()
        .map(|(key, default)| {
            let value = set.remove(key).unwrap_or(default);
            ConfigEntry {
                key: (*key).to_owned(),
                value: value.to_owned(),
                is_default: value == *default,
            }
        })
        .collect();
    let families = set
        .into_iter()
        .filter(|(_, value)| !matches!(*value, "" | "none"));
    entries.extend(families.map(|(key, value)| ConfigEntry {
        key: key.to_owned(),
        value: value.to_owned(),
        is_default: false,
    }));
    Ok(Config {
        entries,
        problems: snapshot.settings_problems()?.to_vec(),
    })
}

/// Returns one setting with the value in force.
///
/// # Errors
///
/// [`SettingError::UnknownKey`] with near keys; [`OpsError::Nothing`] for a resource, lane or
/// channel that is not set.
pub fn config_get(ctx: &Context, key: &str) -> Result<ConfigEntry, OpsError> {
    let found = config_list(ctx)?
        .entries
        .into_iter()
        .find(|entry| entry.key == key);
    match found {
        Some(entry) => Ok(entry),
        None => match Setting::parse(key, "none") {
            Err(error @ SettingError::UnknownKey { .. }) => Err(with_near(error).into()),
            Ok(_) | Err(_) => Err(OpsError::Nothing(format!("`{key}` is not set"))),
        },
    }
}

/// Sets the given keys, all or none.
pub fn config_set(ctx: &Context, pairs: &[(String, String)]) -> Result<Vec<Setting>, OpsError> {
    let settings: Vec<Setting> = pairs
        .iter()
        .map(|(key, value)| Setting::parse(key, value).map_err(with_near))
        .collect::<Result<_, _>>()?;
    transact(ctx, |tx| {
        let mut log = tx.snapshot.settings_log()?.clone();
        let moment = tx.moment();
        tx.ctx.random(|rng| log.log.disown(moment, rng));
        log.check(&settings)?;
        for setting in &settings {
            if setting.key() == "team.humans" {
                for name in setting
                    .value()
                    .split([',', ' '])
                    .filter(|name| !name.is_empty())
                {
                    find::agent(tx.snapshot, &name.parse()?)?;
                }
            }
        }
        let values = log.values();
        let new: Vec<&Setting> = settings
            .iter()
            .filter(|s| values.get(s.key()) != Some(&s.value()))
            .collect();
        if new.is_empty() {
            return Ok(settings.clone());
        }
        let new: Vec<(String, String)> = new
            .into_iter()
            .map(|s| (s.key().to_owned(), s.value().to_owned()))
            .collect();
        let subject: Vec<String> = new
            .iter()
            .map(|(key, value)| format!("{key} {value}"))
            .collect();
        for (key, value) in new {
            let (moment, author) = (tx.moment(), tx.author());
            let event = SettingsEvent::Set { key, value };
            (tx.ctx).random(|rng| log.log.append(moment, rng, author, event));
        }
        tx.subject(format!("set {}", subject.join(", ")));
        tx.changes().settings = Some(log);
        Ok(settings.clone())
    })
}

/// Names the settings that are spelt like one that does not exist.
pub fn with_near(error: SettingError) -> SettingError {
    match error {
        SettingError::UnknownKey { key, .. } => {
            let fixed = KEYS.iter().map(|(key, _)| (*key).to_owned());
            let families = FAMILIES.iter().map(|(family, _)| format!("{family}.NAME"));
            let near = find::near(&key, fixed.chain(families));
            SettingError::UnknownKey { key, near }
        }
        other => other,
    }
}
