//! `reflectt config`

use clap::{Args, Subcommand};

use crate::answer::{SettingJson, SettingsJson};
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table};
use crate::cli::text::{BOLD, DIM};
use crate::ops::{self};

/// Read and change the team's settings.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the value of a setting.
    Get {
        /// Its name, like `wip.agent`.
        key: String,
    },
    /// Change settings, all or none.
    ///
    /// `none` removes a resource, lane or channel. `paths.shared` takes paths and globs between
    /// commas: of these every claim is a shared one, and anyone may change them.
    Set {
        /// Names and values in turn, like `wip.agent 2 resources.gpu 1`.
        #[arg(required = true, num_args = 2.., value_names = ["KEY", "VALUE"])]
        pairs: Vec<String>,
    },
    /// List every setting with its value.
    List,
}

impl ConfigArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        match &self.command {
            ConfigCommand::Get { key } => get(session, key),
            ConfigCommand::Set { pairs } => set(session, pairs),
            ConfigCommand::List => list(session),
        }
    }
}

fn get(session: &Session, key: &str) -> Result<(), CliError> {
    let entry = ops::config_get(session.context()?, key)?;
    if session.ui.is_json() {
        session.ui.json(&SettingJson::from(entry));
    } else {
        session.ui.line(entry.value);
    }
    Ok(())
}

fn set(session: &Session, words: &[String]) -> Result<(), CliError> {
    let (pairs, rest) = words.as_chunks::<2>();
    if let [key] = rest {
        return Err(CliError::usage(format!("there is no value for `{key}`")));
    }
    let pairs: Vec<(String, String)> = pairs
        .iter()
        .map(|[key, value]| (key.clone(), value.clone()))
        .collect();
    let settings = ops::config_set(session.context()?, &pairs)?;
    if session.ui.is_json() {
        let settings = settings.iter().map(|setting| SettingJson {
            key: setting.key().to_owned(),
            value: setting.value().to_owned(),
            default: false,
        });
        session.ui.json(&SettingsJson {
            settings: settings.collect(),
            problems: Vec::new(),
        });
        return Ok(());
    }
    for setting in &settings {
        session
            .ui
            .line(format!("{} = {}", setting.key(), setting.value()));
    }
    Ok(())
}

fn list(session: &Session) -> Result<(), CliError> {
    let config = ops::config_list(session.context()?)?;
    let ui = &session.ui;
    for problem in &config.problems {
        ui.warn(format!("config.toml on the branch: {problem}"));
    }
    if ui.is_json() {
        ui.json(&SettingsJson {
            settings: config.entries.into_iter().map(SettingJson::from).collect(),
            problems: config.problems,
        });
        return Ok(());
    }
    let mut table = Table::new([
        Column::left("SETTING"),
        Column::left("VALUE").shrink(0),
        Column::left(""),
    ]);
    for entry in config.entries {
        let origin = if entry.is_default { "default" } else { "" };
        table.row([
            Cell::styled(BOLD, entry.key),
            entry.value.into(),
            Cell::styled(DIM, origin),
        ]);
    }
    ui.table(&table);
    Ok(())
}
