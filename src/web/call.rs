//! What each route does: reads what it was given, calls one operation, and hands on the answer.

pub mod moves;
pub mod people;
pub mod record;
pub mod talk;
pub mod tasks;

use std::cell::RefCell;

use serde_json::{Value, json};

use crate::model::id::IdPrefix;
use crate::ops::{Context, OpsError};

use super::answering::About;
use super::feed::Feed;
use super::problem::Problem;
use super::received::Received;

/// What a call is done with.
pub struct Call<'c> {
    pub ctx: &'c Context,
    pub received: &'c Received,
    pub params: &'c [(String, String)],
    pub about: &'c About,
    pub feed: &'c Feed,
    /// What somebody should know beside the answer.
    pub notes: RefCell<Vec<String>>,
}

/// What is sent back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub content: Content,
}

#[derive(Debug)]
pub enum Content {
    Json(Value),
    Markdown(String),
}

impl Reply {
    pub fn json(value: Value) -> Reply {
        Reply {
            status: 200,
            content: Content::Json(value),
        }
    }
}

impl Call<'_> {
    /// Returns a part of the path.
    fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// Returns the task that the path names.
    fn id(&self) -> Result<IdPrefix, Problem> {
        let id = self.param("id");
        id.parse()
            .map_err(|error| Problem::from(OpsError::Id(error)).with("input", id))
    }

    fn note(&self, note: impl Into<String>) {
        self.notes.borrow_mut().push(note.into());
    }
}

/// Returns the answer of a move: the task, and its whole id.
fn moved(task: Value, more: Value) -> Reply {
    let mut value = json!({"success": true, "resolvedId": task["id"], "task": task});
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    Reply::json(value)
}
