//! Histories that are in order, and ones that were tampered with.

use std::collections::BTreeSet;

use super::*;
use crate::model::claim::Phase;
use crate::model::extra::Extra;
use crate::model::name::Author;
use crate::model::time::Timestamp;

fn agent(name: &str) -> AgentName {
    name.parse().unwrap()
}

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

fn claim(task: &str, by: &str, fence: u64, paths: &[&str]) -> Claim {
    Claim {
        id: id(task),
        of_task: true,
        agent: agent(by),
        clone: "0123456789ab".parse().unwrap(),
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

/// A version of the table; its highest fence is that of its claims, or `fence`.
fn version(epoch: u64, fence: u64, claims: &[Claim]) -> Table {
    Table {
        epoch,
        fence: Fence(fence),
        claims: claims.iter().map(|c| (c.id, c.clone())).collect(),
        ..Table::default()
    }
}

fn good() -> Vec<Table> {
    let kai = claim("aaaaaa", "kai", 1, &["src/a"]);
    let link = claim("bbbbbb", "link", 2, &["src/b"]);
    let again = claim("aaaaaa", "mira", 3, &["src/a"]);
    vec![
        version(1, 1, std::slice::from_ref(&kai)),
        version(2, 2, &[kai, link.clone()]),
        version(3, 2, std::slice::from_ref(&link)),
        version(4, 3, &[link, again]),
    ]
}

#[test]
fn a_history_in_order_passes() {
    assert_eq!(one_holder(&good()), Ok(3));
    assert_eq!(disjoint_paths(&good(), &[]), Ok(2));
    assert_eq!(within_limits(&good(), |_| 1), Ok(()));
    let told = [("kai", "aaaaaa"), ("link", "bbbbbb"), ("mira", "aaaaaa")];
    let told = told.map(|(name, task)| (agent(name), id(task)));
    assert_eq!(true_answers(&good(), &told), Ok(3));
}

#[test]
fn a_holder_that_changes_without_a_new_fence_is_found() {
    let mut versions = good();
    versions[1].claims.get_mut(&id("aaaaaa")).unwrap().agent = agent("mira");
    assert_eq!(
        one_holder(&versions).unwrap_err().to_string(),
        "`aaaaaa` passed from `kai` to `mira` with the same fence, 1"
    );
}

#[test]
fn a_fence_that_is_used_again_is_found() {
    let mut versions = good();
    versions[3].claims.get_mut(&id("aaaaaa")).unwrap().fence = Fence(2);
    assert!(matches!(
        one_holder(&versions),
        Err(Violation::OldFence { .. })
    ));
    // Two claims of one version with one fence.
    let both = [
        claim("aaaaaa", "kai", 1, &[]),
        claim("bbbbbb", "link", 1, &[]),
    ];
    let twice = one_holder(&[version(1, 1, &both)]);
    assert!(matches!(twice, Err(Violation::OldFence { .. })));
}

#[test]
fn versions_that_do_not_follow_each_other_are_found() {
    let mut versions = good();
    versions[2].epoch = 2;
    let found = one_holder(&versions);
    assert_eq!(
        found,
        Err(Violation::Order {
            before: 2,
            epoch: 2
        })
    );
}

#[test]
fn an_overlap_in_the_middle_is_found() {
    let mut versions = good();
    let between = versions[1].claims.get_mut(&id("bbbbbb")).unwrap();
    between.paths = vec!["src/a/deep/*.rs".parse().unwrap()];
    assert_eq!(
        disjoint_paths(&versions, &[]).unwrap_err().to_string(),
        "in version 2 `kai` and `link` both hold `src/a`"
    );
    // One agent may hold overlapping paths.
    versions[1].claims.get_mut(&id("bbbbbb")).unwrap().agent = agent("kai");
    assert!(disjoint_paths(&versions, &[]).is_ok());
    let limit = within_limits(&versions, |_| 1);
    assert!(matches!(
        limit,
        Err(Violation::Limit {
            epoch: 2,
            count: 2,
            ..
        })
    ));
    assert_eq!(within_limits(&versions, |_| 2), Ok(()));
}

#[test]
fn what_comes_back_from_a_review_is_not_taken() {
    let mut reviewed = claim("aaaaaa", "kai", 1, &[]);
    reviewed.phase = Phase::InReview;
    let begun = claim("bbbbbb", "kai", 2, &[]);
    let back = claim("aaaaaa", "kai", 1, &[]);
    let third = claim("cccccc", "kai", 3, &[]);
    let versions = [
        version(1, 1, &[reviewed.clone()]),
        version(2, 2, &[reviewed, begun.clone()]),
        version(3, 2, &[back.clone(), begun.clone()]),
        version(4, 3, &[back, begun, third]),
    ];
    assert_eq!(within_limits(&versions[..3], |_| 1), Ok(()));
    let taken = within_limits(&versions, |_| 1);
    assert!(matches!(taken, Err(Violation::Limit { epoch: 4, .. })));
}

#[test]
fn false_answers_are_found() {
    let told = [(agent("kai"), id("aaaaaa")), (agent("link"), id("bbbbbb"))];
    assert_eq!(
        true_answers(&good(), &told).unwrap_err().to_string(),
        "`mira` was told 0 times that it got `aaaaaa`, but the claims table has it 1 times"
    );
    let lie = (agent("mira"), id("aaaaaa"));
    let told = [told[0].clone(), told[1].clone(), lie.clone(), lie];
    assert!(true_answers(&good(), &told).is_err());
}

#[test]
fn mail_that_is_lost_or_doubled_is_found() {
    let message = |number: u128, to: &[&str]| Message {
        id: Stamp::from_bits(number),
        from: Author::reflectt(),
        to: to.iter().map(|name| agent(name)).collect(),
        channel: None,
        task: None,
        reply_to: None,
        urgent: false,
        notice: None,
        body: String::new(),
        extra: Extra::default(),
    };
    let both = message(1, &["kai", "link"]);
    let boxes = [(agent("kai"), both.clone()), (agent("link"), both.clone())];
    let ids = [both.id];
    assert_eq!(mail_once(&boxes, &[], &ids), Ok(2));
    assert_eq!(mail_once(&boxes, &[message(2, &[])], &ids), Ok(2));
    let lost = mail_once(&boxes[..1], &[], &ids);
    assert!(matches!(lost, Err(Violation::Mail { count: 0, .. })));
    let twice = [boxes[0].clone(), boxes[1].clone(), boxes[0].clone()];
    let doubled = mail_once(&twice, &[], &ids);
    assert!(matches!(doubled, Err(Violation::Mail { count: 2, .. })));
    let never = mail_once(&boxes, &[], &[both.id, Stamp::from_bits(9)]);
    assert!(matches!(never, Err(Violation::LostMail { .. })));
}
