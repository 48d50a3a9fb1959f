//! `reflectt join`

use clap::Args;

use crate::answer::AgentJson;
use crate::cli::error::CliError;
use crate::cli::session::{AGENT_VARIABLE, Session};
use crate::cli::text::Text;
use crate::model::agent::AgentKind;
use crate::model::name::{AgentName, Lane};
use crate::ops::{self, Join, Joined};

use super::hooks::{for_team, look_after};

/// Join the team, and make this worktree act as NAME.
///
/// Repeat it to change what is known of you; what you leave out stays as it was. In a clone that
/// only git has made, it takes part in the team on the remote, as `reflectt init` does. A name has
/// its seat in one clone: while it is at work there, it cannot be joined in another without --here.
/// People (--human) may sit in several.
#[derive(Debug, Args)]
pub struct JoinArgs {
    /// A name of a-z, 0-9, `-` and `_`.
    name: AgentName,
    /// What you do on the team, in a few words.
    #[arg(long, value_name = "TEXT")]
    role: Option<String>,
    /// Be offered work of this lane only; may be repeated.
    #[arg(long = "lane", value_name = "LANE")]
    lanes: Vec<Lane>,
    /// You are a person, and may be asked when one is needed.
    #[arg(long)]
    human: bool,
    /// How many tasks you may have in progress [default: the setting wip.agent].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    wip: Option<u32>,
    /// Move NAME to this clone, with what it holds, though it is at work in another one.
    #[arg(long)]
    here: bool,
    /// Leave git's hooks alone, where this clone comes to the team with you.
    #[arg(long)]
    no_hooks: bool,
}

impl JoinArgs {
    pub fn run(&self, session: &Session) -> Result<(), CliError> {
        let joined = ops::join(
            session.context()?,
            &self.name,
            &Join {
                role: self.role.clone(),
                lanes: self.lanes.iter().cloned().collect(),
                kind: self.human.then_some(AgentKind::Human),
                wip: self.wip,
                here: self.here,
                ask: !session.global.no_sync,
            },
        )?;
        let hooks = joined
            .team_on
            .is_some()
            .then(|| for_team(session, self.no_hooks));
        print(session, &joined, hooks);
        if !self.no_hooks && hooks.is_none() {
            look_after(session);
        }
        Ok(())
    }
}

fn print(session: &Session, joined: &Joined, hooks: Option<&str>) {
    let ui = &session.ui;
    let agent = &joined.seat.agent;
    if let Some((other, free)) = &joined.also_in {
        ui.warn(format!(
            "`{}` acts as `{}` too; two processes with one name take each other's work for their own: `reflectt join {free}` here gives this one its own",
            other.display(),
            agent.name
        ));
    }
    if let [first, ..] = &joined.held_elsewhere[..] {
        let ids: Vec<String> = joined
            .held_elsewhere
            .iter()
            .map(|id| format!("`{id}`"))
            .collect();
        ui.warn(format!(
            "{} held by `{}` in another clone, and not here: `reflectt join {} --here` brings what it holds",
            match ids.len() {
                1 => format!("`{first}` is"),
                _ => format!("{} are", ids.join(", ")),
            },
            agent.name,
            agent.name
        ));
    }
    if let Some(other) = session.agent_variable()
        && other != agent.name.as_str()
    {
        ui.warn(format!(
            "`{AGENT_VARIABLE}` is `{other}` and goes before the name this worktree is bound to now"
        ));
    }
    if ui.is_json() {
        ui.json(&AgentJson::from(&joined.seat));
        return;
    }
    let done = if joined.again { "you are" } else { "joined as" };
    let mut line = Text::from(format!("{done} ")).bold(agent.name.as_str());
    if let Some(role) = &agent.role {
        line = line.plain(format!(", {role}"));
    }
    ui.line(line);
    if !agent.lanes.is_empty() {
        let lanes: Vec<&str> = agent.lanes.iter().map(Lane::as_str).collect();
        ui.line(format!("  lanes: {}", lanes.join(", ")));
    }
    if let Some(wip) = agent.wip {
        ui.line(format!("  tasks at a time: {wip}"));
    }
    if joined.moved.is_some() {
        ui.line(
            "  its seat was in another clone, which is told at its next command; it is here now",
        );
    }
    if let Some(remote) = &joined.team_on {
        ui.line(format!("  this clone takes part in the team on `{remote}`"));
    }
    if hooks == Some("installed") {
        ui.line("  git's hooks stop commits of files that others have claimed");
    }
    ui.line(format!(
        "  commands in {} act as {}",
        joined.worktree.display(),
        agent.name
    ));
    ui.hint("reflectt status");
}
