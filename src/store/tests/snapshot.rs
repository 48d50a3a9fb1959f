//! Finding tasks in a snapshot, and that one never changes under its reader.

use super::*;
use crate::model::queue::Dependency;

fn found(place: &Place, prefix: &str) -> Vec<String> {
    let snapshot = place.snapshot();
    match snapshot.find(&prefix.parse().unwrap()).unwrap() {
        Found::One(entry) => vec![entry.task().title.clone()],
        Found::Many(many) => many.into_iter().map(|(_, title)| title).collect(),
        Found::None => Vec::new(),
    }
}

#[test]
fn tasks_are_found_by_the_beginning_of_their_ids() {
    let place = Place::founded();
    let closed = cancelled(task(id("ab9999"), "closed"), NOW);
    place.write([task(id("abcdef"), "one"), task(id("abcxyz"), "two"), closed]);
    assert_eq!(found(&place, "abcdef"), ["one"]);
    assert_eq!(found(&place, "ABCD"), ["one"]);
    assert_eq!(found(&place, "abc"), ["one", "two"]);
    assert_eq!(found(&place, "ab"), ["one", "two", "closed"]);
    assert_eq!(found(&place, "ab9"), ["closed"]);
    assert!(found(&place, "zz").is_empty());
    assert!(found(&place, "abcde0").is_empty());
}

#[test]
fn closed_tasks_lie_in_the_archive_and_are_still_known() {
    let place = Place::founded();
    let log = task(id("abcdef"), "Fix the login");
    place.write([log.clone()]);
    assert_eq!(place.paths("tasks"), ["tasks/abcdef-fix-the-login.toml"]);
    place.write([cancelled(log, NOW)]);
    assert!(place.paths("tasks").is_empty());
    assert_eq!(
        place.paths("archive"),
        ["archive/2026-11/abcdef-fix-the-login.toml"]
    );
    let snapshot = place.snapshot();
    assert_eq!(
        snapshot.dependency(id("abcdef")).unwrap(),
        Dependency::Cancelled
    );
    assert_eq!(
        snapshot.dependency(id("zzzzzz")).unwrap(),
        Dependency::Unknown
    );
    assert!(snapshot.open().unwrap().is_empty());
    assert_eq!(snapshot.archived().unwrap().len(), 1);
    let entry = snapshot.entry(id("abcdef")).unwrap().unwrap();
    let log = snapshot.log_of(entry).unwrap();
    assert_eq!(log.fold().unwrap().task.body, "at length");
    // Opened again it goes back.
    let reason = "needed after all".to_owned();
    place.write([then(log, NOW, TaskEvent::Reopened { reason })]);
    assert!(place.paths("archive").is_empty());
    assert_eq!(place.paths("tasks").len(), 1);
}

#[test]
fn a_new_title_gives_the_file_a_new_name() {
    let place = Place::founded();
    let log = task(id("abcdef"), "Old");
    place.write([log.clone()]);
    let edit = crate::model::task::Edit {
        title: Some("New".to_owned()),
        ..Default::default()
    };
    place.write([then(log, NOW, TaskEvent::Edited(Box::new(edit)))]);
    assert_eq!(place.paths("tasks"), ["tasks/abcdef-new.toml"]);
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let place = Place::founded();
    place.write([task(id("abcdef"), "one")]);
    let before = place.snapshot();
    place.write([task(id("bbbbbb"), "two")]);
    assert_eq!(before.open().unwrap().len(), 1);
    assert_eq!(place.snapshot().open().unwrap().len(), 2);
    // And what is decided on an old one is not published.
    let changes = Changes {
        subject: "late".to_owned(),
        board: Some("late".to_owned()),
        ..Changes::default()
    };
    let published = place
        .store
        .publish(&before, &changes, &origin(), Advisory::NotHeld);
    assert_eq!(published.unwrap(), Published::Lost);
}

#[test]
fn works_with_every_format_of_git() {
    for test in TestRepo::of_every_format() {
        let place = Place::of(test);
        assert!(place.found().unwrap());
        place.write([task(id("abcdef"), "one")]);
        place.write([cancelled(task(id("abcdef"), "one"), NOW)]);
        assert_eq!(place.paths("archive").len(), 1);
        place.test.git(&["gc", "-q"]);
        assert_eq!(place.title(id("abcdef")).as_deref(), Some("one"));
        place.test.git(&["fsck", "--strict", "--no-dangling"]);
    }
}
