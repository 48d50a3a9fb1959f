//! Batches over benches that know what breaks.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;

fn id(n: usize) -> TaskId {
    format!("aa{n:04}").parse().unwrap()
}

fn number(id: TaskId) -> usize {
    id.as_str()[2..].parse().unwrap()
}

/// What is in a state.
type State = Vec<usize>;

/// A bench that breaks where it is told to.
#[derive(Default)]
struct Rules {
    /// Sets of entries that break when all of one are there.
    breaking: Vec<BTreeSet<usize>>,
    /// Pairs that conflict.
    clashing: Vec<(usize, usize)>,
    /// The numbers of runs that fail for no reason.
    flakes: BTreeSet<usize>,
    /// The number of a run that cannot be.
    stops: Option<usize>,
    runs: Vec<(State, bool)>,
}

impl Rules {
    fn breaks(&self, state: &[usize]) -> bool {
        let there = |set: &BTreeSet<usize>| set.iter().all(|n| state.contains(n));
        self.breaking.iter().any(there)
    }
}

impl Bench for Rules {
    type Tip = State;
    type Paths = usize;
    type Detail = usize;
    type Error = String;

    fn make(&mut self, tip: &State, id: TaskId) -> Result<Made<State, usize>, String> {
        let n = number(id);
        let clash = |other: &usize| {
            self.clashing.contains(&(n, *other)) || self.clashing.contains(&(*other, n))
        };
        Ok(match tip.iter().find(|other| clash(other)) {
            Some(other) => Made::Conflict(*other),
            None => Made::Clean([tip.as_slice(), &[n]].concat()),
        })
    }

    fn check(&mut self, trial: &Trial<State>) -> Result<Ran<usize>, String> {
        let tasks: State = trial.tasks.iter().map(|id| number(*id)).collect();
        assert_eq!(
            trial.tip, tasks,
            "what is checked is what is said to be in it"
        );
        let run = self.runs.len();
        if trial.again {
            assert!(self.runs.iter().any(|(state, _)| *state == trial.tip));
        }
        self.runs.push((trial.tip.clone(), trial.again));
        Ok(if self.stops == Some(run) {
            Ran::CouldNotRun(run)
        } else if self.breaks(&trial.tip) || self.flakes.contains(&run) {
            Ran::Failed(run)
        } else {
            Ran::Passed
        })
    }
}

fn entries(count: usize, beneath: &[(usize, usize)]) -> Vec<Entry> {
    let entry = |n: usize| Entry {
        id: id(n),
        beneath: (beneath.iter())
            .filter(|(high, _)| *high == n)
            .map(|(_, low)| id(*low))
            .collect(),
    };
    (0..count).map(entry).collect()
}

type Told = Outcome<State, usize, usize>;

fn go(rules: &mut Rules, entries: &[Entry]) -> Told {
    let outcome = run(rules, State::new(), entries).unwrap();
    assert_eq!(outcome.runs, rules.runs.len());
    outcome
}

fn landed(outcome: &Told) -> Vec<usize> {
    outcome.landed.iter().map(|(id, _)| number(*id)).collect()
}

fn culprits(outcome: &Told) -> Vec<(usize, Vec<usize>)> {
    let with = |it: &Culprit<State, usize>| it.with.iter().map(|id| number(*id)).collect();
    let all = outcome.culprits.iter();
    all.map(|it| (number(it.id), with(it))).collect()
}

fn log2(n: usize) -> usize {
    n.next_power_of_two().trailing_zeros() as usize
}

/// Checks what holds of every outcome.
fn check(rules: &Rules, entries: &[Entry], outcome: &Told) {
    let mut seen: Vec<TaskId> = outcome.landed.iter().map(|(id, _)| *id).collect();
    seen.extend(outcome.culprits.iter().map(|it| it.id));
    seen.extend(outcome.clashes.iter().map(|it| it.id));
    seen.extend(outcome.waiting.keys());
    seen.extend(&outcome.undecided);
    seen.sort();
    let all: Vec<TaskId> = entries.iter().map(|entry| entry.id).collect();
    assert_eq!(seen, all, "each is decided once");
    assert_eq!(outcome.tip, landed(outcome));
    assert!(!rules.breaks(&outcome.tip));
    if !outcome.tip.is_empty() {
        let whole = |(run, (state, _)): (usize, &(State, bool))| {
            *state == outcome.tip && !rules.flakes.contains(&run)
        };
        assert!(
            rules.runs.iter().enumerate().any(whole),
            "it ran as a whole, and passed"
        );
    }
    for it in &outcome.culprits {
        let with: State = it.with.iter().map(|id| number(*id)).collect();
        assert!(!rules.breaks(&with));
        assert_eq!(it.tip, [with, vec![number(it.id)]].concat());
    }
    for it in &outcome.clashes {
        assert!(it.with.iter().any(|id| number(*id) == it.paths));
        assert!(outcome.landed.iter().any(|(id, _)| number(*id) == it.paths));
    }
    for (id, below) in &outcome.waiting {
        assert!(!below.is_empty(), "{id} waits for nothing");
        assert!(
            below
                .iter()
                .all(|low| outcome.landed.iter().all(|(id, _)| id != low))
        );
    }
    for entry in entries {
        let lands = |id: &TaskId| outcome.landed.iter().position(|(other, _)| other == id);
        if let Some(at) = lands(&entry.id) {
            assert!(
                entry
                    .beneath
                    .iter()
                    .all(|low| lands(low).is_some_and(|low| low < at))
            );
        }
    }
}

