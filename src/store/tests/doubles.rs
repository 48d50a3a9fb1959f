//! One id in several files: one task at several places, or tasks that drew the same id.

use super::*;

fn copy(place: &Place, from: &str, to: &str) {
    let bytes = place.bytes(from);
    place.edit(&[(to, Some(&bytes))]);
}

fn commented(log: &TaskLog, minutes: i64, text: &str) -> TaskLog {
    let text = text.to_owned();
    let at = Timestamp(NOW.0 + minutes * 60_000);
    then(log.clone(), at, TaskEvent::Commented { text })
}

#[test]
fn a_task_at_two_places_is_one_with_all_its_events() {
    let place = Place::founded();
    let log = task(id("abcdef"), "one");
    place.write([commented(&log, 1, "here")]);
    copy(&place, "tasks/abcdef-one.toml", "tasks/a/abcdef-one.toml");
    let there = format::print_task(&commented(&log, 2, "there"));
    place.edit(&[("tasks/a/abcdef-one.toml", Some(there.as_bytes()))]);
    let snapshot = place.snapshot();
    assert_eq!(snapshot.open().unwrap().len(), 1);
    let entry = snapshot.entry(id("abcdef")).unwrap().unwrap();
    assert_eq!(entry.path(), "tasks/a/abcdef-one.toml", "the later one");
    let both = snapshot.log_of(entry).unwrap();
    assert_eq!(both.log.len(), 3);
    assert!(snapshot.quarantined().unwrap().is_empty());
    // The next write makes one file of them.
    place.write([both]);
    assert_eq!(place.paths("tasks"), ["tasks/abcdef-one.toml"]);
}

#[test]
fn the_older_of_two_tasks_keeps_the_id() {
    let place = Place::founded();
    let older = task_at(Timestamp(NOW.0 - 1000), id("abcdef"), "older");
    let newer = task(id("abcdef"), "newer");
    for (path, log) in [
        ("tasks/abcdef-newer.toml", &newer),
        ("tasks/abcdef-older.toml", &older),
    ] {
        let text = format::print_task(log);
        place.edit(&[(path, Some(text.as_bytes()))]);
    }
    assert_eq!(place.title(id("abcdef")).as_deref(), Some("older"));
    let snapshot = place.snapshot();
    let bad = snapshot.quarantined().unwrap();
    assert_eq!(bad.len(), 1);
    assert_eq!(bad[0].path, "tasks/abcdef-newer.toml");
    assert_eq!(
        bad[0].reason,
        "task `abcdef` is another one, at `tasks/abcdef-older.toml`; two drew the same id"
    );
    // Work on the older one leaves the other alone.
    let text = "on it".to_owned();
    place.write([then(older, NOW, TaskEvent::Commented { text })]);
    assert_eq!(place.paths("tasks").len(), 2);
    assert_eq!(place.snapshot().rivals().unwrap().count(), 1);
    assert!(place.paths("quarantine").is_empty());
}

#[test]
fn open_and_archived_at_once_is_found_once() {
    let place = Place::founded();
    place.write([task(id("abcdef"), "one")]);
    copy(
        &place,
        "tasks/abcdef-one.toml",
        "archive/2026-11/abcdef-one.toml",
    );
    let snapshot = place.snapshot();
    let found = snapshot.find(&"abc".parse().unwrap()).unwrap();
    assert!(matches!(found, Found::One(_)), "{found:?}");
}

#[test]
fn files_of_one_name_do_not_take_each_others_place() {
    let place = Place::founded();
    place.write((0..1001).map(|n| cancelled(task(nth(n), "t"), NOW)));
    let older = place.paths("archive")[5].clone();
    let name = older.rsplit('/').next().unwrap();
    let taken: TaskId = name[..6].parse().unwrap();
    let rival = cancelled(task_at(Timestamp(NOW.0 + 5000), taken, "t"), NOW);
    let text = format::print_task(&rival);
    let path = format!("archive/2026-11/{name}");
    place.edit(&[(&path, Some(text.as_bytes()))]);
    place.write([cancelled(task(nth(5000), "t"), NOW)]);
    assert_eq!(place.bytes(&path), text.as_bytes());
    assert_eq!(place.paths("archive").len(), 1003);
}
