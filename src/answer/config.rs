//! The settings of the team.

use serde::Serialize;

use crate::ops::ConfigEntry;

#[derive(Debug, Serialize)]
pub struct SettingJson {
    pub key: String,
    pub value: String,
    pub default: bool,
}

#[derive(Debug, Serialize)]
pub struct SettingsJson {
    pub settings: Vec<SettingJson>,
    /// What of the file on the branch could not be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

impl From<ConfigEntry> for SettingJson {
    fn from(entry: ConfigEntry) -> SettingJson {
        SettingJson {
            key: entry.key,
            value: entry.value,
            default: entry.is_default,
        }
    }
}
