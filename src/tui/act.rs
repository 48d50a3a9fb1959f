//! What may be done from the screen: each a command that could be typed instead.

use crate::answer::line;
use crate::model::advice::Call;
use crate::model::id::TaskId;

/// A thing to do, and what to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Of the submission that was on the screen, and no other.
    Approve {
        id: TaskId,
        submission: String,
        commit: Option<String>,
    },
    RequestChanges {
        id: TaskId,
    },
    Comment {
        id: TaskId,
    },
    /// To whom is asked for.
    Message {
        task: Option<TaskId>,
    },
    New,
    Land {
        id: TaskId,
    },
    /// Marks a message as read.
    Read {
        message: String,
    },
}

/// A text that is asked for before an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub label: &'static str,
    pub is_required: bool,
}

const fn required(label: &'static str) -> Asked {
    Asked {
        label,
        is_required: true,
    }
}

const fn optional(label: &'static str) -> Asked {
    Asked {
        label,
        is_required: false,
    }
}

impl Act {
    /// Returns what stands above its form.
    pub fn title(&self) -> String {
        match self {
            Act::Approve { id, .. } => format!("Approve {id}"),
            Act::RequestChanges { id } => format!("Request changes of {id}"),
            Act::Comment { id } => format!("Comment on {id}"),
            Act::Message { task: Some(id) } => format!("Send a message about {id}"),
            Act::Message { task: None } => "Send a message".to_owned(),
            Act::New => "New task".to_owned(),
            Act::Land { id } => format!("Land {id}"),
            Act::Read { .. } => "Mark as read".to_owned(),
        }
    }

    /// Returns the texts it takes.
    pub fn asks(&self) -> &'static [Asked] {
        match self {
            Act::Approve { .. } => const { &[optional("note")] },
            Act::RequestChanges { .. } => const { &[required("what to change")] },
            Act::Comment { .. } => const { &[required("comment")] },
            Act::Message { .. } => {
                const { &[required("to (names, or one #channel)"), required("text")] }
            }
            Act::New => {
                const {
                    &[
                        required("title"),
                        required("done when (another agent can check it)"),
                        optional("path"),
                    ]
                }
            }
            Act::Land { .. } | Act::Read { .. } => &[],
        }
    }

    /// Says what will be done.
    pub fn will(&self) -> String {
        match self {
            Act::Approve { commit, .. } => match commit {
                Some(commit) => format!(
                    "approves the submission you were shown, commit {}",
                    crate::model::text::short_commit(commit)
                ),
                None => "approves the submission you were shown, which has no commit".to_owned(),
            },
            Act::RequestChanges { .. } => "sends it back to its author".to_owned(),
            Act::Comment { .. } => "adds the comment to its history".to_owned(),
            Act::Message { .. } => "puts it into every inbox it is for".to_owned(),
            Act::New => "adds the task, for whoever is free to take it".to_owned(),
            Act::Land { .. } => {
                "brings it, and what lies beneath it, onto the landing branch, if its checks pass"
                    .to_owned()
            }
            Act::Read { .. } => "takes it out of your inbox".to_owned(),
        }
    }
}

/// An act with its texts, as it is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    pub act: Act,
    /// In the order of [`Act::asks`], trimmed.
    pub texts: Vec<String>,
}

impl Write {
    /// Returns a text that was given.
    pub fn text(&self, at: usize) -> Option<&str> {
        let text = self.texts.get(at).map(String::as_str);
        text.filter(|text| !text.is_empty())
    }

    /// Returns the command that does the same.
    pub fn command(&self) -> String {
        let text = |at: usize| quoted(self.text(at).unwrap_or_default());
        let call = match &self.act {
            Act::Approve { id, commit, .. } => {
                let call = Call::to("review").on("id", id).flag("approve");
                let call = match commit {
                    Some(commit) => call.set("commit", crate::model::text::short_commit(commit)),
                    None => call,
                };
                match self.text(0) {
                    Some(_) => call.set("note", text(0)),
                    None => call,
                }
            }
            Act::RequestChanges { id } => {
                let call = Call::to("review").on("id", id);
                call.set("request_changes", text(0))
            }
            Act::Comment { id } => Call::to("task comment").on("id", id).on("text", text(0)),
            Act::Message { task } => {
                let to = self.recipients();
                let call = to
                    .iter()
                    .fold(Call::to("send"), |call, to| call.on("to", quoted(to)));
                let call = call.on("text", text(1));
                match task {
                    Some(id) => call.set("task", id),
                    None => call,
                }
            }
            Act::New => {
                let call = Call::to("task new").on("title", text(0));
                let call = call.set("criterion", text(1));
                match self.text(2) {
                    Some(_) => call.set("path", text(2)),
                    None => call,
                }
            }
            Act::Land { id } => Call::to("land").on("id", id),
            Act::Read { message } => Call::to("ack").on("id", message),
        };
        line(&call)
    }

    /// Returns whom a message is to.
    pub fn recipients(&self) -> Vec<&str> {
        let words = self.text(0).unwrap_or_default();
        let words = words.split(|c: char| c.is_whitespace() || c == ',');
        words.filter(|word| !word.is_empty()).collect()
    }
}

/// Returns a word as a shell takes it.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) && !text.starts_with('-') {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(act: Act, texts: &[&str]) -> String {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Write { act, texts }.command()
    }

    #[test]
    fn every_act_is_a_command() {
        let id: TaskId = "k3f9x2".parse().unwrap();
        let approve = |commit: Option<&str>| Act::Approve {
            id,
            submission: "01".to_owned(),
            commit: commit.map(str::to_owned),
        };
        let full = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(
            command(approve(Some(full)), &[""]),
            "reflectt review k3f9x2 --approve --commit 0123456789ab"
        );
        assert_eq!(
            command(approve(None), &["well done"]),
            "reflectt review k3f9x2 --approve --note 'well done'"
        );
        assert_eq!(
            command(Act::RequestChanges { id }, &["it's wrong"]),
            r"reflectt review k3f9x2 --request-changes 'it'\''s wrong'"
        );
        assert_eq!(
            command(Act::Comment { id }, &["ok"]),
            "reflectt task comment k3f9x2 ok"
        );
        assert_eq!(
            command(Act::Message { task: Some(id) }, &["kai, link", "hi there"]),
            "reflectt send kai link 'hi there' --task k3f9x2"
        );
        assert_eq!(
            command(Act::Message { task: None }, &["#general", "-v"]),
            "reflectt send '#general' '-v'"
        );
        assert_eq!(
            command(Act::New, &["Fix it", "a test shows it", "src/a.rs"]),
            "reflectt task new 'Fix it' --criterion 'a test shows it' --path src/a.rs"
        );
        assert_eq!(command(Act::Land { id }, &[]), "reflectt land k3f9x2");
    }
}
