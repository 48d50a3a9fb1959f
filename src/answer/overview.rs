//! Everything at a glance.

use serde::Serialize;

use crate::ops::Overview;

use super::{AgentJson, ClaimsJson, MessageJson, PauseJson, TaskJson};

#[derive(Debug, Serialize)]
pub struct OverviewJson<'a> {
    /// Where to follow from, to miss nothing that comes after this.
    pub at: String,
    pub agents: Vec<AgentJson>,
    /// Open ones, most urgent first, then those that were closed last.
    pub tasks: Vec<TaskJson<'a>>,
    #[serde(flatten)]
    pub claims: ClaimsJson,
    pub paused: Option<PauseJson>,
    /// The last ones of each channel, oldest first.
    pub messages: Vec<MessageJson>,
}

impl<'a> From<&'a Overview> for OverviewJson<'a> {
    fn from(overview: &'a Overview) -> OverviewJson<'a> {
        OverviewJson {
            at: overview.at.to_string(),
            agents: overview.agents.iter().map(AgentJson::from).collect(),
            tasks: overview.tasks.iter().map(TaskJson::from).collect(),
            claims: ClaimsJson::from(&overview.claims),
            paused: overview.claims.pause.as_ref().map(PauseJson::from),
            messages: overview.messages.iter().map(MessageJson::from).collect(),
        }
    }
}
