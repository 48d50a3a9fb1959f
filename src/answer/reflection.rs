//! What somebody learned from a piece of work.

use serde::Serialize;

use crate::format::rfc3339;
use crate::model::reflection::Reflection;

use super::{text, texts};

#[derive(Debug, Serialize)]
pub struct ReflectionJson {
    pub id: String,
    pub by: String,
    pub at: String,
    pub task: Option<String>,
    pub worked: String,
    pub pain: String,
    pub change: String,
    pub severity: &'static str,
    pub tags: Vec<String>,
}

impl From<&Reflection> for ReflectionJson {
    fn from(reflection: &Reflection) -> ReflectionJson {
        ReflectionJson {
            id: reflection.id.to_string(),
            by: reflection.by.to_string(),
            at: rfc3339(reflection.id.at()),
            task: text(reflection.task.as_ref()),
            worked: reflection.worked.clone(),
            pain: reflection.pain.clone(),
            change: reflection.change.clone(),
            severity: reflection.severity.as_str(),
            tags: texts(&reflection.tags),
        }
    }
}
