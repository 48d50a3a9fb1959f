//! The board of the team, as a page.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct BoardJson<'a> {
    /// The page, in Markdown.
    pub board: &'a str,
}

#[derive(Debug, Serialize)]
pub struct WrittenJson {
    /// False if it had not changed.
    pub written: bool,
}
