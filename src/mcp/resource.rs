//! Resources: the board, where one stands, and tasks, to be read and followed.

use std::fmt;
use std::str::FromStr;

use rmcp::model::{Resource, ResourceTemplate};
use serde_json::json;

use crate::answer::{Fault, ShownJson, StatusJson, of, on, sentence};
use crate::model::id::IdPrefix;
use crate::ops::{self, Context};

use super::words;

const SCHEME: &str = "reflectt://";
const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown";

/// The name of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uri {
    Board,
    Me,
    Task(IdPrefix),
}

impl FromStr for Uri {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Uri, Fault> {
        let unknown = || {
            Fault::nothing(format!(
                "there is no resource `{}`, but reflectt://board, reflectt://me and reflectt://task/ID",
                text.escape_debug()
            ))
        };
        match text.strip_prefix(SCHEME).ok_or_else(unknown)? {
            "board" => Ok(Uri::Board),
            "me" => Ok(Uri::Me),
            other => {
                let id = other.strip_prefix("task/").ok_or_else(unknown)?;
                id.parse().map(Uri::Task).map_err(|_| unknown())
            }
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Uri::Board => write!(f, "{SCHEME}board"),
            Uri::Me => write!(f, "{SCHEME}me"),
            Uri::Task(id) => write!(f, "{SCHEME}task/{}", id.as_str()),
        }
    }
}

impl Uri {
    pub fn mime_type(&self) -> &'static str {
        match self {
            Uri::Board => MARKDOWN,
            Uri::Me | Uri::Task(_) => JSON,
        }
    }
}

/// Returns the resources that have one name.
pub fn listed() -> Vec<Resource> {
    vec![
        Resource::new(Uri::Board.to_string(), "board")
            .with_description("who does what, and what waits")
            .with_mime_type(MARKDOWN),
        Resource::new(Uri::Me.to_string(), "me")
            .with_description("where you stand and what to do now")
            .with_mime_type(JSON),
    ]
}

/// Returns the name that stands for all tasks.
pub fn template() -> ResourceTemplate {
    ResourceTemplate::new(format!("{SCHEME}task/{{id}}"), "task")
        .with_description("a task with its history")
        .with_mime_type(JSON)
}

/// Returns what a resource holds now: what the command prints, whole.
pub fn read(ctx: &Context, uri: &Uri) -> Result<String, Fault> {
    match uri {
        Uri::Board => ops::board(ctx).map_err(of),
        Uri::Me => {
            let status = ops::status(ctx).map_err(of)?;
            let mut value = json!(StatusJson::from(&status));
            value["action"] = sentence(status.action(), words::line).into();
            Ok(value.to_string())
        }
        Uri::Task(id) => {
            let shown = ops::show(ctx, id).map_err(on(id))?;
            Ok(json!(ShownJson::from(&shown)).to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for text in [
            "reflectt://board",
            "reflectt://me",
            "reflectt://task/k3f9x2",
        ] {
            assert_eq!(text.parse::<Uri>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "board",
            "reflectt://",
            "reflectt://task/",
            "reflectt://task/../x",
            "file:///etc",
        ] {
            assert!(bad.parse::<Uri>().is_err(), "{bad}");
        }
    }
}
