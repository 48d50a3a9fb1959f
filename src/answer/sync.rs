//! What an exchange with the remote did.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct SyncJson {
    /// How many commits came.
    pub pulled: usize,
    /// How many commits went.
    pub pushed: usize,
    /// How many files both sides had changed.
    pub merged: usize,
    /// Provisional claims that were not confirmed.
    pub lost_claims: Vec<LostJson>,
    pub warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct LostJson {
    pub id: String,
    pub agent: String,
    pub reason: String,
}
