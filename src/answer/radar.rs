//! Which unfinished work meets, as JSON.

use serde::Serialize;

use crate::ops::{Pair, Radar};

use super::show;

#[derive(Debug, Serialize)]
pub struct RadarJson {
    pub pairs: Vec<PairJson>,
}

#[derive(Debug, Serialize)]
pub struct PairJson {
    /// The ids of the tasks; a claim without one has its own.
    pub a: String,
    pub b: String,
    /// What both change, as git prints it: quoted where it is no plain text.
    pub paths: Vec<String>,
    /// Whether they cannot be merged without somebody's help.
    pub conflict: bool,
}

impl From<&Pair> for PairJson {
    fn from(pair: &Pair) -> PairJson {
        PairJson {
            a: pair.a.id.to_string(),
            b: pair.b.id.to_string(),
            paths: pair.paths.iter().map(|path| show(path)).collect(),
            conflict: pair.conflict,
        }
    }
}

impl From<&Radar> for RadarJson {
    fn from(radar: &Radar) -> RadarJson {
        RadarJson {
            pairs: radar.pairs.iter().map(PairJson::from).collect(),
        }
    }
}
