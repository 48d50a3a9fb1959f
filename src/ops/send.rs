//! Sending messages.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::model::extra::Extra;
use crate::model::id::{IdPrefix, Stamp};
use crate::model::message::Message;
use crate::model::name::{AgentName, ChannelName, NameError};
use crate::model::text;

use super::tx::transact;
use super::{Context, OpsError, find};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    Agent(AgentName),
    Channel(ChannelName),
}

impl FromStr for Recipient {
    type Err = NameError;

    /// Reads `NAME`, `@NAME` or `#CHANNEL`.
    fn from_str(text: &str) -> Result<Recipient, NameError> {
        match text.strip_prefix('#') {
            Some(channel) => channel.parse().map(Recipient::Channel),
            None => {
                let name = text.strip_prefix('@').unwrap_or(text);
                name.parse().map(Recipient::Agent)
            }
        }
    }
}

#[derive(Debug, Clone)]
pub struct NewMessage {
    pub to: Vec<Recipient>,
    pub body: String,
    pub task: Option<IdPrefix>,
    pub reply_to: Option<Stamp>,
    pub urgent: bool,
}

/// Sends a message and returns it. It is in every inbox when this returns.
pub fn send(ctx: &Context, new: &NewMessage) -> Result<Message, OpsError> {
    let body = text::body("message", &new.body)?;
    let mut to: BTreeSet<AgentName> = BTreeSet::new();
    let mut channels: BTreeSet<&ChannelName> = BTreeSet::new();
    for recipient in &new.to {
        match recipient {
            Recipient::Agent(name) => drop(to.insert(name.clone())),
            Recipient::Channel(name) => drop(channels.insert(name)),
        }
    }
    if channels.len() > 1 {
        return Err(OpsError::Usage(
            "a message goes to one channel at most".to_owned(),
        ));
    }
    if to.is_empty() && channels.is_empty() {
        return Err(OpsError::Usage(
            "a message needs somebody to go to".to_owned(),
        ));
    }
    let channel = channels.first().copied().cloned();
    transact(ctx, |tx| {
        let mut to = to.clone();
        for name in &to {
            find::agent(tx.snapshot, name)?;
        }
        if let Some(channel) = &channel {
            find::channel(tx.snapshot, channel)?;
            // Whoever is mentioned in a channel finds the message in the inbox too.
            let agents = tx.snapshot.agents()?;
            let mentioned = text::mentions(&body).into_iter();
            to.extend(mentioned.filter(|name| agents.contains_key(name) && *name != tx.me));
        }
        let task = match &new.task {
            Some(task) => Some(find::task_id(tx.snapshot, task)?),
            None => None,
        };
        let message = Message {
            id: tx.stamp(new.reply_to),
            from: tx.author(),
            to: to.into_iter().collect(),
            channel: channel.clone(),
            task,
            reply_to: new.reply_to,
            urgent: new.urgent,
            notice: None,
            body: body.clone(),
            extra: Extra::default(),
        };
        let names: Vec<&str> = message.to.iter().map(AgentName::as_str).collect();
        let target = match &message.channel {
            Some(channel) => format!("#{channel}"),
            None => names.join(", "),
        };
        tx.subject(format!(
            "send {target}: {}",
            body.lines().next().unwrap_or_default()
        ));
        tx.changes().messages.push(message.clone());
        Ok(message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients() {
        let agent = |name: &str| Recipient::Agent(name.parse().unwrap());
        assert_eq!("kai".parse(), Ok(agent("kai")));
        assert_eq!("@kai".parse(), Ok(agent("kai")));
        let general = Recipient::Channel("general".parse().unwrap());
        assert_eq!("#general".parse(), Ok(general));
        assert!("#".parse::<Recipient>().is_err());
        assert!("Kai".parse::<Recipient>().is_err());
    }
}