#[test]
fn one_culprit_is_found_in_logarithmically_many_runs() {
    for count in 1..=8 {
        let entries = entries(count, &[]);
        let mut none = Rules::default();
        let outcome = go(&mut none, &entries);
        assert_eq!((outcome.runs, landed(&outcome).len()), (1, count));
        check(&none, &entries, &outcome);
        for culprit in 0..count {
            let mut rules = Rules {
                breaking: vec![BTreeSet::from([culprit])],
                ..Rules::default()
            };
            let outcome = go(&mut rules, &entries);
            check(&rules, &entries, &outcome);
            let others: Vec<usize> = (0..count).filter(|n| *n != culprit).collect();
            assert_eq!(landed(&outcome), others);
            assert_eq!(culprits(&outcome), [(culprit, (0..culprit).collect())]);
            let most = 3 + log2(count);
            assert!(
                outcome.runs <= most,
                "{culprit} of {count}: {} runs",
                outcome.runs
            );
        }
    }
}

#[test]
fn of_two_that_only_break_together_one_lands() {
    for count in 2..=8 {
        for one in 0..count {
            for other in one + 1..count {
                let mut rules = Rules {
                    breaking: vec![BTreeSet::from([one, other])],
                    ..Rules::default()
                };
                let entries = entries(count, &[]);
                let outcome = go(&mut rules, &entries);
                check(&rules, &entries, &outcome);
                let [(culprit, with)] = &culprits(&outcome)[..] else {
                    panic!("one culprit")
                };
                assert_eq!(*culprit, other);
                assert!(with.contains(&one));
                assert!(outcome.runs <= 3 + log2(count));
                if count == 2 {
                    assert_eq!(with, &[one]);
                }
            }
        }
    }
}

#[test]
fn what_fails_once_is_flaky_and_lands() {
    let mut rules = Rules {
        flakes: BTreeSet::from([0]),
        ..Rules::default()
    };
    let entries = entries(4, &[]);
    let outcome = go(&mut rules, &entries);
    check(&rules, &entries, &outcome);
    assert_eq!((landed(&outcome).len(), outcome.runs), (4, 2));
    assert_eq!(outcome.flaky.len(), 1);
    assert!(rules.runs[1].1, "the very same once more");
}

#[test]
fn nobody_is_blamed_for_one_failure_on_the_way() {
    // 3 breaks; the half without it fails once for no reason, and leads to an innocent.
    let mut rules = Rules {
        breaking: vec![BTreeSet::from([3])],
        flakes: BTreeSet::from([2]),
        ..Rules::default()
    };
    let entries = entries(4, &[]);
    let outcome = go(&mut rules, &entries);
    check(&rules, &entries, &outcome);
    assert_eq!(landed(&outcome), [0, 1, 2]);
    assert_eq!(culprits(&outcome), [(3, vec![0, 1, 2])]);
    assert_eq!(outcome.flaky.len(), 1);
}

#[test]
fn a_tip_that_fails_by_itself_is_nobodys_fault() {
    let entries = entries(3, &[]);
    let mut rules = Rules {
        breaking: vec![BTreeSet::new()],
        ..Rules::default()
    };
    let outcome = go(&mut rules, &entries);
    assert!(matches!(outcome.stopped, Some(Stop::TipFails(_))));
    assert_eq!((outcome.undecided.len(), outcome.culprits.len()), (3, 0));
    // Alone or with others: it is asked before anybody is sent back.
    let outcome = go(
        &mut Rules {
            breaking: vec![BTreeSet::new()],
            ..Rules::default()
        },
        &entries[..1],
    );
    assert!(matches!(outcome.stopped, Some(Stop::TipFails(_))));
}

