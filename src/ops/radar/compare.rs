//! Comparing commits with each other: in this process as far as possible, and never twice.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::git::{Graph, Merged, Oid, Repo};
use crate::ops::OpsError;
use crate::store::KnownPairs;

/// Below this many merges, one process makes them all.
const MERGES_FOR_TWO: usize = 16;

/// Returns what these commits have to do with each other, pair by pair, with what is known taken as
/// it is.
pub(super) fn compare(
    repo: &Repo,
    landing: Oid,
    tips: &[Oid],
    known: &KnownPairs,
) -> Result<KnownPairs, OpsError> {
    let mut found = known.clone();
    found.landing = Some(landing);
    let keys: Vec<(Oid, Oid)> = (tips.iter().enumerate())
        .flat_map(|(at, one)| {
            tips[at + 1..]
                .iter()
                .map(|other| KnownPairs::key(*one, *other))
        })
        .collect();
    let wanted: HashSet<&(Oid, Oid)> = keys.iter().collect();
    found.pairs.retain(|key, _| wanted.contains(key));
    if known.landing != Some(landing) {
        for pair in found.pairs.values_mut() {
            pair.paths.clear();
        }
    }
    let is_known =
        |key: &&(Oid, Oid)| known.landing == Some(landing) && known.pairs.contains_key(key);
    if keys.iter().all(|key| is_known(&key)) {
        return Ok(found);
    }
    let changes = Changes::new(repo, landing, tips)?;
    let mut merges = Vec::new();
    for key in keys.iter().filter(|key| !is_known(key)) {
        let paths = changes.common(key.0, key.1);
        let pair = found.pairs.entry(*key).or_default();
        if !paths.is_empty() && pair.conflict.is_none() {
            merges.push(*key);
        }
        pair.paths = paths;
    }
    for (key, merged) in merges.iter().zip(merge_all(repo, &merges)?) {
        if let Some(pair) = found.pairs.get_mut(key) {
            pair.conflict = Some(!matches!(merged, Merged::Clean(_)));
        }
    }
    Ok(found)
}

/// Makes many merges in two processes at once.
fn merge_all(repo: &Repo, pairs: &[(Oid, Oid)]) -> Result<Vec<Merged>, OpsError> {
    if pairs.len() < MERGES_FOR_TWO {
        return Ok(repo.merge_pairs(pairs)?);
    }
    let (here, there) = pairs.split_at(pairs.len() / 2);
    let options = repo.options().clone();
    let (mut here, there) = std::thread::scope(|scope| {
        let there = scope.spawn(move || Repo::open(options)?.merge_pairs(there));
        (repo.merge_pairs(here), there.join())
    });
    let there = match there {
        Ok(there) => there,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    if let Ok(here) = &mut here {
        here.extend(there?);
    }
    Ok(here?)
}

/// What each commit changes, compared with where it left the landing branch.
struct Changes {
    /// In order.
    paths: HashMap<Oid, BTreeSet<Vec<u8>>>,
    /// Which of the commits each has below it.
    below: HashMap<Oid, HashSet<Oid>>,
}

impl Changes {
    fn new(repo: &Repo, landing: Oid, tips: &[Oid]) -> Result<Changes, OpsError> {
        let graph = repo.unlanded(tips, landing)?;
        let parents: HashMap<Oid, &[Oid]> = parents(&graph);
        let mut changes = Changes {
            paths: HashMap::new(),
            below: HashMap::new(),
        };
        for tip in tips.iter().filter(|tip| parents.contains_key(*tip)) {
            let (reach, left) = walk(&parents, *tip);
            let base = match left.as_slice() {
                [only] => Some(*only),
                [] => None,
                _ => repo.merge_base(landing, *tip)?,
            };
            let tree = |oid: Oid| repo.read_commit(oid).map(|commit| commit.tree);
            let old = base
                .filter(|base| repo.exists(*base))
                .map(tree)
                .transpose()?;
            let differ = repo.diff_trees(old, tree(*tip)?)?;
            let paths = differ.into_iter().map(|change| change.path);
            changes.paths.insert(*tip, paths.collect());
            changes.below.insert(*tip, reach);
        }
        Ok(changes)
    }

    /// Returns the paths that both change, where neither lies on the other.
    ///
    /// A file that is a directory for the other is one of both, too.
    fn common(&self, one: Oid, other: Oid) -> Vec<Vec<u8>> {
        let stacked = |low: &Oid, high: &Oid| {
            self.below
                .get(high)
                .is_some_and(|below| below.contains(low))
        };
        let (Some(ours), Some(theirs)) = (self.paths.get(&one), self.paths.get(&other)) else {
            return Vec::new();
        };
        if stacked(&one, &other) || stacked(&other, &one) {
            return Vec::new();
        }
        let meets = |path: &&Vec<u8>, others: &BTreeSet<Vec<u8>>| {
            others.contains(*path) || is_directory_of(path, others)
        };
        let ours_met = ours.iter().filter(|path| meets(path, theirs));
        let theirs_met = theirs.iter().filter(|path| meets(path, ours));
        let met: BTreeSet<&Vec<u8>> = ours_met.chain(theirs_met).collect();
        met.into_iter().cloned().collect()
    }
}

/// Tells whether any of the paths lies below this one.
fn is_directory_of(path: &[u8], paths: &BTreeSet<Vec<u8>>) -> bool {
    let below = [path, b"/"].concat();
    let next = paths.range(below.clone()..).next();
    next.is_some_and(|next| next.starts_with(&below))
}

fn parents(graph: &Graph) -> HashMap<Oid, &[Oid]> {
    let all = graph.iter();
    all.map(|(commit, parents)| (*commit, parents.as_slice()))
        .collect()
}

/// Returns the commits that can be reached, and those of the landing branch they began from.
fn walk(parents: &HashMap<Oid, &[Oid]>, tip: Oid) -> (HashSet<Oid>, Vec<Oid>) {
    let mut reached = HashSet::new();
    let mut left = BTreeSet::new();
    let mut waiting = vec![tip];
    while let Some(commit) = waiting.pop() {
        match parents.get(&commit) {
            Some(above) if reached.insert(commit) => waiting.extend(*above),
            Some(_) => {}
            None => {
                left.insert(commit);
            }
        }
    }
    (reached, left.into_iter().collect())
}
