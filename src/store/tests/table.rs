//! The claims table: written, damaged, and put back.

use super::*;
use crate::model::claim::{Claim, CloneId, Phase, Table};
use crate::model::id::Fence;

fn claim(of: TaskId, fence: u64) -> Claim {
    Claim {
        id: of,
        of_task: true,
        agent: agent("kai"),
        clone: CloneId::random(&mut fastrand::Rng::with_seed(1)),
        paths: vec!["src".parse().unwrap()],
        shared: std::collections::BTreeSet::new(),
        resources: std::collections::BTreeSet::new(),
        phase: Phase::Working,
        since: NOW,
        fence: Fence(fence),
        branch: None,
        base: None,
        why: None,
        intent: None,
        nonce: fence,
        extra: crate::model::extra::Extra::default(),
    }
}

/// Publishes one more version of the table, with one more claim.
pub fn take(place: &Place, of: TaskId) -> Table {
    let mut table = place.snapshot().table().unwrap().clone();
    table.epoch += 1;
    table.fence = table.fence.next();
    table.claims.insert(of, claim(of, table.fence.0));
    let changes = Changes {
        subject: "claim".to_owned(),
        table: Some(table.clone()),
        ..Changes::default()
    };
    assert!(matches!(place.publish(&changes), Published::Moved(_)));
    table
}

/// Returns a task whose record has a claim under `fence`.
fn claimed(of: &str, fence: u64) -> TaskLog {
    let mut log = task(id(of), "Keep the return path");
    let claimed = TaskEvent::Claimed {
        agent: agent("kai"),
        fence: Fence(fence),
        paths: Vec::new(),
        shared: std::collections::BTreeSet::new(),
        resources: std::collections::BTreeSet::new(),
        branch: None,
        taken_over: None,
    };
    let at = stamp(Timestamp(NOW.0 + 1), fence);
    log.log.push(at, Author::lossy("kai"), claimed);
    log
}

fn with_two_claims() -> (Place, Table) {
    let place = Place::founded();
    take(&place, id("aaaaaa"));
    let table = take(&place, id("bbbbbb"));
    (place, table)
}

#[test]
fn what_is_written_is_read() {
    let (place, table) = with_two_claims();
    assert_eq!(place.snapshot().table().unwrap(), &table);
    let count = ["rev-list", "--count", "refs/reflectt/claims"];
    assert_eq!(place.test.git(&count), "2");
    // The same table again is another version: its commit has a nonce.
    let same = Changes {
        subject: "claim".to_owned(),
        table: Some(table.clone()),
        ..Changes::default()
    };
    assert!(matches!(place.publish(&same), Published::Moved(_)));
    assert_eq!(place.test.git(&count), "3");
    assert_eq!(place.snapshot().table().unwrap(), &table);
}

#[test]
fn a_damaged_table_is_an_error_and_never_a_guess() {
    let claim = "aaaaaa.toml";
    let cases: [(&str, Option<&[u8]>, &str); 7] = [
        ("table.toml", None, "has no `table.toml`"),
        ("table.toml", Some(b"epoch = "), "`table.toml`"),
        (claim, Some(b"broken ["), claim),
        (claim, Some(b"\xff\xfe"), claim),
        ("cccccc.toml", Some(b"format = 1\n"), "cccccc"),
        ("dddddd.toml/x", Some(b"a file"), "`dddddd.toml`"),
        // Were it passed over, a newer version's claims would hold for nobody here.
        ("leases/aaaaaa", Some(b"a file"), "`leases`"),
    ];
    for (path, bytes, said) in cases {
        let (place, table) = with_two_claims();
        let before = place.snapshot().table_tip.unwrap();
        place.edit_ref(place.store.claims_ref(), &[(path, bytes)]);
        let damaged = place.snapshot().table_tip.unwrap();
        let error = place.snapshot().table().unwrap_err();
        assert!(error.to_string().contains(said), "{error}");

        let restored = place.store.restore_table(&origin()).unwrap();
        assert_eq!(restored.unwrap().commit, Some(before), "{path}");
        let snapshot = place.snapshot();
        let now = snapshot.table().unwrap();
        assert_eq!(now.claims, table.claims, "{path}");
        assert!(now.epoch > table.epoch);
        assert!(now.fence >= table.fence, "{path}");
        // A new version on top of the damaged one: no history is taken back.
        let tip = place.store.repo().read_commit(snapshot.table_tip.unwrap());
        assert_eq!(tip.unwrap().parents, [damaged]);
        assert_eq!(place.store.restore_table(&origin()).unwrap(), None);
        place.test.git(&["fsck", "--strict", "--no-dangling"]);
    }
}

