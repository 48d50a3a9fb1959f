//! Own commits and what lies beneath, over random graphs, against plain definitions.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

fn id(n: usize) -> TaskId {
    format!("aa{n:04}").parse().unwrap()
}

fn stamp(order: u64) -> Stamp {
    Stamp::from_parts(order, 0)
}

/// A graph of commits `0..n`, each with parents of higher numbers; those from `n` on have landed.
fn graph() -> impl Strategy<Value = Vec<(usize, Vec<usize>)>> {
    vec(vec(1..6_usize, 0..3), 0..24).prop_map(|steps| {
        let commits = steps.iter().enumerate();
        let parents = |at: usize, steps: &[usize]| {
            let found: BTreeSet<usize> = steps.iter().map(|step| at + step).collect();
            found.into_iter().collect()
        };
        commits
            .map(|(at, steps)| (at, parents(at, steps)))
            .collect()
    })
}

type World = (Vec<(usize, Vec<usize>)>, Vec<Piece<usize>>);

fn world() -> impl Strategy<Value = World> {
    let pieces = vec((any::<Index>(), 0..20_u64), 0..8);
    (graph(), pieces).prop_map(|(graph, pieces)| {
        let piece = |(at, (commit, order)): (usize, (Index, u64))| Piece {
            id: id(at),
            // Some that have landed already.
            commit: commit.index(graph.len() + 2),
            order: stamp(order),
        };
        let pieces = pieces.into_iter().enumerate().map(piece).collect();
        (graph, pieces)
    })
}

fn reach(graph: &Graph<usize>, commit: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    if let Some((_, parents)) = graph.get(commit) {
        found.insert(commit);
        found.extend(parents.iter().flat_map(|parent| reach(graph, *parent)));
    }
    found
}

/// Whether what `one` and `other` share belongs to `one`.
fn precedes(graph: &Graph<usize>, one: &Piece<usize>, other: &Piece<usize>) -> bool {
    let below = |low: &Piece<usize>, high: &Piece<usize>| {
        low.commit != high.commit && reach(graph, high.commit).contains(&low.commit)
    };
    let earlier = (one.order, one.id) < (other.order, other.id);
    below(one, other) || (earlier && !below(other, one))
}

/// The definition for each two pieces: what a piece reaches, without what those reach that precede.
fn plain_own(graph: &Graph<usize>, pieces: &[Piece<usize>], of: usize) -> BTreeSet<usize> {
    let mut own = reach(graph, pieces[of].commit);
    for (at, piece) in pieces.iter().enumerate() {
        if at != of && precedes(graph, piece, &pieces[of]) {
            own.retain(|commit| !reach(graph, piece.commit).contains(commit));
        }
    }
    own
}

fn has_circle(graph: &Graph<usize>, pieces: &[Piece<usize>]) -> bool {
    let before = |a: usize, b: usize| a != b && precedes(graph, &pieces[a], &pieces[b]);
    let all = 0..pieces.len();
    // Any two are compared, so a circle has one of three in it.
    all.clone().any(|a| {
        all.clone().any(|b| {
            all.clone()
                .any(|c| before(a, b) && before(b, c) && before(c, a))
        })
    })
}

