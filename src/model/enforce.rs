//! The enforcement decision: who may change which paths, by the claims table and the settings.
//!
//! Every layer asks here: git's hooks about a commit to be made, the edit-time hook about one file,
//! `pre-push` and `check` about commits that exist. What differs is only who acts and what the
//! commit itself proves ([`Voucher`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::claim::{Claim, Table};
use super::id::{Fence, TaskId};
use super::name::AgentName;
use super::path::PathPattern;
use super::share::Hold;

/// Who changes files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Agent(AgentName),
    /// A person, or nobody that is known. Claims of agents hold for them all the same.
    Person,
}

impl Who {
    pub fn agent(&self) -> Option<&AgentName> {
        match self {
            Who::Agent(name) => Some(name),
            Who::Person => None,
        }
    }
}

/// What is known about a change beside the paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    pub who: &'a Who,
    /// What the commit says about itself; nothing for a change that is still to be committed.
    pub voucher: &'a Voucher,
    /// Whether paths that nobody has claimed may be changed.
    pub unclaimed: Unclaimed,
}

/// Whether paths that nobody has claimed may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclaimed {
    Free,
    /// The team requires a claim of agents.
    Refused,
}

/// The tasks and fences a commit carries in its trailers, and those of commits built upon it.
///
/// A fence is given out once. A commit that carries the fence of a claim was made under it; and
/// if one that carries it was built upon another, the claim's holder has taken that one over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Voucher {
    pub tasks: BTreeSet<TaskId>,
    pub fences: BTreeSet<Fence>,
    /// The name of the commit's author, which may be an agent's.
    pub author: Option<String>,
}

impl Voucher {
    fn covers(&self, claim: &Claim) -> bool {
        self.fences.contains(&claim.fence) || self.author.as_deref() == Some(claim.agent.as_str())
    }
}

/// What stands against a set of changed paths. Paths are given by their index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement<'a> {
    /// Claims of others, with the paths they match, in the order of their ids.
    pub held: Vec<(&'a Claim, Vec<usize>)>,
    /// Claims of others that the commit was once made under: their task went to somebody else.
    pub outdated: Vec<(&'a Claim, Vec<usize>)>,
    /// Paths that must be claimed before they are changed.
    pub unclaimed: Vec<usize>,
    /// Claims of whoever acts that match any of the paths.
    pub own: Vec<&'a Claim>,
}

impl Judgement<'_> {
    pub fn is_clear(&self) -> bool {
        self.held.is_empty() && self.outdated.is_empty() && self.unclaimed.is_empty()
    }
}

/// The claims in force, ordered for looking up paths.
///
/// A pattern matches nothing outside of its anchor, so a path is compared with the patterns of its
/// own directories only: a thousand paths and hundreds of claims take a fraction of a millisecond.
pub struct ClaimIndex<'a> {
    claims: Vec<&'a Claim>,
    /// Which of them somebody in another clone holds, whatever its name.
    elsewhere: Vec<bool>,
    by_anchor: HashMap<&'a [u8], Vec<(usize, &'a PathPattern)>>,
    /// What is nobody's alone, and may be changed by anyone.
    common: &'a [PathPattern],
}