#[test]
fn what_cannot_be_merged_is_put_aside_with_what_lies_on_it() {
    let entries = entries(5, &[(3, 2), (4, 3)]);
    let mut rules = Rules {
        clashing: vec![(0, 2)],
        ..Rules::default()
    };
    let outcome = go(&mut rules, &entries);
    check(&rules, &entries, &outcome);
    assert_eq!((landed(&outcome), outcome.runs), (vec![0, 1], 1));
    assert_eq!(outcome.clashes[0].id, id(2));
    let waits = |low: usize| BTreeSet::from([id(low)]);
    assert_eq!(
        outcome.waiting,
        BTreeMap::from([(id(3), waits(2)), (id(4), waits(3))])
    );
}

#[test]
fn a_conflict_with_what_does_not_land_is_none() {
    let entries = entries(3, &[]);
    let mut rules = Rules {
        breaking: vec![BTreeSet::from([0])],
        clashing: vec![(0, 2)],
        ..Rules::default()
    };
    let outcome = go(&mut rules, &entries);
    check(&rules, &entries, &outcome);
    assert_eq!(landed(&outcome), [1, 2]);
    assert!(outcome.clashes.is_empty());
}

#[test]
fn what_lies_on_a_culprit_waits_for_it() {
    let entries = entries(4, &[(2, 1)]);
    let mut rules = Rules {
        breaking: vec![BTreeSet::from([1])],
        ..Rules::default()
    };
    let outcome = go(&mut rules, &entries);
    check(&rules, &entries, &outcome);
    assert_eq!(landed(&outcome), [0, 3]);
    assert_eq!(
        outcome.waiting,
        BTreeMap::from([(id(2), BTreeSet::from([id(1)]))])
    );
}

#[test]
fn a_check_that_cannot_run_sends_nobody_back() {
    for stops in 0..6 {
        let mut rules = Rules {
            breaking: vec![BTreeSet::from([2])],
            stops: Some(stops),
            ..Rules::default()
        };
        let entries = entries(8, &[(5, 2)]);
        let outcome = go(&mut rules, &entries);
        check(&rules, &entries, &outcome);
        assert!(matches!(outcome.stopped, Some(Stop::CouldNotRun(run)) if run == stops));
        assert_eq!((outcome.runs, outcome.culprits.len()), (stops + 1, 0));
        assert_eq!(outcome.undecided.len() + outcome.landed.len(), 8);
    }
}

#[test]
fn nothing_to_land_is_no_run() {
    let outcome = go(&mut Rules::default(), &[]);
    assert_eq!((outcome.runs, outcome.tip), (0, State::new()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_lands_passes_as_a_whole(
        count in 1..=12_usize,
        breaking in vec(btree_set(0..12_usize, 1..=2), 0..5),
        clashing in vec((0..12_usize, 0..12_usize), 0..3),
        beneath in vec((0..12_usize, 0..12_usize), 0..4),
        flakes in btree_set(0..30_usize, 0..3),
    ) {
        let beneath: Vec<_> = beneath.into_iter().filter(|(high, low)| low < high).collect();
        let clashing: Vec<_> = clashing.into_iter().filter(|(a, b)| a != b).collect();
        let entries = entries(count, &beneath);
        let mut rules = Rules { breaking, clashing, flakes, ..Rules::default() };
        let outcome = go(&mut rules, &entries);
        let bad = outcome.culprits.len() + outcome.flaky.len() + rules.flakes.len() + 1;
        prop_assert!(outcome.runs <= bad * (4 + log2(count)) + 1);
        if rules.flakes.is_empty() {
            prop_assert!(outcome.flaky.is_empty());
            // One run for all, one for the rest after each; at most one more to be sure of each,
            // and one of the tip.
            let found = outcome.culprits.len();
            prop_assert!(outcome.runs <= 2 + found * (4 + log2(count)));
        }
        if outcome.stopped.is_none() {
            check(&rules, &entries, &outcome);
            prop_assert!(outcome.undecided.is_empty());
            // Whoever is sent back fails indeed, on the way or with all that has landed.
            for it in &outcome.culprits {
                let twice = rules.flakes.len() >= 2;
                let all = [outcome.tip.as_slice(), &[number(it.id)]].concat();
                let guilty = rules.breaks(&it.tip) || rules.breaks(&all);
                prop_assert!(twice || guilty, "{:?} is innocent", it.id);
            }
        }
    }
}