/// Checks that nothing comes before what is beneath it.
fn check_order(order: &[TaskId], beneath: &BTreeMap<TaskId, BTreeSet<TaskId>>) {
    for (at, id) in order.iter().enumerate() {
        let below = beneath.get(id).into_iter().flatten();
        for low in below {
            assert!(order[..at].contains(low), "{id} comes before {low}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn each_commit_is_owned_once_as_the_plain_definition_says((graph, pieces) in world()) {
        let layers = layers(&graph, &pieces);
        prop_assert_eq!(layers.len(), pieces.len());
        let mut owned = BTreeMap::new();
        for layer in &layers {
            for commit in &layer.own {
                prop_assert_eq!(owned.insert(*commit, layer.id), None, "owned twice");
            }
        }
        let reached: BTreeSet<usize> =
            pieces.iter().flat_map(|piece| reach(&graph, piece.commit)).collect();
        prop_assert_eq!(owned.keys().copied().collect::<BTreeSet<_>>(), reached);
        let circle = has_circle(&graph, &pieces);
        for (at, piece) in pieces.iter().enumerate() {
            let layer = layers.iter().find(|layer| layer.id == piece.id).unwrap();
            if !circle {
                let own: BTreeSet<usize> = layer.own.iter().copied().collect();
                prop_assert_eq!(own, plain_own(&graph, &pieces, at));
            }
            let beneath: BTreeSet<TaskId> =
                reach(&graph, piece.commit).iter().map(|c| owned[c]).filter(|id| *id != piece.id).collect();
            prop_assert_eq!(&layer.beneath, &beneath);
            for (n, commit) in layer.own.iter().enumerate() {
                prop_assert!(graph[*commit].1.iter().all(|p| !layer.own[n..].contains(p)), "parents first");
            }
            // What lies below another never counts as that one's.
            for other in pieces.iter().filter(|other| other.commit != piece.commit) {
                if reach(&graph, piece.commit).contains(&other.commit) {
                    prop_assert!(!layer.own.contains(&other.commit));
                }
            }
        }
        let order: Vec<TaskId> = layers.iter().map(|layer| layer.id).collect();
        let beneath = layers.into_iter().map(|layer| (layer.id, layer.beneath)).collect();
        check_order(&order, &beneath);
    }

    #[test]
    fn approved_work_lands_in_order(
        (graph, pieces) in world(),
        approvals in vec((any::<bool>(), 0..4_usize, 0..5_i64), 8),
        turn: Index,
    ) {
        let beneath: BTreeMap<TaskId, BTreeSet<TaskId>> =
            layers(&graph, &pieces).into_iter().map(|layer| (layer.id, layer.beneath)).collect();
        let mut approved: Vec<Approved> = approvals.iter().take(pieces.len()).enumerate()
            .filter(|(_, (approved, ..))| *approved)
            .map(|(at, (_, priority, time))| Approved {
                id: id(at),
                priority: Priority::ALL[*priority],
                at: Timestamp(*time),
            })
            .collect();
        let lineup = line_up(&approved, &beneath);
        check_order(&lineup.order, &beneath);
        let ids: BTreeSet<TaskId> = approved.iter().map(|it| it.id).collect();
        let said: Vec<TaskId> =
            lineup.order.iter().chain(lineup.waiting.keys()).copied().collect();
        prop_assert_eq!(said.len(), ids.len());
        prop_assert_eq!(said.into_iter().collect::<BTreeSet<_>>(), ids.clone());
        for (id, missing) in &lineup.waiting {
            prop_assert!(!missing.is_empty());
            prop_assert!(missing.iter().all(|low| !ids.contains(low) && all_beneath(*id, &beneath).contains(low)));
        }
        // The most urgent comes first, with no more before it than what it lies on; so does the
        // most urgent of the rest, and so on.
        let mut rest: Vec<&Approved> =
            approved.iter().filter(|it| lineup.order.contains(&it.id)).collect();
        rest.sort_by_key(|it| (it.priority, it.at, it.id));
        let mut order = lineup.order.as_slice();
        while let Some(first) = rest.first() {
            let at = order.iter().position(|id| *id == first.id).unwrap();
            let below = all_beneath(first.id, &beneath);
            prop_assert!(order[..at].iter().all(|id| below.contains(id)));
            let (done, left) = order.split_at(at + 1);
            rest.retain(|it| !done.contains(&it.id));
            order = left;
        }
        if !approved.is_empty() {
            let middle = turn.index(approved.len());
            approved.rotate_left(middle);
            prop_assert_eq!(line_up(&approved, &beneath), lineup);
        }
    }
}

#[test]
fn a_fix_on_top_of_a_stack_belongs_to_whoever_submits_it() {
    // 3 ← 2 ← 1 ← 0: two tasks submitted from one branch, and a fix for the lower one on top.
    let graph: Vec<(u8, Vec<u8>)> = vec![(0, vec![1]), (1, vec![2]), (2, vec![3]), (3, vec![9])];
    let piece = |n: usize, commit: u8, order: u64| Piece {
        id: id(n),
        commit,
        order: stamp(order),
    };
    let of = |pieces: &[Piece<u8>]| -> Vec<(TaskId, Vec<u8>, Vec<TaskId>)> {
        let layers = layers(&graph, pieces).into_iter();
        layers
            .map(|l| (l.id, l.own, l.beneath.into_iter().collect()))
            .collect()
    };
    let before = of(&[piece(1, 2, 1), piece(2, 1, 2)]);
    assert_eq!(
        before,
        [(id(1), vec![3, 2], vec![]), (id(2), vec![1], vec![id(1)])]
    );
    // Sent back and submitted again with the fix: all below the other is the other's now.
    let after = of(&[piece(1, 0, 3), piece(2, 1, 2)]);
    assert_eq!(
        after,
        [
            (id(2), vec![3, 2, 1], vec![]),
            (id(1), vec![0], vec![id(2)])
        ]
    );
    // The same commit for two tasks is the first one's.
    let same = of(&[piece(1, 1, 5), piece(2, 1, 4)]);
    assert_eq!(
        same,
        [(id(2), vec![3, 2, 1], vec![]), (id(1), vec![], vec![id(2)])]
    );
}

#[test]
fn what_an_urgent_task_lies_on_is_as_urgent() {
    let approved = [
        (1, Priority::P3, 1),
        (2, Priority::P0, 3),
        (3, Priority::P1, 2),
    ];
    let approved = approved.map(|(n, priority, at)| Approved {
        id: id(n),
        priority,
        at: Timestamp(at),
    });
    let mut beneath = BTreeMap::from([(id(2), BTreeSet::from([id(1)]))]);
    assert_eq!(line_up(&approved, &beneath).order, [id(1), id(2), id(3)]);
    beneath.insert(id(1), BTreeSet::from([id(7)]));
    let lineup = line_up(&approved, &beneath);
    assert_eq!(lineup.order, [id(3)]);
    let waits = BTreeSet::from([id(7)]);
    assert_eq!(
        lineup.waiting,
        BTreeMap::from([(id(1), waits.clone()), (id(2), waits)])
    );
}

#[test]
fn what_lies_on_each_other_is_a_knot() {
    let [a, b, c, d] = ["aa0001", "aa0002", "aa0003", "aa0004"].map(|id| id.parse().unwrap());
    let on = |pairs: &[(TaskId, &[TaskId])]| {
        let set = |below: &[TaskId]| below.iter().copied().collect();
        pairs.iter().map(|(id, below)| (*id, set(below))).collect()
    };
    let line: BTreeMap<TaskId, BTreeSet<TaskId>> = on(&[(a, &[]), (b, &[a]), (c, &[a, b])]);
    assert_eq!(knots(&line), []);
    let round = on(&[(a, &[c]), (b, &[a]), (c, &[b]), (d, &[a])]);
    assert_eq!(knots(&round), [BTreeSet::from([a, b, c])]);
    let two = on(&[(a, &[b]), (b, &[a]), (c, &[a, d]), (d, &[c])]);
    assert_eq!(
        knots(&two),
        [BTreeSet::from([a, b]), BTreeSet::from([c, d])]
    );
}