impl<'a> ClaimIndex<'a> {
    /// Takes the claims of `table` but those of agents that have gone silent, which are void.
    ///
    /// As everywhere, a claim in review does not expire. `elsewhere` is that of
    /// [`Facts`](super::decide::Facts), `common` what the team's settings share.
    pub fn new(
        table: &'a Table,
        common: &'a [PathPattern],
        expired: &dyn Fn(&Claim) -> bool,
        elsewhere: &dyn Fn(&Claim) -> bool,
    ) -> ClaimIndex<'a> {
        let in_force = |claim: &&Claim| claim.phase.is_submitted() || !expired(claim);
        let claims: Vec<&Claim> = table.claims.values().filter(in_force).collect();
        let mut by_anchor: HashMap<&[u8], Vec<(usize, &PathPattern)>> = HashMap::new();
        for (at, claim) in claims.iter().enumerate() {
            for pattern in &claim.paths {
                let anchor = pattern.anchor().as_bytes();
                by_anchor.entry(anchor).or_default().push((at, pattern));
            }
        }
        ClaimIndex {
            elsewhere: claims.iter().map(|claim| elsewhere(claim)).collect(),
            claims,
            by_anchor,
            common,
        }
    }

    /// Returns the plain paths at and below which all lies that others than `who` have claimed;
    /// see [`PathPattern::anchor`].
    pub fn anchors_of_others(&self, who: &Who) -> BTreeSet<&'a str> {
        let claims = self.claims.iter().zip(&self.elsewhere);
        let others = claims.filter(|(claim, elsewhere)| {
            **elsewhere || who.agent().is_none_or(|me| *me != claim.agent)
        });
        others
            .flat_map(|(claim, _)| claim.paths.iter().map(PathPattern::anchor))
            .collect()
    }

    /// Returns the claims that match a path, in the order of their ids, and how they hold it.
    fn matching(&self, path: &[u8]) -> BTreeMap<usize, Hold> {
        let mut found = BTreeMap::new();
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let directories = ends.map(|(end, _)| &path[..end]);
        for anchor in [&path[..0], path].into_iter().chain(directories) {
            for (claim, pattern) in self.by_anchor.get(anchor).into_iter().flatten() {
                if pattern.matches(path) {
                    let hold = match self.claims[*claim].shared.contains(*pattern) {
                        true => Hold::Shared,
                        false => Hold::Alone,
                    };
                    let known = found.entry(*claim).or_insert(hold);
                    *known = hold.max(*known);
                }
            }
        }
        found
    }

    /// Judges a change of these paths.
    pub fn judge<P: AsRef<[u8]>>(&self, paths: &[P], change: &Change) -> Judgement<'a> {
        let me = change.who.agent();
        let mut held: Vec<Vec<usize>> = vec![Vec::new(); self.claims.len()];
        let mut own = BTreeSet::new();
        let mut unclaimed = Vec::new();
        for (at, path) in paths.iter().enumerate() {
            let mut mine = false;
            let matching = self.matching(path.as_ref());
            let mut of_others = Vec::new();
            for (&claim, &hold) in &matching {
                if me == Some(&self.claims[claim].agent) && !self.elsewhere[claim] {
                    mine = true;
                    own.insert(claim);
                } else if change.voucher.covers(self.claims[claim]) {
                    mine = true;
                } else {
                    of_others.push((claim, hold));
                }
            }
            if self
                .common
                .iter()
                .any(|common| common.matches(path.as_ref()))
            {
                continue;
            }
            // Whoever has a share of a path changes it beside the others.
            let in_the_way = of_others
                .iter()
                .filter(|(_, hold)| !mine || *hold == Hold::Alone);
            for (claim, _) in in_the_way {
                held[*claim].push(at);
            }
            // A path of somebody else's is reported as such, and once.
            if change.unclaimed == Unclaimed::Refused
                && me.is_some()
                && !mine
                && matching.is_empty()
            {
                unclaimed.push(at);
            }
        }
        let grouped = held.into_iter().enumerate();
        let grouped = grouped.filter(|(_, paths)| !paths.is_empty());
        let grouped = grouped.map(|(at, paths)| (self.claims[at], paths));
        let (outdated, held) =
            grouped.partition(|(claim, _)| change.voucher.tasks.contains(&claim.id));
        Judgement {
            held,
            outdated,
            unclaimed,
            own: own.into_iter().map(|at| self.claims[at]).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::claim::CloneId;
    use crate::model::claim::Phase;
    use crate::model::extra::Extra;
    use crate::model::time::Timestamp;

    fn claim(id: &str, agent: &str, fence: u64, paths: &[&str]) -> Claim {
        Claim {
            id: id.parse().unwrap(),
            of_task: true,
            agent: agent.parse().unwrap(),
            clone: "0123456789ab".parse::<CloneId>().unwrap(),
            paths: paths.iter().map(|path| path.parse().unwrap()).collect(),
            shared: BTreeSet::new(),
            resources: BTreeSet::new(),
            phase: Phase::Working,
            since: Timestamp(0),
            fence: Fence(fence),
            branch: None,
            base: None,
            why: None,
            intent: None,
            nonce: 0,
            extra: Extra::default(),
        }
    }

    fn table(claims: impl IntoIterator<Item = Claim>) -> Table {
        Table {
            claims: claims.into_iter().map(|claim| (claim.id, claim)).collect(),
            ..Table::default()
        }
    }

    fn agent(name: &str) -> Who {
        Who::Agent(name.parse().unwrap())
    }

    fn change<'a>(who: &'a Who, voucher: &'a Voucher) -> Change<'a> {
        Change {
            who,
            voucher,
            unclaimed: Unclaimed::Free,
        }
    }

    fn held(judged: &Judgement) -> Vec<(String, Vec<usize>)> {
        let shown = |(claim, paths): &(&Claim, Vec<usize>)| (claim.id.to_string(), paths.clone());
        judged.held.iter().map(shown).collect()
    }

    #[test]
    fn others_have_what_neither_is_ones_own_nor_void() {
        let claims = [
            claim("aaaaaa", "kai", 1, &["src/own"]),
            claim("bbbbbb", "link", 2, &["src/auth/", "docs/*.md"]),
            claim("cccccc", "sage", 3, &["lib"]),
            claim("dddddd", "kai", 4, &["elsewhere"]),
        ];
        let table = table(claims);
        let expired = |claim: &Claim| claim.agent.as_str() == "sage";
        let elsewhere = |claim: &Claim| claim.fence == Fence(4);
        let index = ClaimIndex::new(&table, &[], &expired, &elsewhere);
        let of = |who: &Who| index.anchors_of_others(who).into_iter().collect::<Vec<_>>();
        assert_eq!(of(&agent("kai")), ["docs", "elsewhere", "src/auth"]);
        let all = ["docs", "elsewhere", "src/auth", "src/own"];
        assert_eq!(of(&Who::Person), all);
    }

    #[test]
    fn claims_of_others_hold_for_agents_and_people() {
        let table = table([
            claim("aaaaaa", "link", 1, &["src/auth", "*.lock"]),
            claim("bbbbbb", "kai", 2, &["docs"]),
        ]);
        let index = ClaimIndex::new(&table, &[], &|_| false, &|_| false);
        let paths = ["src/auth/login.rs", "docs/a.md", "Cargo.lock", "src/lib.rs"];
        let none = Voucher::default();
        let kai = index.judge(&paths, &change(&agent("kai"), &none));
        assert_eq!(held(&kai), [("aaaaaa".to_owned(), vec![0, 2])]);
        assert_eq!(kai.own[0].id.as_str(), "bbbbbb");
        let person = index.judge(&paths, &change(&Who::Person, &none));
        assert_eq!(
            held(&person),
            [
                ("aaaaaa".to_owned(), vec![0, 2]),
                ("bbbbbb".to_owned(), vec![1])
            ]
        );
        let link = index.judge(&paths[..1], &change(&agent("link"), &none));
        assert!(link.is_clear());
    }

    #[test]
    fn claims_of_silent_agents_are_void_unless_in_review() {
        let mut review = claim("bbbbbb", "link", 2, &["b"]);
        review.phase = Phase::InReview;
        let table = table([claim("aaaaaa", "link", 1, &["a"]), review]);
        let index = ClaimIndex::new(&table, &[], &|_| true, &|_| false);
        let none = Voucher::default();
        let judged = index.judge(&["a", "b"], &change(&Who::Person, &none));
        assert_eq!(held(&judged), [("bbbbbb".to_owned(), vec![1])]);
    }

    #[test]
    fn a_team_may_require_claims_of_agents() {
        let table = table([
            claim("aaaaaa", "kai", 1, &["a"]),
            claim("bbbbbb", "link", 2, &["b"]),
        ]);
        let index = ClaimIndex::new(&table, &[], &|_| false, &|_| false);
        let none = Voucher::default();
        let (kai, person) = (agent("kai"), Who::Person);
        let strict = |who| Change {
            unclaimed: Unclaimed::Refused,
            ..change(who, &none)
        };
        let judged = index.judge(&["a", "b", "c"], &strict(&kai));
        assert_eq!(held(&judged), [("bbbbbb".to_owned(), vec![1])]);
        assert_eq!(judged.unclaimed, [2]);
        assert!(index.judge(&["c"], &strict(&person)).is_clear());
    }

    #[test]
    fn a_commit_made_under_the_claim_passes_and_one_under_an_older_is_outdated() {
        let table = table([claim("aaaaaa", "link", 6, &["src"])]);
        let index = ClaimIndex::new(&table, &[], &|_| false, &|_| false);
        let voucher = |task: &str, fence| Voucher {
            tasks: BTreeSet::from([task.parse().unwrap()]),
            fences: BTreeSet::from([Fence(fence)]),
            author: Some("Ann".to_owned()),
        };
        let judge = |voucher: &Voucher| {
            let judged = index.judge(&["src/x"], &change(&Who::Person, voucher));
            (judged.held.len(), judged.outdated.len())
        };
        assert_eq!(judge(&voucher("aaaaaa", 6)), (0, 0));
        assert_eq!(judge(&voucher("aaaaaa", 5)), (0, 1));
        assert_eq!(judge(&voucher("cccccc", 5)), (1, 0));
        let by_name = Voucher {
            author: Some("link".to_owned()),
            ..Voucher::default()
        };
        assert_eq!(judge(&by_name), (0, 0));
    }

    #[test]
    fn who_shares_a_path_changes_it_beside_the_others() {
        let shared = |id, agent, fence, paths: &[&str]| {
            let claim = claim(id, agent, fence, paths);
            let shared = claim.paths.iter().cloned().collect();
            Claim { shared, ..claim }
        };
        let table = table([
            shared("aaaaaa", "kai", 1, &["log"]),
            shared("bbbbbb", "link", 2, &["log", "docs"]),
            claim("cccccc", "sage", 3, &["docs/a", "common"]),
        ]);
        let common = ["common".parse().unwrap()];
        let index = ClaimIndex::new(&table, &common, &|_| false, &|_| false);
        let paths = ["log", "docs/a", "common"];
        let judge = |who: &Who, voucher: &Voucher| {
            let judged = index.judge(&paths, &change(who, voucher));
            held(&judged)
        };
        let none = Voucher::default();
        let of = |id: &str, paths: &[usize]| (id.to_owned(), paths.to_vec());
        assert_eq!(
            judge(&agent("kai"), &none),
            [of("bbbbbb", &[1]), of("cccccc", &[1])]
        );
        assert_eq!(judge(&agent("link"), &none), [of("cccccc", &[1])]);
        // Without a share it is a claim like any other.
        assert_eq!(
            judge(&Who::Person, &none),
            [
                of("aaaaaa", &[0]),
                of("bbbbbb", &[0, 1]),
                of("cccccc", &[1])
            ]
        );
        let under = Voucher {
            fences: BTreeSet::from([Fence(1)]),
            ..Voucher::default()
        };
        let judged = index.judge(&paths[..1], &change(&Who::Person, &under));
        assert!(judged.is_clear());
        let mira = agent("mira");
        let strict = Change {
            unclaimed: Unclaimed::Refused,
            ..change(&mira, &none)
        };
        assert!(index.judge(&paths[2..], &strict).is_clear());
    }

    fn pattern() -> impl Strategy<Value = PathPattern> {
        let names = vec!["a", "b", "a b", "*", "**", "?", "[ab]", "é", "a*"];
        let name = prop::sample::select(names);
        prop::collection::vec(name, 1..4).prop_map(|parts| parts.join("/").parse().unwrap())
    }

    fn path() -> impl Strategy<Value = Vec<u8>> {
        let names: Vec<&[u8]> = vec![b"a", b"b", b"a b", b"\xff", "é".as_bytes(), b"a\nb", b"ab"];
        let name = prop::sample::select(names);
        prop::collection::vec(name, 1..5).prop_map(|parts| parts.join(&b'/'))
    }

    proptest! {
        /// Exactly the paths are held that some pattern of some foreign claim matches.
        #[test]
        fn exactly_what_foreign_claims_match_is_held(
            claims in prop::collection::vec(
                (prop::collection::vec(pattern(), 0..3), prop_oneof![Just("kai"), Just("link"), Just("sage")]),
                0..6,
            ),
            paths in prop::collection::vec(path(), 0..12),
            who in prop_oneof![Just(Who::Person), Just(agent("kai"))],
        ) {
            let claims = claims.into_iter().enumerate().map(|(at, (paths, agent))| Claim {
                paths,
                ..claim(&format!("aaaaa{at}"), agent, at as u64, &[])
            });
            let table = table(claims);
            let index = ClaimIndex::new(&table, &[], &|_| false, &|_| false);
            let judged = index.judge(&paths, &change(&who, &Voucher::default()));
            let mut expected: Vec<(String, Vec<usize>)> = Vec::new();
            for claim in table.claims.values().filter(|c| who.agent() != Some(&c.agent)) {
                let hit = |at: &usize| claim.paths.iter().any(|p| p.matches(&paths[*at]));
                let hits: Vec<usize> = (0..paths.len()).filter(hit).collect();
                if !hits.is_empty() {
                    expected.push((claim.id.to_string(), hits));
                }
            }
            prop_assert_eq!(held(&judged), expected);
        }
    }
}
