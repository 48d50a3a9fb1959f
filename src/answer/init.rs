//! A team that was started.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct InitJson {
    pub initialised: bool,
    pub branch: &'static str,
    pub remote: Option<String>,
    /// `installed`; `manual` where a person has to add them; `none`; `failed`.
    pub hooks: &'static str,
}
