//! The first commit, and branches that are not ours.

use super::*;

#[test]
fn every_record_starts_with_the_same_commit() {
    for formats in [["--object-format=sha1"], ["--object-format=sha256"]] {
        let roots: Vec<(String, String)> = (0..2)
            .map(|_| {
                let place = Place::of(TestRepo::init(&formats));
                assert!(place.found().unwrap());
                assert!(!place.found().unwrap(), "once");
                let root = place.test.git(&["rev-list", "--max-parents=0", "reflectt"]);
                let named = place.store.repo().name_commit(&place.store.root());
                assert_eq!(named.unwrap().to_string(), root);
                let bytes = place.test.git(&["cat-file", "commit", &root]);
                place.test.git(&["fsck", "--strict", "--no-dangling"]);
                (root, bytes)
            })
            .collect();
        assert_eq!(roots[0], roots[1]);
        let (root, bytes) = &roots[0];
        assert!(
            bytes.ends_with("\n\nthe record of a team, kept by reflectt"),
            "{bytes}"
        );
        let promised = match root.len() {
            40 => "1cb4d3ea6d02ae5153b044c0b44e2191f06fc7dd",
            _ => "2cbec3e48c6a7eb2e5beff1e0146e6315fb316fd8ac867fe1e8bdff466f1c417",
        };
        assert!(
            root.starts_with(promised),
            "{root}: a promise to every other clone"
        );
    }
}

#[test]
fn a_branch_that_is_not_ours_is_refused_and_left_alone() {
    type Files<'a> = &'a [(&'a str, Option<&'a [u8]>)];
    let cases: [(&str, Files); 4] = [
        ("empty", &[]),
        ("somebody's code", &[("src/main.rs", Some(b"fn main() {}"))]),
        (
            "another config",
            &[("config.toml", Some(b"[wip]\nagent = 3\n"))],
        ),
        ("broken config", &[("config.toml", Some(b"["))]),
    ];
    for (what, files) in cases {
        let place = Place::of(TestRepo::with_commit());
        place.edit(files);
        let tip = place.test.git(&["rev-parse", "reflectt"]);
        let objects = place.test.git(&["count-objects"]);
        for error in [place.store.snapshot().err(), place.found().err()] {
            assert!(
                matches!(error, Some(StoreError::Foreign { .. })),
                "{what}: {error:?}"
            );
        }
        assert_eq!(place.test.git(&["rev-parse", "reflectt"]), tip, "{what}");
        assert_eq!(place.test.git(&["count-objects"]), objects, "{what}");
    }
}

#[test]
fn a_record_whose_settings_are_damaged_is_still_ours() {
    let place = Place::founded();
    place.edit(&[("config.toml", Some(b"["))]);
    assert!(place.store.snapshot().is_ok());
    place.edit(&[("config.toml", None)]);
    assert!(place.store.snapshot().is_ok());
    assert!(!place.found().unwrap());
}

#[test]
fn without_a_branch_there_is_no_record() {
    let place = Place::of(TestRepo::init(&[]));
    assert!(matches!(
        place.store.snapshot(),
        Err(StoreError::NotInitialised { remote: None, .. })
    ));
}