#[test]
fn a_fence_is_not_given_out_twice_after_a_table_was_lost() {
    let (place, table) = with_two_claims();
    let broken = [("aaaaaa.toml", Some(b"x".as_slice()))];
    place.edit_ref(place.store.claims_ref(), &broken);
    // A version that cannot be read may still say which fences were given out.
    let mut high = table.clone();
    high.fence = Fence(40);
    let text = format::print_table(&high);
    place.edit_ref(
        place.store.claims_ref(),
        &[("table.toml", Some(text.as_bytes()))],
    );
    let found = place.store.restore_table(&origin()).unwrap();
    assert_eq!(found.unwrap().damaged, 2);
    assert!(place.snapshot().table().unwrap().fence >= Fence(40));
}

#[test]
fn numbers_that_nobody_counted_are_set_back_and_claims_stay() {
    let most = crate::model::id::COUNT_MAX;
    for (epoch, fence) in [(2, most), (most, most), (most, 2)] {
        let (place, table) = with_two_claims();
        let forged = Table {
            epoch,
            fence: Fence(fence),
            ..table.clone()
        };
        let text = format::print_table(&forged);
        let files = [("table.toml", Some(text.as_bytes()))];
        place.edit_ref(place.store.claims_ref(), &files);
        assert!(!place.snapshot().table().unwrap().is_plausible());
        // The record took part of it up; that counts no more than the table's own word.
        let known = [("aaaaaa", 2), ("bbbbbb", most), ("dddddd", 7)];
        place.write(known.map(|(of, fence)| claimed(of, fence)));
        place.store.restore_table(&origin()).unwrap();
        let snapshot = place.snapshot();
        let now = snapshot.table().unwrap();
        assert_eq!((now.epoch, now.fence), (table.epoch + 2, Fence(7)));
        assert_eq!(now.claims, table.claims);
        let next = take(&place, id("cccccc"));
        assert_eq!(next.claims[&id("cccccc")].fence, Fence(8));
    }
}

#[test]
fn a_number_that_could_not_be_read_again_is_not_written() {
    let (place, table) = with_two_claims();
    let last = Table {
        fence: Fence(crate::model::id::COUNT_MAX).next(),
        ..table
    };
    let changes = Changes {
        subject: "claim".to_owned(),
        table: Some(last),
        ..Changes::default()
    };
    let tip = place.snapshot().table_tip;
    let snapshot = place.snapshot();
    let done = (place.store).publish(&snapshot, &changes, &origin(), Advisory::NotHeld);
    assert!(matches!(done, Err(StoreError::ReadBack { .. })), "{done:?}");
    assert_eq!(place.snapshot().table_tip, tip);
}

#[test]
fn a_table_that_was_never_readable_becomes_empty() {
    let place = Place::founded();
    place.edit_ref(place.store.claims_ref(), &[("x", Some(b"y"))]);
    assert!(place.snapshot().table().is_err());
    let found = place.store.restore_table(&origin()).unwrap();
    assert_eq!(found.unwrap().commit, None);
    let snapshot = place.snapshot();
    let table = snapshot.table().unwrap();
    assert!(table.claims.is_empty());
    let none = Place::founded();
    assert_eq!(none.store.restore_table(&origin()).unwrap(), None);
}

#[test]
fn a_table_that_is_gone_is_taken_from_what_of_the_record_can_be_true() {
    let forged = 1 << 40;
    let place = Place::founded();
    place.write([claimed("aaaaaa", forged)]);
    let snapshot = place.snapshot();
    assert_eq!(snapshot.table().unwrap(), &Table::default());
    place.write([claimed("bbbbbb", 3), claimed("cccccc", 3)]);
    let lost = place.snapshot().table().map(|_| ()).unwrap_err();
    assert!(matches!(lost, StoreError::TableLost { fence: Fence(3) }));
    let found = place.store.restore_table(&origin()).unwrap().unwrap();
    assert_eq!((found.commit, found.fence), (None, Fence(3)));
    let snapshot = place.snapshot();
    let table = snapshot.table().unwrap();
    assert!(table.is_plausible());
    let claims: Vec<_> = (table.claims.values())
        .map(|claim| (claim.id, claim.fence))
        .collect();
    // Two claims of one number are told apart.
    assert_eq!(claims, [(id("bbbbbb"), Fence(3)), (id("cccccc"), Fence(4))]);
    assert_eq!(table.fence, Fence(4));
}
