//! The settings, edited by hand.

use crate::format;
use crate::model::settings::{Setting, SettingsEvent, SettingsLog};
use crate::ops::OpsError;

use super::{Adopted, Edit};

impl Adopted {
    pub(super) fn settings(&mut self, edit: &Edit) -> Result<(), OpsError> {
        let parsed = match edit.read(format::parse_settings)? {
            Ok(parsed) => parsed,
            Err(reason) => {
                self.unreadable(edit, &reason);
                return Ok(());
            }
        };
        let before = edit.read_before(format::parse_settings)?;
        let mut seen = parsed.log;
        let mut shown_before = Default::default();
        if let Some(before) = before {
            seen.log = seen.log.merge(before.log.log);
            shown_before = before.shown;
        }
        let said = seen.values();
        let wanted: Vec<(String, String)> = parsed
            .shown
            .into_iter()
            .filter(|(key, value)| said.get(key.as_str()) != Some(&value.as_str()))
            .collect();
        let edited: Vec<(String, String)> = wanted
            .iter()
            .filter(|(key, value)| shown_before.get(key) != Some(value))
            .cloned()
            .collect();
        let had = self.changes.settings.take();
        let kept = had.is_some();
        let mut log = match had {
            Some(log) => log,
            None => edit.snapshot.settings_log()?.clone(),
        };
        // Thresholds that rise together are each out of order alone.
        let all: Result<Vec<Setting>, _> = edited
            .iter()
            .map(|(key, value)| Setting::parse(key, value))
            .collect();
        let together = all.is_ok_and(|all| log.check(&all).is_ok());
        let events = edited
            .into_iter()
            .map(|(key, value)| SettingsEvent::Set { key, value })
            .collect();
        let added = edit.add(&mut log.log, &seen.log, events, |log, event| match event {
            SettingsEvent::Set { key, value } if !together => Setting::parse(key, value)
                .and_then(|setting| SettingsLog { log: log.clone() }.check(&[setting]))
                .map_err(|error| error.to_string()),
            _ => Ok(()),
        });
        for reason in added.refused {
            self.refuse(edit, reason, "use `reflectt config set KEY VALUE`");
        }
        // The file shows what a person wrote until it is written anew.
        if kept || added.changed || !wanted.is_empty() && edit.here {
            self.changes.settings = Some(log);
        }
        Ok(())
    }
}
